"""Signing in and out, one's own sessions, password and tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Response, current_app
from pydantic import TypeAdapter

from inventory.api.dispatch import Call
from inventory.api.endpoint import PUBLIC, SIGNED_IN, Noun
from inventory.auth import signin, web
from inventory.contract.v1.people import LinkUse, PasswordChange, SignInRequest, TokenCreate
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Role
from inventory.domain.signin import Standing
from inventory.errors import Invalid, NotFound, NotSignedIn, TooManyAttempts
from inventory.services import sessions
from inventory.services.sessions import SignedIn
from inventory.services.views import ApiTokenView, PersonView, SessionView

noun = Noun("session", "Who you are: signing in and out, your sessions, your password, your tokens.")


@dataclass(frozen=True, kw_only=True)
class WhoAmI:
    """The caller as the service knows them."""

    person: PersonView
    roles: tuple[Role, ...]
    """What counts for this request: a token may carry fewer roles than its owner has."""
    session: SessionView | None
    token: ApiTokenView | None
    csrf_token: str
    """To be sent back as `X-CSRF-Token` with everything that changes something; empty for tokens."""


@dataclass(frozen=True, kw_only=True)
class TokenCreated:
    """A new token."""

    token: ApiTokenView
    secret: str
    """Shown this once; send it as `Authorization: Bearer`."""


_WHO = TypeAdapter(WhoAmI)


def entered(signed_in: SignedIn) -> Response:
    """The answer to somebody who has just signed in: who they are, and the cookie."""
    who = WhoAmI(
        person=signed_in.person,
        roles=tuple(sorted(signed_in.person.roles)) if signed_in.session.standing is Standing.FULL else (),
        session=signed_in.session,
        token=None,
        csrf_token=web.csrf_token_for(signed_in),
    )
    response: Response = current_app.response_class(_WHO.dump_json(who), status=201, mimetype="application/json")
    web.remember(response, signed_in)
    return response


def who_is_behind() -> WhoAmI:
    """Who asks, looked up anew."""
    caller = web.caller_now()
    return WhoAmI(
        person=caller.person,
        roles=tuple(sorted(caller.actor.roles)),
        session=caller.session,
        token=caller.token,
        csrf_token=web.csrf_token(),
    )


@noun.post("/session", "Sign in", PUBLIC, status=201, reply=WhoAmI, raises=(NotSignedIn, TooManyAttempts))
def sign_in(call: Call, body: SignInRequest) -> Response:
    """Opens a session and sets its cookie. Attempts are limited per login name and per address.

    Where a second factor is still to be shown or set up, `session.standing` says so, and nothing else is answered until then.
    """
    del call
    return entered(signin.sign_in(body.login, body.password, body.code))


@noun.post("/welcome", "Use a one-time link", PUBLIC, status=201, reply=WhoAmI, raises=(NotSignedIn, Invalid))
def use_link(call: Call, body: LinkUse) -> Response:
    """Sets the first or a new password, ends every other session of the person, and signs in."""
    del call
    return entered(signin.use_link(body.secret, body.password))


@noun.get("/session", "Who am I", SIGNED_IN)
def who_am_i(call: Call) -> WhoAmI:
    """The signed-in person, the roles that count, and the token a page must send back."""
    del call
    return who_is_behind()


@noun.delete("/session", "Sign out", SIGNED_IN)
def sign_out(call: Call) -> Response:
    """Ends this session and takes its cookie back."""
    del call
    response: Response = current_app.response_class(status=204)
    web.forget(response)
    return response


@noun.put("/session/password", "Change my password", SIGNED_IN, status=204, raises=(Invalid,))
def change_password(call: Call, body: PasswordChange) -> None:
    """Every other session ends. The current password is asked again."""
    signin.change_password(call.actor, body.current, body.new)


@noun.get("/sessions", "My sessions", SIGNED_IN)
def list_sessions(call: Call) -> tuple[SessionView, ...]:
    """Browsers that are signed in as you, newest first."""
    return sessions.list_sessions(call.context, call.actor)


@noun.delete("/sessions/{session}", "End a session of mine", SIGNED_IN, raises=(NotFound,))
def end_session(call: Call, session: Key) -> None:
    """The browser is signed out at once."""
    sessions.end_session(call.context, call.actor, session)


@noun.get("/tokens", "My API tokens", SIGNED_IN)
def list_tokens(call: Call) -> tuple[ApiTokenView, ...]:
    """Newest first; secrets are never shown again."""
    return sessions.list_tokens(call.context, call.actor)


@noun.post("/tokens", "Create an API token", SIGNED_IN, creates=True, secret_reply=True, raises=(Invalid,))
def create_token(call: Call, body: TokenCreate) -> TokenCreated:
    """A token never carries more roles than its owner has at the time of the request."""
    command = sessions.CreateToken(
        name=body.name,
        roles=frozenset(Role(role) for role in body.roles),
        lifetime=timedelta(seconds=body.lifetime_seconds),
        sites=frozenset(body.sites),
        teams=frozenset(body.teams),
    )
    token, secret = sessions.create_token(call.context, call.actor, command)
    return TokenCreated(token=token, secret=secret)


@noun.delete("/tokens/{token}", "Revoke a token", SIGNED_IN, raises=(NotFound,))
def revoke_token(call: Call, token: Key) -> None:
    """One's own; an administrator anybody's."""
    sessions.revoke_token(call.context, call.actor, token)
