"""A company with an inventory, its people, a roster and an agent, made through the services alone; its clock stands still.

`story()` walks one device from observation to any point of its life, so that a test begins where it has something to say.
"""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import sqlalchemy as sa

from inventory.clock import rfc3339
from inventory.contract.v1.agents import RecordAccepted, RecordSubmission
from inventory.contract.v1.common import Envelope
from inventory.contract.v1.escrows import EscrowDeposit
from inventory.contract.v1.orders import HoldAnswer, HoldQuestion, Lease, PlanRequest
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.domain.vocabulary import Category, DeviceState, ValidationDecision
from inventory.models import Person
from inventory.services import (
    approvals,
    approvers,
    custody,
    data,
    devices,
    hosts,
    leases,
    orders,
    people,
    queries,
    records,
    roster,
    setup,
    validation,
)
from inventory.services.context import Actor, Context
from inventory.services.views import DeviceDetail, OrderDetail
from inventory.settings import Settings
from reports.canonical import from_base64, to_base64
from reports.envelope import sign, sign_payload
from reports.keys import FileSigner
from reports.record import SanitizationRecord
from tests.support import schema
from tests.support.console_agent import ConsoleAgent, Disk

EPOCH = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
DISK = Disk("Seagate", "ST4000NM0035", "ZC1A9F3T", 4_000_787_030_016, path="/dev/sdb", slot="bay 3")
OTHER_DISK = Disk("Seagate", "ST4000NM0035", "ZC1A9K77", 4_000_787_030_016, path="/dev/sdc", slot="bay 4")
PLAN = PlanRequest(method="clear", technique="overwrite", pattern_set="zeros", verification="full")
INSIDE = orders.Purpose(reuse=True, leaves_control=False)

CAST: dict[str, frozenset[Role]] = {
    "admin": frozenset({Role.ADMINISTRATOR}),
    "viewer": frozenset({Role.VIEWER}),
    "custodian": frozenset({Role.CUSTODIAN}),
    "operator": frozenset({Role.OPERATOR}),
    "approver1": frozenset({Role.APPROVER}),
    "approver2": frozenset({Role.APPROVER}),
    "both": frozenset({Role.OPERATOR, Role.APPROVER}),
    "all-hands": frozenset({Role.OPERATOR, Role.APPROVER, Role.VALIDATOR}),
    "validator": frozenset({Role.VALIDATOR}),
    "privacy": frozenset({Role.PRIVACY_OFFICER}),
    "auditor": frozenset({Role.AUDITOR}),
}


class FixedClock:
    """Stands still until a test moves it."""

    def __init__(self, moment: datetime = EPOCH) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """The present, by decree."""
        return self.moment

    def forward(self, **by: float) -> None:
        """Let time pass."""
        self.moment += timedelta(**by)


@dataclass
class World:
    """The open inventory with everybody in it."""

    context: Context
    clock: FixedClock
    folder: Path
    actors: dict[str, Actor] = field(default_factory=dict)
    signers: dict[str, FileSigner] = field(default_factory=dict)
    agent: ConsoleAgent = field(init=False)

    def close(self) -> None:
        """Give the database back."""
        self.context.database.close()

    def actor(self, login: str) -> Actor:
        """Somebody, as services know them."""
        return self.actors[login]

    # -- people and trust --------------------------------------------------------------------------------------------------

    def invite(self) -> None:
        """Everybody of the cast; the first administrator as the server's terminal would."""
        setup.first_administrator_link(self.context)
        with self.context.writing() as session:
            person = session.scalars(sa.select(Person)).one()
            person.login = "admin"
            self.actors["admin"] = Actor(person.ref, "person", CAST["admin"], scope=EVERYTHING)
        for login, roles in CAST.items():
            if login != "admin":
                command = people.CreatePerson(
                    login=login,
                    name=f"{login.title()} Example",
                    title="Staff",
                    contact="x@example.org",
                    roles=roles,
                    everywhere=True,
                )
                view, _ = people.create_person(self.context, self.actor("admin"), command)
                self.actors[login] = Actor(view.ref, "person", roles, scope=EVERYTHING)

    def enrol_key(self, login: str) -> str:
        """An approver's key, registered and confirmed; its id."""
        signer = FileSigner.generate("p256")
        self.signers[login] = signer
        command = approvers.RegisterKey(public_key=to_base64(signer.public_key_der))
        key = approvers.register_key(self.context, self.actor(login), command)
        approvers.confirm_key(self.context, self.actor("admin"), key.key_id)
        return key.key_id

    def publish_roster(self, *logins: str, quorum: int = 2, minimum: int = 2, signed_by: tuple[str, ...] = ()) -> None:
        """A roster of these people's keys, signed by a quorum."""
        keys = tuple(self.signers[login].key_id for login in logins)
        command = roster.ProposeRoster(key_ids=keys, quorum=quorum, minimum_approvals=minimum)
        proposal = roster.propose(self.context, self.actor("admin"), command)
        for login in signed_by or logins[:quorum]:
            payload = from_base64(proposal.payload)
            envelope = sign_payload("roster", payload, self.signers[login])
            roster.sign(self.context, self.actor(login), roster.SignRoster(version=proposal.version, envelope=envelope))

    def enrol_agent(self, name: str, disks: list[Disk], *, confirmed: bool = True) -> ConsoleAgent:
        """A host with its agent."""
        admin = self.actor("admin")
        token = hosts.create_enrolment_token(self.context, admin, hosts.CreateEnrolmentToken(note=name))
        agent = ConsoleAgent(self.context, name, disks)
        agent.enrol(token.secret)
        if confirmed:
            hosts.confirm(self.context, admin, agent.host, agent.signer.key_id)
        return agent

    # -- one device's life -------------------------------------------------------------------------------------------------

    def device(self, disk: Disk = DISK) -> DeviceDetail:
        """The device of a disk that was observed."""
        return queries.device(self.context, self.actor("auditor"), disk.facts.fingerprint)

    def hold_data(self, disk: Disk = DISK, category: Category = Category.MODERATE, name: str = "CRM production") -> str:
        """The agent maps a path of a data set down to the disk; the data set's number."""
        privacy = self.actor("privacy")
        known = [row for row in data.list_data_sets(self.context, privacy) if row.name == name]
        if not known:
            command = data.CreateDataSet(name=name, category=category, owner="CRM team")
            known = [data.create_data_set(self.context, privacy, command)]
        path = data.DeclarePath(host=self.agent.host, data_set=known[0].id, path="/srv/crm")
        data.declare_path(self.context, privacy, path)
        self.agent.observe((name, "/srv/crm", (disk,), ()))
        return known[0].id

    def unmount(self, name: str = "CRM production") -> None:
        """The path rests on nothing any more: what was there is residue."""
        self.clock.forward(minutes=1)
        self.agent.observe((name, "/srv/crm", (), ()))

    def change(self, verb: str, disk: Disk = DISK, **more: Any) -> DeviceDetail:  # noqa: ANN401 - fields of the command
        """A lifecycle event by the custodian."""
        command = devices.ChangeState(device=self.device(disk).id, reason="as the test says", **more)
        result: DeviceDetail = getattr(devices, verb)(self.context, self.actor("custodian"), command)
        return result

    def order(self, disk: Disk = DISK, *, by: str = "operator", **more: Any) -> OrderDetail:  # noqa: ANN401 - fields of the command
        """A requested order."""
        fields: dict[str, Any] = {"plan": PLAN, "purpose": INSIDE, "reason": "decommissioned", **more}
        command = orders.CreateOrder(device=self.device(disk).id, **fields)
        return orders.create_order(self.context, self.actor(by), command)

    def approval(self, order: str, login: str, **changes: object) -> dict[str, Any]:
        """An approver's envelope; `changes` alter the payload before it is signed."""
        ready = approvals.ready_to_sign(self.context, self.actor(login), order)
        body = {**ready.body, "time": rfc3339(self.clock.now()), **changes}
        return dict(sign("approval", body, self.signers[login]))

    def approve(self, order: str, *logins: str) -> OrderDetail:
        """Approvals by key file."""
        for login in logins or ("approver1", "approver2"):
            command = approvals.Approve(order=order, envelope=self.approval(order, login))
            detail = approvals.approve(self.context, self.actor(login), command)
        return detail

    def approved(self, disk: Disk = DISK) -> OrderDetail:
        """An order that may be leased; the device is retired first."""
        if self.device(disk).state is DeviceState.IN_SERVICE:
            self.change("retire", disk)
        return self.approve(self.order(disk).id)

    def ask(self, lease: Lease, token: int | None = None) -> HoldAnswer:
        """The question right before the first write."""
        question = HoldQuestion(token=token or lease.token, nonce=secrets.token_hex(16))
        return leases.answer_hold(self.context, self.agent.actor, lease.id, question)

    def finished(self, lease: Lease) -> SanitizationRecord:
        """A record of a run that did everything, an hour later; nothing is handed over yet."""
        self.clock.forward(hours=1)
        return self.agent.record(lease)

    def hand_over(
        self, lease: Lease, record: SanitizationRecord, *, token: int | None = None, by: ConsoleAgent | None = None
    ) -> RecordAccepted:
        """Sign and submit."""
        agent = by or self.agent
        envelope = sign("sanitization-record", record.to_dict(), agent.signer)
        message = RecordSubmission(lease=lease.id, token=token or lease.token, record=Envelope.model_validate(envelope))
        return records.ingest(self.context, agent.actor, message)

    def recorded(self, disk: Disk = DISK) -> OrderDetail:
        """An order whose record waits for its validator."""
        order = self.approved(disk)
        lease = self.agent.take()
        assert self.ask(lease).clear
        self.hand_over(lease, self.finished(lease))
        return queries.order(self.context, self.actor("auditor"), order.id)

    def deposit(self, order: str, disk: Disk = DISK) -> str:
        """The agent gives the disk's password into custody; the custody's number."""
        secret = b"0123456789abcdef0123456789abcdef"
        message = EscrowDeposit(
            order=order,
            run="run-1",
            device=disk.facts.fingerprint,
            kind="ata-user-password",
            secret=to_base64(secret),
            sha256=hashlib.sha256(secret).hexdigest(),
            recovery="Unlock it with this user password.",
        )
        return custody.deposit(self.context, self.agent.actor, message).id

    def validate(
        self, order: str, decision: ValidationDecision = ValidationDecision.APPROVE, by: str = "validator"
    ) -> OrderDetail:
        """The validator decides."""
        command = validation.Validate(order=order, decision=decision, reason="as the evidence says")
        return validation.validate(self.context, self.actor(by), command)

    def sanitized(self, disk: Disk = DISK) -> OrderDetail:
        """A validated order."""
        return self.validate(self.recorded(disk).id)

    def codes(self, **where: str) -> set[str]:
        """Codes of the open exceptions."""
        page = queries.list_exceptions(self.context, self.actor("auditor"), limit=200, **where)  # type: ignore[arg-type]  # device, host
        return {item.code for item in page.items}

    def tags(self, subject: str) -> list[str]:
        """Tags of a subject's history, oldest first."""
        page = queries.list_events(self.context, self.actor("auditor"), subject=subject, limit=200)
        return [event.tag for event in reversed(page.items)]


def refused_record(record: SanitizationRecord) -> SanitizationRecord:
    """The same run, had the agent declined before its first write."""
    run = dataclasses.replace(
        record.run, state="refused", touched="no", error_code="device-in-use", error="The device is in use.",
        segments=(), identity_fingerprint_after=None,
    )  # fmt: skip
    verification = dataclasses.replace(record.verification, completed=False, bytes_read=0, regions=0, kind="none")
    return dataclasses.replace(
        record, run=run, verification=verification, method=dataclasses.replace(record.method, passes=())
    )


def failed_record(record: SanitizationRecord, touched: str = "yes") -> SanitizationRecord:
    """The same run, had it broken off."""
    run = dataclasses.replace(
        record.run, state="failed", touched=touched, error_code="device-gone", error="The device vanished.",
        identity_fingerprint_after=None,
    )  # fmt: skip
    if touched != "no":
        return dataclasses.replace(record, run=run)
    verification = dataclasses.replace(record.verification, completed=False, bytes_read=0, regions=0, kind="none")
    return dataclasses.replace(
        record, run=run, verification=verification, method=dataclasses.replace(record.method, passes=())
    )


def make_world(folder: Path, url: str = "", **settings: Any) -> World:  # noqa: ANN401 - settings of every type
    """A new inventory with people, a roster of two, and one confirmed agent that has reported two disks."""
    clock = FixedClock()
    chosen = Settings(data_dir=folder, database_url=url, **{"second_factor": "offered", **settings})
    schema.lay(chosen)
    context = setup.initialise(chosen, clock)
    world = World(context, clock, folder)
    world.invite()
    for login in ("approver1", "approver2", "both", "all-hands"):
        world.enrol_key(login)
    world.publish_roster("approver1", "approver2", "both", "all-hands")
    world.agent = world.enrol_agent("crm-db-01", [DISK, OTHER_DISK])
    world.agent.observe()
    clock.forward(minutes=1)
    return world


@cache
def _template() -> tuple[Path, World]:
    """One world on SQLite, made once a process; tests work on copies."""
    folder = Path(mkdtemp(prefix="sanitrail-world-")) / "data"
    world = make_world(folder)
    world.close()
    return folder, world


@contextmanager
def copied_world(target: Path) -> Iterator[World]:
    """A copy of the template, opened; a fraction of the time of making one."""
    _, template = _template()
    with copy_of(template, target) as world:
        yield world


@contextmanager
def copy_of(template: World, target: Path) -> Iterator[World]:
    """A copy of a world that was closed, as it stood then: a module tells a story once, and its tests go on from there."""
    shutil.copytree(template.folder, target)
    clock = FixedClock(template.clock.moment)
    context = setup.open_inventory(Settings(data_dir=target, second_factor="offered"), clock)
    world = World(context, clock, target, dict(template.actors), dict(template.signers))
    world.agent = dataclasses.replace(template.agent, context=context, disks=list(template.agent.disks), taken={})
    try:
        yield world
    finally:
        world.close()
