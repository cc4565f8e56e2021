"""The verifier in another language on lots, processors' statements, destructions and customers' statements: the same answers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reports.verify import verify
from tests.support.capabilities import requires_tool
from tests.support.documents import Destroyed, Processor, three_media
from tests.support.evidence import World, certified
from tests.support.second_judge import File, broken, handed_over, judged, node
from tests.unit.reports import test_destruction as destructions
from tests.unit.reports import test_lot as lots
from tests.unit.reports import test_processor as processors
from tests.unit.reports import test_statement as statements

MODULES = {"lot": lots, "processor": processors, "destruction": destructions, "statement": statements}

pytestmark = [pytest.mark.reference_tool, pytest.mark.xdist_group("independent-verifier"), requires_tool("node")]


class Judged(NamedTuple):
    """Every file that the tests of one kind hand to our verifier, and what the other one says of it."""

    files: list[File]
    said: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judged]:
    found = {}
    for kind, module in MODULES.items():
        files = handed_over(module)
        found[kind] = Judged(files, judged(tmp_path_factory.mktemp(kind), files))
    return found


@pytest.fixture(params=MODULES)
def both(request: pytest.FixtureRequest, everything: dict[str, Judged]) -> Judged:
    return everything[request.param]


def test_both_say_yes_and_no_of_the_same_documents(both: Judged) -> None:
    files, said = both
    assert {file.name: said[file.name]["yes"] for file in files} == {file.name: file.ours.yes for file in files}
    assert Counter(file.ours.yes for file in files)[True] >= 2
    assert all(
        any(one.startswith("sentences") for one in said[file.name]["notChecked"]) for file in files if file.ours.yes
    )


def test_a_genuine_report_fails_in_its_last_check_alone(both: Judged) -> None:
    """What calls itself incomplete is no yes and no forgery either, in both."""
    files, said = both
    reports = {file.name for file in files if file.ours.genuine and not file.ours.yes}
    assert reports == {file.name for file in files if broken(said[file.name]) == ["complete"]}


def test_each_of_its_checks_of_documents_catches_somebody(everything: dict[str, Judged]) -> None:
    """Those that certificates have too catch theirs in the tests of certificates."""
    said = [one for kind in everything.values() for one in kind.said.values()]
    caught = {name for one in said for name in broken(one)}
    documents = [one["checks"] for one in said if one["checks"][-1]["name"] == "complete"]
    assert {check["name"] for checks in documents for check in checks} - {"form", "checkpoint"} <= caught


def test_evidence_beside_a_lot_is_looked_for_in_its_folder(tmp_path: Path) -> None:
    world = World()
    some = three_media(world)
    some.evidence = "beside"
    document = tmp_path / "lot-certificate.json"
    document.write_bytes(some.issue().to_bytes())
    media = {one.digest(): one.to_bytes() for _, one in some.media}

    def said() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(node(str(document), world.pin).stdout)
        return found

    assert broken(said()) == ["complete"]
    for number, data in enumerate(media.values()):
        (tmp_path / f"called anything {number}.json").write_bytes(data)
    assert said()["yes"]
    (tmp_path / "called anything 0.json").write_bytes(b"{}")
    assert broken(said()) == ["complete"]


def test_documents_of_a_log_that_went_on_are_a_yes_in_both(tmp_path: Path) -> None:
    """Rosters that followed one another, a key revoked later, entries before and after: every proof has another shape."""
    files = []
    for number in range(3):
        world = World()
        for filler in range(5 * number):
            world.log.append_entry(b"%d" % filler)
        if number:
            world.add_roster()
        lot = three_media(world)
        gone = Destroyed(world, identity=certified(world))
        statement = Processor(lot)
        made: list[Any] = [lot, gone, statement]
        for one in made:
            one.issue()
        for filler in range(3 * number):
            world.log.append_entry(b"later %d" % filler)
        world.key_event("revoke", "agent", "h-crm-db-01", world.agent)
        documents = [one.file() for one in made]
        for document in documents:
            data = document.to_bytes()
            files.append(File(f"{number} {document.format}", data, world.pin, verify(data, world.pin)))
    said = judged(tmp_path, files)
    assert [file.ours.yes for file in files] == [True] * len(files)
    assert {name: broken(one) for name, one in said.items()} == {file.name: [] for file in files}
