"""Counts that pages of a large inventory show are made before somebody asks, and made again while somebody does (ADR 0052)."""

from __future__ import annotations

from typing import Final

from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING

from . import data, organisation, places
from .context import Actor, Context
from .queries.exposure import exposure
from .queries.overview import dashboard

_WHOEVER_SEES_ALL: Final = Actor("counting", "person", frozenset({Role.AUDITOR}), scope=EVERYTHING)
"""Reads, and acts nowhere: what is counted for it is what everybody is shown who is not limited."""


def warm(context: Context) -> None:
    """Count what is not known yet or not any more; cheap where a count before still holds. Safe to call at any time."""
    dashboard(context, _WHOEVER_SEES_ALL)
    data.list_data_sets(context, _WHOEVER_SEES_ALL)
    places.list_locations(context, _WHOEVER_SEES_ALL)
    organisation.list_sites(context, _WHOEVER_SEES_ALL)
    exposure(context, _WHOEVER_SEES_ALL)
