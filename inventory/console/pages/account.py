"""One's own account: passkeys, authenticator app, password, sessions, tokens for scripts."""

from __future__ import annotations

from datetime import timedelta

import segno
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option
from inventory.console.web import actor, caller, form_status, go, here, perform, posted, received, show
from inventory.domain.roles import Permission, Role
from inventory.domain.signin import Standing
from inventory.errors import ConfirmationNeeded, Conflict, InventoryError, NotSignedIn
from inventory.services import authenticators, factors, organisation, passkeys, people, sessions, sso

from .presence import attestation_of, options_of


@page("/account", None)
def account() -> Reply:
    """My account."""
    return _show(Form.starting(), "")


def show_account(typed: Form) -> Reply:
    """The page with something that was refused."""
    return _show(typed, "")


def _role_options() -> tuple[Option, ...]:
    return tuple(Option(str(role), sentence_case(role)) for role in sorted(actor().roles))


def _parts() -> dict[str, tuple[Option, ...]]:
    """Sites and teams of one's own that a token can be narrowed to."""
    if actor().standing is not Standing.FULL or not actor().may(Permission.READ):
        return {"token_sites": (), "token_teams": ()}
    return {
        "token_sites": tuple(Option(one.id, one.name) for one in organisation.list_sites(here(), actor())),
        "token_teams": tuple(Option(one.id, one.name) for one in organisation.list_teams(here(), actor())),
    }


def _chosen(typed: Form, name: str, known: tuple[Option, ...]) -> frozenset[str]:
    found = frozenset(typed.values.getlist(name))
    if not found <= {one.value for one in known}:
        typed.fail(name, "Choose among those that you see.")
    return found


def _show(typed: Form, at: str, secret: str = "", codes: tuple[str, ...] = ()) -> Reply:
    current = caller().session
    half = actor().standing is not Standing.FULL
    return show(
        "account.html", form_status(typed), form=typed, at=at, blank=Form.starting({"days": "90"}), secret=secret,
        me=caller().person, codes=codes, half=half, mine=factors.mine(here(), actor()),
        provider=sso.is_offered(here()),
        passkey=options_of(passkeys.create_options(here(), actor())) if current else None,
        sessions=() if half else sessions.list_sessions(here(), actor()),
        tokens=() if half else sessions.list_tokens(here(), actor()),
        current=current.id if current else "", roles=_role_options(), now=here().now(), parts=_parts(),
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


@act("/account/passkeys", None)
def register_passkey() -> Reply:
    """A new passkey; the browser has made it."""
    typed = received()
    label = typed.text("label", "Say which device holds it.", limit=100)
    made = attestation_of(typed)
    if made is None or not typed.ok:
        return _show(typed, "passkey")

    def deed() -> AnyResponse:
        passkeys.register(here(), actor(), passkeys.Register(label=label, answer=made))
        return go("account", said="passkey-registered")

    return perform(typed, deed) or _show(typed, "passkey")


@act("/account/passkeys/<passkey>/remove", None)
def remove_passkey(passkey: str) -> Reply:
    """A passkey lets nobody in any more."""
    typed = received()

    def deed() -> AnyResponse:
        passkeys.remove(here(), actor(), passkey)
        return go("account", said="passkey-removed")

    return perform(typed, deed) or _show(typed, "")


@form("/account/authenticator", None)
def set_up_authenticator() -> Reply:
    """Set up an authenticator app: a fresh secret, a picture of it, and the first code back."""
    typed = received()
    if posted() and typed.has("begin", "yes"):
        done = perform(typed, lambda: go("set_up_authenticator", said=_begun()))
        if done is not None:
            return done
    elif posted():
        code = typed.text("code", "Enter the code the app shows now.", limit=10)
        if typed.ok:
            try:
                return _show(Form.starting(), "", codes=authenticators.confirm(here(), actor(), code))
            except ConfirmationNeeded:
                raise
            except InventoryError as error:
                typed.refused(error)
                typed.status = 422 if error.status == NotSignedIn.status else error.status
    waiting = authenticators.pending(here(), actor())
    return show(
        "authenticator.html", form_status(typed), form=typed, waiting=waiting,
        picture=None if waiting is None else _picture(waiting.address), mine=factors.mine(here(), actor()),
    )  # fmt: skip


def _begun() -> str:
    authenticators.begin(here(), actor())
    return ""


def _picture(address: str) -> str:
    """The QR code as an address the page may show: black on white, whatever the theme, for cameras want it so."""
    picture: str = segno.make(address, error="m").svg_data_uri(scale=5, dark="#000", light="#fff", border=4)
    return picture


@act("/account/authenticator/remove", None)
def remove_authenticator() -> Reply:
    """The app counts no more."""
    typed = received()

    def deed() -> AnyResponse:
        authenticators.remove(here(), actor())
        return go("account", said="authenticator-removed")

    return perform(typed, deed) or _show(typed, "")


@act("/account/recovery-codes", None)
def new_recovery_codes() -> Reply:
    """Fresh recovery codes; shown by this very answer and never again."""
    typed = received()
    try:
        return _show(Form.starting(), "", codes=authenticators.new_recovery_codes(here(), actor()))
    except Conflict as error:
        typed.refused(error)
    return _show(typed, "")


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
    parts = _parts()
    sites, teams = (_chosen(typed, one, parts[one]) for one in ("token_sites", "token_teams"))
    if typed.ok and days is not None:
        command = sessions.CreateToken(name=name, roles=roles, lifetime=timedelta(days=days), sites=sites, teams=teams)
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
