"""What every use case needs inside its transaction: numbers, events, exceptions, envelopes, versions."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from inventory.bulk import insert_rows
from inventory.clock import rfc3339
from inventory.domain.exceptions import ExceptionCode, severity
from inventory.domain.vocabulary import ExceptionState
from inventory.errors import Invalid, NotFound, StaleVersion
from inventory.events import Tag
from inventory.models import Base, Counter, Device, Event, ExceptionItem, StoredEnvelope
from reports.canonical import canonical, parse_canonical
from reports.envelope import Envelope, Kind, envelope_digest, sign
from reports.statements import CustodyEvent
from reports.tlog import EnvelopeKind

from ._in_number import Statements
from ._scope import admit
from .context import SYSTEM, Actor, Context

Model = TypeVar("Model", bound=Base)

CUSTODY_TAGS: Final = frozenset(
    {
        Tag.DEVICE_DECLARED,
        Tag.DEVICE_BOUND,
        Tag.DEVICE_PLACED,
        Tag.DEVICE_RELOCATED,
        Tag.DEVICE_RETIRED,
        Tag.DEVICE_QUARANTINED,
        Tag.DEVICE_RETURNED_TO_SERVICE,
        Tag.DEVICE_SANITIZING,
        Tag.DEVICE_SANITIZED,
        Tag.DEVICE_SANITIZATION_FAILED,
        Tag.DEVICE_UNTOUCHED,
        Tag.DEVICE_RELEASED,
        Tag.DEVICE_DESTROYED,
        Tag.DEVICE_REPORTED_MISSING,
        Tag.DEVICE_FOUND,
        Tag.DEVICE_WAIVED,
    }
)
"""Events of a device that the log takes in: who had it, where, and in what state."""

SERIES = {
    "device": ("D-", 6),
    "host": ("H-", 4),
    "location": ("L-", 4),
    "party": ("PA-", 4),
    "undertaking": ("U-", 4),
    "data_set": ("DS-", 4),
    "path": ("PT-", 5),
    "holding": ("HO-", 6),
    "obligation": ("OB-", 6),
    "hold": ("HD-", 4),
    "sample": ("SM-", 5),
    "evidence_file": ("EF-", 6),
    "lot_number": ("LT-", 5),
    "container": ("CT-", 5),
    "handover": ("HV-", 5),
    "handover_link": ("HL-", 5),
    "exception": ("X-", 6),
    "question": ("Q-", 6),
    "webhook": ("WH-", 4),
    "escrow": ("CU-", 5),
    "waiver": ("W-", 4),
    "balance": ("BL-", 5),
    "import": ("IM-", 5),
    "destruction": ("DR-", 5),
    "lease": ("LS-", 6),
    "session": ("S-", 8),
    "passkey": ("PK-", 5),
    "identity": ("ID-", 5),
    "token": ("T-", 5),
    "enrolment": ("ET-", 5),
    "site": ("SI-", 4),
    "team": ("TM-", 4),
}
"""Prefix and width of running numbers."""

YEARLY = {
    "order": "O",
    "case": "EC",
    "reading": "RD",
    "certificate": "SC",
    "failure": "SF",
    "statement": "ES",
    "lot": "LC",
    "lot_report": "LF",
    "processor": "PS",
    "destruction_certificate": "DC",
    "destruction_report": "DF",
    "audit_pack": "AP",
}
"""Prefix of numbers that begin anew each year: `SC-2026-000001`."""


class Numbers:
    """Numbers of a series, taken within this transaction: a rolled-back one is used again, so none is skipped."""

    def __init__(self, session: Session, series: str, now: datetime | None = None) -> None:
        key = series if now is None else f"{series}-{now.year}"
        counter = session.get(Counter, key, with_for_update=True)
        if counter is None:
            counter = Counter(series=key, last=0)
            session.add(counter)
        self._counter = counter
        self._prefix, self._width = SERIES[series] if now is None else (f"{YEARLY[series]}-{now.year}-", 6)

    def next(self) -> str:
        """One more; it is the database's with the next flush."""
        self._counter.last += 1
        return f"{self._prefix}{self._counter.last:0{self._width}d}"


def next_number(session: Session, series: str, now: datetime | None = None) -> str:
    """The next number of a series; as `Numbers`."""
    number = Numbers(session, series, now).next()
    session.flush()
    return number


def note(  # noqa: PLR0913 - an event has this many sides, all but three named
    session: Session,
    context: Context,
    actor: Actor,
    tag: Tag,
    subject_kind: str,
    subject: str,
    *,
    device: str | None = None,
    host: str | None = None,
    order: str | None = None,
    reason: str = "",
    details: dict[str, Any] | None = None,
    evidence: Sequence[str] = (),
) -> None:
    """Append an event to the history; one that moves custody or state of a device enters the log, too."""
    details, evidence = dict(details or {}), list(evidence)
    if tag in CUSTODY_TAGS and subject_kind == "device":
        told = session.get_one(Device, subject)
        before = sa.select(Event.details).where(Event.device_id == subject, Event.tag.in_(CUSTODY_TAGS))
        last = session.scalar(before.order_by(Event.id.desc()).limit(1))
        previous = (last or {}).get("custody")
        body = custody_body(context, actor, tag, told, reason=reason, order=order, previous=previous)
        details["custody"] = sign_and_log(session, context, "custody", body, "acceptance", subject)[0]
        evidence.append(details["custody"])
    session.add(
        Event(
            at=context.now(),
            tag=str(tag),
            actor=actor.ref,
            actor_kind=actor.kind,
            subject_kind=subject_kind,
            subject=subject,
            device_id=device if device or subject_kind != "device" else subject,
            host_id=host if host or subject_kind != "host" else subject,
            order_id=order if order or subject_kind != "order" else subject,
            reason=reason[:1000],
            details=details,
            evidence=evidence,
        )
    )


def note_new(
    session: Session, context: Context, actor: Actor, tag: Tag, devices: Sequence[tuple[Device, dict[str, Any]]]
) -> None:
    """As `note`, for the first event of each of these devices, with its details: signed, kept and logged in number."""
    log, events = Statements(session, context), []
    for device, said in devices:
        digest, _ = log.add("custody", custody_body(context, actor, tag, device), "acceptance", device.id)
        events.append(
            {
                "at": context.now(), "tag": str(tag), "actor": actor.ref, "actor_kind": actor.kind, "reason": "",
                "subject_kind": "device", "subject": device.id, "device_id": device.id,
                "details": {**said, "custody": digest}, "evidence": [digest],
            }
        )  # fmt: skip
    log.finish()
    insert_rows(session, Event.__table__, events)  # type: ignore[arg-type]  # typed wider


def custody_body(
    context: Context,
    actor: Actor,
    tag: Tag,
    device: Device,
    *,
    reason: str = "",
    order: str | None = None,
    previous: str | None = None,
) -> dict[str, Any]:
    """What the log is told of where a device stands now."""
    return CustodyEvent(
        device=device.id,
        asset_tag=device.asset_tag or "",
        fingerprint=device.fingerprint or "",
        event=str(tag),
        state=str(device.state),
        location=device.location_id or "",
        actor=actor.ref,
        reason=reason[:1000],
        order=order or "",
        previous=previous,
        time=stamp(context.now()),
    ).to_dict()


def raise_exception(
    session: Session,
    context: Context,
    code: ExceptionCode,
    subject: str,
    sentence: str,
    *,
    device: str | None = None,
    host: str | None = None,
) -> None:
    """Open an exception, unless one about the same thing is open already (then its sentence is brought up to date)."""
    found = _open_exception(session, code, subject)
    if found is not None:
        if found.sentence != sentence[:1000]:
            found.sentence = sentence[:1000]
        return
    number = next_number(session, "exception")
    session.add(
        ExceptionItem(
            id=number,
            code=str(code),
            subject=subject[:256],
            sentence=sentence[:1000],
            severity=severity(code),
            state=ExceptionState.OPEN,
            device_id=device,
            host_id=host,
            raised=context.now(),
        )
    )
    session.flush()
    note(
        session,
        context,
        SYSTEM,
        Tag.EXCEPTION_RAISED,
        "exception",
        number,
        device=device,
        host=host,
        reason=sentence,
        details={"code": str(code)},
    )


def settle_exception(session: Session, context: Context, code: ExceptionCode, subject: str, resolution: str) -> None:
    """Close an exception whose cause has gone by itself; nothing happens where none is open."""
    found = _open_exception(session, code, subject)
    if found is None:
        return
    found.state = ExceptionState.RESOLVED
    found.resolved = context.now()
    found.resolved_by = SYSTEM.ref
    found.resolution = resolution[:500]
    note(
        session,
        context,
        SYSTEM,
        Tag.EXCEPTION_RESOLVED,
        "exception",
        found.id,
        device=found.device_id,
        host=found.host_id,
        reason=resolution,
        details={"code": str(code)},
    )


def _open_exception(session: Session, code: ExceptionCode, subject: str) -> ExceptionItem | None:
    return session.scalar(
        sa.select(ExceptionItem).where(
            ExceptionItem.code == str(code),
            ExceptionItem.subject == subject[:256],
            ExceptionItem.state == ExceptionState.OPEN,
        )
    )


def store_envelope(session: Session, context: Context, kind: Kind, envelope: Envelope) -> str:
    """Keep an envelope as canonical bytes. Returns its digest."""
    digest = envelope_digest(envelope)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    fresh = insert(StoredEnvelope).values(sha256=digest, kind=kind, content=canonical(envelope), stored=context.now())
    session.execute(fresh.on_conflict_do_nothing(index_elements=["sha256"]))
    return digest


def load_envelope(session: Session, sha256: str) -> Envelope:
    """A stored envelope. Raises `NotFound`; `MalformedDocument` where its row was altered."""
    row = session.get(StoredEnvelope, sha256)
    if row is None:
        raise NotFound("envelope", sha256)
    found: Envelope = parse_canonical(row.content, f"envelope {sha256[:16]}")
    return found


def sign_and_log(
    session: Session, context: Context, kind: EnvelopeKind, body: dict[str, Any], signer: str, subject: str
) -> tuple[str, int]:
    """Sign a statement with one of the service's keys, keep it, and append its digest to the log.

    Returns:
        The envelope's digest and its log index.
    """
    envelope = sign(kind, body, context.secrets.signer(signer))
    digest = store_envelope(session, context, kind, envelope)
    return digest, context.ledger.append(session, kind, digest, subject)


def find(session: Session, model: type[Model], key: object, kind: str) -> Model:
    """The row, where the one for whom the session was opened sees it. Raises `NotFound`."""
    found = session.get(model, key)
    if found is None or not admit(session, found):
        raise NotFound(kind, str(key))
    return found


def check_version(subject: str, found: int, expected: int | None) -> None:
    """Whether the caller decided about what is there now. Raises `StaleVersion`."""
    if expected is not None and expected != found:
        raise StaleVersion(subject, expected)


def required(field: str, text: str, *, least: int = 1, most: int = 500) -> str:
    """A line of text a person must give, trimmed. Raises `Invalid`."""
    trimmed = " ".join(text.split())
    if not least <= len(trimmed) <= most:
        raise Invalid(field, f"{field.replace('_', ' ').capitalize()} has {least} to {most} characters.")
    if not trimmed.isprintable():
        raise Invalid(field, f"{field.replace('_', ' ').capitalize()} has characters that cannot be printed.")
    return trimmed


def optional(field: str, text: str, *, most: int = 500) -> str:
    """A line of text a person may give, trimmed. Raises `Invalid`."""
    return required(field, text, least=0, most=most)


def moment(field: str, value: datetime) -> datetime:
    """A moment with an offset. Raises `Invalid`."""
    if value.tzinfo is None:
        raise Invalid(field, f"{field.replace('_', ' ').capitalize()} needs an offset from UTC.")
    return value


def new_secret() -> tuple[str, str]:
    """256 random bits as text, and the digest that is stored."""
    secret = secrets.token_urlsafe(32)
    return secret, digest_of_secret(secret)


def digest_of_secret(secret: str) -> str:
    """What is stored of a secret. It has 256 random bits, so a plain digest suffices."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def stamp(value: datetime) -> str:
    """A moment as evidence writes it."""
    return rfc3339(value)
