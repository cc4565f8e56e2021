"""Signing in by password or one-time link, and showing it again. Argon2 is slow on purpose: only a few are computed at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

from inventory.api.problems import ApiError
from inventory.services import authenticators, people, sessions
from inventory.services.context import Actor
from inventory.services.sessions import SignedIn

from .web import context

_SLOTS = threading.BoundedSemaphore(4)
"""Each computation takes some 64 MiB and a tenth of a second of one core."""
_PATIENCE_SECONDS = 5.0
_LABEL = 200


@contextmanager
def _slot() -> Iterator[None]:
    if not _SLOTS.acquire(timeout=_PATIENCE_SECONDS):
        raise ApiError("busy", detail="Too many people are signing in at once.", headers={"Retry-After": "5"})
    try:
        yield
    finally:
        _SLOTS.release()


def label() -> str:
    """What the browser calls itself."""
    return request.headers.get("User-Agent", "")[:_LABEL]


def sign_in(login: str, password: str, code: str = "") -> SignedIn:
    """Opens a session; the caller puts it into the answer with `web.remember`.

    Raises:
        NotSignedIn: Name, password or code wrong, or the account is disabled.
        TooManyAttempts: 429.
        ApiError: `busy` (503).
    """
    address = request.remote_addr or ""
    command = sessions.SignIn(login=login, password=password, address=address, label=label(), code=code)
    with _slot():
        return sessions.sign_in(context(), command)


def use_link(secret: str, password: str) -> SignedIn:
    """Spends a one-time link: sets the password and opens a session.

    Raises:
        NotSignedIn: Unknown, expired or used.
        Invalid: The password is not acceptable.
        ApiError: `busy` (503).
    """
    with _slot():
        return sessions.use_link(context(), sessions.UseLink(secret=secret, password=password, label=label()))


def change_password(actor: Actor, current: str, new: str) -> None:
    """Changes one's own password; every other session ends.

    Raises:
        NotSignedIn: The current password is wrong.
        Invalid: The new one is not acceptable.
        ApiError: `busy` (503).
    """
    with _slot():
        people.change_password(context(), actor, people.ChangePassword(current=current, new=new))


def confirm(actor: Actor, password: str, code: str) -> None:
    """Shows again who one is, by password and code.

    Raises:
        NotSignedIn: The password or the code is wrong.
        Conflict: One signs in with a passkey.
        TooManyAttempts: 429.
        ApiError: `busy` (503).
    """
    with _slot():
        authenticators.confirm_password(context(), actor, password, code, request.remote_addr or "")
