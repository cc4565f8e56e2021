"""Devices that went all the way, told through the services: their evidence is signed by whoever would have signed it."""

from __future__ import annotations

from datetime import datetime, timedelta

from inventory.clock import rfc3339
from inventory.contract.v1.orders import PlanRequest
from inventory.domain.vocabulary import Category, HoldingKind, ValidationDecision
from inventory.services import approvals, cases, data, devices, orders, validation
from inventory.services.context import Context
from reports.envelope import sign

from ._agent import CAPACITY, MODEL, VENDOR, Station
from ._endings import end, spare_serials
from ._people import Clock, Company

_PLAN = PlanRequest(method="clear", technique="overwrite", pattern_set="zeros", verification="full")
_REASON = "Taken out of service"
WIPED = frozenset({0, 1, 2, 3, 4, 6})
"""Of each ten stories those that end well."""


def tell(context: Context, company: Company, clock: Clock, now: datetime, count: int) -> None:
    """So many disks come to a wiping station; most are wiped and validated, some wait at each step on the way."""
    if not count:
        return
    station = Station(context, "wiping-station-01")
    station.enrol(company.administrator)
    hosts_assigned(context, company, station)
    serials = [f"STORY{number:06d}" for number in range(1, count + 1)]
    others = spare_serials(count)
    for serial in (*serials, *others):
        _declare(context, company, serial)
    clock.forward(timedelta(hours=2))
    numbers = station.observe([*serials, *others])
    pause = (now - clock.now() - timedelta(hours=6)) / count
    for place, serial in enumerate(serials):
        _one(context, company, clock, station, serial, numbers[serial], place, pause)
    end(context, company, clock, numbers, [numbers[one] for place, one in enumerate(serials) if place % 10 in WIPED])
    _case(context, company, clock)


def hosts_assigned(context: Context, company: Company, station: Station) -> None:
    """The station belongs to the first site and team."""
    from inventory.services import organisation  # noqa: PLC0415 - of this one act

    command = organisation.Assign(
        subject=station.host, reason="It stands there", site=company.sites[0], team=company.teams[0]
    )
    organisation.assign_host(context, company.administrator, command)


def _declare(context: Context, company: Company, serial: str) -> None:
    command = devices.DeclareDevice(
        asset_tag=f"{serial[:1]}-{serial[5:]}", serial=serial, vendor=VENDOR, model=MODEL, capacity_bytes=CAPACITY,
        media="magnetic", location=company.places[0][0], source="Storage of the data hall",
    )  # fmt: skip
    devices.declare(context, company.people["custodian"], command)


def _one(
    context: Context,
    company: Company,
    clock: Clock,
    station: Station,
    serial: str,
    number: str,
    place: int,
    pause: timedelta,
) -> None:
    """From retirement to the validator's decision; every tenth stops on the way, so that each queue has something in it."""
    data_set = next(one for one, category in company.data_sets if category is Category.LOW)
    held = data.DeclareHolding(
        device=number, data_set=data_set, kind=HoldingKind.PRIMARY, since=clock.now() - timedelta(days=200),
        reason="It was in the web servers",
    )  # fmt: skip
    data.declare_holding(context, company.people["privacy"], held)
    command = devices.ChangeState(device=number, reason=_REASON)
    devices.retire(context, company.people["custodian"], command)
    request = orders.CreateOrder(
        device=number, plan=_PLAN, purpose=orders.Purpose(reuse=True, leaves_control=False), reason=_REASON,
        lifetime=timedelta(days=30),
    )  # fmt: skip
    order = orders.create_order(context, company.people["operator"], request).id
    stop = place % 10
    if stop != 7:
        _approve(context, company, clock, order, ("approver1", "approver2") if stop != 8 else ("approver1",))
    if stop not in {7, 8}:
        started = clock.now()
        lease = station.begin()
        clock.forward(min(pause * 0.8, timedelta(hours=6)))
        station.hand_over(lease, serial, started, fails=stop == 5)
        if stop not in {5, 9}:
            decide = validation.Validate(
                order=order, decision=ValidationDecision.APPROVE, reason="Read back completely, nothing was left"
            )
            validation.validate(context, company.people["validator"], decide)
    clock.forward(pause * 0.2)


def _approve(context: Context, company: Company, clock: Clock, order: str, logins: tuple[str, ...]) -> None:
    for login in logins:
        actor = company.people[login]
        ready = approvals.ready_to_sign(context, actor, order)
        body = {**ready.body, "time": rfc3339(clock.now())}
        envelope = dict(sign("approval", body, company.approvers[login]))
        approvals.approve(context, actor, approvals.Approve(order=order, envelope=envelope))


def _case(context: Context, company: Company, clock: Clock) -> None:
    """A customer withdrew a week ago: the media that hold their data are what the privacy officer sees first."""
    rarest = company.data_sets[-1][0]
    withdrawn = clock.now() - timedelta(days=7)
    command = cases.OpenCase(
        reference="CRM-0000000001",
        data_sets=(rarest,),
        withdrawn=withdrawn,
        customer_since=withdrawn - timedelta(days=700),
    )
    cases.open_case(context, company.people["privacy"], command)
