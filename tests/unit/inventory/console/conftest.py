"""One told company for all page tests of this folder; a test that changes something makes its own things in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from inventory.services import queries
from tests.support.console_story import Story, tell
from tests.support.console_world import ConsoleWorld

HERE = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Site:
    """The application with a signed-in client for everybody."""

    world: ConsoleWorld
    story: Story
    app: Flask
    clients: dict[str, FlaskClient] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return self.world.settings.external_url

    def client(self, login: str) -> FlaskClient:
        if login not in self.clients:
            self.clients[login] = self.world.client(self.app, login)
        return self.clients[login]

    def get(self, login: str, path: str) -> TestResponse:
        return self.client(login).get(f"/console{path}", base_url=self.base)

    def called(self, number: str) -> str:
        """What people call the device with this number; empty where it has no name."""
        return queries.called(self.world.context, self.world.actor("aud"), {number}).get(number, "")

    def token(self, login: str) -> str:
        page = self.get(login, "/style").text
        return page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]

    def post(self, login: str, path: str, values: Mapping[str, object], **headers: str) -> TestResponse:
        typed = {"csrf_token": self.token(login), **values}
        return self.client(login).post(f"/console{path}", data=typed, base_url=self.base, headers={**HERE, **headers})


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    world = ConsoleWorld(tmp_path_factory.mktemp("console"))
    try:
        yield Site(world, tell(world), world.application())
    finally:
        world.close()
