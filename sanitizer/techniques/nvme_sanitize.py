"""NVMe Sanitize (84h): cryptographic erase, block erase, overwrite (NVM Express Base 2.1, 5.1.22 and 8.1.24).

It reaches the whole NVM subsystem: every namespace of every controller, attached or not, and what no namespace holds. It
does not reach the replay protected memory block and the boot partitions. NSID is 0; AUSE is never set, so a failed sanitize
can be left only by another one. OWPASS is 1, for 0 would mean 16 passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.capability import Capabilities, NvmeCapabilities, SanitizeStanding, Tri
from sanitizer.standings import nvme_standing
from sanitizer.transport.commands import Ports
from sanitizer.wire import nvme_commands
from sanitizer.wire.nvme_sanitize import SanitizeAction

from . import needs
from .base import Aftermath, Hands, Parameters, Sent
from .ordinary import Sanitize
from .sending import announce, nvme_port, send_nvme

IDENTIFY = "NVMe Identify"
ESTIMATED_PASSES = 16
"""The log's estimate for overwriting is one for 16 passes (NVMe Base, Sanitize Status log page, ETO)."""
NOT_MODIFIED, MODIFIED = 0b01, 0b10
"""NODMMAS (SANICAP bits 31:30): whether the media are modified once more when a sanitize operation has completed."""
_PROTECTED = 0b111
"""DPS, Identify Namespace byte 29: protection information, which no new key leaves intact."""


@dataclass(eq=False, kw_only=True)
class NvmeSanitize(Sanitize):
    """One sanitize action."""

    clause: str = "NVMe Base, Sanitize command"
    destroys_neighbours: bool = True
    action: SanitizeAction
    after: Aftermath
    """Where blocks are deallocated."""
    estimate: str
    """The action's name among the drive's estimates."""
    supported: Callable[[NvmeCapabilities], Tri]

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:
        """See `Technique`."""
        nvme = capabilities.nvme
        if nvme is None:
            return (needs.no_interface(IDENTIFY),)
        return needs.reasons(
            (
                needs.must(self.supported(nvme), self.what),
                needs.sanitize_allowed(capabilities),
                _deallocation(nvme, parameters),
                *_write_protected(nvme),
                needs.not_opal_locked(capabilities),
            )
        )

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:
        """Deallocated blocks read as one value at most; kept ones show the medium, where only an unaltered overwrite is known."""
        if not parameters.no_deallocate:
            return self.after
        kept = self.action is SanitizeAction.OVERWRITE and _modification(capabilities) == NOT_MODIFIED
        return "pattern" if kept else "undefined"

    def estimate_seconds(self, capabilities: Capabilities, capacity_bytes: int) -> int | None:  # noqa: ARG002 - protocol
        """The sanitize log's own estimate, for one pass: the longer one of those with and without deallocation."""
        estimates = dict(capabilities.nvme.estimates) if capabilities.nvme is not None else {}
        names = (self.estimate, f"{self.estimate}-no-deallocate")
        told = max((estimates[name] for name in names if name in estimates), default=None)
        if told is None or self.action is not SanitizeAction.OVERWRITE:
            return told
        return -(-told // ESTIMATED_PASSES)

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """See `Technique`."""
        port, wanted = nvme_port(hands.ports, self.name), hands.parameters
        command = nvme_commands.sanitize(
            self.action, no_deallocate=wanted.no_deallocate, pattern=wanted.pattern, passes=1
        )
        announce(hands, self.name, command.name, command.command.raw)
        return (send_nvme(port, command),)

    def standing(self, ports: Ports) -> SanitizeStanding:
        """See `Technique`."""
        return nvme_standing(ports)


def stays_readable(step: str, capabilities: Capabilities) -> bool:
    """Whether blocks can be left allocated by this action, and be read afterwards all the same.

    Deallocated blocks may be answered without a look at the media, so that reading back would prove nothing of them. But what
    a block erase left, and nobody wrote since, is often no readable block: there it is asked for only where the controller
    says that it modifies the media afterwards. After a change of keys no protection information fits.
    """
    nvme = capabilities.nvme
    if nvme is None or nvme.no_deallocate_inhibited is not Tri.NO:
        return False
    if step == BLOCK_ERASE.name:
        return _modification(capabilities) == MODIFIED
    if step == CRYPTO_ERASE.name:
        return len(nvme.namespace) > 29 and not nvme.namespace[29] & _PROTECTED
    return step == OVERWRITE.name


def _deallocation(nvme: NvmeCapabilities, parameters: Parameters) -> str | None:
    if not parameters.no_deallocate:
        return None
    return needs.must_not(
        nvme.no_deallocate_inhibited,
        "the controller does not leave blocks allocated after a sanitize (SANICAP.NDI), as the plan asks for",
        "the controller can leave blocks allocated after a sanitize, as the plan asks for,",
    )


def _write_protected(nvme: NvmeCapabilities) -> tuple[str, ...]:
    """One write-protected namespace makes the controller refuse the command (NVMe Base, Namespace Write Protection)."""
    protected = (one.nsid for one in nvme.namespaces or () if one.write_protected is Tri.YES)
    return tuple(f"namespace {nsid} is write-protected" for nsid in protected)


def _modification(capabilities: Capabilities) -> int | None:
    """NODMMAS, bits 31:30 of SANICAP (Identify Controller bytes 328 to 331)."""
    controller = capabilities.nvme.controller if capabilities.nvme is not None else b""
    return controller[331] >> 6 if len(controller) > 331 else None


CRYPTO_ERASE = NvmeSanitize(
    name="nvme-sanitize-crypto-erase",
    title="NVMe Sanitize, cryptographic erase",
    what="the sanitize action crypto erase",
    why="the drive replaces all media encryption keys of the subsystem, spare areas included",
    action=SanitizeAction.CRYPTO_ERASE,
    after="undefined",
    estimate="crypto",
    supported=lambda nvme: nvme.crypto_erase,
)
BLOCK_ERASE = NvmeSanitize(
    name="nvme-sanitize-block-erase",
    title="NVMe Sanitize, block erase",
    what="the sanitize action block erase",
    why="the drive erases all memory blocks of the subsystem that can hold user data, spare areas included",
    action=SanitizeAction.BLOCK_ERASE,
    after="uniform",
    estimate="block",
    supported=lambda nvme: nvme.block_erase,
)
OVERWRITE = NvmeSanitize(
    name="nvme-sanitize-overwrite",
    title="NVMe Sanitize, overwrite",
    what="the sanitize action overwrite",
    why="the drive overwrites all media of the subsystem that can hold user data, spare areas included",
    action=SanitizeAction.OVERWRITE,
    after="undefined",
    estimate="overwrite",
    supported=lambda nvme: nvme.overwrite,
)
