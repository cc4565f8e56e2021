"""Backup and restore, on the server's own machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from inventory.clock import SystemClock

from .common import config_option, json_option, opened, plainly, settings_of, show

_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
@config_option
@click.option("--without-keys", is_flag=True, help="Leave the keys out: they are backed up apart, or live in a module.")
@json_option
@plainly
def backup(file: Path, config: Path | None, *, without_keys: bool, as_json: bool) -> None:
    """Write a backup to FILE, new and with mode 0600, or to standard output (-). The service may go on running.

    One state of the database, whichever kind it is, and the keys that go with it: whoever has the file can sign as you. The note
    of what was signed last is left out on purpose (`sanitrail restore` tells why). Export the log to another machine besides,
    often: `sanitrail log export`.
    """
    from inventory.services import backups  # noqa: PLC0415 - brings the database along

    to_stream = str(file) == "-"
    context = opened(config)
    draft = file.with_name(f".{file.name}.part")
    try:
        with sys.stdout.buffer if to_stream else backups.private_file(draft) as target:
            try:
                done = backups.write(context, target, with_keys=not without_keys)
                target.flush()
                if not to_stream:
                    os.fsync(target.fileno())
            except BaseException:
                if not to_stream:
                    draft.unlink()
                raise
    finally:
        context.database.close()
    if to_stream:
        return
    if file.exists():
        draft.unlink()
        raise click.UsageError(f"{file} exists; a backup never overwrites another one.")
    draft.rename(file)
    lines = [
        f"{file} holds {done.rows} rows of {done.tables} tables and {done.keys} key files",
        f"log: {done.size} entries, root {done.root}",
    ]
    show({"file": str(file), **vars(done)}, as_json=as_json, lines=lambda: lines)


@click.command()
@click.argument("file", type=_THERE)
@config_option
@click.option(
    "--log",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The exported log: what it holds beyond the backup is taken in.",
)
@click.option(
    "--checkpoint",
    type=_THERE,
    help="The newest signed checkpoint that anybody keeps: an agent, a witness, your publication.",
)
@json_option
@plainly
def restore(file: Path, config: Path | None, log: Path | None, checkpoint: Path | None, *, as_json: bool) -> None:
    """Bring a backup back into an EMPTY database, of either kind. Stop the service first.

    The settings say where: data directory and database. Keys come back where there are none. The log never goes back behind what
    it signed: the guard file of this machine tells, where it survived; on a new machine name --log or --checkpoint. A backup that
    is behind them is refused, unless the exported log brings the rest.
    """
    from inventory.services import backups  # noqa: PLC0415 - brings the database along

    done = backups.restore(
        settings_of(config),
        SystemClock(),
        file,
        log=log,
        checkpoint=None if checkpoint is None else checkpoint.read_text(encoding="utf-8"),
    )
    lines = [f"{done.rows} rows are back; the log holds {done.size} entries"]
    if done.from_export:
        lines.append(f"{done.from_export} entries came from the exported log: see the exceptions on the console")
    show(vars(done), as_json=as_json, lines=lambda: lines)


COMMANDS = (backup, restore)
