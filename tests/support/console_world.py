"""A company in the console: people of every role, a roster, hosts, disks in every state. Made through services alone."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server

from inventory.app import create_app
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.services import approvals, approvers, people, roster, sessions, setup
from inventory.services import hosts as host_service
from inventory.services.context import Actor, Context
from inventory.settings import Organisation, Settings
from reports.canonical import from_base64
from reports.envelope import sign, sign_payload
from reports.keys import FileSigner
from tests.support import schema
from tests.support.console_agent import ConsoleAgent, Disk

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PASSWORD = "correct horse battery staple"
ORGANISATION = Organisation(name="Harbour CRM Ltd", address="12 Quay Street, Lisbon", contact="media@harbour.example")


class ShiftedClock:
    """The machine's clock, moved into the past while history is being made; never runs backwards."""

    def __init__(self) -> None:
        self.offset = timedelta(0)

    def now(self) -> datetime:
        """Now, as the world believes."""
        return datetime.now(tz=UTC) + self.offset

    def to(self, **ago: float) -> None:
        """Let it be so long before the present."""
        self.offset = -timedelta(**ago)


@dataclass(frozen=True)
class Someone:
    """A person with a password and, where they approve, a key file."""

    ref: str
    login: str
    actor: Actor
    signer: FileSigner | None = None


CAST: dict[str, tuple[str, str, frozenset[Role]]] = {
    "ines": ("Inês Duarte", "Head of IT operations", frozenset({Role.ADMINISTRATOR})),
    "vic": ("Vic Moreau", "Intern", frozenset({Role.VIEWER})),
    "carla": ("Carla Nunes", "Asset custodian", frozenset({Role.CUSTODIAN})),
    "omar": ("Omar Haddad", "Storage operator", frozenset({Role.OPERATOR})),
    "ann": ("Ann Okafor", "Infrastructure lead", frozenset({Role.APPROVER})),
    "ben": ("Ben Tanaka", "Security engineer", frozenset({Role.APPROVER})),
    "vera": ("Vera Lindqvist", "Media validator", frozenset({Role.VALIDATOR})),
    "petra": ("Petra Kovač", "Privacy officer", frozenset({Role.PRIVACY_OFFICER})),
    "aud": ("Aud Berger", "External auditor", frozenset({Role.AUDITOR})),
}
"""Login -> name, title, roles."""


class ConsoleWorld:
    """The open inventory with its people."""

    def __init__(
        self,
        folder: Path,
        url: str = "http://127.0.0.1:8443",
        clock: ShiftedClock | None = None,
        *,
        history: bool = True,
    ) -> None:
        self.clock = clock or ShiftedClock()
        if history:
            self.clock.to(days=28)
        self.settings = Settings(
            data_dir=folder / "data",
            external_url=url,
            organisation=ORGANISATION,
            second_factor="offered",
            webhook_targets=("desk.example.org",),
        )
        schema.lay(self.settings)
        self.context: Context = setup.initialise(self.settings, self.clock)
        self.people: dict[str, Someone] = {}
        self.agents: list[ConsoleAgent] = []

    def close(self) -> None:
        """Give the database back."""
        self.context.database.close()

    def application(self) -> Flask:
        """The real application over this inventory."""
        return create_app(self.settings, clock=self.clock, context=self.context)

    def actor(self, login: str) -> Actor:
        """Somebody, as services know them."""
        return self.people[login].actor

    def invite_everybody(self, *, with_keys: bool = True) -> None:
        """The first administrator through the one-time link, everybody else through theirs."""
        link = setup.first_administrator_link(self.context)
        assert link is not None
        first = sessions.use_link(self.context, sessions.UseLink(secret=link.secret, password=PASSWORD))
        boss = Actor(first.person.ref, "person", first.person.roles, scope=EVERYTHING)
        name, title, _ = CAST["ines"]
        people.update_directory(
            self.context,
            boss,
            people.UpdateDirectory(person=boss.ref, name=name, title=title, contact=ORGANISATION.contact),
        )
        self.people["ines"] = Someone(boss.ref, first.person.login, boss)
        for login, (name, title, roles) in list(CAST.items())[1:]:
            command = people.CreatePerson(
                login=login, name=name, title=title, contact=ORGANISATION.contact, roles=roles, everywhere=True
            )
            view, invitation = people.create_person(self.context, boss, command)
            sessions.use_link(self.context, sessions.UseLink(secret=invitation.secret, password=PASSWORD))
            signer = FileSigner.generate("p256") if with_keys and Role.APPROVER in roles else None
            self.people[login] = Someone(view.ref, login, Actor(view.ref, "person", roles, scope=EVERYTHING), signer)

    def publish_roster(self) -> None:
        """Both approvers' keys registered, confirmed, in a roster both have signed."""
        keys: list[str] = []
        for login in ("ann", "ben"):
            someone = self.people[login]
            assert someone.signer is not None
            public = base64.b64encode(someone.signer.public_key_der).decode()
            key = approvers.register_key(self.context, someone.actor, approvers.RegisterKey(public_key=public))
            approvers.confirm_key(self.context, self.actor("ines"), key.key_id)
            keys.append(key.key_id)
        command = roster.ProposeRoster(key_ids=tuple(keys), quorum=2, minimum_approvals=2)
        proposal = roster.propose(self.context, self.actor("ines"), command)
        for login in ("ann", "ben"):
            self.sign_roster(login, proposal.version)

    def sign_roster(self, login: str, version: int) -> None:
        """One approver's signature under the open proposal."""
        someone = self.people[login]
        proposal = roster.proposal(self.context, someone.actor)
        assert proposal is not None
        assert someone.signer is not None
        envelope = sign_payload("roster", from_base64(proposal.payload, "payload"), someone.signer)
        roster.sign(self.context, someone.actor, roster.SignRoster(version=version, envelope=dict(envelope)))

    def approve(self, order: str, *logins: str) -> None:
        """Approvals by key file, as the command line does it."""
        for login in logins:
            someone = self.people[login]
            assert someone.signer is not None
            ready = approvals.ready_to_sign(self.context, someone.actor, order)
            moment = self.clock.now().replace(microsecond=0).isoformat().replace("+00:00", "Z")
            envelope = sign("approval", {**ready.body, "time": moment}, someone.signer)
            approvals.approve(self.context, someone.actor, approvals.Approve(order=order, envelope=dict(envelope)))

    def client(self, app: Flask, login: str) -> FlaskClient:
        """A browser-like client that has signed in."""
        client = app.test_client()
        answer = client.post(
            "/console/sign-in",
            data={"login": self.people[login].login, "password": PASSWORD},
            base_url=self.settings.external_url,
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert answer.status_code == 303, answer.text
        return client

    def enrol(self, name: str, disks: list[Disk], *, confirmed: bool = True) -> ConsoleAgent:
        """A host with its agent."""
        boss = self.actor("ines")
        token = host_service.create_enrolment_token(self.context, boss, host_service.CreateEnrolmentToken(note=name))
        agent = ConsoleAgent(self.context, name, disks)
        agent.enrol(token.secret)
        if confirmed:
            host_service.confirm(self.context, boss, agent.host, agent.signer.key_id)
        self.agents.append(agent)
        return agent


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is werkzeug's
        """Say nothing."""


class LateApplication:
    """Answers with an application that is known only after the address is."""

    app: Flask | None = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        assert self.app is not None
        return self.app(environ, start_response)


@contextmanager
def serving(late: LateApplication) -> Iterator[str]:
    """A loopback port, served in threads of this process; yields its address."""
    server = make_server("127.0.0.1", 0, late, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
