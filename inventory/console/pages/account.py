"""One's own account: password, sessions, tokens for scripts."""

from __future__ import annotations

from datetime import timedelta

from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option
from inventory.console.web import actor, caller, form_status, go, here, perform, received, show
from inventory.domain.roles import Role
from inventory.errors import InventoryError
from inventory.services import people, sessions


@page("/account", None)
def account() -> Reply:
    """My account."""
    return _show(Form.starting(), "")


def _role_options() -> tuple[Option, ...]:
    return tuple(Option(str(role), sentence_case(role)) for role in sorted(caller().person.roles))


def _show(typed: Form, at: str, secret: str = "") -> Reply:
    current = caller().session
    return show(
        "account.html", form_status(typed), form=typed, at=at, blank=Form.starting({"days": "90"}), secret=secret,
        me=caller().person,
        sessions=sessions.list_sessions(here(), actor()), tokens=sessions.list_tokens(here(), actor()),
        current=current.id if current else "", roles=_role_options(), now=here().now(),
    )  # fmt: skip


@act("/account/password", None)
def change_password() -> Reply:
    """A new password; every other session ends."""
    typed = received()
    if typed.value("new") != typed.value("again"):
        typed.fail("again", "The two passwords are not the same.")
    command = people.ChangePassword(current=typed.value("current"), new=typed.value("new"))
    if typed.ok:
        try:
            people.change_password(here(), actor(), command)
        except InventoryError as error:
            typed.refused(error)
            if error.code == "not-signed-in":
                typed.sentence, typed.status = "Your current password is not that.", 422
        else:
            return go("account", said="password-changed")
    return _show(typed, "password")


@act("/account/sessions/<session>/end", None)
def end_session(session: str) -> Reply:
    """Sign out another browser."""
    sessions.end_session(here(), actor(), session)
    return go("account", said="session-ended")


@act("/account/tokens", None)
def create_token() -> Reply:
    """A token for scripts; shown by this very answer and never again."""
    typed = received()
    name = typed.text("name", "Say what it is for.", limit=64)
    roles = typed.words("token_roles", Role)
    if not roles:
        typed.fail("token_roles", "Choose at least one of your roles.")
    days = typed.number("days", "For how many days?", low=1, high=366)
    if typed.ok and days is not None:
        command = sessions.CreateToken(name=name, roles=roles, lifetime=timedelta(days=days))
        try:
            _, secret = sessions.create_token(here(), actor(), command)
        except InventoryError as error:
            typed.refused(error)
        else:
            return _show(Form.starting(), "", secret)
    return _show(typed, "token")


@act("/account/tokens/<token>/revoke", None)
def revoke_token(token: str) -> Reply:
    """A token counts no more."""
    typed = received()

    def deed() -> AnyResponse:
        sessions.revoke_token(here(), actor(), token)
        return go("account", said="token-revoked")

    return perform(typed, deed) or _show(typed, "")
