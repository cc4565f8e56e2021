"""`log`: what this host has seen of the service's log, and whether others have seen the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import click

from agents import assembly, errand
from agents.errors import CheckpointRefused
from agents.log_watch import decode_hashes
from agents.pins import PinStore
from reports.tlog.notes import MAX_NOTE

from .common import Common, explained
from .output import answer


@click.group("log")
def log_group() -> None:
    """The service's log, as this host has seen it: every host is a witness."""


@log_group.command("show")
@explained
def show_command(common: Common) -> None:
    """Print the newest checkpoint this host has verified, as signed. Hand it to another host or an auditor to compare."""
    pins = PinStore(assembly.open_state(common.settings())).require()
    document = {"origin": pins.checkpoint.origin, "size": pins.checkpoint.size, "note": pins.note}
    answer(common.as_json, document, pins.note.removesuffix("\n"))


@log_group.command("compare")
@click.argument("file", type=click.File("rb"))
@explained
def compare_command(common: Common, file: BinaryIO) -> None:
    """Whether FILE, a checkpoint that somebody else has seen, is of the same history as this host's; - reads standard input.

    A service that shows two histories to two hosts is found out as soon as one sees the other's checkpoint: two of one size that
    differ are proof by themselves, and of two sizes the service must prove that one extends the other. If it is not one history,
    an alarm is kept with both, and this host takes no orders until it is settled.
    """
    settings = common.settings()
    state = assembly.open_state(settings)
    own, enrolled = assembly.require_enrolled(state)
    pins = PinStore(state)
    before = pins.require().checkpoint
    note = _text(file)
    with errand.way(settings) as link:
        service = assembly.open_client(enrolled.server, own, assembly.open_watch(settings), link)

        def prove(old: int, new: int) -> Sequence[bytes]:
            return decode_hashes(service.consistency(old, new).hashes)

        newest = pins.advance(note, prove)
    document = {"origin": newest.origin, "seen": before.size, "newest": newest.size, "same_history": True}
    answer(common.as_json, document, f"One history: {before.size} entries were known here, {newest.size} are now.")


def _text(file: BinaryIO) -> str:
    try:
        return file.read(MAX_NOTE * 4).decode("utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointRefused("The file is no text.") from error
