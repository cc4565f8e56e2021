"""Hidden blocks come back, one change per power cycle, and every other case is refused or told."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports.record import CapacityProof
from sanitizer.capability import HiddenCapacity, Tri
from sanitizer.capacity import CapacityChange, restore_capacity
from sanitizer.capacity_notes import maximum_note, note_name, proven_maximum
from sanitizer.deriving import capabilities_of
from sanitizer.errors import (
    CapacityNotRestored,
    CapacityUnrestorable,
    ConfirmationMissing,
    DeviceBusy,
    DeviceChanged,
    DormantMember,
    MountedFilesystem,
    PowerCycleNeeded,
    Refused,
)
from sanitizer.identity import DeviceIdentity
from sanitizer.inspection import Inspection
from sanitizer.probing import probe
from sanitizer.rescanning import rescan
from sanitizer.transport.base import OpenDevice
from sanitizer.transport.commands import ScsiAnswer
from sanitizer.wire import ata_commands
from tests.lab.drives.ata import AtaDrive
from tests.lab.drives.ata_identify import AtaModel
from tests.lab.drives.clock import ManualClock
from tests.lab.drives.faults import Faults
from tests.lab.drives.medium import Medium
from tests.lab.drives.ports import EmulatedDevice, ScsiBlocks, TargetPort
from tests.lab.drives.sat import SataDisk
from tests.lab.drives.scsi import ScsiDisk
from tests.lab.drives.scsi_pages import ScsiModel

BLOCKS = 4096
PATH = "/dev/emulated"


@dataclass
class Bench:
    """One drive on one host; implements `Look`."""

    target: SataDisk | ScsiDisk
    path: str = "direct"
    boot: str = "boot-1"
    sequence: int = 1
    obstacles: tuple[Refused, ...] = ()
    claims: int = 0
    attached_anew: bool = False
    state: Path | None = None

    def __post_init__(self) -> None:
        self.blocks = ScsiBlocks(self.target, self.target.medium.clock)
        self.target.attention = None

    def claim(self, path: str) -> EmulatedDevice:
        assert path == PATH
        self.claims += 1
        return EmulatedDevice(self.blocks, self.target.medium.clock, path=PATH, sequence=self.sequence)

    def inspect(self, path: str | Path) -> Inspection:
        assert str(path) == PATH
        return self.inspect_open(EmulatedDevice(self.blocks, self.target.medium.clock, sequence=self.sequence))

    def inspect_open(self, device: OpenDevice) -> Inspection:
        if self.attached_anew and self.claims:
            self.sequence = 99
        geometry = device.geometry()
        names = {"kind": "ata", "model": "LAB", "serial": "LAB0001", "wwn": None, "eui64": None, "nguid": None}
        proven = proven_maximum(self.state, note_name(names)) if self.state is not None else None
        capabilities = capabilities_of(probe(device.ports(), transport="sata"), path=self.path, proven=proven)
        return Inspection(
            path=PATH,
            identity=DeviceIdentity(
                kind="ata",
                vendor=None,
                model="LAB",
                serial="LAB0001",
                wwn=None,
                eui64=None,
                nguid=None,
                capacity_bytes=geometry.size_bytes,
                logical_block_bytes=512,
                physical_block_bytes=512,
            ),
            kind="ata",
            firmware=None,
            media="flash",
            transport="sata",
            slot=None,
            removable=False,
            hidden_capacity="unknown",
            capacity_bytes=geometry.size_bytes,
            obstacles=self.obstacles,
            dormant_signatures=(),
            zoned=False,
            disk_sequence=self.sequence,
            boot_id=self.boot,
            taken=datetime(2026, 1, 1, tzinfo=UTC),
            capabilities=capabilities,
        )

    def power_cycle(self) -> None:
        self.target.power_cut()
        self.target.power_on()
        self.target.attention = None
        self.sequence += 1

    def restore(self, state: Path, fingerprint: str | None = None) -> CapacityChange:
        self.state = state
        confirmed = fingerprint if fingerprint is not None else self.inspect(PATH).fingerprint or ""
        return restore_capacity(
            PATH, confirmed, state, look=self, claim=self.claim, ask_again=lambda _device, _change: None
        )


def bench(prepare: Callable[[AtaDrive], None], faults: Faults | None = None, **facts: object) -> Bench:
    model = AtaModel(**facts)  # type: ignore[arg-type]  # fields by name
    drive = AtaDrive(Medium(BLOCKS, faults=faults, clock=ManualClock()), model=model)
    prepare(drive)
    return Bench(SataDisk(drive))


def hpa(drive: AtaDrive) -> None:
    drive.capacity.hide(hpa=1000)


def commands(tested: Bench) -> list[int]:
    """Opcodes of the ATA commands that went out."""
    return [cdb[14] for cdb in tested.blocks.sent if cdb[0] == 0x85]


def test_a_protected_area_is_given_back_by_two_commands_with_nothing_between(tmp_path: Path) -> None:
    tested = bench(hpa)
    change = tested.restore(tmp_path)
    assert (change.before_bytes, change.after_bytes) == ((BLOCKS - 1000) * 512, BLOCKS * 512)
    assert (change.changed, change.next_step, change.after.present) == ("hpa", "nothing", Tri.NO)
    sent = commands(tested)
    at = sent.index(0x37)
    assert sent[at - 1] == 0x27
    assert next(cdb for cdb in tested.blocks.sent if cdb[14:15] == b"\x37")[6] == 1  # non-volatile
    tested.power_cycle()
    assert tested.inspect(PATH).capacity_bytes == BLOCKS * 512


@pytest.mark.parametrize("wide", [True, False])
def test_a_drive_with_short_addresses_is_asked_in_its_own_width(tmp_path: Path, wide: bool) -> None:
    tested = bench(hpa, lba48=wide)
    assert tested.restore(tmp_path).after_bytes == BLOCKS * 512
    assert {0x37, 0xF9} & set(commands(tested)) == {0x37 if wide else 0xF9}


def test_two_ways_of_hiding_take_two_visits_with_a_power_cycle_between(tmp_path: Path) -> None:
    tested = bench(lambda drive: drive.capacity.hide(hpa=100, dco=200))
    first = tested.restore(tmp_path)
    assert (first.changed, first.next_step, first.after.by) == ("hpa", "power-cycle", ("dco",))
    with pytest.raises(PowerCycleNeeded) as refused:
        tested.restore(tmp_path)
    assert refused.value.changed == "hpa"
    assert 0xB1 not in [cdb[14] for cdb in tested.blocks.sent if cdb[0] == 0x85 and cdb[4] == 0xC0]
    tested.power_cycle()
    second = tested.restore(tmp_path)
    assert (second.changed, second.after_bytes, second.next_step) == ("dco", BLOCKS * 512, "nothing")


def test_the_rule_is_remembered_by_another_process_and_forgotten_with_the_boot(tmp_path: Path) -> None:
    tested = bench(lambda drive: drive.capacity.hide(hpa=100, dco=200))
    tested.restore(tmp_path)
    again = Bench(tested.target)
    with pytest.raises(PowerCycleNeeded):
        again.restore(tmp_path)
    again.boot = "boot-2"
    assert again.restore(tmp_path).changed == "dco"


def test_a_note_that_cannot_be_read_or_written_keeps_the_drive_as_it_is(tmp_path: Path) -> None:
    tested = bench(hpa)
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(CapacityUnrestorable, match="note"):
        tested.restore(in_the_way)
    assert 0x37 not in commands(tested)
    tested.restore(tmp_path)
    (note,) = tmp_path.glob("capacity-*.json")
    note.write_text("{torn")
    tested.power_cycle()
    hidden = bench(hpa)
    with pytest.raises(CapacityUnrestorable, match="note"):
        hidden.restore(tmp_path)


def test_the_change_is_noted_before_it_is_sent(tmp_path: Path) -> None:
    tested = bench(hpa)
    port = tested.blocks.ports.scsi
    assert isinstance(port, TargetPort)
    noted: list[bool] = []
    send = port.scsi

    def watched(cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:
        if cdb[14:15] == b"\x37":
            noted.append(bool(list(tmp_path.glob("capacity-*.json"))))
        return send(cdb, timeout_ms=timeout_ms, read=read, write=write)

    port.scsi = watched  # type: ignore[method-assign]  # looks on
    tested.restore(tmp_path)
    assert noted == [True]


def test_an_accessible_maximum_is_lifted(tmp_path: Path) -> None:
    tested = bench(lambda drive: drive.capacity.hide(amax=500), amax=True, hpa=False)
    change = tested.restore(tmp_path)
    assert (change.changed, change.after_bytes, change.next_step) == ("amax", BLOCKS * 512, "nothing")


def test_a_short_stroked_sas_disk_shows_all_of_its_blocks(tmp_path: Path) -> None:
    disk = ScsiDisk(Medium(BLOCKS, clock=ManualClock()))
    disk.hide(1000)
    change = Bench(disk).restore(tmp_path)
    assert (change.changed, change.after_bytes) == ("block-descriptor", BLOCKS * 512)


def test_a_sas_disk_that_hides_nothing_is_left_as_it_is(tmp_path: Path) -> None:
    change = Bench(ScsiDisk(Medium(BLOCKS, clock=ManualClock()))).restore(tmp_path)
    assert (change.changed, change.after_bytes, change.next_step) == (None, BLOCKS * 512, "nothing")
    assert change.to_dict()["proven"] is True
    (name,) = (path.stem.partition("-")[2] for path in tmp_path.glob("maximum-*.json"))
    kept = CapacityProof.from_dict(maximum_note(tmp_path, name))
    assert (kept.blocks * kept.block_bytes, len(kept.sent) > 0) == (change.after_bytes, True), "as records take it in"


def hidden_of(tested: Bench) -> HiddenCapacity:
    capabilities = tested.inspect(PATH).capabilities
    assert capabilities is not None
    return capabilities.hidden


def sas(change: Callable[[ScsiDisk], object] = lambda _: None, faults: Faults | None = None, **facts: object) -> Bench:
    model = ScsiModel(**facts)  # type: ignore[arg-type]  # fields by name
    disk = ScsiDisk(Medium(BLOCKS, faults=faults, clock=ManualClock()), model=model)
    change(disk)
    return Bench(disk)


@pytest.mark.parametrize("hidden", [0, 1000])
def test_a_sas_disk_told_to_show_all_it_has_proves_that_nothing_is_hidden(tmp_path: Path, hidden: int) -> None:
    tested = sas(lambda disk: disk.hide(hidden))
    assert hidden_of(tested).present is (Tri.YES if hidden else Tri.UNKNOWN)
    change = tested.restore(tmp_path)
    assert (change.proven, change.after, change.next_step) == (
        True,
        HiddenCapacity(native_bytes=BLOCKS * 512, present=Tri.NO, by=()),
        "nothing",
    )
    tested.power_cycle()
    assert hidden_of(tested).present is Tri.NO
    assert tested.restore(tmp_path).changed is None


def test_what_was_proven_finds_what_somebody_hides_later(tmp_path: Path) -> None:
    tested = sas()
    tested.restore(tmp_path)
    assert isinstance(tested.target, ScsiDisk)
    tested.target.hide(7)
    assert (hidden_of(tested).present, hidden_of(tested).native_bytes) == (Tri.YES, BLOCKS * 512)
    assert tested.restore(tmp_path).after.present is Tri.NO  # a disk knows no power cycle between


def test_a_disk_with_storage_elements_out_of_use_proves_nothing(tmp_path: Path) -> None:
    change = sas(elements_removed=1).restore(tmp_path)
    assert (change.proven, change.after.present) == (False, Tri.UNKNOWN)
    assert not list(tmp_path.glob("maximum-*"))
    assert sas(elements_removed=0).restore(tmp_path).proven


def test_a_disk_that_does_not_tell_whether_it_can_lose_elements_proves_nothing(tmp_path: Path) -> None:
    assert not sas(opcodes=False).restore(tmp_path).proven


def test_a_disk_that_has_lost_blocks_since_proves_nothing_by_showing_the_rest(tmp_path: Path) -> None:
    sas().restore(tmp_path)
    smaller = Bench(ScsiDisk(Medium(BLOCKS - 100, clock=ManualClock())))
    change = smaller.restore(tmp_path)
    assert (change.proven, change.after.present, change.next_step) == (False, Tri.YES, "power-cycle")


def answering(tested: Bench, opcode: int, changed: Callable[[bytes, ScsiAnswer], ScsiAnswer]) -> None:
    """Let the disk answer one command in another way."""
    port = tested.blocks.ports.scsi
    assert isinstance(port, TargetPort)
    send = port.scsi

    def other(cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:
        answer = send(cdb, timeout_ms=timeout_ms, read=read, write=write)
        return changed(cdb, answer) if cdb[0] == opcode else answer

    port.scsi = other  # type: ignore[method-assign]  # a disk with its own ways


@pytest.mark.parametrize("told", [BLOCKS - 1, BLOCKS + 1, 0])
def test_a_disk_that_tells_two_numbers_proves_neither(tmp_path: Path, told: int) -> None:
    tested = sas()

    def other(cdb: bytes, answer: ScsiAnswer) -> ScsiAnswer:
        if cdb[2] >> 6:  # the default values stay
            return answer
        data = answer.data[:8] + told.to_bytes(8, "big") + answer.data[16:]
        return dataclasses.replace(answer, data=data)

    answering(tested, 0x5A, other)
    change = tested.restore(tmp_path)
    assert not change.proven
    assert not list(tmp_path.glob("maximum-*"))


def test_a_disk_that_goes_on_promising_more_proves_nothing(tmp_path: Path) -> None:
    tested = sas()

    def more(cdb: bytes, answer: ScsiAnswer) -> ScsiAnswer:
        if cdb[2] >> 6 != 2:
            return answer
        return dataclasses.replace(answer, data=answer.data[:8] + (BLOCKS + 9).to_bytes(8, "big") + answer.data[16:])

    answering(tested, 0x5A, more)
    change = tested.restore(tmp_path)
    assert (change.proven, change.after.present, change.next_step) == (False, Tri.YES, "power-cycle")


def test_a_disk_that_refuses_to_show_all_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CapacityUnrestorable, match="MODE SELECT"):
        sas(faults=Faults(refuses=frozenset({"capacity"}))).restore(tmp_path)
    assert not list(tmp_path.glob("maximum-*"))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"blocks": "9", "block_bytes": 512}', '{"blocks": true, "block_bytes": 1}']
)
def test_a_damaged_note_is_no_proof(tmp_path: Path, text: str) -> None:
    tested = sas()
    tested.restore(tmp_path)
    (note,) = tmp_path.glob("maximum-*")
    kept = json.loads(note.read_text())
    assert (kept["blocks"], kept["block_bytes"], kept["sent"][:4]) == (BLOCKS, 512, "5511")
    note.write_text(text)
    assert hidden_of(tested).present is Tri.UNKNOWN


def test_a_note_is_of_one_drive_and_of_none_that_cannot_be_told_apart() -> None:
    names = {"kind": "scsi", "model": "M", "serial": "1", "wwn": None, "eui64": None, "nguid": None}
    assert note_name(names) == note_name({**names, "serial": " 1 \0"})
    assert (
        len({note_name({**names, **other}) for other in ({}, {"serial": "2"}, {"wwn": "naa.5"}, {"model": "N"})}) == 4
    )
    for blank in (None, "", "0000"):
        assert note_name({**names, "serial": blank, "wwn": "0x0000"}) is None


def test_a_note_of_the_largest_capacity_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tested = sas()
    tested.restore(tmp_path)
    (note,) = tmp_path.glob("maximum-*")
    note.unlink()
    note.mkdir()
    with pytest.raises(CapacityUnrestorable, match="largest capacity"):
        tested.restore(tmp_path)


def test_nothing_hidden_sends_nothing(tmp_path: Path) -> None:
    tested = bench(lambda _: None)
    change = tested.restore(tmp_path)
    assert (change.changed, change.command, change.next_step) == (None, None, "nothing")
    assert not {0x37, 0xF9} & set(commands(tested))
    assert not list(tmp_path.iterdir())
    assert change.to_dict()["changed"] is None


def test_what_could_not_be_asked_is_not_changed(tmp_path: Path) -> None:
    with pytest.raises(CapacityUnrestorable, match="could not be asked"):
        bench(hpa, Faults(refuses=frozenset({"hpa"})), dco=False).restore(tmp_path)


def test_what_hides_blocks_without_telling_is_asked_first_and_its_refusal_ends_the_visit(tmp_path: Path) -> None:
    tested = bench(hpa, Faults(refuses=frozenset({"hpa"})))
    assert tested.inspect(PATH).capabilities.hidden.by == ("hpa", "dco")  # type: ignore[union-attr]  # a SATA drive has some
    with pytest.raises(CapacityUnrestorable, match="READ NATIVE MAX"):
        tested.restore(tmp_path)


@pytest.mark.parametrize("path", ["usb-bridge", "raid", "virtual", "unknown"])
def test_only_a_direct_path_is_trusted_with_it(tmp_path: Path, path: str) -> None:
    tested = bench(hpa)
    tested.path = path
    with pytest.raises(CapacityUnrestorable, match=path):
        tested.restore(tmp_path)
    assert 0x37 not in commands(tested)


def test_another_fingerprint_is_no_confirmation(tmp_path: Path) -> None:
    tested = bench(hpa)
    with pytest.raises(ConfirmationMissing):
        tested.restore(tmp_path, "0" * 64)
    assert tested.claims == 0


def test_a_device_in_use_is_left_alone_and_a_dormant_member_is_not_destroyed_by_it(tmp_path: Path) -> None:
    tested = bench(hpa)
    tested.obstacles = (MountedFilesystem(mount_points=("/srv",)),)
    with pytest.raises(MountedFilesystem):
        tested.restore(tmp_path)
    tested.obstacles = (DormantMember(signatures=("lvm2-member",)),)
    assert tested.restore(tmp_path).changed == "hpa"


def test_a_device_that_was_attached_anew_meanwhile_is_another(tmp_path: Path) -> None:
    tested = bench(hpa)
    tested.attached_anew = True
    with pytest.raises(DeviceChanged):
        tested.restore(tmp_path)


def test_a_claim_that_fails_is_passed_on(tmp_path: Path) -> None:
    tested = bench(hpa)

    def busy(path: str) -> OpenDevice:
        raise DeviceBusy(path=path)

    with pytest.raises(DeviceBusy):
        restore_capacity(PATH, tested.inspect(PATH).fingerprint or "", tmp_path, look=tested, claim=busy)


def test_a_drive_that_agrees_and_does_nothing_is_found_out(tmp_path: Path) -> None:
    tested = bench(hpa)
    port = tested.blocks.ports.scsi
    assert isinstance(port, TargetPort)
    send = port.scsi

    def agrees(cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:
        harmless = ata_commands.read_native_max_ext().cdb if cdb[14:15] == b"\x37" else cdb
        return send(harmless, timeout_ms=timeout_ms, read=read, write=write)

    port.scsi = agrees  # type: ignore[method-assign]  # a drive that lies
    with pytest.raises(CapacityNotRestored):
        tested.restore(tmp_path)


def test_unallocated_capacity_is_reached_by_sanitize_only(tmp_path: Path) -> None:
    tested = bench(hpa)

    class Other(Bench):
        def inspect_open(self, device: OpenDevice) -> Inspection:
            found = super().inspect_open(device)
            assert found.capabilities is not None
            hidden = HiddenCapacity(native_bytes=None, present=Tri.YES, by=("unallocated",))
            return dataclasses.replace(found, capabilities=dataclasses.replace(found.capabilities, hidden=hidden))

    with pytest.raises(CapacityUnrestorable, match="sanitize"):
        Other(tested.target).restore(tmp_path)


# --- the kernel is asked again ------------------------------------------------------------------------------------


def test_a_sata_drive_is_looked_for_by_its_host_before_the_disk_is_asked(tmp_path: Path) -> None:
    device = tmp_path / "devices/pci/ata1/host3/target3:0:0/3:0:0:0"
    scan = tmp_path / "devices/pci/ata1/host3/scsi_host/host3/scan"
    for place in (device, scan.parent, tmp_path / "block/sdx"):
        place.mkdir(parents=True)
    (device / "rescan").write_text("")
    scan.write_text("")
    (tmp_path / "block/sdx/device").symlink_to(device)
    assert rescan("sdx", tmp_path, whole_host=True)
    assert (scan.read_text(), (device / "rescan").read_text()) == ("- - -", "1")


def test_every_controller_of_a_namespace_is_asked(tmp_path: Path) -> None:
    for controller in ("nvme0", "nvme1"):
        place = tmp_path / "block/nvme0n1/device" / controller
        place.mkdir(parents=True)
        (place / "rescan_controller").write_text("")
    assert rescan("nvme0n1", tmp_path)
    written = [place.read_text() for place in (tmp_path / "block/nvme0n1/device").glob("*/rescan_controller")]
    assert written == ["1", "1"]


def test_a_device_without_the_means_is_left_with_what_the_kernel_knows(tmp_path: Path) -> None:
    assert not rescan("loop0", tmp_path)
    assert not list(tmp_path.iterdir())
