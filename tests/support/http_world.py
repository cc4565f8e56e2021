"""The real application in one process: real services, real database, a clock the test moves, and somebody of every role."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from inventory.api.bodies import MAX_AGENT_BODY
from inventory.app import create_app
from inventory.contract.v1.endpoints import PREFIX
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.services import people, sessions, setup
from inventory.services.context import SYSTEM, Actor, Context
from inventory.settings import Settings
from tests.support import schema
from tests.support.signed_requests import AgentKey, Outgoing

BASE = "http://127.0.0.1:8443"
START = dt.datetime(2026, 11, 22, 12, 0, 0, tzinfo=dt.UTC)
PASSWORD = "a long enough pass-phrase"
_ADMINISTRATOR = Actor("test-bootstrap", "person", frozenset({Role.ADMINISTRATOR}), scope=EVERYTHING)


class MovableClock:
    """Stands still until it is told to move."""

    def __init__(self, moment: dt.datetime = START) -> None:
        self.moment = moment

    def now(self) -> dt.datetime:
        return self.moment

    def advance(self, **amount: float) -> None:
        self.moment += dt.timedelta(**amount)


@dataclass
class Person:
    """Somebody with roles, and a token that carries all of them."""

    ref: str
    login: str
    roles: frozenset[Role]
    token: str
    link: str


class HttpWorld:
    """An initialised inventory with its application."""

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str = "",
        clock: MovableClock | None = None,
        base: str = BASE,
        **settings: Any,  # noqa: ANN401 - Settings' fields
    ) -> None:
        self.clock = clock or MovableClock()
        self.base = base
        self.settings = Settings.model_validate(
            {
                "data_dir": folder / "data",
                "database_url": database_url,
                "external_url": BASE,
                "second_factor": "offered",
                **settings,
            }
        )
        schema.lay(self.settings)
        self.context: Context = setup.initialise(self.settings, self.clock)
        self.app: Flask = create_app(self.settings, clock=self.clock, context=self.context)
        self._people: dict[frozenset[Role], Person] = {}
        self._numbers = itertools.count()

    def close(self) -> None:
        self.context.database.close()

    @cached_property
    def administrator(self) -> Person:
        return self.person(Role.ADMINISTRATOR)

    def person(self, *roles: Role) -> Person:
        """Somebody with exactly these roles; the same person each time."""
        wanted = frozenset(roles)
        if wanted not in self._people:
            self._people[wanted] = self.newcomer(wanted)
        return self._people[wanted]

    def newcomer(
        self, roles: Iterable[Role], *, everywhere: bool = True, sites: Iterable[str] = (), teams: Iterable[str] = ()
    ) -> Person:
        """A new person with these roles, never seen before; sees everything unless told otherwise."""
        wanted = frozenset(roles)
        login = f"p{next(self._numbers)}-{'-'.join(sorted(wanted)) or 'outsider'}".replace("_", "-")[:50]
        command = people.CreatePerson(
            login=login,
            name=login.title(),
            title="Tester",
            contact="",
            roles=wanted,
            everywhere=everywhere,
            sites=frozenset(sites),
            teams=frozenset(teams),
        )
        view, link = people.create_person(self.context, _ADMINISTRATOR, command)
        if not wanted:  # a token needs a role: give one, and take it away again
            people.set_roles(
                self.context, _ADMINISTRATOR, people.SetRoles(person=view.ref, roles=frozenset({Role.VIEWER}))
            )
        actor = Actor(view.ref, "person", wanted or frozenset({Role.VIEWER}), scope=EVERYTHING)
        _, token = sessions.create_token(self.context, actor, sessions.CreateToken(name="test", roles=actor.roles))
        if not wanted:
            people.set_roles(self.context, _ADMINISTRATOR, people.SetRoles(person=view.ref, roles=wanted))
        return Person(view.ref, login, wanted, token, link.secret)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON
        *,
        who: Person | None = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> TestResponse:
        """One request below /api/v1, as a person by token or as a stranger."""
        sent = {} if who is None else {"Authorization": f"Bearer {who.token}"}
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        address = (
            path
            if path.startswith(("/api/", "/healthz", "/readyz", "/version", "/metrics", "/trust-root"))
            else PREFIX + path
        )
        return self.app.test_client(use_cookies=False).open(
            address, method=method, data=data, headers={**sent, **(headers or {})}, base_url=self.base
        )

    def signed(
        self,
        key: AgentKey,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON
        **how: Any,  # noqa: ANN401 - what AgentKey.sign takes
    ) -> TestResponse:
        """One request of an agent; `how` replaces what an honest agent would say."""
        return self.send(self.sign(key, method, path, body, **how))

    def sign(self, key: AgentKey, method: str, path: str, body: Any = None, **how: Any) -> Outgoing:  # noqa: ANN401 - as signed
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if body is not None else {}
        request = Outgoing(method, self.base + path, headers, content)
        return key.sign(request, created=how.pop("created", self.clock.now()), **how)

    def send(self, request: Outgoing) -> TestResponse:
        """A request exactly as it stands."""
        path = request.url.removeprefix(self.base)
        return self.app.test_client(use_cookies=False).open(
            path, method=request.method, data=request.body or None, headers=request.headers, base_url=self.base
        )


def problem(response: TestResponse) -> tuple[int, str]:
    """Status and code of a refusal; fails the test where the answer is no problem document."""
    assert response.mimetype == "application/problem+json", response.text[:500]
    document = response.get_json()
    assert document["status"] == response.status_code
    assert document["type"] == f"urn:sanitrail:problem:{document['code']}"
    return response.status_code, document["code"]


__all__ = ["BASE", "MAX_AGENT_BODY", "PASSWORD", "START", "SYSTEM", "HttpWorld", "MovableClock", "Person", "problem"]
