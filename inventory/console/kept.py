"""What a person had typed when the service first had to ask who they are: kept in their own browser until they are back.

A session that ends in the middle of a decision must cost neither the words of the decision nor half of it. Nothing is done; the
words travel in a cookie of that one page, signed, for a quarter of an hour, and come back into the form only for the person who
wrote them. Ticks that confirm, versions, signatures and secrets are never kept: who comes back reads again, and confirms again.
"""

from __future__ import annotations

import base64
import hmac
import json
import zlib
from dataclasses import dataclass
from typing import Final, Literal

from flask import Response, g, request
from werkzeug.datastructures import MultiDict

from inventory.auth import web as auth

from .blueprint import console
from .forms import Form

Why = Literal["ended", "confirm", "earlier"]
"""The session had ended; the person had to show again who they are; the page was from an earlier session."""

COOKIE: Final = "kept"
SECONDS: Final = 15 * 60
NEVER: Final = frozenset(
    {
        "again", "answer", "back", "code", "compared", "csrf_token", "current", "envelope", "key_source", "new", "next",
        "once", "password", "sure", "username", "version",
    }
)  # fmt: skip
"""Fields that are not kept: secrets, what belongs to one submission, and ticks that must be set by a hand that has just read."""

_LARGEST: Final = 3_500
"""Browsers drop cookies beyond 4096 bytes."""
_INFLATED: Final = 100_000
_PURPOSE: Final = "kept"


@dataclass(frozen=True)
class Kept:
    """Words that wait for their page."""

    page: str
    """The page that shows them."""
    sent_to: str
    """Where they were sent."""
    person: str
    since: int
    why: Why
    values: tuple[tuple[str, str], ...]
    too_long: bool = False
    """There was more than a browser keeps."""
    files: bool = False
    """The form took files: they must be chosen again."""

    @property
    def in_place(self) -> bool:
        """Whether the page's own form takes them back; otherwise they are shown beside it."""
        return self.page == self.sent_to

    @property
    def texts(self) -> tuple[str, ...]:
        """What was written in words, longest first: what one would be sorry to write again."""
        return tuple(sorted((value for _, value in self.values if " " in value.strip()), key=len, reverse=True))


def keep(response: Response, page: str, person: str | None, why: Why) -> bool:
    """Put the words of this refused request into the answer; whether somebody may find them again.

    Args:
        response: the answer that sends the reader elsewhere.
        page: the page that shows the form; empty where nobody knows.
        person: whose words these are; None where nobody knows, and then nothing is kept.
        why: what the page will say.
    """
    if request.method != "POST" or not page or person is None:
        return False
    values = tuple((name, value) for name, value in request.form.items(multi=True) if value and name not in NEVER)
    since = int(auth.context().now().timestamp())
    files = bool(request.files)
    words = _written(Kept(page, request.path, person, since, why, values, files=files))
    if len(words) > _LARGEST:
        words = _written(Kept(page, request.path, person, since, why, (), too_long=True, files=files))
    g.console_keeps = True
    response.set_cookie(
        COOKIE, words, max_age=SECONDS, path=page, httponly=True, samesite="Lax", secure=auth.is_secure()
    )
    return True


def kept_here() -> Kept | None:
    """The words that wait for this very page and this very reader."""
    if request.method != "GET" or request.blueprint != console.name:
        return None
    found = _found()
    if found is None or found.page != request.path:
        return None
    caller = auth.find_caller()
    return found if caller is not None and hmac.compare_digest(caller.actor.ref, found.person) else None


def put_back(form: Form) -> None:
    """The words into the page's own form, where they belong there."""
    kept = kept_here()
    if kept is not None and kept.values:
        typed: MultiDict[str, str] = MultiDict(kept.values)
        for name in typed:
            form.values.setlist(name, typed.getlist(name))


def _found() -> Kept | None:
    if "console_kept" not in g:
        g.console_kept = _read(request.cookies.get(COOKIE, ""))
    found: Kept | None = g.console_kept
    return found


def _written(kept: Kept) -> str:
    body = [kept.page, kept.sent_to, kept.person, kept.since, kept.why, kept.values, kept.too_long, kept.files]
    packed = base64.urlsafe_b64encode(zlib.compress(json.dumps(body).encode(), 9)).decode()
    return f"{packed}.{auth.checksum(_PURPOSE, packed)}"


def _read(text: str) -> Kept | None:
    """What a cookie holds; None where it is not ours, or too old."""
    packed, _, checksum = text.rpartition(".")
    if not packed or len(text) > 2 * _LARGEST or not _same(checksum, auth.checksum(_PURPOSE, packed)):
        return None
    content = zlib.decompressobj().decompress(base64.urlsafe_b64decode(packed), _INFLATED)
    page, sent_to, person, since, why, values, too_long, files = json.loads(content)
    age = auth.context().now().timestamp() - since
    if not 0 <= age <= SECONDS:
        return None
    pairs = tuple((name, value) for name, value in values)
    return Kept(page, sent_to, person, since, why, pairs, too_long, files)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


@console.after_request
def _let_go(response: Response) -> Response:
    """Words are let go when their form was sent, or when they were shown beside it."""
    if COOKIE not in request.cookies or g.get("console_keeps", False):
        return response
    found = _found()
    if found is None:
        return response
    sent = request.method == "POST" and found.sent_to == request.path
    shown = not found.in_place and kept_here() is not None
    if sent or shown:
        response.delete_cookie(COOKIE, path=found.page, httponly=True, samesite="Lax", secure=auth.is_secure())
    return response
