"""Imports as people use them: send a file, say what its columns mean, try it without effect, take it over."""

from __future__ import annotations

import tempfile
import time
import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import IO, Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.import_fields import Subject
from inventory.domain.import_mapping import ImportMapping, Reader, Row, guessed, mapping_of
from inventory.domain.import_outcomes import Outcome
from inventory.domain.import_subjects import Said
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, InventoryError, NotFound
from inventory.events import Tag
from inventory.models import Import, ImportLine, ImportPart, ImportState
from inventory.services._scope import only
from inventory.services.context import SYSTEM, Actor, Context, authorize
from inventory.services.kernel import check_version, find, next_number, note, required
from inventory.services.queries._paging import bounded, cut, number
from inventory.services.views import Page

from . import csv_file, pace, steps, things, xlsx_file
from .receiving import measured, parts, read_in

MOST_OPEN: Final = 5
"""Imports one person may have under way; each keeps its file."""
_OPEN: Final = (ImportState.RECEIVED, ImportState.CHECKING, ImportState.CHECKED, ImportState.RUNNING)
_PATIENCE_SECONDS: Final = 2.0
"""How long one call works before it answers how far it came."""
_LET_IN_SECONDS: Final = 0.005
"""Between two steps: whoever else waits for the one writer of SQLite gets their turn."""


@dataclass(frozen=True, kw_only=True)
class ImportView:
    """An import and how far it has come."""

    id: str
    state: ImportState
    name: str
    subject: Subject
    """What its rows are about."""
    kind: str
    sha256: str
    size: int
    rows: int
    header: tuple[str, ...]
    mapping: dict[str, Any]
    counts: dict[str, int]
    """Outcome -> lines, as far as they were tried."""
    worked: int
    """Lines tried or taken over so far, of `rows`."""
    remaining_seconds: int | None
    """At the pace of late; None where it stands still, or nothing honest can be said."""
    received: datetime
    received_by: str
    begun_by: str | None
    ended: datetime | None
    version: int


@dataclass(frozen=True, kw_only=True)
class SampleLine:
    """One of the first lines: as it stands there, and as it is understood."""

    line: int
    cells: tuple[str, ...]
    facts: dict[str, str]
    """Field -> what the mapping makes of it."""
    problems: tuple[str, ...]
    left_out: bool


@dataclass(frozen=True, kw_only=True)
class LineView:
    """What became of a line, or would."""

    id: int
    line: int
    outcome: Outcome
    asset_tag: str | None
    device: str | None
    """Of a table of devices."""
    about: str | None
    """Number of what the line is about, whatever it is."""
    problems: tuple[dict[str, str], ...]
    done: bool


# -- ready-made mappings -----------------------------------------------------------------------------------------------


@cache
def ready_made() -> dict[str, ImportMapping]:
    """Mappings that come with the product, by name."""
    found = {}
    for file in sorted((files(__package__) / "mappings").iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            found[file.name.removesuffix(".toml")] = mapping_of(tomllib.loads(file.read_text(encoding="utf-8")))
    return found


def mapping_named(name: str) -> ImportMapping:
    """A ready-made mapping. Raises `NotFound`."""
    found = ready_made().get(name)
    if found is None:
        raise NotFound("import mapping", name)
    return found


# -- receiving ---------------------------------------------------------------------------------------------------------


def receive(
    context: Context, actor: Actor, name: str, file: IO[bytes], mapping: str = "", subject: Subject | None = None
) -> ImportView:
    """Read a file in, whole or not at all; nothing of it counts yet. Permission `table.import`, and that of the subject.

    Args:
        context: the open inventory.
        actor: who sends it.
        name: what it is called.
        file: at its beginning; a CSV file or an XLSX workbook.
        mapping: name of a ready-made mapping; empty: proposed from the titles.
        subject: what its rows are about; None: what the mapping says, else devices.

    Raises:
        Forbidden: the actor may not say such things one by one either.
        Invalid: it is no table, about something else than its mapping, or larger than one may be.
        Conflict: the person has too many imports under way.
        NotFound: the mapping.
    """
    authorize(actor, Permission.TABLE_IMPORT)
    called = required("name", name, most=200)
    wanted = mapping_named(mapping) if mapping else None
    about = subject or (wanted.subject if wanted else Subject.DEVICES)
    things.permit(actor, about, reading=True)
    if wanted is not None and wanted.subject is not about:
        raise Invalid("mapping", f"This mapping is about {wanted.subject}, the table about {about}.")
    digest, size = measured(file)
    kind = "xlsx" if file.read(4)[:4] in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0"} else "csv"
    file.seek(0)
    with tempfile.TemporaryFile() as packed:
        header, sample, rows = read_in(xlsx_file.lines(file) if kind == "xlsx" else csv_file.lines(file), packed)
        understood = wanted or guessed(header, about)
        with context.writing(actor) as session:
            _not_too_many(session, actor)
            row = Import(
                id=next_number(session, "import"), state=ImportState.RECEIVED, name=called, subject=about, kind=kind,
                sha256=digest, size=size, rows=rows, header=header, sample=sample, mapping=understood.to_document(), position=0,
                counts={}, received=context.now(), received_by=actor.ref,
            )  # fmt: skip
            session.add(row)
            session.flush()
            for part, content in parts(packed):
                session.execute(sa.insert(ImportPart), [{"import_id": row.id, "number": part, "content": content}])
            note(
                session, context, actor, Tag.IMPORT_RECEIVED, "import", row.id,
                reason=called, details={"subject": str(about), "sha256": digest, "bytes": size, "rows": rows},
            )  # fmt: skip
            return _view(context, row)


def _not_too_many(session: Session, actor: Actor) -> None:
    under_way = sa.select(sa.func.count()).where(Import.received_by == actor.ref, Import.state.in_(_OPEN))
    if (session.scalar(under_way) or 0) >= MOST_OPEN:
        raise Conflict(f"You have {MOST_OPEN} imports under way; finish or abandon one first.")


# -- what people decide ------------------------------------------------------------------------------------------------


def set_mapping(
    context: Context, actor: Actor, reference: str, mapping: ImportMapping, version: int | None = None
) -> ImportView:
    """Say what the columns mean; what was tried before is forgotten. Permission `table.import`.

    Raises:
        Invalid: the file has none of the columns that name a device.
        Conflict: it is being taken over, or has ended.
        StaleVersion, NotFound.
    """
    authorize(actor, Permission.TABLE_IMPORT)
    with context.writing(actor) as session:
        row = _open(session, actor, reference, version)
        if mapping.subject is not row.subject:
            raise Invalid("mapping", f"This mapping is about {mapping.subject}, the table about {row.subject}.")
        Reader(mapping, row.header)
        row.mapping, row.state, row.position, row.counts = mapping.to_document(), ImportState.RECEIVED, 0, {}
        session.execute(sa.delete(ImportLine).where(ImportLine.import_id == row.id))
        session.flush()
        note(session, context, actor, Tag.IMPORT_MAPPED, "import", row.id, details={"mapping": mapping.name})
        return _view(context, row)


def check(context: Context, actor: Actor, reference: str, version: int | None = None) -> ImportView:
    """Try every line without effect. Permission `table.import`. Goes on by itself; `advance` hastens it. As `set_mapping`."""
    authorize(actor, Permission.TABLE_IMPORT)
    with context.writing(actor) as session:
        row = _open(session, actor, reference, version)
        Reader(mapping_of(row.mapping), row.header)
        session.execute(sa.delete(ImportLine).where(ImportLine.import_id == row.id))
        row.state, row.position, row.counts = ImportState.CHECKING, 0, {}
        row.stepped, row.pace = context.now(), None
    return advance(context, actor, reference)


def run(context: Context, actor: Actor, reference: str, version: int | None = None) -> ImportView:
    """Take over what the dry run found good; refused lines stay out. Permission `table.import`.

    Raises:
        Conflict: it was not tried yet.
        StaleVersion, NotFound.
    """
    authorize(actor, Permission.TABLE_IMPORT)
    with context.writing(actor) as session:
        row = _mine(session, actor, reference)
        things.permit(actor, row.subject)
        check_version(f"Import {row.id}", row.version, version)
        if row.state is not ImportState.CHECKED:
            raise Conflict(f"Import {row.id} is {row.state}; it is taken over once every line was tried.")
        row.state, row.position, row.begun_by = ImportState.RUNNING, 0, actor.ref
        row.stepped, row.pace = context.now(), None
        session.flush()
        note(session, context, actor, Tag.IMPORT_BEGUN, "import", row.id, reason=row.name, details=dict(row.counts))
    return advance(context, actor, reference)


def abandon(context: Context, actor: Actor, reference: str, version: int | None = None) -> ImportView:
    """Give it up: the file goes, and what was taken over already stays. Permission `table.import`."""
    authorize(actor, Permission.TABLE_IMPORT)
    with context.writing(actor) as session:
        row = _mine(session, actor, reference)
        check_version(f"Import {row.id}", row.version, version)
        if row.state not in _OPEN:
            raise Conflict(f"Import {row.id} has ended already.")
        row.state, row.ended = ImportState.ABANDONED, context.now()
        steps.forget(session, row)
        session.flush()
        note(session, context, actor, Tag.IMPORT_ABANDONED, "import", row.id, reason=row.name, details=dict(row.counts))
        return _view(context, row)


def _mine(session: Session, actor: Actor, reference: str) -> Import:
    """An import the actor may know of: a list of people is nothing for whoever may not add any. Raises `NotFound`."""
    row = find(session, Import, reference, "import")
    if actor != SYSTEM and not actor.may(things.PERMISSIONS[row.subject]):
        raise NotFound("import", reference)
    return row


def _open(session: Session, actor: Actor, reference: str, version: int | None) -> Import:
    row = _mine(session, actor, reference)
    things.permit(actor, row.subject, reading=True)
    check_version(f"Import {row.id}", row.version, version)
    if row.state not in _OPEN or row.state is ImportState.RUNNING:
        raise Conflict(f"Import {row.id} is {row.state}; what its columns mean cannot be changed any more.")
    return row


def advance(context: Context, actor: Actor, reference: str, seconds: float = _PATIENCE_SECONDS) -> ImportView:
    """Work on it for a moment; it answers how far it came. Permission `table.import`. Raises `NotFound`, `Conflict`."""
    authorize(actor, Permission.TABLE_IMPORT)
    return _advance(context, actor, reference, seconds)


def _advance(context: Context, actor: Actor, reference: str, seconds: float) -> ImportView:
    end = time.monotonic() + seconds
    while True:
        with context.writing(None if actor == SYSTEM else actor) as session:
            row = _mine(session, actor, reference)
            before = pace.worked(row)
            more = steps.step(session, context, row, actor)
            pace.keep(row, context.now(), pace.worked(row) - before)
            session.flush()
            view = _view(context, row)
        if not more or time.monotonic() >= end:
            return view
        time.sleep(_LET_IN_SECONDS)


def go_on(context: Context, seconds: float = 5.0) -> int:
    """Upkeep: work on whatever is being taken over, for a moment each. Returns how many of them can go on further.

    A dry run is for whoever waits for it: it depends on what they see, so nobody goes on with it in their stead.
    """
    with context.reading() as session:
        waiting = session.scalars(
            sa.select(Import.id).where(Import.state == ImportState.RUNNING).order_by(Import.id)
        ).all()
    further = 0
    for reference in waiting:
        try:
            further += _advance(context, SYSTEM, reference, seconds).state is ImportState.RUNNING
        except InventoryError:
            continue
    return further


# -- reading -----------------------------------------------------------------------------------------------------------


def one_import(context: Context, actor: Actor, reference: str) -> ImportView:
    """One import. Permission `table.import`. Raises `NotFound`."""
    authorize(actor, Permission.TABLE_IMPORT)
    with context.reading(actor) as session:
        return _view(context, _mine(session, actor, reference))


def list_imports(context: Context, actor: Actor, *, after: str | None = None, limit: int = 50) -> Page[ImportView]:
    """Imports, newest first. Permission `table.import`. Raises `Invalid`."""
    authorize(actor, Permission.TABLE_IMPORT)
    mine = Import.subject.in_(things.subjects_of(actor))
    statement = sa.select(Import).where(mine, *only(actor, Import)).order_by(Import.id.desc()).limit(bounded(limit) + 1)
    if after is not None:
        statement = statement.where(Import.id < after)
    with context.reading(actor) as session:
        rows, following = cut(session.scalars(statement).all(), limit, lambda row: row.id)
        return Page(tuple(_view(context, row) for row in rows), following)


def preview(context: Context, actor: Actor, reference: str) -> tuple[SampleLine, ...]:
    """The first lines, as they stand and as the mapping understands them. Permission `table.import`. Raises `NotFound`."""
    authorize(actor, Permission.TABLE_IMPORT)
    with context.reading(actor) as session:
        row = _mine(session, actor, reference)
        try:
            reader = Reader(mapping_of(row.mapping), row.header)
        except Invalid as refused:
            return tuple(
                SampleLine(
                    line=one["line"], cells=tuple(one["cells"]), facts={}, problems=(refused.sentence,), left_out=False
                )
                for one in row.sample
            )
        return tuple(_sample_line(reader, one) for one in row.sample)


def _sample_line(reader: Reader, one: dict[str, Any]) -> SampleLine:
    said = reader.read(one["cells"])
    facts = {}
    if isinstance(said, Row):
        facts = {key: str(value) for key, value in vars(said).items() if value not in {None, ""}}
    elif isinstance(said, Said):
        facts = {str(key): value for key, value in said.facts.items()}
    problems = tuple(found.sentence for found in said) if isinstance(said, tuple) else ()
    return SampleLine(
        line=one["line"], cells=tuple(one["cells"]), facts=facts, problems=problems, left_out=said is None
    )


def list_lines(
    context: Context,
    actor: Actor,
    reference: str,
    *,
    outcome: Outcome | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[LineView]:
    """What became of each line, or would. Permission `table.import`. Raises `NotFound`, `Invalid`."""
    authorize(actor, Permission.TABLE_IMPORT)
    with context.reading(actor) as session:
        row = _mine(session, actor, reference)
        statement = sa.select(ImportLine).where(ImportLine.import_id == row.id)
        if outcome is not None:
            statement = statement.where(ImportLine.outcome == outcome)
        last = number(after)
        if last is not None:
            statement = statement.where(ImportLine.line > last)
        statement = statement.order_by(ImportLine.line).limit(bounded(limit) + 1)
        found, following = cut(session.scalars(statement).all(), limit, lambda line: str(line.line))
        return Page(tuple(_line(row, one) for one in found), following)


def _line(row: Import, one: ImportLine) -> LineView:
    return LineView(
        id=one.id, line=one.line, outcome=one.outcome, asset_tag=one.asset_tag,
        device=one.device if row.subject is Subject.DEVICES else None, about=one.device,
        problems=tuple(one.problems), done=one.done,
    )  # fmt: skip


def _view(context: Context, row: Import) -> ImportView:
    return ImportView(
        id=row.id, state=row.state, name=row.name, subject=row.subject, kind=row.kind,
        sha256=row.sha256, size=row.size, rows=row.rows, header=tuple(row.header),
        mapping=row.mapping, counts=row.counts, worked=pace.worked(row), remaining_seconds=pace.remaining(row, context.now()),
        received=row.received, received_by=row.received_by, begun_by=row.begun_by, ended=row.ended, version=row.version,
    )  # fmt: skip
