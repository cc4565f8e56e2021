"""Holdings and erasure cases."""

from __future__ import annotations

from inventory.domain.vocabulary import CaseState, HoldingState
from inventory.services.context import Actor, Context
from inventory.services.views import CaseDetail, CaseRow, HoldingView, Page


def list_holdings(
    context: Context,
    actor: Actor,
    *,
    device: str | None = None,
    data_set: str | None = None,
    state: HoldingState | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[HoldingView]:
    """Holdings by number. Permission `inventory.read`."""
    raise NotImplementedError


def list_cases(
    context: Context,
    actor: Actor,
    *,
    state: CaseState | None = None,
    overdue: bool | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page[CaseRow]:
    """Erasure cases, newest first. Permission `inventory.read`."""
    raise NotImplementedError


def case(context: Context, actor: Actor, case_id: str) -> CaseDetail:
    """One case with its obligations. Permission `inventory.read`. Raises `NotFound`."""
    raise NotImplementedError
