"""The public interface as a script uses it: JSON over HTTP, a session per person. Standard library only."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """The service said no: status, stable code, sentence, and every reason it gave."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail", ""))
        self.reasons = [str(one.get("message", "")) for one in problem.get("errors", [])]
        super().__init__(f"{status} {self.code}: {self.detail}")


@dataclass(frozen=True)
class Service:
    """One service, spoken to by nobody in particular."""

    address: str

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON the service answers
        """GET a public address."""
        return json.loads(self.send("GET", path)[0])

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[bytes, Any]:
        """One exchange: the answer's body and its headers. Raises `Refused`, `OSError`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}{path}", data=data, method=method)  # noqa: S310 - http on loopback
        for name, value in {"Accept": "application/json", "Origin": self.address, **(headers or {})}.items():
            request.add_header(name, value)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as reply:
                return reply.read(), reply.headers
        except urllib.error.HTTPError as error:
            content = error.read()
            try:
                problem = json.loads(content)
            except ValueError:
                problem = {"detail": content[:200].decode(errors="replace")}
            raise Refused(error.code, problem) from error


@dataclass
class Session:
    """A person who is signed in."""

    service: Service
    ref: str
    headers: dict[str, str]

    @classmethod
    def begin(cls, service: Service, path: str, body: dict[str, Any]) -> Session:
        """Sign in by password (`/session`) or by a one-time link (`/welcome`)."""
        content, headers = service.send("POST", f"/api/v1{path}", body)
        me = json.loads(content)
        cookie = str(headers["Set-Cookie"]).split(";")[0]
        return cls(service, str(me["person"]["ref"]), {"Cookie": cookie, "X-CSRF-Token": str(me["csrf_token"])})

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON the service answers
        """GET below /api/v1."""
        return json.loads(self.raw(path))

    def raw(self, path: str) -> bytes:
        """The bytes of a file below /api/v1."""
        headers = {**self.headers, "Accept": "*/*"}
        return self.service.send("GET", f"/api/v1{path}", headers=headers)[0]

    def decide(self, thing: str, act: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - as get
        """POST an act on something that was read just before: its version (ETag) goes along as If-Match."""
        _, headers = self.service.send("GET", f"/api/v1{thing}", headers=self.headers)
        seen = {**self.headers, "If-Match": str(headers["ETag"])}
        content, _ = self.service.send("POST", f"/api/v1{thing}/{act}", body, seen)
        return json.loads(content)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - as get
        """POST below /api/v1."""
        content, _ = self.service.send("POST", f"/api/v1{path}", body, self.headers)
        return json.loads(content) if content else None
