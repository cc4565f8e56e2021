"""Emulated drives are asked what they can do: what they refuse, garble or leave open is unknown, and asking changes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer import probing
from sanitizer.capability import Capabilities, SanitizePhase, Tri
from sanitizer.deriving import capabilities_of, path_of
from sanitizer.drive_obstacles import medium_answers, of_drive
from sanitizer.errors import CommandTimeout, DeviceGone, HostRejected
from sanitizer.probing import Answers, Reply, probe
from sanitizer.transport.commands import Ports, ScsiAnswer
from sanitizer.wire import ata_commands
from tests.lab.drives.ata import AtaDrive
from tests.lab.drives.ata_identify import AtaModel
from tests.lab.drives.clock import ManualClock
from tests.lab.drives.emmc import EmmcDevice
from tests.lab.drives.faults import Faults
from tests.lab.drives.medium import Medium
from tests.lab.drives.nvme import NvmeController
from tests.lab.drives.nvme_ports import MmcBlocks, NvmeBlocks
from tests.lab.drives.nvme_subsystem import NvmeSubsystem
from tests.lab.drives.ports import ScsiBlocks, TargetPort
from tests.lab.drives.sat import SataDisk
from tests.lab.drives.scsi import ScsiDisk
from tests.lab.drives.scsi_pages import ScsiModel
from tests.lab.drives.usb_bridge import Habit, UsbBridge

BLOCKS = 4096


def medium(faults: Faults | None = None) -> Medium:
    return Medium(BLOCKS, faults=faults, clock=ManualClock())


def sata(
    faults: Faults | None = None, prepare: Callable[[AtaDrive], None] = lambda _: None, **facts: object
) -> SataDisk:
    drive = AtaDrive(medium(faults), model=AtaModel(**facts))  # type: ignore[arg-type]  # fields by name
    prepare(drive)
    return SataDisk(drive)


def told(ports: Ports, transport: str = "sata") -> Capabilities:
    found = capabilities_of(probe(ports, transport=transport), path="direct")
    assert found is not None
    return found


def of_sata(disk: SataDisk) -> Capabilities:
    return told(ScsiBlocks(disk, ManualClock()).ports)


def of_nvme(subsystem: NvmeSubsystem) -> Capabilities:
    return told(NvmeBlocks(NvmeController(subsystem)).ports)


# --- ATA ----------------------------------------------------------------------------------------------------------


def test_a_sata_drive_tells_what_it_can_do() -> None:
    found = of_sata(sata())
    assert found.ata is not None
    assert {found.ata.sanitize, found.ata.crypto_scramble, found.ata.block_erase, found.ata.overwrite} == {Tri.YES}
    assert (found.ata.security, found.ata.security_enabled, found.ata.rotational) == (Tri.YES, Tri.NO, Tri.NO)
    assert found.standing is not None
    assert found.standing.phase is SanitizePhase.IDLE
    assert (found.hidden.present, found.hidden.native_bytes) == (Tri.NO, BLOCKS * 512)


def test_a_drive_without_sanitize_is_not_asked_for_its_status() -> None:
    disk = sata(sanitize=frozenset())
    blocks = ScsiBlocks(disk, ManualClock())
    found = told(blocks.ports)
    assert found.ata is not None
    assert (found.ata.sanitize, found.ata.block_erase, found.standing) == (Tri.NO, Tri.NO, None)
    assert ata_commands.sanitize_status().cdb not in blocks.sent


@pytest.mark.parametrize("hides", ["hpa", "dco", "amax"])
def test_hidden_blocks_are_found_and_named(hides: str) -> None:
    amax = hides == "amax"
    found = of_sata(sata(prepare=lambda drive: drive.capacity.hide(**{hides: 1000}), amax=amax, hpa=not amax))
    assert (found.hidden.present, found.hidden.by) == (Tri.YES, (hides,))
    if hides != "amax":
        assert found.hidden.native_bytes == BLOCKS * 512


def test_two_ways_of_hiding_are_told_apart() -> None:
    found = of_sata(sata(prepare=lambda drive: drive.capacity.hide(hpa=100, dco=200)))
    assert found.hidden.by == ("hpa", "dco")
    assert found.hidden.native_bytes == BLOCKS * 512


@pytest.mark.parametrize("refuses", ["hpa", "dco"])
def test_a_question_that_is_refused_leaves_hidden_blocks_unknown(refuses: str) -> None:
    found = of_sata(sata(Faults(refuses=frozenset({refuses}))))
    assert (found.hidden.present, found.hidden.by, found.hidden.native_bytes) == (Tri.UNKNOWN, (refuses,), None)


@pytest.mark.parametrize(
    ("faults", "phase"),
    [
        (Faults(failed_before=True), SanitizePhase.FAILED),
        (Faults(succeeded_before=True), SanitizePhase.SUCCEEDED),
        (Faults(sanitize_frozen=True), SanitizePhase.FROZEN),
    ],
)
def test_the_standing_is_the_drives_own_word(faults: Faults, phase: SanitizePhase) -> None:
    standing = of_sata(sata(faults)).standing
    assert standing is not None
    assert standing.phase is phase
    assert standing.raw


def test_a_drive_in_the_middle_of_a_sanitize_tells_its_progress_and_is_not_to_be_read() -> None:
    disk = sata(Faults(seconds=100.0))
    clock = disk.medium.clock
    assert isinstance(clock, ManualClock)
    blocks = ScsiBlocks(disk, clock)
    disk.attention = None
    assert blocks.ports.scsi is not None
    blocks.ports.scsi.scsi(ata_commands.sanitize_block_erase().cdb, timeout_ms=1000)
    clock.sleep(50.0)
    found = told(blocks.ports)
    assert found.standing is not None
    assert found.standing.phase is SanitizePhase.IN_PROGRESS
    assert 30000 < (found.standing.progress or 0) < 35000
    assert "sanitize-in-progress" in [obstacle.code for obstacle in of_drive(found, "/dev/x")]
    assert not medium_answers(found)


def test_a_locked_drive_is_no_drive_whose_sanitize_failed() -> None:
    def lock(drive: AtaDrive) -> None:
        drive.security.user = b"x".ljust(32, b"\0")
        drive.security.power_on()

    found = of_sata(sata(prepare=lock))
    assert found.ata is not None
    assert (found.ata.security_enabled, found.ata.security_locked) == (Tri.YES, Tri.YES)
    assert found.standing is not None
    assert found.standing.phase is not SanitizePhase.FAILED
    assert [obstacle.code for obstacle in of_drive(found, "/dev/x")] == ["security-locked"]
    assert not medium_answers(found)


def test_a_frozen_drive_says_so() -> None:
    found = of_sata(sata(Faults(frozen=True)))
    assert found.ata is not None
    assert found.ata.security_frozen is Tri.YES


def test_a_reply_that_was_altered_on_its_way_is_kept_and_not_believed() -> None:
    answers = probe(ScsiBlocks(sata(), ManualClock()).ports, transport="sata")
    reply = answers.replies[probing.IDENTIFY]
    altered = reply.data[:118] + bytes([reply.data[118] ^ 0x10]) + reply.data[119:]
    replies = {**answers.replies, probing.IDENTIFY: dataclasses.replace(reply, data=altered)}
    found = capabilities_of(dataclasses.replace(answers, replies=replies), path="direct")
    assert found is not None
    assert found.ata is not None
    assert found.ata.identify == altered
    assert {found.ata.sanitize, found.ata.security, found.ata.lba48} == {Tri.UNKNOWN}
    assert found.hidden.present is Tri.UNKNOWN


# --- SCSI and USB -------------------------------------------------------------------------------------------------


def test_a_sas_disk_tells_by_its_list_of_commands() -> None:
    found = told(ScsiBlocks(ScsiDisk(medium()), ManualClock()).ports, "sas")
    assert found.ata is None
    assert found.scsi is not None
    assert {found.scsi.sanitize_block, found.scsi.sanitize_crypto, found.scsi.sanitize_overwrite} == {Tri.YES}
    assert (found.scsi.protection_bytes, found.scsi.write_protected) == (0, Tri.NO)
    assert found.standing is not None
    assert found.standing.phase is SanitizePhase.IDLE
    assert found.hidden.present is Tri.UNKNOWN


def test_a_write_protected_medium_is_an_obstacle() -> None:
    found = told(ScsiBlocks(ScsiDisk(medium(Faults(write_protected=True))), ManualClock()).ports, "sas")
    assert [obstacle.code for obstacle in of_drive(found, "/dev/x")] == ["read-only-device"]


def test_behind_usb_only_that_is_asked_which_memory_sticks_survive() -> None:
    """Short INQUIRY, and IDENTIFY DEVICE of what is no stick: as the kernel and udev do."""
    stick = ScsiBlocks(ScsiDisk(medium(), model=ScsiModel(removable=True)), ManualClock())
    told(stick.ports, "usb")
    assert [cdb.hex() for cdb in stick.sent] == ["120000002400"] * len(stick.sent)
    enclosure = ScsiBlocks(UsbBridge(sata(), "passes"), ManualClock())
    assert told(enclosure.ports, "usb").ata is not None
    assert {cdb[0] for cdb in enclosure.sent} == {0x12, 0x85}


@pytest.mark.parametrize("habit", ["refuses", "swallows", "pretends"])
def test_a_bridge_that_keeps_the_drive_to_itself_leaves_everything_unknown(habit: Habit) -> None:
    found = told(ScsiBlocks(UsbBridge(sata(), habit), ManualClock()).ports, "usb")
    assert found.ata is None
    assert found.scsi is not None
    assert found.scsi.sanitize_block is Tri.UNKNOWN
    assert found.hidden.present is Tri.UNKNOWN


def test_a_bridge_that_knows_twelve_bytes_only_lets_the_drive_be_identified() -> None:
    found = told(ScsiBlocks(UsbBridge(sata(), "only-12"), ManualClock()).ports, "usb")
    assert found.ata is not None
    assert found.standing is not None
    assert found.standing.phase is SanitizePhase.UNKNOWN


def test_a_bridge_that_cuts_off_registers_leaves_the_standing_unknown() -> None:
    found = told(ScsiBlocks(UsbBridge(sata(), "truncates-sense"), ManualClock()).ports, "usb")
    assert found.standing is not None
    assert found.standing.phase is SanitizePhase.UNKNOWN


class Counting:
    """A port that fails in one way; counts how often it was tried."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.tries = 0

    def scsi(self, cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:  # noqa: ARG002 - a port
        self.tries += 1
        raise self.error


def test_a_device_that_went_silent_is_not_asked_again() -> None:
    port = Counting(CommandTimeout(operation="x", sent=True, timeout_ms=1))
    answers = probe(Ports(scsi=port))
    assert port.tries == 1
    assert all(reply.accepted is None and reply.reason for reply in answers.replies.values())


def test_a_host_that_forbids_commands_gives_a_reason_to_each_question() -> None:
    port = Counting(HostRejected(operation="SG_IO 12h", errno=1))
    answers = probe(Ports(scsi=port))
    assert port.tries > 3
    assert all("SG_IO" in reason for _, reason in answers.failures)


def test_a_device_that_vanished_is_told_at_once() -> None:
    with pytest.raises(DeviceGone):
        probe(Ports(scsi=Counting(DeviceGone(operation="x", errno=19))))


_HARMLESS = {0x00, 0x03, 0x12, 0x5A, 0x9E, 0xA2, 0xA3}
_HARMLESS_ATA = {0xEC, 0xB4, 0x27, 0xF8, 0xB1, 0x78, 0x2F}


@pytest.mark.parametrize("transport", ["sata", "sas", "usb"])
def test_asking_sends_nothing_that_changes_a_drive(transport: str) -> None:
    for disk in (sata(amax=True, trusted=True), ScsiDisk(medium())):
        blocks = ScsiBlocks(disk, ManualClock())
        told(blocks.ports, transport)
        for cdb in blocks.sent:
            if cdb[0] == 0x85:
                assert cdb[14] in _HARMLESS_ATA
                assert cdb[14] not in {0xB4, 0x78} or (cdb[3], cdb[4], cdb[6]) == (0, 0, 0)  # feature 0 only asks
                assert cdb[14] != 0xB1 or cdb[4] == 0xC2
            elif cdb[0] == 0xA1:
                assert cdb[9] == 0xEC
            else:
                assert cdb[0] in _HARMLESS


# --- NVMe, eMMC ---------------------------------------------------------------------------------------------------


def test_an_nvme_drive_tells_by_identify_and_its_sanitize_log() -> None:
    found = of_nvme(NvmeSubsystem(medium()))
    assert found.nvme is not None
    assert {found.nvme.crypto_erase, found.nvme.block_erase, found.nvme.overwrite, found.nvme.format} == {Tri.YES}
    assert found.nvme.namespaces is not None
    assert [(each.nsid, each.attached) for each in found.nvme.namespaces] == [(1, Tri.YES)]
    assert found.standing is not None
    assert found.standing.phase is SanitizePhase.NEVER
    assert (found.hidden.present, found.nvme.unallocated_bytes) == (Tri.NO, 0)


def test_opal_locks_and_shadows_are_obstacles_and_the_medium_is_not_read_through_them() -> None:
    subsystem = NvmeSubsystem(medium())
    assert subsystem.opal is not None
    subsystem.opal.active = subsystem.opal.locked = subsystem.opal.shadowed = True
    found = of_nvme(subsystem)
    assert found.opal is not None
    assert (found.opal.ssc, found.opal.locked, found.opal.shadowed) == ("opal-2", Tri.YES, Tri.YES)
    (obstacle,) = of_drive(found, "/dev/x")
    assert (obstacle.code, obstacle.details()) == ("opal-locked", {"state": ["locked", "shadowed"]})
    assert not medium_answers(found)


def test_a_drive_that_has_security_commands_and_no_tcg_is_no_locked_drive() -> None:
    subsystem = NvmeSubsystem(medium(), opal=False)
    assert of_nvme(subsystem).opal is None


def test_an_emmc_tells_its_areas() -> None:
    found = told(MmcBlocks(EmmcDevice(medium())).ports)
    assert found.mmc is not None
    assert {name for name, _ in found.mmc.areas} >= {"boot0", "boot1", "rpmb"}


def test_a_device_without_command_interface_has_no_capabilities() -> None:
    assert capabilities_of(probe(Ports()), path="virtual") is None


# --- never more certain than the replies --------------------------------------------------------------------------


def _all(value: object) -> list[Tri]:
    if isinstance(value, Tri):
        return [value]
    if dataclasses.is_dataclass(value):
        return [tri for f in dataclasses.fields(value) for tri in _all(getattr(value, f.name))]
    return [tri for item in value for tri in _all(item)] if isinstance(value, tuple) else []


@pytest.mark.parametrize("kind", ["ata", "scsi", "nvme", "mmc"])
def test_without_replies_there_is_no_yes_and_no_no_but_for_the_areas_of_emmc(kind: probing.Interface) -> None:
    found = capabilities_of(Answers(interface=kind, namespace_id=1), path="direct")
    assert found is not None
    assert Tri.YES not in _all(found)
    if kind != "mmc":
        assert set(_all(found)) == {Tri.UNKNOWN}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_damaged_reply_makes_the_decoding_fall(data: st.DataObject) -> None:
    ports = data.draw(st.sampled_from([0, 1, 2, 3]))
    which: Callable[[], Ports] = [
        lambda: ScsiBlocks(sata(), ManualClock()).ports,
        lambda: ScsiBlocks(ScsiDisk(medium()), ManualClock()).ports,
        lambda: NvmeBlocks(NvmeController(NvmeSubsystem(medium()))).ports,
        lambda: MmcBlocks(EmmcDevice(medium())).ports,
    ][ports]
    answers = probe(which(), transport="sas")
    key = data.draw(st.sampled_from(sorted(answers.replies)))
    cut = data.draw(st.binary(max_size=64)) + answers.replies[key].data[data.draw(st.integers(0, 64)) :]
    replies = {**answers.replies, key: Reply(accepted=True, data=cut, evidence=cut[:64])}
    found = capabilities_of(dataclasses.replace(answers, replies=replies), path="direct")
    assert found is not None
    assert found.to_dict()


# --- what stands between ------------------------------------------------------------------------------------------

NONE = Answers(interface="scsi")


@pytest.mark.parametrize(
    ("transport", "driver", "vendor", "model", "expected"),
    [
        ("sata", "ahci", None, "Samsung SSD 860", "direct"),
        ("sas", "mpt3sas", "SEAGATE", "ST4000NM", "direct"),
        ("nvme-pcie", None, None, "SAMSUNG MZVL", "direct"),
        ("mmc", None, None, "DG4008", "direct"),
        ("usb", "usb-storage", "JMicron", "Tech", "usb-bridge"),
        ("unknown", "megaraid_sas", "AVAGO", "MR9361-8i", "raid"),
        ("sas", "smartpqi", "HPE", "LOGICAL VOLUME", "raid"),
        ("sas", "smartpqi", "HPE", "EG0600JETKA", "direct"),
        ("virtio-scsi", "virtio_scsi", "QEMU", "QEMU HARDDISK", "virtual"),
        ("virtio-scsi", "virtio_scsi", "LAB", "DISK", "virtual"),
        ("nvme-pcie", None, None, "QEMU NVMe Ctrl", "virtual"),
        ("nvme-tcp", None, None, "Linux", "unknown"),
        ("iscsi", "iscsi_tcp", "LIO-ORG", "disk", "unknown"),
        ("unknown", None, None, None, "unknown"),
    ],
)
def test_what_stands_between_is_known_or_unknown(
    transport: str, driver: str | None, vendor: str | None, model: str | None, expected: str
) -> None:
    assert path_of(transport=transport, driver=driver, vendor=vendor, model=model, answers=NONE) == expected


def test_a_virtual_adapter_that_passes_a_whole_drive_through_is_a_direct_path() -> None:
    answers = probe(ScsiBlocks(sata(), ManualClock()).ports, transport="virtio-scsi")
    told_of = {"transport": "virtio-scsi", "driver": "virtio_scsi", "vendor": None, "model": "LAB SATA SSD"}
    assert path_of(**told_of, answers=answers) == "direct"  # type: ignore[arg-type]  # fields by name


def test_the_ports_of_the_lab_are_those_of_the_product() -> None:
    assert isinstance(ScsiBlocks(sata(), ManualClock()).ports.scsi, TargetPort)
