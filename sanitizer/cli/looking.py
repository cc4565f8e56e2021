"""Commands that only look: list, show, verify, status."""

from __future__ import annotations

import dataclasses
import secrets
import signal
import sys
import threading
from pathlib import Path

import click

from sanitizer import api

from .abilities import tell
from .exit_codes import ExitCode
from .options import as_json_option, device_argument, journal_option, reported
from .output import as_json, describe, rows, size
from .progress import Display


@click.command("list")
@as_json_option
@reported
def list_command(*, json_output: bool) -> None:
    """List this host's devices, and what stands against writing to each.

    Media only: what is assembled from others (RAID, LVM) is shown by what lies beneath it.
    """
    found = api.list_devices()
    if json_output:
        as_json([inspection.to_dict() for inspection in found])
        return
    lines = [
        (
            each.path,
            size(each.capacity_bytes),
            each.media,
            (each.identity.model or each.kind) if each.identity else each.kind,
            each.fingerprint[:16] if each.fingerprint else "-",
            ", ".join(obstacle.code for obstacle in each.obstacles) or "none",
        )
        for each in found
    ]
    rows(("DEVICE", "SIZE", "MEDIA", "MODEL", "FINGERPRINT", "OBSTACLES"), lines)


@click.command("show")
@device_argument
@as_json_option
@reported
def show_command(device: Path, *, json_output: bool) -> None:
    """Show one device: identity, fingerprint, what it can do by itself, and every reason why it may not be written to.

    The fingerprint is what `wipe` wants to be confirmed. It belongs to the medium, not to the path.
    """
    inspection = api.inspect(device)
    if json_output:
        as_json(inspection.to_dict())
    else:
        describe(inspection)
        for name, value in tell(inspection.capabilities) if inspection.capabilities else ():
            click.echo(f"{name + ':':<17}{value}")


@click.command("health")
@device_argument
@as_json_option
@reported
def health_command(device: Path, *, json_output: bool) -> None:
    """Show how a drive is by its own account: what it predicts, and which blocks it has replaced or could not read.

    Asks for SMART data, SCSI log pages or the NVMe health log, whichever the drive keeps; writes nothing and starts no test.
    """
    found = api.health_of(device)
    if json_output:
        as_json(dataclasses.asdict(found) if found else None)
        return
    if found is None:
        click.echo(f"{device} keeps no health that could be asked for, or somebody works on it")
        return
    for name, value, unit in (
        ("kept in", found.source, ""),
        ("it predicts", _PREDICTIONS[found.prediction], ""),
        ("temperature", found.temperature, " degrees Celsius"),
        ("power-on hours", found.power_on_hours, ""),
        ("replaced blocks", found.reallocated, ""),
        ("pending blocks", found.pending, ""),
        ("uncorrectable", found.uncorrectable, ""),
        ("wear", found.used_percent, " %"),
        ("spare left", found.spare_percent, " %"),
    ):
        click.echo(f"{name + ':':<17}{'not said' if value is None else f'{value}{unit}'}")
    if found.problem:
        click.echo(f"{'problem:':<17}{found.problem}")


_PREDICTIONS = {"passed": "no failure", "failing": "ITS OWN FAILURE", "unknown": "nothing"}


@click.command("verify")
@device_argument
@click.option("--pattern", default="zeros", show_default=True, help="What it should hold: zeros, ones or fixed:HEX.")
@click.option("--run", help="Compare with what this run wrote last, the keyed stream included; --pattern is not used.")
@journal_option
@click.option(
    "--verification",
    type=click.Choice(["full", "representative"]),
    default="full",
    show_default=True,
    help="Read all blocks, or the sample of SP 800-88 Rev. 1, 4.7.3.",
)
@click.option("--seed", help="Seed of the sample; a fresh one is drawn when left out.")
@as_json_option
@reported
def verify_command(
    device: Path,
    pattern: str,
    run: str | None,
    journal_dir: Path,
    verification: str,
    seed: str | None,
    *,
    json_output: bool,
) -> None:
    """Read DEVICE back past the page cache and compare it with a constant or a run. Writes nothing.

    Exit status 6 when a block differs or cannot be read.
    """
    inspection = api.inspect(device)
    stop = stop_on_signals()
    with Display(quiet=json_output) as display:
        found = api.verify(
            inspection,
            pattern,
            verification,
            run=(journal_dir, run) if run else None,
            sample_seed=seed or secrets.token_hex(16),
            progress=display.listener(str(device)),
            stop=stop,
        )
    sound = found.completed and not found.residual and not found.unreadable
    if json_output:
        as_json({"path": inspection.path, "fingerprint": inspection.fingerprint, "as_expected": sound, **vars(found)})
    else:
        click.echo(f"{inspection.path}: {found.kind} read-back against {found.expected}, {found.bytes_read} bytes")
        for word, ranges in (("differs", found.residual), ("unreadable", found.unreadable)):
            for start, end in ranges[:20]:
                click.echo(f"  {word}: bytes {start} to {end}")
            if len(ranges) > 20:
                click.echo(f"  {word}: and {len(ranges) - 20} more ranges")
        click.echo("  every block read is as expected" if sound else "  NOT as expected")
    if not sound:
        sys.exit(ExitCode.UNVERIFIED)


@click.command("status")
@journal_option
@click.option("--forget", metavar="RUN", help="Delete the journal and the key of an ended run.")
@as_json_option
@reported
def status_command(journal_dir: Path, forget: str | None, *, json_output: bool) -> None:
    """Show every run the journal folder knows, and which can be resumed."""
    pending = api.pending_runs(journal_dir)
    if forget is not None:
        _forget(journal_dir, forget, pending)
        return
    if json_output:
        as_json([_row(each) for each in pending])
        return
    if not pending:
        click.echo(f"no runs in {journal_dir}")
        return
    rows(
        ("RUN", "DEVICE", "FINGERPRINT", "STATE", "PASS", "DURABLE TO", "STARTED"),
        [
            (
                each.run_id,
                each.path or "-",
                (each.fingerprint or "-")[:16],
                each.state,
                f"{each.pass_number}/{each.passes}",
                size(each.durable_bytes),
                each.started or "-",
            )
            for each in pending
        ],
    )


def _forget(journal_dir: Path, run_id: str, pending: list[api.PendingRun]) -> None:
    known = next((each for each in pending if each.run_id == run_id), None)
    if known is not None and known.state in {"interrupted", "running"}:
        raise click.UsageError(
            f"run {run_id} is {known.state}; resume it first, or give it up with: resume --give-up {run_id}"
        )
    api.discard_journal(journal_dir, run_id)
    click.echo(f"run {run_id} is forgotten")


def _row(pending: api.PendingRun) -> dict[str, object]:
    return {
        "run_id": pending.run_id,
        "path": pending.path,
        "fingerprint": pending.fingerprint,
        "state": pending.state,
        "pass_number": pending.pass_number,
        "passes": pending.passes,
        "durable_bytes": pending.durable_bytes,
        "started": pending.started,
        "touched": pending.touched,
        "result": pending.result.to_dict() if pending.result else None,
        "error": pending.error,
    }


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM, SIGINT and SIGHUP set, so that a run ends cleanly and can be resumed."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # under nohup a hang-up is no stop
            signal.signal(number, lambda _number, _frame: stop.set())
    return stop
