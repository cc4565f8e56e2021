"""The pages of a pack: readable from a folder, without a network and without scripts, on screen and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from inventory.models import AuditPack
from inventory.services.kernel import stamp
from reports.canonical import to_base64
from reports.times import for_people
from reports.tlog import Checkpoint

from .clauses import CHECKED_WORDS, PARTS, Mapped
from .listing import Listing

PAGES: Final = {"index.html": "index.html", "clauses.html": "clauses.html"}
SHOWN: Final = 1000
"""Rows of a table on a page; the rest is in the tables."""
ACCOUNT_WORDS: Final = {
    "sanitized": ("Sanitized, still here", "ok"),
    "released": ("Sanitized and released", "ok"),
    "destroyed": ("Physically destroyed", "ok"),
    "held": ("Still held", "quiet"),
    "merged": ("Declared twice", "quiet"),
    "unaccounted": ("Not accounted for", "bad"),
}


@dataclass(frozen=True)
class View:
    """What a page shows."""

    row: AuditPack
    organization: str
    listing: Listing
    checkpoint: Checkpoint
    witnesses: list[str]
    sample: list[tuple[str, str]]
    mapped: tuple[Mapped, ...]
    documents: int


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("inventory.services.packs", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["words"] = lambda moment: for_people(stamp(moment))
    return found


def render(template: str, view: View) -> Iterator[bytes]:
    """A page, in parts."""
    listing = view.listing
    values: dict[str, Any] = {
        "view": view,
        "row": view.row,
        "root": to_base64(view.checkpoint.root),
        "devices": listing.accounts.total(),
        "exceptions": listing.tables["exceptions"].first(SHOWN),
        "exception_count": listing.tables["exceptions"].count,
        "listed": listing.tables["devices"].first(SHOWN),
        "shown": SHOWN,
        "account_words": ACCOUNT_WORDS,
        "tables": [(rows.table, rows.count) for rows in listing.tables.values()],
        "standards": [(name, list(found)) for name, found in groupby(view.mapped, key=lambda one: one.clause.standard)],
        "parts": PARTS,
        "checked": CHECKED_WORDS,
        "gaps": sum(bool(one.clause.gap) or bool(one.absent) for one in view.mapped),
    }
    for part in _environment().get_template(template).generate(values):
        yield part.encode()
