"""Whether a drive has more than it addresses, out of raw replies. Pure; a question that got no answer leaves it unknown."""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer import probing
from sanitizer.capability import AMAX, BLOCK_DESCRIPTOR, DCO, HPA, UNALLOCATED, HiddenCapacity, NvmeCapabilities, Tri
from sanitizer.probing import Answers
from sanitizer.wire.ata_identify import IdentifyDevice
from sanitizer.wire.capacity import decode_dco_identify, decode_mode_block_descriptor, decode_read_capacity_16
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.nvme_controller import decode_identify_controller
from sanitizer.wire.pass_through import AtaRegisters, decode_pass_through_answer


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One thing that can hide blocks."""

    name: str
    present: Tri
    """Whether it hides some now."""
    sectors: int | None = None
    """How many there would be without it; None unknown."""


def joined(limits: tuple[Limit, ...], sectors: int, block_bytes: int) -> HiddenCapacity:
    """All limits of one drive together: one that hides is a yes, one that is unknown keeps it from being a no."""
    hiding = any(limit.present is Tri.YES for limit in limits)
    unknown = tuple(limit.name for limit in limits if limit.present is Tri.UNKNOWN)
    native = max([limit.sectors for limit in limits if limit.sectors is not None] + [sectors])
    if hiding:
        # Which of those that hide and those that do not tell it is, nobody knows.
        by = tuple(limit.name for limit in limits if limit.present is not Tri.NO)
        return HiddenCapacity(native_bytes=native * block_bytes, present=Tri.YES, by=by)
    if unknown:
        return HiddenCapacity(native_bytes=None, present=Tri.UNKNOWN, by=unknown)
    return HiddenCapacity(native_bytes=native * block_bytes, present=Tri.NO, by=())


def ata_limits(answers: Answers, identify: IdentifyDevice) -> tuple[Limit, ...]:
    """HPA, DCO and AMAX of one drive (ACS-2, ACS-3)."""
    sectors = identify.capacity.sectors
    if sectors is None:
        return tuple(Limit(name=name, present=Tri.UNKNOWN) for name in (HPA, DCO, AMAX))
    hpa = Limit(name=HPA, present=Tri.NO)
    if identify.hidden.hpa_supported is not False:
        hpa = _compared(HPA, sectors, _native_max(answers))
    amax = Limit(name=AMAX, present=Tri.of(identify.hidden.amax_supported))
    if identify.hidden.amax_supported:
        amax = _compared(AMAX, sectors, _last_address(answers, probing.AMAX, wide=True))
    dco = Limit(name=DCO, present=Tri.of(identify.hidden.dco_supported))
    if identify.hidden.dco_supported:
        # HPA lies on top of DCO: what DCO hides is what lies beyond the native maximum.
        dco = _compared(DCO, max(sectors, hpa.sectors or 0, amax.sectors or 0), _dco_sectors(answers))
    return hpa, dco, amax


def _compared(name: str, sectors: int, found: int | None) -> Limit:
    if found is None or found < sectors:
        return Limit(name=name, present=Tri.UNKNOWN)
    return Limit(name=name, present=Tri.of(found > sectors), sectors=found)


def _native_max(answers: Answers) -> int | None:
    """Sectors by READ NATIVE MAX ADDRESS (EXT), whichever was asked."""
    wide = _last_address(answers, probing.NATIVE_MAX_EXT, wide=True)
    return wide if wide is not None else _last_address(answers, probing.NATIVE_MAX, wide=False)


def _last_address(answers: Answers, key: str, *, wide: bool) -> int | None:
    reply = answers.replies.get(key)
    if reply is None or not reply.accepted:
        return None
    try:
        registers = decode_pass_through_answer(reply.evidence)
    except MalformedReply:
        return None
    last = last_lba(registers, wide=wide)
    return None if last is None else last + 1


def last_lba(registers: AtaRegisters, *, wide: bool) -> int | None:
    """The address in the registers; of a 28-bit command bits 27:24 lie in the device register. None where part of it is lost."""
    if wide:
        return registers.lba if registers.extend else None
    return None if registers.lba_low is None else (registers.device & 0xF) << 24 | registers.lba_low


def _dco_sectors(answers: Answers) -> int | None:
    data = answers.data(probing.DCO)
    try:
        told = decode_dco_identify(data) if data is not None else None
    except MalformedReply:
        return None
    return told.max_lba + 1 if told is not None and told.intact and told.max_lba is not None else None


def ata_hidden(answers: Answers, identify: IdentifyDevice) -> HiddenCapacity:
    """Of an ATA drive."""
    limits = ata_limits(answers, identify)
    block = identify.capacity.logical_sector_bytes
    if identify.capacity.sectors is None or block is None:
        return HiddenCapacity(native_bytes=None, present=Tri.UNKNOWN, by=tuple(limit.name for limit in limits))
    return joined(limits, identify.capacity.sectors, block)


@dataclass(frozen=True, kw_only=True)
class ProvenMaximum:
    """All the blocks a SCSI disk has, as it showed when it was told to show them all (`sanitizer restore-capacity`)."""

    blocks: int
    block_bytes: int

    @property
    def bytes(self) -> int:
        """In bytes."""
        return self.blocks * self.block_bytes


def descriptor_of(reply: bytes | None) -> tuple[int, int] | None:
    """Number of blocks and bytes of a block, by a mode block descriptor; None where it does not tell."""
    try:
        told = decode_mode_block_descriptor(reply) if reply is not None else None
    except MalformedReply:
        return None
    return None if told is None or told.blocks is None or told.block_bytes is None else (told.blocks, told.block_bytes)


def scsi_hidden(
    current: bytes | None, default: bytes | None, capacity: bytes | None, proven: ProvenMaximum | None
) -> HiddenCapacity:
    """Of a SCSI disk: the current block descriptor against that of the default values, and against what was proven before.

    No other question of the standards tells, and a disk may answer with its current values to both: more in the default is a
    yes, the same is unknown, unless the disk once showed all it has and shows as much now.

    Args:
        current: Reply to MODE SENSE for the current values.
        default: The same for the default values.
        capacity: Reply to READ CAPACITY (16).
        proven: Of an earlier `sanitizer restore-capacity`.
    """
    unknown = HiddenCapacity(native_bytes=None, present=Tri.UNKNOWN, by=(BLOCK_DESCRIPTOR,))
    now, made = descriptor_of(current), descriptor_of(default)
    if now is None:
        return unknown
    blocks, size = now
    most = max(
        made[0] if made is not None and made[1] == size else 0,
        proven.blocks if proven is not None and proven.block_bytes == size else 0,
    )
    if most > blocks:
        return HiddenCapacity(native_bytes=most * size, present=Tri.YES, by=(BLOCK_DESCRIPTOR,))
    if proven is None or (proven.blocks, proven.block_bytes) != now or addressable(capacity) != now:
        return unknown
    return HiddenCapacity(native_bytes=proven.bytes, present=Tri.NO, by=())


def addressable(reply: bytes | None) -> tuple[int, int] | None:
    """The same by READ CAPACITY (16)."""
    try:
        told = decode_read_capacity_16(reply) if reply is not None else None
    except MalformedReply:
        return None
    return None if told is None else (told.last_lba + 1, told.block_bytes)


def nvme_hidden(nvme: NvmeCapabilities | None) -> HiddenCapacity:
    """Of an NVMe subsystem: capacity in no namespace. Other namespaces are devices of their own."""
    unknown = HiddenCapacity(native_bytes=None, present=Tri.UNKNOWN, by=(UNALLOCATED,))
    if nvme is None:
        return unknown
    try:
        controller = decode_identify_controller(nvme.controller)
    except MalformedReply:
        return unknown
    if nvme.unallocated_bytes is None:  # not reported; without namespace management there is nothing to allocate
        if controller.admin.namespace_management:
            return unknown
        return HiddenCapacity(native_bytes=None, present=Tri.NO, by=())
    if nvme.unallocated_bytes == 0:
        return HiddenCapacity(native_bytes=controller.total_bytes, present=Tri.NO, by=())
    return HiddenCapacity(native_bytes=controller.total_bytes, present=Tri.YES, by=(UNALLOCATED,))
