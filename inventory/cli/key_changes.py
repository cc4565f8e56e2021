"""Commands about keys on the server: what there is, and what becomes of the keys of agents and approvers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reports import root_keys
from reports.keys import fingerprint_words

from .common import config_option, json_option, opened, plainly, show

_REASON = click.option("--reason", required=True, help="Stands in the history.")
_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("list")
@config_option
@json_option
@plainly
def list_keys(config: Path | None, *, as_json: bool) -> None:
    """Every key there is: root keys, the service's own, the log's, witnesses, authorities, agents, approvers. On the server.

    Reads only; nothing can be interrupted.
    """
    from inventory.services import key_list  # noqa: PLC0415 - brings the database along

    context = opened(config)
    try:
        rows = key_list.every_key(context)
    finally:
        context.database.close()

    def lines() -> list[str]:
        found: list[str] = []
        for row in rows:
            if not found or row.group != rows[rows.index(row) - 1].group:
                found += ["", row.group] if found else [row.group]
            found.append(f"  {row.name:<34} {row.key_id[:16]:<16}  {row.words}")
        return found

    show([vars(row) for row in rows], as_json=as_json, lines=lines)


@click.command("revoke")
@click.argument("key")
@click.option(
    "--below",
    type=click.IntRange(0),
    help="What was accepted below this log index still counts; without it, everything until now. 0: nobody knows since when.",
)
@_REASON
@config_option
@plainly
def revoke(key: str, below: int | None, reason: str, config: Path | None) -> None:
    """Revoke the key of an agent or approver, named by the beginning of its id. On the server.

    Records at or above the index stop counting: their devices are quarantined, what they covered is residue again.
    `keys affected` lists them beforehand.

    Interrupted: run it again. It says so if the key is revoked already.
    """
    from inventory.services import key_changes  # noqa: PLC0415

    context = opened(config)
    try:
        whose = key_changes.revoke(context, key, reason, valid_below=below)
    finally:
        context.database.close()
    click.echo(f"Revoked {'from now on' if below is None else f'from log index {below} on'}: the key of {whose}.")


@click.command("expire")
@click.argument("key")
@click.option(
    "--until", required=True, type=click.IntRange(1), help="Log index from which on nothing counts; lies ahead."
)
@_REASON
@config_option
@plainly
def expire(key: str, until: int, reason: str, config: Path | None) -> None:
    """Give the key of an agent or approver an end that lies ahead. On the server.

    Interrupted: run it again. It says so if the key has this end already.
    """
    from inventory.services import key_changes  # noqa: PLC0415

    context = opened(config)
    try:
        whose = key_changes.expire(context, key, until, reason)
    finally:
        context.database.close()
    click.echo(f"The key of {whose} ends at log index {until}.")


@click.command("replace-agent-key")
@click.argument("host")
@click.option(
    "--public-key", required=True, type=_THERE, help="PEM file from `sanitrail-agent replace-key` on the host."
)
@click.option("--fingerprint", required=True, help="As the host's own screen shows it.")
@_REASON
@config_option
@plainly
def replace_agent_key(host: str, public_key: Path, fingerprint: str, reason: str, config: Path | None) -> None:
    """Put a host's new key in the place of the one it has. On the server.

    What the old key signed until now still counts. If it was stolen, revoke it instead, and enrol the host anew.

    Interrupted: run it again with the same file.
    """
    from inventory.services import key_changes  # noqa: PLC0415

    context = opened(config)
    try:
        spki = root_keys.read_public(public_key.read_bytes())
        new = key_changes.replace_agent_key(context, host, spki, fingerprint, reason)
    finally:
        context.database.close()
    click.echo(f"{host} has the key {fingerprint_words(new)}")
    click.echo("Next, on the host: sanitrail-agent replace-key --finish")


@click.command("replace-approver-key")
@click.argument("old")
@click.argument("new")
@_REASON
@config_option
@plainly
def replace_approver_key(old: str, new: str, reason: str, config: Path | None) -> None:
    """Put a key that an approver has registered in the place of the one they have. On the server.

    Compare the new key's fingerprint with its owner first. Approvers then renew the roster: it names keys.

    Interrupted: run it again. It says so if the new key is confirmed already.
    """
    from inventory.services import key_changes  # noqa: PLC0415

    context = opened(config)
    try:
        person = key_changes.replace_approver_key(context, old, new, reason)
    finally:
        context.database.close()
    click.echo(
        f"The new key of {person} counts from now on. Next: propose a roster with it (sanitrail roster propose)."
    )


@click.command("affected")
@click.argument("key")
@click.option("--below", type=click.IntRange(0), help="As for revoke; without it, the index of the key's revocation.")
@config_option
@json_option
@plainly
def affected(key: str, below: int | None, config: Path | None, *, as_json: bool) -> None:
    """List what a revocation back to an index puts in doubt: records to verify again, their devices and certificates.

    KEY is the beginning of a key id: of an agent, an approver, or of the service's keys that accept and enrol.

    Reads only; nothing can be interrupted.
    """
    from inventory.services import key_changes  # noqa: PLC0415

    context = opened(config)
    try:
        rows = key_changes.affected(context, key, below=below)
    finally:
        context.database.close()

    def words(row: Any) -> str:  # noqa: ANN401 - key_changes.Affected, which is loaded late
        rest = ", ".join(part for part in (row.certificate, row.device_state) if part)
        return f"{row.log_index:>8}  {row.what:<9}  {row.subject:<40}  {rest}".rstrip()

    show(
        [vars(row) for row in rows],
        as_json=as_json,
        lines=lambda: [*(words(row) for row in rows), f"{len(rows)} in doubt"],
    )


CHANGES: tuple[click.Command, ...] = (
    list_keys,
    revoke,
    expire,
    replace_agent_key,
    replace_approver_key,
    affected,
)
