"""The command as an operator or a script uses it: what it prints, and above all with which status it leaves."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import sanitizer
from sanitizer.cli import main
from sanitizer.cli.exit_codes import MEANINGS, ExitCode, gravest, of_error, of_result
from sanitizer.cli.output import duration, grouped, size, ungrouped
from sanitizer.errors import ERRORS, Interrupted, MountedFilesystem, Residual
from tests.integration.sanitizer.wiping import ROOT, command, environment, run_command, wipe
from tests.support.capabilities import requires_fuse, requires_loop
from tests.support.fault_disk import fault_disk
from tests.support.loopdev import SECRET, Loop, loop_device, mounted

pytestmark = [requires_loop, pytest.mark.block_device]


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Loop]:
    with loop_device(tmp_path, 4 << 20) as device:
        yield device


def fingerprint(loop: Loop) -> str:
    return sanitizer.inspect(loop.path).fingerprint or ""


def test_a_confirmed_device_is_wiped_and_the_status_is_zero(loop: Loop, tmp_path: Path) -> None:
    status, document, _ = run_command(tmp_path / "j", "wipe", loop.path, "--confirm", fingerprint(loop))
    assert status == 0
    assert document[0]["run"]["state"] == "succeeded"
    assert document[0]["verification"]["completed"] is True
    assert SECRET not in loop.backing()


@pytest.mark.parametrize("confirm", [[], ["--confirm", "0" * 64], ["--confirm", "yes"]])
def test_without_the_right_fingerprint_nothing_is_written(loop: Loop, tmp_path: Path, confirm: list[str]) -> None:
    status, document, _ = run_command(tmp_path / "j", "wipe", loop.path, *confirm)
    assert status == 3
    assert document[0]["error"]["code"] == "confirmation-missing"
    assert loop.backing() == SECRET * (len(loop.backing()) // len(SECRET))


def test_a_refusal_leaves_with_three_and_says_what_to_do(loop: Loop, tmp_path: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", "-F", loop.path], check=True)
    with mounted(loop.path, tmp_path / "mnt"):
        done = subprocess.run(
            command("wipe", loop.path, "--confirm", fingerprint(loop)),
            env=environment(tmp_path / "j"),
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
    assert done.returncode == 3
    assert "mounted-filesystem" in done.stderr
    assert "Unmount it" in done.stderr
    assert "was not changed" in done.stderr


@requires_fuse
@pytest.mark.fuse
def test_a_failed_run_leaves_with_four_and_an_unproven_one_with_six(tmp_path: Path) -> None:
    for fault, expected in (("badw", 4), ("badr", 6)):
        folder = tmp_path / fault
        folder.mkdir()
        with fault_disk(folder, (f"{fault}:{6 << 20}:512",)) as disk:
            confirm = sanitizer.inspect(disk.path).fingerprint or ""
            status, document, _ = run_command(folder / "j", "wipe", disk.path, "--confirm", confirm)
            assert status == expected
            assert document[0]["run"]["state"] == "failed"


def test_wrong_usage_leaves_with_two(tmp_path: Path) -> None:
    for arguments in ([], ["wipe"], ["wipe", "/dev/null", "--force"], ["show"], ["nonsense"]):
        done = subprocess.run(
            command(*arguments), env=environment(tmp_path), capture_output=True, check=False, cwd=ROOT
        )
        assert done.returncode == 2, arguments


def test_several_devices_leave_with_the_gravest_status_and_one_keeps_no_other_waiting(tmp_path: Path) -> None:
    with loop_device(tmp_path, 4 << 20, "one.img") as one, loop_device(tmp_path, 4 << 20, "two.img") as two:
        status, document, _ = run_command(
            tmp_path / "j",
            "wipe",
            one.path,
            two.path,
            "/dev/null",
            "--confirm",
            fingerprint(one),
            "--confirm",
            fingerprint(two),
        )
        assert status == 3
        assert [d.get("error", {}).get("code") for d in document] == [None, None, "not-block-device"]
        assert SECRET not in one.backing() + two.backing()


def test_one_device_named_twice_is_wrong_usage(loop: Loop, tmp_path: Path) -> None:
    done = subprocess.run(
        command("wipe", loop.path, loop.path, "--confirm", fingerprint(loop)),
        env=environment(tmp_path / "j"),
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert SECRET in loop.backing()


@pytest.mark.parametrize(("typed", "status"), [("right", 0), ("wrong", 3), ("", 3)])
def test_at_a_terminal_the_fingerprint_is_typed(loop: Loop, tmp_path: Path, typed: str, status: int) -> None:
    answer = grouped(fingerprint(loop)) if typed == "right" else typed or "\x04"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("wipe", loop.path),
        env=environment(tmp_path / "j"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    while b"> " not in said:
        said += os.read(ours, 4096)
    assert grouped(fingerprint(loop)).encode() in said
    os.write(ours, answer.encode() + b"\n")
    try:
        while chunk := os.read(ours, 4096):
            said += chunk
    except OSError:
        pass  # the other end closed: EIO is a terminal's end of file
    os.close(ours)
    assert process.wait(60) == status, said.decode()
    assert (SECRET in loop.backing()) is (status != 0)


def test_list_and_show_tell_the_same_fingerprint_and_obstacles(loop: Loop, tmp_path: Path) -> None:
    _, listed, _ = run_command(tmp_path, "list")
    _, shown, _ = run_command(tmp_path, "show", loop.path)
    (mine,) = [each for each in listed if each["path"] == loop.path]
    assert mine["fingerprint"] == shown["fingerprint"] == fingerprint(loop)
    assert mine["obstacles"] == shown["obstacles"] == []


def test_plan_tells_digest_and_obstacles_and_writes_nothing(loop: Loop, tmp_path: Path) -> None:
    status, document, _ = run_command(tmp_path, "plan", loop.path, "--pattern-set", "dod-scrub")
    assert (status, document["passes"], document["obstacles"]) == (0, 3, [])
    assert document["plan_sha256"] == sanitizer.PlanRequest(pattern_set="dod-scrub").digest
    status, document, _ = run_command(tmp_path, "plan", loop.path, "--method", "purge")
    assert (status, document["error"]["code"]) == (3, "no-technique")
    assert loop.backing() == SECRET * (len(loop.backing()) // len(SECRET))


def test_plan_lists_every_pattern_set(tmp_path: Path) -> None:
    _, document, _ = run_command(tmp_path, "plan", "--patterns")
    assert [each["name"] for each in document] == list(sanitizer.PATTERN_SETS)


def test_verify_leaves_with_six_when_a_block_differs(loop: Loop, tmp_path: Path) -> None:
    wipe(loop.path, tmp_path / "j")
    status, document, _ = run_command(tmp_path / "j", "verify", loop.path)
    assert (status, document["as_expected"]) == (0, True)
    loop.write_behind(1 << 20, b"x")
    status, document, _ = run_command(tmp_path / "j", "verify", loop.path)
    assert (status, document["as_expected"], document["residual"]) == (6, False, [[1 << 20, (1 << 20) + 512]])


def test_verify_against_a_run_uses_its_key(loop: Loop, tmp_path: Path) -> None:
    _, wiped, _ = run_command(tmp_path / "j", "wipe", loop.path, "--confirm", fingerprint(loop))
    status, document, _ = run_command(tmp_path / "j", "verify", loop.path, "--run", wiped[0]["run_id"])
    assert (status, document["expected"], document["as_expected"]) == (0, "keyed-stream", True)
    status, document, _ = run_command(tmp_path / "j", "verify", loop.path, "--run", "nobody")
    assert (status, document["error"]["code"]) == (3, "run-unknown")


def test_status_shows_runs_and_forgets_only_ended_ones(loop: Loop, tmp_path: Path) -> None:
    _, wiped, _ = run_command(tmp_path / "j", "wipe", loop.path, "--confirm", fingerprint(loop))
    _, shown, _ = run_command(tmp_path / "j", "status")
    assert [(each["run_id"], each["state"]) for each in shown] == [(wiped[0]["run_id"], "succeeded")]
    done = subprocess.run(
        command("status", "--forget", wiped[0]["run_id"]), env=environment(tmp_path / "j"), check=False, cwd=ROOT
    )
    assert done.returncode == 0
    assert run_command(tmp_path / "j", "status")[1] == []


def test_resuming_an_ended_run_tells_its_result_again(loop: Loop, tmp_path: Path) -> None:
    _, wiped, _ = run_command(tmp_path / "j", "wipe", loop.path, "--confirm", fingerprint(loop))
    loop.write_behind(0, SECRET)
    status, again, _ = run_command(tmp_path / "j", "resume", wiped[0]["run_id"])
    assert (status, again) == (0, wiped)
    assert loop.backing().startswith(SECRET)


def test_help_prints_the_table_of_exit_codes() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    for code, meaning in MEANINGS.items():
        assert re.search(rf"{code.value}  {re.escape(meaning)}", text)


def test_no_command_has_a_force_option() -> None:
    for name, each in main.commands.items():
        options = {option for parameter in each.params for option in parameter.opts}
        assert not {o for o in options if "force" in o or o in {"-f", "-y", "--yes"}}, name
        assert each.get_short_help_str()
        assert all(p.help for p in each.params if isinstance(p, click.Option)), name


def test_every_error_has_an_exit_status() -> None:
    assert set(MEANINGS) == set(ExitCode)
    assert of_error(MountedFilesystem(mount_points=())) is ExitCode.REFUSED
    assert of_error(Interrupted(pass_number=0, durable_bytes=0)) is ExitCode.INTERRUPTED
    assert of_error(Residual(residual_bytes=1, first_offset=0, ranges=())) is ExitCode.UNVERIFIED
    assert gravest([]) is ExitCode.SANITIZED
    assert gravest([ExitCode.SANITIZED, ExitCode.REFUSED, ExitCode.FAILED]) is ExitCode.FAILED
    assert len(ERRORS) >= 50


def test_a_run_without_read_back_is_not_called_sanitized(loop: Loop, tmp_path: Path) -> None:
    outcome = wipe(loop.path, tmp_path / "j", sanitizer.PlanRequest(pattern_set="zeros", verification="none"))
    assert outcome.state == "succeeded"
    assert of_result(outcome) is ExitCode.UNVERIFIED


def test_numbers_are_shown_as_people_read_them() -> None:
    assert [size(n) for n in (None, 512, 4_000_000, 20_000_000_000_000)] == ["unknown", "512 B", "4.0 MB", "20.0 TB"]
    assert duration(None) == "remaining time unknown"
    assert duration(3725) == "1:02:05 left"
    assert ungrouped(grouped("ABCDEF0123456789").upper() + " \n") == "abcdef0123456789"
