"""The command line as a client of a service: plain HTTP requests with a token, nothing taken from the environment unasked."""

from __future__ import annotations

import functools
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

import click

from inventory.auth.addresses import is_loopback
from inventory.contract.v1.endpoints import PREFIX

from .common import Refused, Unreachable

_TIMEOUT_SECONDS: Final = 30
_MAX_REPLY: Final = 16 << 20
_DOWNLOAD_SECONDS: Final = 300
_PART: Final = 1 << 20

P = ParamSpec("P")
R = TypeVar("R")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """A token is for one address; it is not carried to another."""


@dataclass(frozen=True)
class Client:
    """Speaks to one service as one person."""

    server: str
    token: str = ""
    ca_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of a session, where there is no token."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.server)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
            raise click.UsageError("--server is an address such as https://sanitrail.example.org, without a path.")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise click.UsageError("--server must be https: a token would cross the network in clear.")

    def sign_in(self, login: str, password: str, code: Callable[[], str]) -> Client:
        """The same service on a session of this person's, to make the first token. `code` asks for the second factor."""
        reply, cookie = self._send("POST", "/session", {"login": login, "password": password})
        origin = self.server.rstrip("/")
        session = {"Cookie": cookie.split(";")[0], "X-CSRF-Token": reply["csrf_token"], "Origin": origin}
        client = replace(self, token="", headers=session)
        standing = reply["session"]["standing"]
        if standing == "code":
            try:
                client.post("/session/second-factor", {"code": code()})
            except Refused:
                client.sign_out()
                raise
        elif standing == "setup":
            client.sign_out()
            raise Refused(
                "Set up a passkey or an authenticator app in the console first; a password alone opens nothing."
            )
        return client

    def sign_out(self) -> None:
        """Ends the session."""
        self._send("DELETE", "/session", None)

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever the service answers
        """GET below /api/v1."""
        return self._send("GET", path, None)[0]

    def text(self, path: str) -> str:
        """GET below /api/v1, of what is no JSON."""
        with self._open(self._request("GET", path, None), _TIMEOUT_SECONDS) as reply:
            try:
                return reply.read(_MAX_REPLY).decode("utf-8")
            except (OSError, ValueError) as error:
                raise Unreachable(f"{self.server} did not answer as a Sanitrail service ({error}).") from error

    def post(self, path: str, body: dict[str, Any] | None) -> Any:  # noqa: ANN401 - as get
        """POST below /api/v1."""
        return self._send("POST", path, body)[0]

    def of_version(self, version: int) -> Client:
        """The same, for one request about what was read in this version."""
        return replace(self, headers={**self.headers, "If-Match": f'"{version}"'})

    def put(self, path: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - as get
        """PUT below /api/v1."""
        return self._send("PUT", path, body)[0]

    def upload(self, path: str, file: Path) -> Any:  # noqa: ANN401 - as get
        """POST a file below /api/v1, however long it is."""
        with file.open("rb") as content:
            request = self._request("POST", path, None)
            request.data = content
            request.add_header("Content-Length", str(file.stat().st_size))
            request.add_header("Content-Type", "application/octet-stream")
            with self._open(request, _DOWNLOAD_SECONDS) as reply:
                return json.loads(reply.read(_MAX_REPLY))

    def download(self, path: str, file: IO[bytes]) -> int:
        """GET below /api/v1 into a file, however long it is. Returns its bytes.

        Raises:
            Unreachable: the connection broke off; what the file holds then is not whole.
        """
        size = 0
        with self._open(self._request("GET", path, None), _DOWNLOAD_SECONDS) as reply:
            try:
                while part := reply.read(_PART):
                    file.write(part)
                    size += len(part)
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(f"{self.server} broke off after {size:,} bytes ({error}).") from error
        return size

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[Any, str]:
        """One exchange: the answer's JSON, and the cookie it sets."""
        with self._open(self._request(method, path, body), _TIMEOUT_SECONDS) as reply:
            try:
                return json.loads(reply.read(_MAX_REPLY) or b"null"), reply.headers.get("Set-Cookie", "")
            except (OSError, ValueError) as error:
                raise Unreachable(f"{self.server} did not answer as a Sanitrail service ({error}).") from error

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> urllib.request.Request:
        url = f"{self.server.rstrip('/')}{PREFIX}{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)  # noqa: S310 - the scheme was checked
        request.add_header("Accept", "application/json")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in self.headers.items():
            request.add_header(name, value)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        return request

    @contextmanager
    def _open(self, request: urllib.request.Request, seconds: float) -> Iterator[http.client.HTTPResponse]:
        """The answer to a request; `seconds` is the longest pause in it. Raises `Refused`, `Unreachable`."""
        context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirects(), urllib.request.HTTPSHandler(context=context)
        )
        try:
            reply = opener.open(request, timeout=seconds)
        except urllib.error.HTTPError as error:
            raise Refused(_problem(error)) from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"{self.server} did not answer as a Sanitrail service ({error}).") from error
        with reply:
            yield reply


def _problem(error: urllib.error.HTTPError) -> str:
    """What a refusal says, in a person's words."""
    try:
        problem = json.loads(error.read(_MAX_REPLY))
        lines = [f"{problem['detail']} [{problem['code']}]"]
        lines += [f"  {item['pointer']}: {item['message']}" for item in problem.get("errors", ())]
        return "\n".join(lines)
    except (ValueError, KeyError, TypeError):
        return f"The service answered with status {error.code}."


def client_options(command: Callable[P, R]) -> Callable[..., R]:
    """--server, --token, --token-file and --ca-file; the command gets one `client`."""

    @click.option("--server", required=True, envvar="SANITRAIL_CLIENT_SERVER", help="Address of the service.")
    @click.option(
        "--token",
        envvar="SANITRAIL_CLIENT_TOKEN",
        default="",
        help="API token. Others on this machine may see a command line: prefer --token-file or the variable.",
        show_envvar=True,
    )
    @click.option("--token-file", type=click.File(), help="File that holds the token; - reads standard input.")
    @click.option("--ca-file", type=click.Path(exists=True, path_type=Path), help="Certificate authorities (PEM).")
    @functools.wraps(command)
    def run(*args: Any, server: str, token: str, token_file: Any, ca_file: Path | None, **rest: Any) -> R:  # noqa: ANN401 - click's parameters
        secret = token_file.read().strip() if token_file is not None else token
        return command(*args, client=Client(server, secret, ca_file), **rest)  # type: ignore[arg-type]  # click calls by name

    return run
