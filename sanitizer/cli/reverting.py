"""The command that brings back a drive which hides its medium behind TCG locking: recover."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from sanitizer import api
from sanitizer.clearance import Confirmation
from sanitizer.planning import SCOPES
from sanitizer.reverting import BY_LABEL, BY_OWNER, PROVES_NOTHING, Recovery, RecoveryRequest

from . import escrow
from .confirming import confirmed
from .exit_codes import ExitCode
from .explaining import wrapped
from .looking import stop_on_signals
from .options import as_json_option, device_argument, reported
from .output import as_json

DEFAULT_RECORDS = Path("/var/lib/sanitizer/recoveries")
_TOLD = (
    "Everything this drive holds is destroyed, also what nobody can see now, and no certificate comes of it.",
    "Type its fingerprint to go on:",
)


@click.command("recover")
@device_argument
@click.option(
    "--psid-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the PSID, the 32 characters printed on the drive's label.",
)
@click.option(
    "--owner-password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the password of the drive's TCG owner (SID), where the label is lost.",
)
@click.option("--confirm", metavar="FINGERPRINT", help="Fingerprint of the device, for use without a keyboard.")
@click.option(
    "--acknowledge",
    multiple=True,
    metavar="SIGNATURE",
    help="Destroy this dormant membership too (lvm2-member, zfs-member, ...); once for each.",
)
@click.option(
    "--accept-scope",
    "scope",
    multiple=True,
    type=click.Choice(list(SCOPES)),
    help="Accept that this is destroyed too; once for each.",
)
@click.option(
    "--record-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_RECORDS,
    show_default=True,
    help="Folder where it is kept what was sent and answered; must be on durable storage.",
)
@as_json_option
@reported
def recover_command(
    device: Path,
    psid_file: Path | None,
    owner_password_file: Path | None,
    confirm: str | None,
    acknowledge: tuple[str, ...],
    scope: tuple[str, ...],
    record_dir: Path,
    *,
    json_output: bool,
) -> None:
    """Bring back DEVICE, which hides its medium behind TCG locking (Opal): locked, shadowed, or reverted half-way.

    The drive is reverted to its factory state with the number on its label. That destroys what it holds, on all of its
    namespaces, and everything that stands against a run stands against this. It is no sanitization: nothing could be
    written before, so nothing can be proven after. What was sent is kept. Then plan an ordinary run.

    Exit status 4 when the drive did not take the number, or hides its medium still.
    """
    if (psid_file is None) == (owner_password_file is None):
        raise click.UsageError("name one of --psid-file and --owner-password-file")
    try:
        if psid_file is not None:
            technique, secret = BY_LABEL, escrow.psid_from(psid_file)
        else:
            technique, secret = BY_OWNER, escrow.from_file(owner_password_file or Path(), None)
    except escrow.SecretUnusable as unusable:
        raise click.UsageError(str(unusable)) from None
    inspection = api.inspect(device)
    fingerprint = confirmed(inspection, (confirm,) if confirm else (), _TOLD, ask=not json_output)
    asked = RecoveryRequest(
        technique=technique,
        confirmation=Confirmation(fingerprint=fingerprint, acknowledged_signatures=acknowledge),
        scope=scope,
    )
    recovery = api.recover_drive(
        inspection.path,
        asked,
        f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        record_dir,
        secret=secret,
        stop=stop_on_signals(),
    )
    if json_output:
        as_json({**recovery.to_dict(), "record": str(record_dir / recovery.recovery_id)})
    else:
        click.echo("\n".join(_told(recovery, record_dir)))
    sys.exit(ExitCode.SANITIZED if recovery.in_service else ExitCode.FAILED)


def _told(recovery: Recovery, record_dir: Path) -> Iterator[str]:
    was = ", ".join(recovery.before)
    if recovery.in_service:
        yield f"{recovery.path}: was {was}; it shows its medium again"
    else:
        yield f"{recovery.path}: was {was}; it still is {', '.join(recovery.after)}"
    for sentence in recovery.also_destroyed:
        yield wrapped(f"also destroyed:  {sentence}", "  ", " " * 19)
    yield wrapped(PROVES_NOTHING, "  ")
    yield wrapped(f"What was sent and answered is kept in {record_dir / recovery.recovery_id}.", "  ")
