"""What the engine asks of a drive beyond blocks: one command out, one answer back, on the descriptor already held open.

Device commands pass by mounts, holders and O_EXCL alike, so a port is only ever taken from the `OpenDevice` on
which the clearance was proven. A port never retries, never judges and never waits longer than it was told. Three answers are
possible: a value (the device answered, be it no), an error of the `TransportError` family (no answer, or never delivered),
nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, kw_only=True)
class ScsiAnswer:
    """What came back for one CDB (SG_IO); a CHECK CONDITION is an answer."""

    status: int
    """SAM status byte: 00h good, 02h check condition, 08h busy, 18h reservation conflict."""
    host_status: int
    """The kernel's own verdict on delivery (DID_*): 0 delivered. What means "not delivered" is raised, not returned."""
    driver_status: int
    sense: bytes
    """As received, empty when there was none."""
    data: bytes
    """What was read, shortened by the residual count."""
    duration_ms: int


@runtime_checkable
class ScsiPort(Protocol):
    """SCSI commands, and ATA ones inside ATA PASS-THROUGH (SAT)."""

    def scsi(self, cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:
        """Send one CDB with at most one direction of data.

        Raises:
            DeviceGone: nothing is there any more.
            CommandTimeout: no answer in time; the command may have been carried out.
            HostRejected: the kernel or the adapter refused to deliver it.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class NvmeCommand:
    """An admin command: the submission-queue fields a host fills in (NVMe Base, 3.3.3.1)."""

    opcode: int
    nsid: int = 0
    cdw10: int = 0
    cdw11: int = 0
    cdw12: int = 0
    cdw13: int = 0
    cdw14: int = 0
    cdw15: int = 0

    @property
    def raw(self) -> bytes:
        """Opcode, three zero bytes, NSID and CDW10 to CDW15, little-endian: what a record keeps of it."""
        words = (self.nsid, self.cdw10, self.cdw11, self.cdw12, self.cdw13, self.cdw14, self.cdw15)
        return bytes((self.opcode, 0, 0, 0)) + b"".join(word.to_bytes(4, "little") for word in words)


@dataclass(frozen=True, kw_only=True)
class NvmeAnswer:
    """What came back for one admin command."""

    status: int
    """Status field as the kernel gives it: bits 7:0 code, 10:8 type, 2000h more, 4000h do not retry; 0 is success."""
    result: int
    """Completion dword 0 (and 1 where the kernel passes 64 bits)."""
    data: bytes

    @property
    def code(self) -> int:
        """Status code, bits 7:0."""
        return self.status & 0xFF

    @property
    def code_type(self) -> int:
        """Status code type, bits 10:8."""
        return self.status >> 8 & 7


@runtime_checkable
class NvmePort(Protocol):
    """Admin commands of the controller behind a namespace."""

    namespace_id: int
    """The namespace the descriptor belongs to."""

    def admin(self, command: NvmeCommand, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> NvmeAnswer:
        """Send one admin command. Raises as `ScsiPort.scsi`."""
        ...


@dataclass(frozen=True, kw_only=True)
class MmcCommand:
    """One eMMC command (linux/mmc/ioctl.h)."""

    opcode: int
    argument: int
    flags: int
    write: bool = False
    block_bytes: int = 0
    blocks: int = 0


@dataclass(frozen=True, kw_only=True)
class MmcAnswer:
    """The response words and what was read."""

    response: tuple[int, int, int, int]
    data: bytes


@runtime_checkable
class MmcPort(Protocol):
    """eMMC and SD commands."""

    def mmc(self, commands: tuple[MmcCommand, ...], *, timeout_ms: int) -> tuple[MmcAnswer, ...]:
        """Send commands as one uninterrupted sequence. Raises as `ScsiPort.scsi`."""
        ...


@runtime_checkable
class RangePort(Protocol):
    """What the kernel's block layer offers for a range of bytes."""

    def discard(self, offset: int, length: int, *, secure: bool) -> bool:
        """BLKDISCARD or BLKSECDISCARD; False where the device does not do it (EOPNOTSUPP). Raises as `ScsiPort.scsi`."""
        ...


@runtime_checkable
class OpalPort(Protocol):
    """The kernel's own Opal (linux/sed-opal.h)."""

    def opal_psid_revert(self, psid: bytes, *, timeout_ms: int) -> int:
        """IOC_OPAL_PSID_REVERT_TPR; returns the TCG status (0 success, 1 not authorised), never hides it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The command interfaces of one open device; None where the device has no such interface."""

    scsi: ScsiPort | None = None
    nvme: NvmePort | None = None
    mmc: MmcPort | None = None
    opal: OpalPort | None = None
    ranges: RangePort | None = None
