"""Fetches audit packs from a service."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

import click

from reports.pack.archive import END

from .client import Client, client_options
from .common import Refused, Unreachable, plainly

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command("audit-pack")
@click.option("--lot", metavar="NUMBER", help="Devices of a lot, by its document's number.")
@click.option("--case", metavar="NUMBER", help="Media of an erasure case.")
@click.option("--site", metavar="NUMBER", help="Devices that are or were at a location.")
@click.option("--from", "begin", type=_DAY, metavar="YYYY-MM-DD", help="First day of a period, UTC.")
@click.option("--to", "end", type=_DAY, metavar="YYYY-MM-DD", help="Last day of a period, UTC.")
@click.option("--number", metavar="NUMBER", help="Fetch a pack that was asked for before, again.")
@click.option(
    "--names",
    type=click.Choice(["pseudonyms", "full"]),
    default="pseudonyms",
    show_default=True,
    help="How tables name people.",
)
@click.option(
    "--documents",
    type=click.Choice(["all", "bundles", "none"]),
    default="all",
    show_default=True,
    help="What of each document goes in.",
)
@click.option("--word", default="", help="The auditor's word, mixed into the draw of the sample.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write it; NUMBER.zip by default. Never overwrites.",
)
@client_options
@plainly
def audit_pack(client: Client, *, number: str | None, output: Path | None, **asked: Any) -> None:  # noqa: ANN401 - click's parameters
    """Ask for an audit pack and fetch it.

    Name exactly one scope: --lot, --case, --site, or --from with --to. The file appears under its name only when it is whole;
    broken off, the command may be given again with --number. Check it with `sanitrail-verify`.
    """
    if number is None:
        number = str(client.post("/audit-packs", _body(**asked))["number"])
    elif any(asked[name] for name in ("lot", "case", "site", "begin", "end")):
        raise click.UsageError("--number names a pack that was asked for already; leave the scope out.")
    target = output or Path(f"{number}.zip")
    if target.exists():
        raise Refused(f"{target} exists already; nothing was fetched. The pack's number is {number}.")
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with draft.open("x+b") as file:
            size = client.download(f"/audit-packs/{number}/pack.zip", file)
            if file.seek(0, os.SEEK_END) < len(END) or not _ends(file):
                raise Unreachable(f"The pack broke off after {size:,} bytes; fetch it again with --number {number}.")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"{target}  {size:,} bytes")
    click.echo(f"Check it: sanitrail-verify {target} --pin DIGEST", file=sys.stderr)


def _ends(file: IO[bytes]) -> bool:
    """Whether the archive's directory is there: the service sends it last."""
    file.seek(-len(END), os.SEEK_END)
    return file.read() == END


def _body(
    *,
    lot: str | None,
    case: str | None,
    site: str | None,
    begin: datetime | None,
    end: datetime | None,
    names: str,
    documents: str,
    word: str,
) -> dict[str, Any]:
    told: dict[str, Any] = {"names": names, "documents": documents, "word": word}
    named = [(kind, value) for kind, value in (("lot", lot), ("case", case), ("site", site)) if value]
    period = begin is not None or end is not None
    if len(named) + period != 1:
        raise click.UsageError("Name exactly one scope: --lot, --case, --site, or --from with --to.")
    if named:
        return {**told, "scope": named[0][0], "reference": named[0][1]}
    if begin is None or end is None:
        raise click.UsageError("A period needs both --from and --to.")
    return {
        **told,
        "scope": "period",
        "begin": _midnight(begin.date()),
        "end": _midnight(end.date() + timedelta(days=1)),
    }


def _midnight(day: date) -> str:
    return datetime.combine(day, time(), tzinfo=UTC).isoformat()


COMMANDS: tuple[click.Command, ...] = (audit_pack,)
