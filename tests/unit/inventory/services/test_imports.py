"""Tables read in: whole or not at all, tried without effect, taken over line by line, the same file twice changes nothing."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter

from inventory.domain.import_fields import FIELDS, Subject
from inventory.domain.import_mapping import ImportMapping, mapping_from_text, mapping_of
from inventory.domain.import_outcomes import Outcome
from inventory.domain.scopes import Scope
from inventory.domain.vocabulary import DeviceState, Zone
from inventory.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion
from inventory.events import Tag
from inventory.models import Device, Import, ImportLine, ImportPart
from inventory.services import organisation, people, places, queries, upkeep
from inventory.services.imports import csv_file, register, steps, xlsx_file
from inventory.services.imports.register import ImportView
from inventory.services.imports.rows import Line, Unreadable
from tests.support.inventory_world import DISK, OTHER_DISK, World

HEAD = "Asset tag,Serial number,Manufacturer,Model,Capacity,Place\n"


def send(world: World, text: str | bytes, by: str = "custodian", **more: Any) -> ImportView:  # noqa: ANN401 - fields of the call
    content = text.encode() if isinstance(text, str) else text
    return register.receive(world.context, world.actor(by), "list.csv", io.BytesIO(content), **more)


def to_its_end(world: World, by: str, view: ImportView) -> ImportView:
    """A busy machine does not finish within the moment that an answer may take."""
    while view.state in {"checking", "running"}:
        view = register.advance(world.context, world.actor(by), view.id)
    return view


def tried(world: World, text: str) -> ImportView:
    view = send(world, HEAD + text)
    return to_its_end(
        world, "custodian", register.check(world.context, world.actor("custodian"), view.id, view.version)
    )


def taken(world: World, text: str) -> ImportView:
    view = tried(world, text)
    return to_its_end(world, "custodian", register.run(world.context, world.actor("custodian"), view.id, view.version))


def outcomes(world: World, view: ImportView) -> list[tuple[int, str, list[str]]]:
    page = register.list_lines(world.context, world.actor("custodian"), view.id, limit=200)
    return [(one.line, str(one.outcome), [why["code"] for why in one.problems]) for one in page.items]


def devices(world: World) -> int:
    with world.context.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Device)) or 0


def test_a_file_is_taken_over_and_given_again_changes_nothing(world: World) -> None:
    place = places.CreateLocation(name="Store", zone=Zone.SECURE)
    number = places.create_location(world.context, world.actor("custodian"), place).id
    text = "BC-1,S1,Acme,EX-1,960 GB,Store\n,S2,Acme,EX-1,,\n"
    view = taken(world, text)
    assert (view.state, view.counts) == ("finished", {"new": 2})
    device = queries.device(world.context, world.actor("auditor"), "BC-1")
    assert (device.state, device.location) == (DeviceState.DECLARED, number)
    assert device.declared is not None
    assert device.declared.capacity_bytes == 960 * 10**9
    with world.context.reading() as session:
        assert session.get_one(Device, device.id).source == "list.csv, line 2"
    before = devices(world)
    again = taken(world, text)
    assert (again.counts, devices(world)) == ({"same": 2}, before)


def test_the_dry_run_changes_nothing_and_says_of_each_line_why(world: World) -> None:
    before = devices(world)
    lines = (
        "BC-1,S1,Acme,EX-1,960 GB,\n"  # 2: new
        "BC-1,S9,Acme,EX-1,,\n"  # 3: the tag stands above
        "BC-3,S1,Acme,EX-1,,\n"  # 4: the identity stands above
        ",,Acme,,,\n"  # 5: nobody
        "BC-4,,,,1,\n"  # 6: no capacity
        "BC-5,,,,,Atlantis\n"  # 7: no place
        'BC-6,"un"closed,,,,\n'  # 8: no CSV
    )
    view = tried(world, lines)
    assert outcomes(world, view) == [
        (2, "new", []),
        (3, "refused", ["twice"]),
        (4, "refused", ["twice"]),
        (5, "refused", ["no-identity"]),
        (6, "refused", ["capacity-unreadable"]),
        (7, "refused", ["location-unknown"]),
        (8, "refused", ["unreadable"]),
    ]
    assert devices(world) == before
    assert view.counts == {"new": 1, "refused": 6}


def test_a_device_an_agent_saw_first_is_declared_by_its_serial_number(world: World) -> None:
    view = taken(world, f"BC-1,{DISK.serial.lower()},Seagate,{DISK.model},,\n")
    assert view.counts == {"adopt": 1}
    device = world.device()
    assert device.asset_tag == "BC-1"
    assert "undeclared-device" not in world.codes(device=device.id)
    assert "device.declared" in world.tags(device.id)


def test_what_the_file_says_otherwise_than_the_drive_is_an_exception(world: World) -> None:
    taken(world, f"BC-1,{DISK.serial},Toshiba,{DISK.model},4 TB,\n")
    assert world.codes(device=world.device().id) == {"facts-differ"}


def test_a_known_device_is_never_overwritten(world: World) -> None:
    taken(world, "BC-1,S1,Acme,EX-1,,\n")
    view = tried(world, "BC-1,S2,Acme,EX-1,,\n")
    assert outcomes(world, view) == [(2, "refused", ["differs"])]


def test_what_happened_between_the_dry_run_and_the_run_is_seen(world: World) -> None:
    view = tried(world, "BC-1,S1,Acme,EX-1,,\n")
    taken(world, "BC-1,S2,Acme,EX-1,,\n")
    view = register.run(world.context, world.actor("custodian"), view.id, view.version)
    assert outcomes(world, view) == [(2, "refused", ["differs"])]
    assert view.counts == {"refused": 1}


def test_many_lines_go_step_by_step_and_upkeep_goes_on_with_them(world: World) -> None:
    lines = "".join(f"BC-{number},S{number},Acme,EX-1,,\n" for number in range(720))
    view = send(world, HEAD + lines)
    actor = world.actor("custodian")
    view = register.check(world.context, actor, view.id)
    while view.state == "checking":
        view = register.advance(world.context, actor, view.id, 0)
    assert view.counts == {"new": 720}
    with world.context.writing() as session:  # as if the process had ended right after it began
        session.execute(sa.text("UPDATE import SET state = 'running', begun_by = :who"), {"who": actor.ref})
        session.execute(sa.text("UPDATE import_line SET outcome = 'skipped' WHERE line > 120"))
    upkeep.run(world.context)
    view = register.one_import(world.context, actor, view.id)
    assert view.state == "finished"
    with world.context.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ImportPart)) == 0


def test_the_file_goes_when_the_import_ends_and_the_mapping_may_change_until_then(world: World) -> None:
    view = tried(world, "BC-1,S1,Acme,EX-1,,\n")
    actor = world.actor("custodian")
    other = mapping_of({**view.mapping, "columns": {"asset_tag": ["Serial number"]}})
    view = register.set_mapping(world.context, actor, view.id, other, view.version)
    assert (view.state, view.counts) == ("received", {})
    assert register.preview(world.context, actor, view.id)[0].facts["asset_tag"] == "S1"
    with pytest.raises(Conflict):
        register.run(world.context, actor, view.id)
    view = register.abandon(world.context, actor, view.id, view.version)
    with world.context.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ImportPart)) == 0
    for verb in (register.check, register.run, register.abandon):
        with pytest.raises(Conflict):
            verb(world.context, actor, view.id)


def test_who_was_disabled_takes_nothing_over(world: World) -> None:
    view = tried(world, "BC-1,S1,Acme,EX-1,,\n")
    with world.context.writing() as session:
        begun = {"who": world.actor("custodian").ref}
        session.execute(sa.text("UPDATE import SET state = 'running', begun_by = :who"), begun)
    people.set_enabled(world.context, world.actor("admin"), world.actor("custodian").ref, enabled=False)
    upkeep.run(world.context)
    assert register.one_import(world.context, world.actor("operator"), view.id).state == "running"


def test_strangers_stale_versions_and_too_many_imports_are_refused(world: World) -> None:
    with pytest.raises(Forbidden):
        send(world, HEAD + "BC-1,,,,,\n", by="auditor")
    with pytest.raises(NotFound):
        send(world, HEAD + "BC-1,,,,,\n", mapping="spreadsheet")
    view = send(world, HEAD + "BC-1,,,,,\n")
    with pytest.raises(StaleVersion):
        register.check(world.context, world.actor("custodian"), view.id, view.version + 1)
    for _ in range(register.MOST_OPEN - 1):
        send(world, HEAD + "BC-1,,,,,\n")
    with pytest.raises(Conflict, match="under way"):
        send(world, HEAD + "BC-1,,,,,\n")


def test_who_is_limited_reads_in_for_their_own_site(world: World) -> None:
    admin, custodian = world.actor("admin"), world.actor("custodian")
    ours, theirs = (
        organisation.create_site(world.context, admin, organisation.CreateSite(name=name)).id
        for name in ("Lisbon", "Porto")
    )
    command = places.CreateLocation(name="Their shelf", zone=Zone.SECURE, site=theirs)
    places.create_location(world.context, custodian, command)
    limited = dataclasses.replace(custodian, scope=Scope(frozenset({ours}), None))
    file = io.BytesIO((HEAD + "BC-1,S1,Acme,EX-1,,Their shelf\nBC-2,S2,Acme,EX-1,,\n").encode())
    view = register.receive(world.context, limited, "list.csv", file)
    view = register.check(world.context, limited, view.id)
    assert outcomes(world, view) == [(2, "refused", ["location-unknown"]), (3, "new", [])]
    register.run(world.context, limited, view.id)
    with world.context.reading() as session:
        assert session.scalars(sa.select(Device.site_id).where(Device.asset_tag == "BC-2")).one() == ours
    other = dataclasses.replace(world.actor("operator"), scope=limited.scope)
    with pytest.raises(NotFound):
        register.one_import(world.context, other, view.id)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        HEAD.encode(),
        b"\xff\xfe" + "A,B\n1,2\n".encode("utf-16-le"),
        b"\xd0\xcf\x11\xe0old",
        b"PK\x03\x04nothing",
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(world: World, content: bytes) -> None:
    with pytest.raises(Invalid):
        send(world, content)


# -- the two kinds of file ---------------------------------------------------------------------------------------------


def workbook(rows: list[list[Any]], **options: Any) -> bytes:  # noqa: ANN401 - options of the library
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, options)
    sheet = book.add_worksheet()
    for line, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if cell is not None:
                sheet.write(line, column, cell)
    book.close()
    return content.getvalue()


@pytest.mark.parametrize("options", [{}, {"constant_memory": True}])
def test_a_workbook_reads_as_the_same_table(options: dict[str, Any]) -> None:
    """With shared strings and with texts in the cells; the workbooks are made by another program."""
    rows: list[list[Any]] = [
        ["Asset tag", "Serial", "Size"],
        ["BC-1", "S1", 960_197_124_096],
        [],
        ["BC-3", None, 1.5],
        [None, "é&<", True],
    ]
    found = list(xlsx_file.lines(io.BytesIO(workbook(rows, **options))))
    assert found == [
        Line(1, ["Asset tag", "Serial", "Size"]),
        Line(2, ["BC-1", "S1", "960197124096"]),
        Line(4, ["BC-3", "", "1.5"]),
        Line(5, ["", "é&<", "1"]),
    ]


def repacked(content: bytes, member: str, replaced: bytes) -> io.BytesIO:
    found = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, replaced if name == member else old.read(name))
    found.seek(0)
    return found


@pytest.mark.parametrize(
    "sheet",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>',
        b"<worksheet><sheetData><row><c t='s'><v>99</v></c></row></sheetData></worksheet>",
        b"<worksheet><sheetData><row>",
        b"<worksheet>" + b" " * (40 << 20) + b"</worksheet>",
    ],
    ids=["entities", "a text that is not there", "broken off", "a bomb"],
)
def test_a_hostile_workbook_is_refused(sheet: bytes) -> None:
    with pytest.raises(Invalid):
        list(xlsx_file.lines(repacked(workbook([["A"], ["1"]]), "xl/worksheets/sheet1.xml", sheet)))


def test_a_csv_of_any_separator_is_read_and_a_bad_line_is_told() -> None:
    for separator in csv_file.SEPARATORS:
        text = f'\ufeffA{separator}B\r\n\r\n1{separator}"two\nlines"\r\n"x"y{separator}2\r\n'
        first, second, third = csv_file.lines(io.BytesIO(text.encode()))
        assert (first, second) == (Line(1, ["A", "B"]), Line(4, ["1", "two\nlines"]))
        assert isinstance(third, Unreadable)


# -- what other programs export ----------------------------------------------------------------------------------------

NETBOX = f"""\
ID,Name,Device,Parent,Component,Label,Role,Manufacturer,Part ID,Serial number,Asset tag,Discovered,Description,Tags
7,Disk 3,crm-db-01,,,bay 3,Disk,Seagate,{DISK.model},{DISK.serial},BC-1,True,,
8,PSU 1,crm-db-01,,,,Power supply,Delta,DPS-750,P1,,False,,
"""
SNIPE_IT = f"""\
ID,Company,Asset Name,Asset Tag,Model,Model No.,Category,Manufacturer,Serial,Purchased,Cost,Location,Status,Checked Out
1,Example,Disk,BC-1,{OTHER_DISK.model},ST4,Hard drives,Seagate,{OTHER_DISK.serial},2024-01-01,99,,Ready to Deploy,
2,Example,Laptop,BC-2,Latitude,5520,Laptops,Dell,L1,2024-01-01,999,,Deployed,Somebody
3,Example,Disk,BC-3,EX-1,EX,Hard drives,Acme,S3,2019-01-01,99,,Archived,
"""
SERVICENOW = """\
Asset tag,Display name,Model category,Model,Serial number,State,Substate,Assigned to,Location,Configuration Item
BC-1,BC-1 - Acme EX-1,Disk Drive,Acme EX-1,S1,In stock,Available,,,
BC-2,BC-2 - Dell,Computer,Dell R740,S2,In use,,Somebody,,crm-db-01
BC-3,BC-3 - Acme EX-1,Disk Drive,Acme EX-1,S3,Retired,Disposed,,,
"""
EXPORTS = {
    "netbox": (NETBOX, {"adopt": 1, "skipped": 1}),
    "snipe-it": (SNIPE_IT, {"adopt": 1, "skipped": 2}),
    "servicenow": (SERVICENOW, {"new": 1, "skipped": 2}),
}


@pytest.mark.parametrize("program", EXPORTS)
def test_an_export_of_another_program_is_read_by_its_ready_made_mapping(world: World, program: str) -> None:
    text, counts = EXPORTS[program]
    view = send(world, text, mapping=program)
    view = register.check(world.context, world.actor("custodian"), view.id, view.version)
    assert view.counts == counts
    assert not [one for one in outcomes(world, view) if one[1] == Outcome.REFUSED]


def test_every_ready_made_mapping_is_a_mapping() -> None:
    assert set(register.ready_made()) == {"generic", "places", "data-sets", "holdings", "people", "hosts", *EXPORTS}
    assert all(isinstance(mapping, ImportMapping) for mapping in register.ready_made().values())


def test_the_page_on_integrations_names_events_that_exist_and_a_mapping_that_works() -> None:
    page = (Path(__file__).parents[4] / "docs" / "integrations.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    tags = {tag for row in rows for tag in re.findall(r"`([a-z]+[.][a-z-]+)`", row)}
    assert len(tags) > 15
    assert tags <= {str(tag) for tag in Tag}
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    mapping = mapping_from_text(example)
    assert set(mapping.columns) == set(FIELDS[Subject.DEVICES])
    for subject, fields in FIELDS.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{subject}`") and "**" in line] or [""]
        assert subject is Subject.DEVICES or all(str(one) in row for one in fields), subject
    assert all(f"| `{name}` |" in page for name in register.ready_made())


@pytest.mark.parametrize(
    ("subject", "found", "together"),
    [
        (Subject.DEVICES, [Outcome.NEW] * 60, 60),
        (Subject.DEVICES, [Outcome.NEW, Outcome.ADOPT] * 30, 50),
        (Subject.HOLDINGS, [Outcome.NEW] * 60, 25),
    ],
)
def test_what_is_taken_one_by_one_keeps_everybody_else_waiting_no_longer(
    subject: Subject, found: list[Outcome], together: int
) -> None:
    waiting = [ImportLine(line=number, outcome=outcome) for number, outcome in enumerate(found)]
    assert len(steps._portion(Import(subject=subject), waiting)) == together
