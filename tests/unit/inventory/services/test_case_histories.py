"""Random histories of a company: residue never vanishes, no obligation closes without evidence, no case closes too early."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inventory.domain.vocabulary import (
    CaseState,
    Category,
    DeviceState,
    HoldingKind,
    ObligationKind,
    ValidationDecision,
)
from inventory.errors import InventoryError
from inventory.models import CaseDataSet, Destruction, ErasureCase, Holding, Obligation, Validation
from inventory.services import cases, data, queries
from tests.support.console_agent import Disk
from tests.support.inventory_world import DISK, OTHER_DISK, World, copied_world

THIRD = Disk("Seagate", "ST4000NM0035", "ZC1THIRD", 4_000_787_030_016, path="/dev/sdd", slot="bay 5")
DISKS = (DISK, OTHER_DISK, THIRD)
NAMES = ("CRM production", "Newsletter")
BITS = st.integers(0, 7)


@dataclass
class Told:
    """What must be so, by a reckoning of its own: which data lies on which disk, whatever anybody did with files since."""

    world: World
    dirty: set[tuple[str, str]] = field(default_factory=set)
    """Serial number and data set: written, and not overwritten since by a run that was validated."""
    holdings: int = 0
    obligations: int = 0
    cases: list[str] = field(default_factory=list)


def _chosen(bits: int) -> tuple[Disk, ...]:
    return tuple(disk for number, disk in enumerate(DISKS) if bits >> number & 1)


def observe(told: Told, bits: int, name: str, unresolved: bool) -> None:
    """The agent finds the data set beneath its path on some of the disks that are there."""
    world = told.world
    disks = tuple(disk for disk in _chosen(bits) if disk in world.agent.disks)
    world.agent.observe((name, "/srv/" + name[:3], disks, ("lv0 cannot be read",) if unresolved else ()))
    told.dirty |= {(disk.serial, name) for disk in disks}


def move(told: Told, bits: int) -> None:
    """These disks are in the host now, the others are not."""
    told.world.agent.disks = list(_chosen(bits))
    told.world.agent.observe()


def declare(told: Told, number: int, name: str, live: bool) -> None:
    """Somebody says what a disk holds, or held until now."""
    world, disk = told.world, DISKS[number]
    now = world.clock.now()
    command = data.DeclareHolding(
        device=world.device(disk).id, data_set=name, kind=HoldingKind.BACKUP, since=now, until=None if live else now
    )
    data.declare_holding(world.context, world.actor("privacy"), command)
    told.dirty.add((disk.serial, name))


def end(told: Told, number: int) -> None:
    """Somebody says that it is deleted."""
    world = told.world
    for holding in queries.list_holdings(world.context, world.actor("privacy"), limit=200).items:
        if holding.device == world.device(DISKS[number]).id and holding.until is None:
            with suppress(InventoryError):
                data.end_holding(world.context, world.actor("privacy"), holding.id, "rm -rf")


def withdraw(told: Told, name: str) -> None:
    world = told.world
    command = cases.OpenCase(reference=f"C-{len(told.cases) + 1}00", data_sets=(name,), withdrawn=world.clock.now())
    told.cases.append(cases.open_case(world.context, world.actor("privacy"), command).id)


def attest(told: Told, number: int) -> None:
    """Somebody attests whatever is open, one thing after the other, media included."""
    world = told.world
    case = queries.case(world.context, world.actor("privacy"), told.cases[number])
    for obligation in case.obligations:
        command = cases.Attest(case=case.id, obligations=(obligation.id,), statement="All gone, I promise you.")
        with suppress(InventoryError):
            cases.attest(world.context, world.actor("privacy"), command)


def close(told: Told, number: int) -> None:
    cases.close_case(told.world.context, told.world.actor("privacy"), told.cases[number], "enough of it")


def sanitize(told: Told, number: int, approve: bool) -> None:
    """A whole run; only a validated one takes anything off the disk."""
    world, disk = told.world, DISKS[number]
    if world.device(disk).state is DeviceState.SANITIZED:
        return
    order = world.recorded(disk)
    world.validate(order.id, ValidationDecision.APPROVE if approve else ValidationDecision.REJECT)
    if approve:
        told.dirty -= {(disk.serial, name) for name in NAMES}


def back(told: Told, number: int) -> None:
    told.world.change("return_to_service", DISKS[number])


NAME = st.sampled_from(NAMES)
DISK_NUMBER = st.integers(0, len(DISKS) - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just(observe), BITS, NAME, st.booleans()),
        st.tuples(st.just(observe), BITS, NAME, st.just(False)),
        st.tuples(st.just(move), BITS),
        st.tuples(st.just(declare), DISK_NUMBER, NAME, st.booleans()),
        st.tuples(st.just(end), DISK_NUMBER),
        st.tuples(st.just(withdraw), NAME),
        st.tuples(st.just(attest), st.integers(0, 2)),
        st.tuples(st.just(close), st.integers(0, 2)),
        st.tuples(st.just(sanitize), DISK_NUMBER, st.booleans()),
        st.tuples(st.just(back), DISK_NUMBER),
    ),
    min_size=6,
    max_size=14,
)


def begin(world: World) -> Told:
    privacy = world.actor("privacy")
    world.agent.disks = list(DISKS)
    world.agent.observe()
    for name in NAMES:
        command = data.CreateDataSet(name=name, category=Category.MODERATE, owner="Team")
        number = data.create_data_set(world.context, privacy, command).id
        path = data.DeclarePath(host=world.agent.host, data_set=number, path="/srv/" + name[:3])
        data.declare_path(world.context, privacy, path)
    return Told(world)


def check(told: Told) -> None:
    world = told.world
    serials = {world.device(disk).id: disk.serial for disk in DISKS}
    names = {row.id: row.name for row in data.list_data_sets(world.context, world.actor("privacy"))}
    with world.context.reading() as session:
        holdings = session.scalars(sa.select(Holding)).all()
        obligations = session.scalars(sa.select(Obligation)).all()
        proofs = set(session.scalars(sa.select(Validation.record_sha256).where(Validation.decision == "approve")))
        proofs |= set(session.scalars(sa.select(Destruction.statement_sha256)))
        states = {case.id: case.state for case in session.scalars(sa.select(ErasureCase))}
        sets: dict[str, set[str]] = {}
        for case, data_set in session.execute(sa.select(CaseDataSet.case_id, CaseDataSet.data_set_id)):
            sets.setdefault(case, set()).add(names[data_set])
    uncovered = {(serials[row.device_id], names[row.data_set_id]) for row in holdings if row.covered_at is None}
    assert told.dirty <= uncovered, "residue has vanished"
    assert len(holdings) >= told.holdings
    assert len(obligations) >= told.obligations
    told.holdings, told.obligations = len(holdings), len(obligations)
    covered = {row.id: row.covered_by for row in holdings if row.covered_at is not None}
    assert set(covered.values()) <= proofs
    for one in obligations:
        if one.closed is None:
            continue
        if one.kind is ObligationKind.MEDIUM_SANITIZED:
            assert one.evidence == covered.get(one.holding_id), "a medium was closed without its evidence"
        else:
            assert one.attested or one.evidence == covered.get(one.holding_id)
    for case, state in states.items():
        still = [one for one in obligations if one.case_id == case and one.closed is None]
        assert bool(still) == (state is CaseState.OPEN)
        if state is not CaseState.OPEN:
            assert not {pair for pair in told.dirty if pair[1] in sets[case]}, "a case is over and data is still there"


Step = tuple[Callable[..., None], ...]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_no_history_loses_residue_or_closes_anything_without_evidence(steps: list[Step]) -> None:
    folder = Path(mkdtemp(prefix="sanitrail-history-"))
    try:
        with copied_world(folder / "data") as world:
            told = begin(world)
            for act, *how in steps:
                world.clock.forward(minutes=1)
                before = set(told.dirty)
                try:
                    act(told, *how)
                except (InventoryError, IndexError, AssertionError, StopIteration):
                    told.dirty |= before  # refused: nothing was taken off a disk
                check(told)
    finally:
        shutil.rmtree(folder)
