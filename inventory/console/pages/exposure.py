"""What is still exposed: the privacy officer's board, the media behind each number, and the report of a missing one."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final, get_args

from flask import request, send_file, url_for

from inventory.console.blueprint import Reply, page
from inventory.console.language.speaking import tongue
from inventory.console.printing import asked_language
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, here, show
from inventory.domain.exposure import GRAVITY, WORDS, Why
from inventory.services import incident_papers, queries
from inventory.services.queries.exposure import ExposureFilter, Grouping
from inventory.services.views.exposure import ExposureRow

TONES: Final = {
    Why.MISSING: "bad",
    Why.LEFT: "bad",
    Why.HELD: "warn",
    Why.FAILED: "bad",
    Why.ORDERED: "busy",
    Why.IN_USE: "residue",
    Why.WAITS: "warn",
}
_GROUPS: Final = {"data_set": "By data set", "case": "By case", "place": "By place"}


def _grouping() -> Grouping:
    asked = request.args.get("by", "data_set")
    for known in get_args(Grouping):
        if asked == known:
            found: Grouping = known
            return found
    return "data_set"


def _media_of(by: Grouping, row: ExposureRow) -> str:
    narrowing: dict[str, Any] = {by: row.key or "none"}
    return url_for("console.exposures", **narrowing)


@page("/privacy")
def exposure() -> Reply:
    """What is still exposed, since when and why."""
    by = _grouping()
    board = queries.exposure(here(), actor(), by)
    return show(
        "exposure.html",
        board=board,
        by=by,
        days=None if board.since is None else (here().now() - board.since).days,
        segments=narrowed("by", [("" if key == "data_set" else key, label, None) for key, label in _GROUPS.items()]),
        rows=[(row, _media_of(by, row)) for row in board.rows],
        tones=TONES,
    )


@page("/privacy/media")
def exposures() -> Reply:
    """One line for each medium a case still demands to be sanitized."""
    asked = request.args.get("why", "")
    why = Why(asked) if asked in set(Why) else None
    where = ExposureFilter(
        data_set=request.args.get("data_set") or None,
        case=request.args.get("case") or None,
        place=request.args.get("place") or None,
        why=why,
    )
    found = queries.list_exposures(here(), actor(), where, after=request.args.get("after"), limit=50)
    return show(
        "exposures.html",
        lines=found.items,
        pager=pager(found, "media"),
        segments=narrowed("why", [("", "Every reason", None), *((str(one), WORDS[one], None) for one in GRAVITY)]),
        narrowed=bool(where.data_set or where.case or where.place or where.why),
        words=WORDS,
        tones=TONES,
    )


@page("/devices/<device>/incident.pdf")
def incident_file(device: str) -> Reply:
    """The same to hand on."""
    content = incident_papers.incident_paper(here(), actor(), device, asked_language() or tongue())
    return send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=f"incident-{device}.pdf")


@page("/devices/<device>/incident")
def incident(device: str) -> Reply:
    """What a missing or stolen medium means."""
    found = queries.incident(here(), actor(), device)
    return show(
        "incident.html",
        incident=found,
        tone={"yes": "bad", "unknown": "bad", "with-keys": "warn"}.get(found.readable, "ok"),
    )
