"""SCSI SANITIZE (48h): overwrite, block erase, cryptographic erase (SBC-4, SANITIZE).

IMMED is set, so the command returns at once and the device works on by itself, through resets and power cycles. AUSE is never
set: with it, a device whose sanitize failed could be brought back with data on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.capability import Capabilities, SanitizeStanding, ScsiCapabilities, Tri
from sanitizer.standings import scsi_standing
from sanitizer.transport.commands import Ports
from sanitizer.wire import scsi_commands
from sanitizer.wire.scsi_commands import SanitizeAction, ScsiCommand

from . import needs
from .base import Hands, Parameters, Sent
from .ordinary import Sanitize
from .sending import announce, scsi_port, send_scsi

INQUIRY = "SCSI INQUIRY and REPORT SUPPORTED OPERATION CODES"
_UNREADABLE = frozenset({2, 3})
"""WABEREQ and WACEREQ (SBC-4, VPD page B1h): reads fail until the block was written again."""
_NOTHING_TO_SEE = (
    "afterwards reads fail until every block is written again (VPD page B1h), so nothing could be shown to be gone"
)


@dataclass(eq=False, kw_only=True)
class ScsiSanitize(Sanitize):
    """One service action of SANITIZE."""

    clause: str = "SBC-4, SANITIZE"
    supported: Callable[[ScsiCapabilities], Tri]
    reads: Callable[[ScsiCapabilities], int | None]
    """WABEREQ or WACEREQ."""
    build: Callable[[Parameters], ScsiCommand]

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """See `Technique`."""
        scsi = capabilities.scsi
        if scsi is None:
            return (needs.no_interface(INQUIRY),)
        return needs.reasons(
            (
                needs.must(self.supported(scsi), self.what),
                needs.sanitize_allowed(capabilities),
                needs.not_write_protected(scsi.write_protected),
                needs.not_opal_locked(capabilities),
                _NOTHING_TO_SEE if self.reads(scsi) in _UNREADABLE else None,
            )
        )

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """See `Technique`."""
        port, command = scsi_port(hands.ports, self.name), self.build(hands.parameters)
        announce(hands, self.name, command.name, command.cdb)
        return (send_scsi(port, command),)

    def standing(self, ports: Ports) -> SanitizeStanding:
        """See `Technique`."""
        return scsi_standing(ports)


OVERWRITE = ScsiSanitize(
    name="scsi-sanitize-overwrite",
    title="SCSI Sanitize, overwrite",
    what="the SANITIZE overwrite service action",
    why="the device overwrites all of its medium, blocks no host can address included",
    after="pattern",
    supported=lambda scsi: scsi.sanitize_overwrite,
    reads=lambda _: None,
    build=lambda parameters: scsi_commands.sanitize(
        SanitizeAction.OVERWRITE, data=scsi_commands.overwrite_parameters(parameters.pattern, passes=1)
    ),
)
BLOCK_ERASE = ScsiSanitize(
    name="scsi-sanitize-block-erase",
    title="SCSI Sanitize, block erase",
    what="the SANITIZE block erase service action",
    why="the device sets all of its physical blocks to a value of the vendor's, those no host can address included",
    after="uniform",
    supported=lambda scsi: scsi.sanitize_block,
    reads=lambda scsi: scsi.write_after_block_erase,
    build=lambda _: scsi_commands.sanitize(SanitizeAction.BLOCK_ERASE),
)
CRYPTO_ERASE = ScsiSanitize(
    name="scsi-sanitize-crypto-erase",
    title="SCSI Sanitize, cryptographic erase",
    what="the SANITIZE cryptographic erase service action",
    why="the device replaces the keys it encrypts its medium with, spare areas included",
    after="undefined",
    supported=lambda scsi: scsi.sanitize_crypto,
    reads=lambda scsi: scsi.write_after_crypto_erase,
    build=lambda _: scsi_commands.sanitize(SanitizeAction.CRYPTOGRAPHIC_ERASE),
)
