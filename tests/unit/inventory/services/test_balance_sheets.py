"""A closed balance is counted again offline: honest ones are a yes, and a lie is a no, even where the service signed it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.balance import Item, ScopeKind, Standing, differences_of, tallied
from inventory.domain.balance import belongs as belongs_by_domain
from inventory.domain.vocabulary import DeviceState
from inventory.errors import Conflict, Forbidden, NotFound
from inventory.services import _sheets, reconciliation, setup
from inventory.services.queries import balances
from reports.balance import BalanceCount, CountedBalance
from reports.files import BalanceFile, read_file
from reports.verify import verify
from reports.verify_balance import belongs, count, differences
from reports.verify_steps import Verification
from tests.support.capabilities import requires_tool
from tests.support.inventory_world import World, copied_world
from tests.support.second_judge import File, broken, judged

from .test_reconciliation import adopt_everything, answer, close, declare, draw, found, store


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both disks declared, one more that nobody ever saw."""
    with copied_world(tmp_path_factory.mktemp("sheets") / "data") as world:
        adopt_everything(world)
        declare(world, "BC-8", store(world))
        yield world


def closed(world: World, **more: Any) -> str:  # noqa: ANN401 - fields of the command
    drawn = draw(world, **more)
    for one in found(world, drawn).values():
        if not one.answered:
            answer(world, one)
    return close(world, draw(world, **more)).id


def taken(world: World, number: str) -> bytes:
    return balances.sheet_file(world.context, world.actor("auditor"), number)


JUDGED: list[File] = []
"""Every file of these tests with what ours said, for the verifier in another language."""


def judge(world: World, data: bytes) -> Verification:
    pin = setup.trust(world.context).pin
    result = verify(data, pin)
    JUDGED.append(File(f"{len(JUDGED)}", data, pin, result))
    return result


def failed(world: World, data: bytes) -> str:
    result = judge(world, data)
    assert not result.yes
    return next((check.code for check in result.checks if check.state == "failed"), "")


@pytest.fixture(scope="module")
def honest(shared: World) -> bytes:
    return taken(shared, closed(shared))


def test_an_honest_balance_is_counted_again(shared: World, honest: bytes) -> None:
    result = judge(shared, honest)
    assert result.yes, result.conclusion
    facts = {fact.label: fact.value for fact in result.facts}
    assert (facts["Declared"], facts["Observed"], facts["Present"]) == ("3", "2", "3")
    assert "declared-not-observed, X-" in facts["Difference 1"]
    assert result.kind == "balance"


def test_an_open_balance_has_no_file_and_an_outsider_none_at_all(shared: World) -> None:
    drawn = draw(shared, ScopeKind.HOST, reference=shared.agent.host)
    with pytest.raises(Conflict, match="not closed"):
        taken(shared, drawn.id)
    with pytest.raises(NotFound):
        taken(shared, "BL-99999")
    with pytest.raises(Forbidden):
        balances.sheet_file(shared.context, dataclasses.replace(shared.actor("custodian"), roles=frozenset()), drawn.id)


def _file(data: bytes) -> BalanceFile:
    file = read_file(data)
    assert isinstance(file, BalanceFile)
    return file


EDITS: dict[str, tuple[str, Callable[[BalanceFile], BalanceFile]]] = {
    "a device left out": ("sheet", lambda file: dataclasses.replace(file, devices=(file.devices or ())[1:])),
    "a device twice": ("sheet", lambda file: dataclasses.replace(file, devices=(file.devices or ())[:1] * 2)),
    "another word about a device": (
        "sheet",
        lambda file: dataclasses.replace(
            file,
            devices=(dataclasses.replace((file.devices or ())[0], attached=False), *(file.devices or ())[1:]),
        ),
    ),
    "a difference left out": ("differences", lambda file: dataclasses.replace(file, lines=())),
    "the statement of another place in the log": (
        "statement",
        lambda file: dataclasses.replace(
            file, statement=dataclasses.replace(file.statement, index=file.statement.index - 1)
        ),
    ),
    "another balance as the one before": ("before", lambda file: dataclasses.replace(file, before=file.statement)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_file_is_refused(shared: World, honest: bytes, edit: str) -> None:
    step, change = EDITS[edit]
    assert failed(shared, change(_file(honest)).to_bytes()) == step


def test_without_its_sheet_it_is_genuine_and_no_yes(shared: World, honest: bytes) -> None:
    result = judge(shared, dataclasses.replace(_file(honest), devices=None).to_bytes())
    assert (result.genuine, result.yes) == (True, False)
    assert "nobody can count it again" in result.conclusion


def test_a_sheet_too_long_for_a_file_is_left_out(shared: World, honest: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sheets, "MOST", 10)
    number = next(fact.value for fact in verify(honest, setup.trust(shared.context).pin).facts)
    assert _file(taken(shared, number)).devices is None


LIES: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "one device less": (
        "count",
        lambda said: {
            "counts": tuple(
                BalanceCount(name=one.name, devices=one.devices - (one.name in {"present", "total", "before"}))
                for one in said["counts"]
            )
        },
    ),
    "a number twice": ("count", lambda said: {"counts": (*said["counts"], said["counts"][0])}),
    "no difference": ("differences", lambda _: {"differences": 0}),
    "another sheet": ("sheet", lambda _: {"devices_sha256": "ab" * 32}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_that_the_service_signed_is_found(shared: World, lie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step, change = LIES[lie]
    signed = CountedBalance
    monkeypatch.setattr(reconciliation, "CountedBalance", lambda **said: signed(**{**said, **change(said)}))
    assert failed(shared, taken(shared, closed(shared))) == step


def test_a_period_goes_on_where_the_one_before_it_ended(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    start = shared.clock.now()
    shared.clock.forward(minutes=60)
    middle = shared.clock.now()
    first = closed(shared, begin=start - timedelta(days=30), end=middle)
    shared.clock.forward(minutes=60)
    later = shared.clock.now()
    number = closed(shared, begin=middle, end=later)
    data = taken(shared, number)
    assert judge(shared, data).yes
    assert _file(data).before is not None
    assert first in next(
        check.detail for check in verify(data, setup.trust(shared.context).pin).checks if check.code == "before"
    )
    shared.clock.forward(minutes=60)
    last = shared.clock.now()
    monkeypatch.setattr(reconciliation, "_continues", lambda *_: None)
    signed = CountedBalance

    def lying(**said: Any) -> CountedBalance:  # noqa: ANN401 - fields of the statement
        more = {"closing", "present", "total", "before"}
        counts = tuple(BalanceCount(name=one.name, devices=one.devices + (one.name in more)) for one in said["counts"])
        return signed(**{**said, "counts": counts})

    with monkeypatch.context() as patched:
        patched.setattr(reconciliation, "CountedBalance", lying)
        closed(shared, begin=later, end=last)
    shared.clock.forward(minutes=60)
    assert failed(shared, taken(shared, closed(shared, begin=last, end=shared.clock.now()))) == "differences"


@pytest.mark.reference_tool
@requires_tool("node")
def test_the_verifier_in_another_language_says_the_same_of_every_file_above(
    tmp_path: Path, shared: World, honest: bytes
) -> None:
    """Tests before this one put their files down; alone, it judges the honest one and one without its sheet."""
    for data in (honest, dataclasses.replace(_file(honest), devices=None).to_bytes()):
        judge(shared, data)
    said = judged(tmp_path, JUDGED)
    genuine = {"complete"}
    ours = {one.name: [one.failed] if one.failed else ([] if one.ours.yes else sorted(genuine)) for one in JUDGED}
    assert {name: broken(one) for name, one in said.items()} == ours


STATES = st.sampled_from(list(DeviceState))
STANDINGS = st.builds(
    lambda known, state, within: Standing(known=known, state=state if known else None, within=known and within),
    st.booleans(), STATES, st.booleans(),
)  # fmt: skip
ITEMS = st.builds(
    Item, device=st.integers(0, 999_999).map(lambda number: f"D-{number:06d}"), words=st.just("x"),
    declared=st.booleans(), observed=st.booleans(), attached=st.booleans(), placed=st.booleans(), proven=st.booleans(),
    before=st.none() | STANDINGS, after=st.builds(Standing, known=st.just(True), state=STATES, within=st.booleans()),
)  # fmt: skip


@given(st.lists(ITEMS, max_size=12))
def test_two_who_count_come_to_the_same(items: list[Item]) -> None:
    """The service's rules and the verifier's are written apart."""
    lines = tuple(_sheets.line_of(item) for item in items)
    assert [belongs(line) for line in lines] == [belongs_by_domain(item) for item in items]
    assert count(lines) == tallied(items).counts()
    for item, line in zip(items, lines, strict=True):
        assert list(differences(line)) == [str(one.code) for one in differences_of(item)]
