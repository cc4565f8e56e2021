"""How the commands speak: tables and sentences for people, one JSON document on stdout for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from sanitizer.errors import SanitizerError
from sanitizer.inspection import Inspection
from sanitizer.run import RunResult


def as_json(document: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, indent=2, sort_keys=True))


def size(count: int | None) -> str:
    """Bytes for people: powers of ten as on a drive's label, and the exact number is in `show`."""
    if count is None:
        return "unknown"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise RuntimeError("the loop ends at TB")


def duration(seconds: int | None) -> str:
    """Seconds for people; nothing honest to say is said so."""
    if seconds is None:
        return "remaining time unknown"
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d} left"


def spell_out(seconds: int) -> str:
    """A length of time for people, rounded up to what matters."""
    if seconds < 120:
        return f"about {seconds} s"
    if seconds < 7200:
        return f"about {-(-seconds // 60)} min"
    return f"about {-(-seconds // 3600)} h"


def grouped(fingerprint: str) -> str:
    """A fingerprint in groups of four, as it is easier to compare by eye; typed with or without the spaces."""
    return " ".join(fingerprint[i : i + 4] for i in range(0, len(fingerprint), 4))


def ungrouped(text: str) -> str:
    """What a person typed, without spaces, in lower case."""
    return "".join(text.split()).lower()


def rows(headers: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """A table with columns as wide as needed."""
    widths = [max(len(str(line[i])) for line in [headers, *lines]) for i in range(len(headers))]
    for line in [headers, *lines]:
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def complain(error: SanitizerError) -> None:
    """An error on stderr: what happened, what is true of the medium, what to do, and the code to look up."""
    click.echo(f"sanitizer: {error.explain()} [{error.code}]", err=True)


def complaint(error: SanitizerError) -> dict[str, Any]:
    """The same as plain JSON values."""
    return {
        "code": error.code,
        "summary": error.summarize(),
        "remedy": error.remedy,
        "touched": error.touched,
        "details": error.details(),
    }


def describe(inspection: Inspection) -> None:
    """One device in full."""
    identity = inspection.identity
    facts = [
        ("path", inspection.path),
        ("fingerprint", grouped(identity.fingerprint) if identity else "none: identity unreadable"),
        ("kind", f"{inspection.kind}, {inspection.media}, by {inspection.transport}"),
        ("maker, model", " ".join(filter(None, (identity.vendor, identity.model))) if identity else ""),
        ("serial", (identity.serial or "not reported") if identity else ""),
        ("world-wide name", (identity.wwn or identity.nguid or identity.eui64 or "not reported") if identity else ""),
        ("firmware", inspection.firmware or "not reported"),
        ("capacity", _capacity(inspection)),
        ("hidden capacity", inspection.hidden_capacity),
        ("slot", inspection.slot or "not reported"),
        ("removable", "yes" if inspection.removable else "no"),
    ]
    for name, value in facts:
        if value:
            click.echo(f"{name + ':':<17}{value}")
    if not inspection.obstacles:
        click.echo("obstacles:       none; it may be sanitized when its fingerprint is confirmed")
    for obstacle in inspection.obstacles:
        click.echo(f"obstacle:        {obstacle.summarize()} [{obstacle.code}]")
        click.echo(f"                 {obstacle.remedy}")


def _capacity(inspection: Inspection) -> str:
    identity = inspection.identity
    if identity is None:
        return size(inspection.capacity_bytes)
    blocks = f"blocks of {identity.logical_block_bytes} bytes (physical {identity.physical_block_bytes})"
    return f"{size(identity.capacity_bytes)}, {identity.capacity_bytes} bytes in {blocks}"


def tell_result(outcome: RunResult) -> None:
    """How a run ended, for people."""
    stream = sys.stdout if outcome.state == "succeeded" else sys.stderr
    click.echo(f"{outcome.path}: {outcome.state} (run {outcome.run_id})", file=stream)
    for each in outcome.method.passes:
        missing = f", {len(each.unwritten)} ranges not overwritten" if each.unwritten else ""
        click.echo(f"  pass {each.number}: {each.pattern}, {each.bytes_written} bytes{missing}", file=stream)
    for one in outcome.method.commands:
        click.echo(
            f"  {one['technique']}: {one['command']} ({one['opcode']}h), accepted {one['accepted']}, "
            f"the drive says {one['reported']}",
            file=stream,
        )
    check = outcome.verification
    if check.kind != "none":
        held = "all as it must be" if check.completed and not check.residual and not check.unreadable else "not proven"
        click.echo(
            f"  {check.kind} verification against {check.expected}: {check.bytes_read} bytes, {held}", file=stream
        )
    if outcome.run.error:
        click.echo(f"  {outcome.run.error} [{outcome.error_code}]", file=stream)
        changed = {"no": "was not changed", "maybe": "may have been changed", "yes": "was changed"}[outcome.touched]
        click.echo(f"  The medium {changed}. {outcome.remedy or ''}".rstrip(), file=stream)
    if outcome.resumable:
        click.echo(f"  Go on with: sanitizer resume {outcome.run_id}", file=stream)
