"""Every decision the interface takes about something that is there, each with an object of its own to decide about."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from flask import Flask
from werkzeug.test import TestResponse

from inventory.app import create_app
from inventory.contract.v1.endpoints import PREFIX
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.services import approvers, destruction, people, sessions, waivers
from inventory.services.context import Actor
from inventory.services.imports import register
from reports.canonical import to_base64
from reports.keys import FileSigner
from tests.support.inventory_world import DISK, World
from tests.support.travelling import Travelling

WIZARD: Final = frozenset({Role.CUSTODIAN, Role.OPERATOR, Role.APPROVER, Role.VALIDATOR, Role.PRIVACY_OFFICER})
WHY: Final = "as the test says, and for no other reason"
SAID: Final = {"reason": WHY}
Wanted = tuple[str, dict[str, Any] | None, int | None]
"""Address, body, and the version that was read."""


class Stage:
    """The service, two people who may do nearly everything, and two administrators."""

    def __init__(self, world: World) -> None:
        self.world = world
        settings = world.context.settings.model_copy(update={"webhook_targets": ("desk.example.org",)})
        world.context = dataclasses.replace(world.context, settings=settings)
        self.app: Flask = create_app(world.context.settings, clock=world.clock, context=world.context)
        self.numbers = itertools.count(1)
        self.travel = Travelling(world)
        self.travel.undertake(days=2000)
        self.last: dict[str, Any] = {}
        self.tokens = {f"{kind}{n}": self._token(f"{kind}{n}") for kind in ("wizard", "boss") for n in (1, 2)}
        self.site = self.make("boss1", "/sites", name="Lisbon")["id"]
        world.hold_data()
        world.unmount()

    def _token(self, login: str) -> str:
        roles = WIZARD if login.startswith("wizard") else frozenset({Role.ADMINISTRATOR})
        command = people.CreatePerson(login=login, name=login, title="", contact="", roles=roles, everywhere=True)
        view, _ = people.create_person(self.world.context, self.world.actor("admin"), command)
        actor = Actor(view.ref, "person", roles, scope=EVERYTHING)
        return sessions.create_token(self.world.context, actor, sessions.CreateToken(name="t", roles=roles))[1]

    def ask(self, who: str, method: str, wanted: Wanted) -> TestResponse:
        """One request."""
        path, body, version = wanted
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        headers |= {} if version is None else {"If-Match": f'"{version}"'}
        headers |= {} if body is None else {"Content-Type": "application/json"}
        data = None if body is None else json.dumps(body)
        base = self.world.context.settings.external_url
        client = self.app.test_client(use_cookies=False)
        return client.open(PREFIX + path, method=method, data=data, headers=headers, base_url=base)

    def make(self, who: str, path: str, /, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Something new."""
        reply = self.ask(who, "POST", (path, body, None))
        assert reply.status_code < 300, f"{path}: {reply.text}"
        found: dict[str, Any] = reply.get_json()
        return found

    def read(self, path: str) -> dict[str, Any]:
        """What is there."""
        reply = self.ask("wizard1", "GET", (path, None, None))
        assert reply.status_code == 200, f"{path}: {reply.text}"
        found: dict[str, Any] = reply.get_json()
        return found

    def name(self) -> str:
        """A name nothing has yet."""
        return f"Thing {next(self.numbers)}"

    def later(self, **by: float) -> str:
        """A moment after this one."""
        return (self.world.clock.now() + timedelta(**by)).isoformat()

    # -- things to decide about

    def device(self) -> dict[str, Any]:
        """New, at the store."""
        return self.read(f"/devices/{self.travel.unused()[0]}")

    def place(self) -> dict[str, Any]:
        return self.make("boss1", "/locations", name=self.name(), zone="secure")

    def lot(self) -> dict[str, Any]:
        return self.make("wizard1", "/lots", name=self.name(), purpose="transfer", devices=[self.device()["id"]])

    def team(self) -> dict[str, Any]:
        return self.make("boss1", "/teams", name=self.name())

    def other_site(self) -> dict[str, Any]:
        return self.make("boss1", "/sites", name=self.name())

    def box(self) -> dict[str, Any]:
        return self.make("wizard1", "/containers", name=self.name(), kind="box", location=self.travel.store)

    def data_set(self) -> dict[str, Any]:
        return self.make("wizard1", "/data-sets", name=self.name(), category="low", owner="Us")

    def holding(self) -> dict[str, Any]:
        since = self.later(days=-400)
        named = {"device": self.device()["id"], "data_set": self.data_set()["id"], "kind": "primary"}
        return self.make("wizard1", "/holdings", **named, since=since, reason=WHY)

    def case(self) -> dict[str, Any]:
        held = self.holding()
        now = self.later(minutes=-1)
        named = {"reference": f"C-{next(self.numbers):08d}", "data_sets": [held["data_set"]]}
        return self.make("wizard1", "/cases", **named, customer_since=self.later(days=-300), withdrawn=now)

    def person(self) -> dict[str, Any]:
        login = f"somebody-{next(self.numbers)}"
        found: dict[str, Any] = self.make("boss1", "/people", login=login, name="Somebody", roles=["viewer"])
        person: dict[str, Any] = found.get("person", found)
        return person

    def order(self) -> dict[str, Any]:
        self.settle()
        if self.world.device().state == "in_service":
            self.world.change("retire")
        return self.read(f"/orders/{self.world.order(by='operator').id}")

    def settle(self) -> None:
        """An order that a decision left open is brought to its end: there is one disk with an agent."""
        for one in self.read(f"/orders?device={self.world.device().id}")["items"]:
            if one["state"] == "recorded":
                self.world.validate(one["id"])
            elif one["state"] in {"requested", "approved"}:
                found = self.ask("wizard1", "POST", (f"/orders/{one['id']}/cancellation", SAID, None))
                assert found.status_code < 300, found.text

    def recorded(self) -> dict[str, Any]:
        self.settle()
        return self.read(f"/orders/{self.world.recorded().id}")

    def destruction(self, *, witnessed: bool) -> dict[str, Any]:
        """Performed, and witnessed, by others than those who decide."""
        device, world = self.device()["id"], self.world
        self.made_event(device, "quarantine")
        done = destruction.RecordDestruction(
            device=device, method="shred", machine="Shredder 2, checked in May", facility="Hall 3", evidence=("a" * 64,),
            performed=world.clock.now() - timedelta(minutes=1), particle_size_mm=2, kept_elsewhere="the works",
        )  # fmt: skip
        number = destruction.record_destruction(world.context, world.actor("operator"), done).id
        if witnessed:
            destruction.witness_destruction(world.context, world.actor("custodian"), number, WHY)
        return {"id": number}

    def made_event(self, device: str, event: str) -> None:
        """One step in a device's life."""
        version = self.read(f"/devices/{device}")["version"]
        reply = self.ask("wizard1", "POST", (f"/devices/{device}/events", {"event": event, "reason": WHY}, version))
        assert reply.status_code < 300, reply.text

    def waiver(self) -> dict[str, Any]:
        device, world = self.device()["id"], self.world
        self.made_event(device, "quarantine")
        opened = waivers.OpenWaiver(
            device=device,
            destination="The lessor",
            reason=WHY,
            role="custodian",
            expires=world.clock.now() + timedelta(days=3),
        )
        return {"id": waivers.open_waiver(world.context, world.actor("custodian"), opened).id}

    def exception(self) -> dict[str, Any]:
        """An open one: a customer's data lie on a device that nobody can find."""
        device = self.holding()["device"]
        self.made_event(device, "report_missing")
        return next(one for one in self.read(f"/exceptions?device={device}")["items"] if one["state"] == "open")

    def balance(self) -> dict[str, Any]:
        place = self.place()["id"]
        return self.make("wizard1", "/balances", scope="place", reference=place)

    def handover(self) -> dict[str, Any]:
        """Offered by somebody else than the two who answer."""
        return {"id": self.travel.offer(devices=self.travel.unused()).id}

    def reading(self) -> dict[str, Any]:
        self.settle()
        if self.world.device().state != "sanitized":
            self.world.sanitized()
        return self.make("wizard1", "/readings", device=self.world.device().id, verification="full", reason=WHY)

    def host(self, *, confirmed: bool) -> dict[str, Any]:
        agent = self.world.enrol_agent(f"host-{next(self.numbers)}", [], confirmed=confirmed)
        return {"id": agent.host, "key": agent.signer.key_id}

    def key(self) -> dict[str, Any]:
        public = to_base64(FileSigner.generate("p256").public_key_der)
        command = approvers.RegisterKey(public_key=public)
        return {"id": approvers.register_key(self.world.context, self.world.actor("both"), command).key_id}

    def question(self) -> dict[str, Any]:
        return self.make("wizard1", f"/devices/{self.holding()['device']}/changes", kind="repair", reason=WHY)

    def hold(self) -> dict[str, Any]:
        device = self.device()["id"]
        return self.make("wizard1", "/holds", kind="legal", reference="Case 7", reason=WHY, device=device)

    def path(self) -> dict[str, Any]:
        body = {"host": self.world.agent.host, "data_set": self.data_set()["id"], "path": f"/srv/{next(self.numbers)}"}
        return self.make("wizard1", "/paths", **body, kind="primary")

    def table(self) -> dict[str, Any]:
        """An import as it is received."""
        text = f"Asset tag,Serial\nIMP-{next(self.numbers)},\n".encode()
        view = register.receive(self.world.context, self.world.actor("custodian"), "list.csv", io.BytesIO(text))
        return {"id": view.id, "version": view.version}

    def tried(self) -> dict[str, Any]:
        view = register.check(self.world.context, self.world.actor("custodian"), self.table()["id"])
        return {"id": view.id, "version": view.version}

    def observed(self) -> dict[str, Any]:
        """A device an agent saw first."""
        number = next(self.numbers)
        agent = self.world.enrol_agent(f"host-{number}", [dataclasses.replace(DISK, serial=f"NEW{number}")])
        return self.read(f"/devices/{next(iter(agent.observe().values()))}")

    def webhook(self) -> dict[str, Any]:
        found: dict[str, Any] = self.make(
            "boss1", "/webhooks", name=self.name(), url="https://desk.example.org/x", tags=["device.released"]
        )
        webhook: dict[str, Any] = found.get("webhook", found)
        return webhook


@dataclass(frozen=True)
class Decision:
    """How an endpoint is asked."""

    path: str
    made: Callable[[Stage], dict[str, Any]]
    body: Callable[[Stage], dict[str, Any] | None]
    who: str
    shown: bool
    """Whether the version that was read goes with it."""

    def ready(self, stage: Stage) -> Wanted:
        """Something new, and what is asked of it."""
        stage.last = self.made(stage)
        number = stage.last.get("id", stage.last.get("ref"))
        return self.path.format(number), self.body(stage), stage.last["version"] if self.shown else None


def of(
    path: str,
    made: Callable[[Stage], dict[str, Any]],
    body: Callable[[Stage], dict[str, Any] | None] = lambda _: SAID,
    *,
    who: str = "wizard",
    shown: bool = True,
) -> Decision:
    """A row of the table."""
    return Decision(path, made, body, who, shown)


DECISIONS: Final[dict[str, Decision]] = {
    "adopt_device": of("/devices/{}/adoption", Stage.observed, lambda s: {"asset_tag": f"OBS-{next(s.numbers)}"}),
    "move_device": of("/devices/{}/move", Stage.device, lambda s: {"location": s.travel.workshop, **SAID}),
    "change_device_state": of("/devices/{}/events", Stage.device, lambda _: {"event": "quarantine", **SAID}),
    "release_device": of(
        "/devices/{}/release",
        Stage.device,
        lambda s: {"destination": {"party": s.travel.vendor}, **SAID},
    ),
    "validate_order": of("/orders/{}/validation", Stage.recorded, lambda _: {"decision": "approve", **SAID}),
    "withdraw_question": of("/questions/{}/withdrawal", Stage.question),
    "close_balance": of("/balances/{}/closing", Stage.balance),
    "map_import": of("/imports/{}/mapping", Stage.table, lambda _: {"ready_made": "generic"}),
    "check_import": of("/imports/{}/check", Stage.table, lambda _: None),
    "run_import": of("/imports/{}/run", Stage.tried, lambda _: None),
    "abandon_import": of("/imports/{}/abandonment", Stage.table, lambda _: None),
    "change_data_set": of(
        "/data-sets/{}",
        Stage.data_set,
        lambda _: {
            "category": "high",
            "owner": "They",
            "description": "",
            "retention_days": None,
            "encryption": "none",
            **SAID,
        },
    ),
    "move_due": of("/cases/{}/due", Stage.case, lambda s: {"due": s.later(days=40), **SAID}),
    "change_location": of(
        "/locations/{}", Stage.place, lambda s: {"name": s.name(), "zone": "secure", "address": "", **SAID}, who="boss"
    ),
    "change_lot": of(
        "/lots/{}",
        Stage.lot,
        lambda s: {"name": s.name(), "purpose": "transfer", "destination": "", "party": None, "note": "", **SAID},
    ),
    "seal_container": of("/containers/{}/seals", Stage.box, lambda s: {"seals": [f"SE-{next(s.numbers)}"], **SAID}),
    "move_container": of("/containers/{}/place", Stage.box, lambda s: {"location": s.travel.workshop, **SAID}),
    "assign_container": of("/containers/{}/lot", Stage.box, lambda s: {"lot": s.lot()["id"], **SAID}),
    "change_site": of("/sites/{}", Stage.other_site, lambda s: {"name": s.name(), "address": "", **SAID}, who="boss"),
    "change_team": of("/teams/{}", Stage.team, lambda s: {"name": s.name(), "purpose": "", **SAID}, who="boss"),
    "assign_location": of("/locations/{}/site", Stage.place, lambda s: {"site": s.site, **SAID}, who="boss"),
    "assign_host": of(
        "/hosts/{}/belonging",
        lambda s: s.read(f"/hosts/{s.host(confirmed=True)['id']}"),
        lambda s: {"site": s.site, "team": None, **SAID},
        who="boss",
    ),
    "assign_data_set": of("/data-sets/{}/team", Stage.data_set, lambda s: {"team": s.team()["id"], **SAID}),
    "set_roles": of("/people/{}/roles", Stage.person, lambda _: {"roles": ["custodian"]}, who="boss"),
    "set_scope": of(
        "/people/{}/scope",
        Stage.person,
        lambda s: {"everywhere": False, "sites": [s.site], "teams": [], **SAID},
        who="boss",
    ),
    "resolve_exception": of("/exceptions/{}/resolution", Stage.exception, lambda _: {"resolution": WHY}),
    "change_webhook": of("/webhooks/{}/state", Stage.webhook, lambda _: {"verb": "pause", **SAID}, who="boss"),
    # what has no version to show: its state alone says that it was decided
    "cancel_order": of("/orders/{}/cancellation", Stage.order, shown=False),
    "cancel_reading": of("/readings/{}/cancellation", Stage.reading, shown=False),
    "lift_hold": of("/holds/{}/lifting", Stage.hold, shown=False),
    "end_holding": of("/holdings/{}/end", Stage.holding, shown=False),
    "withdraw_path": of("/paths/{}/withdrawal", Stage.path, shown=False),
    "confirm_host": of(
        "/hosts/{}/confirmation",
        lambda s: s.host(confirmed=False),
        lambda s: {"fingerprint": s.last["key"]},
        who="boss",
        shown=False,
    ),
    "reject_host": of("/hosts/{}/rejection", lambda s: s.host(confirmed=False), who="boss", shown=False),
    "revoke_host": of("/hosts/{}/revocation", lambda s: s.host(confirmed=True), who="boss", shown=False),
    "halt_host": of("/hosts/{}/halt", lambda s: s.host(confirmed=True), shown=False),
    "move_lot": of("/lots/{}/events", Stage.lot, lambda _: {"event": "begin_closing", **SAID}, shown=False),
    "answer_handover": of("/handovers/{}/answer", Stage.handover, lambda _: {"count": 1}, shown=False),
    "withdraw_destruction": of("/destructions/{}/withdrawal", lambda s: s.destruction(witnessed=False), shown=False),
    "witness_destruction": of(
        "/destructions/{}/witness", lambda s: s.destruction(witnessed=False), lambda _: {"statement": WHY}, shown=False
    ),
    "decide_destruction": of(
        "/destructions/{}/decision",
        lambda s: s.destruction(witnessed=True),
        lambda _: {"decision": "approve", **SAID},
        shown=False,
    ),
    "countersign_waiver": of(
        "/waivers/{}/countersignature", Stage.waiver, lambda _: {"role": "privacy_officer"}, shown=False
    ),
    "confirm_approver_key": of("/approver-keys/{}/confirmation", Stage.key, lambda _: None, who="boss", shown=False),
}
"""Endpoint -> how it is asked. Every endpoint that demands the version one has read stands here; a test sees to it."""
