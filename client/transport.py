"""One exchange with the service: its address checked, no proxy, no redirect, a bounded answer, and one act for one request.

A create carries an idempotency key, so that it is safe to ask again after a lost answer; this does so by itself. An update
names the version that was read, and is never repeated: who lost its answer must look.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from inventory.contract.v1.problems import Problem

from .errors import Refused, Unreachable
from .proof import Outgoing, Proof, nobody

MAX_REPLY: Final = 32 << 20
ATTEMPTS: Final = 3
_AGAIN: Final = frozenset({502, 503, 504})
"""Answers of proxies, and of a service that says that nothing has changed."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """A proof is for one address; it is not carried to another."""


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """The body as JSON; None where there is none."""
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Transport:
    """Speaks to one service as one person or agent."""

    server: str
    proof: Proof = nobody
    ca_file: Path | None = None
    timeout_seconds: float = 30
    wait: Callable[[float], None] = field(default=time.sleep, repr=False)
    """Between two attempts."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.server)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
            raise ValueError("the server is an address such as https://sanitrail.example.org, without a path")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError("the server must be https: a token would cross the network in clear")

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        creates: bool = False,
    ) -> Reply:
        """One request and its answer.

        Args:
            method: of HTTP.
            path: with the query, from the root: `/api/v1/devices`.
            body: JSON, or None.
            headers: further ones.
            creates: it carries an idempotency key, so that asking again does it once.

        Raises:
            Refused: the service said no; nothing has changed.
            Unreachable: no answer, or none of this service's.
        """
        sent = {"Accept": "application/json", **(headers or {})}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        if creates:
            sent["Idempotency-Key"] = uuid.uuid4().hex
        repeatable = creates or method == "GET"
        attempts = ATTEMPTS if repeatable else 1
        for attempt in range(1, attempts + 1):
            try:
                return self._once(Outgoing(method, f"{self.server.rstrip('/')}{path}", body, sent))
            except Unreachable:
                if attempt == attempts:
                    raise
            except Refused as refused:
                if attempt == attempts or refused.problem.status not in _AGAIN:
                    raise
            self.wait(0.5 * 2 ** (attempt - 1))
        raise AssertionError("the loop ends by returning or raising")

    def _once(self, request: Outgoing) -> Reply:
        prepared = urllib.request.Request(request.url, data=request.body, method=request.method)  # noqa: S310 - the scheme was checked
        for name, value in {**request.headers, **self.proof(request)}.items():
            prepared.add_header(name, value)
        context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirects(), urllib.request.HTTPSHandler(context=context)
        )
        try:
            with opener.open(prepared, timeout=self.timeout_seconds) as answer:
                content = answer.read(MAX_REPLY + 1)
                if len(content) > MAX_REPLY:
                    raise Unreachable(self.server, "the answer is too long", changed=_changed(request))
                return Reply(answer.status, dict(answer.headers), content)
        except urllib.error.HTTPError as error:
            raise self._refusal(error, request) from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Unreachable(self.server, str(error), changed=_changed(request)) from error

    def _refusal(self, error: urllib.error.HTTPError, request: Outgoing) -> Exception:
        with error:
            content = error.read(MAX_REPLY)
        try:
            return Refused(Problem.model_validate_json(content))
        except ValidationError:
            return Unreachable(self.server, f"status {error.code}", changed=_changed(request))


def _changed(request: Outgoing) -> str:
    return "no" if request.method == "GET" else "maybe"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
