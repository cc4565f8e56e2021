"""What a page needs of the request: who asks, the open inventory, and how to answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, wraps
from pathlib import Path
from typing import Any, Final, ParamSpec
from urllib.parse import urlsplit

from flask import g, redirect, render_template, request, url_for
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from inventory.auth import web as auth
from inventory.auth.headers import csp_nonce
from inventory.domain.roles import Permission
from inventory.errors import Forbidden, InventoryError, NotSignedIn, SeparationOfDuty
from inventory.services import approvers, idempotency, people, queries
from inventory.services.context import Actor, Context
from inventory.services.sessions import Caller
from inventory.services.views import Known
from reports.typesetting import together

from .blueprint import Reply
from .forms import Form
from .kept import put_back
from .language.catalogs import Tongue
from .language.scripts import words_of
from .language.speaking import tongue, words
from .sheets import Sheet
from .views.cells import Cells
from .views.frame import Frame, NavGroup, build_frame, open_groups

P = ParamSpec("P")

_STATIC: Final = Path(__file__).parent / "static"


def here() -> Context:
    """The open inventory."""
    return auth.context()


def caller() -> Caller:
    """Who asks. Raises `NotSignedIn`."""
    return auth.caller()


def actor() -> Actor:
    """Who acts, for the services."""
    return caller().actor


def one_view(page: Callable[P, Reply]) -> Callable[P, Reply]:
    """For a page that only reads: all of its parts are read in one view (`Context.together`)."""

    @wraps(page)
    def together(*args: P.args, **kwargs: P.kwargs) -> Reply:
        with here().together(actor()):
            return page(*args, **kwargs)

    return together


def may(permission: Permission) -> bool:
    """Whether the reader may do this; pages show no button that would be refused."""
    return actor().may(permission)


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """Address of a static file with its digest, so that it may be cached for good."""
    return _address_of(request.script_root, name)


@cache
def _address_of(_root: str, name: str) -> str:
    """Pages name the same few files a hundred times; where the application lies is all that changes an address."""
    return url_for("console.static", filename=name, v=_digest(name))


def module(name: str) -> Markup:
    """The tag of one of our scripts; in another language than English with what the script says in it."""
    nonce, words = csp_nonce(), words_of(Path(name).name, tongue())
    tag = Markup('<script type="module" nonce="{}" src="{}"></script>').format(nonce, asset(name))
    if not words:
        return tag
    brought = Markup('<script type="application/json" nonce="{}" data-words>{}</script>')
    return brought.format(nonce, htmlsafe_json_dumps(words)) + tag


def drawn_cells() -> Cells:
    """What draws the cells of a table on this page."""
    return Cells(asset("img/icons.svg"), here().now(), names())


def names() -> Callable[[str], str]:
    """Pseudonym -> what this reader may call the person."""
    return lambda ref: known_as(ref).name


def known_as(ref: str) -> Known:
    """How this reader may know the person; everybody is read with the first name that a page tells."""
    if ref == "system":
        return Known(words("the service"), "")
    if "console_names" not in g:
        found = {}
        if may(Permission.READ):
            found = people.names_by_ref(here(), actor())
        me = caller().person
        found.setdefault(me.ref, Known(me.name or me.login, me.login))
        g.console_names = found
    known: dict[str, Known] = g.console_names
    return known.get(ref) or Known(ref, "")


def called(numbers: Iterable[str | None]) -> dict[str, str]:
    """Number -> what people call it: a device's asset tag, a host's name; nothing of what has none."""
    return queries.called(here(), actor(), {number for number in numbers if number})


def my_passkeys() -> list[dict[str, str]]:
    """One's own passkeys that approve, as a page's script wants them."""
    mine = approvers.list_keys(here(), actor(), person=actor().ref)
    return [
        {"key_id": key.key_id, "rp_id": key.passkey.rp_id, "credential": key.passkey.credential}
        for key in mine
        if key.passkey is not None
    ]


def frame() -> Frame:
    """Navigation and account of the signed-in reader."""
    return build_frame(here(), caller(), request.path, open_groups(request.cookies.get("nav")))


def sidebar(frame: Frame) -> Markup:
    """The frame's navigation as HTML."""
    return _drawn_sidebar(frame.nav, frame.organisation, tongue(), request.script_root)


@lru_cache(maxsize=512)
def _drawn_sidebar(nav: tuple[NavGroup, ...], organisation: str, _tongue: Tongue, _root: str) -> Markup:
    """Made again where anything in it is another: who may go where, a count, a group that is open, the language."""
    html = render_template("console/_sidebar.html", nav=nav, organisation=organisation)
    return Markup(html)  # noqa: S704 - rendered, with every value escaped


def show(template: str, status: int = 200, **values: Any) -> Reply:  # noqa: ANN401 - templates take anything
    """Render a page inside the console's frame; its form takes back what was written before one had to sign in again."""
    form = values.get("form")
    if isinstance(form, Form):
        put_back(form)
    html = render_template(
        f"console/{template}",
        frame=frame(),
        person_name=names(),
        known_as=known_as,
        called=called,
        may=may,
        can=Permission,
        my_passkeys=my_passkeys,
        **values,
    )
    return (html, status)


def fragment(template: str, **values: Any) -> str:  # noqa: ANN401 - templates take anything
    """Render a part of a page alone, for a live region: nothing around it is asked for."""
    html = render_template(
        f"console/{template}", person_name=names(), known_as=known_as, may=may, can=Permission, **values
    )
    return together(html)  # some of them go out as events, which are no pages


def show_sheet(sheet: Sheet, form: Form, action: str = "") -> Reply:
    """Render a simple form; refused, it comes back with everything in it and the refusal's own status."""
    return show("sheet.html", form_status(form), sheet=sheet, form=form, action=action or request.full_path.rstrip("?"))


def form_status(form: Form) -> int:
    """200 for a fresh form, else the status of what was wrong with it."""
    if form.ok:
        return 200
    return form.status or 422


def received() -> Form:
    """The form of this request: what was typed, or what a link suggests."""
    if request.method == "POST":
        return Form.received(request.form)
    return Form.starting({name: value for name, value in request.args.items() if name not in {"said", "after"}})


def posted() -> bool:
    """Whether the form was sent."""
    return request.method == "POST"


def inside(address: str) -> str:
    """The address if it is one of our own pages, else the start page: a link never leads elsewhere after signing in."""
    parts = urlsplit(address)
    clean = not parts.scheme and not parts.netloc and "\\" not in address and address.isprintable()
    return address if clean and parts.path.startswith("/console") else url_for("console.home")


def go(endpoint: str, said: str = "", **values: Any) -> AnyResponse:  # noqa: ANN401 - parts of an address
    """Send the reader on (303: the next request is a GET), with a word about what was done."""
    return redirect(url_for(f"console.{endpoint}", said=said or None, **values), 303)


def _fingerprint_of_request() -> str:
    typed = sorted(
        (name, value)
        for name in request.form
        for value in request.form.getlist(name)
        if name not in {"csrf_token", "once"}
    )
    return hashlib.sha256(repr((request.path, typed)).encode()).hexdigest()


def perform(form: Form, deed: Callable[[], AnyResponse]) -> AnyResponse | None:
    """Do what a form asks, once.

    Args:
        form: what was typed; a refusal is noted in it.
        deed: calls the service and says where to go.

    Returns:
        Where to go; None where the form must be shown again.

    Raises:
        NotSignedIn, Forbidden: nothing the form could mend.
    """
    if not form.ok:
        return None
    key = f"console-{form.once}"
    try:
        stored = idempotency.claim(here(), actor(), key, _fingerprint_of_request())
    except InventoryError as error:
        form.refused(error)
        return None
    if stored is not None:
        return redirect(stored.body.decode(), 303)
    try:
        reply = deed()
    except InventoryError as error:
        idempotency.abandon(here(), actor(), key)
        if isinstance(error, NotSignedIn) or (isinstance(error, Forbidden) and not isinstance(error, SeparationOfDuty)):
            raise
        form.refused(error)
        return None
    except Exception:
        idempotency.abandon(here(), actor(), key)
        raise
    location = reply.headers.get("Location", "")
    idempotency.complete(here(), actor(), key, idempotency.StoredReply(303, location.encode(), "text/uri-list"))
    return reply
