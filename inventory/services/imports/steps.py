"""One step of an import within one transaction: some hundred lines tried, or some dozens taken over.

Whoever asks takes the next step; two who ask at once take two different ones. A step that fails took nothing over.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.import_fields import FIELDS, Field, Problem, Subject, problem
from inventory.domain.import_mapping import Reader, Row, mapping_of
from inventory.domain.import_outcomes import Outcome, Verdict
from inventory.domain.import_subjects import Said
from inventory.domain.importing import decide
from inventory.domain.scopes import EVERYTHING
from inventory.errors import Conflict, Invalid
from inventory.events import Tag
from inventory.models import Device, Import, ImportLine, ImportPart, ImportState, Location, Person
from inventory.services._mapping import device_label
from inventory.services._scope import claim, only
from inventory.services.context import Actor, Context
from inventory.services.devices import DeclareDevice, compare, declare_within
from inventory.services.kernel import note, settle_exception

from . import things
from .known import Known
from .matching import Matches, earlier_keys, earlier_lines, places
from .rows import Line, Unreadable

_MOST_OF_A_KEY: Final = 520
PART_LINES: Final = 500
"""Lines of one part, and of one step of a dry run."""
_TAKEN_AT_ONCE: Final = 25
"""Devices declared in one transaction: each signs its entry of the log, and everybody else waits."""


def pack(lines: Sequence[Line | Unreadable]) -> bytes:
    """Some lines as they are kept."""
    told = [[one.number, one.cells if isinstance(one, Line) else one.sentence] for one in lines]
    return zlib.compress(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def unpack(content: bytes) -> list[Line | Unreadable]:
    """The lines again."""
    found: list[Line | Unreadable] = []
    for number, said in json.loads(zlib.decompress(content)):
        found.append(Line(number, said) if isinstance(said, list) else Unreadable(number, said))
    return found


def step(session: Session, context: Context, row: Import, actor: Actor) -> bool:
    """The next step of an import that is under way. Returns whether there may be another."""
    if row.state is ImportState.CHECKING:
        return _check_part(session, context, row, actor)
    if row.state is ImportState.RUNNING:
        return _take_over(session, context, row)
    return False


# -- the dry run -------------------------------------------------------------------------------------------------------


def _check_part(session: Session, context: Context, row: Import, actor: Actor) -> bool:
    part = session.get(ImportPart, (row.id, row.position + 1))
    if part is None:
        row.state, row.position = ImportState.CHECKED, 0
        note(session, context, actor, Tag.IMPORT_CHECKED, "import", row.id, reason=row.name, details=dict(row.counts))
        return False
    reader = Reader(mapping_of(row.mapping), row.header)
    read: list[tuple[int, Row | Said | tuple[Problem, ...] | None]] = []
    for one in unpack(part.content):
        if isinstance(one, Unreadable):
            read.append((one.number, (Problem(code="unreadable", field="", sentence=one.sentence),)))
        else:
            read.append((one.number, reader.read(one.cells)))
    found = _checked(session, context, row, actor, read)
    session.execute(sa.insert(ImportLine), found)
    row.position += 1
    _count(row, Counter(str(one["outcome"]) for one in found))
    return True


def _checked(
    session: Session,
    context: Context,
    row: Import,
    actor: Actor,
    read: Sequence[tuple[int, Row | Said | tuple[Problem, ...] | None]],
) -> list[dict[str, Any]]:
    usable = [said for _, said in read if isinstance(said, Row)]
    matches, earlier = Matches(session, usable), earlier_lines(session, row, usable)
    earlier |= earlier_keys(session, row, [said.key for _, said in read if isinstance(said, Said)])
    known = Known(session, actor, [said for _, said in read if isinstance(said, Said)])
    here = places(session, usable, only(actor, Location))
    found = []
    for number, said in read:
        facts: dict[str, Any] | None = None
        tag = identity = None
        if said is None:
            verdict = Verdict(outcome=Outcome.SKIPPED)
        elif isinstance(said, tuple):
            verdict = Verdict(outcome=Outcome.REFUSED, problems=said)
        elif isinstance(said, Said):
            identity = said.key[:_MOST_OF_A_KEY]
            verdict = _twice(said, earlier.get(identity)) or things.decide(known, context, said)
            if verdict.outcome is not Outcome.REFUSED:
                earlier[identity], facts = number, {str(one): text for one, text in said.facts.items()}
        else:
            tag, identity = said.asset_tag, said.identity
            verdict = _verdict(said, matches, earlier)
            if verdict.outcome in {Outcome.NEW, Outcome.ADOPT}:
                verdict, facts = _placed(said, verdict, here, actor)
            if verdict.outcome is not Outcome.REFUSED:
                earlier |= {key: number for key in (tag, identity) if key is not None}
        found.append(
            {
                "import_id": row.id, "line": number, "outcome": verdict.outcome, "asset_tag": tag, "identity": identity,
                "device": verdict.device, "facts": facts, "done": False,
                "problems": [dataclasses.asdict(one) for one in verdict.problems],
            }
        )  # fmt: skip
    return found


def _twice(said: Said, line: int | None) -> Verdict | None:
    if line is None:
        return None
    words = f"Line {line} of this file is about the same."
    return Verdict(outcome=Outcome.REFUSED, problems=(problem("twice", FIELDS[said.subject][0], words),))


def _verdict(said: Row, matches: Matches, earlier: dict[str, int]) -> Verdict:
    for one, key, words in (
        (Field.ASSET_TAG, said.asset_tag, "asset tag"),
        (Field.SERIAL, said.identity, "serial number and model"),
    ):
        if key is not None and key in earlier:
            sentence = f"Line {earlier[key]} of this file has the same {words}."
            return Verdict(outcome=Outcome.REFUSED, problems=(problem("twice", one, sentence),))
    return decide(said, matches.by_tag(said), matches.by_serial(said))


def _placed(
    said: Row, verdict: Verdict, here: dict[str, Location], actor: Actor
) -> tuple[Verdict, dict[str, Any] | None]:
    """The row's facts with its place by number, and whose it will be; refused where there is no such place."""
    place = here.get(said.location or "")
    if said.location is not None and place is None:
        words = f"There is no place {said.location!r}; create it, or let the mapping translate it."
        return Verdict(outcome=Outcome.REFUSED, problems=(problem("location-unknown", Field.LOCATION, words),)), None
    whose = Device()
    try:
        claim(actor, whose, place)
    except Invalid as refused:
        return Verdict(outcome=Outcome.REFUSED, problems=(problem("location", Field.LOCATION, refused.sentence),)), None
    facts = dataclasses.asdict(said) | {"location": None if place is None else place.id}
    return verdict, {**facts, "site": whose.site_id, "team": whose.team_id}


# -- taking over -------------------------------------------------------------------------------------------------------


def _take_over(session: Session, context: Context, row: Import) -> bool:
    person = session.get_one(Person, row.begun_by or row.received_by)
    if not person.enabled:
        raise Conflict(f"Import {row.id} was begun by a person who is disabled; abandon it.")
    actor = Actor(person.ref, "person", scope=EVERYTHING)  # what they see was asked when the rows were tried
    lines = session.scalars(
        sa.select(ImportLine)
        .where(
            ImportLine.import_id == row.id,
            ImportLine.outcome.in_([Outcome.NEW, Outcome.ADOPT]),
            ImportLine.line > row.position,
        )
        .order_by(ImportLine.line)
        .limit(_TAKEN_AT_ONCE)
    ).all()
    if not lines:
        _finish(session, context, row, actor)
        return False
    before = Counter(str(line.outcome) for line in lines)
    if row.subject is Subject.DEVICES:
        rows = [_row(line) for line in lines]
        matches = Matches(session, rows)
        for line, said in zip(lines, rows, strict=True):
            _take(session, context, actor, row, line, said, matches)
    else:
        for line in lines:
            _take_thing(session, context, actor, row, line)
    after = Counter(str(line.outcome) for line in lines)
    after.subtract(before)
    row.position = lines[-1].line
    _count(row, after)
    return True


def _row(line: ImportLine) -> Row:
    facts = {key: value for key, value in (line.facts or {}).items() if key not in {"site", "team"}}
    return Row(**facts)


def _take(
    session: Session, context: Context, actor: Actor, row: Import, line: ImportLine, said: Row, matches: Matches
) -> None:
    """Decided anew, since the dry run may be long ago."""
    verdict = decide(said, matches.by_tag(said), matches.by_serial(said))
    source = said.source or f"{row.name}, line {line.line}"[:200]
    facts = line.facts or {}
    details: dict[str, object] = {"import": row.id, "line": line.line}
    line.outcome, line.device, line.done = verdict.outcome, verdict.device, True
    line.problems = [dataclasses.asdict(one) for one in verdict.problems]
    if verdict.outcome is Outcome.NEW:
        command = DeclareDevice(
            asset_tag=said.asset_tag or "", serial=said.serial, vendor=said.vendor, model=said.model,
            capacity_bytes=said.capacity_bytes, media=said.media, location=said.location, source=source,
        )  # fmt: skip
        device = declare_within(session, context, actor, command, said.asset_tag, details)
        device.site_id, device.team_id = facts.get("site") or device.site_id, facts.get("team") or device.team_id
        line.device = device.id
        matches.add(device)
    elif verdict.outcome is Outcome.ADOPT:
        device = session.get_one(Device, verdict.device)
        _adopt(session, context, actor, device, said, {**details, "source": source})
        matches.add(device)


def _take_thing(session: Session, context: Context, actor: Actor, row: Import, line: ImportLine) -> None:
    """Decided anew, as with devices."""
    facts = {Field(one): str(text) for one, text in (line.facts or {}).items()}
    said = Said(subject=row.subject, facts=facts)
    verdict = things.decide(Known(session, actor, [said]), context, said)
    line.outcome, line.device, line.done = verdict.outcome, verdict.device, True
    line.problems = [dataclasses.asdict(one) for one in verdict.problems]
    if verdict.outcome in {Outcome.NEW, Outcome.ADOPT}:
        line.device = things.take(session, context, actor, said, f"{row.id}, line {line.line}")


def _adopt(
    session: Session, context: Context, actor: Actor, device: Device, said: Row, details: dict[str, object]
) -> None:
    """An agent has seen it; what the row says of it is declared, and a difference is an exception as always."""
    device.asset_tag = said.asset_tag
    device.source = device.source or str(details.pop("source"))
    device.declared_at, device.declared_by = context.now(), actor.ref
    device.declared_vendor, device.declared_model = said.vendor, said.model
    device.declared_serial, device.declared_capacity = said.serial, said.capacity_bytes
    device.declared_media = said.media
    device.location_id = device.location_id or said.location
    session.flush()
    note(
        session, context, actor, Tag.DEVICE_DECLARED, "device", device.id,
        details={"asset_tag": device.asset_tag, "label": device_label(device), **details},
    )  # fmt: skip
    settle_exception(session, context, ExceptionCode.UNDECLARED_DEVICE, device.id, "It was declared.")
    compare(session, context, device)


def _count(row: Import, more: Counter[str]) -> None:
    """Add to the sums."""
    row.counts = {
        str(one): number for one in Outcome if (number := row.counts.get(str(one), 0) + more.get(str(one), 0))
    }


def _finish(session: Session, context: Context, row: Import, actor: Actor) -> None:
    row.state, row.ended = ImportState.FINISHED, context.now()
    forget(session, row)
    note(
        session, context, actor, Tag.IMPORT_FINISHED, "import", row.id,
        reason=row.name, details={"sha256": row.sha256, **row.counts},
    )  # fmt: skip


def forget(session: Session, row: Import) -> None:
    """The file goes, with whatever else stood in it: what was taken over stands in the devices and the history."""
    session.execute(sa.delete(ImportPart).where(ImportPart.import_id == row.id))
    gone: dict[str, None] = {"facts": None} if row.subject is not Subject.PEOPLE else {"facts": None, "identity": None}
    session.execute(sa.update(ImportLine).where(ImportLine.import_id == row.id).values(gone))
    row.sample = []
