"""Who is behind this request: a session cookie or a bearer token; for the API and the console alike.

    context()                 the open inventory
    caller()                  who is signed in, or raises NotSignedIn
    find_caller()             the same, or None
    csrf_token()              the page's token (templates have it as a function, too)
    remember(response, …)     puts a fresh session (`auth.signin`) into the answer's cookie
    forget(response)          ends the session and takes the cookie back

The cookie holds the session's secret and a keyed checksum of it, so that guesses never reach the database.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from flask import Flask, Response, current_app, g, request

from inventory.api.problems import ApiError
from inventory.errors import NotSignedIn
from inventory.services import sessions
from inventory.services.context import Actor, Context
from inventory.services.sessions import Caller, SignedIn

from . import csrf
from .addresses import Addresses

EXTENSION = "sanitrail"
_COOKIE = "sanitrail"
_BEARER = "bearer "
_MAX_TOKEN = 512
_POWERLESS = frozenset({"doors.verify", "api_verifications.verify_file"})
"""Endpoints that act on nobody's behalf: they look at no session, so there is none to misuse, and read their own body."""
_ANY_NAME = frozenset({"/healthz", "/readyz", "/version"})
"""Asked by load balancers and orchestrators under whatever address they use."""


@dataclass(frozen=True)
class Opened:
    """What the application holds for all requests."""

    context: Context
    addresses: Addresses
    web_key: bytes
    secure: bool


@dataclass(frozen=True)
class Identified:
    """Who asks and how they showed it."""

    caller: Caller
    via: Literal["session", "token"]
    session_secret: str | None = None


def _opened() -> Opened:
    opened: Opened = current_app.extensions[EXTENSION]
    return opened


def addresses(app: Flask) -> Addresses:
    """The names this application goes by."""
    opened: Opened = app.extensions[EXTENSION]
    return opened.addresses


def context() -> Context:
    """The open inventory of this application."""
    return _opened().context


def is_secure() -> bool:
    """Whether browsers reach this service over TLS only."""
    return _opened().secure


def base_url() -> str:
    """The address of ours this request was made to, without a path.

    Raises:
        ApiError: `misdirected` (421): a name this service does not go by.
    """
    found = _opened().addresses.base(request.host)
    if found is None:
        raise ApiError("misdirected")
    return found


def own_url() -> str:
    """This request's whole address as the caller wrote it, with the scheme it was reached by from outside."""
    path = quote(request.path, safe="/!$&'()*+,:;=@%-._~")
    query = request.query_string.decode("latin-1")
    return f"{base_url()}{path}?{query}" if query else f"{base_url()}{path}"


def cookie_name() -> str:
    """`__Host-` binds the cookie to this host and to TLS (RFC 6265bis, 4.1.3.2); plain loopback cannot have it."""
    return f"__Host-{_COOKIE}" if is_secure() else _COOKIE


def checksum(purpose: str, text: str) -> str:
    """Keyed checksum of what a browser keeps for us; each purpose has its own."""
    return hmac.new(_opened().web_key, purpose.encode() + b"\x00" + text.encode(), hashlib.sha256).hexdigest()[:32]


def _checksum(secret: str) -> str:
    return checksum("cookie", secret)


def _session_secret() -> str | None:
    """The secret of this request's cookie, if the checksum is ours."""
    value = request.cookies.get(cookie_name(), "")
    secret, _, checksum = value.rpartition(".")
    if not secret or len(value) > _MAX_TOKEN or not hmac.compare_digest(checksum.encode(), _checksum(secret).encode()):
        return None
    return secret


def _bearer() -> str | None:
    header = request.headers.get("Authorization", "")
    if not header:
        return None
    if header[: len(_BEARER)].lower() != _BEARER or len(header) > _MAX_TOKEN:
        raise NotSignedIn("token")
    return header[len(_BEARER) :].strip()


def identify() -> Identified | None:
    """Who is behind this request; looked up once. An explicit token goes before a cookie.

    Raises:
        NotSignedIn: a bearer token that is not good. A cookie that is not good is simply nobody.
    """
    if "identified" not in g:
        g.identified = _identify()
    found: Identified | None = g.identified
    return found


def _identify() -> Identified | None:
    token = _bearer()
    if token is not None:
        return Identified(sessions.caller_for_token(context(), token), "token")
    secret = _session_secret()
    if secret is None:
        return None
    try:
        return Identified(sessions.caller_for_session(context(), secret), "session", secret)
    except NotSignedIn:
        return None


def find_caller() -> Caller | None:
    """Who is signed in, or None. Raises `NotSignedIn` for a bad bearer token."""
    found = identify()
    return found.caller if found else None


def caller() -> Caller:
    """Who is signed in. Raises `NotSignedIn`."""
    found = find_caller()
    if found is None:
        raise NotSignedIn("session")
    return found


def caller_now() -> Caller:
    """As `caller`, asked anew: something about the session has changed in this request."""
    g.pop("identified", None)
    return caller()


def actor() -> Actor:
    """The signed-in person as services want them. Raises `NotSignedIn`."""
    return caller().actor


def owner_of_cookie() -> str | None:
    """Whose session the request's cookie names, also where that is over; None where it names none we know."""
    secret = _session_secret()
    return None if secret is None else sessions.whose(context(), secret)


def from_own_page() -> bool:
    """Whether the browser says that one of our own pages sent this request."""
    try:
        csrf.check_origin(request.headers, base_url())
    except ApiError:
        return False
    return True


def csrf_token() -> str:
    """The token a page must send back; empty where nobody is signed in by a session."""
    found = identify()
    if found is None or found.session_secret is None:
        return ""
    return csrf.token_of(_opened().web_key, found.session_secret)


def csrf_token_for(signed_in: SignedIn) -> str:
    """The token of a session that was opened by this very request."""
    return csrf.token_of(_opened().web_key, signed_in.secret)


def guard_forgery() -> None:
    """Refuses a forged request that would act on somebody's session. Called before every handler.

    Raises:
        ApiError: `csrf-refused`.
    """
    if request.method in csrf.SAFE_METHODS:
        return
    found = None if request.endpoint in _POWERLESS else identify()
    if found is not None and found.via == "session" and found.session_secret is not None:
        expected = csrf.token_of(_opened().web_key, found.session_secret)
        csrf.check(request.headers, _form_token(), base_url(), expected)
    elif found is None and ({"Sec-Fetch-Site", "Origin"} & set(request.headers.keys())):
        # Nobody is signed in: only a browser could be misused (to sign in as somebody else), and browsers say where from.
        csrf.check_origin(request.headers, base_url())


def _form_token() -> str | None:
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return request.form.get(csrf.FIELD)
    return None


def remember(response: Response, signed_in: SignedIn) -> None:
    """Puts a fresh session into the answer."""
    response.set_cookie(
        cookie_name(),
        f"{signed_in.secret}.{_checksum(signed_in.secret)}",
        secure=is_secure(),
        httponly=True,
        samesite="Lax",
        path="/",
    )


def forget(response: Response) -> None:
    """Ends this request's session, if there is one, and takes the cookie back."""
    secret = _session_secret()
    if secret is not None:
        sessions.sign_out(context(), secret)
    response.delete_cookie(cookie_name(), path="/", secure=is_secure(), httponly=True, samesite="Lax")


def _check_address() -> None:
    if request.path not in _ANY_NAME:
        base_url()


def install(app: Flask, context: Context) -> None:
    """Gives the application its inventory and guards every request; templates get `csrf_token()`."""
    settings = context.settings
    app.extensions[EXTENSION] = Opened(
        context=context,
        addresses=Addresses([settings.external_url, *settings.also_known_as]),
        web_key=context.secrets.cookie_key,
        secure=settings.is_tls,
    )
    app.before_request(_check_address)
    app.before_request(guard_forgery)
    app.jinja_env.globals["csrf_token"] = csrf_token
