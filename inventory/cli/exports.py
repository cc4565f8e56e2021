"""Takes tables away from a service."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import click

from .client import Client, client_options
from .common import Refused, plainly

_TABLES: Final = ("devices", "holdings", "orders", "exceptions", "custody", "cases")
_DAY: Final = click.DateTime(formats=["%Y-%m-%d"])


@click.command("export")
@click.argument("table", type=click.Choice(_TABLES))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "jsonl", "xlsx"]),
    default="csv",
    show_default=True,
    help="Kind of file.",
)
@click.option("--device", metavar="NUMBER", help="Rows about one device.")
@click.option("--location", metavar="NUMBER", help="Devices at one place.")
@click.option("--since", type=_DAY, metavar="YYYY-MM-DD", help="Rows whose life began on this day or later, UTC.")
@click.option("--until", type=_DAY, metavar="YYYY-MM-DD", help="Rows whose life began before this day, UTC.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it; TABLE.FORMAT by default. Never overwrites.",
)
@client_options
@plainly
def export_table(
    client: Client,
    table: str,
    kind: str,
    device: str | None,
    location: str | None,
    since: datetime | None,
    until: datetime | None,
    output: Path | None,
) -> None:
    """Take a whole table away: devices, holdings, orders, exceptions, custody or cases.

    The file appears under its name only when it is whole. That it was taken stands in the history.
    """
    times = {"since": since, "until": until}
    asked = {"device": device, "location": location}
    asked |= {name: None if day is None else day.replace(tzinfo=UTC).isoformat() for name, day in times.items()}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    target = output or Path(f"{table}.{kind}")
    if target.exists():
        raise Refused(f"{target} exists already; nothing was fetched.")
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with draft.open("xb") as file:
            size = client.download(f"/exports/{table}.{kind}" + (f"?{query}" if query else ""), file)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"{target}  {size:,} bytes")


COMMANDS: tuple[click.Command, ...] = (export_table,)
