"""Commands about the log, on the server's own machine; some need no database at all."""

from __future__ import annotations

import base64
from pathlib import Path

import click

from inventory.clock import SystemClock
from inventory.services import log_export, log_restore, transparency, witnesses
from inventory.services.views import WitnessView
from reports.errors import ReportError
from reports.exported_log import open_exported_log, summary
from reports.tlog import Frontier, leaf_hash, open_checkpoint, parse_vkey

from .common import Found, config_option, json_option, opened, plainly, settings_of, show
from .stamping import STAMPING

_STEP = 256
_FOLDER = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group("log")
def log_group() -> None:
    """The append-only log of everything that counts."""


@log_group.command("checkpoint")
@config_option
@plainly
def checkpoint(config: Path | None) -> None:
    """Print the newest signed checkpoint. Keep it elsewhere: it proves what the log said."""
    context = opened(config)
    try:
        click.echo(transparency.checkpoint(context).note, nl=False)
    finally:
        context.database.close()


@log_group.command("vkeys")
@config_option
@plainly
def vkeys(config: Path | None) -> None:
    """Print the log's verifier keys, one a line: what a witness needs (`sanitrail-witness add-log`)."""
    context = opened(config)
    try:
        click.echo("\n".join(transparency.trust(context).vkeys))
    finally:
        context.database.close()


@log_group.command("witnesses")
@config_option
@json_option
@plainly
def list_witnesses(config: Path | None, *, as_json: bool) -> None:
    """Print who cosigns the log, and how we stand with them. Exit code 4 where one has a problem."""
    context = opened(config)
    try:
        found = witnesses.status(context)
    finally:
        context.database.close()
    show([vars(one) for one in found], as_json=as_json, lines=lambda: _witness_lines(found))
    if any(one.problem for one in found):
        raise Found("A witness does not sign, or would not count.")


def _witness_lines(found: tuple[WitnessView, ...]) -> list[str]:
    if not found:
        return ["No witness is named by the trust root or the settings: every document says that it is unwitnessed."]
    lines = []
    for one in found:
        when = "never" if one.cosigned is None else f"{one.cosigned:%Y-%m-%d %H:%M} UTC"
        lines.append(f"{one.name}  {one.size} entries, {one.behind} behind, last {when}  {one.url}")
        lines += [f"    {one.problem}"] if one.problem else []
    return lines


@log_group.command("export")
@_FOLDER
@config_option
@json_option
@plainly
def export(folder: Path, config: Path | None, *, as_json: bool) -> None:
    """Write the log into FOLDER as plain files (C2SP tlog-tiles), or bring FOLDER up to date.

    Any web server can publish it, anybody can mirror it, `sanitrail log fsck --folder` and `sanitrail-verify --log` read it, and
    `sanitrail log restore` brings an old backup up to date with it. Cut off, it goes on where it was. Run it from a timer, to
    another machine's disk.
    """
    context = opened(config)
    try:
        done = log_export.export(context, folder)
    finally:
        context.database.close()
    words = f"{folder} holds {done.size} entries ({done.size - done.before} new, {done.files} files written)"
    show({"folder": str(folder), **vars(done)}, as_json=as_json, lines=lambda: [words])


@log_group.command("restore")
@_FOLDER
@config_option
@json_option
@plainly
def restore(folder: Path, config: Path | None, *, as_json: bool) -> None:
    """After an old backup was restored: take in what the exported FOLDER holds beyond it. Stop the service first.

    A log that is behind what it signed signs nothing more: going on would be a second history. The folder is checked to the last
    byte and must continue the backup's log. What the entries were about is not in it, except trust roots, key events and
    corrections: an exception on the console says what a person must ask others for.
    """
    done = log_restore.bring_up_to_date(settings_of(config), SystemClock(), folder)
    lines = [f"the log holds {done.size} entries again, {done.size - done.before} came back"]
    lines += [f"  {count} {kind}" for kind, count in sorted(done.kinds.items())]
    lines += [f"known by digest alone: {done.lost}; see the exceptions on the console"] if done.lost else []
    lines += [f"revoked meanwhile: {', '.join(done.revoked)}"] if done.revoked else []
    show(vars(done), as_json=as_json, lines=lambda: lines)


@log_group.command("fsck")
@config_option
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="An exported log; needs no database.",
)
@click.option("--pin", help="With --folder: digest of the trust root, from elsewhere than the folder.")
@json_option
@plainly
def fsck(config: Path | None, folder: Path | None, pin: str | None, *, as_json: bool) -> None:
    """Hash every entry again and compare with the signed checkpoint. Exit code 4 where they differ.

    Of a --folder every tile, every signature and every statement in it is checked as well.
    """
    if (folder is None) != (pin is None):
        raise click.UsageError("--folder and --pin go together.")
    if folder is not None and pin is not None:
        _check_folder(folder, pin, as_json=as_json)
        return
    context = opened(config)
    try:
        newest = transparency.checkpoint(context)
        keys = [parse_vkey(vkey) for vkey in transparency.trust(context).vkeys]
        try:
            signed = open_checkpoint(newest.note, keys)
        except ReportError as error:
            raise Found(f"The checkpoint is not signed by the log's keys: {error}") from error
        frontier = Frontier()
        while frontier.size < signed.size:
            leaves = transparency.entries(context, frontier.size, min(_STEP, signed.size - frontier.size))
            if not leaves:
                raise Found(f"Entry {frontier.size} is missing.")
            frontier, _ = frontier.extend(leaf_hash(leaf) for leaf in leaves)
    finally:
        context.database.close()
    root = frontier.root()
    if root != signed.root:
        raise Found("The entries do not hash to the signed root: the log was altered.")
    value = {"size": signed.size, "root": base64.b64encode(root).decode(), "ok": True}
    show(value, as_json=as_json, lines=lambda: [f"{signed.size} entries hash to the signed root {value['root']}"])


def _check_folder(folder: Path, pin: str, *, as_json: bool) -> None:
    try:
        found = summary(open_exported_log(folder, "".join(pin.split()).lower()))
    except ReportError as error:
        raise Found(f"{folder} is not the log, whole and unaltered. {error.summarize()}") from error
    lines = [
        f"{found['size']} entries of {found['origin']} hash to the signed root {found['root']}",
        f"witnesses: {', '.join(found['witnesses']) or 'none'}; corrections: {found['corrections']}",
    ]
    show(found, as_json=as_json, lines=lambda: lines)


for _command in STAMPING:
    log_group.add_command(_command)

COMMANDS: tuple[click.Command, ...] = (log_group,)
