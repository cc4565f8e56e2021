"""Physical destruction: an operator records it, somebody else witnesses it, a validator decides; then the device is destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.lifecycle import DeviceEvent
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ValidationDecision
from inventory.errors import Conflict, Invalid, SeparationOfDuty
from inventory.events import Tag
from inventory.models import Destruction, Device, EvidenceFile, Order
from inventory.models.orders import OPEN_STATES
from reports import destruction_notes
from reports.canonical import canonical, is_sha256
from reports.language import ENGLISH

from ._destroyed import facts_of
from ._holds import refuse_held
from ._mapping import destruction_view
from ._obligations import cover_holdings
from ._policy import refuse_short_destruction
from ._sealing import statement_person
from ._transitions import move_device, possible_for_device
from .context import Actor, Context, authorize
from .kernel import find, moment, next_number, note, optional, required, sign_and_log, stamp
from .views import DestructionView

_HEAVIEST: Final = 1_000_000
METHODS: Final = ("disintegrate", "incinerate", "melt", "pulverize", "shred", "degauss-then-destroy")
SCHEMA: Final = "sanitrail/destruction/1"
WITHDRAWN: Final = "withdrawn"
"""Instead of a validator's decision: it was taken back before anybody witnessed it."""


@dataclass(frozen=True, kw_only=True)
class RecordDestruction:
    """What was done to the medium (SP 800-88 Rev. 2, 3.1.3)."""

    device: str
    method: str
    """disintegrate, incinerate, melt, pulverize, shred, degauss-then-destroy."""
    machine: str
    """Machine with its calibration or approval, in words."""
    facility: str
    performed: datetime
    particle_size_mm: int | None = None
    serial_read: str = ""
    """As a person read it from the medium right before; without it there is no certificate."""
    evidence: tuple[str, ...] = ()
    """SHA-256 of photographs, videos, vendor's papers; at least one."""
    kept_elsewhere: str = ""
    """Where the files are kept of which the service has none; without it every digest is of a file of evidence of this device."""
    weight_in_grams: int | None = None
    """On the scales before; both weights or neither. They are said in the note, which is signed and printed."""
    weight_out_grams: int | None = None
    """What was left, on the same scales."""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DecideDestruction:
    """The validator's decision."""

    destruction: str
    decision: ValidationDecision
    reason: str


def record_destruction(context: Context, actor: Actor, command: RecordDestruction) -> DestructionView:
    """State that a medium was destroyed; nothing changes until it is witnessed and validated. Permission `destruction.record`.

    Raises:
        Held, Conflict (state does not allow destruction, an open order, or another destruction waits), Invalid.
    """
    authorize(actor, Permission.DESTRUCTION_RECORD)
    _plausible(context, command)
    with context.writing(actor) as session:
        device = find(session, Device, command.device, "device")
        refuse_held(session, device)
        possible_for_device(device, DeviceEvent.DESTROY)
        order = session.scalar(sa.select(Order.id).where(Order.device_id == device.id, sa.text(OPEN_STATES)))
        if order is not None:
            raise Conflict(f"Order {order} is open for device {device.id}; finish or cancel it first.")
        waiting = session.scalar(
            sa.select(Destruction.id).where(Destruction.device_id == device.id, Destruction.decision.is_(None))
        )
        if waiting is not None:
            raise Conflict(f"Destruction {waiting} of device {device.id} waits for a decision already.")
        row = Destruction(
            id=next_number(session, "destruction"),
            device_id=device.id,
            method=command.method,
            machine=required("machine", command.machine),
            facility=required("facility", command.facility),
            particle_size_mm=command.particle_size_mm,
            note=_note(session, command, device),
            performed=command.performed,
            recorded=context.now(),
            operator=actor.ref,
            evidence=list(command.evidence),
            serial_read=optional("serial_read", command.serial_read, most=256),
        )
        row.facts = canonical(facts_of(session, context, row, device).to_dict())
        session.add(row)
        session.flush()
        note(
            session, context, actor, Tag.DESTRUCTION_RECORDED, "destruction", row.id,
            device=device.id, details={"method": row.method, "facility": row.facility}, evidence=row.evidence,
        )  # fmt: skip
        return destruction_view(row)


def _note(session: Session, command: RecordDestruction, device: Device) -> str:
    """The note, and what it says of files that are not here: it is signed and printed with the rest.

    Raises:
        Invalid: a file is not here, and nobody said where it is.
    """
    note = required("note", f"{optional('note', command.note)} {_weighed(command)}".strip(), least=0)
    named = set(command.evidence)
    kept = session.scalars(
        sa.select(EvidenceFile.sha256).where(EvidenceFile.device_id == device.id, EvidenceFile.sha256.in_(named))
    )
    missing = named.difference(kept)
    where = optional("kept_elsewhere", command.kept_elsewhere, most=150)
    if not missing:
        return note
    if len(where) < 3:
        raise Invalid(
            "evidence",
            f"The service has no file {min(missing)[:16]} of this device: keep it first, or say where it is kept.",
        )
    said = ENGLISH.tell(destruction_notes.kept_elsewhere(len(named), len(missing), where))
    return required("note", f"{note} {said}".strip())


def _weighed(command: RecordDestruction) -> str:
    """What the scales showed, as it is signed and printed. Raises `Invalid`: one weight alone, or more out than in."""
    before, after = command.weight_in_grams, command.weight_out_grams
    if before is None and after is None:
        return ""
    if before is None or after is None:
        raise Invalid("weight_out_grams", "Say both weights, before and after, or neither.")
    if not 0 < before <= _HEAVIEST or not 0 <= after <= before:
        raise Invalid("weight_out_grams", "What is left weighs no more than what went in; both are grams.")
    return ENGLISH.tell(destruction_notes.weighed(before, after))


def _plausible(context: Context, command: RecordDestruction) -> None:
    if command.method not in METHODS:
        raise Invalid("method", f"The method is one of {', '.join(METHODS)}.")
    if moment("performed", command.performed) > context.now():
        raise Invalid("performed", "It was performed in the past.")
    if command.particle_size_mm is not None and not 1 <= command.particle_size_mm <= 1000:
        raise Invalid("particle_size_mm", "The largest particle measures 1 to 1000 mm.")
    if not command.evidence or len(command.evidence) > 50 or not all(is_sha256(one) for one in command.evidence):
        raise Invalid(
            "evidence", "At least one SHA-256 (64 lower-case hexadecimal digits) of a photograph, video or paper."
        )


def witness_destruction(context: Context, actor: Actor, destruction: str, statement: str) -> DestructionView:
    """State that one saw it. Permission `destruction.witness`. Raises `SeparationOfDuty` for the operator."""
    authorize(actor, Permission.DESTRUCTION_WITNESS)
    with context.writing(actor) as session:
        row = find(session, Destruction, destruction, "destruction")
        if row.decision is not None or row.witness is not None:
            raise Conflict(f"Destruction {row.id} was witnessed already.")
        if row.operator == actor.ref:
            raise SeparationOfDuty("witness", "performed the destruction")
        row.witness = actor.ref
        row.witnessed = context.now()
        row.witness_statement = required("statement", statement, least=10)
        session.flush()
        note(
            session, context, actor, Tag.DESTRUCTION_WITNESSED, "destruction", row.id,
            device=row.device_id, reason=row.witness_statement,
        )  # fmt: skip
        return destruction_view(row)


def withdraw_destruction(context: Context, actor: Actor, destruction: str, reason: str) -> DestructionView:
    """Take back what was recorded by mistake, or what nobody saw. Nothing is destroyed by it. Permission `destruction.record`.

    Raises:
        Conflict: somebody witnessed it, so that a validator must decide; or it was decided already.
        NotFound, Invalid.
    """
    authorize(actor, Permission.DESTRUCTION_RECORD)
    said = required("reason", reason, least=10)
    with context.writing(actor) as session:
        row = find(session, Destruction, destruction, "destruction")
        if row.decision is not None:
            raise Conflict(f"Destruction {row.id} was decided already.")
        if row.witness is not None:
            raise Conflict(f"Destruction {row.id} was witnessed; a validator decides about it.")
        row.decision, row.decided, row.reason = WITHDRAWN, context.now(), said
        session.flush()
        note(
            session, context, actor, Tag.DESTRUCTION_WITHDRAWN, "destruction", row.id,
            device=row.device_id, reason=said,
        )  # fmt: skip
        return destruction_view(row)


def decide_destruction(context: Context, actor: Actor, command: DecideDestruction) -> DestructionView:
    """Approve (device -> destroyed, holdings covered, statement logged) or reject. Permission `record.validate`.

    Raises:
        SeparationOfDuty: operator or witness decides.
        Conflict: not witnessed, decided already, or less was witnessed and photographed than the policy demands.
    """
    authorize(actor, Permission.RECORD_VALIDATE)
    with context.writing(actor) as session:
        row = find(session, Destruction, command.destruction, "destruction")
        if row.decision is not None:
            raise Conflict(f"Destruction {row.id} was decided already.")
        if row.witness is None:
            raise Conflict(f"Destruction {row.id} has no witness yet.")
        for person, act in ((row.operator, "performed the destruction"), (row.witness, "witnessed the destruction")):
            if person == actor.ref:
                raise SeparationOfDuty("validate", act)
        row.validator = actor.ref
        row.decision = str(ValidationDecision(command.decision))
        row.decided = context.now()
        row.reason = required("reason", command.reason, least=10)
        session.flush()
        if row.decision == ValidationDecision.APPROVE:
            _destroy(session, context, actor, row)
        else:
            note(
                session, context, actor, Tag.DESTRUCTION_REJECTED, "destruction", row.id,
                device=row.device_id, reason=row.reason,
            )  # fmt: skip
        return destruction_view(row)


def _destroy(session: Session, context: Context, actor: Actor, row: Destruction) -> None:
    device = session.get_one(Device, row.device_id)
    refuse_held(session, device)
    possible_for_device(device, DeviceEvent.DESTROY)
    refuse_short_destruction(session, row, device)
    digest, index = sign_and_log(session, context, "statement", _body(session, context, row), "acceptance", row.id)
    row.statement_sha256, row.log_index = digest, index
    cover_holdings(session, context, device, evidence=digest, leased=row.performed)
    move_device(
        session, context, actor, device, DeviceEvent.DESTROY,
        reason=row.reason, details={"destruction": row.id, "method": row.method}, evidence=[digest, *row.evidence],
    )  # fmt: skip


def _body(session: Session, context: Context, row: Destruction) -> dict[str, Any]:
    device = session.get_one(Device, row.device_id)
    return {
        "schema": SCHEMA,
        "id": row.id,
        "device": {
            "id": device.id,
            "asset_tag": device.asset_tag or "",
            "fingerprint": device.fingerprint or "",
            "model": device.model or device.declared_model or "",
            "serial": device.serial or device.declared_serial or "",
        },
        "method": row.method,
        "machine": row.machine,
        "facility": row.facility,
        "particle_size_mm": row.particle_size_mm,
        "performed": stamp(row.performed),
        "evidence": list(row.evidence),
        "operator": statement_person(session, context, row.operator).to_dict(),
        "witness": statement_person(session, context, row.witness or "").to_dict(),
        "witness_statement": row.witness_statement or "",
        "validator": statement_person(session, context, row.validator or "").to_dict(),
        "reason": row.reason,
        "time": stamp(context.now()),
    }
