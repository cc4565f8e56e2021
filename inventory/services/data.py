"""Data sets, the paths where they live, and the holdings people declare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.vocabulary import Category, HoldingKind

from .context import Actor, Context
from .views import DataSetView, DeclaredPathView, HoldingView


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
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class DeclarePath:
    """This host keeps this data set at this path."""

    host: str
    data_set: str
    path: str
    """Absolute."""
    kind: HoldingKind = HoldingKind.PRIMARY


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
    raise NotImplementedError


def change_data_set(context: Context, actor: Actor, command: ChangeDataSet) -> DataSetView:
    """Permission `data_set.manage`. A higher category applies to everything ever held. Raises `StaleVersion`, `NotFound`."""
    raise NotImplementedError


def list_data_sets(context: Context, actor: Actor) -> tuple[DataSetView, ...]:
    """All data sets by name. Permission `inventory.read`."""
    raise NotImplementedError


def data_set(context: Context, actor: Actor, data_set_id: str) -> DataSetView:
    """One data set, by number or name. Permission `inventory.read`. Raises `NotFound`."""
    raise NotImplementedError


def declare_path(context: Context, actor: Actor, command: DeclarePath) -> DeclaredPathView:
    """The host's agent will follow it to the physical devices. Permission `data_set.manage`. Raises `Duplicate`, `Invalid`, `NotFound`."""
    raise NotImplementedError


def withdraw_path(context: Context, actor: Actor, path_id: str, reason: str) -> DeclaredPathView:
    """The data no longer lives there: its holdings become residue. Permission `data_set.manage`."""
    raise NotImplementedError


def list_paths(
    context: Context, actor: Actor, *, host: str | None = None, data_set: str | None = None
) -> tuple[DeclaredPathView, ...]:
    """Declared paths, live ones first. Permission `inventory.read`."""
    raise NotImplementedError


def declare_holding(context: Context, actor: Actor, command: DeclareHolding) -> HoldingView:
    """Permission `data_set.manage`. Open erasure cases gain obligations where it concerns them. Raises `Invalid`, `NotFound`."""
    raise NotImplementedError


def end_holding(context: Context, actor: Actor, holding: str, reason: str) -> HoldingView:
    """A declared holding is no longer live: it is residue now, never gone. Permission `data_set.manage`."""
    raise NotImplementedError
