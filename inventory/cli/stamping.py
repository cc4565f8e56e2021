"""Commands about time: stamps on the log's checkpoints, by network or by file, and the file that renews old documents."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from inventory.services import time_stamps

from .common import Found, Refused, config_option, json_option, opened, plainly, show

_OUT = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write; it must not exist.",
)


@click.command("stamp")
@config_option
@json_option
@plainly
def stamp(config: Path | None, *, as_json: bool) -> None:
    """Have the newest checkpoint stamped by every time authority now. Exit code 4 where one did not.

    The service does this by itself when a document waits, and daily. An authority is asked when the trust root names it
    (`sanitrail keys propose`) and the settings have its address (`[[time_authorities]]`).
    """
    _take(config, as_json=as_json)


@click.command("restamp")
@config_option
@json_option
@plainly
def restamp(config: Path | None, *, as_json: bool) -> None:
    """Renew the time of every record at once: stamp the newest checkpoint, then export with `sanitrail log renewals`.

    Once a year, and before an authority's certificate or an algorithm ends. The newest checkpoint contains all earlier ones.
    """
    _take(config, as_json=as_json)


def _take(config: Path | None, *, as_json: bool) -> None:
    context = opened(config)
    try:
        taken = time_stamps.take(context, everybody=True)
        time_stamps.remind(context)
    finally:
        context.database.close()
    if not taken:
        raise Refused(
            "No time authority is in the trust root and in the settings. Name one with `sanitrail keys propose`, "
            "or carry question and answer as files: `sanitrail log stamp-request`."
        )
    show([_plain(one) for one in taken], as_json=as_json, lines=lambda: [_line(one) for one in taken])
    if any(one.stamped is None for one in taken):
        raise Found("Not every authority has stamped.")


@click.command("stamps")
@config_option
@json_option
@plainly
def stamps(config: Path | None, *, as_json: bool) -> None:
    """Print the time authorities and how we stand with them. Exit code 4 where one has a problem."""
    context = opened(config)
    try:
        found = time_stamps.standing(context)
    finally:
        context.database.close()
    show([_plain(one) for one in found], as_json=as_json, lines=lambda: _table(found))
    if any(one.problem for one in found):
        raise Found("A time authority has a problem.")


@click.command("stamp-request")
@click.argument("authority")
@_OUT
@config_option
@plainly
def stamp_request(authority: str, out: Path, config: Path | None) -> None:
    """Write the question about the newest checkpoint to a file, for a machine that has a network.

    \b
    There:  curl -H 'Content-Type: application/timestamp-query' --data-binary @FILE URL > ANSWER
    Here:   sanitrail log stamp-import ANSWER

    AUTHORITY is its name in the trust root.
    """  # noqa: D301 - click reads the control character \\b as: do not rewrap
    context = opened(config)
    try:
        size, question = time_stamps.request(context, authority)
    finally:
        context.database.close()
    _write(out, question)
    click.echo(f"{out}: asks {authority} to stamp the checkpoint of {size} entries")


@click.command("stamp-import")
@click.argument("answer", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@plainly
def stamp_import(answer: Path, config: Path | None) -> None:
    """Check the answer of a time authority and keep the stamp in it. Refused unless it is over a checkpoint of this log."""
    context = opened(config)
    try:
        with answer.open("rb") as file:
            taken = time_stamps.import_answer(context, file.read(1 << 20))
        time_stamps.remind(context)
    finally:
        context.database.close()
    click.echo(_line(taken))


@click.command("renewals")
@_OUT
@config_option
@plainly
def renewals(out: Path, config: Path | None) -> None:
    """Export the newest stamp with the proof that it covers every document made before it.

    Whoever holds an old document checks it with `sanitrail-verify --renewals FILE`. The file tells no serial number.
    """
    context = opened(config)
    try:
        content = time_stamps.renewals(context)
    finally:
        context.database.close()
    _write(out, content)
    click.echo(f"{out}: {len(content):,} bytes")


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error


def _plain(value: Any) -> dict[str, Any]:  # noqa: ANN401 - one of two dataclasses
    fields = dataclasses.asdict(value)
    moment = fields["stamped"]
    return {**fields, "stamped": None if moment is None else moment.isoformat().replace("+00:00", "Z")}


def _line(taken: time_stamps.Taken) -> str:
    if taken.stamped is None:
        return f"{taken.authority}: no stamp. {taken.problem}"
    return f"{taken.authority}: {taken.size} entries stamped {taken.stamped:%Y-%m-%d %H:%M:%S} UTC"


def _table(found: tuple[time_stamps.AuthorityStanding, ...]) -> list[str]:
    if not found:
        return ["No time authority is named: documents state times by this service's own word."]
    lines = []
    for one in found:
        last = "never" if one.stamped is None else f"{one.size} entries, {one.stamped:%Y-%m-%d %H:%M:%S} UTC"
        lines.append(f"{one.name}: {last}. {one.url or 'By file: the settings have no address for it.'}")
        if one.problem:
            lines.append(f"  {one.problem}")
    return lines


STAMPING: tuple[click.Command, ...] = (stamp, restamp, stamps, stamp_request, stamp_import, renewals)
"""Commands of the group `log`."""
