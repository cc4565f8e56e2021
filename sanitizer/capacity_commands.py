"""The commands that make hidden blocks addressable, one class for each way of hiding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .capability import AMAX, BLOCK_DESCRIPTOR, DCO, HPA, Capabilities, Tri
from .errors import CapacityUnrestorable
from .hidden import ProvenMaximum, addressable, descriptor_of, last_lba
from .standings import QUICK_MS, past_attentions
from .transport.commands import ScsiPort
from .wire import ata_commands, scsi_commands
from .wire.ata_commands import AtaCommand
from .wire.capacity import decode_element_status
from .wire.errors import MalformedReply
from .wire.scsi_answers import ata_outcome, scsi_outcome
from .wire.scsi_commands import ScsiCommand
from .wire.scsi_opcodes import decode_command_support


class Sender(Protocol):
    """One way to undo; its constructor sends nothing."""

    command: str
    proven: ProvenMaximum | None
    """What the answers prove to be all there is; None where they prove nothing of the kind."""
    told: dict[str, str]
    """What was sent and answered, for the note of it."""

    def send(self) -> int:
        """Carry it out; returns the sectors there must be afterwards, 0 where the drive does not say.

        Raises:
            TransportError: no answer.
            CapacityUnrestorable: the drive refused.
        """
        ...


class _Ata:
    """What the three of ATA share. Their drives tell by themselves whether something is still hidden."""

    proven: ProvenMaximum | None = None

    def __init__(self, port: ScsiPort) -> None:
        self._port = port
        self.told: dict[str, str] = {}

    def _sent(self, command: AtaCommand) -> int | None:
        """Send one command without data; returns the address in its answer.

        Raises:
            TransportError: no answer.
            CapacityUnrestorable: the drive refused, or its answer says nothing.
        """
        found = ata_outcome(self._port.scsi(command.cdb, timeout_ms=QUICK_MS), registers_wanted=True)
        if not found.accepted:
            raise CapacityUnrestorable(reason=f"{command.name}: {found.reason}")
        return last_lba(found.registers, wide=command.extend) if found.registers is not None else None


class _Hpa(_Ata):
    """READ NATIVE MAX ADDRESS (EXT) and, as the very next command, SET MAX ADDRESS (EXT), non-volatile."""

    def __init__(self, port: ScsiPort, capabilities: Capabilities) -> None:
        super().__init__(port)
        self._wide = capabilities.ata is not None and capabilities.ata.lba48 is Tri.YES
        self.command = "SET MAX ADDRESS EXT" if self._wide else "SET MAX ADDRESS"

    def send(self) -> int:
        """See `Sender`."""
        last = self._sent(ata_commands.read_native_max_ext() if self._wide else ata_commands.read_native_max())
        if last is None:
            raise CapacityUnrestorable(reason="the drive did not tell its largest address")
        self._sent(ata_commands.set_max_ext(last) if self._wide else ata_commands.set_max(last))
        return last + 1


class _Amax(_Ata):
    """GET NATIVE MAX ADDRESS EXT, then SET ACCESSIBLE MAX ADDRESS EXT."""

    command = "SET ACCESSIBLE MAX ADDRESS EXT"

    def __init__(self, port: ScsiPort, _: Capabilities) -> None:
        super().__init__(port)

    def send(self) -> int:
        """See `Sender`."""
        last = self._sent(ata_commands.get_native_max_ext())
        if last is None:
            raise CapacityUnrestorable(reason="the drive did not tell its largest address")
        self._sent(ata_commands.set_accessible_max_ext(last))
        return last + 1


class _Dco(_Ata):
    """DEVICE CONFIGURATION RESTORE. Features that were switched off come back with the blocks."""

    command = "DEVICE CONFIGURATION RESTORE"

    def __init__(self, port: ScsiPort, _: Capabilities) -> None:
        super().__init__(port)

    def send(self) -> int:
        """See `Sender`."""
        self._sent(ata_commands.dco_restore())
        return 0


class _BlockDescriptor:
    """MODE SELECT (10) with all ones for the number of blocks (SBC-4, mode parameter block descriptor).

    No question of the standards tells how many blocks a disk could have: the default values may be the current ones. But
    all ones set the largest number there is, so a disk that accepted them, and afterwards tells the same number in its
    descriptor and by READ CAPACITY (16), has no more, as long as no storage element was taken out of use (SBC-4, REMOVE
    ELEMENT AND TRUNCATE).
    """

    command = "MODE SELECT (10)"

    def __init__(self, port: ScsiPort, capabilities: Capabilities) -> None:
        self._port = port
        self.proven: ProvenMaximum | None = None
        self.told: dict[str, str] = {}
        block = capabilities.scsi.block_bytes if capabilities.scsi is not None else None
        if block is None:
            raise CapacityUnrestorable(reason="the block size is unknown")
        self._block = block

    def send(self) -> int:
        """See `Sender`."""
        past_attentions(self._port, scsi_commands.test_unit_ready().cdb)
        asked = scsi_commands.mode_select_10(scsi_commands.all_blocks_parameters(self._block), save=True)
        answer = self._port.scsi(asked.cdb, timeout_ms=QUICK_MS, write=asked.data)
        found = scsi_outcome(answer)
        if not found.accepted:
            raise CapacityUnrestorable(reason=f"{asked.name}: {found.reason}")
        self.told = {"sent": asked.cdb.hex(), "parameters": asked.data.hex()}
        self._prove()
        return self.proven.blocks if self.proven is not None else 0

    def _prove(self) -> None:
        """Ask for the number of blocks in every way there is; what does not agree proves nothing."""
        current = self._asked("descriptor", scsi_commands.mode_sense_10(0x3F))
        default = self._asked("default", scsi_commands.mode_sense_10(0x3F, default=True))
        capacity = self._asked("capacity", scsi_commands.read_capacity_16())
        now, made = descriptor_of(current), descriptor_of(default)
        if now is None or now != addressable(capacity) or (made is not None and made[0] > now[0]):
            return
        if self._all_in_use():
            self.proven = ProvenMaximum(blocks=now[0], block_bytes=now[1])

    def _all_in_use(self) -> bool:
        """Whether no storage element was removed: the disk knows no such command, or lists none (SBC-4)."""
        removing = scsi_commands.report_supported_operation(
            scsi_commands.SERVICE_ACTION_IN_16, scsi_commands.REMOVE_ELEMENT_AND_TRUNCATE
        )
        answer = self._asked("removing", removing)
        listed = self._asked("elements", scsi_commands.get_physical_element_status())
        try:
            if answer is not None and decode_command_support(answer).supported is False:
                return True
            return listed is not None and decode_element_status(listed) == 0
        except MalformedReply:
            return False

    def _asked(self, name: str, command: ScsiCommand) -> bytes | None:
        answer = past_attentions(self._port, command.cdb, read=command.read)
        if not scsi_outcome(answer).accepted:
            return None
        self.told[name] = answer.data.hex()
        return answer.data


SENDERS: dict[str, Callable[[ScsiPort, Capabilities], Sender]] = {
    HPA: _Hpa,
    AMAX: _Amax,
    DCO: _Dco,
    BLOCK_DESCRIPTOR: _BlockDescriptor,
}
