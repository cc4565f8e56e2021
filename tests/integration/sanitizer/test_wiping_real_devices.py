"""Whole runs on loop devices: what is on the medium afterwards, read beneath the loop device, is the judge."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest

import sanitizer
from sanitizer.content import KeyedSource, stream_key
from sanitizer.planning import PlanRequest
from sanitizer.settings import Settings
from tests.integration.sanitizer.wiping import SEED, cleared, wipe, wipe_with
from tests.support.capabilities import requires_loop
from tests.support.loopdev import SECRET, Loop, attach, loop_device, make_file

pytestmark = [requires_loop, pytest.mark.block_device]


def repeated(unit: bytes, size: int) -> bytes:
    return (unit * (size // len(unit) + 1))[:size]


@pytest.mark.parametrize(
    ("pattern_set", "unit"),
    [("zeros", b"\0"), ("ones", b"\xff"), ("fixed:a55a", b"\xa5\x5a"), ("fixed:924924", b"\x92\x49\x24")],
)
def test_a_constant_stands_on_every_byte(tmp_path: Path, pattern_set: str, unit: bytes) -> None:
    with loop_device(tmp_path) as loop:
        outcome = wipe(loop.path, tmp_path / "journals", PlanRequest(pattern_set=pattern_set))
        assert outcome.state == "succeeded"
        assert loop.backing() == repeated(unit, 8 << 20)
        assert outcome.verification.bytes_read == 8 << 20
        assert outcome.verification.direct_io


def test_the_keyed_stream_stands_on_every_byte_and_can_be_made_again(tmp_path: Path) -> None:
    with loop_device(tmp_path) as loop:
        outcome = wipe(loop.path, tmp_path / "journals", PlanRequest(pattern_set="keyed-stream"))
        assert outcome.state == "succeeded"
        assert outcome.device is not None
        master = (tmp_path / "journals/run-1/master.key").read_bytes()
        source = KeyedSource(stream_key(master, outcome.device.fingerprint), 1, through_gcm=False)
        expected = memoryview(bytearray((8 << 20) + 16))
        source.fill(expected, 8 << 20, 0)
        assert loop.backing() == bytes(expected[: 8 << 20])


@pytest.mark.parametrize("name", ["dod-scrub", "ar-380-19-eraser", "afssi-5020-eraser"])
def test_a_legacy_set_makes_all_its_passes_and_is_verified(tmp_path: Path, name: str) -> None:
    with loop_device(tmp_path, 2 << 20) as loop:
        outcome = wipe(loop.path, tmp_path / "journals", PlanRequest(pattern_set=name))
        assert outcome.state == "succeeded"
        assert outcome.method.requested == "clear"
        assert "as implemented by" in outcome.method.pattern_set
        assert len(outcome.method.passes) == len(sanitizer.PATTERN_SETS[name].passes)
        assert SECRET not in loop.backing()


@pytest.mark.parametrize("size", [512, 4096, (1 << 20) + 512, (5 << 20) + 4096 + 512])
def test_a_device_of_any_size_is_done_to_its_last_block(tmp_path: Path, size: int) -> None:
    with loop_device(tmp_path, size) as loop:
        outcome = wipe(loop.path, tmp_path / "journals")
        assert outcome.state == "succeeded"
        assert loop.backing() == bytes(size)


def test_a_device_with_blocks_of_four_kilobytes_is_done(tmp_path: Path) -> None:
    with loop_device(tmp_path, 8 << 20, "disk.img", "--sector-size", "4096") as loop:
        outcome = wipe(loop.path, tmp_path / "journals", PlanRequest(pattern_set="keyed-stream"))
        assert outcome.state == "succeeded"
        assert outcome.device is not None
        assert outcome.device.logical_block_bytes == 4096
        assert SECRET not in loop.backing()


def test_a_device_whose_last_bytes_no_block_reaches_has_no_technique(tmp_path: Path) -> None:
    with loop_device(tmp_path, (1 << 20) + 512, "disk.img", "--sector-size", "4096") as loop:
        assert sanitizer.inspect(loop.path).capacity_bytes == (1 << 20) + 512
        with pytest.raises(sanitizer.NoTechnique, match="whole number of blocks"):
            cleared(loop.path)


def test_representative_verification_reads_at_least_a_tenth(tmp_path: Path) -> None:
    with loop_device(tmp_path, 32 << 20) as loop:
        outcome = wipe(
            loop.path, tmp_path / "journals", PlanRequest(pattern_set="zeros", verification="representative")
        )
        check = outcome.verification
        assert (outcome.state, check.kind, check.regions, check.seed) == ("succeeded", "representative", 2002, SEED)
        assert check.bytes_read * 10 >= 32 << 20
        assert check.bytes_read < 8 << 20


def test_nothing_goes_through_the_page_cache(tmp_path: Path) -> None:
    with loop_device(tmp_path, 64 << 20) as loop:
        before = _cached_pages(loop)
        assert wipe(loop.path, tmp_path / "journals").state == "succeeded"
        assert _cached_pages(loop) - before <= 1 << 20


def _cached_pages(loop: Loop) -> int:
    """Bytes of the block device in the page cache: what a buffered read would not have to fetch (mincore by fincore)."""
    done = subprocess.run(
        ["fincore", "--bytes", "--noheadings", "--output", "RES", loop.path],
        capture_output=True,
        text=True,
        check=False,
    )
    return int(done.stdout.strip() or 0)


def test_verification_sees_the_medium_and_not_the_page_cache(tmp_path: Path) -> None:
    """A block is changed beneath the loop device while its old content sits in the cache: a buffered read is fooled."""
    with loop_device(tmp_path) as loop:
        assert wipe(loop.path, tmp_path / "journals").state == "succeeded"
        with Path(loop.path).open("rb") as buffered:  # held open: the cache lives as long as the device is in use
            assert not any(buffered.read())
            loop.write_behind(5 << 20, SECRET * 32)
            buffered.seek(5 << 20)
            assert not any(buffered.read(512)), "the page cache did not hide the change, so this test proves nothing"
            found = sanitizer.verify(sanitizer.inspect(loop.path), "zeros", "full", sample_seed=SEED)
        assert found.residual == ((5 << 20, (5 << 20) + 512),)
        assert found.completed
        assert found.direct_io


def test_a_device_can_be_verified_later_against_its_runs_key(tmp_path: Path) -> None:
    with loop_device(tmp_path) as loop:
        journals = tmp_path / "journals"
        wipe(loop.path, journals, PlanRequest(pattern_set="keyed-stream"))
        inspection = sanitizer.inspect(loop.path)
        same = sanitizer.verify(inspection, "", "full", sample_seed=SEED, run=(journals, "run-1"))
        assert (same.completed, same.residual, same.expected) == (True, (), "keyed-stream")
        loop.write_behind(1 << 20, b"x")
        changed = sanitizer.verify(inspection, "", "full", sample_seed=SEED, run=(journals, "run-1"))
        assert changed.residual == ((1 << 20, (1 << 20) + 512),)


def test_two_devices_are_done_at_once(tmp_path: Path) -> None:
    outcomes: dict[str, str] = {}
    with loop_device(tmp_path, 16 << 20, "one.img") as one, loop_device(tmp_path, 16 << 20, "two.img") as two:

        def work(loop: Loop, run_id: str) -> None:
            outcomes[run_id] = wipe(loop.path, tmp_path / "journals", run_id=run_id).state

        threads = [threading.Thread(target=work, args=each) for each in ((one, "run-1"), (two, "run-2"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes == {"run-1": "succeeded", "run-2": "succeeded"}
        assert not any(one.backing())
        assert not any(two.backing())


def test_a_device_that_shrinks_under_a_run_fails_it(tmp_path: Path) -> None:
    with loop_device(tmp_path) as loop:

        def shrink() -> None:
            os.truncate(loop.file, 4 << 20)
            subprocess.run(["losetup", "--set-capacity", loop.path], check=True)

        outcome = sanitizer.sanitize(
            cleared(loop.path), "run-1", tmp_path / "journals", sample_seed=SEED, before_first_write=shrink
        )
        # Seen by the second proof, right before the first write.
        assert (outcome.state, outcome.error_code, outcome.touched) == ("refused", "identity-mismatch", "no")


class _ShrinksOnce:
    """Shrinks the device when progress says that writing is under way."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.done = False

    def __call__(self, progress: sanitizer.Progress) -> None:
        if progress.pass_number == 1 and not self.done:
            self.done = True
            os.truncate(self._loop.file, 4 << 20)
            subprocess.run(["losetup", "--set-capacity", self._loop.path], check=True)


def test_a_device_that_shrinks_in_the_middle_of_a_pass_fails_it(tmp_path: Path) -> None:
    with loop_device(tmp_path) as loop:
        shrinks = _ShrinksOnce(loop)
        outcome = sanitizer.sanitize(
            cleared(loop.path), "run-1", tmp_path / "journals", sample_seed=SEED, progress=shrinks
        )
        assert shrinks.done
        assert (outcome.state, outcome.error_code) == ("failed", "capacity-changed")
        assert outcome.touched == "yes"
        assert not outcome.resumable


def test_a_medium_that_lost_its_writes_behind_our_back_is_no_success(tmp_path: Path) -> None:
    loop = attach(make_file(tmp_path / "disk.img", 8 << 20))
    try:

        def restore(progress: sanitizer.Progress) -> None:
            if progress.state == "verifying":
                loop.write_behind(3 << 20, SECRET * 256)

        outcome = sanitizer.sanitize(
            cleared(loop.path), "run-1", tmp_path / "journals", sample_seed=SEED, progress=restore
        )
        assert (outcome.state, outcome.error_code) == ("failed", "residual")
        assert outcome.verification.residual == ((3 << 20, (3 << 20) + 4096),)
    finally:
        loop.detach()


def test_large_blocks_and_small_blocks_write_the_same(tmp_path: Path) -> None:
    for number, block in enumerate((4096, 64 << 10, 4 << 20)):
        with loop_device(tmp_path, 6 << 20, f"{number}.img") as loop:
            settings = Settings(small_block_bytes=block)
            outcome = wipe_with(settings, loop.path, tmp_path / f"journals-{number}", PlanRequest(pattern_set="ones"))
            assert outcome.state == "succeeded"
            assert loop.backing() == b"\xff" * (6 << 20)
