"""An organisation that has nothing but the public interface: its people, their keys, its hosts' agents.

Everything a test of this package does goes through `Company.ask` or an agent's signed request. What the database then says is
looked at by `invariants` alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from werkzeug.test import TestResponse

from inventory.clock import rfc3339
from inventory.domain.roles import Role
from reports.canonical import from_base64, to_base64
from reports.envelope import sign, sign_payload
from reports.keys import FileSigner
from tests.support.console_agent import Disk
from tests.support.http_world import PASSWORD, HttpWorld, Person, problem
from tests.support.purge_evidence import purged

from .agent import FieldAgent

CAST: Final[Mapping[str, Role]] = {
    "admin": Role.ADMINISTRATOR,
    "custodian": Role.CUSTODIAN,
    "operator": Role.OPERATOR,
    "approver-1": Role.APPROVER,
    "approver-2": Role.APPROVER,
    "approver-3": Role.APPROVER,
    "validator": Role.VALIDATOR,
    "privacy": Role.PRIVACY_OFFICER,
    "auditor": Role.AUDITOR,
    "viewer": Role.VIEWER,
}
CLEAR: Final = {"method": "clear", "technique": "overwrite", "pattern_set": "zeros", "verification": "full"}
PURGE: Final = {
    "method": "purge",
    "technique": "ata-sanitize-overwrite",
    "pattern_set": "canaries",
    "verification": "full",
}
CREATED: Final = (200, 201, 202, 204)


@dataclass
class Company:
    """Who works here, and what they were given."""

    world: HttpWorld
    people: dict[str, Person] = field(default_factory=dict)
    keys: dict[str, FileSigner] = field(default_factory=dict)
    agents: dict[str, FieldAgent] = field(default_factory=dict)

    # -- the interface

    def ask(
        self,
        who: str,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON
        *,
        seen: str = "",
    ) -> Any:  # noqa: ANN401 - any JSON
        """One request that must succeed; `seen` names the object whose version goes along, read right before."""
        answer = self.attempt(who, method, path, body, seen=seen)
        assert answer.status_code in CREATED, f"{who} {method} {path}: {answer.status_code} {answer.text[:1500]}"
        return answer.get_json() if answer.mimetype == "application/json" else answer.data

    def refused(
        self,
        who: str,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON
        *,
        seen: str = "",
    ) -> str:
        """One request that must be refused; the problem's code."""
        answer = self.attempt(who, method, path, body, seen=seen)
        assert answer.status_code >= 400, f"{who} {method} {path}: {answer.status_code} {answer.text[:600]}"
        assert answer.status_code < 500, answer.text[:600]
        return problem(answer)[1]

    def attempt(
        self,
        who: str,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON
        *,
        seen: str = "",
    ) -> TestResponse:
        """One request, whatever comes of it; `seen` names the object whose version goes along, read right before."""
        headers: dict[str, str] = {}
        if seen:
            before = self.world.call("GET", seen, who=self.person(who))
            assert before.status_code == 200, before.text[:600]
            headers["If-Match"] = before.headers["ETag"]
        elif method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        return self.world.call(method, path, body, who=self.person(who), headers=headers)

    def person(self, login: str) -> Person:
        """Somebody by the name this test knows them by."""
        if login == "admin" and "admin" not in self.people:
            return self.world.administrator  # who begins, and then hires a successor
        return self.people[login]

    def now(self) -> str:
        """The service's time."""
        return rfc3339(self.world.clock.now())

    def later(self, **amount: float) -> str:
        """A moment to come."""
        return rfc3339(self.world.clock.now() + timedelta(**amount))

    # -- people, keys, hosts

    def hire(self, login: str, *roles: Role) -> None:
        """Somebody new: an invitation, a password of their own, and a token for what they do all year."""
        names = sorted(str(role) for role in roles)
        body = {
            "login": login,
            "name": login.title(),
            "title": "Staff",
            "contact": "",
            "roles": names,
            "everywhere": True,
        }
        made = self.ask("admin", "POST", "/people", body)
        welcomed = self.world.call(
            "POST",
            "/welcome",
            {"secret": made["link"]["secret"], "password": PASSWORD},
            headers={"Origin": self.world.base},
        )
        session = welcomed.get_json()
        headers = {
            "Cookie": welcomed.headers["Set-Cookie"].split(";")[0],
            "X-CSRF-Token": session["csrf_token"],
            "Origin": self.world.base,
        }
        body = {"name": "the year", "roles": names, "lifetime_seconds": 300 * 86_400}
        token = self.world.call("POST", "/tokens", body, headers=headers)
        assert token.status_code in CREATED, token.text
        ref = session["person"]["ref"]
        self.people[login] = Person(ref, login, frozenset(roles), token.get_json()["secret"], "")

    def give_key(self, login: str) -> str:
        """An approver's own key, registered by them and confirmed by the administrator."""
        self.keys[login] = FileSigner.generate("p256")
        key = self.ask(login, "POST", "/approver-keys", {"public_key": to_base64(self.keys[login].public_key_der)})
        self.ask("admin", "POST", f"/approver-keys/{key['key_id']}/confirmation")
        return str(key["key_id"])

    def publish_roster(self, *logins: str, signed_by: tuple[str, ...]) -> None:
        """Who may approve from now on, signed by a quorum of those who might before."""
        proposal = self.ask(
            "admin",
            "POST",
            "/roster/proposals",
            {"key_ids": [self.keys[login].key_id for login in logins], "quorum": 2, "minimum_approvals": 2},
        )
        for login in signed_by:
            envelope = sign_payload("roster", from_base64(proposal["payload"]), self.keys[login])
            self.ask(login, "POST", f"/roster/{proposal['version']}/signatures", {"envelope": dict(envelope)})

    def install(self, name: str, *disks: Disk) -> FieldAgent:
        """A new host with its agent, confirmed by its fingerprint."""
        token = self.ask("admin", "POST", "/enrolment-tokens", {"note": name})["secret"]
        agent = FieldAgent(self.world.context, name, list(disks), world=self.world)
        agent.enrol(token)
        shown = self.ask("admin", "GET", f"/hosts/{agent.host}")["fingerprint"]
        self.ask("admin", "POST", f"/hosts/{agent.host}/confirmation", {"fingerprint": shown})
        self.agents[name] = agent
        agent.beat()
        agent.observe()
        return agent

    # -- one device

    def device(self, disk: Disk) -> dict[str, Any]:
        """As the auditor sees it."""
        return dict(self.ask("auditor", "GET", f"/devices/{disk.facts.fingerprint}"))

    def change(self, disk: Disk, event: str, reason: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the body
        """A lifecycle event by the custodian."""
        path = f"/devices/{self.device(disk)['id']}"
        return dict(
            self.ask("custodian", "POST", f"{path}/events", {"event": event, "reason": reason, **more}, seen=path)
        )

    def order(self, disk: Disk, *, leaves: bool = False) -> dict[str, Any]:
        """The operator asks for a clear; for a purge where it is to leave."""
        body = {
            "device": self.device(disk)["id"],
            "plan": PURGE if leaves else CLEAR,
            "purpose": {"reuse": True, "leaves_control": leaves},
            "reason": "Decommissioned.",
        }
        return dict(self.ask("operator", "POST", "/orders", body))

    def approve(self, order: str, *logins: str) -> dict[str, Any]:
        """With each one's own key, over exactly what the service shows them."""
        answer: dict[str, Any] = {}
        for login in logins or ("approver-1", "approver-2"):
            shown = self.ask(login, "GET", f"/orders/{order}/signing")
            body = {**shown["body"], "time": self.now()}
            envelope = sign("approval", body, self.keys[login])
            answer = self.ask(login, "POST", f"/orders/{order}/approvals", {"envelope": dict(envelope)})
        return answer

    def validate(self, order: str, decision: str = "approve", who: str = "validator") -> dict[str, Any]:
        """The validator decides about the record."""
        path = f"/orders/{order}"
        body = {"decision": decision, "reason": "The evidence says so."}
        return dict(self.ask(who, "POST", f"{path}/validation", body, seen=path))

    def wiped(self, agent: FieldAgent, disk: Disk, *, leaves: bool = False) -> str:
        """From the order to the record that waits for its validator; the order's number."""
        order = str(self.order(disk, leaves=leaves)["id"])
        self.approve(order)
        agent.observe()
        self.run(agent, leaves=leaves)
        return order

    def run(self, agent: FieldAgent, *, leaves: bool = False) -> None:
        """The agent executes what it is offered, and signs what happened."""
        lease = agent.take()
        agent.begin(lease)
        agent.progress(lease, "executing", 0.5)
        self.world.clock.advance(minutes=50)
        agent.progress(lease, "verifying", 0.9)
        record = agent.record(lease)
        agent.hand_over(lease, purged(record) if leaves else record)


@contextmanager
def founded(world: HttpWorld) -> Iterator[Company]:
    """A company with its people, and a roster of two approvers signed by both."""
    company = Company(world)
    for login, role in CAST.items():
        company.hire(login, role)
    for login in ("approver-1", "approver-2"):
        company.give_key(login)
    company.publish_roster("approver-1", "approver-2", signed_by=("approver-1", "approver-2"))
    try:
        yield company
    finally:
        world.close()
