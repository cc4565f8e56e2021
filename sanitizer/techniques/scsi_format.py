"""SCSI FORMAT UNIT (04h) without fast format: Clear, on hard disks, where it rewrites every block as a side effect (SBC-4).

It answers only when its work is over, and does not go on after a power cut: the medium is then format-corrupt and must be
formatted again. GOOD is not believed: a disk may answer so and do nothing, and the canaries decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.capability import Capabilities, SanitizePhase, SanitizeStanding
from sanitizer.standings import past_attentions
from sanitizer.transport.commands import Ports, ScsiAnswer
from sanitizer.wire import scsi_commands
from sanitizer.wire.scsi_answers import GOOD, sense_of
from sanitizer.wire.sense import MEDIUM_ERROR, NOT_READY

from . import needs
from .base import Aftermath, Hands, Parameters, Reach, Sent
from .ordinary import Ordinary
from .patience import by_capacity_ms
from .reaching import clear
from .scsi_sanitize import INQUIRY
from .sending import announce, scsi_port, send_scsi

_RUNNING = (NOT_READY, 0x04, 0x04)
"""Logical unit not ready, format in progress (SPC-5)."""
_CORRUPT = 0x31
"""Additional sense code of a medium format corrupted, or a FORMAT command failed (SPC-5)."""


@dataclass(eq=False, kw_only=True)
class FormatUnit(Ordinary):
    """FORMAT UNIT with the format as it is."""

    name: str = "scsi-format-unit"
    title: str = "SCSI Format Unit"
    clause: str = "SBC-4, FORMAT UNIT"
    blocking: bool = True
    resumes: bool = False

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """See `Technique`."""
        scsi = capabilities.scsi
        if scsi is None:
            return (needs.no_interface(INQUIRY),)
        return needs.reasons(
            (
                needs.must(scsi.format_unit, "the FORMAT UNIT command"),
                "FORMAT UNIT to an ATA drive is answered by a translator, which need not write anything"
                if capabilities.ata is not None
                else None,
                needs.must(
                    scsi.rotational, "rotating media, on which alone FORMAT UNIT is known to rewrite every block"
                ),
                _plain_blocks(scsi.protection_bytes),
                needs.not_sanitizing(capabilities),
                needs.not_write_protected(scsi.write_protected),
                needs.not_opal_locked(capabilities),
            )
        )

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return clear(
            media,
            "formatting rewrites the addressable blocks as a side effect; replaced and spare blocks need not be reached",
        )

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        """Undefined: without an initialization pattern the content is the vendor's choice."""
        return "undefined"

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """See `Technique`."""
        port, command = scsi_port(hands.ports, self.name), scsi_commands.format_unit(immediate=False)
        announce(hands, self.name, command.name, command.cdb)
        return (send_scsi(port, command, timeout_ms=by_capacity_ms(hands.capacity_bytes)),)

    def standing(self, ports: Ports) -> SanitizeStanding:
        """By TEST UNIT READY: in progress, failed (format corrupt), or idle, which does not say that it was ever formatted."""
        return format_standing(past_attentions(scsi_port(ports, self.name), scsi_commands.test_unit_ready().cdb))


def format_standing(answer: ScsiAnswer) -> SanitizeStanding:
    """What an answer to TEST UNIT READY says of a format operation."""
    sense = sense_of(answer)
    raw = answer.sense or bytes((answer.status,))
    if answer.status == GOOD:
        return SanitizeStanding(phase=SanitizePhase.IDLE, progress=None, raw=raw)
    if sense is not None and sense.code == _RUNNING:
        return SanitizeStanding(phase=SanitizePhase.IN_PROGRESS, progress=sense.progress, raw=raw)
    if sense is not None and sense.asc == _CORRUPT and sense.key in {MEDIUM_ERROR, NOT_READY}:
        return SanitizeStanding(phase=SanitizePhase.FAILED, progress=None, raw=raw)
    return SanitizeStanding(phase=SanitizePhase.UNKNOWN, progress=None, raw=raw)


def _plain_blocks(protection_bytes: int | None) -> str | None:
    """Only plain blocks are formatted: with protection information the geometry would not stay what it is."""
    if protection_bytes is None:
        return "whether the blocks carry protection bytes is unknown, and formatting would remove them"
    return (
        f"the blocks carry {protection_bytes} more bytes, which formatting would remove" if protection_bytes else None
    )


FORMAT_UNIT = FormatUnit()
