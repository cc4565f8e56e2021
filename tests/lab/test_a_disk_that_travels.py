"""From a CRM on two stacks of disks to a certificate, by real parts: kernels, agents, service, and power that fails.

LVM on LUKS on RAID-1 and a btrfs pool hold a CRM's databases. A member of the RAID is swapped, a customer withdraws, and the disk
that was taken out is wiped. The host has no network: the service is away throughout, and what passes between them is carried as
files. The power is cut three times in the middle of the wipe. Then the disk goes into another machine together with the agent's
stick (its state), and is finished there. A host with a key of its own cannot take up the work meanwhile.

Five boots of an emulated machine: minutes.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
import time
from collections.abc import Iterator

import pytest

from inventory.domain.vocabulary import OrderState
from tests.support.capabilities import requires_tool

from .emulated import Emulated, sata
from .machine import PATIENCE, Machine
from .office import Office
from .office import office as at_the_office
from .rig import Rig
from .vm import LabError, Result

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(1800),
    requires_tool("mdadm", "lvm", "cryptsetup", "mkfs.btrfs"),
]

MIB = 48
CUTS = 3
SLOW = 0.15
"""Seconds added to each command of the disk while it is wiped, so that the power fails in the middle."""


@pytest.fixture(scope="module")
def drives(lab: None) -> dict[str, Emulated]:
    """Five disks: two of the RAID, two of the pool, and the one that takes the place of the second."""
    return {name: sata(f"LABCRM-{name.upper()}", mib=MIB) for name in ("one", "two", "three", "four", "new")}


@pytest.fixture(scope="module")
def office(drives: dict[str, Emulated], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The whole story."""
    folder = tmp_path_factory.mktemp("travels")
    with at_the_office(folder / "service") as found:
        with Rig(folder / "first", bays=5) as first, Rig(folder / "second", bays=1) as second:
            here, there = Machine(first, "crm-db-07"), Machine(second, "wipe-room")
            _lives(found, here, drives)
            _is_wiped_where_it_was(found, here, drives["two"])
            _is_finished_elsewhere(found, here, there, drives["two"])
        found.conclude()
        yield found


def _enrol(office: Office, machine: Machine) -> str:
    """A host without a network is introduced by hand; its number."""
    token = office.token(machine.name)
    machine.agent("airgap", "introduce", "--token", token, "--to", "/lab/introduction").checked()
    answer = office.introduced(json.loads((machine.rig.share / "introduction").read_text()))
    (machine.rig.share / "introduced").write_text(answer.model_dump_json(by_alias=True))
    pins = ("--trust-root", office.trust_root, "--roster", office.roster)
    machine.agent("airgap", "enrol", "/lab/introduced", *pins).checked()
    return office.confirm(answer)


def _carry_to(office: Office, machine: Machine, file: str) -> Result:
    """A job bundle, made and taken in."""
    (machine.rig.share / file).write_text(json.dumps(office.job_bundle()))
    return machine.agent("airgap", "in", f"/lab/{file}")


def _lives(office: Office, host: Machine, drives: dict[str, Emulated]) -> None:
    host.furnish()
    host.boot()
    for drive in drives.values():
        drive.plug(host.rig)
    host.guest("crm_host.py", "build", *(drives[name].node for name in ("one", "two", "three", "four")))
    office.host = _enrol(office, host)
    office.declare(office.host, "/srv/crm", "/srv/crm-archive")
    _carry_to(office, host, "paths").checked()
    office.receive(host.out("seen-1"))
    host.guest("crm_host.py", "swap", drives["two"].node, drives["new"].node)
    office.receive(host.out("seen-2"))
    office.withdraw()
    office.have_wiped(drives["two"].serial, acknowledged=("linux-raid-member",))
    _carry_to(office, host, "job").checked()


def _is_wiped_where_it_was(office: Office, host: Machine, drive: Emulated) -> None:
    """Begun once and gone on with twice; each time the power fails in the middle of writing."""
    for _ in range(CUTS):
        drive.medium.data = bytearray(drive.medium.blocks)
        drive.faults.latency = SLOW
        ended: list[str] = []
        work = threading.Thread(target=_work_until_dark, args=(host, ended), daemon=True)
        work.start()
        end = time.monotonic() + PATIENCE
        while sum(drive.medium.data) < drive.medium.blocks // 4:
            assert not ended, ended
            assert time.monotonic() < end, "nothing was written"
            time.sleep(0.05)
        drive.faults.latency = 0.0
        host.rig.power_cut()
        work.join(30)
        zero = sum(not any(drive.medium.durable(lba)) for lba in range(0, drive.medium.blocks, 64)) * 64
        office.left.append((zero * 512, drive.medium.blocks * 512))
        if len(office.left) < CUTS:
            host.boot()
            drive.find(host.rig)


def _work_until_dark(host: Machine, ended: list[str]) -> None:
    with contextlib.suppress(LabError):
        ended.append(host.agent("airgap", "work").out)


def _is_finished_elsewhere(office: Office, host: Machine, other: Machine, drive: Emulated) -> None:
    assert drive.plugged is not None
    assert drive.plugged.bay is not None
    drive.plugged.bay.adapter.remove(0)
    other.furnish()
    other.boot()
    drive.plug(other.rig)
    _enrol(office, other)
    shutil.copy(host.rig.share / "job", other.rig.share / "job")
    office.stranger = other.agent("airgap", "in", "/lab/job").out
    shutil.rmtree(other.stick)
    shutil.copytree(host.stick, other.stick)
    other.agent("airgap", "work").checked()
    office.receive(other.out("records"))
    office.receive(json.loads((other.rig.share / "records").read_text()))
    office.receive(other.out("records-again"))


def test_the_disk_that_was_taken_out_and_the_one_that_took_its_place_are_both_in_the_case(
    office: Office, drives: dict[str, Emulated]
) -> None:
    assert office.case is not None
    told = {one.device for one in office.case.obligations}
    assert told == {office.device(drive.serial).id for drive in drives.values()}


def test_the_power_failed_three_times_in_the_middle(office: Office) -> None:
    assert len(office.left) == CUTS
    assert all(0 < zero < whole for zero, whole in office.left), office.left


def test_a_host_with_another_key_cannot_take_up_the_work(office: Office) -> None:
    assert "this host's is" in office.stranger


def test_nothing_of_the_old_data_is_left_on_the_disk(office: Office, drives: dict[str, Emulated]) -> None:
    medium = drives["two"].medium
    assert not any(any(medium.durable(lba)) for lba in range(medium.blocks))


def test_the_record_arrives_once_however_often_it_is_carried(office: Office) -> None:
    parts = [[(one.what, one.outcome) for one in taken.parts if one.what == "record"] for taken in office.taken]
    assert parts == [[], [], [("record", "taken-in")], [("record", "taken-in")], [("record", "known")]]
    assert office.taken[3].new is False
    assert office.now().state is OrderState.VALIDATED


def test_what_arrived_verifies(office: Office) -> None:
    assert office.verified
