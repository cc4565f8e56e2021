"""ATA SANITIZE DEVICE (B4h): crypto scramble, block erase, overwrite (ACS-3, Sanitize Device feature set).

The command returns at once; the drive works on by itself, through resets and power cycles, and nothing stops it. The failure
mode bit (COUNT bit 4) is never set: with it, a drive whose sanitize failed could be brought back with data on it. ZONED NO RESET
(bit 15) is not set either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.capability import AtaCapabilities, Capabilities, SanitizePhase, SanitizeStanding, Tri
from sanitizer.standings import ata_standing
from sanitizer.transport.commands import Ports
from sanitizer.wire import ata_commands
from sanitizer.wire.ata_commands import AtaCommand

from . import needs
from .base import Hands, Parameters, Sent
from .ordinary import Sanitize
from .sending import announce, scsi_port, send_ata
from .whole_answers import want_whole_answers

IDENTIFY = "ATA IDENTIFY DEVICE"


@dataclass(eq=False, kw_only=True)
class AtaSanitize(Sanitize):
    """One action of SANITIZE DEVICE."""

    clause: str = "ACS-3, SANITIZE DEVICE"
    supported: Callable[[AtaCapabilities], Tri]
    build: Callable[[Parameters], AtaCommand]

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """See `Technique`."""
        ata = capabilities.ata
        if ata is None:
            return (needs.no_interface(IDENTIFY),)
        return needs.reasons(
            (
                needs.must(ata.sanitize, "the Sanitize Device feature set (IDENTIFY DEVICE word 59)"),
                needs.must(self.supported(ata), self.what),
                needs.sanitize_allowed(capabilities),
                _unlocked(ata),
                needs.not_opal_locked(capabilities),
            )
        )

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """See `Technique`."""
        port, command = scsi_port(hands.ports, self.name), self.build(hands.parameters)
        want_whole_answers(port)
        announce(hands, self.name, command.name, command.cdb)
        return (send_ata(port, command),)

    def standing(self, ports: Ports) -> SanitizeStanding:
        """See `Technique`. A status that came without its states is asked for once more in the format that has them."""
        found = ata_standing(ports)
        if found.phase is not SanitizePhase.UNKNOWN or ports.scsi is None or not want_whole_answers(ports.scsi):
            return found
        return ata_standing(ports)


def _unlocked(ata: AtaCapabilities) -> str | None:
    """A drive locked by a password aborts SANITIZE DEVICE (ACS-3, Security feature set, commands while locked)."""
    if ata.security is Tri.NO:
        return None
    return needs.must_not(
        ata.security_locked,
        "the drive is locked by an ATA password; unlock it first",
        "the drive is locked by an ATA password",
    )


CRYPTO_SCRAMBLE = AtaSanitize(
    name="ata-sanitize-crypto-scramble",
    title="ATA Sanitize, crypto scramble",
    what="the crypto scramble command",
    why="the drive replaces the key it encrypts all user data with, spare areas included",
    after="undefined",
    supported=lambda ata: ata.crypto_scramble,
    build=lambda _: ata_commands.sanitize_crypto_scramble(),
)
BLOCK_ERASE = AtaSanitize(
    name="ata-sanitize-block-erase",
    title="ATA Sanitize, block erase",
    what="the block erase command",
    why="the drive erases all of its memory blocks, spare areas included",
    after="uniform",
    supported=lambda ata: ata.block_erase,
    build=lambda _: ata_commands.sanitize_block_erase(),
)
OVERWRITE = AtaSanitize(
    name="ata-sanitize-overwrite",
    title="ATA Sanitize, overwrite",
    what="the sanitize overwrite command",
    why="the drive overwrites all of its user data areas, those no host can address included",
    after="pattern",
    supported=lambda ata: ata.overwrite,
    build=lambda parameters: ata_commands.sanitize_overwrite(parameters.pattern, passes=1),
)
