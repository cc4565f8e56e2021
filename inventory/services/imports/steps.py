"""One step of an import within one transaction: some hundred lines tried, or taken over.

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
from inventory.services.devices import DeclareDevice, compare, drafted, enter
from inventory.services.kernel import Numbers, note, settle_exception

from . import things
from .known import Known
from .matching import Matches, earlier_keys, earlier_lines, places
from .rows import Line, Unreadable

_MOST_OF_A_KEY: Final = 520
PART_LINES: Final = 500
"""Lines of one part, and of one step of a dry run."""
_TAKEN_AT_ONCE: Final = 250
"""Lines taken over in one transaction: everybody else who changes anything waits for it."""
_ONE_BY_ONE: Final = 25
"""Of those that do not enter together, so many: each takes as long as ten that do."""


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
    waiting = session.scalars(
        sa.select(ImportLine)
        .where(
            ImportLine.import_id == row.id,
            ImportLine.outcome.in_([Outcome.NEW, Outcome.ADOPT]),
            ImportLine.line > row.position,
        )
        .order_by(ImportLine.line)
        .limit(_TAKEN_AT_ONCE)
    ).all()
    lines = _portion(row, waiting)
    if not lines:
        _finish(session, context, row, actor)
        return False
    before = Counter(str(line.outcome) for line in lines)
    if row.subject is Subject.DEVICES:
        _take_devices(session, context, actor, row, lines)
    else:
        for line in lines:
            _take_thing(session, context, actor, row, line)
    after = Counter(str(line.outcome) for line in lines)
    after.subtract(before)
    row.position = lines[-1].line
    _count(row, after)
    return True


def _portion(row: Import, waiting: Sequence[ImportLine]) -> Sequence[ImportLine]:
    """The lines of one step: new devices enter together, everything else one by one."""
    alone = 0
    for place, line in enumerate(waiting, start=1):
        alone += row.subject is not Subject.DEVICES or line.outcome is not Outcome.NEW
        if alone == _ONE_BY_ONE:
            return waiting[:place]
    return waiting


def _take_devices(session: Session, context: Context, actor: Actor, row: Import, lines: Sequence[ImportLine]) -> None:
    """Each line is decided anew, since the dry run may be long ago; the new ones enter together."""
    rows = [_row(line) for line in lines]
    matches, numbers = Matches(session, rows), Numbers(session, "device")
    wanted = sa.select(Location).where(Location.id.in_({said.location for said in rows} - {None}))
    here: dict[str | None, Location | None] = {None: None, **{place.id: place for place in session.scalars(wanted)}}
    new: list[tuple[Device, dict[str, object]]] = []
    for line, said in zip(lines, rows, strict=True):
        verdict = decide(said, matches.by_tag(said), matches.by_serial(said))
        _ended(line, verdict)
        source = said.source or f"{row.name}, line {line.line}"[:200]
        details: dict[str, object] = {"import": row.id, "line": line.line}
        if verdict.outcome is Outcome.NEW:
            command, place = _declared(said, source), here[said.location]
            device = drafted(context, actor, command, said.asset_tag, numbers.next(), place)
            facts = line.facts or {}
            device.site_id, device.team_id = facts.get("site"), facts.get("team")  # a place at a site says so itself
            line.device = device.id
            matches.add(device)
            new.append((device, details))
        elif verdict.outcome is Outcome.ADOPT:
            device = session.get_one(Device, verdict.device)
            _adopt(session, context, actor, device, said, {**details, "source": source})
            matches.add(device)
    enter(session, context, actor, new)


def _ended(line: ImportLine, verdict: Verdict) -> None:
    line.outcome, line.device, line.done = verdict.outcome, verdict.device, True
    line.problems = [dataclasses.asdict(one) for one in verdict.problems]


def _declared(said: Row, source: str) -> DeclareDevice:
    return DeclareDevice(
        asset_tag=said.asset_tag or "", serial=said.serial, vendor=said.vendor, model=said.model,
        capacity_bytes=said.capacity_bytes, media=said.media, location=said.location, source=source,
    )  # fmt: skip


def _row(line: ImportLine) -> Row:
    facts = {key: value for key, value in (line.facts or {}).items() if key not in {"site", "team"}}
    return Row(**facts)


def _take_thing(session: Session, context: Context, actor: Actor, row: Import, line: ImportLine) -> None:
    """Decided anew, as with devices."""
    facts = {Field(one): str(text) for one, text in (line.facts or {}).items()}
    said = Said(subject=row.subject, facts=facts)
    known = Known(session, actor, [said])
    verdict = things.decide(known, context, said)
    _ended(line, verdict)
    if verdict.outcome in {Outcome.NEW, Outcome.ADOPT}:
        line.device = things.take(known, context, said, f"{row.id}, line {line.line}")


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
