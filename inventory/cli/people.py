"""Commands about people, tokens and new hosts; each is a request to a service, made as a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args
from urllib.parse import quote

import click

from inventory.contract.v1.vocabulary import RoleName

from .client import Client, client_options
from .common import json_option, plainly, show

_ROLES = click.Choice(list(get_args(RoleName)))


@click.group()
def people() -> None:
    """People and their roles."""


def _scope_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--site and --team, both several times."""
    command = click.option("--team", "teams", multiple=True, help="Number of a team; may be given several times.")(
        command
    )
    return click.option("--site", "sites", multiple=True, help="Number of a site; may be given several times.")(command)


@people.command("add")
@click.argument("login")
@click.option("--name", required=True, help="As it stands on certificates.")
@click.option("--title", default="", help="Position.")
@click.option("--contact", default="", help="Telephone or mail.")
@click.option("--role", "roles", multiple=True, type=_ROLES, required=True, help="May be given several times.")
@click.option("--everywhere", is_flag=True, help="Sees everything. Otherwise what the sites and teams give.")
@_scope_options
@json_option
@client_options
@plainly
def add_person(client: Client, *, as_json: bool, **body: Any) -> None:  # noqa: ANN401 - the options above
    """Add a person; prints the one-time link with which they set a password."""
    login = body["login"]
    for name in ("roles", "sites", "teams"):
        body[name] = list(body[name])
    reply: dict[str, Any] = client.post("/people", body)
    link = f"{client.server.rstrip('/')}{reply['link']['path']}"
    show(reply, as_json=as_json, lines=lambda: [f"{reply['person']['ref']}  {login}", f"one-time link: {link}"])


@people.command("scope")
@click.argument("ref")
@click.option("--everywhere", is_flag=True, help="Sees everything.")
@_scope_options
@click.option("--reason", required=True, help="Stands in the history for good.")
@json_option
@client_options
@plainly
def set_scope(client: Client, ref: str, *, as_json: bool, **body: Any) -> None:  # noqa: ANN401 - the options above
    """Say how far the person REF (a pseudonym) sees, all of it; prints it in a sentence."""
    for name in ("sites", "teams"):
        body[name] = list(body[name])
    version = client.get(f"/people/{quote(ref, safe='')}")["version"]
    reply: dict[str, Any] = client.of_version(version).put(f"/people/{quote(ref, safe='')}/scope", body)
    show(reply, as_json=as_json, lines=lambda: [f"{reply['ref']}  {reply['sees']}"])


@people.command("list")
@json_option
@client_options
@plainly
def list_people(client: Client, *, as_json: bool) -> None:
    """Everybody, by login name."""
    reply: list[dict[str, Any]] = client.get("/people")
    show(
        reply,
        as_json=as_json,
        lines=lambda: [
            f"{row['ref']:<16} {row['login']:<20} {'' if row['enabled'] else 'disabled  '}{', '.join(sorted(row['roles']))}"
            for row in reply
        ],
    )


@click.group()
def token() -> None:
    """API tokens for scripts and for this command line."""


@token.command("create")
@click.argument("name")
@click.option("--role", "roles", multiple=True, type=_ROLES, required=True, help="A subset of your own roles.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True, help="Lifetime.")
@click.option("--login", help="Sign in with this login name instead of a token; the password is asked for.")
@_scope_options
@json_option
@client_options
@plainly
def create_token(
    client: Client,
    name: str,
    roles: tuple[str, ...],
    days: int,
    login: str | None,
    *,
    as_json: bool,
    **scope: tuple[str, ...],
) -> None:
    """Create an API token for yourself; it is printed once.

    The first one needs --login; later ones may be made with a token you have. Whoever signs in with a passkey alone makes
    tokens in the console, or has recovery codes.
    """
    body = {"name": name, "roles": list(roles), "lifetime_seconds": days * 86_400}
    body |= {which: list(numbers) for which, numbers in scope.items()}
    session = None
    if login is not None:
        password = click.prompt("Password", hide_input=True, err=True)
        session = client.sign_in(
            login, password, lambda: click.prompt("Code of your app, or a recovery code", err=True)
        )
    try:
        reply: dict[str, Any] = (session or client).post("/tokens", body)
    finally:
        if session is not None:
            session.sign_out()
    show(reply, as_json=as_json, lines=lambda: [str(reply["secret"])])


@click.command("enrol-token")
@click.option("--note", default="", help="Which host it is for.")
@click.option("--hours", type=click.IntRange(1, 24 * 30), default=24, show_default=True, help="Lifetime.")
@json_option
@client_options
@plainly
def enrol_token(client: Client, note: str, hours: int, *, as_json: bool) -> None:
    """Make a one-time token with which one new agent may introduce itself; it is printed once."""
    reply: dict[str, Any] = client.post("/enrolment-tokens", {"note": note, "lifetime_seconds": hours * 3600})
    show(reply, as_json=as_json, lines=lambda: [str(reply["secret"])])


COMMANDS: tuple[click.Command, ...] = (people, token, enrol_token)
