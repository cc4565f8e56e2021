"""`doctor`: what is wrong and how to set it right; `metrics`: figures for Prometheus."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from agents import doctor, metrics
from agents.clock import SystemClock
from agents.durable import Disk

from .common import Common, explained
from .output import answer


@click.command("doctor")
@explained
def doctor_command(common: Common) -> None:
    """Say what is wrong with this host's agent, and what to do about each thing. Changes nothing.

    Ends with 0 where nothing stops work, and with 3 where something does.
    """
    settings = common.settings()
    found = doctor.looks(doctor.here(settings, SystemClock().now))
    document = {"findings": [vars(finding) for finding in found]}
    answer(common.as_json, document, "\n".join(one.describe() for one in found) or "Nothing is wrong.")
    sys.exit(3 if any(finding.weight == "stops" for finding in found) else 0)


@click.command("metrics")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Replace this file as a whole, for the textfile collector of node_exporter; otherwise to standard output.",
)
@explained
def metrics_command(common: Common, out: Path | None) -> None:
    """Figures of this host's agent in the text format of Prometheus: nothing about anybody's data, no serial numbers."""
    settings = common.settings()
    text = metrics.text(doctor.here(settings, SystemClock().now))
    if out is None:
        click.echo(text, nl=False)
        return
    Disk().write_file(out, text.encode(), mode=0o644)
