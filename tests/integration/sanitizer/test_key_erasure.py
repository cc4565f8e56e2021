"""Destroying the keys of real LUKS containers on loop devices; cryptsetup and the medium beneath are the judges."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import sanitizer
from sanitizer.errors import NoTechnique
from sanitizer.planning import ANSWERS, PlanRequest
from sanitizer.run import RunResult
from tests.integration.sanitizer import killed_key_child
from tests.integration.sanitizer.wiping import SEED, cleared, run_command, wipe
from tests.lab.verdicts import verdict_of
from tests.support import forked
from tests.support.capabilities import requires_fuse, requires_loop, requires_tool
from tests.support.fault_disk import FaultDisk, fault_disk
from tests.support.forked import Ended
from tests.support.loopdev import Loop, attach, loop_device
from tests.support.luks import (
    AREA,
    PASSPHRASE,
    PLAINTEXT,
    STORED,
    container_device,
    cryptsetup,
    decrypted,
    make_container,
    opens,
    volume_key,
    whole,
)

pytestmark = [requires_loop, requires_tool("cryptsetup"), pytest.mark.block_device]

SIZE = 24 << 20


def asked(**changes: Any) -> PlanRequest:  # noqa: ANN401 - any field
    words = {
        "technique": "luks-crypto-erase",
        "pattern_set": "keyed-stream-then-zeros",
        "answers": tuple(ANSWERS),
    }
    return PlanRequest(**{**words, **changes})


def reasons(path: str, **changes: Any) -> str:  # noqa: ANN401 - any field
    with pytest.raises(NoTechnique) as caught:
        sanitizer.plan(asked(**changes), sanitizer.inspect(path))
    return "; ".join(caught.value.reasons)


def resumed(path: str, journals: Path) -> RunResult:
    (pending,) = sanitizer.pending_runs(journals)
    inspection = sanitizer.inspect(path)
    confirmed = sanitizer.Confirmation(fingerprint=inspection.fingerprint or "")
    return sanitizer.resume(pending, sanitizer.clear_again(pending, inspection, confirmed, datetime.now(UTC)))


@pytest.mark.parametrize("verification", ["full", "representative"])
def test_the_key_is_gone_and_everything_else_is_as_it_was(tmp_path: Path, verification: str) -> None:
    with container_device(tmp_path, SIZE) as loop:
        assert opens(loop.path)
        before, key = loop.backing(), volume_key(loop.file)
        outcome = wipe(loop.path, tmp_path / "journals", asked(verification=verification))
        after = loop.backing()
        assert outcome.state == "succeeded", outcome.run.error
        assert not opens(loop.path)
        assert not any(after[:AREA])
        assert after[AREA:] == before[AREA:]
        assert key not in after
        facts = outcome.method.key_erasure
        assert facts is not None
        assert facts.area == (0, AREA)
        assert facts.area_stored_bytes == AREA
        assert facts.answers == tuple(sorted(ANSWERS))
        assert outcome.verification.direct_io
        assert outcome.verification.bytes_read >= SIZE // 10
        if verification == "full":
            assert outcome.verification.bytes_read == SIZE
            assert facts.ciphertext_uniform_bytes == SIZE - AREA - STORED
            assert verdict_of(outcome).outcome == "sanitized"


def test_what_stays_is_readable_by_whoever_has_the_key_which_is_why_somebody_must_vouch(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        key, copy = volume_key(loop.file), tmp_path / "header"
        cryptsetup("luksHeaderBackup", str(loop.file), "--header-backup-file", str(copy))
        assert wipe(loop.path, tmp_path / "journals", asked()).state == "succeeded"
        stored = loop.backing()[AREA : AREA + STORED]
        assert decrypted(key, stored[:4096]) == whole(PLAINTEXT, 4096)
        cryptsetup("luksHeaderRestore", str(loop.file), "--header-backup-file", str(copy))
        assert opens(loop.file)


def test_all_key_slots_go(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        second = tmp_path / "second"
        second.write_bytes(b"another one")
        added = (
            "--pbkdf",
            "pbkdf2",
            "--pbkdf-force-iterations",
            "1000",
            "--key-file",
            "-",
            str(loop.file),
            str(second),
        )
        cryptsetup("luksAddKey", *added)
        assert opens(loop.file, b"another one")
        outcome = wipe(loop.path, tmp_path / "journals", asked())
        assert outcome.method.key_erasure is not None
        assert outcome.method.key_erasure.keyslots == 2
        assert not opens(loop.file, b"another one")
        assert not opens(loop.file, PASSPHRASE)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--cipher", "aes-cbc-essiv:sha256", "--key-size", "256"), "cipher is not one of those accepted"),
        (("--cipher", "aes-xts-plain", "--key-size", "256"), "cipher is not one of those accepted"),
    ],
)
def test_a_real_container_that_does_not_fit_is_refused(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    loop = attach(make_container(tmp_path / "disk", SIZE, *options))
    try:
        assert words in reasons(loop.path)
    finally:
        loop.detach()


def test_the_older_format_is_refused_by_name(tmp_path: Path) -> None:
    loop = attach(make_container(tmp_path / "disk", SIZE, "--type", "luks1"))
    try:
        assert "it is LUKS1" in reasons(loop.path)
    finally:
        loop.detach()


def test_a_reencryption_that_was_begun_is_refused(tmp_path: Path) -> None:
    path = make_container(tmp_path / "disk", SIZE)
    begun = ("reencrypt", "--init-only", "--resilience", "checksum", "--key-file", "-", "--pbkdf", "pbkdf2")
    cryptsetup(*begun, "--pbkdf-force-iterations", "1000", str(path))
    loop = attach(path)
    try:
        assert "data segments" in reasons(loop.path) or "reencryption is under way" in reasons(loop.path)
    finally:
        loop.detach()


def test_a_container_whose_keys_were_erased_already_is_refused(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        cryptsetup("erase", str(loop.file))
        assert "no key slot" in reasons(loop.path)


def test_a_header_without_its_data_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_bytes(bytes(SIZE))
    header = tmp_path / "header"
    header.write_bytes(bytes(SIZE))
    arguments = ("--type", "luks2", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", "-")
    cryptsetup("luksFormat", *arguments, "--header", str(header), str(data))
    for path, words in ((header, "detached header"), (data, "no LUKS container begins")):
        loop = attach(path)
        try:
            assert words in reasons(loop.path)
        finally:
            loop.detach()


def test_a_container_inside_a_partition_is_not_the_device(tmp_path: Path) -> None:
    with loop_device(tmp_path, SIZE) as loop:
        container = make_container(tmp_path / "inner", 20 << 20)
        loop.write_behind(1 << 20, container.read_bytes())
        assert "no LUKS container begins where this device begins" in reasons(loop.path)


def refused_untouched(loop: Loop, journals: Path, words: str) -> None:
    """Planned, because only reading shows it; refused before the first write."""
    before = loop.backing()
    outcome = wipe(loop.path, journals, asked())
    assert outcome.state == "refused"
    assert words in (outcome.run.error or "")
    assert outcome.run.touched == "no"
    assert loop.backing() == before
    assert opens(loop.path)


@pytest.mark.parametrize("at", [AREA, AREA + STORED + 4096, SIZE - 512])
def test_something_stored_in_plain_is_found_and_nothing_is_done(tmp_path: Path, at: int) -> None:
    with container_device(tmp_path, SIZE) as loop:
        loop.write_behind(at, whole(b"an old letter, never encrypted. ", 512))
        refused_untouched(loop, tmp_path / "journals", f"the first at {at}, are no ciphertext")


def test_the_end_of_an_old_partition_table_is_found(tmp_path: Path) -> None:
    with loop_device(tmp_path, SIZE, "disk.img") as loop:
        label = "label: gpt\nstart=2048, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n"
        subprocess.run(["sfdisk", "-q", "--no-reread", loop.path], input=label.encode(), check=True)
        table = loop.backing()[SIZE - 33 * 512 :]
    with container_device(tmp_path, SIZE) as loop:
        loop.write_behind(SIZE - 33 * 512, table)
        refused_untouched(loop, tmp_path / "journals", "are no ciphertext")


def test_a_container_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        clearance = cleared(loop.path, asked())

        def add_key() -> None:
            cryptsetup("config", "--label", "changed", str(loop.file))
            second = tmp_path / "second"
            second.write_bytes(b"another one")
            fast = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
            cryptsetup("luksKillSlot", str(loop.file), "0", "--key-file", "-", check=False)
            cryptsetup("luksAddKey", *fast, "--key-file", "-", str(loop.file), str(second), check=False)
            loop.write_behind(4096, b"\0")

        outcome = sanitizer.sanitize(
            clearance, "run-1", tmp_path / "journals", sample_seed=SEED, before_first_write=add_key
        )
        assert outcome.state == "refused", outcome.run.error
        assert outcome.run.touched == "no"


def test_the_holds_are_asked_about_again_after_the_reading(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        before, asked_at = loop.backing(), list[bool]()

        def hold() -> None:
            asked_at.append(True)
            if len(asked_at) == 2:
                raise sanitizer.PermissionWithheld(reason="a hold was placed meanwhile")

        clearance = cleared(loop.path, asked())
        outcome = sanitizer.sanitize(clearance, "run-1", tmp_path / "j", sample_seed=SEED, before_first_write=hold)
        assert outcome.state == "refused"
        assert outcome.error_code == "permission-withheld"
        assert loop.backing() == before


def test_nothing_is_done_without_both_answers(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        for answers in ((), ("no-key-outside",), ("encrypted-before-first-use",)):
            assert "somebody must vouch" in reasons(loop.path, answers=answers)


def test_there_is_no_run_without_reading_back(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        assert "no run without verification" in reasons(loop.path, verification="none")


def test_purge_is_not_reached_on_a_virtual_medium_whatever_is_set(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        words = reasons(loop.path, method="purge", settings=("luks-crypto-erase-is-purge",))
        assert "reaches clear on this medium, not purge" in words


def test_the_command_line_does_it(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        journals = tmp_path / "journals"
        answers = [word for each in ANSWERS for word in ("--answer", each)]
        words = ("--technique", "luks-crypto-erase", *answers, loop.path)
        status, planned, _ = run_command(journals, "plan", *words)
        assert status == 0
        assert planned["level"] == "clear"
        confirmed = ("--confirm", planned["fingerprint"])
        status, outcomes, told = run_command(journals, "wipe", *confirmed, *words)
        assert status == 0, told
        assert outcomes[0]["method"]["key_erasure"]["cipher"] == "aes-xts-plain64"
        assert not opens(loop.path)


def test_a_stop_while_reading_changes_nothing_and_the_run_goes_on_later(tmp_path: Path) -> None:
    with container_device(tmp_path, SIZE) as loop:
        before, stop = loop.backing(), threading.Event()
        journals = tmp_path / "journals"
        outcome = sanitizer.sanitize(
            cleared(loop.path, asked()), "run-1", journals, sample_seed=SEED, stop=stop, before_first_write=stop.set
        )
        assert (outcome.state, outcome.run.touched) == ("interrupted", "no")
        assert loop.backing() == before
        assert resumed(loop.path, journals).state == "succeeded"
        assert not opens(loop.path)


def begin(loop: Loop, journals: Path, step: int) -> Ended:
    return forked.run(killed_key_child.main, loop.path, journals, step)


SMALL = ("--luks2-keyslots-size", "512k", "--offset", "2048")
"""Data begins at 1 MiB, so that a run has few steps."""


def test_a_process_killed_at_any_step_is_resumed_and_comes_to_the_same_end(tmp_path: Path) -> None:
    made = make_container(tmp_path / "made", 2 << 20, *SMALL)
    loop = attach(Path(shutil.copy(made, tmp_path / "whole")))
    try:
        done = begin(loop, tmp_path / "whole-journals", -1)
        assert done.stdout.startswith("succeeded"), done.stderr
        steps = int(done.stdout.split()[1])
    finally:
        loop.detach()
    assert steps > 20
    for step in range(steps):
        loop, journals = attach(Path(shutil.copy(made, tmp_path / f"{step}"))), tmp_path / f"j{step}"
        try:
            before = loop.backing()
            killed = begin(loop, journals, step)
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            if not sanitizer.pending_runs(journals):
                assert loop.backing() == before, f"step {step}"
                continue
            outcome = resumed(loop.path, journals)
            assert outcome.state == "succeeded", (step, outcome.run.error)
            assert not any(loop.backing()[: 1 << 20])
            assert outcome.method.key_erasure is not None
            assert outcome.method.key_erasure.area_stored_bytes == 1 << 20
            assert verdict_of(outcome).outcome == "sanitized"
        finally:
            loop.detach()


def on_faulty(disk: FaultDisk, folder: Path) -> RunResult:
    """A container on a disk with faults, and a run on it."""
    container = make_container(folder / "made", 16 << 20, *SMALL)
    with (folder / "backing.bin").open("r+b") as file:
        file.write(container.read_bytes())
    return wipe(disk.path, folder / "journals", asked())


LIES = {
    "drops every write": (("drop:0:16777216",), "failed: residual"),
    "drops the first block": (("drop:0:4096",), "failed: residual"),
    "drops all but the first block": (("drop:65536:16777216",), "failed: residual"),
    "drops one block among the key slots": (("drop:131072:4096",), "failed: residual"),
    "wraps its addresses at 8 MiB": (("alias:23",), "refused: no-technique"),
    "refuses to write one block": (("badw:131072:4096",), "failed: unwritable-region"),
    "gives one block of the keys not back": (("badr:614400:4096",), "refused: no-technique"),
    "gives one block of the data not back": (("badr:9437184:4096",), "refused: no-technique"),
}


@requires_fuse
@pytest.mark.parametrize(("faults", "expected"), LIES.values(), ids=LIES.keys())
def test_a_disk_that_lies_or_fails_earns_no_success(tmp_path: Path, faults: tuple[str, ...], expected: str) -> None:
    with fault_disk(tmp_path, faults, 16 << 20) as disk:
        outcome = on_faulty(disk, tmp_path)
    assert f"{outcome.state}: {outcome.error_code}" == expected, outcome.run.error
    assert verdict_of(outcome).outcome != "sanitized"
