"""The words agents say again and again, heard before the web framework: a heartbeat, and how far a run is.

Ten thousand agents say nearly nothing else, and the framework costs more than the answer. What is of exactly the usual form is
verified and read here, with the same checks, and answered where nothing changes by it (`services.words`). Everything else is
passed on as it came: what is looked at here can only make a request pass on, never be answered otherwise than it would be there.
A test holds the two ways against each other.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from pydantic import ValidationError

from inventory.auth import agents, headers
from inventory.auth.addresses import Addresses
from inventory.auth.signatures import UsualForm, VerifiedSignature, verify_usual
from inventory.contract.v1.agents import Heartbeat
from inventory.contract.v1.endpoints import AGENT_HEARTBEAT, AGENT_PROGRESS
from inventory.contract.v1.orders import Progress
from inventory.errors import InventoryError
from inventory.services import words
from inventory.services.context import Context

from .bodies import check_json
from .problems import ApiError

log = logging.getLogger("inventory.api")

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_LARGEST: Final = 64 * 1024
_LENGTH: Final = re.compile(r"[1-9][0-9]{0,5}")
_PROGRESS: Final = re.compile(re.escape(AGENT_PROGRESS).replace(r"\{lease\}", r"([A-Za-z0-9][A-Za-z0-9._-]{0,127})"))
_OTHERS: Final = (
    "HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_TRANSFER_ENCODING",
    "HTTP_IDEMPOTENCY_KEY", "HTTP_CONTENT_ENCODING", "QUERY_STRING", "SCRIPT_NAME",
)  # fmt: skip
"""What agents do not send; somebody who does is looked at by those who know what it means."""


class Quick:
    """A WSGI application in front of another."""

    def __init__(self, app: Wsgi, context: Context, addresses: Addresses) -> None:
        """Set it up.

        Args:
            app: answers everything else.
            context: the open inventory.
            addresses: the names of the service.
        """
        self._app = app
        self._context = context
        self._addresses = addresses
        self._headers = [("Content-Type", "application/json"), *headers.of_data(secure=context.settings.is_tls)]

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer the request, or pass it on."""
        answer = self._answer(environ)
        if answer is None:
            return self._app(environ, start_response)
        start_response("200 OK", [*self._headers, ("Content-Length", str(len(answer)))])
        return [answer]

    def _answer(self, environ: Environ) -> bytes | None:
        """The body of the answer; None: the request, its body included, is as it was, or holds besides that it is admitted."""
        kind = _kind(environ)
        if kind is None:
            return None
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        signature = self._signature(environ, body)
        message = None if signature is None else _message(kind[0], body)
        if signature is None or message is None:
            return None
        word = words.Word(self._context, signature.key_id, signature.nonce, signature.created, message, kind[1])
        heard = _hear(word)
        if heard is None:
            return None
        if heard.reply is None:
            environ[agents.ADMITTED] = agents.Admitted(signature, heard.owner)
            return None
        return heard.reply.__pydantic_serializer__.to_json(heard.reply, by_alias=True)

    def _signature(self, environ: Environ, body: bytes) -> VerifiedSignature | None:
        base = self._addresses.base(environ.get("HTTP_HOST", ""))
        if base is None:
            return None
        form = UsualForm(
            environ.get("HTTP_SIGNATURE_INPUT", ""),
            environ.get("HTTP_SIGNATURE", ""),
            environ.get("HTTP_CONTENT_DIGEST", ""),
        )
        authority = base.partition("://")[2]
        return verify_usual(
            form, authority, f"{base}{environ['PATH_INFO']}", body, agents.known_key, self._context.now()
        )


def _kind(environ: Environ) -> tuple[type[Heartbeat | Progress], str] | None:
    """What the request claims to be, and the lease in its address; None: nothing for us."""
    path = environ.get("PATH_INFO", "")
    lease = None if path == AGENT_HEARTBEAT else _PROGRESS.fullmatch(path)
    if path != AGENT_HEARTBEAT and lease is None:
        return None
    length = environ.get("CONTENT_LENGTH") or ""
    if (
        environ.get("REQUEST_METHOD") != "POST"
        or environ.get("CONTENT_TYPE") != "application/json"
        or _LENGTH.fullmatch(length) is None
        or int(length) > _LARGEST
        or any(environ.get(name) for name in _OTHERS)
    ):
        return None
    return (Heartbeat, "") if lease is None else (Progress, lease[1])


def _message(kind: type[Heartbeat | Progress], body: bytes) -> Heartbeat | Progress | None:
    try:
        check_json(body)
        return kind.model_validate_json(body, strict=True)
    except (ApiError, ValidationError):
        return None


def _hear(word: words.Word) -> words.Heard | None:
    try:
        return words.hear(word)
    except InventoryError:
        return None  # replayed, or not committed: the long way finds out again and says so
    except Exception:
        log.exception("a word was not heard together with others; it goes the long way")
        return None
