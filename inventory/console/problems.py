"""Error pages that say what happened, what is true now, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urlsplit

from flask import Response, make_response, redirect, render_template, request, url_for

from inventory.auth import csrf
from inventory.auth import web as auth
from inventory.contract.v1.problems import Problem
from inventory.errors import InventoryError

from .kept import keep
from .views.frame import build_frame
from .views.story import Link


@dataclass(frozen=True)
class ProblemPage:
    """An error as a page shows it."""

    status: int
    code: str
    title: str
    sentence: str
    reasons: tuple[str, ...]
    steps: tuple[Link, ...]
    incident: str


_NOTHING_CHANGED: Final = "Nothing was changed."
_BY_STATUS: Final[dict[int, tuple[str, tuple[str, ...]]]] = {
    400: ("The request could not be read", ("Go back and try again; if it came from a link, the link is broken.",)),
    401: (
        "This link lets nobody in",
        ("A one-time link works once and only for a while: ask an administrator for a new one.",),
    ),
    403: ("This is not yours to do", ("Ask somebody whose role allows it: the people page shows who that is.",)),
    404: (
        "There is nothing here",
        (
            "Look for it by serial number, asset tag or order number in the search box.",
            "It may also be something your role does not show you.",
        ),
    ),
    405: ("This address works another way", ("Open the page it belongs to and use its buttons.",)),
    409: ("The present state does not allow this", ("Open the page again to see what changed, then decide again.",)),
    412: ("Somebody else was faster", ("Open the page again to see what changed, then decide again.",)),
    413: ("That is too large", ("Send a smaller file or a shorter text.",)),
    422: ("Something in the request makes no sense", ("Go back, correct it, and send it again.",)),
    429: ("Too many attempts", ("Wait a few minutes, then try again.",)),
    500: (
        "The service failed",
        (
            "Try again. If it fails again, tell whoever runs the service the incident number below.",
            "A run under way on a host is not affected: the agent keeps its record until it is accepted.",
        ),
    ),
    503: ("The service cannot act now", ("Try again in a moment. Nothing was changed.",)),
}


def _steps(status: int, signed_in: bool) -> tuple[Link, ...]:
    _, sentences = _BY_STATUS.get(status, _BY_STATUS[400 if status < 500 else 500])
    home = (
        Link("Go to the start page", url_for("console.home"))
        if signed_in
        else Link("Sign in", url_for("console.sign_in"))
    )
    return (*(Link(sentence) for sentence in sentences), home)


def page_of(problem: Problem, *, signed_in: bool) -> ProblemPage:
    """The page of a problem."""
    title, _ = _BY_STATUS.get(problem.status, (problem.title, ()))
    incident = (problem.instance or "").removeprefix("urn:sanitrail:incident:")
    own = problem.status in {403, 409, 412, 422, 503} and problem.code != "csrf-refused"
    sentence = problem.detail if own or problem.status in {404, 429} else problem.detail or _NOTHING_CHANGED
    if incident or sentence == f"{title}.":  # its number stands below, once; the title says no more
        sentence = ""
    return ProblemPage(
        status=problem.status,
        code=problem.code,
        title=problem.title if own else title,
        sentence=sentence,
        reasons=tuple(error.message for error in problem.errors if error.message != problem.detail),
        steps=_steps(problem.status, signed_in),
        incident=incident,
    )


_ELSEWHERE: Final = {"second-factor-needed": "second_factor", "confirmation-needed": "confirm_presence"}
"""Refusals that another page mends: the reader is sent there and comes back afterwards."""


def _to_sign_in() -> Response:
    """To the door: who had a session is told that it is over, and what became of what they sent."""
    owner = auth.owner_of_cookie()
    behind = _form_behind() if request.method == "POST" else ""
    if owner is None:
        return _redirect(_door("sign_in"))
    if request.method != "POST":
        return _redirect(_door("sign_in", said="session-over"))
    words = _redirect(_door("sign_in", said="words-kept"))
    return words if keep(words, behind, owner, "ended") else _redirect(_door("sign_in", said="nothing-done"))


def _to(endpoint: str, person: str | None) -> Response:
    """To the page that mends it, and back; what was written waits meanwhile."""
    response = _redirect(_door(endpoint))
    keep(response, _form_behind() if request.method == "POST" else "", person, "confirm")
    return response


def _door(endpoint: str, said: str = "") -> str:
    """Another page of ours, which leads back here afterwards."""
    here = request.full_path.rstrip("?") if request.method == "GET" else _form_behind()
    asked = [f"next={quote(here)}"] if here and here != url_for("console.home") else []
    asked += [f"said={said}"] if said else []
    return url_for(f"console.{endpoint}") + (f"?{'&'.join(asked)}" if asked else "")


def _redirect(address: str) -> Response:
    return make_response(redirect(address, 303))


def _form_behind() -> str:
    """Where a refused POST came from: the page itself, where it shows a form; else the page with its button."""
    methods = request.url_rule.methods if request.url_rule is not None else None
    if methods and "GET" in methods:
        return request.path
    came = urlsplit(request.headers.get("Referer", ""))
    return came.path if came.path.startswith("/console/") else ""


def render_problem(problem: Problem) -> Response:
    """The console's answer to an error; a stranger is sent to sign in and comes back afterwards."""
    try:
        caller = auth.find_caller()
    except InventoryError:
        caller = None
    if problem.status == 401 and request.blueprint != "doors":
        return _to_sign_in()
    if problem.code in _ELSEWHERE and request.blueprint == "console":
        return _to(_ELSEWHERE[problem.code], None if caller is None else caller.actor.ref)
    view = page_of(problem, signed_in=caller is not None)
    frame, behind = None, ""
    if caller is not None and problem.status < 500:
        frame = build_frame(auth.context(), caller, request.path)
    if caller is not None and _of_earlier_session(problem):
        behind = _form_behind()
        view = replace(view, steps=(Link("Open the page again: what you wrote is kept.", behind), view.steps[-1]))
    response = make_response(render_template("console/problem.html", view=view, frame=frame), problem.status)
    if caller is not None and behind:
        keep(response, behind, caller.actor.ref, "earlier")
    return response


def _of_earlier_session(problem: Problem) -> bool:
    """Whether one of our own pages sent this, only that it was made for another session: somebody signed in anew meanwhile."""
    refused = problem.code == "csrf-refused" and request.blueprint == "console"
    return refused and bool(request.form.get(csrf.FIELD)) and auth.from_own_page() and bool(_form_behind())
