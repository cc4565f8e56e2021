"""Real processes, killed by SIGKILL at each step, stopped by SIGTERM, started twice; real devices, real journals."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

import sanitizer
from tests.integration.sanitizer import killed_child
from tests.integration.sanitizer.wiping import ROOT, cleared, command, environment, go_on, run_command
from tests.support import forked
from tests.support.capabilities import requires_fuse, requires_loop
from tests.support.fault_disk import fault_disk
from tests.support.forked import Ended
from tests.support.loopdev import SECRET, Loop, attach, loop_device, make_file

pytestmark = [requires_loop, pytest.mark.block_device]


def begin(loop: Loop, journals: Path, step: int) -> Ended:
    return forked.run(killed_child.main, loop.path, journals, step)


def test_a_process_killed_at_any_step_is_resumed_on_the_same_medium(tmp_path: Path) -> None:
    with loop_device(tmp_path, 4 << 20, "whole.img") as loop:
        done = begin(loop, tmp_path / "whole", -1)
        assert done.stdout.startswith("succeeded"), done.stderr
        steps = int(done.stdout.split()[1])
    assert steps > 30
    for step in range(steps):
        journals = tmp_path / f"j{step}"
        with loop_device(tmp_path, 4 << 20, f"{step}.img") as loop:
            killed = begin(loop, journals, step)
            assert killed.returncode == -signal.SIGKILL, killed.stderr
            pending = sanitizer.pending_runs(journals)
            if not pending:
                assert loop.backing() == SECRET * (len(loop.backing()) // len(SECRET)), f"step {step}"
                continue
            assert pending[0].state == "interrupted"
            assert pending[0].result is None
            outcome = go_on(loop.path, journals)
            assert outcome.state == "succeeded", (step, outcome.run.error)
            assert not any(loop.backing())
            assert outcome.run.segments[0].ended_by in {"crashed", "completed"}


def test_a_reboot_is_survived_on_another_node(tmp_path: Path) -> None:
    """Killed in the second pass; the medium comes back under another number, as after a reboot."""
    first = attach(make_file(tmp_path / "disk.img", 4 << 20))
    assert begin(first, tmp_path / "j", 30).returncode == -signal.SIGKILL
    first.detach()
    with loop_device(tmp_path, 1 << 20, "other.img") as other:
        again = attach(first.file)
        try:
            assert again.path != other.path
            outcome = go_on(again.path, tmp_path / "j")
            assert outcome.state == "succeeded"
            assert len(outcome.run.segments) == 2
            assert not any(again.backing())
        finally:
            again.detach()


def test_a_killed_run_is_not_resumed_on_another_medium(tmp_path: Path) -> None:
    with loop_device(tmp_path, 4 << 20, "one.img") as one, loop_device(tmp_path, 4 << 20, "two.img") as two:
        begin(one, tmp_path / "j", 20)
        outcome = go_on(two.path, tmp_path / "j")
        assert (outcome.state, outcome.error_code, outcome.resumable) == ("interrupted", "identity-mismatch", True)
        assert two.backing() == SECRET * (len(two.backing()) // len(SECRET))
        assert go_on(one.path, tmp_path / "j").state == "succeeded"


SLOW = ("slow:10",)
"""Of a disk served by FUSE: memory alone would take every pass before a test's next line."""


def started(loop: Loop, journals: Path) -> subprocess.Popen[str]:
    """A wipe by the command, in the middle of its passes and held there by SIGSTOP."""
    fingerprint = sanitizer.inspect(loop.path).fingerprint or ""
    process = subprocess.Popen(
        command("wipe", loop.path, "--confirm", fingerprint),
        env=environment(journals),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "pass 1" in line:
            process.send_signal(signal.SIGSTOP)
            return process
    raise AssertionError(process.communicate())


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Ask it to stop, and let it go on so that it can."""
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    return process.communicate(timeout=60)


@requires_fuse
@pytest.mark.fuse
def test_sigterm_ends_a_run_cleanly_and_the_command_resumes_it(tmp_path: Path) -> None:
    with fault_disk(tmp_path, SLOW) as slow:
        loop = slow.loop
        process = started(loop, tmp_path / "j")
        out, err = ended(process)
        assert process.returncode == 5, (out, err)
        (pending,) = sanitizer.pending_runs(tmp_path / "j")
        assert pending.state == "interrupted"
        status, document, err = run_command(
            tmp_path / "j", "resume", pending.run_id, "--confirm", pending.fingerprint or ""
        )
        assert status == 0, err
        assert [s["ended_by"] for s in document[0]["run"]["segments"]] == ["stopped", "completed"]
        assert SECRET not in slow.contents()


@requires_fuse
@pytest.mark.fuse
def test_a_second_process_on_the_same_device_is_refused(tmp_path: Path) -> None:
    with fault_disk(tmp_path, SLOW) as slow:
        loop = slow.loop
        fingerprint = sanitizer.inspect(loop.path).fingerprint or ""
        process = started(loop, tmp_path / "j")
        try:
            status, document, _ = run_command(tmp_path / "k", "wipe", loop.path, "--confirm", fingerprint)
            assert status == 3
            assert document[0]["error"]["code"] == "held-by-process"
            # Past our own look, the kernel's claim refuses as well.
            with pytest.raises(sanitizer.Refused):
                cleared(loop.path)
        finally:
            ended(process)


@requires_fuse
@pytest.mark.fuse
def test_a_run_a_process_works_on_is_not_resumed_by_another(tmp_path: Path) -> None:
    with fault_disk(tmp_path, SLOW) as slow:
        loop = slow.loop
        process = started(loop, tmp_path / "j")
        try:
            (pending,) = sanitizer.pending_runs(tmp_path / "j")
            assert pending.state == "running"
            status, document, _ = run_command(
                tmp_path / "j", "resume", pending.run_id, "--confirm", pending.fingerprint or ""
            )
            assert status == 3
            assert document[0]["error"]["code"] in {"held-by-process", "run-locked"}
            with pytest.raises(sanitizer.ERRORS["run-locked"]):
                sanitizer.abandon(pending, "impatience")
            with pytest.raises(sanitizer.ERRORS["run-locked"]):
                sanitizer.discard_journal(tmp_path / "j", pending.run_id)
        finally:
            ended(process)
        assert json.dumps(pending.touched) == '"yes"'
