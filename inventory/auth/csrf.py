"""Cross-site request forgery: a request that changes something on a session must come from our own page and know its token.

Two independent locks. The browser says where a request comes from (Fetch Metadata, or Origin on plain http), and the
page holds a token another site cannot read. Bearer tokens and signed requests carry no ambient authority and need neither.
"""

from __future__ import annotations

import hashlib
import hmac

from werkzeug.datastructures import Headers

from inventory.api.problems import ApiError

HEADER = "X-CSRF-Token"
FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def token_of(secret: bytes, session_id: str) -> str:
    """The synchronizer token of a session; useless without that session's cookie."""
    return hmac.new(secret, b"csrf\x00" + session_id.encode(), hashlib.sha256).hexdigest()


def check_origin(headers: Headers, own_origin: str) -> None:
    """The request comes from a page of this origin.

    Raises:
        ApiError: `csrf-refused`: from elsewhere, or from somebody who does not say.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        if site != "same-origin":
            raise ApiError("csrf-refused", detail="The browser says the request comes from another site.")
        return
    origin = headers.get("Origin")
    if origin is None:
        raise ApiError("csrf-refused", detail="The request does not say which page it comes from (Origin).")
    if origin != own_origin:
        raise ApiError("csrf-refused", detail="The request comes from another origin.")


def check(headers: Headers, form_token: str | None, own_origin: str, expected_token: str) -> None:
    """Both locks.

    Raises:
        ApiError: `csrf-refused`.
    """
    check_origin(headers, own_origin)
    presented = headers.get(HEADER) or form_token or ""
    if not hmac.compare_digest(presented.encode(), expected_token.encode()):
        raise ApiError(
            "csrf-refused", detail="The page's token is missing or belongs to another session; load the page again."
        )
