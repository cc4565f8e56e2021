"""Tables in and out, and the balance between, on both databases."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
import sqlalchemy as sa

from inventory.domain.balance import ScopeKind
from inventory.errors import ConstraintRefused
from inventory.models import Event
from inventory.services import exports, reconciliation
from inventory.services.imports import register, xlsx_file
from inventory.services.packs.tables import FORMULA_STARTS
from inventory.services.reconciliation import CloseBalance, DrawUp
from tests.support.inventory_world import DISK, OTHER_DISK, World

TABLE = f"""\
Asset tag,Serial,Manufacturer,Model,Capacity
BC-1,{DISK.serial},Seagate,{DISK.model},4 TB
BC-2,{OTHER_DISK.serial},Seagate,{OTHER_DISK.model},4 TB
"=1+1",S3,"@evil","+EX-1",1 TB
BC-1,S4,,EX-1,
"""


def test_a_list_is_read_in_balanced_and_taken_away_without_a_formula(world: World) -> None:
    context, custodian = world.context, world.actor("custodian")
    view = register.receive(context, custodian, "list.csv", io.BytesIO(TABLE.encode()))
    view = register.check(context, custodian, view.id, view.version)
    view = register.run(context, custodian, view.id, view.version)
    assert (view.state, view.counts) == ("finished", {"new": 1, "adopt": 2, "refused": 1})

    world.clock.forward(minutes=1)
    drawn = reconciliation.draw_up(context, custodian, DrawUp(scope=ScopeKind.HOST, reference=world.agent.host))
    assert (drawn.counts["declared"], drawn.counts["observed"], drawn.counts["present"]) == (2, 2, 2)
    closed = reconciliation.close(context, custodian, CloseBalance(balance=drawn.id, reason="it agrees"))
    refusals = (ConstraintRefused, sa.exc.ProgrammingError)
    with pytest.raises(refusals), context.writing() as session:
        session.execute(sa.text("UPDATE balance SET differences = 1"))

    auditor = world.actor("auditor")
    for name in exports.EXPORTS:
        rows = list(csv.reader(io.StringIO(_file(world, name, "csv").decode("utf-8-sig"))))
        assert tuple(rows[0]) == exports.EXPORTS[name].table.columns
        assert not [cell for row in rows for cell in row if cell.startswith(FORMULA_STARTS)]
        assert len(rows) - 1 == len(_file(world, name, "jsonl").splitlines())
    (line,) = [
        one for one in map(json.loads, _file(world, "devices", "jsonl").splitlines()) if one["asset_tag"] == "=1+1"
    ]
    assert (line["model"], line["manufacturer"], line["capacity_bytes"]) == ("+EX-1", "@evil", 10**12)
    book = _file(world, "devices", "xlsx")
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml")
    again = [one.cells[1] for one in xlsx_file.lines(io.BytesIO(book))]
    assert again == ["Asset tag", "BC-1", "BC-2", "=1+1"]
    sheet = b"".join(exports.take_balance(context, auditor, closed.id, "csv").parts).decode("utf-8-sig")
    assert f"{closed.id},{closed.words},number,declared,2" in sheet
    with context.reading() as session:
        taken = session.scalars(sa.select(Event.details).where(Event.tag == "export.taken")).all()
    assert {"file": "devices.xlsx", "rows": 3} in taken


def _file(world: World, name: str, kind: exports.Kind) -> bytes:
    return b"".join(exports.take(world.context, world.actor("auditor"), name, kind).parts)
