"""One request from the service to somebody outside: bounded in time and bytes, never redirected, no proxy of the environment.

What comes back is signed and checked by whoever asked; nothing is believed because of where it came from.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Final

_TIMEOUT_SECONDS: Final = 10


class Unreached(Exception):
    """No answer came; the text says why."""


@dataclass(frozen=True)
class Reply:
    """Whatever was answered, success or not."""

    status: int
    body: bytes


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """An answer comes from the address that was configured, or not at all."""


def post(url: str, body: bytes, media_type: str, *, limit: int = 1 << 16) -> Reply:
    """Send a request and read the answer.

    Args:
        url: http or https, from the settings.
        body: what is sent.
        media_type: of the body.
        limit: bytes of the answer that are read; a longer one counts as none.

    Raises:
        Unreached: no answer, or one that is too long.
    """
    request = urllib.request.Request(url, data=body, method="POST")  # noqa: S310 - the settings allow http and https alone
    request.add_header("Content-Type", media_type)
    request.add_header("User-Agent", "sanitrail")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())
    try:
        with opener.open(request, timeout=_TIMEOUT_SECONDS) as reply:
            return Reply(reply.status, _bounded(reply, limit))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, _bounded(error, limit))
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreached(f"{type(error).__name__}: {reason}"[:200]) from error


def _bounded(reply: http.client.HTTPResponse | urllib.error.HTTPError, limit: int) -> bytes:
    data = reply.read(limit + 1)
    if len(data) > limit:
        raise Unreached(f"The answer is longer than {limit} bytes.")
    return data
