"""The way to the service over HTTP, for processes that have a network: bounded in bytes and in time.

Nothing of the environment changes where requests go or whom they trust (`trust_env=False`): a proxy variable or a CA
bundle variable set for another program must not reroute evidence. Redirects are not followed: a signature is for one
address.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from .link import MAX_REPLY, NotReached, Reply, Request

_LINE_BY_LINE = frozenset({"content-length", "host"})
"""Follow from address and body; what is signed about them is compared by the service."""


class Network:
    """`Link` over HTTP; keeps its connections alive."""

    def __init__(
        self,
        *,
        connect_timeout: float,
        reply_timeout: float,
        ca_file: Path | None = None,
        transport: httpx2.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is connected yet.

        Args:
            connect_timeout: Seconds to reach the service.
            reply_timeout: Seconds for a whole exchange, where it is not given with the exchange.
            ca_file: Certificate authorities to trust instead of the system's.
            transport: Something else than the network: an application in the same process.
            monotonic: Clock.
        """
        self._connect_timeout = connect_timeout
        self._reply_timeout = reply_timeout
        self._monotonic = monotonic
        self._http = httpx2.Client(
            transport=transport,
            verify=True if transport is not None else _authorities(ca_file),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def exchange(self, request: Request, seconds: float | None = None) -> Reply:
        """Send it and wait for all of the answer.

        Args:
            request: With every header it shall have.
            seconds: For all of it; None takes the time given at the beginning.

        Raises:
            NotReached: As it says.
        """
        limit = self._reply_timeout if seconds is None else seconds
        deadline = self._monotonic() + limit
        timeout = httpx2.Timeout(limit, connect=min(self._connect_timeout, limit))
        headers = [(name, text) for name, text in request.headers.items() if name not in _LINE_BY_LINE]
        outgoing = httpx2.Request(
            request.method,
            request.url,
            content=request.body,
            headers=headers,
            extensions={"timeout": timeout.as_dict()},
        )
        try:
            response = self._http.send(outgoing, stream=True)
        except httpx2.TimeoutException as error:
            raise NotReached("timeout", _describe(error)) from error
        except httpx2.RequestError as error:
            raise NotReached("connect", _describe(error)) from error
        try:
            return self._read(response, deadline, limit)
        except httpx2.TimeoutException as error:
            raise NotReached("timeout", _describe(error)) from error
        except httpx2.RequestError as error:
            raise NotReached("broken", _describe(error)) from error
        finally:
            response.close()

    def _read(self, response: httpx2.Response, deadline: float, limit: float) -> Reply:
        """The time limit of each read is the transport's; the sum is kept here."""
        data = bytearray()
        for chunk in response.iter_raw():
            data += chunk
            if len(data) > MAX_REPLY:
                raise NotReached("too-large", f"The answer is larger than {MAX_REPLY} bytes.")
            if self._monotonic() > deadline:
                raise NotReached("timeout", f"The answer did not end within {limit:g} seconds.")
        headers = {name.lower(): text for name, text in response.headers.items()}
        return Reply(response.status_code, headers, bytes(data))


def _authorities(ca_file: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


def _describe(error: Exception) -> str:
    """The library's words; never the request, which the exception also carries."""
    return f"{type(error).__name__}: {error}"[:300].rstrip(": ")
