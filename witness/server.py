"""The witness over HTTP: `POST /add-checkpoint`, and `GET /<origin hash>/checkpoint` for whoever compares.

Nothing asked or answered here is secret, and every answer is signed: plain HTTP loses nothing but the knowledge of who asked.
Put a TLS proxy in front where the network demands it.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from reports.errors import MalformedDocument
from reports.tlog import NoteSigner
from reports.tlog.witnessing import ADD_CHECKPOINT, MAX_SUBMISSION, SIZE_TYPE, Submission, SubmissionRefused

from .memory import Memory, WitnessError, origin_hash

log = logging.getLogger("witness")

_PATIENCE_SECONDS: Final = 15
_AT_ONCE: Final = 64
_TEXT: Final = "text/plain; charset=utf-8"
_CHECKPOINT: Final = re.compile(r"/([0-9a-f]{64})/checkpoint")


class Server(ThreadingHTTPServer):
    """Answers until `shutdown`; a bounded number of clients at once."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], memory: Memory) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.memory = memory
        self.signers: tuple[NoteSigner, ...] = memory.signers()
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the standard library has it
        """A thread for each client, while there are places."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the standard library has it
        """As it is, and the place is given back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - as the standard library has it
        """A client that went away is no news."""
        log.debug("a connection of %s broke", client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "sanitrail-witness"
    sys_version = ""
    timeout = _PATIENCE_SECONDS

    def do_POST(self) -> None:
        """`add-checkpoint`."""
        body = self._body()
        if body is None:
            return
        if self.path != f"/{ADD_CHECKPOINT}":
            self._answer(404, "There is nothing here.\n")
            return
        try:
            submission = Submission.parse(body)
            lines = self.server.memory.cosign(submission, self.server.signers, int(time.time()))
        except MalformedDocument as error:
            self._answer(400, f"{error.summarize()}\n")
        except SubmissionRefused as refused:
            log.log(
                logging.CRITICAL if refused.status == 422 else logging.INFO,
                "%s: %d %s", _printable(submission.origin), refused.status, _printable(refused.problem),
            )  # fmt: skip
            if refused.size is not None:
                self._answer(refused.status, f"{refused.size}\n", SIZE_TYPE)
            else:
                self._answer(refused.status, f"{refused.problem}\n")
        except (WitnessError, OSError) as error:
            log.critical("nothing was signed: %s", error)
            self._answer(503, "The witness cannot remember; nothing was signed.\n")
        else:
            log.info("%s: cosigned", _printable(submission.origin))
            self._answer(200, lines)

    def do_GET(self) -> None:
        """The last checkpoint cosigned of a log."""
        found = _CHECKPOINT.fullmatch(self.path)
        try:
            origins = [origin for origin in self.server.memory.logs() if found and origin_hash(origin) == found[1]]
            last = self.server.memory.last(origins[0]) if origins else None
        except WitnessError as error:
            log.critical("%s", error)
            self._answer(503, "The witness cannot remember.\n")
            return
        if last is None:
            self._answer(404, "No checkpoint of such a log was cosigned here.\n")
        else:
            self._answer(200, last.note)

    def _body(self) -> bytes | None:
        """The request's body; None where the answer was given already."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self.close_connection = True
            self._answer(411, "Say how long the request is.\n")
            return None
        if int(length) > MAX_SUBMISSION:
            self.close_connection = True
            self._answer(413, "The request is too large.\n")
            return None
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return None
        return body

    def _answer(self, status: int, text: str, media_type: str = _TEXT) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library has it
        """Requests are no news; decisions are logged where they are made."""
        log.debug(format, *args)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)[:300]
