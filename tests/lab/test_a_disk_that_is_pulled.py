"""A disk is pulled in the middle of its run and put into another host: two kernels, two agents at work, one service.

People hear of it while it is there, and neither host writes to it. Back in the first one, the run goes on from its journal, and
its record arrives once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import OrderState
from tests.support.live_service import free_port, serving

from .emulated import Emulated, sata
from .machine import Machine
from .office import Office
from .office import office as at_the_office
from .rig import Rig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

MIB = 24
MARKED = MIB * 2048 // 16
"""Blocks of the disk: more than the markers before the pass take."""
BRISK, SLOW = 0.03, 0.5
"""Seconds added to each command of the disk, until the pass has begun and from then on: it is pulled in the middle."""
MOVED = ExceptionCode.RUN_DISK_MOVED


@dataclass
class Seen:
    """What was seen."""

    office: Office
    hosts: tuple[Machine, Machine]
    disk: Emulated
    pulled_at: int = 0
    """Blocks the wipe had not reached when the first host had noticed."""
    elsewhere: list[int] = field(default_factory=list)
    """The same while it was in the second host, heartbeat after heartbeat."""
    raised: tuple[str, ...] = ()
    stood: OrderState | None = None
    left_open: tuple[str, ...] = ()

    def left(self) -> int:
        """Blocks that the wipe has not reached."""
        return self.disk.medium.blocks - sum(self.disk.medium.data)


@pytest.fixture(scope="module")
def seen(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """All of it."""
    folder = tmp_path_factory.mktemp("pulled")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with (
        at_the_office(folder / "service", external_url=base, heartbeat_seconds=2) as office,
        serving(office.world.folder, port, external_url=base, heartbeat_seconds="2"),
        Rig(folder / "first", bays=1) as one,
        Rig(folder / "second", bays=1) as two,
    ):
        found = Seen(office, (Machine(one, "crm-db-09"), Machine(two, "crm-db-10")), sata("LABPULLED", mib=MIB))
        numbers = tuple(_at_work(office, machine, port, base) for machine in found.hosts)
        _is_pulled(found)
        _is_in_the_second(found, numbers)
        _is_back(found)
        for machine in found.hosts:
            machine.stop()
        yield found


def _at_work(office: Office, machine: Machine, port: int, base: str) -> str:
    machine.furnish(server=base, outbox_retry_limit=5.0, give_up_below=0)
    machine.boot()
    machine.hears(port)
    number = machine.enrol(office)
    machine.start()
    return number


def _is_pulled(seen: Seen) -> None:
    first, disk = seen.hosts[0], seen.disk
    disk.plug(first.rig)
    disk.medium.data = bytearray(disk.medium.blocks)
    first.until(lambda: disk.serial in seen.office.serials(), "the disk is known")
    seen.office.holds_data(disk.serial)
    disk.faults.latency = BRISK
    seen.office.have_wiped(disk.serial)
    first.until(lambda: seen.left() < disk.medium.blocks - MARKED, "the pass has begun")
    disk.faults.latency = SLOW
    disk.unplug(first.rig)
    first.until(lambda: " waits: " in first.log(), "the run waits")
    seen.pulled_at = seen.left()
    disk.faults.latency = 0.0


def _is_in_the_second(seen: Seen, numbers: tuple[str, ...]) -> None:
    office, second = seen.office, seen.hosts[1]
    seen.disk.plug(second.rig)
    second.until(lambda: bool(office.open_exceptions(MOVED)), "somebody hears of it")
    for _ in range(3):
        for machine, number in zip(seen.hosts, numbers, strict=True):
            machine.is_heard(office, number)
        seen.elsewhere.append(seen.left())
    seen.raised = office.open_exceptions(MOVED)
    seen.stood = office.now().state
    seen.disk.unplug(second.rig)


def _is_back(seen: Seen) -> None:
    office, first = seen.office, seen.hosts[0]
    seen.disk.plug(first.rig)
    first.until(lambda: not office.open_exceptions(MOVED), "it is seen where it belongs")
    first.until(lambda: office.now().state is OrderState.RECORDED, "the record arrives")
    seen.left_open = office.open_exceptions(MOVED)
    office.conclude()


def test_it_was_pulled_in_the_middle(seen: Seen) -> None:
    assert 0 < seen.pulled_at < seen.disk.medium.blocks - MARKED


def test_people_hear_of_it_and_what_to_do(seen: Seen) -> None:
    (words,) = seen.raised
    assert all(machine.name in words for machine in seen.hosts)
    assert "Put it back into crm-db-09" in words
    assert seen.left_open == ()


def test_neither_host_writes_to_it_meanwhile_and_nothing_is_claimed(seen: Seen) -> None:
    assert seen.elsewhere == [seen.pulled_at] * 3
    assert seen.stood not in {OrderState.RECORDED, OrderState.REFUSED, OrderState.FAILED}
    assert "run " not in seen.hosts[1].log(), "the second host was never given anything to do"


def test_back_where_it_was_the_run_goes_on_and_there_is_one_record_that_verifies(seen: Seen) -> None:
    assert seen.office.now().state is OrderState.VALIDATED
    assert seen.office.now().evidence_records == ()
    assert seen.office.verified
    medium = seen.disk.medium
    assert not any(any(medium.durable(lba)) for lba in range(medium.blocks))
