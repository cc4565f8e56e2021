"""NVMe Format NVM (80h) with secure erase: user data (SES 1), cryptographic (SES 2) (NVM Express Base 2.1, 5.1.10).

The format in use is sent again, with its metadata settings, so that the block size stays. Depending on the controller the command
reaches one namespace or all; what no namespace holds, it need not reach. It answers only when its work is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.capability import Capabilities, NvmeCapabilities, SanitizePhase, SanitizeStanding, Tri
from sanitizer.errors import NoTechnique, TransportError
from sanitizer.transport.commands import Ports
from sanitizer.wire import nvme_commands
from sanitizer.wire.nvme_commands import AdminCommand
from sanitizer.wire.nvme_namespace import IdentifyNamespace, decode_identify_namespace

from . import needs
from .base import Aftermath, Hands, Parameters, Reach, Sent
from .nvme_sanitize import IDENTIFY
from .ordinary import Ordinary
from .patience import QUICK_MS, by_capacity_ms
from .reaching import FORMAT_CRYPTO, FORMAT_USER_DATA, KEYS_CLAUSE, PURGE_CLAUSE, clear, disputed
from .sending import announce, nvme_port, send_nvme

_USER_DATA, _CRYPTO = 1, 2
"""SES, command dword 10 bits 11:9; 0 is no erase at all."""
PERCENT = 100
WHOLE = 65536


@dataclass(eq=False, kw_only=True)
class NvmeFormat(Ordinary):
    """Format NVM with one secure erase setting."""

    secure_erase: int
    setting: str
    why: str
    """What it does to the medium, for a person."""
    why_clause: str
    clause: str = "NVMe Base, Format NVM command"
    blocking: bool = True
    resumes: bool = False
    destroys_neighbours: bool = True
    supported: Callable[[NvmeCapabilities], str | None]
    """What stands against this erase setting."""

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """See `Technique`."""
        nvme = capabilities.nvme
        if nvme is None:
            return (needs.no_interface(IDENTIFY),)
        return needs.reasons(
            (
                needs.must(nvme.format, "the Format NVM command"),
                self.supported(nvme),
                _format_in_use(nvme),
                _scope(nvme),
                *_protected(nvme),
                needs.not_sanitizing(capabilities),
                needs.not_opal_locked(capabilities),
            )
        )

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return disputed(media, parameters, self.setting, clear(media, self.why, self.why_clause))

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        """Undefined: the standard leaves the content open, zeros and ones included."""
        return "undefined"

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """See `Technique`."""
        port, facts = nvme_port(hands.ports, self.name), hands.capabilities.nvme
        if facts is None or facts.namespace_id != port.namespace_id:
            raise NoTechnique(reasons=(f"{self.name}: the open device is another namespace than the one inspected",))
        command = format_again(facts.namespace, facts.namespace_id, self.secure_erase)
        announce(hands, self.name, command.name, command.command.raw)
        return (send_nvme(port, command, timeout_ms=by_capacity_ms(hands.capacity_bytes)),)

    def standing(self, ports: Ports) -> SanitizeStanding:
        """By the Format Progress Indicator: in progress, or idle, which does not say that it was ever formatted."""
        port = nvme_port(ports, self.name)
        identify = nvme_commands.identify_namespace(port.namespace_id)
        answer = port.admin(identify.command, timeout_ms=QUICK_MS, read=identify.read)
        return format_standing(answer.status, answer.data)


def format_standing(status: int, data: bytes) -> SanitizeStanding:
    """What Identify Namespace says of a format operation (NVM Command Set, FPI)."""
    raw = bytes(data[:64])
    try:
        namespace = decode_identify_namespace(data) if status == 0 else None
    except TransportError:
        namespace = None
    if namespace is None:
        return SanitizeStanding(phase=SanitizePhase.UNKNOWN, progress=None, raw=raw)
    left = namespace.format_percent_left
    if left:
        done = WHOLE * (PERCENT - min(left, PERCENT)) // PERCENT
        return SanitizeStanding(phase=SanitizePhase.IN_PROGRESS, progress=done, raw=raw)
    return SanitizeStanding(phase=SanitizePhase.IDLE, progress=None, raw=raw)


def format_again(namespace: bytes, namespace_id: int, secure_erase: int) -> AdminCommand:
    """Format NVM with every setting the namespace has now: FLBAS (byte 26) and DPS (byte 29). Raises `MalformedReply`."""
    now = decode_identify_namespace(namespace)
    return nvme_commands.format_nvm(
        namespace_id, now.format_index, secure_erase, flbas=now.raw[26], protection=now.raw[29]
    )


def _identified(nvme: NvmeCapabilities) -> IdentifyNamespace | None:
    try:
        return decode_identify_namespace(nvme.namespace)
    except TransportError:
        return None


def _format_in_use(nvme: NvmeCapabilities) -> str | None:
    """Without the format in use the command would change the block size."""
    known = _identified(nvme)
    if nvme.format_index is None or known is None or known.block_format is None:
        return "which block format is in use is unknown, and formatting would change it"
    if known.format_index != nvme.format_index:
        return "the controller contradicts itself about the block format in use, and formatting would change it"
    return None


def _scope(nvme: NvmeCapabilities) -> str | None:
    """Whether one namespace or all are erased (FNA bits 0 and 1) has to be known before it is done."""
    if Tri.UNKNOWN in {nvme.format_all_namespaces, nvme.erase_all_namespaces}:
        return "whether formatting erases other namespaces too is unknown"
    return None


def _protected(nvme: NvmeCapabilities) -> tuple[str, ...]:
    all_of_them = Tri.YES in {nvme.format_all_namespaces, nvme.erase_all_namespaces}
    return tuple(
        f"namespace {one.nsid} is write-protected"
        for one in nvme.namespaces or ()
        if one.write_protected is Tri.YES and (all_of_them or one.nsid == nvme.namespace_id)
    )


USER_DATA = NvmeFormat(
    name="nvme-format-user-data",
    title="NVMe Format, user data erase",
    secure_erase=_USER_DATA,
    setting=FORMAT_USER_DATA,
    why="formatting erases the namespace's user data; what no namespace holds need not be reached",
    why_clause=PURGE_CLAUSE,
    supported=lambda _: None,
)
CRYPTO = NvmeFormat(
    name="nvme-format-crypto",
    title="NVMe Format, cryptographic erase",
    secure_erase=_CRYPTO,
    setting=FORMAT_CRYPTO,
    why="formatting replaces the media key; how keys are made and where copies are, the drive does not tell",
    why_clause=KEYS_CLAUSE,
    supported=lambda nvme: needs.must(nvme.format_crypto, "cryptographic erase with Format NVM (FNA bit 2)"),
)
