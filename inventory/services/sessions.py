"""Signing in: passwords (argon2id), server-side sessions, scoped API tokens, one-time links.

Secrets are 256 random bits shown once; only their SHA-256 is stored. Failures say nothing about which part was wrong, and cost
the same time whether or not the login name exists. Sign-in attempts are limited per login name and per address by rows in the
database, so that several processes share one count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from inventory.domain.roles import Role

from .context import Actor, Context
from .views import ApiTokenView, PersonView, SessionView


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """Login name and password, with where the attempt came from."""

    login: str
    password: str
    address: str
    """Client address, for the rate limit; not kept with the session."""
    label: str = ""
    """User agent, cut to 200 characters."""


@dataclass(frozen=True)
class SignedIn:
    """A fresh session."""

    secret: str
    """Goes into the cookie; never shown again."""
    session: SessionView
    person: PersonView


@dataclass(frozen=True)
class Caller:
    """Who is behind a session or token, and under which session."""

    actor: Actor
    person: PersonView
    session: SessionView | None
    token: ApiTokenView | None


@dataclass(frozen=True, kw_only=True)
class UseLink:
    """Set the first (or a new) password through a one-time link."""

    secret: str
    password: str
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class CreateToken:
    """An API token for oneself."""

    name: str
    roles: frozenset[Role]
    """A subset of one's own."""
    lifetime: timedelta = timedelta(days=90)


def sign_in(context: Context, command: SignIn) -> SignedIn:
    """Check a password and open a session.

    Raises:
        NotSignedIn: name or password wrong, or the account is disabled.
        TooManyAttempts: 429; carries `retry_after_seconds`.
    """
    raise NotImplementedError


def peek_link(context: Context, secret: str) -> PersonView:
    """Whose link this is, without using it (for the page that asks for the password). Raises `NotSignedIn`."""
    raise NotImplementedError


def use_link(context: Context, command: UseLink) -> SignedIn:
    """Spend a one-time link: set the password, end all other sessions, sign in.

    Raises:
        NotSignedIn: unknown, expired or used.
        Invalid: the password is not acceptable.
    """
    raise NotImplementedError


def caller_for_session(context: Context, secret: str) -> Caller:
    """Who is behind a session cookie; refreshes its idle time (at most one write a minute). Raises `NotSignedIn`."""
    raise NotImplementedError


def caller_for_token(context: Context, secret: str) -> Caller:
    """Who is behind a bearer token; roles are those of the token that the person still has. Raises `NotSignedIn`."""
    raise NotImplementedError


def sign_out(context: Context, secret: str) -> None:
    """End a session; unknown ones are ignored."""
    raise NotImplementedError


def list_sessions(context: Context, actor: Actor) -> tuple[SessionView, ...]:
    """One's own live sessions, newest first."""
    raise NotImplementedError


def end_session(context: Context, actor: Actor, session_id: str) -> None:
    """End one of one's own sessions. Raises `NotFound`."""
    raise NotImplementedError


def create_token(context: Context, actor: Actor, command: CreateToken) -> tuple[ApiTokenView, str]:
    """Create an API token; the second value is its secret (`strl_…`), shown once.

    Raises:
        Invalid: roles one does not have, or a lifetime outside 1 minute to 366 days.
    """
    raise NotImplementedError


def list_tokens(context: Context, actor: Actor) -> tuple[ApiTokenView, ...]:
    """One's own tokens, newest first."""
    raise NotImplementedError


def revoke_token(context: Context, actor: Actor, token_id: str) -> None:
    """Revoke one's own token, or anybody's with `people.manage`. Raises `NotFound`."""
    raise NotImplementedError
