"""Getting in and out: the front door, the one-time link, sign-in, sign-out, theme."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.auth import signin
from inventory.auth import web as auth
from inventory.console.blueprint import Reply, act, doors, public
from inventory.console.forms import Form
from inventory.console.language.speaking import COOKIE, known
from inventory.console.web import form_status, go, here, inside, posted
from inventory.domain.signin import Standing
from inventory.errors import Invalid, InventoryError
from inventory.services import passkeys, people, sessions, sso
from inventory.services.sessions import SignedIn

from .presence import assertion_of, attestation_of, options_of


def _enter(signed_in: SignedIn, address: str) -> AnyResponse:
    whole = signed_in.session.standing is Standing.FULL
    onward = inside(address) if whole else url_for("console.second_factor", next=inside(address))
    response = make_response(redirect(onward, 303))
    auth.remember(response, signed_in)
    return response


@doors.get("/")
def front() -> AnyResponse:
    """The front door."""
    return redirect(url_for("console.home"), 302)


@doors.route("/welcome/<secret>", methods=["GET", "POST"])
def welcome(secret: str) -> Reply:
    """Make a passkey, or set a password, through a one-time link."""
    person = sessions.peek_link(here(), secret)
    form = Form.received(request.form) if posted() else Form.starting()
    if posted() and form.value("answer"):
        try:
            made = attestation_of(form)
            if made is not None:
                command = passkeys.Register(label=form.value("label") or "First passkey", answer=made)
                return _enter(passkeys.welcome(here(), secret, command, signin.label()), "")
        except InventoryError as error:
            form.refused(error)
    elif posted():
        password = form.value("password")
        if password != form.value("again"):
            form.fail("again", "The two passwords are not the same.")
        if form.ok:
            try:
                return _enter(signin.use_link(secret, password), "")
            except Invalid as error:
                form.refused(error)
    asked = options_of(passkeys.welcome_options(here(), secret))
    page = render_template("console/welcome.html", person=person, form=form, action=request.path, passkey=asked)
    return page, form_status(form)


@public("/sign-in", "GET", "POST")
def sign_in() -> Reply:
    """A passkey, or login name and password."""
    form = Form.received(request.form) if posted() else Form.starting()
    address = form.value("next") or request.args.get("next", "")
    if not posted() and auth.find_caller() is not None:
        return redirect(inside(address), 303)
    if posted() and form.value("answer"):
        try:
            shown = assertion_of(form)
            if shown is not None:
                return _enter(passkeys.sign_in(here(), shown, signin.label()), address)
        except InventoryError as error:
            form.refused(error)
    elif posted():
        form.text("login", "Enter your login name.", limit=64)
        if not form.value("password"):
            form.fail("password", "Enter your password.")
        if form.ok:
            try:
                return _enter(signin.sign_in(form.value("login").strip(), form.value("password")), address)
            except InventoryError as error:
                form.refused(error)
    page = render_template(
        "console/sign-in.html", form=form, next=inside(address), action=url_for("console.sign_in"),
        passkey=options_of(passkeys.sign_in_options(here())), provider=sso.is_offered(here()),
    )  # fmt: skip
    return page, form_status(form)


@act("/sign-out", None)
def sign_out() -> Reply:
    """End this session."""
    response = make_response(go("sign_in", said="signed-out"))
    auth.forget(response)
    return response


@act("/theme", None)
def set_theme() -> Reply:
    """Light or dark, remembered by a cookie that says nothing else."""
    theme = request.form.get("theme", "")
    response = make_response(redirect(inside(request.form.get("back", "")), 303))
    if theme in {"light", "dark"}:
        response.set_cookie("theme", theme, max_age=31_536_000, samesite="Lax", secure=auth.is_secure(), path="/")
    return response


@public("/language", "POST")
def set_language() -> AnyResponse:
    """The language of the console: one's own setting, and a cookie for the pages before signing in."""
    chosen = known(request.form.get("language"))
    response = make_response(redirect(_back(request.form.get("back", "")), 303))
    who = auth.find_caller()
    if who is not None:
        people.set_language(here(), who.actor, chosen)
    if chosen is None:
        response.delete_cookie(COOKIE, path="/")
    else:
        response.set_cookie(COOKIE, chosen, max_age=31_536_000, samesite="Lax", secure=auth.is_secure(), path="/")
    return response


def _back(address: str) -> str:
    """The page one came from; a one-time link's page is outside of the console."""
    return (
        address
        if address.startswith(("/welcome/", "/verify", "/handover/")) and address.isprintable()
        else inside(address)
    )
