"""Commands about the log, on the server's own machine."""

from __future__ import annotations

import base64
from pathlib import Path

import click

from inventory.services import transparency
from reports.errors import ReportError
from reports.tlog import Frontier, leaf_hash, open_checkpoint, parse_vkey

from .common import Found, config_option, json_option, opened, plainly, show

_STEP = 256


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


@log_group.command("fsck")
@config_option
@json_option
@plainly
def fsck(config: Path | None, *, as_json: bool) -> None:
    """Hash every entry again and compare with the signed checkpoint. Exit code 4 where they differ."""
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


COMMANDS: tuple[click.Command, ...] = (log_group,)
