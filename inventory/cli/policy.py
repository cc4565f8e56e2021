"""The policy as a file: read it, check it, compare it, see what it would change, put it in force."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from inventory.domain import policy_file
from inventory.domain.policy import FLOOR, Policy, case_words, differences, parse
from inventory.domain.vocabulary import Method

from .client import Client, client_options
from .common import Refused, json_option, plainly

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("policy")
def policy() -> None:
    """The table that decides what is demanded of a medium, as a file: TOML in and out.

    \b
    On this machine alone:   check, diff
    A service is asked:      show, export, preview, adopt
    """  # noqa: D301 - click reads the control character \\b as: do not rewrap


@policy.command()
@client_options
@json_option
@plainly
def show(client: Client, *, as_json: bool) -> None:
    """Print the table in force."""
    found = client.get("/policy")
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"{found['id']}, in force since {found['from_time'][:10]}: {found['reason']}")
    click.echo(f"Digest {found['sha256']}\n")
    click.echo("\n".join(_table(parse(found["document"]))))


@policy.command()
@click.argument("file", type=_FILE)
@plainly
def check(file: Path) -> None:
    """Check a policy FILE: the schema, SP 800-88's decision flow, and that nothing is demanded that nothing enforces."""
    found = _read(file)
    click.echo(f"{found.id} is a policy. Digest {found.sha256}")
    click.echo("\n".join(_table(found)))


@policy.command()
@click.argument("file", type=_FILE)
@click.argument("other", type=_FILE)
@plainly
def diff(file: Path, other: Path) -> None:
    """Say in words what changes from FILE to OTHER. What a file would change in a service says `preview`."""
    lines = differences(_read(file), _read(other))
    click.echo("\n".join(lines) or "They demand the same.")


@policy.command()
@click.argument("file", type=_FILE)
@client_options
@json_option
@plainly
def preview(client: Client, file: Path, *, as_json: bool) -> None:
    """Say what FILE would change: row by row, and which devices' records would not suffice any more. Changes nothing."""
    found = client.post("/policies/previews", {"file": file.read_text(encoding="utf-8")})
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo("\n".join(_preview(found)))


@policy.command()
@click.argument("file", type=_FILE)
@click.option("--reason", required=True, help="Why; it stands in the history for good.")
@click.option("--digest", metavar="SHA256", help="Of the version that was reviewed; another one is refused.")
@client_options
@plainly
def adopt(client: Client, file: Path, reason: str, digest: str | None) -> None:
    """Put FILE in force. Orders under way keep the decision they were sealed with."""
    found = _read(file)
    if digest is not None and digest != found.sha256:
        raise Refused(f"{file} has the digest {found.sha256}, not the one that was reviewed. Nothing changed.")
    taken = client.post("/policies", {"document": found.document, "reason": reason})
    click.echo(f"{taken['id']} is in force. Digest {taken['sha256']}")


@policy.command()
@click.option(
    "--following", is_flag=True, help="In the newest schema, with the next number: where a new version begins."
)
@click.option("--digest", metavar="SHA256", help="Another version than the one in force.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Never overwrites; printed by default."
)
@client_options
@plainly
def export(client: Client, *, following: bool, digest: str | None, output: Path | None) -> None:
    """Write a version as TOML."""
    asked = [f"sha256={digest}"] if digest else []
    asked += ["following=true"] if following else []
    text = client.text(f"/policy.toml?{'&'.join(asked)}")
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Refused(f"{output} exists already; nothing was written.") from error
    click.echo(f"{output}")


def _read(file: Path) -> Policy:
    try:
        return parse(policy_file.read(file.read_text(encoding="utf-8")))
    except UnicodeDecodeError as error:
        raise Refused(f"{file} is no text in UTF-8.") from error


def _preview(found: dict[str, Any]) -> list[str]:
    lines = list(found["differences"]) or ["No row differs."]
    lines += ["", f"Digest {found['sha256']}"]
    if found["open_orders"]:
        lines.append(f"{found['open_orders']} orders under way keep the decision they were sealed with.")
    if not found["devices_count"]:
        return [*lines, "No standing record loses its effect."]
    named = found["devices_no_longer_sufficient"]
    lines.append(f"{found['devices_count']} sanitized devices have a record that would not suffice any more:")
    lines += [f"  {device}" for device in named]
    return [*lines, "  ..."] if len(named) < found["devices_count"] else lines


def _table(found: Policy) -> list[str]:
    """The table, one row a line, and what holds for all of them."""
    lines = []
    for case in FLOOR:
        row = found.rows[case]
        asks = [str(row.method)]
        if row.method is not Method.DESTROY:
            asks += [f"{row.verification} read-back", f"{row.approvals} approvals"]
            asks += [f"among them {', '.join(row.approval_roles)}"] if row.approval_roles else []
            asks += ["proof by canaries"] if row.canaries else []
            asks += [f"{row.sampling_percent}% read again by somebody else"] if row.sampling_percent else []
        asks.append(f"if destroyed: witnesses {row.witnesses}, photographs {row.photographs}")
        lines.append(f"{case_words(case)}: {'; '.join(asks)}")
        for media, names in (row.techniques or {}).items():
            lines.append(f"  {media}: {', '.join(names) or 'no technique'}")
    lines.append(
        f"Contents nobody knows count as {found.unknown_contents}; a damaged medium is to be {found.damaged}ed."
    )
    lines.append(f"An agent silent for {found.agent_silent_days} days: its devices are asked for.")
    lines += [f"Decided: {word}" for word in found.settings]
    return lines


COMMANDS: tuple[click.Command, ...] = (policy,)
