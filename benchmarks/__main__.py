"""The command: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import click

from . import machine, peers, table
from .bed import MIB, Bed
from .errors import CannotMeasure
from .goals import Judged, judge
from .groups import GROUPS, Outcome, Settings, run_groups

EXIT_FAILED, EXIT_CANNOT = 1, 3


def _end(number: int, _: FrameType | None) -> None:
    """Leave in order, so that the devices are seen to be taken down; the guardian would do it in any case."""
    sys.exit(128 + number)


def _tell(words: str) -> None:
    """Show what is being done, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{words}", nl=False, err=True)


def _report(found: peers.Peers, host: machine.Machine, outcome: Outcome, goals: tuple[Judged, ...], size: int) -> str:
    parts = [
        host.describe(),
        "Tools: " + ", ".join(tool.label for tool in found.found) + ".",
        *(f"Missing: {name}: {reason}." for name, reason in found.missing),
        "x ours: span of the tool over the span of our engine in the same round; 2.00 means that ours needs half the time.",
        "span: from a device's first write to its last I/O.  cache: peak growth of the block devices' page cache.",
    ]
    tables = [table.group_table(group) for group in outcome.groups if group.key != "faults" or group.not_measured]
    disturbed = table.disturbance(outcome.groups)
    if disturbed is not None:
        parts.append(disturbed)
    tables += [table.faults_table(outcome.faults)] if outcome.faults else []
    return "\n\n".join(["\n".join(parts), *tables, table.goals_table(goals, size)])


def _as_json(found: peers.Peers, host: machine.Machine, outcome: Outcome, goals: tuple[Judged, ...]) -> dict[str, Any]:
    return {
        "machine": host.to_dict(),
        "tools": [{"name": tool.name, "version": tool.version} for tool in found.found],
        "missing": [{"name": name, "reason": reason} for name, reason in found.missing],
        "groups": [group.to_dict() for group in outcome.groups],
        "faults": [row.to_dict() for row in outcome.faults],
        "goals": [goal.to_dict() for goal in goals],
    }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Small devices and one or two rounds: under a minute, coarse figures.")
@click.option(
    "--size",
    type=click.IntRange(min=64),
    metavar="MIB",
    help="Size of the test device; default: up to 4096, by free memory.",
)
@click.option("--only", type=click.Choice(GROUPS), multiple=True, help="Run only this group; may be repeated.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write every sample to this file."
)
@click.option(
    "--nwipe",
    "nwipes",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="Measure this build of nwipe too; may be repeated. Distributions ship versions that write through the page cache.",
)
def main(
    *, quick: bool, size: int | None, only: tuple[str, ...], json_file: Path | None, nwipes: tuple[Path, ...]
) -> None:
    """Measure this engine against dd, shred, nwipe and fio on the same loop devices, in turns, as ratios.

    Needs root. Writes only to loop devices over files it makes itself, and takes them down however it ends. Exit code 0
    when the tables are printed, whether goals are met or not; 1 when our own engine failed on a sound device; 2 for a
    wrong option; 3 when this machine cannot be measured.
    """
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _end)
    began = time.monotonic()
    try:
        machine.check_prerequisites()
        wanted = size * MIB if size is not None else (512 * MIB if quick else None)
        backing, disk, chosen = machine.choose_folders(wanted)
        found = peers.find_peers(nwipes)
        host = machine.look(backing)
        settings = Settings(size=chosen, quick=quick, only=frozenset(only))
        with Bed(backing, disk) as bed:
            outcome = run_groups(bed, found, settings, _tell)
    except CannotMeasure as error:
        _tell("")
        click.echo(f"Cannot measure: {error}.", err=True)
        sys.exit(EXIT_CANNOT)
    _tell("")
    goals = judge(outcome.groups, outcome.faults)
    click.echo(_report(found, host, outcome, goals, chosen))
    click.echo(f"\nTook {time.monotonic() - began:.0f} s.")
    if json_file is not None:
        json_file.write_text(json.dumps(_as_json(found, host, outcome, goals), indent=1) + "\n", encoding="utf-8")
    for failure in outcome.failures:
        click.echo(f"Our engine failed on a sound device: {failure}", err=True)
    sys.exit(EXIT_FAILED if outcome.failures else 0)


if __name__ == "__main__":
    main()
