"""Audit packs made by the real services and judged by the real verifier: what they hold, who may take them, every cheat."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inventory.domain.vocabulary import Zone
from inventory.errors import Forbidden, Invalid, NotFound, Unavailable
from inventory.models import AuditPack, LogEntry
from inventory.services import (
    audit_packs,
    certificates,
    corrections,
    devices,
    exceptions,
    places,
    queries,
    setup,
    verification,
)
from inventory.services.audit_packs import RequestPack
from inventory.services.packs.clauses import PARTS, clauses
from inventory.services.packs.tables import FORMULA_STARTS, Rows, Table, as_csv, as_json_lines, defused, workbook
from inventory.settings import Settings
from reports.pack.verify import verify_pack
from reports.verify_steps import Verification
from tests.support.inventory_world import FixedClock, World, copied_world
from tests.support.large_inventory import enlarge
from tests.support.pack_cheats import Members, archived, members_of, resealed, with_account, with_manifest


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """One medium at a place of its own, sanitized and certified, no question open about it; made once."""
    folder = tmp_path_factory.mktemp("certified") / "data"
    with copied_world(folder) as world:
        world.hold_data()
        world.unmount()
        order = world.sanitized()
        custodian = world.actor("custodian")
        certificates.issue(world.context, custodian, order.id)
        place = places.create_location(
            world.context, custodian, places.CreateLocation(name="Store 1", zone=Zone.SECURE)
        )
        moved = devices.MoveDevice(device=world.device().id, location=place.id, reason="to the store")
        devices.move(world.context, custodian, moved)
        page = queries.list_exceptions(world.context, world.actor("auditor"), device=world.device().id, limit=200)
        for item in page.items:
            command = exceptions.ResolveException(exception=item.id, resolution="Declared since, as everybody knows.")
            exceptions.resolve(world.context, custodian, command)
    return folder, world


@contextmanager
def opened_copy(template: tuple[Path, World], target: Path) -> Iterator[World]:
    folder, made = template
    shutil.copytree(folder, target)
    clock = FixedClock(made.clock.moment)
    context = setup.open_inventory(Settings(data_dir=target), clock)
    world = World(context, clock, target, dict(made.actors), dict(made.signers))
    yield world
    world.close()


@pytest.fixture
def certified(template: tuple[Path, World], tmp_path: Path) -> Iterator[World]:
    """A copy, for tests that change something."""
    with opened_copy(template, tmp_path / "data") as world:
        yield world


@pytest.fixture(scope="module")
def shared(template: tuple[Path, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all who only look, or whose lies stand beside one another in its log."""
    with opened_copy(template, tmp_path_factory.mktemp("shared") / "data") as world:
        yield world


@pytest.fixture(scope="module")
def pack(shared: World) -> bytes:
    """A whole pack of it."""
    return fetch(shared, ask(shared))


def ask(world: World, by: str = "auditor", **fields: Any) -> str:  # noqa: ANN401 - fields of the command
    told = {"scope": "site", "reference": "L-0001", **fields}
    return audit_packs.request(world.context, world.actor(by), RequestPack(**told)).number


def fetch(world: World, number: str, by: str = "auditor") -> bytes:
    return b"".join(audit_packs.stream(world.context, world.actor(by), number).parts)


def period(world: World) -> dict[str, Any]:
    now = world.clock.now()
    return {"scope": "period", "reference": "", "begin": now - timedelta(days=9), "end": now + timedelta(days=9)}


def judge(world: World, pack: bytes) -> Verification:
    return verify_pack(io.BytesIO(pack), setup.trust(world.context).pin)


def failed(found: Verification) -> str:
    return next((check.code for check in found.checks if check.state == "failed"), "")


# -- what it holds -----------------------------------------------------------------------------------------------------------


def test_a_pack_whose_devices_are_all_accounted_for_is_a_yes(shared: World, pack: bytes) -> None:
    found = judge(shared, pack)
    assert found.yes, found.conclusion
    assert {check.state for check in found.checks} == {"passed"}
    assert found.kind == "audit-pack"


def test_ordinary_tools_read_it(pack: bytes, tmp_path: Path) -> None:
    file = tmp_path / "p.zip"
    file.write_bytes(pack)
    assert subprocess.run(["unzip", "-tq", str(file)], capture_output=True, check=False).returncode == 0
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        assert [one["name"] for one in manifest["members"]] == names[:-2]
        page = archive.read("index.html").decode()
    assert "<script" not in page
    assert "SC-2026-000001" in page


def test_it_carries_the_balance_of_its_scope(pack: bytes) -> None:
    rows = list(csv.DictReader(io.StringIO(members_of(pack)["tables/balance.csv"].decode("utf-8-sig"))))
    numbers = {row["Name"]: int(row["Devices"]) for row in rows if row["Kind"] == "number"}
    listed = list(csv.DictReader(io.StringIO(members_of(pack)["tables/devices.csv"].decode("utf-8-sig"))))
    assert numbers["total"] == numbers["present"] == numbers["observed"] == len(listed) == 1
    undeclared = [int(row["Devices"]) for row in rows if row["Name"] == "undeclared-device"]
    assert sum(undeclared) == numbers["total"] - numbers["declared"]


def test_a_device_with_an_open_question_makes_it_not_yet(shared: World) -> None:
    found = judge(shared, fetch(shared, ask(shared, **period(shared))))
    assert (found.genuine, found.yes) == (True, False)
    assert "1 of its 2 devices" in found.conclusion


def test_a_voided_certificate_makes_it_not_yet(certified: World) -> None:
    command = corrections.Correct(document="SC-2026-000001", action="void", reason="The serial number was mistaken.")
    corrections.correct(certified.context, certified.actor("validator"), command)
    found = judge(certified, fetch(certified, ask(certified)))
    assert (found.genuine, found.yes) == (True, False)


def test_a_pack_without_documents_is_no_yes(shared: World) -> None:
    found = judge(shared, fetch(shared, ask(shared, documents="none")))
    assert (found.genuine, found.yes) == (True, False)
    assert "left out" in found.conclusion


def test_a_pack_of_evidence_alone_is_a_yes(shared: World) -> None:
    pack = fetch(shared, ask(shared, documents="bundles"))
    assert judge(shared, pack).yes
    assert not [name for name in members_of(pack) if name.endswith(".pdf")]


def test_an_empty_scope_shows_nothing(certified: World) -> None:
    places.create_location(
        certified.context,
        certified.actor("custodian"),
        places.CreateLocation(name="Empty", zone=Zone.OPEN),
    )
    found = judge(certified, fetch(certified, ask(certified, reference="L-0002")))
    assert (found.genuine, found.yes) == (True, False)


def test_nothing_changed_makes_the_same_pack_and_one_entry_of_the_log(certified: World) -> None:
    number = ask(certified)
    first, second = members_of(fetch(certified, number)), members_of(fetch(certified, number))
    assert {n: c for n, c in first.items() if n != "seal.json"} == {n: c for n, c in second.items() if n != "seal.json"}
    with certified.context.reading() as session:
        assert session.query(LogEntry).filter(LogEntry.subject == number).count() == 1


def test_names_stand_in_it_only_when_asked_for(shared: World) -> None:
    def tables(pack: bytes) -> bytes:
        return b"".join(
            c for n, c in members_of(pack).items() if n.startswith(("tables/", "index", "log/")) and ".x" not in n
        )

    names = [f"{login.title()} Example".encode() for login in ("custodian", "operator")]
    plain = tables(fetch(shared, ask(shared)))
    assert not any(name in plain for name in names)
    assert f"by the pseudonym {shared.actor('auditor').ref}".encode() in plain
    full = tables(fetch(shared, ask(shared, names="full")))
    assert all(name in full for name in [*names, b"by Auditor Example"])


def test_the_sample_is_drawn_by_the_log_and_the_word(certified: World) -> None:
    world = certified
    enlarge(world, 200)
    drawn = {
        word: members_of(fetch(world, ask(world, word=word, documents="none", **period(world))))["sampling.jsonl"]
        for word in ("", "barleycorn")
    }
    assert len(drawn[""].splitlines()) == 11, "5 percent of 202, rounded up"
    assert drawn[""] != drawn["barleycorn"]


# -- who may -----------------------------------------------------------------------------------------------------------------


def test_only_those_who_may_export_ask_and_fetch(shared: World) -> None:
    number = ask(shared)
    for login in ("viewer", "operator", "custodian", "validator", "approver1", "admin"):
        with pytest.raises(Forbidden):
            ask(shared, by=login)
        with pytest.raises(Forbidden):
            fetch(shared, number, by=login)


def test_a_privacy_officer_takes_cases_only_and_no_names(shared: World) -> None:
    with pytest.raises(Forbidden):
        ask(shared, by="privacy")
    with pytest.raises(Forbidden):
        fetch(shared, ask(shared), by="privacy")
    with pytest.raises(Forbidden):
        ask(shared, by="privacy", scope="case", names="full")
    with pytest.raises(NotFound):
        ask(shared, by="privacy", scope="case", reference="EC-0")


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": "period", "reference": ""},
        {"scope": "period", "reference": "L-0001", "begin": "now", "end": "later"},
        {"scope": "period", "reference": "", "begin": "later", "end": "now"},
        {"scope": "site", "begin": "now"},
        {"word": "x" * 101},
    ],
)
def test_a_scope_that_means_nothing_is_refused(shared: World, fields: dict[str, Any]) -> None:
    now = shared.clock.now()
    times = {"now": now, "later": now + timedelta(days=1)}
    with pytest.raises(Invalid):
        ask(shared, **{name: times.get(value, value) for name, value in fields.items()})


@pytest.mark.parametrize(
    "fields", [{"reference": "L-9"}, {"scope": "lot", "reference": "LC-9"}, {"scope": "case", "reference": ""}]
)
def test_a_scope_that_is_not_there_is_not_found(shared: World, fields: dict[str, Any]) -> None:
    with pytest.raises(NotFound):
        ask(shared, **fields)


def test_who_took_what_away_stands_in_the_history(certified: World) -> None:
    number = ask(certified, names="full")
    fetch(certified, number)
    assert certified.tags(number) == ["audit-pack.requested", "audit-pack.begun", "audit-pack.exported"]
    page = queries.list_events(certified.context, certified.actor("auditor"), subject=number, limit=5)
    assert page.items[0].actor == certified.actor("auditor").ref
    assert page.items[0].details["names"] == "full"


# -- broken off --------------------------------------------------------------------------------------------------------------


def test_a_pack_broken_off_leaves_nothing_and_can_be_fetched_again(
    certified: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    number = ask(certified)
    monkeypatch.setattr("inventory.services.packs.making.CHUNK", 1000)
    parts = audit_packs.stream(certified.context, certified.actor("auditor"), number).parts
    begun = next(parts)
    parts.close()  # type: ignore[attr-defined]  # as the server does when its client goes away
    assert begun
    assert certified.tags(number)[-1] == "audit-pack.broken-off"
    assert list((tmp_path / "t").iterdir()) == []
    with certified.context.reading() as session:
        assert session.query(LogEntry).filter(LogEntry.subject == number).count() == 0
    assert judge(certified, fetch(certified, number)).yes


def test_dropping_a_pack_unread_gives_its_place_back(shared: World) -> None:
    number = ask(shared)
    for _ in range(5):
        audit_packs.stream(shared.context, shared.actor("auditor"), number)
    assert judge(shared, fetch(shared, number)).yes


def test_two_packs_are_made_at_once_and_no_third(shared: World) -> None:
    number = ask(shared)
    kept = [audit_packs.stream(shared.context, shared.actor("auditor"), number) for _ in range(2)]
    with pytest.raises(Unavailable):
        audit_packs.stream(shared.context, shared.actor("auditor"), number)
    for pack in kept:
        pack.parts.close()  # type: ignore[attr-defined]  # as the server does
    assert judge(shared, fetch(shared, number)).yes


def test_a_row_of_a_pack_is_never_changed(shared: World) -> None:
    number = ask(shared)
    with pytest.raises(Exception, match="own rules"), shared.context.writing() as session:
        session.get_one(AuditPack, number).names = "full"


# -- cheats ------------------------------------------------------------------------------------------------------------------


def test_every_cut_and_a_flipped_bit_anywhere_is_a_no(certified: World) -> None:
    pack = fetch(certified, ask(certified, documents="bundles"))
    for place in range(0, len(pack), len(pack) // 60):
        altered = bytearray(pack)
        altered[place] ^= 1
        assert not judge(certified, bytes(altered)).genuine, place
        assert not judge(certified, pack[:place]).genuine, place
    assert not judge(certified, pack + b"\0").genuine


def test_another_pin_is_a_no(pack: bytes) -> None:
    found = verify_pack(io.BytesIO(pack), "00" * 32)
    assert (found.genuine, failed(found)) == (False, "head")
    assert not verify_pack(io.BytesIO(pack), "nonsense").genuine


def test_packed_otherwise_it_is_a_no(shared: World, pack: bytes) -> None:
    """The same members, packed again: nothing in them was altered, and still it is not what was signed."""
    members = members_of(pack)
    assert archived(members) != pack
    assert not judge(shared, archived(members)).genuine


def swap_documents(members: Members) -> Members:
    name = next(one for one in members if one.endswith(".pdf"))
    return {**members, name: members[name][:-1] + b"\n\n"}


CHEATS: dict[str, tuple[str, Callable[[Members], Members]]] = {
    "member left out": ("manifest", lambda m: {n: c for n, c in m.items() if n != "tables/history.csv"}),
    "member added": ("manifest", lambda m: {"pack.json": m["pack.json"], "log/extra.jsonl": b"", **m}),
    "member altered": ("manifest", lambda m: {**m, "tables/history.csv": m["tables/history.csv"] + b"x"}),
    "manifest left out": ("manifest", lambda m: {n: c for n, c in m.items() if n != "manifest.json"}),
    "seal left out": ("statement", lambda m: {n: c for n, c in m.items() if n != "seal.json"}),
    "document altered": ("documents", swap_documents),
    "sample left out": ("manifest", lambda m: {n: c for n, c in m.items() if n != "sampling.jsonl"}),
    "head not first": ("form", lambda m: {"index.html": m["index.html"], **m}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_without_the_services_key_is_a_no(shared: World, pack: bytes, name: str) -> None:
    step, cheat = CHEATS[name]
    members = cheat(members_of(pack))
    found = judge(shared, archived(members))
    assert (found.genuine, failed(found)) == (False, step)
    if step == "manifest" and "manifest.json" in members and "sampling.jsonl" in members:
        assert failed(judge(shared, archived(with_manifest(members)))) == "statement", (
            "a manifest that fits is not signed"
        )


def drop_document(members: Members) -> Members:
    return {n: c for n, c in members.items() if "SC-2026-000001" not in n}


def account(change: Callable[[dict[str, Any]], None]) -> Callable[[Members], Members]:
    return lambda members: with_account(members, "D-000001", change)


def unlist_documents(members: Members) -> Members:
    return with_account(drop_document(members), "D-000001", lambda value: value.update(documents=[]))


LIES: dict[str, tuple[str, Callable[[Members], Members]]] = {
    "certificate left out": ("accounts", drop_document),
    "certificate left out and not listed": ("accounts", unlist_documents),
    "sanitized, of another medium": ("accounts", account(lambda v: v["device"].update(fingerprint="ab" * 32))),
    "sanitized by a voided certificate": ("accounts", account(lambda v: v["documents"][0].update(standing="void"))),
    "destroyed by a certificate of sanitization": ("accounts", account(lambda v: v.update(account="destroyed"))),
    "unaccounted without an exception": ("accounts", account(lambda v: v.update(account="unaccounted"))),
    "account of another device": ("accounts", account(lambda v: v["device"].update(id="D-000009"))),
    "custody event left out": ("accounts", account(lambda v: v.update(custody=v["custody"][1:]))),
    "custody event altered": ("accounts", account(lambda v: v["custody"][0]["envelope"].update(payload="e30="))),
    "unknown field": ("accounts", account(lambda v: v.update(more="x"))),
    "another sample": ("sampling", lambda m: {**m, "sampling.jsonl": b""}),
    "key event left at another place": (
        "log", lambda m: {**m, "log/key-events.jsonl": b"".join(reversed(m["log/key-events.jsonl"].splitlines(keepends=True)))},
    ),
    "key event invented": (
        "log", lambda m: {**m, "log/key-events.jsonl": m["log/key-events.jsonl"].replace(b'"index":', b'"index":1', 1)},
    ),
    "line that does not end": ("form", lambda m: {**m, "log/rosters.jsonl": m["log/rosters.jsonl"][:-1]}),
    "device without an account": (
        "accounts", lambda m: {n: c for n, c in m.items() if n != "devices/D-000001/account.json"},
    ),
    "stray file among the devices": ("documents", lambda m: {**m, "devices/stray.txt": b"x"}),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_under_the_services_own_signature_is_a_no(shared: World, pack: bytes, name: str) -> None:
    step, lie = LIES[name]
    found = judge(shared, resealed(shared, _in_order(lie(members_of(pack)))))
    assert (found.genuine, found.yes) == (False, False)
    assert failed(found) == step, found.conclusion


def test_sealing_anew_is_no_cheat_by_itself(shared: World, pack: bytes) -> None:
    assert judge(shared, resealed(shared, members_of(pack))).yes


def _in_order(members: Members) -> Members:
    """Stray members stand where their folder is."""
    stray = {n: c for n, c in members.items() if n == "devices/stray.txt"}
    if not stray:
        return members
    first = {n: c for n, c in members.items() if n.startswith(("pack.json", "log/"))}
    return {**first, **stray, **{n: c for n, c in members.items() if n not in first and n not in stray}}


@pytest.mark.parametrize("field", ["devices", "accounted", "exceptions", "documents", "members", "content_bytes"])
def test_sums_that_are_not_those_of_the_pack_are_a_no(shared: World, pack: bytes, field: str) -> None:
    assert failed(judge(shared, resealed(shared, members_of(pack), **{field: 7_777}))) == "statement"


def test_bad_input_never_raises() -> None:
    for content in (b"", b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 5000, b"%PDF", b"{}" * 1000):
        assert not verify_pack(io.BytesIO(content), "ab" * 32).genuine


# -- tables ------------------------------------------------------------------------------------------------------------------

HOSTILE = [f'{start}cmd|" /C calc"!A0' for start in FORMULA_STARTS] + [
    "  =1+1",
    "a\r\nb",
    'say "so"',
    "a,b",
    "\ufeff",
    "ok",
    "-5",
]


@pytest.fixture
def rows() -> Iterator[Rows]:
    found = Rows(Table("t", "T", ("Text", "Number")))
    for text in HOSTILE:
        found.add(text, -5)
    yield found
    found.close()


def test_no_cell_of_a_csv_is_a_formula(rows: Rows) -> None:
    text = b"".join(as_csv(rows)).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert len(read) == len(HOSTILE)
    for cells, text in zip(read, HOSTILE, strict=True):
        assert not cells[0].lstrip(" ").startswith(FORMULA_STARTS)
        assert cells[0] == defused(text)
        assert cells[1] == "-5", "a number is no text"


def test_json_lines_have_every_value_as_it_is(rows: Rows) -> None:
    read = [json.loads(line)["text"] for line in b"".join(as_json_lines(rows)).decode().splitlines()]
    assert read == HOSTILE


def test_no_cell_of_a_workbook_is_a_formula(rows: Rows) -> None:
    content = b"".join(part for part in workbook([rows]) if part)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet
        assert sheet.count('t="inlineStr"') == len(HOSTILE) + 2
        assert 'quotePrefix="1"' in book.read("xl/styles.xml").decode()


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.services.packs.tables.SHEET_ROWS", 4)
    content = b"".join(part for part in workbook([rows]) if part)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheets = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        assert len(sheets) == -(-len(HOSTILE) // 4)


# -- clauses -----------------------------------------------------------------------------------------------------------------


def test_every_clause_points_to_parts_that_exist_and_claims_nothing() -> None:
    for clause in clauses():
        assert set(clause.evidence) <= set(PARTS)
        assert clause.asks
        assert bool(clause.gap) == bool(clause.who), clause
        text = f"{clause.asks} {clause.gap}".lower()
        assert not any(word in text for word in ("complian", "certified", "unrecoverable", "conform")), clause


def test_every_part_is_a_member_of_a_pack(pack: bytes) -> None:
    names = set(members_of(pack))
    assert {place for _, place in PARTS.values()} <= names


def test_every_standard_of_the_list_is_there() -> None:
    assert {clause.standard.split(":")[0] for clause in clauses()} == {
        "NIST SP 800-88 Rev. 2", "R2v3", "NAID AAA", "ADISA", "ISO/IEC 27001", "PCI DSS 4.0.1", "GDPR", "HIPAA",
    }  # fmt: skip


# -- size --------------------------------------------------------------------------------------------------------------------

MEASURE = """
import re, sys
from pathlib import Path
from inventory.clock import SystemClock
from inventory.services import audit_packs, setup
from inventory.services.audit_packs import RequestPack
from inventory.services.context import Actor
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.settings import Settings
from reports.pack.verify import verify_pack
from datetime import UTC, datetime

context = setup.open_inventory(Settings(data_dir=Path(sys.argv[1])), SystemClock())
actor = Actor(sys.argv[2], "person", frozenset({Role.AUDITOR}), scope=EVERYTHING)
asked = audit_packs.request(context, actor, RequestPack(
    scope="period", begin=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2100, 1, 1, tzinfo=UTC)))
with open(sys.argv[3], "wb") as file:
    for part in audit_packs.stream(context, actor, asked.number).parts:
        file.write(part)
with open(sys.argv[3], "rb") as file:
    assert verify_pack(file, setup.trust(context).pin).genuine
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def test_memory_does_not_grow_with_the_number_of_records(tmp_path: Path) -> None:
    """A pack of 6,000 devices and 18,000 events costs what one of 300 costs, made and verified."""
    peaks = []
    for number in (300, 6000):
        with copied_world(tmp_path / f"data-{number}") as world:
            enlarge(world, number)
            auditor = world.actor("auditor").ref
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, str(tmp_path / f"data-{number}"), auditor, str(tmp_path / f"{number}.zip")],
            cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert (tmp_path / "6000.zip").stat().st_size > 4 << 20
    assert peaks[1] - peaks[0] < 16 * 1024, peaks


# -- the verification page about the same documents --------------------------------------------------------------------------


def test_a_document_of_this_log_stands_until_a_correction_takes_it_back(certified: World) -> None:
    context, auditor = certified.context, certified.actor("auditor")
    file = certificates.pdf(context, auditor, "SC-2026-000001")
    evidence = certificates.certificate(context, auditor, "SC-2026-000001").bundle_sha256 or ""
    before = verification.check(context, file, expected=evidence)
    assert (before.answer, before.own_pin, before.as_expected) == ("yes", True, True)
    assert before.standing is not None
    assert before.standing.known
    assert verification.standing(context, evidence).known, "by the digest that paper names"
    command = corrections.Correct(document="SC-2026-000001", action="void", reason="The serial number was mistaken.")
    corrections.correct(context, certified.actor("validator"), command)
    after = verification.check(context, file)
    assert after.verification["yes"], "the file itself cannot know of it"
    assert after.answer == "no"
    assert after.standing is not None
    assert after.standing.void
    assert verification.standing(context, evidence).void


def test_the_verification_page_judges_packs_too(shared: World, pack: bytes) -> None:
    found = verification.check(shared.context, pack)
    assert (found.answer, found.verification["kind"]) == ("yes", "audit-pack")
    assert verification.check(shared.context, pack[:-1]).answer == "no"
