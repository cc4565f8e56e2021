"""From raw replies to what a drive can do: yes, no or unknown, field by field. Pure.

A reply that is missing, refused or damaged makes what rests on it unknown. A feature the drive denies makes its commands no;
a feature nobody knows of makes them unknown, whatever their own bits say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from sanitizer import probing
from sanitizer.capability import (
    AtaCapabilities,
    Capabilities,
    HiddenCapacity,
    MmcCapabilities,
    OpalCapabilities,
    SanitizePhase,
    SanitizeStanding,
    ScsiCapabilities,
    Tri,
)
from sanitizer.hidden import ProvenMaximum, ata_hidden, nvme_hidden, scsi_hidden
from sanitizer.nvme_deriving import nvme_capabilities
from sanitizer.probing import Answers
from sanitizer.quirks import quirks_of
from sanitizer.wire.ata_identify import IdentifyDevice, Integrity, decode_identify_device
from sanitizer.wire.ata_words import EraseTime
from sanitizer.wire.capacity import decode_mode_block_descriptor, decode_read_capacity_16
from sanitizer.wire.emmc import decode_ext_csd
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.nvme_controller import decode_identify_controller
from sanitizer.wire.opal_discovery import Discovery, decode_opal_discovery, decode_security_protocols
from sanitizer.wire.scsi_commands import FORMAT_UNIT, SANITIZE, SECURITY_PROTOCOL_IN, SanitizeAction
from sanitizer.wire.scsi_inquiry import Inquiry, decode_inquiry
from sanitizer.wire.scsi_opcodes import decode_command_support
from sanitizer.wire.scsi_vpd import decode_block_device_characteristics

T = TypeVar("T")

NOTHING_HIDDEN = HiddenCapacity(native_bytes=None, present=Tri.NO, by=())
UNKNOWN_HIDDEN = HiddenCapacity(native_bytes=None, present=Tri.UNKNOWN, by=())


def capabilities_of(
    answers: Answers,
    *,
    path: str,
    vendor: str | None = None,
    model: str | None = None,
    firmware: str | None = None,
    proven: ProvenMaximum | None = None,
) -> Capabilities | None:
    """What the replies amount to.

    Args:
        answers: Of `probing.probe`.
        path: What stands between, of `path_of`.
        vendor: As the host reports it, for the quirks; likewise `model` and `firmware`.
        model: See above.
        firmware: See above.
        proven: What a SCSI disk once showed to be all it has.

    Returns:
        None for a device without a command interface.
    """
    named = tuple(each.name for each in quirks_of(vendor, model, firmware))
    found: Capabilities | None = None
    if answers.interface == "ata":
        found = _of_ata(answers, path)
    elif answers.interface == "scsi":
        hidden = scsi_hidden(
            answers.data(probing.MODE_CURRENT),
            answers.data(probing.MODE_DEFAULT),
            answers.data(probing.CAPACITY),
            proven,
        )
        found = Capabilities(
            path=path, standing=answers.standing, hidden=hidden, scsi=_of_scsi(answers), opal=_opal(answers)
        )
    elif answers.interface == "nvme":
        nvme = nvme_capabilities(answers)
        hidden = nvme_hidden(nvme)
        found = Capabilities(path=path, standing=answers.standing, hidden=hidden, nvme=nvme, opal=_opal(answers))
    elif answers.interface == "mmc":
        found = Capabilities(path=path, standing=None, hidden=NOTHING_HIDDEN, mmc=_of_mmc(answers))
    return None if found is None else replace(found, quirks=named)


def read(data: bytes | None, decode: Callable[[bytes], T]) -> T | None:
    """A decoded reply; None where there is none or it is damaged."""
    try:
        return decode(data) if data is not None else None
    except MalformedReply:
        return None


# --- ATA ----------------------------------------------------------------------------------------------------------


def _of_ata(answers: Answers, path: str) -> Capabilities:
    identify = read(answers.data(probing.IDENTIFY), decode_identify_device)
    scsi = _of_scsi(answers)
    if identify is None:
        return Capabilities(path=path, standing=answers.standing, hidden=UNKNOWN_HIDDEN, scsi=scsi)
    sound = identify.integrity is not Integrity.WRONG and not identify.incomplete
    ata = _ata_capabilities(identify) if sound else _ata_unknown(identify)
    hidden = ata_hidden(answers, identify) if sound else UNKNOWN_HIDDEN
    return Capabilities(
        path=path,
        standing=_believed(answers.standing, ata),
        hidden=hidden,
        ata=ata,
        scsi=scsi,
        opal=_opal(answers),
    )


def _believed(standing: SanitizeStanding | None, ata: AtaCapabilities) -> SanitizeStanding | None:
    """A locked drive aborts the question itself, with the same registers as one whose sanitize failed."""
    if standing is not None and standing.phase is SanitizePhase.FAILED and ata.security_locked is not Tri.NO:
        return replace(standing, phase=SanitizePhase.UNKNOWN)
    return standing


def _within(feature: Tri, command: bool | None) -> Tri:
    """A command of a feature set: no more certain than the feature set itself."""
    return Tri.of(command) if feature is Tri.YES else feature


def _minutes(told: EraseTime | None) -> int | None:
    return told.minutes if told is not None else None


def _ata_capabilities(identify: IdentifyDevice) -> AtaCapabilities:
    sanitize, security = Tri.of(identify.sanitize.supported), Tri.of(identify.security.supported)
    return AtaCapabilities(
        identify=identify.raw,
        sanitize=sanitize,
        crypto_scramble=_within(sanitize, identify.sanitize.crypto_scramble),
        block_erase=_within(sanitize, identify.sanitize.block_erase),
        overwrite=_within(sanitize, identify.sanitize.overwrite),
        security=security,
        security_enabled=_within(security, identify.security.enabled),
        security_locked=_within(security, identify.security.locked),
        security_frozen=_within(security, identify.security.frozen),
        attempts_exhausted=_within(security, identify.security.attempts_exhausted),
        enhanced_erase=_within(security, identify.security.enhanced_erase),
        erase_minutes=_minutes(identify.security.erase_time),
        enhanced_erase_minutes=_minutes(identify.security.enhanced_erase_time),
        lba48=Tri.of(identify.capacity.lba48_supported),
        rotational=Tri.of(identify.rotational),
    )


def _ata_unknown(identify: IdentifyDevice) -> AtaCapabilities:
    """A reply that was altered on its way, or given before the drive was ready: kept as evidence, believed in nothing."""
    unknown = Tri.UNKNOWN
    return AtaCapabilities(
        identify=identify.raw,
        sanitize=unknown,
        crypto_scramble=unknown,
        block_erase=unknown,
        overwrite=unknown,
        security=unknown,
        security_enabled=unknown,
        security_locked=unknown,
        security_frozen=unknown,
        attempts_exhausted=unknown,
        enhanced_erase=unknown,
        erase_minutes=None,
        enhanced_erase_minutes=None,
        lba48=unknown,
        rotational=unknown,
    )


# --- SCSI ---------------------------------------------------------------------------------------------------------


def _of_scsi(answers: Answers) -> ScsiCapabilities:
    inquiry = read(answers.data(probing.INQUIRY), decode_inquiry)
    traits = read(answers.data(probing.CHARACTERISTICS), decode_block_device_characteristics)
    mode = read(answers.data(probing.MODE_CURRENT), decode_mode_block_descriptor)
    return ScsiCapabilities(
        sanitize_overwrite=supported(answers, SANITIZE, SanitizeAction.OVERWRITE),
        sanitize_block=supported(answers, SANITIZE, SanitizeAction.BLOCK_ERASE),
        sanitize_crypto=supported(answers, SANITIZE, SanitizeAction.CRYPTOGRAPHIC_ERASE),
        format_unit=supported(answers, FORMAT_UNIT),
        write_after_block_erase=traits.read_after_block_erase if traits is not None else None,
        write_after_crypto_erase=traits.read_after_crypto_erase if traits is not None else None,
        rotational=Tri.of(traits.rotational if traits is not None else None),
        protection_bytes=_beyond(_block_bytes(answers)),
        removable=Tri.of(_removable(inquiry)),
        write_protected=Tri.of(mode.write_protected if mode is not None else None),
        block_bytes=_block_bytes(answers),
    )


def supported(answers: Answers, opcode: int, action: int | None = None) -> Tri:
    """What REPORT SUPPORTED OPERATION CODES says of one command (SPC-5). A unit without that report is unknown."""
    found = read(answers.data(probing.opcode_key(opcode, action)), decode_command_support)
    return Tri.of(found.supported if found is not None else None)


def _removable(inquiry: Inquiry | None) -> bool | None:
    return inquiry.removable if inquiry is not None else None


def _block_bytes(answers: Answers) -> int | None:
    capacity = read(answers.data(probing.CAPACITY), decode_read_capacity_16)
    if capacity is not None:
        return capacity.block_bytes
    mode = read(answers.data(probing.MODE_CURRENT), decode_mode_block_descriptor)
    return mode.block_bytes if mode is not None else None


def _beyond(block_bytes: int | None) -> int | None:
    """Bytes of a block beyond the power of two below it."""
    return None if block_bytes is None else block_bytes - (1 << block_bytes.bit_length() - 1)


# --- eMMC ---------------------------------------------------------------------------------------------------------


def _of_mmc(answers: Answers) -> MmcCapabilities | None:
    told = read(answers.data(probing.EXT_CSD), decode_ext_csd)
    if told is None:
        return None
    sizes = [("boot0", told.boot_bytes), ("boot1", told.boot_bytes), ("rpmb", told.rpmb_bytes)]
    sizes += [(f"gp{number}", size) for number, size in enumerate(told.general_purpose_bytes, start=1)]
    return MmcCapabilities(
        ext_csd=told.raw,
        sanitize=Tri.of(told.sanitize_supported),
        secure_erase=Tri.of(told.secure.secure_erase),
        secure_trim=Tri.of(told.secure.secure_erase and told.secure.trim),
        erased_byte={0: 0x00, 1: 0xFF}.get(told.erased_content),
        areas=tuple((name, size) for name, size in sizes if size),
    )


# --- Opal ---------------------------------------------------------------------------------------------------------


def _opal(answers: Answers) -> OpalCapabilities | None:
    """None for a drive that has no TCG; everything unknown for one that may have and does not say."""
    if not _may_have_tcg(answers):
        return None
    found = read(answers.data(probing.DISCOVERY), decode_opal_discovery)
    if found is None or not found.features:
        unknown = Tri.UNKNOWN
        return OpalCapabilities(
            discovery=b"",
            ssc=None,
            locking_enabled=unknown,
            locked=unknown,
            shadowed=unknown,
            removal_mechanisms=(),
            removal_running=unknown,
            removal_interrupted=unknown,
            media_encryption=unknown,
        )
    return _discovered(found)


def _discovered(found: Discovery) -> OpalCapabilities:
    locking, removal = found.locking, found.removal
    absent = Tri.UNKNOWN if found.truncated else Tri.NO  # a whole discovery without the feature has no locks
    return OpalCapabilities(
        discovery=found.raw,
        ssc=found.subsystem,
        locking_enabled=Tri.of(locking.enabled) if locking is not None else absent,
        locked=Tri.of(locking.locked) if locking is not None else absent,
        shadowed=Tri.of(locking.shadowed) if locking is not None else absent,
        removal_mechanisms=removal.mechanisms if removal is not None else (),
        removal_running=Tri.of(removal.processing) if removal is not None else absent,
        removal_interrupted=Tri.of(removal.interrupted) if removal is not None else absent,
        media_encryption=Tri.of(locking.media_encryption) if locking is not None else Tri.UNKNOWN,
    )


def _may_have_tcg(answers: Answers) -> bool:
    """Whether protocol 01h, TCG's, is there or cannot be excluded."""
    protocols = read(answers.data(probing.PROTOCOLS), decode_security_protocols)
    if protocols is not None:
        return 0x01 in protocols
    if answers.interface == "ata":
        identify = read(answers.data(probing.IDENTIFY), decode_identify_device)
        return identify is None or identify.trusted_computing is not False
    if answers.interface == "nvme":
        controller = read(answers.data(probing.CONTROLLER), decode_identify_controller)
        return controller is None or controller.admin.security
    return supported(answers, SECURITY_PROTOCOL_IN) is Tri.YES


# --- path ---------------------------------------------------------------------------------------------------------

_VIRTUAL_DRIVERS = frozenset({"virtio_scsi", "storvsc_host_t", "vmw_pvscsi", "xen-scsifront", "scsi_debug"})
_RAID_DRIVERS = frozenset({"megaraid_sas", "hpsa", "smartpqi", "aacraid", "arcmsr", "3w-9xxx", "3w-sas", "ips"})
_RAID_NAMES = re.compile(
    r"\b(MegaRAID|MR\d{4}|PERC|ServeRAID|Areca|LOGICAL VOLUME|Logical Volume|RAID|SmartArray|Smart Array)\b",
)
_VIRTUAL_NAMES = re.compile(r"QEMU|VMware|VBOX|Virtual|Msft|Xen|Google PersistentDisk|Amazon Elastic", re.IGNORECASE)


def path_of(*, transport: str, driver: str | None, vendor: str | None, model: str | None, answers: Answers) -> str:
    """What stands between this host and the drive: direct, usb-bridge, raid, virtual, unknown.

    Args:
        transport: As `readings` has it.
        driver: Name of the host adapter's driver, as the kernel gives it.
        vendor: As the device reports it.
        model: As the device reports it.
        answers: A SATA drive that answers IDENTIFY DEVICE whole, and only it, is reached through a virtual adapter.
    """
    name = f"{vendor or ''} {model or ''}"
    if transport == "usb":
        return "usb-bridge"
    if _RAID_NAMES.search(name) or (driver in _RAID_DRIVERS and transport != "sas"):
        return "raid"
    if _VIRTUAL_NAMES.search(name) or transport in {"virtio", "loop", "zram"}:
        return "virtual"
    if transport == "virtio-scsi" or driver in _VIRTUAL_DRIVERS:
        return "direct" if _whole_identify(answers) else "virtual"
    return "direct" if transport in {"sata", "sas", "nvme-pcie", "mmc"} else "unknown"


def _whole_identify(answers: Answers) -> bool:
    """A hypervisor that passes a drive through passes its commands; one that imitates a disk has none to pass."""
    identify = read(answers.data(probing.IDENTIFY), decode_identify_device)
    return identify is not None and identify.integrity is Integrity.VALID
