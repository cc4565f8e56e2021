"""Data sets, the paths where they live, and the holdings people declare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.import_subjects import ENCRYPTION
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import Category, HoldingKind, HoldingSource, HostState
from inventory.errors import Conflict, Duplicate, Invalid, NotFound
from inventory.events import Tag
from inventory.models import DataSet, DeclaredPath, Device, Holding, Host

from ._copies import set_sources, sources_of
from ._kept import Counted, kept, total_of
from ._mapping import holding_views, holdings_select
from ._obligations import begin_holding
from ._obligations import end_holding as close_holding
from ._proofs import cover_if_proven
from ._scope import admit, only, within
from .context import Actor, Context, authorize
from .kernel import check_version, find, moment, next_number, note, optional, required, stamp
from .views import DataSetView, DeclaredPathView, HoldingView

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True, kw_only=True)
class CreateDataSet:
    """Data with one owner, category and retention."""

    name: str
    """1 to 64 of `A-Z a-z 0-9 . _ -` and spaces, unique: agents and people both use it."""
    category: Category
    owner: str
    description: str = ""
    retention_days: int | None = None
    encryption: str = "unknown"
    """none, software, self-encrypting, unknown."""
    key_holder: str = ""
    """Who holds the keys; empty: nobody has said."""
    copies_of: tuple[str, ...] = ()
    """Data sets this one is made from: a withdrawal from one of them is a withdrawal from this one."""


@dataclass(frozen=True, kw_only=True)
class ChangeDataSet:
    """Everything but the name."""

    data_set: str
    category: Category
    owner: str
    description: str
    retention_days: int | None
    encryption: str
    reason: str
    key_holder: str | None = None
    """None: as it is."""
    copies_of: tuple[str, ...] | None = None
    """None: as it is. Cases that are open gain copies, and never lose one."""
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class DeclarePath:
    """This host keeps this data set at this path."""

    host: str
    data_set: str
    path: str
    """Absolute."""
    kind: HoldingKind = HoldingKind.PRIMARY
    since: datetime | None = None
    """Since when the data has lain there; None: not known."""


@dataclass(frozen=True, kw_only=True)
class DeclareHolding:
    """A person knows that a device holds (or held) a data set."""

    device: str
    data_set: str
    kind: HoldingKind
    since: datetime
    until: datetime | None = None
    """When it stopped being live; None: it is live."""
    reason: str = ""


def create_data_set(context: Context, actor: Actor, command: CreateDataSet) -> DataSetView:
    """Permission `data_set.manage`. Raises `Duplicate`, `Invalid`."""
    authorize(actor, Permission.DATA_SET_MANAGE)
    with context.writing(actor) as session:
        return _data_set_views(session, [add_data_set(session, context, actor, command)])[0]


def add_data_set(
    session: Session, context: Context, actor: Actor, command: CreateDataSet, more: Mapping[str, object] | None = None
) -> DataSet:
    """As `create_data_set`, within a transaction that is under way; `more` stands in the history beside it."""
    if not _NAME.fullmatch(command.name):
        raise Invalid("name", "A name has 1 to 64 letters, digits, dots, hyphens, underscores and inner spaces.")
    existing = session.scalar(sa.select(DataSet.id).where(DataSet.name == command.name))
    if existing is not None:
        raise Duplicate("data set", "name", existing)
    row = DataSet(
        id=next_number(session, "data_set"),
        name=command.name,
        category=Category(command.category),
        owner=required("owner", command.owner, most=200),
        description=optional("description", command.description),
        retention_days=_retention(command.retention_days),
        encryption=_encryption(command.encryption),
        key_holder=_key_holder(command.key_holder),
    )
    session.add(row)
    session.flush()
    set_sources(session, context, row, [find_data_set(session, name) for name in command.copies_of])
    note(
        session, context, actor, Tag.DATA_SET_CREATED, "data_set", row.id,
        details={"name": row.name, "category": str(row.category), **(more or {})},
    )  # fmt: skip
    return row


def change_data_set(context: Context, actor: Actor, command: ChangeDataSet) -> DataSetView:
    """Permission `data_set.manage`. A higher category applies to everything ever held. Raises `StaleVersion`, `NotFound`."""
    authorize(actor, Permission.DATA_SET_MANAGE)
    with context.writing(actor) as session:
        row = find(session, DataSet, command.data_set, "data set")
        check_version(f"Data set {row.id}", row.version, command.version)
        before = str(row.category)
        row.category = Category(command.category)
        row.owner = required("owner", command.owner, most=200)
        row.description = optional("description", command.description)
        row.retention_days = _retention(command.retention_days)
        row.encryption = _encryption(command.encryption)
        if command.key_holder is not None:
            row.key_holder = _key_holder(command.key_holder)
        session.flush()
        if command.copies_of is not None:
            set_sources(session, context, row, [find_data_set(session, name) for name in command.copies_of])
        note(
            session, context, actor, Tag.DATA_SET_CHANGED, "data_set", row.id,
            reason=required("reason", command.reason),
            details={"category_before": before, "category": str(row.category), "encryption": row.encryption},
        )  # fmt: skip
        return _data_set_views(session, [row])[0]


def _retention(days: int | None) -> int | None:
    if days is not None and not 0 <= days <= 36_525:
        raise Invalid("retention_days", "Retention is 0 to 36525 days, or not stated.")
    return days


def _encryption(word: str) -> str:
    if word not in ENCRYPTION:
        raise Invalid("encryption", f"Encryption is one of {', '.join(ENCRYPTION)}.")
    return word


def _key_holder(text: str) -> str | None:
    return optional("key_holder", text, most=200) or None


def list_data_sets(context: Context, actor: Actor) -> tuple[DataSetView, ...]:
    """All data sets by name. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        rows = session.scalars(sa.select(DataSet).where(*only(actor, DataSet)).order_by(DataSet.name)).all()
        counts = kept(context, actor, "media of data sets", partial(_all_media_counts, context, actor), total_of)
        return _data_set_views(session, rows, counts)


def _all_media_counts(context: Context, actor: Actor) -> dict[str, int]:
    with context.reading(actor) as session:
        return _media_counts(session, None)


def data_set(context: Context, actor: Actor, data_set_id: str) -> DataSetView:
    """One data set, by number or name. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return _data_set_views(session, [find_data_set(session, data_set_id)])[0]


def find_data_set(session: Session, reference: str) -> DataSet:
    """By number or name. Raises `NotFound`."""
    row = session.get(DataSet, reference) or session.scalar(sa.select(DataSet).where(DataSet.name == reference))
    if row is None or not admit(session, row):
        raise NotFound("data set", reference)
    return row


def _media_counts(session: Session, rows: Sequence[DataSet] | None) -> dict[str, int]:
    """Media that hold each data set uncovered; None: of every data set."""
    each = sa.select(Holding.data_set_id, Holding.device_id).where(
        Holding.covered_at.is_(None), *within(session, Holding)
    )
    if rows is not None:
        each = each.where(Holding.data_set_id.in_([row.id for row in rows]))
    once = each.distinct().subquery()
    statement = sa.select(once.c.data_set_id, sa.func.count()).group_by(once.c.data_set_id)
    return dict(session.execute(statement).all())


def _data_set_views(
    session: Session, rows: Sequence[DataSet], counted: Counted[dict[str, int]] | None = None
) -> tuple[DataSetView, ...]:
    counts = _media_counts(session, rows) if counted is None else counted.value
    sources = sources_of(session, [row.id for row in rows])
    return tuple(
        DataSetView(
            id=row.id,
            name=row.name,
            category=row.category,
            owner=row.owner,
            description=row.description,
            retention_days=row.retention_days,
            encryption=row.encryption,
            key_holder=row.key_holder,
            copies_of=sources.get(row.id, ()),
            devices_holding=counts.get(row.id, 0),
            version=row.version,
            team=row.team_id,
            counted=counted.at if counted is not None else None,
        )
        for row in rows
    )


def declare_path(context: Context, actor: Actor, command: DeclarePath) -> DeclaredPathView:
    """The host's agent will follow it to the physical devices. Permission `data_set.manage`.

    Raises:
        Duplicate, Invalid, NotFound.
    """
    authorize(actor, Permission.DATA_SET_MANAGE)
    path = command.path
    if not path.startswith("/") or len(path) > 256 or not path.isprintable() or "/../" in f"{path}/":
        raise Invalid("path", "A path is absolute, has at most 256 printable characters, and no `..` in it.")
    lived_since = None if command.since is None else past_moment(context, "since", command.since)
    with context.writing(actor) as session:
        host = find(session, Host, command.host, "host")
        if host.state is not HostState.CONFIRMED:
            raise Conflict(f"Host {host.id} is {host.state}; only a confirmed host's agent is believed.")
        owner = find_data_set(session, command.data_set)
        existing = session.scalar(
            sa.select(DeclaredPath.id).where(
                DeclaredPath.host_id == host.id,
                DeclaredPath.data_set_id == owner.id,
                DeclaredPath.path == path,
                DeclaredPath.withdrawn.is_(None),
            )
        )
        if existing is not None:
            raise Duplicate("declared path", "host, data set and path", existing)
        row = DeclaredPath(
            id=next_number(session, "path"),
            host_id=host.id,
            data_set_id=owner.id,
            path=path,
            kind=HoldingKind(command.kind),
            declared=context.now(),
            declared_by=actor.ref,
            lived_since=lived_since,
            devices=[],
            unresolved=[],
        )
        session.add(row)
        session.flush()
        note(
            session, context, actor, Tag.PATH_DECLARED, "path", row.id,
            host=host.id,
            details={
                "path": path, "data_set": owner.name, "kind": str(row.kind),
                "since": "" if lived_since is None else stamp(lived_since),
            },
        )  # fmt: skip
        return path_view(session, row.id)


def past_moment(context: Context, field: str, value: datetime) -> datetime:
    """A moment that has been. Raises `Invalid`."""
    if moment(field, value) > context.now():
        raise Invalid(field, f"{field.capitalize()} lies in the future.")
    return value


def withdraw_path(context: Context, actor: Actor, path_id: str, reason: str) -> DeclaredPathView:
    """The data no longer lives there: its holdings become residue. Permission `data_set.manage`."""
    authorize(actor, Permission.DATA_SET_MANAGE)
    with context.writing(actor) as session:
        row = find(session, DeclaredPath, path_id, "declared path")
        if row.withdrawn is not None:
            raise Conflict(f"Path {row.id} was withdrawn already.")
        said = required("reason", reason)
        row.withdrawn = context.now()
        for holding in session.scalars(
            sa.select(Holding).where(Holding.path_id == row.id, Holding.until.is_(None)).order_by(Holding.id)
        ):
            close_holding(session, context, actor, holding, at=context.now(), reason=said)
        session.flush()
        note(session, context, actor, Tag.PATH_WITHDRAWN, "path", row.id, host=row.host_id, reason=said)
        return path_view(session, row.id)


def list_paths(
    context: Context, actor: Actor, *, host: str | None = None, data_set: str | None = None
) -> tuple[DeclaredPathView, ...]:
    """Declared paths, live ones first. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    statement = sa.select(DeclaredPath).where(*only(actor, DeclaredPath))
    statement = statement.order_by(DeclaredPath.withdrawn.is_not(None), DeclaredPath.id)
    if host is not None:
        statement = statement.where(DeclaredPath.host_id == host)
    if data_set is not None:
        statement = statement.where(DeclaredPath.data_set_id == data_set)
    with context.reading(actor) as session:
        return _path_views(session, statement)


def _path_views(session: Session, statement: sa.Select[DeclaredPath]) -> tuple[DeclaredPathView, ...]:
    rows = session.execute(
        statement.add_columns(Host.name, DataSet.name)
        .join(Host, Host.id == DeclaredPath.host_id)
        .join(DataSet, DataSet.id == DeclaredPath.data_set_id)
    )
    return tuple(
        DeclaredPathView(
            id=row.id,
            host=row.host_id,
            host_name=host_name,
            data_set=row.data_set_id,
            data_set_name=data_set_name,
            path=row.path,
            kind=row.kind,
            declared=row.declared,
            lived_since=row.lived_since,
            withdrawn=row.withdrawn,
            resolved=row.resolved,
            devices=tuple(row.devices),
            unresolved=tuple(row.unresolved),
        )
        for row, host_name, data_set_name in rows
    )


def path_view(session: Session, number: str) -> DeclaredPathView:
    """One declared path, within a transaction that is under way."""
    return _path_views(session, sa.select(DeclaredPath).where(DeclaredPath.id == number))[0]


def declare_holding(context: Context, actor: Actor, command: DeclareHolding) -> HoldingView:
    """Permission `data_set.manage`. Open erasure cases gain obligations where it concerns them. Raises `Invalid`, `NotFound`."""
    authorize(actor, Permission.DATA_SET_MANAGE)
    with context.writing(actor) as session:
        return _holding(session, add_holding(session, context, actor, command).id)


def add_holding(session: Session, context: Context, actor: Actor, command: DeclareHolding) -> Holding:
    """As `declare_holding`, within a transaction that is under way."""
    since = moment("since", command.since)
    until = None if command.until is None else moment("until", command.until)
    if since > context.now() or (until is not None and not since <= until <= context.now()):
        raise Invalid("since", "A holding begins and ends in the past, in that order.")
    device = find(session, Device, command.device, "device")
    data_set = find_data_set(session, command.data_set)
    holding = begin_holding(
        session,
        context,
        actor,
        device=device,
        data_set=data_set,
        kind=HoldingKind(command.kind),
        source=HoldingSource.DECLARED,
        since=since,
        until=until,
        reason=optional("reason", command.reason),
    )
    cover_if_proven(session, context, device, data_set, holding)
    session.flush()
    return holding


def end_holding(context: Context, actor: Actor, holding: str, reason: str) -> HoldingView:
    """A declared or concluded holding is no longer live: it is residue now, never gone. Permission `data_set.manage`."""
    authorize(actor, Permission.DATA_SET_MANAGE)
    with context.writing(actor) as session:
        row = find(session, Holding, holding, "holding")
        if row.source is HoldingSource.RESOLVED:
            raise Conflict("An agent reports this holding; withdraw its path instead.")
        if row.until is not None:
            raise Conflict(f"Holding {row.id} ended already.")
        close_holding(session, context, actor, row, at=context.now(), reason=required("reason", reason))
        session.flush()
        return _holding(session, row.id)


def _holding(session: Session, number: str) -> HoldingView:
    return holding_views(session, session.execute(holdings_select().where(Holding.id == number)))[0]
