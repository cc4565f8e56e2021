"""Live regions by server-sent events: the whole picture of one region, sent again whenever it has changed.

A picture is complete in itself, so nothing is lost with a lost line: whoever comes back names the picture they have
(`Last-Event-ID`), and gets the newest one if that is another. What has changed is asked of the database, so it does not
matter which of several processes took the agent's report. A stream is an answer like any other and holds a thread while it
lasts: there are few of them, each ends after a few minutes, and who gets none asks again and again instead.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from flask import Response, current_app, request
from flask.ctx import RequestContext
from flask.globals import request_ctx

from inventory.auth import web as auth
from inventory.errors import InventoryError

EACH: Final = 3
"""Streams one person may have at once; a browser has six connections to one address in all."""


@dataclass(frozen=True)
class Pace:
    """How often what is done, in seconds."""

    look: float = 1.0
    """Between two questions whether anything changed."""
    draw: float = 10.0
    """After which it is drawn anew although nothing changed: words such as "2 minutes ago" grow old."""
    beat: float = 5.0
    """After which something is sent although there is nothing: proxies close lines on which nothing moves."""
    end: float = 240.0
    """After which the line is closed; the browser opens the next one by itself."""


PACE: Final = Pace()


@dataclass
class Seats:
    """How many streams one process carries, and for whom. Thread-safe."""

    _taken: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, person: str, most: int) -> bool:
        """Whether there is room for one more."""
        with self._lock:
            if self._taken.total() >= most or self._taken[person] >= EACH:
                return False
            self._taken[person] += 1
            return True

    def give_back(self, person: str) -> None:
        """A stream has ended."""
        with self._lock:
            self._taken[person] -= 1
            if not self._taken[person]:
                del self._taken[person]

    @property
    def taken(self) -> int:
        """Streams under way."""
        with self._lock:
            return self._taken.total()


_EXTENSION: Final = "sanitrail-streams"


def seats() -> Seats:
    """The streams of this application in this process."""
    found: Seats = current_app.extensions.setdefault(_EXTENSION, Seats())
    return found


@dataclass(frozen=True)
class Region:
    """What is streamed."""

    pulse: Callable[[], str]
    """A word that changes whenever the picture may have changed."""
    draw: Callable[[], str]
    """The region as HTML."""


def stream(region: Region, pace: Pace | None = None) -> Response:
    """The answer to a browser that wants to be told.

    Raises:
        InventoryError: the region cannot be read; said before anything is sent.
    """
    pace = pace or current_app.config.get("SANITRAIL_PACE", PACE)
    known = (request.headers.get("Last-Event-ID") or request.args.get("last") or "")[:64]
    region.pulse()
    person = auth.caller().actor.ref
    most = max(2, auth.context().settings.threads // 2)
    if seats().take(person, most):
        body = _Body(seats(), person, _events(_Watcher(region, pace, request_ctx.copy(), known), pace))
        answer = Response(body, content_type="text/event-stream; charset=utf-8")
    else:
        answer = Response("event: full\ndata: ask instead\n\n", content_type="text/event-stream; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store, no-transform"
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


class _Body(Iterator[str]):
    """The stream and its seat: given back when it ends, and when the other side has gone."""

    def __init__(self, taken_from: Seats, person: str, events: Iterator[str]) -> None:
        self._seats, self._person, self._events = taken_from, person, events
        self._open = True

    def __next__(self) -> str:
        try:
            return next(self._events)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Called by the server once the answer is over, however it ended."""
        if self._open:
            self._open = False
            self._seats.give_back(self._person)

    def __del__(self) -> None:
        self.close()


def _events(watcher: _Watcher, pace: Pace) -> Iterator[str]:
    begun = sent = time.monotonic()
    yield "retry: 2000\n\n"
    while (now := time.monotonic()) - begun < pace.end and not watcher.ended:
        news = watcher.look(now)
        if news:
            sent = now
            yield news
        elif now - sent >= pace.beat:
            sent = now
            yield ": nothing new\n\n" + _event("beat", "")
        if not watcher.ended:
            time.sleep(pace.look)


@dataclass
class _Watcher:
    """Looks whether a region has changed, each time with the eyes the reader has now."""

    region: Region
    pace: Pace
    request: RequestContext
    """Of the request that asked; entered anew for each look, so that who reads is found out anew, too."""
    known: str
    ended: bool = False
    _pulse: str | None = None
    _drawn: float = float("-inf")

    def look(self, now: float) -> str:
        """What is to be sent; nothing where nothing changed. What no longer may be told ends it."""
        try:
            with self.request.copy():
                auth.caller()
                pulse = self.region.pulse()
                if pulse == self._pulse and now - self._drawn < self.pace.draw:
                    return ""
                html = self.region.draw()
        except InventoryError as error:
            self.ended = True
            return _event("ended", error.code)
        self._pulse, self._drawn = pulse, now
        name = hashlib.sha256(html.encode()).hexdigest()[:32]
        if name == self.known:
            return ""
        self.known = name
        return _event("picture", html, name)


def _event(kind: str, data: str, name: str = "") -> str:
    lines = [
        f"event: {kind}",
        *([f"id: {name}"] if name else []),
        *(f"data: {line}" for line in data.splitlines() or [""]),
    ]
    return "\n".join(lines) + "\n\n"
