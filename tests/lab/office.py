"""The people and the service, behind hosts of the lab: what they write reaches them by hand or by the service's own port."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inventory.contract.v1.by_hand import Introduced
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import Category, DeviceState, HoldingKind
from inventory.services import cases, certificates, data, devices, hosts, job_bundles, orders, queries, return_bundles
from inventory.services import roster as published_rosters
from inventory.services.queries.devices import DeviceFilter
from inventory.services.setup import trust
from inventory.services.views import CaseDetail, DeviceDetail, OrderDetail
from inventory.services.views.by_hand import ReturnBundleView
from reports.envelope import payload_digest
from reports.verify import verify
from tests.support import inventory_world
from tests.support.inventory_world import INSIDE, World, make_world


class Now:
    """The real time: the guests' clocks show it too."""

    def now(self) -> dt.datetime:
        """What every other clock shows."""
        return dt.datetime.now(dt.UTC)

    def forward(self, **_: float) -> None:
        """It passes by itself."""


@dataclass
class Office:
    """The people and the service; nothing of it is reachable from a machine, unless the test serves it."""

    world: World
    host: str = ""
    order: str = ""
    left: list[tuple[int, int]] = field(default_factory=list)
    """After each power cut: bytes of the disk that hold what the wipe has written, and bytes in all."""
    stranger: str = ""
    taken: list[ReturnBundleView] = field(default_factory=list)
    case: CaseDetail | None = None
    verified: bool = False

    def token(self, name: str) -> str:
        """Leave for one host."""
        command = hosts.CreateEnrolmentToken(note=name)
        return hosts.create_enrolment_token(self.world.context, self.world.actor("admin"), command).secret

    def introduced(self, letter: dict[str, Any]) -> Introduced:
        """The answer to a host that is introduced by hand."""
        return return_bundles.introduce(self.world.context, self.world.actor("admin"), letter)

    @property
    def trust_root(self) -> str:
        """Its digest, as it is published."""
        return trust(self.world.context).pin

    @property
    def roster(self) -> str:
        """The newest one's digest, before any host asks."""
        return payload_digest(published_rosters.chain_since(self.world.context, self.world.actor("admin"), 0)[-1])

    def confirm(self, answer: Introduced) -> str:
        """The host's fingerprint is the right one; its number."""
        hosts.confirm(self.world.context, self.world.actor("admin"), answer.reply.host, answer.reply.fingerprint)
        return answer.reply.host

    def job_bundle(self) -> dict[str, Any]:
        """What may be done at the host now."""
        command = job_bundles.IssueJobBundle(host=self.host)
        view = job_bundles.issue(self.world.context, self.world.actor("operator"), command)
        found = job_bundles.envelope_of(self.world.context, self.world.actor("operator"), self.host, view.number)
        return dict(found)

    def receive(self, envelope: dict[str, Any]) -> ReturnBundleView:
        """A return bundle is handed in."""
        command = return_bundles.ReceiveReturnBundle(envelope=envelope)
        taken = return_bundles.receive(self.world.context, self.world.actor("custodian"), command)
        self.taken.append(taken)
        return taken

    def device(self, serial: str) -> DeviceDetail:
        """By what is on its label."""
        context, auditor = self.world.context, self.world.actor("auditor")
        rows = queries.list_devices(context, auditor, DeviceFilter(), limit=200).items
        number = next(row.id for row in rows if row.serial == serial)
        return queries.device(context, auditor, number)

    def serials(self) -> set[str]:
        """Of every disk that is known."""
        rows = queries.list_devices(self.world.context, self.world.actor("auditor"), DeviceFilter(), limit=200).items
        return {row.serial for row in rows if row.serial}

    def holds_data(self, *serials: str) -> None:
        """What disks held that came without their host, by somebody's word."""
        context, privacy = self.world.context, self.world.actor("privacy")
        command = data.CreateDataSet(name="CRM", category=Category.MODERATE, owner="CRM team")
        known = data.create_data_set(context, privacy, command)
        since = self.world.clock.now() - dt.timedelta(days=400)
        kind = HoldingKind.PRIMARY
        for serial in serials:
            holding = data.DeclareHolding(device=self.device(serial).id, data_set=known.id, kind=kind, since=since)
            data.declare_holding(context, privacy, holding)

    def declare(self, host: str, *paths: str) -> None:
        """The CRM's data, and where it lies."""
        context, privacy = self.world.context, self.world.actor("privacy")
        command = data.CreateDataSet(name="CRM", category=Category.MODERATE, owner="CRM team")
        known = data.create_data_set(context, privacy, command)
        for path in paths:
            data.declare_path(context, privacy, data.DeclarePath(host=host, data_set=known.id, path=path))

    def withdraw(self) -> None:
        """A customer ends the contract, after the swap."""
        command = cases.OpenCase(reference="C-4711", data_sets=("CRM",), withdrawn=self.world.clock.now())
        self.case = cases.open_case(self.world.context, self.world.actor("privacy"), command)

    def have_wiped(self, serial: str, acknowledged: tuple[str, ...] = ()) -> None:
        """An order for a disk that was taken out, approved by two."""
        found = self.device(serial)
        custodian = self.world.actor("custodian")
        if found.state is DeviceState.IN_SERVICE:
            devices.retire(self.world.context, custodian, devices.ChangeState(device=found.id, reason="replaced"))
        plan = inventory_world.PLAN.model_copy(update={"acknowledged_signatures": acknowledged})
        command = orders.CreateOrder(device=found.id, plan=plan, purpose=INSIDE, reason="replaced")
        self.order = orders.create_order(self.world.context, self.world.actor("operator"), command).id
        self.world.approve(self.order)

    def reasons(self) -> tuple[str, ...]:
        """Why the host takes no order, as its page says now."""
        return queries.host(self.world.context, self.world.actor("auditor"), self.host).standing_by

    def heard(self, host: str) -> dt.datetime | None:
        """When a host was heard last."""
        return queries.host(self.world.context, self.world.actor("auditor"), host).last_contact

    def open_exceptions(self, code: ExceptionCode) -> tuple[str, ...]:
        """What people have to look at, of one kind, in its words."""
        found = queries.list_exceptions(self.world.context, self.world.actor("auditor")).items
        return tuple(one.sentence for one in found if one.code == code)

    def conclude(self) -> None:
        """The record is validated and a certificate written; whether it verifies offline."""
        context = self.world.context
        self.world.validate(self.order)
        view = certificates.issue(context, self.world.actor("validator"), self.order)
        bundle = certificates.bundle(context, self.world.actor("auditor"), view.number)
        self.verified = verify(bundle, self.trust_root).genuine

    def now(self) -> OrderDetail:
        """The order, as everybody sees it."""
        return queries.order(self.world.context, self.world.actor("auditor"), self.order)


@contextmanager
def office(folder: Path, **settings: Any) -> Iterator[Office]:  # noqa: ANN401 - settings of every type
    """One at work in this folder, by the real time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inventory_world, "FixedClock", Now)
        world = make_world(folder, **settings)
    try:
        yield Office(world)
    finally:
        world.close()
