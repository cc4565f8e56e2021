"""Exports: whole tables to take away."""

from __future__ import annotations

from typing import cast

from inventory.api.v1.exports import sent
from inventory.console.blueprint import Reply, page
from inventory.console.web import actor, here, may, show
from inventory.errors import NotFound
from inventory.services import exports as service
from inventory.services.exports import MEDIA_TYPES, Kind


@page("/exports")
def exports_page() -> Reply:
    """What can be taken away."""
    tables = [
        (name, export.table.title, export.words, len(export.table.columns))
        for name, export in service.EXPORTS.items()
        if may(export.permission)
    ]
    return show("exports.html", tables=tables, kinds=tuple(MEDIA_TYPES))


@page("/exports/<name>.<kind>")
def export_file(name: str, kind: str) -> Reply:
    """One table."""
    return sent(service.take(here(), actor(), name, _kind(kind)))


@page("/balances/<balance>/sheet.<kind>")
def balance_file(balance: str, kind: str) -> Reply:
    """One balance sheet."""
    return sent(service.take_balance(here(), actor(), balance, _kind(kind)))


def _kind(word: str) -> Kind:
    if word not in MEDIA_TYPES:
        raise NotFound("kind of file", word)
    return cast("Kind", word)
