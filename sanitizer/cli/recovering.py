"""Commands for a drive that is not as it should be before a run: settle, unlock, restore-capacity."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from sanitizer import api
from sanitizer.capability import SanitizePhase, SanitizeStanding
from sanitizer.capacity import CapacityChange, restore_capacity
from sanitizer.command_log import outstanding_password
from sanitizer.errors import DeviceMissing
from sanitizer.host import DEFAULT_STATE, STATE_VARIABLE
from sanitizer.journal import peek

from . import escrow
from .confirming import confirmed
from .exit_codes import ExitCode
from .explaining import wrapped
from .looking import stop_on_signals
from .options import as_json_option, device_argument, journal_option, reported
from .output import as_json, size
from .progress import Display

_ENDS: dict[SanitizePhase, tuple[str, ExitCode]] = {
    SanitizePhase.SUCCEEDED: ("the drive says that its newest sanitize operation succeeded", ExitCode.SANITIZED),
    SanitizePhase.NEVER: ("the drive knows of no sanitize operation", ExitCode.SANITIZED),
    SanitizePhase.IDLE: (
        "nothing is under way; how the last operation ended the drive does not say",
        ExitCode.SANITIZED,
    ),
    SanitizePhase.FROZEN: (
        "nothing is under way; sanitize is frozen until the drive is powered off and on",
        ExitCode.SANITIZED,
    ),
    SanitizePhase.FAILED: ("the drive says that its sanitize operation failed", ExitCode.FAILED),
    SanitizePhase.FAILED_RESTRICTED: (
        "the drive says that its sanitize operation failed; it accepts nothing but another sanitize",
        ExitCode.FAILED,
    ),
    SanitizePhase.FAILED_UNRESTRICTED: (
        "the drive says that its sanitize operation failed; it could be made to show its old data again",
        ExitCode.FAILED,
    ),
    SanitizePhase.UNKNOWN: ("where the drive stands could not be learnt", ExitCode.FAILED),
    SanitizePhase.IN_PROGRESS: ("the drive is still at work", ExitCode.INTERRUPTED),
}
PROVES_NOTHING = (
    "This is the drive's word and proves nothing: the medium does not count as sanitized. If a run began the "
    "operation, go on with it (sanitizer resume), which looks at the medium; otherwise sanitize it anew."
)


@click.command("settle")
@device_argument
@as_json_option
@reported
def settle_command(device: Path, *, json_output: bool) -> None:
    """Wait until DEVICE has ended a sanitize operation it works on by itself, and tell how. Writes nothing.

    Such an operation cannot be stopped, and goes on after a power cut, whoever began it. How it ended is the drive's
    word and proves nothing of the medium.

    Exit status 4 when the drive says that it failed, 5 when Ctrl-C ended the waiting.
    """
    stop = stop_on_signals()
    with Display(quiet=json_output) as display:
        standing = api.settle(device, progress=display.listener(str(device)), stop=stop)
    words, code = _ENDS[standing.phase]
    if json_output:
        as_json({"path": str(device), **_document(standing), "summary": words, "proves": "nothing"})
    else:
        click.echo(f"{device}: {words}")
        click.echo(wrapped(PROVES_NOTHING, "  "))
    sys.exit(code)


def _document(standing: SanitizeStanding) -> dict[str, object]:
    return {"phase": standing.phase.value, "progress": standing.progress, "raw": standing.raw.hex()}


@click.command("unlock")
@click.argument("target", metavar="RUN|DEVICE")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the password: one that `wipe --escrow-file` wrote, or the password itself. May be left out for a RUN "
    "whose journal is here.",
)
@journal_option
@as_json_option
@reported
def unlock_command(target: str, password_file: Path | None, journal_dir: Path, *, json_output: bool) -> None:
    """Take away the ATA password that a security erase has left on a drive ("locked by us").

    RUN is the run that set it, DEVICE the drive as it is attached now: directly, not behind a USB bridge. The medium is not
    changed, and does not count as sanitized by this. A drive counts wrong passwords and refuses more after a few until it
    is powered off and on.
    """
    path, fingerprint, kept = _named(target, journal_dir)
    try:
        secret = escrow.from_file(password_file, fingerprint) if password_file is not None else kept
    except escrow.SecretUnusable as unusable:
        raise click.UsageError(str(unusable)) from None
    if secret is None:
        raise click.UsageError("name the password: --password-file FILE (the inventory's escrow can write one)")
    api.unlock(path, secret)
    if json_output:
        as_json({"path": str(path), "fingerprint": fingerprint, "unlocked": True})
    else:
        click.echo(f"{path}: the drive has no password any more")
        click.echo("  The medium was not changed by this, and does not count as sanitized.")


def _named(target: str, journal_dir: Path) -> tuple[Path, str | None, bytes | None]:
    """Where the drive is, which it is, and the password if a run's journal has it."""
    pending = next((each for each in api.pending_runs(journal_dir) if each.run_id == target), None)
    if pending is None:
        inspection = api.inspect(target)
        return Path(inspection.path), inspection.fingerprint, None
    entries, _ = peek(journal_dir, target) if pending.state != "damaged" else ([], False)
    for inspection in api.list_devices():
        if inspection.fingerprint is not None and inspection.fingerprint == pending.fingerprint:
            return Path(inspection.path), inspection.fingerprint, outstanding_password(entries)
    raise DeviceMissing(fingerprint=pending.fingerprint, path=f"the device of run {target}")


@click.command("restore-capacity")
@device_argument
@click.option("--confirm", metavar="FINGERPRINT", help="Fingerprint of the device, for use without a keyboard.")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_STATE,
    show_default=True,
    envvar=STATE_VARIABLE,
    help="Folder for the notes of what a drive was changed in and has shown to be all; on durable storage. Runs look there "
    "too: for another folder set the variable.",
    show_envvar=True,
)
@as_json_option
@reported
def restore_capacity_command(device: Path, confirm: str | None, state_dir: Path, *, json_output: bool) -> None:
    """Make blocks of DEVICE addressable that somebody has hidden, so that they can be overwritten too.

    Blocks are hidden by a host protected area (HPA), by the device configuration overlay (DCO), by the accessible maximum
    address (AMAX), or by the block descriptor of a SCSI disk. No data is changed. A drive takes one such change each
    time it is powered on: where several hide something, power it off and on when told so, and call this again.

    A SCSI disk does not tell whether it hides blocks. Told to show them all, it proves how many it has; that is kept in
    the state folder, and the runs that follow count its capacity as known.

    The fingerprint changes with the capacity; `show` prints the new one.
    """
    inspection = api.inspect(device)
    told = ("Hidden blocks of this device become visible, if there are any. Type its fingerprint to go on:",)
    fingerprint = confirmed(inspection, (confirm,) if confirm else (), told, ask=not json_output)
    change = restore_capacity(device, fingerprint, state_dir)
    if json_output:
        as_json(change.to_dict())
    else:
        click.echo("\n".join(_told(change)))


def _told(change: CapacityChange) -> Iterator[str]:
    if change.changed is None and change.next_step == "nothing":
        yield f"{change.path}: nothing is hidden; {size(change.after_bytes)} are addressable"
    else:
        how = f"{change.command} was sent" if change.command else "nothing was sent"
        yield f"{change.path}: {how}; {size(change.before_bytes)} were addressable, {size(change.after_bytes)} are now"
    if change.next_step == "power-cycle":
        yield wrapped(
            "Power the drive off and on (pull it, or switch this host off), then give the same command again: the change shows "
            "only then, or more is hidden.",
            "  ",
        )
    elif change.changed is not None:
        yield "  Nothing is hidden any more, as far as the drive tells."
    if change.proven:
        yield wrapped(
            "Told to show all of its blocks, the disk has these and no more; this is kept for the runs that follow.",
            "  ",
        )
    if change.after_bytes != change.before_bytes:
        yield wrapped("The fingerprint has changed with the capacity: see `sanitizer show`.", "  ")
