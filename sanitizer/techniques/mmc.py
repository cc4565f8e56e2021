"""eMMC: sanitize after erasing every block of the user area, and secure trim (JESD84-B51, ERASE, SANITIZE).

Sanitize purges what is no longer mapped, so the whole user area is erased first, with CMD38 ERASE: the kernel's own discard may
choose DISCARD, which leaves it to the device whether anything is unmapped. Boot, general purpose and replay-protected areas
are memory of their own, reached by neither.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.capability import Capabilities, MmcCapabilities, SanitizePhase, SanitizeStanding, Tri
from sanitizer.errors import NoTechnique, TransportError
from sanitizer.transport.commands import MmcAnswer, MmcCommand, MmcPort, Ports
from sanitizer.wire import mmc_commands
from sanitizer.wire.emmc import decode_ext_csd

from . import needs
from .base import Aftermath, Hands, Parameters, Reach, Sent
from .ordinary import Ordinary
from .patience import QUICK_MS, by_capacity_ms
from .reaching import clear, purge
from .sending import Accepted, announce, mmc_port

EXT_CSD = "with its EXT_CSD register"
ERRORS = 0xFFF9A080
"""Error bits of R1 (JESD84-B51, device status), SWITCH_ERROR and WP_ERASE_SKIP among them."""
BYTE_ADDRESSED_SECTORS = (2 << 30) // 512
"""Devices of up to 2 GiB count bytes, larger ones sectors (JESD84-B51, access mode)."""
_OWN_ADDRESS = 1 << 16
"""The relative address the kernel gives to an eMMC device, as CMD13 takes it."""
_TRANSFER, _PROGRAMMING = 4, 7
"""CURRENT_STATE, bits 12:9 of the device status."""
_ERASE_NAMES = {
    mmc_commands.PLAIN_ERASE: "ERASE",
    mmc_commands.SECURE_TRIM_1: "ERASE / SECURE TRIM STEP 1",
    mmc_commands.SECURE_TRIM_2: "ERASE / SECURE TRIM STEP 2",
}


@dataclass(eq=False, kw_only=True)
class MmcErasure(Ordinary):
    """Commands over the whole user area."""

    clause: str
    blocking: bool = True
    resumes: bool = False
    what: str
    """The feature a device must have, for a person."""
    supported: Callable[[MmcCapabilities], Tri]
    arguments: tuple[int, ...]
    """Of CMD38, one for each pass over the user area."""
    sanitizes: bool
    """Whether SANITIZE_START follows."""

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """See `Technique`."""
        mmc = capabilities.mmc
        if mmc is None:
            return (needs.no_interface(EXT_CSD),)
        return needs.reasons(
            (
                needs.must(self.supported(mmc), self.what),
                None if mmc.erased_byte in {0x00, 0xFF} else "what erased memory reads as is unknown",
                "the size of the user area is unknown" if last_address(mmc.ext_csd) is None else None,
            )
        )

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        """See `Technique`."""
        if not self.sanitizes:
            return clear(
                media, "the device erases the user area securely as far as its maker built it; not used since 5.1"
            )
        areas = capabilities.mmc.areas if capabilities.mmc is not None else ()
        general = tuple(name for name, size in areas if name.startswith("gp") and size)
        if general or capabilities.mmc is None:
            named = ", ".join(general) or "other areas"
            return clear(media, f"{named} can hold user data too and are not erased")
        beside = ", ".join(name for name, size in areas if size)
        without = f"; not covered, being memory of their own: {beside}" if beside else ""
        return purge(media, f"the user area is erased and what is no longer mapped is purged{without}")

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        """What ERASED_MEM_CONT says."""
        erased = capabilities.mmc.erased_byte if capabilities.mmc is not None else None
        return "zeros" if erased == 0 else "undefined" if erased is None else "uniform"

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """See `Technique`. A device that skips a write-protected group has not erased, and is not sanitized."""
        port, facts = mmc_port(hands.ports, self.name), hands.capabilities.mmc
        last = last_address(facts.ext_csd) if facts is not None else None
        if last is None:
            raise NoTechnique(reasons=(f"{self.name}: the size of the user area is unknown",))
        timeout_ms = by_capacity_ms(hands.capacity_bytes)
        sent: list[Sent] = []
        for argument in self.arguments:
            commands = mmc_commands.erase(0, last, argument)
            sent.append(self._send(hands, port, commands, _ERASE_NAMES[argument], timeout_ms))
            if sent[-1].accepted != "yes":
                return tuple(sent)
        if self.sanitizes:
            sent.append(self._send(hands, port, (mmc_commands.sanitize(),), "SWITCH / SANITIZE_START", timeout_ms))
        return tuple(sent)

    def _send(self, hands: Hands, port: MmcPort, commands: tuple[MmcCommand, ...], name: str, timeout_ms: int) -> Sent:
        """One sequence; then the device status, which alone tells of errors while it worked."""
        raw = b"".join(bytes((one.opcode,)) + one.argument.to_bytes(4, "big") for one in commands)
        announce(hands, self.name, name, raw)
        answers = port.mmc(commands, timeout_ms=timeout_ms)
        answers += port.mmc((send_status(),), timeout_ms=QUICK_MS)
        said = b"".join(one.response[0].to_bytes(4, "big") for one in answers)
        accepted = accepted_mmc(answers, expected=len(commands) + 1)
        return Sent(command=name, opcode=commands[-1].opcode, sent=raw, answer=said, accepted=accepted)

    def standing(self, ports: Ports) -> SanitizeStanding:
        """By the device status: idle where it is ready for commands, which does not say that it was ever erased."""
        (answer,) = mmc_port(ports, self.name).mmc((send_status(),), timeout_ms=QUICK_MS)
        status = answer.response[0]
        ready, state = status >> 8 & 1, status >> 9 & 0xF
        phase = SanitizePhase.UNKNOWN
        if state == _PROGRAMMING:
            phase = SanitizePhase.IN_PROGRESS
        elif state == _TRANSFER and ready:
            phase = SanitizePhase.IDLE
        return SanitizeStanding(phase=phase, progress=None, raw=status.to_bytes(4, "big"))


def send_status() -> MmcCommand:
    """CMD13: the device status, error bits since the last command included."""
    same = mmc_commands.erase(0, 0)[0]  # an addressed command with a short answer, as this one is
    return MmcCommand(opcode=mmc_commands.SEND_STATUS, argument=_OWN_ADDRESS, flags=same.flags)


def accepted_mmc(answers: tuple[MmcAnswer, ...], *, expected: int) -> Accepted:
    """Every answer without an error bit is yes, any with one no; too few say nothing."""
    if any(one.response[0] & ERRORS for one in answers):
        return "no"
    return "yes" if len(answers) == expected else "unknown"


def last_address(ext_csd: bytes) -> int | None:
    """The last address of the user area, in the units this device counts in; None where its size is not known."""
    try:
        sectors = decode_ext_csd(ext_csd).sectors
    except TransportError:
        return None
    if not sectors:
        return None
    return sectors - 1 if sectors > BYTE_ADDRESSED_SECTORS else (sectors - 1) * 512


SANITIZE = MmcErasure(
    name="mmc-sanitize",
    title="eMMC erase and sanitize",
    clause="JESD84-B51, SANITIZE",
    what="the sanitize feature (SEC_FEATURE_SUPPORT bit 6)",
    supported=lambda mmc: mmc.sanitize,
    arguments=(mmc_commands.PLAIN_ERASE,),
    sanitizes=True,
)
SECURE_TRIM = MmcErasure(
    name="mmc-secure-trim",
    title="eMMC secure trim",
    clause="JESD84-B51, SECURE TRIM",
    what="secure trim (SEC_FEATURE_SUPPORT bits 0 and 4)",
    supported=lambda mmc: mmc.secure_trim,
    arguments=(mmc_commands.SECURE_TRIM_1, mmc_commands.SECURE_TRIM_2),
    sanitizes=False,
)
