"""Getting in and out: the front door, the one-time link, sign-in, sign-out, theme."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.auth import signin
from inventory.auth import web as auth
from inventory.console.blueprint import Reply, act, doors, public
from inventory.console.forms import Form
from inventory.console.web import form_status, go, here, posted
from inventory.errors import Invalid, InventoryError
from inventory.services import sessions
from inventory.services.sessions import SignedIn


def _inside(address: str) -> str:
    """The address if it is one of our own pages, else the start page: a link never leads elsewhere after signing in."""
    parts = urlsplit(address)
    clean = not parts.scheme and not parts.netloc and "\\" not in address and address.isprintable()
    return address if clean and parts.path.startswith("/console") else url_for("console.home")


def _enter(signed_in: SignedIn, address: str) -> AnyResponse:
    response = make_response(redirect(_inside(address), 303))
    auth.remember(response, signed_in)
    return response


@doors.get("/")
def front() -> AnyResponse:
    """The front door."""
    return redirect(url_for("console.home"), 302)


@doors.route("/welcome/<secret>", methods=["GET", "POST"])
def welcome(secret: str) -> Reply:
    """Set a password through a one-time link."""
    person = sessions.peek_link(here(), secret)
    form = Form.received(request.form) if posted() else Form.starting()
    if posted():
        password = form.value("password")
        if password != form.value("again"):
            form.fail("again", "The two passwords are not the same.")
        if form.ok:
            try:
                return _enter(signin.use_link(secret, password), "")
            except Invalid as error:
                form.refused(error)
    page = render_template("console/welcome.html", person=person, form=form, action=request.path)
    return page, form_status(form)


@public("/sign-in", "GET", "POST")
def sign_in() -> Reply:
    """Login name and password."""
    form = Form.received(request.form) if posted() else Form.starting()
    address = form.value("next") or request.args.get("next", "")
    if not posted() and auth.find_caller() is not None:
        return redirect(_inside(address), 303)
    if posted():
        form.text("login", "Enter your login name.", limit=64)
        if not form.value("password"):
            form.fail("password", "Enter your password.")
        if form.ok:
            try:
                return _enter(signin.sign_in(form.value("login").strip(), form.value("password")), address)
            except InventoryError as error:
                form.refused(error)
    page = render_template("console/sign-in.html", form=form, next=_inside(address), action=url_for("console.sign_in"))
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
    response = make_response(redirect(_inside(request.form.get("back", "")), 303))
    if theme in {"light", "dark"}:
        response.set_cookie("theme", theme, max_age=31_536_000, samesite="Lax", secure=auth.is_secure(), path="/")
    return response
