"""Keys of agents and approvers, changed from the server's own terminal: replaced, given an end, revoked back to an index.

Each change is a signed key event in the log; who acted stands in the history as the system, since whoever has this machine's
terminal acts for it. What people do through console and API is in `hosts` and `approvers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.orders import OPEN
from inventory.domain.vocabulary import HostState, KeyState
from inventory.errors import Conflict, Duplicate, EvidenceRefused, Invalid, NotFound
from inventory.events import Tag
from inventory.keyring import versions
from inventory.models import ApproverKey, Certificate, Device, Host, LogEntry, Order, Record
from reports.canonical import from_base64
from reports.enrolled import EnrolledRole, key_change
from reports.keys import key_id as key_id_of
from reports.keys import load_public_key
from reports.trust import read_body

from . import approvers, hosts
from ._revocation import approved_records
from .context import SYSTEM, Context
from .hosts import RevokeHost
from .kernel import find, note, required, sign_and_log, stamp

_LEAST_PREFIX = 8
"""Hexadecimal digits that a person must give of a key id."""


@dataclass(frozen=True, kw_only=True)
class Affected:
    """A statement that a revocation reaching back to an index puts in doubt."""

    log_index: int
    what: Literal["record", "statement"]
    sha256: str
    subject: str
    """Device and order of a record; as the log's list names it otherwise."""
    certificate: str | None
    """Number of the certificate that rests on it."""
    device_state: str | None


def find_key(session: Session, text: str) -> Host | ApproverKey:
    """The host or approver key whose id begins with this. Raises `NotFound`, `Invalid` where several do."""
    prefix = "".join(text.split()).lower()
    if len(prefix) < _LEAST_PREFIX or not set(prefix) <= set("0123456789abcdef"):
        raise Invalid("key", f"Name the key by at least {_LEAST_PREFIX} hexadecimal digits of its id.")
    found: list[Host | ApproverKey] = [
        *session.scalars(sa.select(Host).where(Host.key_id.startswith(prefix))),
        *session.scalars(sa.select(ApproverKey).where(ApproverKey.key_id.startswith(prefix))),
    ]
    if not found:
        raise NotFound("key", prefix)
    if len(found) > 1:
        raise Invalid("key", "Several keys begin like this; give more digits.")
    return found[0]


def revoke(context: Context, key: str, reason: str, *, valid_below: int | None = None) -> str:
    """Revoke a key from a log index on (None: from now on). Returns whose it was.

    What an agent recorded, and what an approver approved, counts only where it was accepted below the index: the devices of the
    others are quarantined, what they covered is residue again.

    Raises:
        NotFound, Invalid (no such index), Conflict (does not count anyhow).
    """
    with context.writing() as session:
        row = find_key(session, key)
        if isinstance(row, Host):
            hosts.revoke_within(
                session, context, SYSTEM, RevokeHost(host=row.id, reason=reason, valid_below=valid_below)
            )
            return f"host {row.id} ({row.name})"
        approvers.revoke_within(session, context, SYSTEM, row, reason, valid_below)
        return f"approver {row.person}"


def expire(context: Context, key: str, until_index: int, reason: str) -> str:
    """Give a key an end that lies ahead: what is accepted at or above the index does not count. Returns whose it is.

    Raises:
        NotFound, Invalid (the index lies behind), Conflict (the key does not count, or ends sooner already).
    """
    why = required("reason", reason)
    with context.writing() as session:
        row = find_key(session, key)
        size = context.ledger.size(session)
        if until_index <= size:
            raise Invalid(
                "until", f"The log has {size} entries; an end lies ahead. Revoke the key to end it now or before."
            )
        role, ref = _counting(row)
        if row.until_index is not None and row.until_index <= until_index:
            raise Conflict(f"This key ends at log index {row.until_index} already.")
        _log(session, context, "expire", role, ref, row.spki, until_index)
        row.until_index = until_index
        subject = ("host", ref) if isinstance(row, Host) else ("approver-key", row.key_id)
        note(
            session, context, SYSTEM, Tag.KEY_EXPIRES, *subject,
            reason=why, details={"until_index": until_index},
        )  # fmt: skip
        return f"{role} {ref}"


def replace_agent_key(context: Context, host: str, public_key: bytes, fingerprint: str, reason: str) -> str:
    """Put a new key of a host in the place of the one it has; the old one ends with the event. Returns the new key's id.

    Args:
        context: of the service.
        host: its number.
        public_key: DER SubjectPublicKeyInfo.
        fingerprint: as a person read it from the host's own screen.
        reason: why.

    Raises:
        NotFound, Conflict (not confirmed, or orders of the old key are open), EvidenceRefused, Duplicate.
    """
    why = required("reason", reason)
    new = load_public_key(public_key)
    if "".join(fingerprint.split()).replace(":", "").lower() != new.key_id:
        raise EvidenceRefused("fingerprint", "This is not the fingerprint of the key in the file.")
    with context.writing() as session:
        row = find(session, Host, host, "host")
        role, ref = _counting(row)
        if row.key_id == new.key_id:
            return new.key_id  # done before
        _refuse_known(session, new.key_id)
        if (
            session.scalar(sa.select(Order.id).where(Order.host_id == row.id, Order.state.in_(OPEN)).limit(1))
            is not None
        ):
            raise Conflict(f"Orders for {row.id} are open under the present key; wait for them, or cancel them.")
        old = row.key_id
        index, digest = _log(session, context, "rotate", role, ref, public_key, context.ledger.size(session), old)
        row.key_id, row.spki, row.enrolled_index, row.until_index = new.key_id, public_key, index, None
        note(
            session, context, SYSTEM, Tag.KEY_REPLACED, "host", row.id,
            reason=why, details={"old": old, "new": new.key_id}, evidence=[digest],
        )  # fmt: skip
        return new.key_id


def replace_approver_key(context: Context, old: str, new: str, reason: str) -> str:
    """Put a key that its owner has registered in the place of the one they have. The roster must be renewed as well.

    Returns:
        The owner.

    Raises:
        NotFound, Conflict (the old one does not count, or the new one does not wait), EvidenceRefused (different owners).
    """
    why = required("reason", reason)
    with context.writing() as session:
        ending, fresh = find_key(session, old), find_key(session, new)
        if not isinstance(ending, ApproverKey) or not isinstance(fresh, ApproverKey):
            raise Conflict("Both must be keys of approvers.")
        role, ref = _counting(ending)
        if fresh.person != ending.person:
            raise EvidenceRefused("new", "The two keys belong to different people.")
        if fresh.state is not KeyState.REGISTERED:
            raise Conflict(f"The new key is {fresh.state}, not waiting for confirmation.")
        size = context.ledger.size(session)
        index, digest = _log(session, context, "rotate", role, ref, fresh.spki, size, ending.key_id)
        ending.until_index = index
        fresh.state, fresh.enrolled_index, fresh.confirmed = KeyState.CONFIRMED, index, context.now()
        note(
            session, context, SYSTEM, Tag.KEY_REPLACED, "approver-key", fresh.key_id,
            reason=why, details={"old": ending.key_id, "new": fresh.key_id}, evidence=[digest],
        )  # fmt: skip
        return ending.person


def affected(context: Context, key: str, *, below: int | None = None) -> tuple[Affected, ...]:
    """What a revocation of a key back to an index puts in doubt, oldest first: to be verified again on the media themselves.

    Args:
        context: of the service.
        key: id of a key of an agent, an approver, or of the service itself (acceptance, enrolment), or its beginning.
        below: the index; None: the one of its revocation, or 0 where it is not revoked.

    Raises:
        NotFound, Invalid.
    """
    with context.reading() as session:
        own = _service_role(session, key)
        if own is not None:
            kinds = (
                ("key-event",)
                if own == "enrolment"
                else ("acceptance", "validation", "certificate", "statement", "custody")
            )
            rows = session.scalars(
                sa.select(LogEntry).where(LogEntry.idx >= (below or 0), LogEntry.kind.in_(kinds)).order_by(LogEntry.idx)
            )
            return tuple(
                Affected(
                    log_index=row.idx, what="statement", sha256=row.sha256, subject=f"{row.kind} {row.subject}",
                    certificate=None, device_state=None,
                )
                for row in rows
            )  # fmt: skip
        found = find_key(session, key)
        since = found.revoked_below if below is None else below
        return tuple(_affected(session, record) for record in _records(session, found, since or 0))


def _records(session: Session, found: Host | ApproverKey, since: int) -> Sequence[Record]:
    if isinstance(found, ApproverKey):
        return approved_records(session, found, since)
    statement = sa.select(Record).where(Record.host_id == found.id, Record.log_index >= since)
    return session.scalars(statement.order_by(Record.log_index)).all()


def _affected(session: Session, record: Record) -> Affected:
    device = session.get(Device, record.device_id) if record.device_id else None
    certificate = session.scalar(sa.select(Certificate.number).where(Certificate.record_sha256 == record.sha256))
    return Affected(
        log_index=record.log_index,
        what="record",
        sha256=record.sha256,
        subject=f"{record.device_id or 'unknown device'} {record.order_id or 'no order'}",
        certificate=certificate,
        device_state=None if device is None else str(device.state),
    )


def _service_role(session: Session, text: str) -> str | None:
    """The role of a key of the service, of any version of the trust root, by the beginning of its id."""
    prefix = "".join(text.split()).lower()
    if len(prefix) < _LEAST_PREFIX:
        return None
    for _, envelope in versions(session):
        for key in read_body(envelope).keys:
            if key_id_of(from_base64(key.spki)).startswith(prefix):
                return key.role
    return None


def _counting(row: Host | ApproverKey) -> tuple[EnrolledRole, str]:
    """Role and ref of a key that counts now. Raises `Conflict`."""
    if isinstance(row, Host):
        if row.state is not HostState.CONFIRMED:
            raise Conflict(f"The key of {row.id} is {row.state}; only a confirmed one can be changed.")
        return "agent", row.id
    if row.state is not KeyState.CONFIRMED:
        raise Conflict(f"This key is {row.state}; only a confirmed one can be changed.")
    return "approver", row.person


def _refuse_known(session: Session, key_id: str) -> None:
    known = (
        key_id in approvers.service_key_ids(session)
        or session.get(ApproverKey, key_id) is not None
        or session.scalar(sa.select(Host.id).where(Host.key_id == key_id)) is not None
    )
    if known:
        raise Duplicate("key", "public key")


def _log(
    session: Session,
    context: Context,
    event: Literal["rotate", "expire"],
    role: EnrolledRole,
    ref: str,
    spki: bytes,
    until_index: int,
    replaces: str | None = None,
) -> tuple[int, str]:
    """Sign and log a change of a key. Returns the log index and the envelope's digest."""
    body = key_change(event, role, ref, spki, stamp(context.now()), until_index=until_index, replaces=replaces)
    digest, index = sign_and_log(session, context, "key-event", body.to_dict(), "enrolment", f"{role} {ref}")
    return index, digest
