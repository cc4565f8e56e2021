"""Find anything by what people have in their hands: a serial number, an asset tag, a number, a reference, a digest.

Whole numbers, tags, serial numbers, world wide names and digests are found exactly; tags, serial numbers, world wide names and
case references also by how they begin; what there are few of (hosts, data sets, places, lots, people) by any part of its name.
Everything goes through an index or over a short table, so that the answer comes at once however much there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory import models as m
from inventory.domain.roles import Permission
from inventory.models import Base

from ._mapping import device_label
from ._parts import part_of_host
from ._scope import only, sees
from .context import Actor, Context, authorize
from .named import envelope_seen

MOST: Final = 8
"""Of one kind."""
LEAST_PART: Final = 2
"""Characters below which only whole numbers are found."""
TEXT_MOST: Final = 128
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LOG_INDEX: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Something that was found."""

    kind: str
    """device, host, order, case, lot, container, handover, certificate, document, record, envelope, log_entry, ..."""
    number: str
    title: str
    about: str
    """What tells it from others, in a few words."""
    found_by: str
    """Which of its facts fits."""
    exact: bool
    """Whether the whole fact is what was typed."""


@dataclass(frozen=True)
class _Numbered:
    """A kind of thing that is found by its number."""

    kind: str
    model: type[Base]
    key: InstrumentedAttribute[Any]
    words: Callable[[Any], tuple[str, str]]
    """Title and what tells it from others."""
    permission: Permission = Permission.READ


def _state(row: Any) -> str:  # noqa: ANN401 - any row with a state
    return str(row.state).replace("_", " ")


_NUMBERED: Final = (
    _Numbered("order", m.Order, m.Order.id, lambda row: (row.id, f"{_state(row)}, device {row.device_id}")),
    _Numbered("case", m.ErasureCase, m.ErasureCase.id, lambda row: (row.reference, f"{row.id}, {_state(row)}")),
    _Numbered("lot", m.Lot, m.Lot.id, lambda row: (row.name, f"{row.id}, {_state(row)}")),
    _Numbered("container", m.Container, m.Container.id, lambda row: (row.name, row.id)),
    _Numbered("handover", m.Handover, m.Handover.id, lambda row: (row.id, _state(row))),
    _Numbered("host", m.Host, m.Host.id, lambda row: (row.name, f"{row.id}, {_state(row)}")),
    _Numbered("data_set", m.DataSet, m.DataSet.id, lambda row: (row.name, row.id)),
    _Numbered("exception", m.ExceptionItem, m.ExceptionItem.id, lambda row: (row.id, row.sentence)),
    _Numbered("question", m.Question, m.Question.id, lambda row: (row.id, f"device {row.device_id}")),
    _Numbered("reading", m.Reading, m.Reading.id, lambda row: (row.id, f"{_state(row)}, device {row.device_id}")),
    _Numbered("sample", m.Sample, m.Sample.id, lambda row: (row.id, f"lot {row.lot_id}")),
    _Numbered("balance", m.Balance, m.Balance.id, lambda row: (row.id, row.words)),
    _Numbered(
        "certificate",
        m.Certificate,
        m.Certificate.number,
        lambda row: (row.number, f"device {row.device_id}"),
        Permission.READ_EVIDENCE,
    ),
    _Numbered("document", m.Paper, m.Paper.number, lambda row: (row.number, row.title), Permission.READ_EVIDENCE),
)

_DEVICE_FACTS: Final = (
    ("asset tag", m.Device.asset_tag, True),
    ("serial number", m.Device.serial, True),
    ("declared serial number", m.Device.declared_serial, True),
    ("world wide name", m.Device.wwn, True),
    ("number", m.Device.id, False),
    ("fingerprint", m.Device.fingerprint, False),
)
"""Words, column, whether a beginning of it is found as well."""
_READ_ALOUD: Final = frozenset({"serial number", "declared serial number", "world wide name", "number"})
"""Facts that somebody compares with the one in their hand."""


def find(context: Context, actor: Actor, text: str) -> tuple[Hit, ...]:
    """What a text may mean, exact hits first; nothing but what the actor sees. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    wanted = " ".join("".join(char if char.isprintable() else " " for char in text).split())[:TEXT_MOST]
    if not wanted:
        return ()
    with context.reading(actor) as session:
        found = [
            *_devices(session, actor, wanted),
            *_numbers(session, actor, wanted),
            *_digests(session, actor, wanted),
            *_named(session, actor, wanted),
        ]
    unique = {(hit.kind, hit.number): hit for hit in reversed(found)}
    return tuple(sorted(unique.values(), key=lambda hit: not hit.exact))


def the_one(hits: Sequence[Hit]) -> Hit | None:
    """The one thing that the text names in whole; None: none, or several."""
    exact = [hit for hit in hits if hit.exact]
    return exact[0] if len(exact) == 1 else None


def _spellings(text: str) -> tuple[str, ...]:
    """As it was typed, and in the two cases labels and drives write: an index knows no other."""
    return tuple(dict.fromkeys((text, text.upper(), text.lower())))


def _begins(column: InstrumentedAttribute[Any], text: str) -> sa.ColumnElement[bool]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return sa.or_(*(column.like(f"{one}%", escape="\\") for one in _spellings(escaped)))


def _holds(column: InstrumentedAttribute[Any], text: str) -> sa.ColumnElement[bool]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return column.ilike(f"%{escaped}%", escape="\\")


@dataclass(frozen=True)
class _Way:
    """One way to find something: a column, and what it has to be like."""

    key: InstrumentedAttribute[Any]
    conditions: tuple[sa.ColumnElement[bool], ...]
    order: InstrumentedAttribute[Any] | None = None
    most: int = MOST


def _walk(session: Session, ways: Sequence[_Way]) -> list[list[Any]]:
    """What each way leads to, by its key. One statement for all of them: each is an index of its own, and asking costs more."""
    found: list[list[Any]] = [[] for _ in ways]
    if not ways:
        return found
    arms = []
    for number, way in enumerate(ways):
        inner = sa.select(way.key.label("key")).where(*way.conditions).limit(way.most)
        ordered = (inner if way.order is None else inner.order_by(way.order)).subquery()
        arms.append(sa.select(sa.literal(number).label("way"), ordered.c.key))
    for way_number, key in session.execute(sa.union_all(*arms)):
        found[way_number].append(key)
    return found


def _rows(session: Session, model: type[Base], key: InstrumentedAttribute[Any], keys: Sequence[Any]) -> dict[Any, Any]:
    """The rows of these keys, in their order."""
    if not keys:
        return {}
    rows = {getattr(row, key.key): row for row in session.scalars(sa.select(model).where(key.in_(keys)))}
    return {one: rows[one] for one in keys if one in rows}


def _devices(session: Session, actor: Actor, text: str) -> Iterator[Hit]:
    spelt = _spellings(text)
    facts = [(words, column, True) for words, column, _ in _DEVICE_FACTS]
    if len(text) >= LEAST_PART:
        facts += [(words, column, False) for words, column, beginnings in _DEVICE_FACTS if beginnings]
    seen = only(actor, m.Device)
    found = _walk(
        session,
        [
            _Way(m.Device.id, (column.in_(spelt) if exact else _begins(column, text), *seen))
            for _, column, exact in facts
        ],
    )
    rows = _rows(session, m.Device, m.Device.id, [key for keys in found for key in keys])
    told: set[str] = set()
    for (words, column, exact), keys in zip(facts, found, strict=True):
        for row in (rows[key] for key in keys):
            device = session.get_one(m.Device, row.bound_to) if row.bound_to else row
            if device.id in told or len(told) >= MOST or (device is not row and not sees(session, actor, device)):
                continue
            told.add(device.id)
            fits_whole = str(getattr(row, column.key)) if exact and words in _READ_ALOUD else ""
            title, about = _device_words(device, fits_whole)
            yield Hit(kind="device", number=device.id, title=title, about=about, found_by=words, exact=exact)


def _device_words(device: m.Device, fits: str) -> tuple[str, str]:
    """Title and what tells it from others: whoever typed a whole number sees that number first, and the tag behind it."""
    about = f"{device_label(device)}, {_state(device)}"
    if not fits or fits == device.asset_tag:
        return device.asset_tag or device.id, about
    return fits, f"{device.asset_tag}, {about}" if device.asset_tag else about


def _numbers(session: Session, actor: Actor, text: str) -> Iterator[Hit]:
    asked = [one for one in _NUMBERED if actor.may(one.permission)]
    ways = [_Way(one.key, (one.key == text.upper(), *only(actor, one.model)), most=1) for one in asked]
    for one, keys in zip(asked, _walk(session, ways), strict=True):
        for row in _rows(session, one.model, one.key, keys).values():
            yield _hit(one, row, "number", exact=True)
    if _LOG_INDEX.fullmatch(text) and actor.may(Permission.READ_EVIDENCE):
        entry = session.get(m.LogEntry, int(text))
        if entry is not None:
            yield Hit(
                kind="log_entry",
                number=text,
                title=f"Log entry {text}",
                about=entry.kind,
                found_by="index",
                exact=False,
            )


def _hit(one: _Numbered, row: Any, found_by: str, *, exact: bool) -> Hit:  # noqa: ANN401 - a row of any of the models
    title, about = one.words(row)
    number = str(getattr(row, one.key.key))
    return Hit(kind=one.kind, number=number, title=title, about=about, found_by=found_by, exact=exact)


def _digests(session: Session, actor: Actor, text: str) -> Iterator[Hit]:
    """Digests of records, envelopes and sealed orders; of what is logged, where it stands."""
    digest = re.sub(r"[\s:]", "", text).lower()
    if not _DIGEST.fullmatch(digest):
        return
    order = session.scalar(sa.select(m.Order).where(m.Order.payload_sha256 == digest, *only(actor, m.Order)))
    if order is not None:
        yield _hit(_NUMBERED[0], order, "sealed digest", exact=True)
    if not actor.may(Permission.READ_EVIDENCE) or not envelope_seen(session, actor, digest):
        return
    record = session.get(m.Record, digest)
    if record is not None and sees(session, actor, record):
        about = f"{record.outcome}, device {record.device_id}"
        yield Hit(kind="record", number=digest, title="Record", about=about, found_by="digest", exact=True)
        return
    stored = session.get(m.StoredEnvelope, digest)
    if stored is not None:
        about = stored.kind.replace("-", " ")
        yield Hit(kind="envelope", number=digest, title="Signed statement", about=about, found_by="digest", exact=True)


def _named(session: Session, actor: Actor, text: str) -> Iterator[Hit]:
    """By name: what there are few of by any part, what there may be many of by how it begins."""
    if len(text) < LEAST_PART:
        return
    by_kind = {one.kind: one for one in _NUMBERED}
    named = (
        ("case", m.ErasureCase.reference, "reference", _begins(m.ErasureCase.reference, text)),
        ("host", m.Host.name, "name", part_of_host(session, text)),
        ("data_set", m.DataSet.name, "name", _holds(m.DataSet.name, text)),
        ("lot", m.Lot.name, "name", _holds(m.Lot.name, text)),
        ("container", m.Container.name, "name", _holds(m.Container.name, text)),
    )
    ways = [
        _Way(by_kind[kind].key, (fits, *only(actor, by_kind[kind].model)), column) for kind, column, _, fits in named
    ]
    places = _Way(m.Location.id, (_holds(m.Location.name, text), *only(actor, m.Location)), m.Location.name)
    people = _Way(m.Person.ref, (_holds(m.Person.login, text),), m.Person.login)
    *found, in_places, who = _walk(session, [*ways, places, people])
    for (kind, column, words, _), keys in zip(named, found, strict=True):
        one = by_kind[kind]
        for row in _rows(session, one.model, one.key, keys).values():
            yield _hit(one, row, words, exact=str(getattr(row, column.key)).lower() == text.lower())
    for place in _rows(session, m.Location, m.Location.id, in_places).values():
        about = f"{place.id}, {place.zone} zone"
        yield Hit(kind="place", number=place.id, title=place.name, about=about, found_by="name", exact=False)
    for person in _rows(session, m.Person, m.Person.ref, who).values():
        about = ", ".join(role.replace("_", " ") for role in person.roles)
        yield Hit(kind="person", number=person.ref, title=person.login, about=about, found_by="login", exact=False)
