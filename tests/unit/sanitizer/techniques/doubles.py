"""A drive that can do everything, as capabilities; ports that keep what was sent; hands that keep the order of things."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from sanitizer.capability import (
    AtaCapabilities,
    Capabilities,
    HiddenCapacity,
    MmcCapabilities,
    NvmeCapabilities,
    NvmeNamespaceFacts,
    OpalCapabilities,
    SanitizePhase,
    SanitizeStanding,
    ScsiCapabilities,
    Tri,
)
from sanitizer.errors import EscrowNotConfirmed, IdentityMismatch
from sanitizer.techniques.base import Escrow, Hands, Parameters
from sanitizer.transport.commands import (
    MmcAnswer,
    MmcCommand,
    NvmeAnswer,
    NvmeCommand,
    Ports,
    ScsiAnswer,
)
from tests.unit.sanitizer.wire import hand_made

YES, NO, UNKNOWN = Tri.YES, Tri.NO, Tri.UNKNOWN
GIB = 1 << 30
NSID = 7
NO_ERROR = bytes.fromhex("72 01 00 1d 00 00 00 0e 09 0c 01 00 00 00 00 00 00 00 00 00 40 50")
ABORTED = bytes.fromhex("72 0b 00 00 00 00 00 0e 09 0c 01 04 00 00 00 00 00 00 00 00 40 51")
BUS_RESET = bytes.fromhex("70 00 06 00 00 00 00 0a 00 00 00 00 29 02 00 00 00 00")
INVALID_OPCODE = bytes.fromhex("70 00 05 00 00 00 00 0a 00 00 00 00 20 00 00 00 00 00")
"""Sense data: ATA registers without error, with ABRT; UNIT ATTENTION 29h/02h; ILLEGAL REQUEST 20h/00h."""

COM_ID = 0x1000
DISCOVERY = bytes.fromhex("0000003c00000001").ljust(48, b"\0") + bytes.fromhex(
    "0203100c 1000 0001 00 0000 04 08 00 00 0000"
)
"""Level 0 discovery with the Opal 2 feature alone, whose first two bytes are the base ComID."""
FLBAS, DPS = 0x12, 0x09
"""Format 2 with metadata at the end of each block; protection type 1, first eight bytes."""


def ext_csd(sectors: int = 0x01D5_9000) -> bytes:
    """A device of 15 GB with sanitize, secure erase and trim."""
    return hand_made.patched(512, {192: b"\x08", 212: sectors.to_bytes(4, "little"), 231: b"\x55", 226: b"\x20"})


def namespace(flbas: int = FLBAS, dps: int = DPS, formats: int = 4, fpi: int = 0) -> bytes:
    """Identify Namespace."""
    table = b"".join((8 if at else 0).to_bytes(2, "little") + bytes((9 + 3 * (at % 2), 0)) for at in range(formats))
    size = (1 << 21).to_bytes(8, "little")
    parts = {0: size * 3, 25: bytes((formats - 1, flbas)), 29: bytes((dps,)), 32: bytes((fpi,)), 128: table}
    return hand_made.patched(4096, parts)


def ata(**changes: Any) -> AtaCapabilities:  # noqa: ANN401 - fields of different types
    """A drive with every ATA feature."""
    base: dict[str, Any] = dict.fromkeys(
        ("sanitize", "crypto_scramble", "block_erase", "overwrite", "security", "enhanced_erase", "lba48"), YES
    )
    base |= dict.fromkeys(
        ("security_enabled", "security_locked", "security_frozen", "attempts_exhausted", "rotational"), NO
    )
    base |= {"identify": hand_made.identify(), "erase_minutes": 32, "enhanced_erase_minutes": 64}
    return AtaCapabilities(**{**base, **changes})


def scsi(**changes: Any) -> ScsiCapabilities:  # noqa: ANN401
    """A disk with every SCSI command."""
    base: dict[str, Any] = dict.fromkeys(
        ("sanitize_overwrite", "sanitize_block", "sanitize_crypto", "format_unit", "rotational"), YES
    )
    base |= {"write_after_block_erase": 1, "write_after_crypto_erase": 1, "protection_bytes": 0}
    base |= {"removable": NO, "write_protected": NO}
    return ScsiCapabilities(**{**base, **changes})


def nvme(**changes: Any) -> NvmeCapabilities:  # noqa: ANN401
    """A controller with every action, one namespace and nothing beside it."""
    base: dict[str, Any] = dict.fromkeys(
        ("crypto_erase", "block_erase", "overwrite", "verification", "format", "format_crypto"), YES
    )
    base |= dict.fromkeys(
        ("no_deallocate_inhibited", "format_all_namespaces", "erase_all_namespaces", "multi_controller"), NO
    )
    only = NvmeNamespaceFacts(nsid=NSID, attached=YES, shared=NO, capacity_bytes=GIB, write_protected=NO)
    base |= {
        "controller": hand_made.patched(4096, {328: (0x40000007).to_bytes(4, "little")}),
        "namespace": namespace(),
        "namespace_id": NSID,
        "format_index": 2,
        "namespaces": (only,),
        "unallocated_bytes": 0,
        "estimates": (("block", 30), ("crypto", 2), ("overwrite", 1600)),
    }
    return NvmeCapabilities(**{**base, **changes})


def mmc(**changes: Any) -> MmcCapabilities:  # noqa: ANN401
    """An eMMC device with boot areas."""
    base: dict[str, Any] = dict.fromkeys(("sanitize", "secure_erase", "secure_trim"), YES)
    base |= {
        "ext_csd": ext_csd(),
        "erased_byte": 0,
        "areas": (("boot0", 4 << 20), ("boot1", 4 << 20), ("rpmb", 4 << 20)),
    }
    return MmcCapabilities(**{**base, **changes})


def opal(**changes: Any) -> OpalCapabilities:  # noqa: ANN401
    """An Opal drive whose locking is active and open."""
    base: dict[str, Any] = dict.fromkeys(("locked", "shadowed", "removal_running", "removal_interrupted"), NO)
    base |= {"discovery": DISCOVERY, "ssc": "opal-2", "locking_enabled": YES, "media_encryption": YES}
    return OpalCapabilities(**{**base, "removal_mechanisms": ("crypto",), **changes})


def standing(phase: SanitizePhase = SanitizePhase.NEVER) -> SanitizeStanding:
    """A reading without progress."""
    return SanitizeStanding(phase=phase, progress=None, raw=b"")


def able(**changes: Any) -> Capabilities:  # noqa: ANN401
    """Capabilities for this technique's interface; give `ata=ata()` and so on."""
    base: dict[str, Any] = {
        "path": "direct",
        "standing": standing(),
        "hidden": HiddenCapacity(native_bytes=GIB, present=NO, by=()),
    }
    return Capabilities(**{**base, **changes})


def able_for(name: str) -> Capabilities:
    """Everything the technique of this name needs, and no more."""
    family = name.split("-", maxsplit=1)[0]
    made: dict[str, Callable[[], Any]] = {"ata": ata, "scsi": scsi, "nvme": nvme, "mmc": mmc, "opal": opal}
    return able(**{family: made[family]()})


def unknown(part: Any) -> Any:  # noqa: ANN401
    """The same drive after every reply got lost: nothing is known of it."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        changes[field.name] = UNKNOWN if isinstance(value, Tri) else b"" if isinstance(value, bytes) else value
        if field.name in {"erased_byte", "format_index", "protection_bytes", "namespaces", "ssc"}:
            changes[field.name] = None
    return dataclasses.replace(part, **changes)


class Log:
    """What happened, in order: `note:...`, `escrow`, `prove`, and what a port was sent."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.notes: list[tuple[str, dict[str, object]]] = []
        self.escrowed: list[Escrow] = []
        self.timeouts: list[int] = []
        self.written: list[bytes] = []


class ScsiDouble:
    """Answers CDBs by a function; keeps them."""

    def __init__(self, log: Log, answer: Callable[[bytes], tuple[int, bytes, bytes]]) -> None:
        self.log, self.answer = log, answer

    def scsi(self, cdb: bytes, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> ScsiAnswer:
        self.log.events.append(f"scsi:{cdb.hex()}")
        self.log.timeouts.append(timeout_ms)
        self.log.written.append(write)
        status, sense, data = self.answer(cdb)
        return ScsiAnswer(status=status, host_status=0, driver_status=0, sense=sense, data=data[:read], duration_ms=1)


class NvmeDouble:
    """Answers admin commands with a status; keeps them."""

    def __init__(self, log: Log, status: int = 0, data: bytes = b"", namespace_id: int = NSID) -> None:
        self.log, self.status, self.data, self.namespace_id = log, status, data, namespace_id

    def admin(self, command: NvmeCommand, *, timeout_ms: int, read: int = 0, write: bytes = b"") -> NvmeAnswer:
        self.log.events.append(f"nvme:{command.raw.hex()}")
        self.log.timeouts.append(timeout_ms)
        self.log.written.append(write)
        return NvmeAnswer(status=self.status, result=0, data=self.data[:read])


class MmcDouble:
    """Answers with status words; keeps opcodes and arguments."""

    def __init__(self, log: Log, status: Callable[[MmcCommand], int] = lambda _: 0x900) -> None:
        self.log, self.status = log, status

    def mmc(self, commands: tuple[MmcCommand, ...], *, timeout_ms: int) -> tuple[MmcAnswer, ...]:
        self.log.events.append("mmc:" + ",".join(f"{one.opcode}({one.argument:08x})" for one in commands))
        self.log.timeouts.append(timeout_ms)
        return tuple(MmcAnswer(response=(self.status(one), 0, 0, 0), data=b"") for one in commands)


def hands(
    log: Log,
    ports: Ports,
    capabilities: Capabilities,
    *,
    parameters: Parameters | None = None,
    secret: bytes = b"",
    doubt_after: int | None = None,
    keeps: bool = True,
) -> Hands:
    """Hands that write everything down; `doubt_after` proofs the clearance does not hold any more."""

    def escrow(what: Escrow) -> None:
        if not keeps:
            raise EscrowNotConfirmed(kind=what.kind, reason="nobody there")
        log.events.append("escrow")
        log.escrowed.append(what)

    def prove() -> None:
        if doubt_after is not None and log.events.count("prove") >= doubt_after:
            raise IdentityMismatch(expected="a", found="b")
        log.events.append("prove")

    def note(kind: str, fields: dict[str, object]) -> None:
        log.events.append(f"note:{kind}")
        log.notes.append((kind, fields))

    return Hands(
        ports=ports,
        capabilities=capabilities,
        parameters=parameters or Parameters(),
        capacity_bytes=GIB,
        escrow=escrow,
        prove=prove,
        note=note,
        secret=secret,
    )


SYNC_SESSION = bytes.fromhex("f8 a800000000000000ff a8000000000000ff03 f0 8353414e 821001 f1 f9 f0 00 00 00 f1")
"""SyncSession: our session number 53414Eh, the drive's 1001h, status success."""


def com_packet(stream: bytes) -> bytes:
    """The packets around an answer."""
    sub = bytes(8) + len(stream).to_bytes(4, "big") + stream + bytes(-len(stream) % 4)
    inner = bytes(20) + len(sub).to_bytes(4, "big") + sub
    return bytes(16) + len(inner).to_bytes(4, "big") + inner


def good_ports(log: Log) -> Ports:
    """Every interface, each answering that all went well; a security protocol that opens each session."""

    def answer(cdb: bytes) -> tuple[int, bytes, bytes]:
        if cdb[0] == 0x85:
            return (0, b"", hand_made.identify()) if cdb[14] == 0xEC else (2, NO_ERROR, b"")
        return 0, b"", bytes(252)

    nvme = NvmeDouble(log, data=com_packet(SYNC_SESSION))
    return Ports(scsi=ScsiDouble(log, answer), nvme=nvme, mmc=MmcDouble(log))
