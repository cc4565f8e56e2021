"""Showing who one is after the password, and again before a dangerous act."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from flask import redirect, render_template, request, url_for

from inventory.auth import signin
from inventory.console.blueprint import Reply, form
from inventory.console.forms import Form
from inventory.console.web import actor, caller, form_status, go, here, inside, posted, received, show
from inventory.domain.signin import Standing
from inventory.errors import InventoryError
from inventory.services import authenticators, factors, passkeys, sso
from inventory.services.ceremonies import Assertion, Attestation, CreateOptions, RequestOptions
from reports.canonical import from_base64
from reports.errors import MalformedDocument

_LONGEST = 64_000


def options_of(asked: RequestOptions | CreateOptions | None) -> dict[str, Any] | None:
    """What the page's script hands to the browser; None where there can be no passkey."""
    return None if asked is None else asdict(asked)


def _answer(typed: Form, *names: str) -> list[bytes] | None:
    """The parts of what an authenticator answered; None, and said in the form, where none came."""
    text = typed.value("answer")
    try:
        parts = json.loads(text) if 0 < len(text) <= _LONGEST else None
        if isinstance(parts, dict):
            return [from_base64(parts.get(name), name) for name in names]
    except (ValueError, RecursionError, MalformedDocument):
        pass
    typed.sentence = "No passkey came with this form. The browser asks for it: allow scripts here."
    typed.status = 422
    return None


def assertion_of(typed: Form) -> Assertion | None:
    """The passkey that was shown."""
    parts = _answer(typed, "credential_id", "client_data", "authenticator_data", "signature")
    if parts is None:
        return None
    return Assertion(credential_id=parts[0], client_data=parts[1], authenticator_data=parts[2], signature=parts[3])


def attestation_of(typed: Form) -> Attestation | None:
    """The passkey that was made."""
    parts = _answer(typed, "client_data", "attestation")
    return None if parts is None else Attestation(client_data=parts[0], attestation=parts[1])


@form("/second-factor", None)
def second_factor() -> Reply:
    """After the password: a code, a recovery code or a passkey."""
    standing, typed = actor().standing, received()
    onward = inside(typed.value("next") or request.args.get("next", ""))
    if standing is Standing.SETUP:
        return go("account", said="set-up-factor")
    if standing is Standing.FULL:
        return redirect(onward, 303)
    if posted() and _shown(typed):
        return redirect(onward, 303)
    return _page("second-factor.html", typed, onward)


def _shown(typed: Form) -> bool:
    """Whether what came suffices; what was wrong stands in the form."""
    if typed.value("answer"):
        shown = assertion_of(typed)
        if shown is None:
            return False
        return _done(typed, lambda: passkeys.confirm(here(), actor(), shown))
    code = typed.text("code", "Enter the code your app shows, or a recovery code.", limit=40)
    return typed.ok and _done(typed, lambda: authenticators.show_code(here(), actor(), code))


def _done(typed: Form, deed: Any) -> bool:  # noqa: ANN401 - any act without a result
    try:
        deed()
    except InventoryError as error:
        typed.refused(error)
        return False
    return True


@form("/confirm", None)
def confirm_presence() -> Reply:
    """Show again who you are: by passkey, or by password and code."""
    typed = received()
    onward = inside(typed.value("next") or request.args.get("next", ""))
    if posted():
        if typed.value("answer"):
            shown = assertion_of(typed)
            done = shown is not None and _done(typed, lambda: passkeys.confirm(here(), actor(), shown))
        else:
            password, code = typed.value("password"), typed.value("code").strip()
            if not password:
                typed.fail("password", "Enter your password.")
            done = typed.ok and _done(typed, lambda: signin.confirm(actor(), password, code))
        if done:
            return redirect(onward, 303)
    mine = factors.mine(here(), actor())
    asked = options_of(passkeys.confirm_options(here(), actor()))
    return show(
        "confirm-presence.html",
        form_status(typed),
        form=typed,
        next=onward,
        mine=mine,
        passkey=asked,
        provider=sso.is_offered(here()),
    )


def _page(template: str, typed: Form, onward: str) -> Reply:
    asked = options_of(passkeys.confirm_options(here(), actor()))
    page = render_template(
        f"console/{template}", form=typed, next=onward, passkey=asked, me=caller().person,
        action=url_for("console.second_factor"),
    )  # fmt: skip
    return page, form_status(typed)
