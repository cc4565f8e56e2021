"""The policy as a document: the table as data, in two schemas, checked against SP 800-88's decision flow.

What a version demands is enforced, or it cannot be said: a row that ends in destruction has no words for what only an order has,
and a word that nothing here would ask for is refused. The first schema stays readable for good, with the digest it always had.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from inventory.errors import Invalid
from reports.canonical import digest_of
from reports.findings.techniques import DRIVE, KEYS, steps_of

from .roles import EXCLUSIVE, Role
from .techniques import KNOWN_SETTINGS, reach_of
from .vocabulary import CATEGORY_ORDER, METHOD_ORDER, VERIFICATION_ORDER, Category, Method, Verification, method_reaches

_Word = TypeVar("_Word", Category, Method, Verification)
Case = tuple[Category, bool, bool]
"""Category, reuse, leaves control."""

SCHEMA: Final = "sanitrail/policy/1"
SECOND: Final = "sanitrail/policy/2"
MEDIA: Final = ("magnetic", "flash", "virtual", "pmem", "unknown")
SILENT_DAYS: Final = 7
"""After how many silent days of an agent its devices are asked for, where the policy does not say."""
LEAST_WITNESSES: Final = 1
MOST_WITNESSES: Final = 2
"""The witness of a destruction, and the second person who signs its facts."""
LEAST_PHOTOGRAPHS: Final = 1
MOST_PHOTOGRAPHS: Final = 20
MOST_APPROVALS: Final = 9
WHOLE: Final = 100

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

FLOOR: Final[Mapping[Case, Method]] = {(c, r, o): m for c, r, o, m in _ROWS}
ROLES: Final = tuple(
    role
    for role in Role
    if role is not Role.APPROVER and not {(role, Role.APPROVER), (Role.APPROVER, role)} & {*EXCLUSIVE}
)
"""Roles an approver can have besides; others never approve, so that no policy may wait for them."""

_BEGINNING: Final = {"category", "reuse", "leaves_control", "method"}
_DESTRUCTION: Final = {"witnesses", "photographs"}
_ORDER: Final = {"verification", "canaries", "approvals", "approval_roles", "sampling_percent"}


@dataclass(frozen=True, kw_only=True)
class Demand:
    """One row: what a medium with such data needs on such a way."""

    method: Method
    verification: Verification
    """How much is read back after a run. Of a destruction nothing is."""
    canaries: bool = False
    """Only one of the drive's own techniques counts: those are proven by marks that must be gone afterwards."""
    approvals: int
    """Of an order. 0: no order can end here, so that there is none to approve."""
    approval_roles: tuple[Role, ...] = ()
    """Each of these roles is held by another one of the approvers."""
    sampling_percent: int = 0
    """Share of each lot that somebody else reads back again."""
    witnesses: int = LEAST_WITNESSES
    """Of a physical destruction."""
    photographs: int = LEAST_PHOTOGRAPHS
    """Photographs, videos or papers of a physical destruction."""
    techniques: Mapping[str, tuple[str, ...]] | None = None
    """Kind of medium -> techniques allowed, best first; kinds not listed, and None: all that reach the method."""


@dataclass(frozen=True)
class Policy:
    """One version of the table, checked."""

    document: dict[str, Any]
    id: str
    """`<id>:<version>`, as it stands on orders and records."""
    sha256: str
    version: int
    rows: Mapping[Case, Demand]
    unknown_contents: Category
    damaged: Method
    settings: tuple[str, ...]
    """Disputed classifications decided otherwise than the conservative default."""
    agent_silent_days: int = SILENT_DAYS

    @property
    def restricts(self) -> bool:
        """Whether any row allows less than every technique that reaches its method."""
        return any(row.canaries or row.techniques is not None for row in self.rows.values())

    @property
    def demands_roles(self) -> bool:
        """Whether any row wants roles among the approvers, so that rosters must name them."""
        return any(row.approval_roles for row in self.rows.values())


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


def as_second(policy: Policy, *, version: int | None = None) -> dict[str, Any]:
    """The same demands in the second schema: where a new version begins."""
    document: dict[str, Any] = {
        "schema": SECOND,
        "id": policy.document["id"],
        "version": policy.version if version is None else version,
        "unknown_contents": str(policy.unknown_contents),
        "damaged": str(policy.damaged),
        "agent_silent_days": policy.agent_silent_days,
    }
    if policy.settings:
        document["settings"] = list(policy.settings)
    return {**document, "rows": [_row(case, policy.rows[case]) for case in FLOOR]}


def _row(case: Case, demand: Demand) -> dict[str, Any]:
    category, reuse, leaves = case
    row: dict[str, Any] = {
        "category": str(category),
        "reuse": reuse,
        "leaves_control": leaves,
        "method": str(demand.method),
        "witnesses": demand.witnesses,
        "photographs": demand.photographs,
    }
    if demand.method is Method.DESTROY:
        return row
    least = Verification.REPRESENTATIVE if demand.verification is Verification.NONE else demand.verification
    row |= {
        "verification": str(least),
        "canaries": demand.canaries,
        "approvals": demand.approvals,
        "approval_roles": [str(role) for role in demand.approval_roles],
        "sampling_percent": demand.sampling_percent,
    }
    if demand.techniques is not None:
        row["techniques"] = {media: list(names) for media, names in demand.techniques.items()}
    return row


def parse(document: object) -> Policy:
    """Check a policy document of either schema.

    Raises:
        Invalid: not of this schema, incomplete, asking for less than SP 800-88's decision flow, or for what nothing enforces.
    """
    if not isinstance(document, dict) or document.get("schema") not in (SCHEMA, SECOND):
        raise Invalid("schema", f"A policy document has the schema {SECOND!r}, or {SCHEMA!r} as in older ones.")
    second = document["schema"] == SECOND
    fields = {"schema", "id", "version", "unknown_contents", "damaged"}
    fields |= {"agent_silent_days", "rows"} if second else {"methods", "verification", "approvals"}
    if set(document) - {"settings"} != fields:
        raise Invalid(
            "policy", f"A policy has the fields {', '.join(sorted(fields))}, and settings where it decides some."
        )
    name, version = document["id"], document["version"]
    if (
        not isinstance(name, str)
        or not name.replace("-", "").replace(".", "").isalnum()
        or len(name) > 64
        or not name.isascii()
    ):
        raise Invalid("id", "The id is 1 to 64 letters, digits, dots and hyphens.")
    whole("version", version, 1, 10**6 - 1)
    settings = _settings(document)
    damaged = _word(document["damaged"], METHOD_ORDER, "damaged")
    if damaged is not Method.DESTROY:
        raise Invalid("damaged", "A damaged medium cannot be trusted to have been written: it is destroyed.")
    unknown = _word(document["unknown_contents"], CATEGORY_ORDER, "unknown_contents")
    rows = _second_rows(document["rows"], settings) if second else _first_rows(document)
    silent = whole("agent_silent_days", document["agent_silent_days"], 1, 365) if second else SILENT_DAYS
    return Policy(
        document=document,
        id=f"{name}:{version}",
        sha256=digest_of(document),
        version=version,
        rows=rows,
        unknown_contents=unknown,
        damaged=damaged,
        settings=settings,
        agent_silent_days=silent,
    )


def whole(field: str, value: object, least: int, most: int) -> int:
    """A whole number within bounds. Raises `Invalid`."""
    if type(value) is not int or not least <= value <= most:
        raise Invalid(field, f"{field.replace('_', ' ').capitalize()}: a whole number from {least} to {most}.")
    return value


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


def _first_rows(document: Mapping[str, Any]) -> dict[Case, Demand]:
    """The first schema: methods by row, everything else the same for all."""
    rows = document["methods"]
    if not isinstance(rows, list):
        raise Invalid("methods", "The methods are a list of rows.")
    verification = _word(document["verification"], VERIFICATION_ORDER, "verification")
    approvals = whole("approvals", document["approvals"], 1, MOST_APPROVALS)
    found: dict[Case, Demand] = {}
    for row in rows:
        if not isinstance(row, dict) or set(row) != _BEGINNING:
            raise Invalid("methods", "A row has exactly category, reuse, leaves_control and method.")
        case, method = _beginning(row, found, "methods")
        found[case] = Demand(method=method, verification=verification, approvals=approvals)
    _complete(found, "methods")
    return found


def _second_rows(rows: object, settings: tuple[str, ...]) -> dict[Case, Demand]:
    """The second schema: every row says everything, and only what is asked for somewhere."""
    if not isinstance(rows, list):
        raise Invalid("rows", "The rows are a list.")
    found: dict[Case, Demand] = {}
    for row in rows:
        if not isinstance(row, dict) or not set(row) >= _BEGINNING:
            raise Invalid("rows", "A row has category, reuse, leaves_control, method and what is demanded.")
        case, method = _beginning(row, found, "rows")
        destroys = method is Method.DESTROY
        fields = _BEGINNING | _DESTRUCTION | (set() if destroys else _ORDER)
        if set(row) - (set() if destroys else {"techniques"}) != fields:
            unasked = " No order ends in destruction, so that nothing could ask for more." if destroys else ""
            raise Invalid("rows", f"{case_words(case)}: the row has the fields {', '.join(sorted(fields))}.{unasked}")
        found[case] = _demand(case, method, row, settings)
    _complete(found, "rows")
    return found


def _demand(case: Case, method: Method, row: Mapping[str, Any], settings: tuple[str, ...]) -> Demand:
    witnesses = whole("witnesses", row["witnesses"], LEAST_WITNESSES, MOST_WITNESSES)
    photographs = whole("photographs", row["photographs"], LEAST_PHOTOGRAPHS, MOST_PHOTOGRAPHS)
    if method is Method.DESTROY:
        return Demand(
            method=method, verification=Verification.NONE, approvals=0, witnesses=witnesses, photographs=photographs
        )
    if type(row["canaries"]) is not bool:
        raise Invalid("canaries", "canaries is true or false.")
    # A run without any read-back is never counted as sanitized, so that no row may ask for none.
    verification = _word(row["verification"], VERIFICATION_ORDER[1:], "verification")
    approvals = whole("approvals", row["approvals"], 1, MOST_APPROVALS)
    return Demand(
        method=method,
        verification=verification,
        canaries=row["canaries"],
        approvals=approvals,
        approval_roles=_roles(row["approval_roles"], approvals),
        sampling_percent=whole("sampling_percent", row["sampling_percent"], 0, WHOLE),
        witnesses=witnesses,
        photographs=photographs,
        techniques=_techniques(case, method, row, settings),
    )


def _roles(listed: object, approvals: int) -> tuple[Role, ...]:
    if not isinstance(listed, list) or [str(role) for role in ROLES if str(role) in listed] != listed:
        raise Invalid("approval_roles", f"Roles of approvers are among {', '.join(ROLES)}, each once, in this order.")
    if len(listed) > approvals:
        raise Invalid("approval_roles", f"{approvals} approvals cannot show {len(listed)} roles of different people.")
    return tuple(Role(word) for word in listed)


def _techniques(
    case: Case, method: Method, row: Mapping[str, Any], settings: tuple[str, ...]
) -> dict[str, tuple[str, ...]] | None:
    if "techniques" not in row:
        return None
    listed = row["techniques"]
    if not isinstance(listed, dict) or not listed or not set(listed) <= set(MEDIA):
        raise Invalid("techniques", f"Techniques are lists by kind of medium: {', '.join(MEDIA)}; left out for all.")
    found: dict[str, tuple[str, ...]] = {}
    for media, names in listed.items():
        if not isinstance(names, list) or len(names) != len({str(name) for name in names}):
            raise Invalid("techniques", f"{case_words(case)}, {media}: a list of techniques, each once, best first.")
        for name in names:
            reach = (
                reach_of(name, media, settings) if isinstance(name, str) and len(steps_of(name) or ()) == 1 else None
            )
            if reach is None:
                raise Invalid("techniques", f"{case_words(case)}, {media}: {name!r} is no technique of this product.")
            if not method_reaches(reach, method):
                words = f"{name} reaches {reach} on this kind of medium, and the row asks for {method}"
                raise Invalid("techniques", f"{case_words(case)}, {media}: {words}.")
            if row["canaries"] is True and not proven_by_canaries(name):
                raise Invalid("techniques", f"{case_words(case)}, {media}: no canaries prove {name}.")
        found[media] = tuple(names)
    return found


def proven_by_canaries(step: str) -> bool:
    """Whether a technique is one of the drive's own, before which marks are written that must be gone afterwards."""
    return step in DRIVE and step != KEYS


def _beginning(row: Mapping[str, Any], found: Mapping[Case, Demand], field: str) -> tuple[Case, Method]:
    if type(row["reuse"]) is not bool or type(row["leaves_control"]) is not bool:
        raise Invalid(field, "reuse and leaves_control are true or false.")
    case = (_word(row["category"], CATEGORY_ORDER, "category"), row["reuse"], row["leaves_control"])
    if case in found:
        raise Invalid(field, f"The row {case_words(case)} stands there twice.")
    return case, _word(row["method"], METHOD_ORDER, "method")


def _complete(found: Mapping[Case, Demand], field: str) -> None:
    for case, least in FLOOR.items():
        if case not in found:
            raise Invalid(field, f"The row {case_words(case)} is missing.")
        if not method_reaches(found[case].method, least):
            words = f"SP 800-88's decision flow asks for {least}; a policy may ask for more only."
            raise Invalid(field, f"{case_words(case)}: {words}")


def case_words(case: Case) -> str:
    """A row's case in words."""
    category, reuse, leaves = case
    what = "reused" if reuse else "not reused"
    where = "leaving our control" if leaves else "staying under our control"
    return f"{category} data, {what}, {where}"
