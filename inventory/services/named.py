"""What an address names must be seen, whatever is asked of it there.

Services look at what they are given, object by object. This looks at every address once more, before a body is read, so that
an endpoint somebody adds cannot forget it; and it answers in the same words as for what does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory import models as m
from inventory.errors import NotFound
from inventory.models import Base

from ._scope import limited, sees
from .context import Actor, Context

BY_NUMBER: Final[Mapping[str, tuple[type[Base], str]]] = {
    "AP": (m.AuditPack, "audit pack"),
    "CT": (m.Container, "container"),
    "CU": (m.Escrow, "escrow"),
    "D": (m.Device, "device"),
    "DC": (m.Paper, "document"),
    "DF": (m.Paper, "document"),
    "DR": (m.Destruction, "destruction"),
    "DS": (m.DataSet, "data set"),
    "EC": (m.ErasureCase, "erasure case"),
    "EF": (m.EvidenceFile, "evidence file"),
    "ES": (m.Statement, "statement"),
    "H": (m.Host, "host"),
    "HD": (m.Hold, "hold"),
    "HO": (m.Holding, "holding"),
    "L": (m.Location, "location"),
    "HL": (m.HandoverLink, "link"),
    "HV": (m.Handover, "hand-over"),
    "LC": (m.Paper, "document"),
    "LF": (m.Paper, "document"),
    "LT": (m.Lot, "lot"),
    "O": (m.Order, "order"),
    "OB": (m.Obligation, "obligation"),
    "PS": (m.Paper, "document"),
    "PT": (m.DeclaredPath, "declared path"),
    "RD": (m.Reading, "reading"),
    "SC": (m.Certificate, "certificate"),
    "SF": (m.Certificate, "certificate"),
    "SM": (m.Sample, "sample"),
    "SI": (m.Site, "site"),
    "TM": (m.Team, "team"),
    "W": (m.Waiver, "waiver"),
    "X": (m.ExceptionItem, "exception"),
}
"""How a number begins -> what it numbers."""

SERVICES_OWN: Final = frozenset({"trust-root", "roster", "key-event", "time-stamp"})
"""Kinds of logged statements that are about the organisation and no medium."""

_NUMBER: Final = re.compile(r"([A-Z]{1,2})-(?:[0-9]{4}-)?[0-9]+")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def require_seen(context: Context, actor: Actor, address: Mapping[str, object]) -> None:
    """Whether the actor sees everything an address names. Raises `NotFound`."""
    if not limited(actor) or not address:
        return
    with context.reading(actor) as session:
        for part, value in address.items():
            text = str(value)
            if part == "device":
                _device(session, actor, text)
            elif not number_seen(session, actor, text):
                raise NotFound(BY_NUMBER[text.partition("-")[0]][1], text)
            elif _DIGEST.fullmatch(text) and part in {"sha256", "record"} and not envelope_seen(session, actor, text):
                raise NotFound("record" if part == "record" else "envelope", text)


def number_seen(session: Session, actor: Actor, text: str, *, known: bool = True) -> bool:
    """Whether what has this number is seen. Of what does not exist there is nothing to see: `known` says what to answer."""
    found = _NUMBER.fullmatch(text)
    if found is None or found[1] not in BY_NUMBER:
        return known
    row = session.get(BY_NUMBER[found[1]][0], text)
    return known if row is None else sees(session, actor, row)


def entry_seen(session: Session, actor: Actor, entry: m.LogEntry) -> bool:
    """Whether the subject of a log entry is seen. What names nothing of ours is seen only of the organisation's own kinds."""
    if not limited(actor):
        return True
    named = [word for word in entry.subject.split() if _NUMBER.fullmatch(word)]
    if not named:
        return entry.kind in SERVICES_OWN
    return all(number_seen(session, actor, word, known=False) for word in named)


def envelope_seen(session: Session, actor: Actor, sha256: str) -> bool:
    """Whether a signed statement is about something the actor sees; what was never logged, by what it belongs to."""
    if not limited(actor):
        return True
    entry = session.scalar(sa.select(m.LogEntry).where(m.LogEntry.sha256 == sha256))
    if entry is not None and entry_seen(session, actor, entry):
        return True
    order = session.scalar(sa.select(m.Order).where(m.Order.envelope_sha256 == sha256))
    rows = (order, session.get(m.Record, sha256), session.get(m.Approval, sha256))
    return any(row is not None and sees(session, actor, row) for row in rows)


def _device(session: Session, actor: Actor, reference: str) -> None:
    """By number, asset tag or fingerprint. Raises `NotFound`."""
    device = session.get(m.Device, reference) or session.scalar(
        sa.select(m.Device).where(sa.or_(m.Device.asset_tag == reference, m.Device.fingerprint == reference))
    )
    if device is not None and device.bound_to is not None:
        device = session.get(m.Device, device.bound_to)
    if device is not None and not sees(session, actor, device):
        raise NotFound("device", reference)
