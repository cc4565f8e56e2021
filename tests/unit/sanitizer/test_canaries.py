"""Canaries: where they are, what reading them back amounts to, and the rule that none may be left."""

from __future__ import annotations

import threading

import pytest

from sanitizer.canaries import CANARY_PASS, Absence, standing_of, where
from sanitizer.content import KeyedSource
from sanitizer.crew import Crew
from sanitizer.medium import Medium
from sanitizer.readback import ReadBack, Verifier
from sanitizer.sampling import Selection, full
from sanitizer.techniques.base import Aftermath
from tests.support.simulated_drive import BLOCK, OpenSimulated, SimulatedDrive, Steps
from tests.unit.sanitizer.simulation import SETTINGS

KEY = bytes(range(32))
SIZE = 64 << 10


def canaries() -> KeyedSource:
    return KeyedSource(KEY, CANARY_PASS, through_gcm=False)


def stream(size: int = SIZE) -> bytes:
    view = memoryview(bytearray(size + 16))
    canaries().fill(view, size, 0)
    return bytes(view[:size])


def looked_at(content: bytes, aftermath: Aftermath, pattern: bytes = b"\0\0\0\0") -> tuple[str, ReadBack]:
    """Label and findings of a look at a medium with this content."""
    drive = SimulatedDrive()
    drive.current[:] = content
    device = OpenSimulated(drive, Steps())
    medium = Medium(
        device=device, size_bytes=SIZE, floor_bytes=BLOCK, logical_bytes=BLOCK, settings=SETTINGS, clock=lambda: 0.0
    )
    crew = Crew("t", 1, threading.Event(), lambda: None, 0.01)
    absence = Absence(canaries(), aftermath, pattern)
    absence.look(medium, 0)
    verifier = absence.verifier(medium, full(SIZE), crew)
    verifier.run()
    return absence.label, verifier.found


def with_canary(content: bytes, block: int) -> bytes:
    at = block * BLOCK
    return content[:at] + stream()[at : at + BLOCK] + content[at + BLOCK :]


@pytest.mark.parametrize(
    ("aftermath", "content", "label"),
    [
        ("zeros", bytes(SIZE), "no-canary+zeros"),
        ("uniform", bytes(SIZE), "no-canary+uniform:00"),
        ("uniform", b"\xff" * SIZE, "no-canary+uniform:ff"),
        ("pattern", b"\xde\xad\xbe\xef" * (SIZE // 4), "no-canary+pattern:deadbeef"),
        ("undefined", b"anything" * (SIZE // 8), "no-canary"),
    ],
)
def test_what_an_honest_technique_leaves_is_clean_and_has_its_label(
    aftermath: Aftermath, content: bytes, label: str
) -> None:
    told, found = looked_at(content, aftermath, b"\xde\xad\xbe\xef")
    assert told == label
    assert found.completed
    assert not found.residual


@pytest.mark.parametrize("aftermath", ["zeros", "uniform", "pattern", "undefined"])
@pytest.mark.parametrize("block", [0, 1, 77, SIZE // BLOCK - 1])
def test_a_single_canary_is_found_wherever_it_is(aftermath: Aftermath, block: int) -> None:
    _, found = looked_at(with_canary(bytes(SIZE), block), aftermath)
    assert found.residual.result() == ((block * BLOCK, (block + 1) * BLOCK),)


def test_a_defined_content_must_be_there_and_not_only_the_canaries_gone() -> None:
    content = bytes(SIZE - 1) + b"\x01"
    assert looked_at(content, "undefined")[1].residual.result() == ()
    assert looked_at(content, "zeros")[1].residual.result() == ((SIZE - BLOCK, SIZE),)
    assert looked_at(content, "uniform")[1].residual.result() == ((SIZE - BLOCK, SIZE),)


def test_one_byte_of_the_vendors_choice_is_the_same_everywhere() -> None:
    half = bytes(SIZE // 2) + b"\xff" * (SIZE // 2)
    assert looked_at(half, "uniform")[1].residual.result() == ((SIZE // 2, SIZE),)


def test_a_first_block_left_behind_does_not_say_what_the_others_hold() -> None:
    content = b"\xff" + stream()[1:BLOCK] + bytes(SIZE - BLOCK)
    label, found = looked_at(content, "uniform")
    assert label == "no-canary+uniform:00"
    assert found.residual.result() == ((0, BLOCK),)


def test_a_canary_at_another_address_is_no_canary_of_that_address() -> None:
    moved = stream()[BLOCK:] + bytes(BLOCK)
    assert looked_at(moved, "undefined")[1].residual.result() == ()


def test_a_plan_without_verification_still_gets_a_sample() -> None:
    size = 20480 * BLOCK
    assert where("none", size, BLOCK, "seed", whole=False).kind == "representative"
    assert where("representative", size, BLOCK, "seed", whole=False).kind == "representative"
    assert where("full", size, BLOCK, "seed", whole=False).kind == "full"
    assert where("representative", size, BLOCK, "seed", whole=True).kind == "full"


def test_what_could_not_be_written_is_no_wrong_canary() -> None:
    drive = SimulatedDrive()
    medium = Medium(
        device=OpenSimulated(drive, Steps()),
        size_bytes=SIZE,
        floor_bytes=BLOCK,
        logical_bytes=BLOCK,
        settings=SETTINGS,
        clock=lambda: 0.0,
    )
    drive.current[:] = stream()
    drive.current[: 3 * BLOCK] = bytes(3 * BLOCK)
    drive.bad_reads = {9}
    selection: Selection = full(SIZE)
    verifier = Verifier(medium, canaries(), selection, Crew("t", 1, threading.Event(), lambda: None, 0.01))
    verifier.run()
    found = standing_of(verifier, ((0, BLOCK),), selection, BLOCK)
    assert (found.written, found.wrong, found.first_wrong, found.unreadable) == (SIZE // BLOCK, 2, BLOCK, BLOCK)
