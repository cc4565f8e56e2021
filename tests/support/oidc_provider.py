"""A real OpenID Connect provider on a loopback port (`tests/oidc`), and a browser's way through its pages."""

from __future__ import annotations

import html
import http.client
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

from tests.support.capabilities import _skip_unless

FOLDER = Path(__file__).resolve().parents[1] / "oidc"
SECRET = "a secret only the two of us know"
requires_provider = _skip_unless(
    (FOLDER / "node_modules" / "oidc-provider").is_dir(), "an OpenID Connect provider (npm ci in tests/oidc)"
)


@contextmanager
def provider(redirect: str) -> Iterator[str]:
    """The provider, running; yields its issuer."""
    command = ["node", str(FOLDER / "provider.mjs"), redirect]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=FOLDER) as process:
        assert process.stdout is not None
        try:
            line = ""
            while not line.startswith("http://"):  # before that it says that it is for development only
                line = process.stdout.readline()
                assert line, "the provider did not start"
            yield line.strip()
        finally:
            process.terminate()


@dataclass
class Visitor:
    """A browser at the provider: cookies, redirects, its development pages."""

    issuer: str
    cookies: dict[str, str] = field(default_factory=dict)

    def go(self, address: str, login: str) -> str:
        """From the address we are sent to, through its pages as somebody, to the address it sends us back to."""
        status, location, page = self._ask("GET", address)
        for _ in range(20):
            if location is not None and not location.startswith(self.issuer):
                return location
            if location is not None:
                status, location, page = self._ask("GET", location)
                continue
            assert status == 200, page[:300]
            action = re.search(r'action="([^"]+)"', page)
            assert action is not None, page[:500]
            hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
            form = {**hidden, "login": login, "password": "anything"}
            status, location, page = self._ask("POST", html.unescape(action[1]), urlencode(form))
        raise AssertionError("the provider sends us round in circles")

    def _ask(self, method: str, address: str, body: str | None = None) -> tuple[int, str | None, str]:
        parts = urlsplit(urljoin(self.issuer, address))
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers)
        reply = connection.getresponse()
        content = reply.read().decode()
        for cookie in reply.headers.get_all("Set-Cookie") or []:
            name, _, rest = cookie.partition("=")
            value = rest.partition(";")[0]
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value
        connection.close()
        location = reply.headers.get("Location")
        return reply.status, None if location is None else urljoin(self.issuer, location), content
