"""What every answer tells the browser to forbid.

No inline script or style, nothing from elsewhere, no framing, no sniffing, nothing of a signed-in page kept in caches.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from flask import Flask, Response, g, request

_PAGE_POLICY = (
    "default-src 'none'",
    "script-src 'nonce-{nonce}'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # `no-referrer` would turn the Origin of our own form posts into `null`, which the CSRF check reads.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HSTS = "max-age=31536000"


def csp_nonce() -> str:
    """This request's nonce for `<script nonce=...>`; fresh for every request, 128 bits."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def _policy_for(response: Response) -> str:
    if response.mimetype == "text/html":
        return "; ".join(_PAGE_POLICY).format(nonce=csp_nonce())
    return _DATA_POLICY


def of_data(*, secure: bool) -> list[tuple[str, str]]:
    """What every answer of data holds that is the caller's alone: as `install` adds it."""
    found = [*_ALWAYS.items(), ("Content-Security-Policy", _DATA_POLICY), ("Cache-Control", "no-store")]
    return [*found, ("Strict-Transport-Security", _HSTS)] if secure else found


def install(app: Flask, *, secure: bool, cacheable: Callable[[str | None], bool]) -> None:
    """Adds the headers to every answer, errors included.

    Args:
        app: The application; its templates get `csp_nonce()`.
        secure: Whether the service is reached over TLS only: browsers are told to insist on it.
        cacheable: Whether an endpoint's answers hold nothing personal.
    """

    def add(response: Response) -> Response:
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", _policy_for(response))
        if not cacheable(request.endpoint):
            response.headers.setdefault("Cache-Control", "no-store")
        if secure:
            response.headers.setdefault("Strict-Transport-Security", _HSTS)
        return response

    app.after_request(add)
    app.jinja_env.globals["csp_nonce"] = csp_nonce
