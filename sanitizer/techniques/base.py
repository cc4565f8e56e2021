"""What a technique is: a name, what it needs, how far it reaches, how it is started and how its end is known.

A technique holds no state: all of it is in the drive and in the run's journal, so that any process, after any crash, can go on
with `standing` alone. Decisions (`refusals`, `reach`, `estimate_seconds`) are pure; only `start`, `standing` and `recover` talk
to the device, through the ports of the descriptor the clearance was proven on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from sanitizer.capability import Capabilities, SanitizeStanding
from sanitizer.transport.commands import Ports

Level = Literal["clear", "purge"]
Aftermath = Literal["zeros", "uniform", "pattern", "undefined"]
"""What the addressable blocks hold afterwards: zeros; one byte value of the vendor's choice; the pattern asked for; anything."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What a plan fixes for every technique it names; sealed with the order."""

    pattern: bytes = b"\0\0\0\0"
    """Four bytes, for the drives' own overwrite."""
    no_deallocate: bool = False
    """NVMe NDAS: read-back sees the media, not the mapping table."""
    settings: tuple[str, ...] = ()
    """Names of disputed classifications decided otherwise than the conservative default (`planning.DISPUTES`)."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far a technique gets on this medium, and why."""

    level: Level
    reason: str
    """One sentence for a person."""
    clause: str
    """Where the words stand."""
    setting: str | None = None
    """The disputed classification this level rests on, when it is not the conservative one."""


@dataclass(frozen=True, kw_only=True)
class CommandFacts:
    """One device command as the record keeps it: `reports.record.CommandFacts` has the same fields (a contract test)."""

    number: int
    """1, 2, 3 over the whole run."""
    technique: str
    command: str
    """The standard's name: SANITIZE DEVICE / BLOCK ERASE EXT."""
    opcode: str
    """Hexadecimal: b4."""
    sent: str
    """Hexadecimal of CDB, taskfile or submission-queue fields. Passwords and keys never: the data phase is left out."""
    sent_at: str
    answered_at: str | None
    """None: no answer came (crash, reset, timeout)."""
    answer: str
    """Hexadecimal of sense data, status field or registers; empty where nothing came."""
    accepted: str
    """yes, no, unknown."""
    before: str
    """Hexadecimal of the sanitize status read right before it."""
    after: str
    """Hexadecimal of the status its end was known by; empty for a command that is over with its answer."""
    reported: str
    """success, failed, in-progress, unknown: the drive's own words about the end."""
    setting: str | None
    """The disputed classification its level rests on."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One command as it went out and what came back; the engine adds numbers and times."""

    command: str
    opcode: int
    sent: bytes
    answer: bytes
    accepted: Literal["yes", "no", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Escrow:
    """A password that must be kept elsewhere before the drive is given it."""

    kind: str
    """ata-user-password."""
    secret: bytes
    recovery: str
    """What to do with it, in plain words."""


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What a technique may reach for while it starts."""

    ports: Ports
    capabilities: Capabilities
    parameters: Parameters
    capacity_bytes: int
    escrow: Callable[[Escrow], None]
    """Returns once the inventory (or the operator's file) confirms that it holds the secret; raises `EscrowNotConfirmed`."""
    prove: Callable[[], None]
    """Proves the clearance again on the open descriptor; called right before every destructive command."""
    note: Callable[[str, dict[str, object]], None]
    """Makes one journal entry durable; called before every command that changes the drive, with what is about to be sent."""
    secret: bytes = b""
    """What a person gave for this run (PSID), never recorded."""


class Technique(Protocol):
    """One way to sanitize a medium with the drive's own commands."""

    name: str
    """Of the record's vocabulary: nvme-sanitize-block-erase."""
    title: str
    """For people: NVMe Sanitize, block erase."""
    clause: str
    """The command standard and its clause."""
    blocking: bool
    """Whether `start` returns only when the work is over (SECURITY ERASE UNIT, Format NVM)."""
    resumes: bool
    """Whether the drive goes on by itself after a power cut."""
    destroys_neighbours: bool
    """Whether it reaches other namespaces or areas than the one addressed."""

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:
        """Why it cannot be used on this drive, as sentences; empty when it can. Unknown is a reason."""
        ...

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:
        """How far it gets on this kind of medium (magnetic, flash, virtual, unknown); conservative where that is disputed."""
        ...

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:
        """What the blocks hold after a completed run."""
        ...

    def estimate_seconds(self, capabilities: Capabilities, capacity_bytes: int) -> int | None:
        """The drive's own estimate; None where it makes none."""
        ...

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """Send it. Every command and its answer is returned, a refused one too; the last decides.

        Raises:
            TransportError: no answer; the engine goes on with `standing`.
            EscrowNotConfirmed: nothing was sent.
            Refused: the clearance did not hold any more; nothing was sent.
        """
        ...

    def standing(self, ports: Ports) -> SanitizeStanding:
        """Where it stands now, by the drive's account; also after a crash, from another process, on another host.

        For a blocking technique this is what fresh identify data say: succeeded, failed, or unknown.
        """
        ...

    def recover(self, hands: Hands) -> tuple[Sent, ...]:
        """Put the drive back into service after a failed or cut off run where the rules allow it (unlock and disable a password).

        Never exits a sanitize failure mode. Returns nothing where there is nothing to do.
        """
        ...
