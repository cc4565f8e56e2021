"""What became of each device: a batch at a time, from state, documents, custody and open exceptions.

A device is accounted for when a document in force shows where its data went, or when it is still here, in a known place and in a
state that promises nothing. Everything else is an exception with a name, for a person to answer.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.balance import Item, Standing
from inventory.domain.lifecycle import FINAL
from inventory.domain.vocabulary import DeviceState, ExceptionState, OrderState
from inventory.models import (
    Attachment,
    Certificate,
    Correction,
    Destruction,
    Device,
    Event,
    ExceptionItem,
    Location,
    LogEntry,
    Order,
    Paper,
    Record,
    Seal,
    Validation,
    Waiver,
)
from inventory.models.orders import OPEN_STATES
from inventory.services.context import Context
from inventory.services.kernel import load_envelope, stamp
from reports.bundle import Logged, logged
from reports.pack.contents import Account, AccountDevice, AccountDocument, AccountException, AccountWord, HistoryLine

BATCH: Final = 100
_KINDS: Final = {"certificate": "certificate", "failure": "unsuccessful-run"}
UNFINISHED: Final = frozenset({OrderState.REJECTED, OrderState.FAILED, OrderState.INTERRUPTED})


@dataclass
class Gathered:
    """Everything about one device."""

    device: Device
    place: Location | None
    documents: list[AccountDocument] = field(default_factory=list)
    custody: list[Logged] = field(default_factory=list)
    history: list[Event] = field(default_factory=list)
    problems: list[ExceptionItem] = field(default_factory=list)
    records: list[tuple[Record, Validation | None]] = field(default_factory=list)
    destructions: list[Destruction] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    open_orders: list[str] = field(default_factory=list)
    attached: bool = False
    """To any host of ours, now."""
    unreported: list[str] = field(default_factory=list)
    """Orders whose run failed and about which no report was made."""


def batches(session: Session, scope: sa.Select[Any]) -> Iterator[list[Device]]:
    """The scope's devices in the order of their numbers, a few at a time; the scope is asked once."""
    with tempfile.TemporaryFile("w+", encoding="ascii") as numbers:
        chosen = sa.select(Device.id).where(Device.id.in_(scope)).order_by(Device.id)
        for number in session.scalars(chosen.execution_options(yield_per=1000)):
            numbers.write(f"{number}\n")
        numbers.seek(0)
        while wanted := [line.rstrip("\n") for line in islice(numbers, BATCH)]:
            yield list(session.scalars(sa.select(Device).where(Device.id.in_(wanted)).order_by(Device.id)))
            session.expunge_all()


def gather(session: Session, context: Context, devices: Sequence[Device], size: int) -> list[Gathered]:
    """Everything about these devices; log entries below `size` only, which the pack's checkpoint covers."""
    places = {
        place.id: place for place in session.scalars(sa.select(Location).where(Location.id.in_(_places(devices))))
    }
    found = {one.id: Gathered(one, places.get(one.location_id or "")) for one in devices}
    ids = list(found)
    for event in session.scalars(sa.select(Event).where(Event.device_id.in_(ids)).order_by(Event.id)):
        found[str(event.device_id)].history.append(event)
    for problem in session.scalars(
        sa.select(ExceptionItem)
        .where(ExceptionItem.device_id.in_(ids), ExceptionItem.state == ExceptionState.OPEN)
        .order_by(ExceptionItem.id)
    ):
        found[str(problem.device_id)].problems.append(problem)
    for record, validation in session.execute(
        sa.select(Record, Validation)
        .outerjoin(Validation, Validation.record_sha256 == Record.sha256)
        .where(Record.device_id.in_(ids))
        .order_by(Record.log_index)
    ):
        found[str(record.device_id)].records.append((record, validation))
    for waiver in session.scalars(sa.select(Waiver).where(Waiver.device_id.in_(ids)).order_by(Waiver.id)):
        found[waiver.device_id].waivers.append(waiver)
    for destruction in session.scalars(
        sa.select(Destruction).where(Destruction.device_id.in_(ids)).order_by(Destruction.id)
    ):
        found[destruction.device_id].destructions.append(destruction)
    for attached in session.scalars(
        sa.select(Attachment.device_id).where(Attachment.device_id.in_(ids), Attachment.until.is_(None))
    ):
        found[attached].attached = True
    _orders(session, found)
    _documents(session, found)
    _custody(session, context, found, size)
    return list(found.values())


def _places(devices: Sequence[Device]) -> list[str]:
    return [one.location_id for one in devices if one.location_id is not None]


def _orders(session: Session, found: dict[str, Gathered]) -> None:
    reported = sa.select(Certificate.order_id).where(Certificate.device_id.in_(found))
    for order in session.scalars(
        sa.select(Order)
        .where(Order.device_id.in_(found), sa.or_(sa.text(OPEN_STATES), Order.state.in_(UNFINISHED)))
        .order_by(Order.id)
    ):
        if order.state not in UNFINISHED:
            found[order.device_id].open_orders.append(order.id)
    for order in session.scalars(
        sa.select(Order)
        .where(
            Order.device_id.in_(found),
            Order.state.in_(UNFINISHED),
            Order.record_sha256.is_not(None),
            Order.id.not_in(reported),
        )
        .order_by(Order.id)
    ):
        found[order.device_id].unreported.append(order.id)


def _documents(session: Session, found: dict[str, Gathered]) -> None:
    """Certificates and reports of runs, then certificates of physical destruction, each with its standing."""
    rows: list[tuple[str, str, str, str, str | None, str | None]] = []
    rows += [
        (device, number, _KINDS[kind], sha256, evidence, pdf)
        for device, number, kind, sha256, evidence, pdf in session.execute(
            sa.select(
                Certificate.device_id, Certificate.number, Certificate.kind, Certificate.sha256,
                Seal.bundle_sha256, Seal.pdf_sha256,
            )
            .outerjoin(Seal, Seal.number == Certificate.number)
            .where(Certificate.device_id.in_(found))
            .order_by(Certificate.log_index)
        )
    ]  # fmt: skip
    rows += [
        (device, number, "destruction", sha256 or "", evidence, pdf)
        for device, number, sha256, evidence, pdf in session.execute(
            sa.select(Destruction.device_id, Paper.number, Paper.sha256, Seal.bundle_sha256, Seal.pdf_sha256)
            .join(Paper, Paper.subject == Destruction.id)
            .outerjoin(Seal, Seal.number == Paper.number)
            .where(Destruction.device_id.in_(found), Paper.issued.is_not(None), Paper.kind == "destruction")
            .order_by(Paper.log_index)
        )
    ]
    taken_back = standings(session, [row[3] for row in rows])
    for device, number, kind, sha256, evidence, pdf in sorted(rows, key=lambda row: row[1]):
        found[device].documents.append(
            AccountDocument(
                number=number, kind=kind, evidence_sha256=evidence, pdf_sha256=pdf,
                standing=taken_back.get(sha256, "in-force"),  # type: ignore[arg-type]  # one of the two words
            )
        )  # fmt: skip


def standings(session: Session, digests: Sequence[str]) -> dict[str, str]:
    """Logged envelope of a document -> void or superseded, where a correction says so."""
    words: dict[str, str] = {}
    for correction in session.scalars(
        sa.select(Correction).where(Correction.document_sha256.in_(digests)).order_by(Correction.log_index)
    ):
        word = "void" if correction.action == "void" else "superseded"
        if words.get(correction.document_sha256) != "void":
            words[correction.document_sha256] = word
    return words


def _custody(session: Session, context: Context, found: dict[str, Gathered], size: int) -> None:
    rows = session.execute(
        sa.select(LogEntry.subject, LogEntry.idx, LogEntry.sha256)
        .where(LogEntry.kind == "custody", LogEntry.subject.in_(found), LogEntry.idx < size)
        .order_by(LogEntry.idx)
    )
    for device, index, digest in rows.all():
        proof = context.ledger.inclusion(session, index, size)
        found[device].custody.append(logged(load_envelope(session, digest), index, proof))


def account(one: Gathered) -> Account:
    """What became of the device. Pure."""
    device = one.device
    word, sentence, exceptions = _judged(one)
    return Account(
        device=AccountDevice(
            id=device.id,
            asset_tag=device.asset_tag or "",
            manufacturer=device.vendor or device.declared_vendor or "",
            model=device.model or device.declared_model or "",
            serial=device.serial or device.declared_serial or "",
            media_type=device.media or device.declared_media or "",
            capacity_bytes=device.capacity_bytes if device.capacity_bytes is not None else device.declared_capacity,
            fingerprint=device.fingerprint or "",
        ),
        state=str(device.state),
        place="" if one.place is None else f"{one.place.name} ({one.place.id})",
        account=word,
        sentence=sentence,
        documents=tuple(one.documents),
        exceptions=tuple(exceptions),
        custody=tuple(one.custody),
        history=tuple(history_line(event) for event in one.history),
    )


def history_line(event: Event) -> HistoryLine:
    """An event as a pack tells it."""
    return HistoryLine(
        id=event.id,
        time=stamp(event.at),
        event=event.tag,
        actor=event.actor,
        subject=event.subject,
        order=event.order_id or "",
        reason=event.reason,
        details=json.dumps(event.details, sort_keys=True, ensure_ascii=False) if event.details else "",
    )


def balance_item(one: Gathered) -> Item:
    """The device as a balance looks at it. Pure."""
    device, state = one.device, one.device.state
    proofs = {
        DeviceState.RELEASED: device.standing_record is not None or not device.ever_attached,
        DeviceState.DESTROYED: any(found.decision == "approve" for found in one.destructions),
        DeviceState.RETURNED_UNSANITIZED_BY_WAIVER: any(waiver.used is not None for waiver in one.waivers),
    }
    return Item(
        device=device.id,
        words=device.asset_tag or device.id,
        declared=device.declared_at is not None,
        observed=device.observed_at is not None or device.ever_attached,
        attached=one.attached,
        placed=one.place is not None and state not in FINAL,
        proven=proofs.get(state, True),
        before=None,
        after=Standing(known=True, state=state, within=True),
    )


def _judged(one: Gathered) -> tuple[AccountWord, str, list[AccountException]]:
    device, state = one.device, one.device.state
    if device.bound_to is not None:
        return "merged", f"A declaration that turned out to be about device {device.bound_to}.", []
    exceptions = [_exception(f"open-{item.code}", f"{item.id}: {item.sentence}") for item in one.problems]
    exceptions += [
        _exception("no-report", f"The run of order {order} failed, and no report was made.") for order in one.unreported
    ]
    exceptions += [
        _exception("no-files", f"The files of {item.number} have not been made yet.")
        for item in one.documents
        if item.evidence_sha256 is None
    ]
    exceptions += [
        _exception(f"document-{item.standing}", f"{item.number} was declared {item.standing}.")
        for item in one.documents
        if item.standing != "in-force"
    ]
    word, sentence, more = _by_state(one, state)
    return word, sentence, exceptions + more


def _exception(code: str, sentence: str) -> AccountException:
    return AccountException(code=code, sentence=sentence)


def _by_state(one: Gathered, state: DeviceState) -> tuple[AccountWord, str, list[AccountException]]:
    if state in {DeviceState.SANITIZED, DeviceState.RELEASED}:
        return _sanitized(one, state)
    if state is DeviceState.DESTROYED:
        destroyed = _in_force(one, "destruction")
        if destroyed is None:
            why = "Destroyed and validated, but there is no certificate of destruction."
            return "unaccounted", why, [_exception("no-destruction-certificate", why)]
        return "destroyed", f"Physically destroyed, certificate {destroyed}.", []
    return _without_end(one, state)


def _sanitized(one: Gathered, state: DeviceState) -> tuple[AccountWord, str, list[AccountException]]:
    certificate = _in_force(one, "certificate")
    if state is DeviceState.SANITIZED:
        if certificate is None:
            return (
                "held",
                "Sanitized and validated; still here.",
                [_exception("no-certificate", "No certificate in force.")],
            )
        return "sanitized", f"Sanitized by certificate {certificate}.", _nowhere(one)
    if certificate is None:
        why = "Released, and no certificate of a run is in force."
        return "unaccounted", why, [_exception("released-without-certificate", why)]
    return "released", f"Released, sanitized by certificate {certificate}.", []


def _without_end(one: Gathered, state: DeviceState) -> tuple[AccountWord, str, list[AccountException]]:
    bad = {
        DeviceState.MISSING: "It is missing.",
        DeviceState.FAILED: "Its last run failed or was rejected: it must be sanitized again or destroyed.",
        DeviceState.SANITIZING: "An order may have written to it, and no validated record has closed the matter.",
        DeviceState.RETURNED_UNSANITIZED_BY_WAIVER: "It left unsanitized, by waiver "
        + (", ".join(waiver.id for waiver in one.waivers) or "of two people")
        + ".",
        DeviceState.DECLARED: "Known by a person's statement only: no agent has seen it.",
    }
    sentence = bad.get(state)
    if sentence is not None:
        return "unaccounted", sentence, [_exception(str(state).replace("_", "-"), sentence)]
    if one.open_orders:
        why = f"Order {', '.join(one.open_orders)} is under way."
        return "held", f"Still here, {_state_words(state)}. {why}", [_exception("order-open", why), *_nowhere(one)]
    return "held", f"Still here, {_state_words(state)}.", _nowhere(one)


def _state_words(state: DeviceState) -> str:
    return str(state).replace("_", " ")


def _nowhere(one: Gathered) -> list[AccountException]:
    if one.place is not None or one.device.ever_attached:
        return []
    return [_exception("no-place", "Nobody said where it is, and no host has it attached.")]


def _in_force(one: Gathered, kind: str) -> str | None:
    return next(
        (
            item.number
            for item in reversed(one.documents)
            if item.kind == kind and item.standing == "in-force" and item.evidence_sha256 is not None
        ),
        None,
    )
