"""The policy applied to what the database knows: decisions for a device, plans that fit them, records that satisfy them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.orders import PlanRequest
from inventory.domain.policy import (
    Decision,
    PolicyInput,
    decide,
    destruction_demand,
    plan_objections,
    preferred,
    technique_objections,
    verdict_objections,
)
from inventory.domain.roles import Role
from inventory.domain.techniques import AUTO, CANARIES
from inventory.domain.vocabulary import CATEGORY_ORDER, Category, Method, Verification
from inventory.errors import Conflict, Reason
from inventory.models import Attachment, DataSet, Destruction, Device, Holding, Order, Person, PersonalSignature, Record
from reports.approving import roles_shown
from reports.findings.techniques import DRIVE, HOST
from reports.orders import Roster

from ._gate import policy_in_force, technique_of


def worst_contents(session: Session, device: Device) -> tuple[Category | None, str | None]:
    """The highest category among the data sets a device ever held, and a data set of it; None where nobody knows any."""
    held = session.execute(
        sa.select(DataSet.category, DataSet.name)
        .join(Holding, Holding.data_set_id == DataSet.id)
        .where(Holding.device_id == device.id)
        .order_by(DataSet.name)
        .distinct()
    ).all()
    if not held:
        return None, None
    category, name = max(held, key=lambda row: CATEGORY_ORDER.index(row.category))  # the first by name among equals
    return category, name


def decision_for(
    session: Session,
    device: Device,
    *,
    reuse: bool,
    leaves_control: bool,
    damaged: bool = False,
    destination: str = "",
) -> Decision:
    """What the policy in force demands for this device and purpose."""
    category, data_set = worst_contents(session, device)
    question = PolicyInput(
        category=category,
        data_set=data_set,
        reuse=reuse,
        leaves_control=leaves_control,
        damaged=damaged,
        media=device.media or device.declared_media,
        destination=destination,
    )
    return decide(policy_in_force(session), question)


def usable_techniques(session: Session, device: Device) -> frozenset[str] | None:
    """What this drive can do, overwriting included, as its agent last saw it; None: nobody has asked the drive."""
    told = session.scalar(
        sa.select(Attachment.capabilities).where(Attachment.device_id == device.id, Attachment.until.is_(None))
    )
    if told is None:
        return None
    return frozenset({HOST, *(one["name"] for one in told["techniques"] if one["usable"] and one["name"] in DRIVE)})


def fit_plan(session: Session, device: Device, decision: Decision, plan: PlanRequest) -> PlanRequest:
    """The plan as it would be sealed: where the policy lists techniques, `auto` becomes the first of them the drive can do.

    The agent's own choice knows what reaches the method, and not what this policy prefers.
    """
    if not decision.restricted or plan.technique != AUTO:
        return plan
    chosen = preferred(decision, usable_techniques(session, device) or frozenset())
    if chosen is None:
        return plan
    pattern = plan.pattern_set if chosen == HOST else CANARIES
    return plan.model_copy(update={"technique": chosen, "pattern_set": pattern})


def objections_to(session: Session, device: Device, decision: Decision, plan: PlanRequest) -> tuple[Reason, ...]:
    """Why a plan could not end in a result that satisfies the decision; empty where it can."""
    usable = usable_techniques(session, device) if decision.restricted else None
    return plan_objections(decision, plan.method, plan.technique, plan.verification, usable)


def plain(decision: Decision) -> dict[str, Any]:
    """A decision as an order keeps it. What restricts nothing is left out, so that older orders read the same."""
    kept: dict[str, Any] = {
        "policy_id": decision.policy_id,
        "policy_sha256": decision.policy_sha256,
        "category": None if decision.category is None else str(decision.category),
        "method": str(decision.method),
        "verification": str(decision.verification),
        "approvals": decision.approvals,
        "explanation": decision.explanation,
        "sentence": decision.sentence,
    }
    if decision.restricted:
        kept["techniques"] = list(decision.techniques)
    if decision.approval_roles:
        kept["approval_roles"] = [str(role) for role in decision.approval_roles]
    if decision.sampling_percent:
        kept["sampling_percent"] = decision.sampling_percent
    return kept


def record_objections(session: Session, decision: Mapping[str, Any], record: Record) -> tuple[Reason, ...]:
    """Why a record does not satisfy the decision its order was sealed with; empty where it does."""
    reasons = verdict_objections(
        Method(decision["method"]),
        Verification(decision["verification"]),
        record.outcome,
        record.method,
        record.coverage,
    )
    if "techniques" not in decision:
        return reasons
    return reasons + technique_objections(_sealed(decision), technique_of(session, record.sha256))


def _sealed(decision: Mapping[str, Any]) -> Decision:
    """As much of an order's decision as a record's technique is compared with."""
    return Decision(
        policy_id=decision["policy_id"],
        policy_sha256=decision["policy_sha256"],
        category=None,
        method=Method(decision["method"]),
        verification=Verification(decision["verification"]),
        approvals=decision["approvals"],
        techniques=tuple(decision["techniques"]),
        sentence="",
        explanation="",
        restricted=True,
    )


def roles_of(session: Session, people: Iterable[str]) -> dict[str, frozenset[Role]]:
    """The roles these people have now; whoever is disabled has none."""
    rows = session.execute(sa.select(Person.ref, Person.roles).where(Person.ref.in_(list(people)), Person.enabled))
    return {ref: frozenset(Role(role) for role in roles) for ref, roles in rows}


def roles_missing(session: Session, order: Order, people: Iterable[str], roster: Roster) -> bool:
    """Whether the roles that the policy demands among an order's approvers are not all there yet.

    A role counts where the roster names it, as agents ask, and where its holder has it still.
    """
    wanted = [Role(word) for word in order.decision.get("approval_roles", ())]
    return bool(wanted) and not roles_shown(wanted, roles_named(session, people, roster))


def roles_named(session: Session, people: Iterable[str], roster: Roster) -> dict[str, frozenset[Role]]:
    """The roles these people have now, as far as the roster names them."""
    listed = {person.ref: person.roles for person in roster.people}
    return {ref: roles & frozenset(map(Role, listed.get(ref, ()))) for ref, roles in roles_of(session, people).items()}


def refuse_short_destruction(session: Session, row: Destruction, device: Device) -> None:
    """Whether a destruction was witnessed and photographed as the policy in force demands. Raises `Conflict`.

    The strictest row of the device's highest category counts. A second witness is the second person who signed the facts.
    """
    category, _ = worst_contents(session, device)
    witnesses, photographs = destruction_demand(policy_in_force(session), category)
    seconds = sa.select(sa.func.count()).where(
        PersonalSignature.subject == row.id, PersonalSignature.role == "countersigner"
    )
    seen = (row.witness is not None) + (session.scalar(seconds) or 0)
    reasons: list[Reason] = []
    if seen < witnesses:
        words = f"The policy demands {witnesses} witnesses, the second by signing the facts as second person; there are {seen}."
        reasons.append(Reason("too-few-witnesses", words))
    if len(row.evidence) < photographs:
        words = f"The policy demands {photographs} photographs, videos or papers; {len(row.evidence)} were filed."
        reasons.append(Reason("too-few-photographs", words))
    if reasons:
        raise Conflict(
            f"Destruction {row.id} does not satisfy the policy; reject it and record it anew.", reasons=reasons
        )
