"""Two runs on one host, and every trouble of its own: a disk that fills up, a root that turns read-only, a clock that is set.

The service listens, and the whole agent works in an emulated machine; its state lies on a small ext4 of its own. The first run
meets the clock: set years ahead and back before its lease and in the middle, and it ends while the clock is wrong. The second
meets the storage: full before its lease; turned read-only in the middle by the kernel's own emergency remount, which lets an
open file be written and synced in vain; and full at its end, where the agent is started anew besides. Each time nothing more is
written, nothing is claimed, and people are told; set right, it goes on by itself. A third disk nobody ordered anything for is
as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from inventory.domain.vocabulary import OrderState
from inventory.services import queries
from tests.support.live_service import free_port, serving

from .emulated import SECRET, Emulated, sata
from .machine import Machine
from .office import Office
from .office import office as at_the_office
from .rig import Rig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

MIB = 24
MARKED = MIB * 2048 // 16
"""Blocks of a medium: more than the markers before the first pass take, so that the pass itself has begun."""
BRISK, STEADY, SLOW = 0.03, 0.1, 3.0
"""Seconds added to each command of a disk: until the pass has begun; while a run is resumed; else, for troubles in the middle."""
STORE = "/srv/agent"
BUILT = f"""
modprobe -a loop ext4; mkdir -p {STORE}
truncate -s 96M /run/agent.img; mkfs.ext4 -q -F -b 1024 -m 0 /run/agent.img; mount -o loop /run/agent.img {STORE}
"""
FILLED = f"dd if=/dev/zero of={STORE}/filler bs=64k; dd if=/dev/zero of={STORE}/filler-too bs=1k; sync; true"
EMPTIED = f"rm {STORE}/filler {STORE}/filler-too"
READ_ONLY = f"echo u > /proc/sysrq-trigger; while ! grep -q '{STORE} ext4 ro' /proc/mounts; do sleep 0.1; done"
NOTED = "cut -d. -f1 /proc/uptime > /run/then; date +%s > /run/was"
SET_RIGHT = "date -s @$(( $(cat /run/was) + $(cut -d. -f1 /proc/uptime) - $(cat /run/then) ))"
AHEAD, BACK = "date -s '+10 years'", "date -s '-13 years'"

WAITING = frozenset({OrderState.LEASED, OrderState.EXECUTING, OrderState.INTERRUPTED})


@dataclass
class Story:
    """What was seen."""

    office: Office
    machine: Machine
    drives: dict[str, Emulated]
    base: str
    orders: dict[str, str] = field(default_factory=dict)
    """Numbers of the orders, by disk."""
    stood: dict[str, OrderState] = field(default_factory=dict)
    """What the service knew of an order while something was wrong."""
    said: dict[str, str] = field(default_factory=dict)
    """What the agent said of the clock."""
    told: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What stood on the host's page."""
    spared: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Blocks of the disk the wipe had not reached when the run waited, and heartbeats later."""
    kept_waiting: int = 0
    """Records in the outbox while the clock was wrong."""
    concluded: dict[str, bool] = field(default_factory=dict)

    @property
    def disk(self) -> Emulated:
        """The one that is worked on."""
        return self.drives["clocks" if "storage" not in self.orders else "storage"]

    def left(self) -> int:
        """Blocks of it that the wipe has not reached."""
        return self.disk.medium.blocks - sum(self.disk.medium.data)

    def order(self, name: str) -> None:
        """Approved by two, for a disk of the host."""
        self.office.have_wiped(self.drives[name].serial)
        self.orders[name] = self.office.order
        self.disk.faults.latency = BRISK

    def disks_are_known(self) -> None:
        known = {drive.serial for drive in self.drives.values()}
        self.machine.until(lambda: known <= self.office.serials(), "every disk is known")

    def is_slow_from_here(self) -> None:
        """The pass has begun; it takes minutes from now on."""
        self.machine.until(lambda: self.left() < self.disk.medium.blocks - MARKED, "the disk is written")
        self.disk.faults.latency = SLOW

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.machine.do(f"cat {STORE}/state/status.json"))
        return found

    def problem(self) -> str | None:
        """What the agent says of the clock of its host."""
        return self.shown()["clock"]["problem"]  # type: ignore[no-any-return]

    def clock(self, name: str, make: str) -> None:
        """Somebody sets the clock; the agent finds out, and the service takes nothing of it."""
        self.machine.do(make)
        word = "ahead of" if name.startswith("ahead") else "behind"
        self.machine.until(lambda: word in (self.problem() or ""), f"the agent doubts its clock: {name}")
        self.machine.until(lambda: self.refused_heartbeats() > 0, f"the service takes nothing of it: {name}")
        self.said[name] = f"{self.problem()}"
        self.stood[name] = self.office.now().state

    def refused_heartbeats(self) -> int:
        return int(self.shown()["exchanges"]["heartbeat"]["failures"])

    def clock_is_right(self) -> None:
        self.machine.do(SET_RIGHT)
        self.machine.until(lambda: self.problem() is None, "the agent believes its clock again")

    def tells(self, name: str, code: str) -> None:
        """The host says why it takes no order, and goes on saying it."""
        self.machine.until(
            lambda: any(reason.startswith(code) for reason in self.office.reasons()), f"the host tells {code}: {name}"
        )
        for _ in range(3):
            self.machine.is_heard(self.office, self.office.host)
        self.told[name] = self.office.reasons()

    def waits(self, name: str, since: int) -> None:
        """The run has stopped, said so, and writes nothing more however many heartbeats pass."""
        self.machine.until(lambda: " waits: " in self.machine.log()[since:], f"the run waits: {name}")
        noticed = self.left()
        self.tells(name, "state-")
        self.spared[name] = (noticed, self.left())
        self.stood[name] = self.office.now().state

    def arrives(self, name: str) -> None:
        """The record of an order."""
        self.disk.faults.latency = 0.0
        self.machine.until(lambda: self.office.now().state is OrderState.RECORDED, f"the record arrives: {name}")
        self.office.verified = False
        self.office.conclude()
        self.concluded[name] = self.office.verified


@pytest.fixture(scope="module")
def story(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """All of it."""
    folder = tmp_path_factory.mktemp("trouble")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    drives = {name: sata(f"LABWOE-{name.upper()}", mib=MIB) for name in ("clocks", "storage", "nobodys")}
    with (
        at_the_office(folder / "service", external_url=base, heartbeat_seconds=2) as office,
        serving(office.world.folder, port, external_url=base, heartbeat_seconds="2"),
        Rig(folder / "rig", bays=3) as rig,
    ):
        found = Story(office, Machine(rig, "crm-db-08"), drives, base)
        _is_at_work(found, port)
        _meets_the_clock(found)
        _meets_the_storage(found)
        found.machine.stop()
        yield found


def _is_at_work(story: Story, port: int) -> None:
    machine, office = story.machine, story.office
    machine.furnish(server=story.base, state_dir=f"{STORE}/state", outbox_retry_limit=5.0, give_up_below=0)
    machine.boot()
    for drive in story.drives.values():
        drive.plug(machine.rig)
        drive.medium.data = bytearray(drive.medium.blocks)
    machine.do(f"set -e; {BUILT}")
    machine.hears(port)
    office.host = machine.enrol(office)
    machine.start()


def _meets_the_clock(story: Story) -> None:
    story.disks_are_known()
    story.office.holds_data(story.drives["clocks"].serial, story.drives["storage"].serial)
    story.machine.do(NOTED)
    story.machine.do(AHEAD)
    story.order("clocks")
    story.clock("ahead, before the lease", "true")
    story.clock("back, before the lease", BACK)
    story.clock_is_right()
    story.is_slow_from_here()
    story.machine.do(NOTED)
    story.clock("back, in the middle", BACK)
    story.clock("ahead, in the middle", AHEAD + "; " + AHEAD)
    story.disk.faults.latency = 0.0
    story.machine.until(lambda: _outbox(story) > 0, "the run ends by itself")
    story.kept_waiting = _outbox(story)
    story.stood["ahead, at the end"] = story.office.now().state
    story.clock_is_right()
    story.arrives("clocks")


def _outbox(story: Story) -> int:
    return int(story.machine.do(f"ls {STORE}/state/outbox | grep -c json || true"))


def _meets_the_storage(story: Story) -> None:
    story.machine.do(FILLED)
    story.tells("full, before the lease", "state-disk-full")
    story.order("storage")
    story.tells("full, before the lease", "state-disk-full")
    story.stood["full, before the lease"] = story.office.now().state
    story.machine.do(EMPTIED)
    story.is_slow_from_here()
    since = len(story.machine.log())
    story.machine.do(READ_ONLY)
    story.waits("read-only, in the middle", since)
    story.disk.faults.latency = STEADY  # what was written before is sampled first
    story.machine.do(f"mount -o remount,rw {STORE}")
    story.machine.until(lambda: story.left() < story.spared["read-only, in the middle"][1], "the run goes on")
    story.disk.faults.latency = SLOW
    since = len(story.machine.log())
    story.machine.do(FILLED)
    story.disk.faults.latency = 0.0
    story.waits("full, in the middle", since)
    story.machine.stop()
    since = len(story.machine.log())
    story.machine.start()
    story.waits("full, started anew", since)
    story.machine.do(EMPTIED)
    story.arrives("storage")


@pytest.mark.parametrize("name", ["ahead, before the lease", "back, before the lease", "full, before the lease"])
def test_nothing_is_begun_by_a_host_in_trouble(story: Story, name: str) -> None:
    assert story.stood[name] is OrderState.APPROVED


@pytest.mark.parametrize("name", ["read-only, in the middle", "full, in the middle", "full, started anew"])
def test_a_run_stops_where_nothing_can_be_noted_and_nothing_is_claimed(story: Story, name: str) -> None:
    noticed, later = story.spared[name]
    assert noticed == later
    assert story.stood[name] in WAITING


def test_the_root_turned_read_only_in_the_middle(story: Story) -> None:
    assert 0 < story.spared["read-only, in the middle"][0] < story.disk.medium.blocks - MARKED


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("full, before the lease", "state-disk-full"),
        ("read-only, in the middle", "state-unwritable"),
        ("full, in the middle", "state-disk-full"),
        ("full, started anew", "state-disk-full"),
    ],
)
def test_heartbeats_go_on_and_say_what_is_wrong(story: Story, name: str, code: str) -> None:
    assert any(reason.startswith(f"{code}:") for reason in story.told[name])


def test_a_clock_that_is_set_is_noticed_before_the_lease_and_in_the_middle(story: Story) -> None:
    assert len(story.said) == 4, story.said
    assert story.stood["back, in the middle"] in WAITING
    assert story.stood["ahead, in the middle"] in WAITING


def test_a_run_that_ends_under_a_wrong_clock_keeps_its_record_until_it_is_right(story: Story) -> None:
    assert story.kept_waiting == 1
    assert story.stood["ahead, at the end"] in WAITING


def test_a_trouble_is_said_once_and_once_when_it_is_over(story: Story) -> None:
    lines = [line for line in story.machine.log().splitlines() if " state: " in line]
    begun, over = [sum(words in line for line in lines) for words in ("cannot be written", "well again")]
    assert begun == 4, lines  # full, read-only, full; and the agent that was started anew has not said it yet
    assert over == 3, lines
    assert len(story.machine.log().splitlines()) < 100, story.machine.log()


@pytest.mark.parametrize("name", ["clocks", "storage"])
def test_after_all_that_there_is_one_record_and_it_verifies(story: Story, name: str) -> None:
    context, auditor = story.office.world.context, story.office.world.actor("auditor")
    found = queries.order(context, auditor, story.orders[name])
    assert found.state is OrderState.VALIDATED
    assert found.record is not None
    assert found.evidence_records == ()
    assert story.concluded[name]


@pytest.mark.parametrize("name", ["clocks", "storage"])
def test_nothing_of_the_old_data_is_left(story: Story, name: str) -> None:
    medium = story.drives[name].medium
    assert not any(any(medium.durable(lba)) for lba in range(medium.blocks))


def test_nothing_else_was_written(story: Story) -> None:
    other = story.drives["nobodys"]
    assert not any(other.medium.data)
    assert other.old() == other.medium.blocks
    assert other.medium.durable(0).startswith(SECRET)
