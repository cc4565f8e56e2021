"""The policy's decision for one device and one purpose, why, and what does not satisfy it.

The default is the decision flow of SP 800-88 Rev. 1, Figure 4-1, over the same inputs that Rev. 2, 4.3 keeps: confidentiality
category first, reuse, and whether the medium leaves organizational control; never the type of media first. An organization may
ask for more than the flow, never for less. What a technique cannot reach escalates; nothing is downgraded silently.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from inventory.errors import Reason
from reports.findings.techniques import HOST, TECHNIQUES, steps_of

from .policy_document import (
    FLOOR,
    SCHEMA,
    Case,
    Demand,
    Policy,
    as_second,
    case_words,
    default_document,
    parse,
    proven_by_canaries,
)
from .policy_words import decision_sentence, differences
from .roles import Role
from .techniques import AUTO, reach_of
from .vocabulary import Category, Method, Verification, coverage_reaches, method_reaches

__all__ = [
    "FLOOR",
    "SCHEMA",
    "Case",
    "Decision",
    "Demand",
    "Policy",
    "PolicyInput",
    "allows",
    "as_second",
    "case_words",
    "decide",
    "default_document",
    "destruction_demand",
    "differences",
    "parse",
    "plan_objections",
    "preferred",
    "technique_objections",
    "verdict_objections",
]


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
    data_set: str | None = None
    """Name of a data set of that category, for the sentence that explains."""
    destination: str = ""
    """Where it is to go, in words, for the sentence that explains."""


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
    """Techniques that can reach the method on this kind of medium, best first where the policy says so; empty: none, so
    destruction must."""
    sentence: str
    """Why, in one sentence: "Purge, because CRM nightly backups is high and the medium leaves to a vendor."."""
    explanation: str
    """The sentence, and what follows from it."""
    media: str | None = None
    settings: tuple[str, ...] = ()
    """The disputed classifications the policy has decided; orders seal those that matter to them."""
    restricted: bool = False
    """Whether the policy allows less than every technique that reaches the method."""
    ordered: bool = False
    """Whether the policy says in which order they are preferred."""
    approval_roles: tuple[Role, ...] = ()
    sampling_percent: int = 0
    witnesses: int = 1
    photographs: int = 1


def decide(policy: Policy, question: PolicyInput) -> Decision:
    """What the policy demands."""
    category = question.category or policy.unknown_contents
    case = (category, question.reuse, question.leaves_control)
    demand = policy.rows[case]
    method = demand.method
    said = case_words(case)
    words = [f"{said[0].upper()}{said[1:]}: the policy {policy.id} asks for {method}."]
    if question.category is None:
        words.insert(0, f"Nobody has said what the medium held, so it counts as {category}.")
    if question.damaged:
        method = policy.damaged
        words.append(f"The medium is damaged: {method}.")
    able, ordered = _able(demand, question.media, policy.settings, method)
    words += _technique_words(demand, method, able)
    destroys = method is Method.DESTROY
    if not destroys or demand.approvals:
        words.append(f"Verification: {demand.verification}; approvals: {demand.approvals}.")
    sentence = decision_sentence(
        method, category, question.data_set, question.destination,
        known=question.category is not None, leaves=question.leaves_control, reuse=question.reuse,
        damaged=question.damaged,
    )  # fmt: skip
    return Decision(
        policy_id=policy.id,
        policy_sha256=policy.sha256,
        category=question.category,
        method=method,
        verification=demand.verification,
        approvals=demand.approvals,
        techniques=able,
        sentence=sentence,
        explanation=" ".join([sentence, *words]),
        media=question.media,
        settings=policy.settings,
        restricted=demand.canaries
        or (demand.techniques is not None and (question.media or "unknown") in demand.techniques),
        ordered=ordered,
        approval_roles=demand.approval_roles,
        sampling_percent=demand.sampling_percent,
        witnesses=demand.witnesses,
        photographs=demand.photographs,
    )


def _able(demand: Demand, media: str | None, settings: tuple[str, ...], method: Method) -> tuple[tuple[str, ...], bool]:
    """The techniques that count on this kind of medium, and whether the policy put them in order."""
    listed = None if demand.techniques is None else demand.techniques.get(media or "unknown")
    names: Iterable[str] = sorted(TECHNIQUES) if listed is None else listed
    found = tuple(
        name
        for name in names
        if _reaches(name, media, settings, method) and (not demand.canaries or proven_by_canaries(name))
    )
    return found, listed is not None


def _technique_words(demand: Demand, method: Method, able: tuple[str, ...]) -> list[str]:
    if not able:
        return [f"No technique of this product reaches {method}."]
    if HOST in able:
        return []
    if demand.canaries:
        return ["Only the drive's own commands count, proven by canaries that must be gone afterwards."]
    if demand.techniques is not None and method is Method.CLEAR:
        return ["The policy does not allow overwriting here."]
    return [f"Overwriting does not reach {method}: it takes one of the drive's own commands."]


def _reaches(technique: str, media: str | None, settings: tuple[str, ...], method: Method) -> bool:
    reach = reach_of(technique, media, settings)
    return reach is not None and method_reaches(reach, method)


def destruction_demand(policy: Policy, category: Category | None) -> tuple[int, int]:
    """Witnesses and photographs when a medium with such data is destroyed physically.

    What becomes of it is decided by then, so that the strictest row of its category counts.
    """
    rows = [demand for (found, _, _), demand in policy.rows.items() if found is (category or policy.unknown_contents)]
    return max(row.witnesses for row in rows), max(row.photographs for row in rows)


def allows(decision: Decision, technique: str) -> bool:
    """Whether the decision accepts what was done by this technique: one step of it must be among those that count."""
    return any(step in decision.techniques for step in steps_of(technique) or ())


def technique_objections(decision: Decision, technique: str | None) -> tuple[Reason, ...]:
    """Why a record's technique does not satisfy a decision; empty where it does, or where the policy restricts nothing."""
    if not decision.restricted:
        return ()
    if technique is None:
        return (Reason("technique-unknown", "Nothing says by which technique it was sanitized, and the policy asks."),)
    if allows(decision, technique):
        return ()
    words = ", ".join(decision.techniques) or "none"
    return (
        Reason(
            "technique-not-allowed",
            f"It was sanitized by {technique}; on this kind of medium the policy allows {words}.",
        ),
    )


def plan_objections(
    decision: Decision, method: str, technique: str, verification: str, usable: frozenset[str] | None = None
) -> tuple[Reason, ...]:
    """Why a plan could not end in a result that satisfies the decision; empty where it can.

    Args:
        decision: what is demanded.
        method: the plan's.
        technique: the plan's.
        verification: the plan's.
        usable: the techniques this drive can do; None: nobody has asked it.
    """
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
    elif decision.restricted:
        reasons += _choice_objections(decision, technique, usable)
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


def _choice_objections(decision: Decision, technique: str, usable: frozenset[str] | None) -> list[Reason]:
    """Whether the policy's list of techniques allows this one here."""
    words = ", ".join(decision.techniques) or "none, so that the medium must be destroyed"
    if technique == AUTO:
        why = "nobody has asked this drive what it can do" if usable is None else "this drive can do none of them"
        return [
            Reason("technique-not-chosen", f"The policy allows {words}, and {why}; name one, or destroy the medium.")
        ]
    if not allows(decision, technique):
        return [Reason("technique-not-allowed", f"The policy allows {words} on this kind of medium, not {technique}.")]
    if decision.ordered and usable is not None:
        steps = steps_of(technique) or ()
        rank = min(decision.techniques.index(step) for step in steps if step in decision.techniques)
        better = [name for name in decision.techniques[:rank] if name in usable]
        if better:
            words = f"The policy prefers {better[0]} to {technique}, and this drive can do it."
            return [Reason("technique-not-preferred", words)]
    return []


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


def preferred(decision: Decision, usable: Collection[str]) -> str | None:
    """The first technique of the policy's list that the drive can do; None: none of them."""
    return next((name for name in decision.techniques if name in usable), None)
