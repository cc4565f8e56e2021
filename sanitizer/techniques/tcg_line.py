"""TCG messages to one drive: Security Send and Receive, or SECURITY PROTOCOL OUT and IN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.errors import CommandTimeout, NoTechnique
from sanitizer.standings import past_attentions
from sanitizer.transport.commands import Ports
from sanitizer.wire import nvme_commands, scsi_commands
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.nvme_commands import AdminCommand
from sanitizer.wire.scsi_answers import GOOD
from sanitizer.wire.scsi_commands import ScsiCommand

from . import tcg
from .base import Sent
from .sending import Accepted, nvme_port, scsi_port, send_nvme, send_scsi

_BETWEEN_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Call:
    """One method, and what came of it."""

    sent: Sent
    """The record's view: the method's own answer where there is one, else the answer to the command that carried it."""
    answer: tcg.Answer | None
    """None where the drive did not take it, or what it answered is no answer."""


class Line:
    """Messages on one ComID."""

    def __init__(self, ports: Ports, technique: str, com_id: int, pause: Callable[[float], None]) -> None:
        """Raises `NoTechnique` where the device takes no such commands."""
        if ports.nvme is None and ports.scsi is None:
            raise NoTechnique(reasons=(f"{technique}: the open device takes no security protocol commands",))
        self._ports = ports
        self._technique = technique
        self._com_id = com_id
        self._pause = pause

    def raw(self, message: bytes) -> bytes:
        """What may be kept of a message: the command that carries it, without its data."""
        command = self._carrier(message)
        return command.cdb if isinstance(command, ScsiCommand) else command.command.raw

    def tell(self, message: bytes, timeout_ms: int) -> Sent:
        """Hand a message over. Raises `TransportError`."""
        command = self._carrier(message)
        if isinstance(command, ScsiCommand):
            return send_scsi(scsi_port(self._ports, self._technique), command, timeout_ms=timeout_ms)
        return send_nvme(nvme_port(self._ports, self._technique), command, timeout_ms=timeout_ms)

    def call(self, message: bytes, name: str, timeout_ms: int) -> Call:
        """Hand a method over and wait for its answer. Raises `TransportError`."""
        told = self.tell(message, timeout_ms)
        accepted: Accepted = told.accepted
        answer, kept = None, told.answer
        if accepted == "yes":
            data = self._awaited(name, timeout_ms)
            try:
                answer = tcg.decode_answer(data)
                accepted, kept = ("yes" if answer.status == tcg.SUCCESS else "no"), answer.raw
            except MalformedReply:
                accepted, kept = "unknown", data.rstrip(b"\0") or told.answer
        sent = Sent(command=f"TCG {name}", opcode=told.opcode, sent=told.sent, answer=kept, accepted=accepted)
        return Call(sent=sent, answer=answer)

    def receive(self, timeout_ms: int) -> bytes:
        """What the drive has to say on this ComID; empty where it refuses. Raises `TransportError`."""
        if self._ports.nvme is not None:
            asked = nvme_commands.security_receive(tcg.PROTOCOL, self._com_id, tcg.TRANSFER)
            answer = nvme_port(self._ports, self._technique).admin(
                asked.command, timeout_ms=timeout_ms, read=asked.read
            )
            return answer.data if answer.status == 0 else b""
        command = scsi_commands.security_protocol_in(tcg.PROTOCOL, self._com_id, tcg.TRANSFER)
        told = past_attentions(scsi_port(self._ports, self._technique), command.cdb, read=command.read)
        return told.data if told.status == GOOD else b""

    def _awaited(self, name: str, timeout_ms: int) -> bytes:
        """The answer, once the drive has made one. Raises `CommandTimeout`."""
        for _ in range(1 + int(timeout_ms / 1000 / _BETWEEN_SECONDS)):
            data = self.receive(timeout_ms)
            if not tcg.pending(data):
                return data
            self._pause(_BETWEEN_SECONDS)
        raise CommandTimeout(operation=f"TCG {name}", sent=True, timeout_ms=timeout_ms)

    def _carrier(self, message: bytes) -> AdminCommand | ScsiCommand:
        if self._ports.nvme is not None:
            return nvme_commands.security_send(tcg.PROTOCOL, self._com_id, message)
        return scsi_commands.security_protocol_out(tcg.PROTOCOL, self._com_id, message)
