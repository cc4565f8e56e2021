"""To the single sign-on provider and back: to sign in, to link one's account, to show again who one is."""

from __future__ import annotations

from flask import make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.api.problems import ApiError
from inventory.auth import signin
from inventory.auth import web as auth
from inventory.console.blueprint import Reply, act, page, public
from inventory.console.web import actor, go, here, inside, perform, received
from inventory.errors import InventoryError
from inventory.services import sso

from .account import show_account

_LONGEST = 2_000


def _cookie() -> str:
    return "__Host-sanitrail-sso" if auth.is_secure() else "sanitrail-sso"


def _redirect() -> str:
    """Our address to come back to: the one that providers know us by, whatever name was asked."""
    return here().settings.external_url.rstrip("/") + url_for("console.back_from_sso")


def _away(purpose: sso.Purpose, onward: str) -> AnyResponse:
    caller = auth.find_caller()
    departure = sso.depart(here(), None if caller is None else caller.actor, purpose, _redirect(), onward)
    response = make_response(redirect(departure.address, 303))
    response.set_cookie(
        _cookie(), departure.note, max_age=600, secure=auth.is_secure(), httponly=True, samesite="Lax", path="/"
    )
    return response


@public("/sso")
def sign_in_by_sso() -> Reply:
    """Leave for the provider, to sign in."""
    return _away("sign-in", inside(request.args.get("next", "")))


@page("/sso/link", None)
def link_sso() -> Reply:
    """Leave for the provider, to say which account there is mine. Only from our own page: nobody else begins this for me."""
    if sso.is_offered(here()) and request.headers.get("Sec-Fetch-Site") != "same-origin":
        raise ApiError("csrf-refused", detail="Use the link on your account page.")
    return _away("link", url_for("console.account"))


@page("/sso/confirm", None)
def confirm_by_sso() -> Reply:
    """Leave for the provider, to show again who I am."""
    return _away("confirm", inside(request.args.get("next", "")))


@public("/sso/back")
def back_from_sso() -> Reply:
    """Back from the provider, with its answer."""
    answer = sso.Answer(
        code=request.args.get("code", "")[:_LONGEST],
        state=request.args.get("state", "")[:_LONGEST],
        issuer=request.args.get("iss"),
        note=request.cookies.get(_cookie(), "")[: 2 * _LONGEST],
    )
    caller = auth.find_caller()
    try:
        arrived = sso.arrive(here(), None if caller is None else caller.actor, answer, _redirect(), signin.label())
    except InventoryError:
        response = make_response(go("sign_in" if caller is None else "account", said="sso-refused"))
    else:
        if arrived.signed_in is not None:
            response = make_response(redirect(inside(arrived.onward), 303))
            auth.remember(response, arrived.signed_in)
        else:
            response = make_response(redirect(inside(arrived.onward), 303))
    response.delete_cookie(_cookie(), path="/", secure=auth.is_secure(), httponly=True, samesite="Lax")
    return response


@act("/account/identities/<identity>/remove", None)
def unlink_sso(identity: str) -> Reply:
    """My account at the provider lets me in no more."""
    typed = received()

    def deed() -> AnyResponse:
        sso.unlink(here(), actor(), identity)
        return go("account", said="identity-removed")

    return perform(typed, deed) or show_account(typed)
