"""The console's two blueprints, and how a page joins them: each names the permission one needs to see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Final, ParamSpec

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from inventory.domain.roles import Permission
from inventory.domain.signin import Standing
from inventory.services import named
from inventory.services.context import authorize, require_full

P = ParamSpec("P")
Reply = str | AnyResponse | tuple[str, int]
"""What a page answers."""

_YEAR: Final = 31_536_000


class _Console(Blueprint):
    """Static files that carry their digest in the address never change, so a browser may keep them for a year."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """Seconds a browser may keep the file without asking."""
        return _YEAR if request.args.get("v") else super().get_send_file_max_age(filename)


console: Final = _Console(
    "console",
    __name__,
    url_prefix="/console",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)
doors: Final = Blueprint("doors", __name__, template_folder="templates")
"""Addresses outside `/console`: the front door and the one-time link."""


@dataclass(frozen=True)
class PageAccess:
    """What a page asks of its reader: nothing (public), a session, or a session and a permission."""

    public: bool
    permission: Permission | None


ACCESS: Final[dict[str, PageAccess]] = {}
"""Endpoint -> access. A page that stands nowhere here does not exist; a test walks it with every role."""


_ALWAYS: Final = frozenset({"sign_out", "set_theme", "second_factor"})
HALF_SIGNED_IN: Final = {
    Standing.CODE: _ALWAYS,
    Standing.SETUP: _ALWAYS | {"account", "confirm_presence", "register_passkey", "set_up_authenticator"},
}
"""The pages of somebody who is half signed in: to show a second factor, or to set one up."""


def _register(
    rule: str, access: PageAccess, methods: tuple[str, ...]
) -> Callable[[Callable[P, Reply]], Callable[P, Reply]]:
    def join(view: Callable[P, Reply]) -> Callable[P, Reply]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Reply:
            from .web import caller, here  # noqa: PLC0415 - web renders templates and needs this module's blueprint

            if not access.public:
                actor = caller().actor
                if actor.standing is not Standing.FULL and view.__name__ not in HALF_SIGNED_IN[actor.standing]:
                    require_full(actor)
                if access.permission is not None:
                    authorize(actor, access.permission, reading="POST" not in methods)
                named.require_seen(here(), actor, kwargs)
            return view(*args, **kwargs)

        name = view.__name__.removesuffix("_page")  # a page may bear the name of the service module it shows
        ACCESS[f"console.{name}"] = access
        console.add_url_rule(rule, name, guarded, methods=list(methods))
        return guarded

    return join


def page(
    rule: str, permission: Permission | None = Permission.READ
) -> Callable[[Callable[P, Reply]], Callable[P, Reply]]:
    """A page to read. `None`: anybody signed in."""
    return _register(rule, PageAccess(public=False, permission=permission), ("GET",))


def act(rule: str, permission: Permission | None) -> Callable[[Callable[P, Reply]], Callable[P, Reply]]:
    """A page without a form of its own that changes something by POST."""
    return _register(rule, PageAccess(public=False, permission=permission), ("POST",))


def form(rule: str, permission: Permission | None) -> Callable[[Callable[P, Reply]], Callable[P, Reply]]:
    """A page with a form: GET shows it, POST does it."""
    return _register(rule, PageAccess(public=False, permission=permission), ("GET", "POST"))


def public(rule: str, *methods: str) -> Callable[[Callable[P, Reply]], Callable[P, Reply]]:
    """A page for strangers: sign-in."""
    return _register(rule, PageAccess(public=True, permission=None), methods or ("GET",))
