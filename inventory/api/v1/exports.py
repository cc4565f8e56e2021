"""Exports: whole tables as CSV, JSON Lines or XLSX."""

from __future__ import annotations

from flask import Response
from pydantic import AwareDatetime

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Noun
from inventory.api.paging import Text
from inventory.contract.v1.common import Message
from inventory.contract.v1.vocabulary import Key
from inventory.errors import Forbidden, Invalid, NotFound
from inventory.services import exports
from inventory.services.exports import MEDIA_TYPES, Kind, Narrowed, Taken

noun = Noun("exports", "Whole tables: devices, holdings, orders, exceptions, custody, cases; balance sheets.")

_RAISES = (NotFound, Forbidden, Invalid)
_CSV, _LINES, _XLSX = (MEDIA_TYPES[kind].partition(";")[0] for kind in ("csv", "jsonl", "xlsx"))


class ExportQuery(Message):
    """Which rows; every parameter that is given must match."""

    device: Text | None = None
    location: Text | None = None
    """Of devices only."""
    since: AwareDatetime | None = None
    """By the time that begins a row's life."""
    until: AwareDatetime | None = None
    """Not included."""


@noun.get("/exports", "What can be taken away", READERS)
def list_exports(call: Call) -> dict[str, str]:
    """Table -> what it tells. Each as `.csv`, `.jsonl` and `.xlsx` beneath this address."""
    return {name: export.words for name, export in exports.EXPORTS.items() if call.actor.may(export.permission)}


@noun.get("/exports/{table}.csv", "A table as CSV", READERS, media_type=_CSV, raises=_RAISES)
def export_csv(call: Call, table: Key, query: ExportQuery) -> Response:
    """UTF-8 with a mark, RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe."""
    return _taken(call, table, "csv", query)


@noun.get("/exports/{table}.jsonl", "A table as JSON Lines", READERS, media_type=_LINES, raises=_RAISES)
def export_jsonl(call: Call, table: Key, query: ExportQuery) -> Response:
    """One object a line, every value as it is."""
    return _taken(call, table, "jsonl", query)


@noun.get("/exports/{table}.xlsx", "A table as XLSX", READERS, media_type=_XLSX, raises=_RAISES)
def export_xlsx(call: Call, table: Key, query: ExportQuery) -> Response:
    """A workbook without formulas, links or macros."""
    return _taken(call, table, "xlsx", query)


@noun.get("/balances/{balance}/sheet.csv", "A balance as CSV", READERS, media_type=_CSV, raises=_RAISES)
def export_balance_csv(call: Call, balance: Key) -> Response:
    """Its numbers, then what does not agree."""
    return sent(exports.take_balance(call.context, call.actor, balance, "csv"))


@noun.get("/balances/{balance}/sheet.jsonl", "A balance as JSON Lines", READERS, media_type=_LINES, raises=_RAISES)
def export_balance_jsonl(call: Call, balance: Key) -> Response:
    """Its numbers, then what does not agree."""
    return sent(exports.take_balance(call.context, call.actor, balance, "jsonl"))


@noun.get("/balances/{balance}/sheet.xlsx", "A balance as XLSX", READERS, media_type=_XLSX, raises=_RAISES)
def export_balance_xlsx(call: Call, balance: Key) -> Response:
    """Its numbers, then what does not agree."""
    return sent(exports.take_balance(call.context, call.actor, balance, "xlsx"))


def _taken(call: Call, table: str, kind: Kind, query: ExportQuery) -> Response:
    return sent(exports.take(call.context, call.actor, table, kind, Narrowed(**query.model_dump())))


def sent(taken: Taken) -> Response:
    """The answer that sends a table."""
    response = Response(taken.parts, content_type=taken.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=taken.name)
    return response
