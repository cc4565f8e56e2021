"""The policy: a table as data, its digest, and the decision it gives for one device and one purpose.

The default is the decision flow of SP 800-88 Rev. 1, Figure 4-1, over the same inputs that Rev. 2, 4.3 keeps: confidentiality
category first, reuse, and whether the medium leaves organizational control; never the type of media first. An organization may
ask for more than the flow, never for less. What a technique cannot reach escalates; nothing is downgraded silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from inventory.errors import Invalid, Reason
from reports.canonical import digest_of
from reports.findings.techniques import HOST, TECHNIQUES

from .techniques import AUTO, KNOWN_SETTINGS, reach_of
from .vocabulary import (
    CATEGORY_ORDER,
    METHOD_ORDER,
    VERIFICATION_ORDER,
    Category,
    Method,
    Verification,
    coverage_reaches,
    method_reaches,
)

_Word = TypeVar("_Word", Category, Method, Verification)

SCHEMA: Final = "sanitrail/policy/1"

_ROWS: Final[tuple[tuple[Category, bool, bool, Method], ...]] = (
    (Category.LOW, False, False, Method.CLEAR),
    (Category.LOW, False, True, Method.PURGE),
    (Category.LOW, True, False, Method.CLEAR),
    (Category.LOW, True, True, Method.PURGE),
    (Category.MODERATE, False, False, Method.DESTROY),
    (Category.MODERATE, False, True, Method.DESTROY),
    (Category.MODERATE, True, False, Method.CLEAR),
    (Category.MODERATE, True, True, Method.PURGE),
    (Category.HIGH, False, False, Method.DESTROY),
    (Category.HIGH, False, True, Method.DESTROY),
    (Category.HIGH, True, False, Method.PURGE),
    (Category.HIGH, True, True, Method.DESTROY),
)
"""Category, reuse, leaves control -> minimum method."""

FLOOR: Final[Mapping[tuple[Category, bool, bool], Method]] = {(c, r, o): m for c, r, o, m in _ROWS}


def default_document() -> dict[str, Any]:
    """The policy a new installation starts with."""
    return {
        "schema": SCHEMA,
        "id": "sp-800-88",
        "version": 1,
        "methods": [{"category": str(c), "reuse": r, "leaves_control": o, "method": str(m)} for c, r, o, m in _ROWS],
        "unknown_contents": "high",
        "damaged": "destroy",
        "verification": "full",
        "approvals": 2,
    }


@dataclass(frozen=True)
class Policy:
    """One version of the table, checked."""

    document: dict[str, Any]
    id: str
    """`<id>:<version>`, as it stands on orders and records."""
    sha256: str
    version: int
    methods: Mapping[tuple[Category, bool, bool], Method]
    unknown_contents: Category
    damaged: Method
    verification: Verification
    approvals: int
    settings: tuple[str, ...]
    """Disputed classifications decided otherwise than the conservative default."""


@dataclass(frozen=True, kw_only=True)
class PolicyInput:
    """What the decision depends on."""

    category: Category | None
    """Highest category among the data sets ever held, residue included; None: nobody has said what it held."""
    reuse: bool
    leaves_control: bool
    damaged: bool = False
    media: str | None = None
    """magnetic, flash, virtual, unknown: never decides the method, only which techniques reach it."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the policy demands, and why."""

    policy_id: str
    policy_sha256: str
    category: Category | None
    method: Method
    verification: Verification
    approvals: int
    techniques: tuple[str, ...]
    """Techniques that can reach the method on this kind of medium; empty: none, so destruction must."""
    explanation: str
    media: str | None = None
    settings: tuple[str, ...] = ()
    """The disputed classifications the policy has decided; orders seal those that matter to them."""


def parse(document: object) -> Policy:
    """Check a policy document.

    Raises:
        Invalid: not of this schema, incomplete, or asking for less than SP 800-88's decision flow.
    """
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise Invalid("schema", f"A policy document has the schema {SCHEMA!r}.")
    fields = {"schema", "id", "version", "methods", "unknown_contents", "damaged", "verification", "approvals"}
    if set(document) - {"settings"} != fields:
        raise Invalid(
            "policy", f"A policy has the fields {', '.join(sorted(fields))}, and settings where it decides some."
        )
    name, version, approvals = document["id"], document["version"], document["approvals"]
    if (
        not isinstance(name, str)
        or not name.replace("-", "").replace(".", "").isalnum()
        or len(name) > 64
        or not name.isascii()
    ):
        raise Invalid("id", "The id is 1 to 64 letters, digits, dots and hyphens.")
    if type(version) is not int or not 1 <= version < 10**6:
        raise Invalid("version", "The version is a whole number from 1.")
    if type(approvals) is not int or not 1 <= approvals <= 9:
        raise Invalid("approvals", "Approvals are a whole number from 1 to 9.")
    methods = _methods(document["methods"])
    damaged = _word(document["damaged"], METHOD_ORDER, "damaged")
    if damaged is not Method.DESTROY:
        raise Invalid("damaged", "A damaged medium cannot be trusted to have been written: it is destroyed.")
    return Policy(
        document=document,
        id=f"{name}:{version}",
        sha256=digest_of(document),
        version=version,
        methods=methods,
        unknown_contents=_word(document["unknown_contents"], CATEGORY_ORDER, "unknown_contents"),
        damaged=damaged,
        verification=_word(document["verification"], VERIFICATION_ORDER, "verification"),
        approvals=approvals,
        settings=_settings(document),
    )


def _settings(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The disputed classifications a policy decides; one spelling: sorted, and left out where there is none."""
    if "settings" not in document:
        return ()
    listed = document["settings"]
    if not isinstance(listed, list) or not listed or [word for word in KNOWN_SETTINGS if word in listed] != listed:
        words = f"Settings are one or more of {', '.join(KNOWN_SETTINGS)}, in this order; left out where there is none."
        raise Invalid("settings", words)
    return tuple(listed)


def _word(value: object, known: tuple[_Word, ...], field: str) -> _Word:
    for word in known:
        if value == str(word):
            return word
    raise Invalid(field, f"{field} is one of {', '.join(known)}.")


def _methods(rows: object) -> dict[tuple[Category, bool, bool], Method]:
    if not isinstance(rows, list):
        raise Invalid("methods", "The methods are a list of rows.")
    found: dict[tuple[Category, bool, bool], Method] = {}
    for row in rows:
        if not isinstance(row, dict) or set(row) != {"category", "reuse", "leaves_control", "method"}:
            raise Invalid("methods", "A row has exactly category, reuse, leaves_control and method.")
        if type(row["reuse"]) is not bool or type(row["leaves_control"]) is not bool:
            raise Invalid("methods", "reuse and leaves_control are true or false.")
        key = (_word(row["category"], CATEGORY_ORDER, "category"), row["reuse"], row["leaves_control"])
        if key in found:
            raise Invalid("methods", f"The row {_case(*key)} stands there twice.")
        found[key] = _word(row["method"], METHOD_ORDER, "method")
    for key, least in FLOOR.items():
        if key not in found:
            raise Invalid("methods", f"The row {_case(*key)} is missing.")
        if not method_reaches(found[key], least):
            raise Invalid(
                "methods", f"{_case(*key)}: SP 800-88's decision flow asks for {least}; a policy may ask for more only."
            )
    return found


def _case(category: Category, reuse: bool, leaves: bool) -> str:
    what = "reused" if reuse else "not reused"
    where = "leaving our control" if leaves else "staying under our control"
    return f"{category} data, {what}, {where}"


def decide(policy: Policy, question: PolicyInput) -> Decision:
    """What the policy demands."""
    category = question.category or policy.unknown_contents
    method = policy.methods[category, question.reuse, question.leaves_control]
    said = _case(category, question.reuse, question.leaves_control)
    words = [f"{said[0].upper()}{said[1:]}: the policy {policy.id} asks for {method}."]
    if question.category is None:
        words.insert(0, f"Nobody has said what the medium held, so it counts as {category}.")
    if question.damaged:
        method = policy.damaged
        words.append(f"The medium is damaged: {method}.")
    able = tuple(name for name in sorted(TECHNIQUES) if _reaches(name, question.media, policy.settings, method))
    if not able:
        words.append(f"No technique of this product reaches {method}.")
    elif HOST not in able:
        words.append(f"Overwriting does not reach {method}: it takes one of the drive's own commands.")
    words.append(f"Verification: {policy.verification}; approvals: {policy.approvals}.")
    return Decision(
        policy_id=policy.id,
        policy_sha256=policy.sha256,
        category=question.category,
        method=method,
        verification=policy.verification,
        approvals=policy.approvals,
        techniques=able,
        explanation=" ".join(words),
        media=question.media,
        settings=policy.settings,
    )


def _reaches(technique: str, media: str | None, settings: tuple[str, ...], method: Method) -> bool:
    reach = reach_of(technique, media, settings)
    return reach is not None and method_reaches(reach, method)


def plan_objections(decision: Decision, method: str, technique: str, verification: str) -> tuple[Reason, ...]:
    """Why a plan could not end in a result that satisfies the decision; empty where it can."""
    reasons: list[Reason] = []
    reach = reach_of(technique, decision.media, decision.settings)
    named = "The best technique of the drive" if technique == AUTO else technique.capitalize()
    if reach is None:
        reasons.append(Reason("technique-unknown", f"The technique {technique!r} is not one of this product."))
    elif not method_reaches(reach, decision.method):
        reasons.append(
            Reason(
                "method-out-of-reach",
                f"{named} reaches {reach} here; {decision.method} is required. {decision.explanation} "
                f"Say what shall become of the medium, sanitize it by a technique that reaches {decision.method}, or destroy it.",
            )
        )
    elif not method_reaches(reach, Method(method)):
        reasons.append(Reason("method-out-of-reach", f"{named} reaches {reach} here, not {method}."))
    if not method_reaches(method, decision.method) and not reasons:
        reasons.append(Reason("method-too-weak", f"The plan asks for {method}; {decision.method} is required."))
    if not coverage_reaches(verification, decision.verification):
        reasons.append(
            Reason(
                "verification-too-weak",
                f"The plan asks for {verification} verification; the policy demands {decision.verification}.",
            )
        )
    return tuple(reasons)


def verdict_objections(
    method: Method, verification: Verification, outcome: str, achieved: str, coverage: str
) -> tuple[Reason, ...]:
    """Why a verdict (`reports.verdict`) does not satisfy a demand; empty where it does. Unknown satisfies nothing."""
    if outcome != "sanitized":
        return (Reason("not-sanitized", f"The record's outcome is {outcome}, not sanitized."),)
    reasons: list[Reason] = []
    if not method_reaches(achieved, method):
        reasons.append(Reason("method-insufficient", f"The record reached {achieved}; {method} is required."))
    if not coverage_reaches(coverage, verification):
        reasons.append(
            Reason("verification-insufficient", f"The read-back covered {coverage}; {verification} is required.")
        )
    return tuple(reasons)


def differences(old: Policy, new: Policy) -> tuple[str, ...]:
    """What changes from one version to another, row by row, in words."""
    lines = [
        f"{_case(*key)}: {old.methods[key]} -> {new.methods[key]}"
        for key in FLOOR
        if old.methods[key] is not new.methods[key]
    ]
    for field in ("unknown_contents", "damaged", "verification", "approvals"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            lines.append(f"{field.replace('_', ' ')}: {before} -> {after}")
    lines += [f"{word}: decided now" for word in new.settings if word not in old.settings]
    lines += [f"{word}: conservative again" for word in old.settings if word not in new.settings]
    return tuple(lines)
