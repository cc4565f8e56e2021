"""A wipe room of sixty bays with something of everything in it, for the wall and whatever follows runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from inventory.contract.v1.orders import Lease
from inventory.domain.vocabulary import Category, HoldingKind, ValidationDecision
from inventory.services import data, devices, holds, leases, validation
from inventory.services.devices import ChangeState
from tests.support.console_agent import ConsoleAgent, Disk
from tests.support.console_story import request_order
from tests.support.console_world import ConsoleWorld
from tests.support.inventory_world import failed_record

BAYS: Final = 60
_LAST_NUMBER: Final = 5200
_KINDS: Final = (
    ("pull", 6), ("deciding", 4), ("failed", 2), ("silent", 3), ("settling", 3), ("reading", 9), ("stalled", 1),
    ("writing", 18), ("waiting", 3), ("approving", 3), ("ready", 2), ("held", 1), ("used", 2), ("unknown", 2), ("empty", 1),
)  # fmt: skip
"""What is in how many bays; the first ones take their orders in this order."""
_MODELS: Final = (("Seagate", "ST4000NM0035", 4_000_787_030_016), ("HGST", "HUS726020ALE614", 2_000_398_934_016))
_RUNS: Final = ("settling", "reading", "stalled", "writing")


@dataclass
class Run:
    """One run under way, and what it says of itself whenever it is asked."""

    lease: Lease
    kind: str
    nth: int

    @property
    def said(self) -> tuple[str, float, int, int | None, int]:
        """State, share, rate, temperature, errors."""
        nth = self.nth
        if self.kind == "settling":
            return ("settling", 0.3 + nth * 0.2, 0, 41 + nth, 0)
        if self.kind == "stalled":
            return ("executing", 0.37, 0, 58, 0)
        if self.kind == "reading":
            return ("verifying", 0.52 + nth * 0.053, 148_000_000 + nth * 9_000_000, 38 + nth, 0)
        hot, bad = nth == 4, nth in {7, 11}
        return (
            "executing",
            0.03 + nth * 0.053,
            240_000_000 - nth * 11_000_000,
            63 if hot else 36 + nth % 9,
            3 if bad else 0,
        )


@dataclass
class Room:
    """The host, and its runs."""

    world: ConsoleWorld
    agent: ConsoleAgent
    runs: list[Run] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)
    """An order of each kind."""

    def report(self) -> None:
        """Every run that speaks says how far it is; nothing older is believed after a minute."""
        self.agent.beat()
        for run in self.runs:
            state, share, rate, temperature, errors = run.said
            message = self.agent.progress_message(
                run.lease, state, share, rate=rate, errors=errors, temperature=temperature
            )
            leases.report_progress(self.world.context, self.agent.actor, run.lease.id, message)


def _disks() -> Iterator[tuple[str, Disk]]:
    """What each bay is for, scattered over the room as it comes."""
    kinds = [kind for kind, count in _KINDS for _ in range(count)]
    assert len(kinds) == BAYS
    for nth, kind in enumerate(kinds):
        vendor, model, capacity = _MODELS[nth % 2]
        bay = nth * 23 % BAYS + 1
        path = f"/dev/sd{chr(97 + bay // 26)}{chr(97 + bay % 26)}"
        yield kind, Disk(vendor, model, f"ZC1B{nth:04d}", capacity, path=path, slot=f"bay {bay}")


def furnished(world: ConsoleWorld) -> Room:
    """The room as it is at one moment of a busy day. The company must have its people and its roster."""
    disks = list(_disks())
    agent = world.enrol("wipe-60", [disk for _, disk in disks])
    petra, omar = world.actor("petra"), world.actor("omar")
    owned = data.CreateDataSet(name="CRM of the old branch", category=Category.LOW, owner="Sales systems")
    told = data.create_data_set(world.context, petra, owned)
    path = data.DeclarePath(host=agent.host, data_set=told.id, path="/srv/branch", kind=HoldingKind.PRIMARY)
    data.declare_path(world.context, petra, path)
    everything = tuple(disk for kind, disk in disks if kind not in {"unknown", "empty"})
    numbers = agent.observe(("CRM of the old branch", "/srv/branch", everything, ()))
    in_use = tuple(disk for kind, disk in disks if kind == "used")
    agent.disks = [disk for kind, disk in disks if kind != "empty"]
    agent.observe(("CRM of the old branch", "/srv/branch", in_use, ()))
    room = Room(world, agent)
    for nth, (kind, disk) in enumerate(disks):
        number = numbers[disk.facts.fingerprint]
        if kind in {"unknown", "empty"}:
            continue
        adoption = devices.AdoptDevice(device=number, asset_tag=f"AT-{_LAST_NUMBER + nth:06d}", source="wipe-60")
        devices.adopt(world.context, omar, adoption)
        if kind == "used":
            continue
        devices.retire(world.context, omar, ChangeState(device=number, reason="The branch is closed."))
        if kind == "held":
            hold = holds.PlaceHold(kind="legal", reference="LIT-2026-090", reason="Asked for.", device=number)
            holds.place_hold(world.context, petra, hold)
        elif kind != "ready":
            _work(room, kind, number, nth)
    world.clock.offset += timedelta(minutes=12)
    room.report()
    return room


def _work(room: Room, kind: str, number: str, nth: int) -> None:
    """As far as a disk of this kind has come."""
    world, agent = room.world, room.agent
    order = request_order(world, number, "Goes back to the pool.", pattern="zeros")
    room.orders.setdefault(kind, order)
    if kind == "approving":
        return
    world.approve(order, "ann", "ben")
    if kind == "waiting":
        return
    lease = agent.take()
    agent.begin(lease)
    if kind in _RUNS:
        room.runs.append(Run(lease, kind, sum(run.kind == kind for run in room.runs)))
        if kind == "reading":
            agent.progress(lease, "executing", 0.99)
        return
    agent.progress(lease, "executing", 0.2 + nth % 7 / 10)
    if kind == "silent":
        return
    if kind == "failed":
        agent.progress(lease, "failed", 0.6)
        agent.hand_over(lease, failed_record(agent.record(lease)))
        return
    agent.progress(lease, "verifying", 0.9)
    agent.progress(lease, "succeeded", 1.0)
    agent.hand_over(lease, agent.record(lease))
    if kind == "pull":
        decision = validation.Validate(
            order=order, decision=ValidationDecision.APPROVE, reason="Every block read back."
        )
        validation.validate(world.context, world.actor("vera"), decision)
