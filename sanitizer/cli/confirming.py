"""The fingerprint as a person confirms it; never taken from the device itself."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import click

from sanitizer.errors import ConfirmationMissing
from sanitizer.inspection import Inspection

from .output import describe, grouped, ungrouped


def confirmed(inspection: Inspection, given: tuple[str, ...], told: Iterable[str], *, ask: bool) -> str:
    """What was given on the command line for this device, or what is typed now.

    Args:
        inspection: The device.
        given: Fingerprints of `--confirm`.
        told: What is about to happen, shown before the question.
        ask: Whether somebody may be asked.

    Raises:
        ConfirmationMissing: nothing names this device.
    """
    known = [ungrouped(each) for each in given]
    if inspection.fingerprint in known:
        return next(each for each in known if each == inspection.fingerprint)
    if given or not ask or not sys.stdin.isatty():
        raise ConfirmationMissing(
            fingerprint=inspection.fingerprint,
            expected=inspection.fingerprint or "",
            given=", ".join(known) or "nothing",
        )
    describe(inspection)
    for line in told:
        click.echo(line)
    try:
        return ungrouped(click.prompt(grouped(inspection.fingerprint or ""), prompt_suffix="\n> "))
    except click.Abort:
        raise ConfirmationMissing(
            fingerprint=inspection.fingerprint, expected=inspection.fingerprint or "", given="nothing"
        ) from None
