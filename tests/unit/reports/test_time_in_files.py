"""Files bound a record in time from both sides: a stamp in the log before its order, and a stamp on the file's own checkpoint."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest

from reports.anchor import Anchor, Stamp, open_anchor
from reports.bundle import DestructionBundle2
from reports.canonical import to_base64
from reports.timestamps import normal_form
from reports.verify import verify
from tests.support.capabilities import requires_tool
from tests.support.dated import DatedWorld
from tests.support.evidence import Story, World, certified, erasure_statement, good_record
from tests.support.time_authority import LocalAuthority

pytestmark = [pytest.mark.reference_tool, requires_tool("openssl")]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> DatedWorld:
    made = DatedWorld(tmp_path_factory.mktemp("dated"), ("Example Time", "Other Time"))
    made.log_stamp(0)
    made.log_stamp(1)
    return made


@pytest.fixture(scope="module")
def story(world: DatedWorld) -> Story:
    return certified(world)


@pytest.fixture(scope="module")
def file(story: Story) -> DestructionBundle2:
    found = story.bundle()
    assert isinstance(found, DestructionBundle2)
    return found


def _with(file: DestructionBundle2, **changes: Any) -> bytes:  # noqa: ANN401 - any field of an anchor
    return dataclasses.replace(file, anchor=dataclasses.replace(file.anchor, **changes)).to_bytes()


def _codes(data: bytes, world: World) -> tuple[str, ...]:
    result = verify(data, world.pin)
    assert not result.genuine
    return result.codes


def test_a_record_is_bounded_from_both_sides(world: DatedWorld, file: DestructionBundle2) -> None:
    result = verify(file.to_bytes(), world.pin)
    assert result.yes, result.conclusion
    facts = {fact.label: fact.value for fact in result.facts}
    assert "(time-stamped by " in facts["Ordered after"]
    assert "(time-stamped by " in facts["Existed before"]
    assert any("is not older than" in line for line in result.proven)
    assert any("Other Time stamped it" in line for line in result.proven)
    assert not any("issuer's own word" in line for line in result.not_proven)
    opened = open_anchor(file.anchor, world.pin)
    assert [one.authority for one in opened.times] == ["Example Time", "Other Time"]
    assert len(opened.since) == 2


def test_a_clock_outside_the_bounds_is_told(world: DatedWorld, file: DestructionBundle2) -> None:
    """The record's times are of a morning; the stamps are of now."""
    result = verify(file.to_bytes(), world.pin)
    assert result.yes
    assert any("outside the bounds" in line for line in result.not_proven)
    assert any("others confirm only the bounds" in line for line in result.not_proven)
    unbounded = verify(_with(file, stamps=(), since=()), world.pin)
    assert not any("outside the bounds" in line for line in unbounded.not_proven)
    assert any("no time-stamp authority confirms them" in line for line in unbounded.not_proven)


def test_without_stamps_the_time_is_said_to_be_the_issuers_word() -> None:
    world = World()
    result = verify(certified(world).bundle().to_bytes(), world.pin)
    assert result.yes
    assert not {"Existed before", "Ordered after"} & {fact.label for fact in result.facts}
    assert any("issuer's own word" in line for line in result.not_proven)


def test_stamps_that_are_left_out_are_not_claimed(world: DatedWorld, file: DestructionBundle2) -> None:
    result = verify(_with(file, stamps=(), since=()), world.pin)
    assert result.yes
    assert not {"Existed before", "Ordered after"} & {fact.label for fact in result.facts}


def test_a_stamp_on_another_checkpoint_is_refused(world: DatedWorld, file: DestructionBundle2) -> None:
    clock = world.clocks[0]
    other = normal_form(clock.token(b"another checkpoint"), clock.entry())
    stamps = (Stamp(authority=clock.name, token=to_base64(other)),)
    assert _codes(_with(file, stamps=stamps), world) == ("bad-time-stamp",)


def test_a_stamp_under_another_authoritys_name_is_refused(world: DatedWorld, file: DestructionBundle2) -> None:
    first, second = file.anchor.stamps
    swapped = (Stamp(authority=second.authority, token=first.token),)
    assert _codes(_with(file, stamps=swapped), world) == ("bad-time-stamp",)
    unknown = (Stamp(authority="Nobody", token=first.token),)
    assert _codes(_with(file, stamps=unknown), world) == ("unknown-key",)
    assert _codes(_with(file, stamps=(first, first)), world) == ("malformed-document",)


def test_a_stamp_of_a_stranger_is_refused(world: DatedWorld, file: DestructionBundle2, tmp_path: Path) -> None:
    stranger = LocalAuthority(tmp_path)
    token = normal_form(stranger.token(world.log.note().encode()), stranger.entry())
    stamps = (Stamp(authority="Example Time", token=to_base64(token)),)
    assert _codes(_with(file, stamps=stamps), world) == ("bad-time-stamp",)


def test_an_earlier_stamp_must_be_in_the_log(world: DatedWorld, file: DestructionBundle2) -> None:
    first, second = file.anchor.since
    fresh = dataclasses.replace(first, token=to_base64(world.token(0)))
    assert fresh.token != first.token
    assert _codes(_with(file, since=(fresh,)), world) == ("broken-chain",)
    moved = dataclasses.replace(first, index=second.index)
    assert _codes(_with(file, since=(moved,)), world) == ("broken-chain",)
    assert _codes(_with(file, since=(first, first)), world) == ("malformed-document",)


def test_a_stamp_from_after_the_order_bounds_nothing(tmp_path: Path) -> None:
    world = DatedWorld(tmp_path)
    story = Story(world, good_record()).order()
    world.log_stamp()
    late = story.run().accept().validate().certify().bundle()
    result = verify(late.to_bytes(), world.pin)
    assert not result.genuine
    assert "comes after it" in result.conclusion


def test_what_has_no_order_has_no_stamp_before_it(tmp_path: Path) -> None:
    world = DatedWorld(tmp_path)
    story = certified(world)
    statement = erasure_statement(world, [story])
    assert verify(statement.to_bytes(), world.pin).yes
    world.log_stamp()
    anchor: Anchor = world.anchor()
    assert anchor.since
    again = erasure_statement(world, [story])
    assert "no order" in verify(again.to_bytes(), world.pin).conclusion


def test_flipped_bits_fail(world: DatedWorld, file: DestructionBundle2) -> None:
    data = file.to_bytes()
    rng = random.Random("dated")  # noqa: S311 - repeatable places
    for place in range(rng.randrange(211), len(data), 211):
        altered = bytearray(data)
        altered[place] ^= 1 << rng.randrange(8)
        assert not verify(bytes(altered), world.pin).genuine, place
    begin = data.index(b'"stamps":')
    for place in range(begin, begin + 3000, 7):
        altered = bytearray(data)
        altered[place] ^= 1 << rng.randrange(6)
        assert not verify(bytes(altered), world.pin).genuine, place
