"""Commands about people, tokens and new hosts; each is a request to a service, made as a person."""

from __future__ import annotations

from typing import Any, get_args

import click

from inventory.contract.v1.vocabulary import RoleName

from .client import Client, client_options
from .common import json_option, plainly, show

_ROLES = click.Choice(list(get_args(RoleName)))


@click.group()
def people() -> None:
    """People and their roles."""


@people.command("add")
@click.argument("login")
@click.option("--name", required=True, help="As it stands on certificates.")
@click.option("--title", default="", help="Position.")
@click.option("--contact", default="", help="Telephone or mail.")
@click.option("--role", "roles", multiple=True, type=_ROLES, required=True, help="May be given several times.")
@json_option
@client_options
@plainly
def add_person(
    client: Client, login: str, name: str, title: str, contact: str, roles: tuple[str, ...], *, as_json: bool
) -> None:
    """Add a person; prints the one-time link with which they set a password."""
    body = {"login": login, "name": name, "title": title, "contact": contact, "roles": list(roles)}
    reply: dict[str, Any] = client.post("/people", body)
    link = f"{client.server.rstrip('/')}{reply['link']['path']}"
    show(reply, as_json=as_json, lines=lambda: [f"{reply['person']['ref']}  {login}", f"one-time link: {link}"])


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
@json_option
@client_options
@plainly
def create_token(
    client: Client, name: str, roles: tuple[str, ...], days: int, login: str | None, *, as_json: bool
) -> None:
    """Create an API token for yourself; it is printed once.

    The first one needs --login; later ones may be made with a token you have.
    """
    body = {"name": name, "roles": list(roles), "lifetime_seconds": days * 86_400}
    session = None
    if login is not None:
        session = client.sign_in(login, click.prompt("Password", hide_input=True, err=True))
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
