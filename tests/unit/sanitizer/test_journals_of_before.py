"""A build that is upgraded in the middle of a run goes on from what the build before it left.

`journals_of_before` holds such runs as they were cut off by a power cut on 22 November 2026, journal, key and medium: one in the
midst of an overwrite, one right after a drive was sent its command. They are never made anew; a folder is added when the
journal's form changes.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from sanitizer import api
from sanitizer.capability import SanitizePhase
from tests.support.command_drive import CommandDrive, CommandSystem
from tests.support.simulated_drive import SimulatedDrive, SimulatedSystem
from tests.unit.sanitizer import commanded, simulation

SIZE = 32 << 10
SECRET = b"SECRET-CRM-ROW42"


def _left(name: str, journals: Path, drive: SimulatedDrive) -> dict[str, Any]:
    """Put it all back as it lay there."""
    kept: dict[str, Any] = json.loads((Path(__file__).parent / "journals_of_before" / f"{name}.json").read_text())
    folder = journals / simulation.RUN
    folder.mkdir(parents=True)
    (folder / "journal").write_text(kept["journal"])
    (folder / "master.key").write_bytes(bytes.fromhex(kept["master_key"]))
    medium = zlib.decompress(base64.b64decode(kept["medium"]))
    drive.current, drive.durable = bytearray(medium), bytearray(medium)
    drive.sequence = 2
    return kept


def test_an_overwrite_of_an_older_build_goes_on_where_it_was(tmp_path: Path) -> None:
    drive = SimulatedDrive(SIZE)
    kept = _left("overwrite", tmp_path, drive)
    assert SECRET in drive.durable, "half done"
    (pending,) = api.pending_runs(tmp_path)
    assert (pending.state, pending.touched, pending.pass_number) == ("interrupted", "yes", 1)
    assert pending.durable_bytes > 0
    system = SimulatedSystem(drive, boot="boot-2")
    system.clock = kept["clock"] + 60
    outcome = simulation.go_on(system, tmp_path)
    assert (outcome.state, outcome.error_code) == ("succeeded", None)
    assert [one.ended_by for one in outcome.run.segments] == ["crashed", "completed"]
    assert min(at for at, _ in drive.spent_writes) >= pending.durable_bytes, "what was done is not done again"
    assert SECRET not in drive.durable


def test_a_drive_that_an_older_build_sent_its_command_is_waited_for(tmp_path: Path) -> None:
    drive = CommandDrive(SIZE)
    kept = _left("command", tmp_path, drive)
    drive.phase, drive.left, drive.operation = SanitizePhase(kept["phase"]), kept["left"], kept["operation"]
    system = CommandSystem(drive, boot="boot-2")
    system.clock = kept["clock"] + 60
    outcome = commanded.go_on(system, tmp_path)
    assert (outcome.state, outcome.error_code) == ("succeeded", None)
    assert drive.started == [], "the command is not sent twice"
    assert SECRET not in drive.durable


@pytest.mark.parametrize("name", ["overwrite", "command"])
def test_one_that_was_altered_is_damaged_and_not_gone_on_with(tmp_path: Path, name: str) -> None:
    _left(name, tmp_path, SimulatedDrive(SIZE))
    file = tmp_path / simulation.RUN / "journal"
    file.write_text(file.read_text().replace("first-write", "first-wrote"))
    assert api.pending_runs(tmp_path)[0].state == "damaged"
