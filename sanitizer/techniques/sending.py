"""Sending: what is about to go out is written down, the clearance is proven again, the command goes, its answer is read.

Every command that changes a medium takes this way. What an answer says of acceptance is yes, no or unknown; an answer that was
lost on its way (a bridge, a reset) is unknown, and the drive's own status decides later.
"""

from __future__ import annotations

from typing import Literal

from sanitizer.errors import NoTechnique
from sanitizer.transport.commands import MmcPort, NvmeAnswer, NvmePort, Ports, ScsiPort
from sanitizer.wire.ata_commands import AtaCommand
from sanitizer.wire.nvme_commands import AdminCommand
from sanitizer.wire.scsi_answers import ata_outcome, scsi_outcome
from sanitizer.wire.scsi_commands import ScsiCommand

from .base import Hands, Sent
from .patience import QUICK_MS

Accepted = Literal["yes", "no", "unknown"]

NOTE = "command-sending"
"""The journal entry before each command that changes the drive: technique, command, the bytes without any data phase."""
_WORDS: dict[bool | None, Accepted] = {True: "yes", False: "no", None: "unknown"}
_GENERIC, _PATH = 0, 3
"""Status code types (NVMe Base, status code type)."""
_ABORTED = frozenset({0x07, 0x08})
"""Aborted by request, aborted by the deletion of its queue: the controller says nothing of the work."""


def write_down(hands: Hands, technique: str, command: str, sent: bytes) -> None:
    """Make durable what is about to be sent. Raises `JournalFailed`."""
    hands.note(NOTE, {"technique": technique, "command": command, "sent": sent.hex()})


def announce(hands: Hands, technique: str, command: str, sent: bytes) -> None:
    """Write it down and prove the clearance again, in this order, so that the proof is the fresher. Raises `Refused` too."""
    write_down(hands, technique, command, sent)
    hands.prove()


def _missing(technique: str, interface: str) -> NoTechnique:
    return NoTechnique(reasons=(f"{technique}: the open device takes no {interface} commands",))


def scsi_port(ports: Ports, technique: str) -> ScsiPort:
    """The port of SCSI and ATA commands. Raises `NoTechnique`."""
    if ports.scsi is None:
        raise _missing(technique, "SCSI")
    return ports.scsi


def nvme_port(ports: Ports, technique: str) -> NvmePort:
    """The port of admin commands. Raises `NoTechnique`."""
    if ports.nvme is None:
        raise _missing(technique, "NVMe admin")
    return ports.nvme


def mmc_port(ports: Ports, technique: str) -> MmcPort:
    """The port of eMMC commands. Raises `NoTechnique`."""
    if ports.mmc is None:
        raise _missing(technique, "eMMC")
    return ports.mmc


def accepted_nvme(answer: NvmeAnswer) -> Accepted:
    """Success is yes, a status of the controller no; aborted, or lost on the path, unknown (NVMe Base, status field)."""
    if answer.status == 0:
        return "yes"
    lost = answer.code_type == _PATH or (answer.code_type == _GENERIC and answer.code in _ABORTED)
    return "unknown" if lost else "no"


def send_scsi(port: ScsiPort, command: ScsiCommand, *, timeout_ms: int = QUICK_MS) -> Sent:
    """One command of SCSI's own. Raises `TransportError`."""
    answer = port.scsi(command.cdb, timeout_ms=timeout_ms, write=command.data)
    return Sent(
        command=command.name,
        opcode=command.opcode,
        sent=command.cdb,
        answer=answer.sense or bytes((answer.status,)),
        accepted=_WORDS[scsi_outcome(answer).accepted],
    )


def send_ata(port: ScsiPort, command: AtaCommand, *, timeout_ms: int = QUICK_MS) -> Sent:
    """One ATA command inside ATA PASS-THROUGH (16); its answer keeps the registers. Raises `TransportError`."""
    answer = port.scsi(command.cdb, timeout_ms=timeout_ms, write=command.data)
    return Sent(
        command=command.name,
        opcode=command.opcode,
        sent=command.cdb,
        answer=answer.sense or bytes((answer.status,)),
        accepted=_WORDS[ata_outcome(answer, registers_wanted=command.registers_wanted).accepted],
    )


def send_nvme(port: NvmePort, command: AdminCommand, *, timeout_ms: int = QUICK_MS) -> Sent:
    """One admin command that returns no data. Raises `TransportError`."""
    answer = port.admin(command.command, timeout_ms=timeout_ms, write=command.data)
    return Sent(
        command=command.name,
        opcode=command.opcode,
        sent=command.command.raw,
        answer=answer.status.to_bytes(2, "big"),
        accepted=accepted_nvme(answer),
    )
