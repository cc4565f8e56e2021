"""Asks an open drive what it can do and how it stands, and keeps the replies as they came. Decides nothing.

Only commands without side effects are sent, and only where the drive says that it has them: an unknown command leaves traces
in error logs, and some bridges hang on one. What fails is kept as a reason. A device that stops answering is not asked
again: each further question would cost a timeout, and each timeout resets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sanitizer.capability import SanitizeStanding
from sanitizer.errors import CommandTimeout, DeviceGone, TransportError
from sanitizer.standings import QUICK_MS, UNREAD, ata_standing, nvme_standing, past_attentions, scsi_standing
from sanitizer.transport.commands import MmcPort, NvmePort, Ports, ScsiAnswer, ScsiPort
from sanitizer.wire import ata_commands, mmc_commands, nvme_commands, scsi_commands
from sanitizer.wire.ata_commands import AtaCommand
from sanitizer.wire.ata_identify import IdentifyDevice, decode_identify_device
from sanitizer.wire.capacity import decode_namespace_list
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.nvme_commands import AdminCommand
from sanitizer.wire.nvme_controller import IdentifyController, decode_identify_controller
from sanitizer.wire.opal_discovery import COM_ID, PROTOCOL
from sanitizer.wire.scsi_answers import ata_outcome, scsi_outcome
from sanitizer.wire.scsi_commands import ScsiCommand
from sanitizer.wire.scsi_inquiry import decode_inquiry
from sanitizer.wire.scsi_opcodes import decode_command_support
from sanitizer.wire.scsi_vpd import decode_supported_pages

Interface = Literal["ata", "scsi", "nvme", "mmc", "none"]

MOST_NAMESPACES = 128
"""Namespaces whose identify data are fetched; of a subsystem with more the list counts as unknown."""

INQUIRY, PAGES, CHARACTERISTICS, CAPACITY = "inquiry", "vpd-00", "vpd-b1", "read-capacity-16"
MODE_CURRENT, MODE_DEFAULT = "mode-current", "mode-default"
IDENTIFY, NATIVE_MAX, NATIVE_MAX_EXT = "identify-device", "read-native-max", "read-native-max-ext"
DCO, AMAX = "dco-identify", "get-native-max-ext"
CONTROLLER, NAMESPACE, NAMESPACES = "identify-controller", "identify-namespace", "namespaces"
SANITIZE_LOG, EXT_CSD, PROTOCOLS, DISCOVERY = "sanitize-log", "ext-csd", "security-protocols", "opal-discovery"


def opcode_key(opcode: int, action: int | None = None) -> str:
    """Name of the reply to REPORT SUPPORTED OPERATION CODES for one command."""
    return f"opcode-{opcode:02x}" if action is None else f"opcode-{opcode:02x}-{action:02x}"


def namespace_key(nsid: int) -> str:
    """Name of the reply to Identify for one namespace of the subsystem."""
    return f"namespace-{nsid}"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back for one question."""

    accepted: bool | None
    """True: answered. False: refused. None: no answer, or none that says."""
    data: bytes = b""
    evidence: bytes = b""
    """Sense data, or the NVMe status field in two bytes, little-endian."""
    reason: str = ""
    """Why nothing is known, in words; empty for an answer."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """All replies of one look at a drive."""

    interface: Interface
    replies: Mapping[str, Reply] = field(default_factory=dict)
    standing: SanitizeStanding | None = None
    """None where the drive has no sanitize status to ask."""
    namespace_id: int = 0

    def data(self, key: str) -> bytes | None:
        """The bytes of an answered question; None for every other case."""
        reply = self.replies.get(key)
        return reply.data if reply is not None and reply.accepted else None

    @property
    def failures(self) -> tuple[tuple[str, str], ...]:
        """What could not be read, by name, with the reason."""
        return tuple((key, reply.reason) for key, reply in self.replies.items() if reply.reason)


class Questions:
    """Asks, keeps, and stops asking a device that went silent."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {}
        self._silent: str | None = None

    def ask(self, key: str, ask: Callable[[], Reply]) -> Reply:
        """One question and its reply, under a name. Raises `DeviceGone`."""
        if self._silent is not None:
            reply = Reply(accepted=None, reason=self._silent)
        else:
            try:
                reply = ask()
            except DeviceGone:
                raise
            except CommandTimeout as error:
                self._silent = f"not asked: the device stopped answering ({error.operation})"
                reply = Reply(accepted=None, reason=error.summarize())
            except TransportError as error:
                reply = Reply(accepted=None, reason=error.summarize())
        self.replies[key] = reply
        return reply

    def scsi(self, key: str, port: ScsiPort, command: ScsiCommand) -> Reply:
        """A SCSI question."""

        def ask() -> Reply:
            answer = past_attentions(port, command.cdb, read=command.read)
            found = scsi_outcome(answer)
            return _reply(found.accepted, answer, found.reason)

        return self.ask(key, ask)

    def ata(self, key: str, port: ScsiPort, command: AtaCommand) -> Reply:
        """An ATA question, in sixteen bytes and, where those are unknown, in twelve."""

        def ask() -> Reply:
            answer = past_attentions(port, command.cdb, read=command.read)
            found = ata_outcome(answer, registers_wanted=command.registers_wanted)
            if found.accepted is False and found.registers is None and not command.extend:
                answer = past_attentions(port, command.cdb12, read=command.read)  # a bridge that knows no other
                found = ata_outcome(answer, registers_wanted=command.registers_wanted)
            return _reply(found.accepted, answer, found.reason)

        return self.ask(key, ask)

    def nvme(self, key: str, port: NvmePort, asked: AdminCommand) -> Reply:
        """An NVMe question."""

        def ask() -> Reply:
            answer = port.admin(asked.command, timeout_ms=QUICK_MS, read=asked.read)
            return Reply(
                accepted=answer.status == 0,
                data=answer.data if answer.status == 0 else b"",
                evidence=answer.status.to_bytes(2, "little"),
                reason="" if answer.status == 0 else f"status {answer.status:04x}h",
            )

        return self.ask(key, ask)

    def standing(self, ask: Callable[[Ports], SanitizeStanding], ports: Ports) -> SanitizeStanding:
        """The sanitize status; unknown where there is no answer."""
        found = UNREAD

        def asked() -> Reply:
            nonlocal found
            found = ask(ports)
            return Reply(accepted=True, evidence=found.raw)

        self.ask("sanitize-status", asked)
        return found


def _reply(accepted: bool | None, answer: ScsiAnswer, reason: str) -> Reply:
    return Reply(accepted=accepted, data=answer.data if accepted else b"", evidence=answer.sense, reason=reason)


def probe(ports: Ports, *, transport: str = "unknown") -> Answers:
    """Ask everything that can be asked of this device.

    Args:
        ports: Of the open device.
        transport: As `readings` has it (sata, sas, usb, ...): behind USB fewer questions are safe.

    Raises:
        DeviceGone: nothing is there any more.
    """
    asked = Questions()
    if ports.nvme is not None:
        return _probe_nvme(ports, ports.nvme, asked)
    if ports.mmc is not None:
        return _probe_mmc(ports.mmc, asked)
    if ports.scsi is not None:
        return _probe_scsi(ports, ports.scsi, asked, transport)
    return Answers(interface="none")


# --- SCSI and ATA -------------------------------------------------------------------------------------------------

_REPORTED = (
    (scsi_commands.SANITIZE, scsi_commands.SanitizeAction.OVERWRITE),
    (scsi_commands.SANITIZE, scsi_commands.SanitizeAction.BLOCK_ERASE),
    (scsi_commands.SANITIZE, scsi_commands.SanitizeAction.CRYPTOGRAPHIC_ERASE),
    (scsi_commands.FORMAT_UNIT, None),
    (scsi_commands.SECURITY_PROTOCOL_IN, None),
)


def _probe_scsi(ports: Ports, port: ScsiPort, asked: Questions, transport: str) -> Answers:
    bridged = transport == "usb"
    inquiry = asked.scsi(INQUIRY, port, scsi_commands.inquiry(_SHORT_INQUIRY if bridged else _LONG_INQUIRY))
    pages = () if bridged else _ask_pages(port, asked)
    identify = None
    if _may_be_ata(inquiry.data, pages, bridged=bridged):
        identify = _identify(asked.ata(IDENTIFY, port, ata_commands.identify_device()).data)
    if identify is not None:
        standing = asked.standing(ata_standing, ports) if identify.sanitize.supported is not False else None
        _ask_capacity(port, asked, identify)
        if identify.trusted_computing is not False:
            _ask_opal_by_scsi(port, asked)
        return Answers(interface="ata", replies=asked.replies, standing=standing)
    if bridged:
        # Memory sticks hang on what the standards have; the kernel asks them no more than this either.
        return Answers(interface="scsi", replies=asked.replies, standing=UNREAD)
    standing = asked.standing(scsi_standing, ports)
    asked.scsi(MODE_DEFAULT, port, scsi_commands.mode_sense_10(0x3F, default=True))
    for opcode, action in _REPORTED:
        command = scsi_commands.report_supported_operation(opcode, action)
        asked.scsi(opcode_key(opcode, action), port, command)
    if _supported(asked.replies[opcode_key(scsi_commands.SECURITY_PROTOCOL_IN)]):
        _ask_opal_by_scsi(port, asked)
    return Answers(interface="scsi", replies=asked.replies, standing=standing)


_SHORT_INQUIRY, _LONG_INQUIRY = 36, 96


def _ask_pages(port: ScsiPort, asked: Questions) -> tuple[int, ...]:
    """What every disk on a SCSI or SATA bus answers; returns the vital product data pages it has."""
    listed = _listed_pages(asked.scsi(PAGES, port, scsi_commands.vital_product_data(0x00)).data)
    if 0xB1 in listed:
        asked.scsi(CHARACTERISTICS, port, scsi_commands.vital_product_data(0xB1))
    asked.scsi(CAPACITY, port, scsi_commands.read_capacity_16())
    asked.scsi(MODE_CURRENT, port, scsi_commands.mode_sense_10(0x3F))
    return listed


def _listed_pages(data: bytes) -> tuple[int, ...]:
    try:
        return decode_supported_pages(data).pages
    except MalformedReply:
        return ()


def _may_be_ata(inquiry: bytes, pages: tuple[int, ...], *, bridged: bool) -> bool:
    """Whether ATA PASS-THROUGH is worth a try: a translation layer says so, or it is a USB enclosure, which udev asks too."""
    try:
        told = decode_inquiry(inquiry)
    except MalformedReply:
        return False
    return told.vendor == "ATA" or 0x89 in pages or (bridged and told.is_disk and told.removable is False)


def _identify(data: bytes) -> IdentifyDevice | None:
    try:
        found = decode_identify_device(data)
    except MalformedReply:
        return None
    return found if found.is_ata else None


def _supported(reply: Reply) -> bool:
    try:
        return bool(reply.accepted) and decode_command_support(reply.data).supported is True
    except MalformedReply:
        return False


def _ask_capacity(port: ScsiPort, asked: Questions, identify: IdentifyDevice) -> None:
    """What hides blocks: asked of every drive that does not deny having it."""
    if identify.hidden.hpa_supported is not False:
        if identify.capacity.lba48_supported:
            asked.ata(NATIVE_MAX_EXT, port, ata_commands.read_native_max_ext())
        else:
            asked.ata(NATIVE_MAX, port, ata_commands.read_native_max())
    if identify.hidden.amax_supported:
        asked.ata(AMAX, port, ata_commands.get_native_max_ext())
    if identify.hidden.dco_supported:
        asked.ata(DCO, port, ata_commands.dco_identify())


def _ask_opal_by_scsi(port: ScsiPort, asked: Questions) -> None:
    """Translation layers turn SECURITY PROTOCOL IN into TRUSTED RECEIVE; that command itself Linux does not let through."""
    asked.scsi(PROTOCOLS, port, scsi_commands.security_protocol_in(0x00, 0x0000))
    asked.scsi(DISCOVERY, port, scsi_commands.security_protocol_in(PROTOCOL, COM_ID, 2048))


# --- NVMe ---------------------------------------------------------------------------------------------------------


def _probe_nvme(ports: Ports, port: NvmePort, asked: Questions) -> Answers:
    nsid = port.namespace_id
    controller = _controller(asked.nvme(CONTROLLER, port, nvme_commands.identify_controller()).data)
    asked.nvme(NAMESPACE, port, nvme_commands.identify_namespace(nsid))
    if controller is None:
        return Answers(interface="nvme", replies=asked.replies, standing=UNREAD, namespace_id=nsid)
    standing = asked.standing(nvme_standing, ports) if controller.sanitize.any else None
    managed = controller.admin.namespace_management
    listing = nvme_commands.allocated_namespaces() if managed else nvme_commands.active_namespaces()
    for each in _listed_namespaces(asked.nvme(NAMESPACES, port, listing).data):
        one = nvme_commands.identify_allocated_namespace if managed else nvme_commands.identify_namespace
        asked.nvme(namespace_key(each), port, one(each))
    if controller.admin.security:
        asked.nvme(PROTOCOLS, port, nvme_commands.security_receive(0x00, 0x0000))
        asked.nvme(DISCOVERY, port, nvme_commands.security_receive(PROTOCOL, COM_ID, 2048))
    return Answers(interface="nvme", replies=asked.replies, standing=standing, namespace_id=nsid)


def _controller(data: bytes) -> IdentifyController | None:
    try:
        return decode_identify_controller(data)
    except MalformedReply:
        return None


def _listed_namespaces(data: bytes) -> tuple[int, ...]:
    try:
        return decode_namespace_list(data).identifiers[:MOST_NAMESPACES]
    except MalformedReply:
        return ()


# --- eMMC ---------------------------------------------------------------------------------------------------------


def _probe_mmc(port: MmcPort, asked: Questions) -> Answers:
    def ask() -> Reply:
        (answer,) = port.mmc((mmc_commands.read_ext_csd(),), timeout_ms=QUICK_MS)
        return Reply(accepted=True, data=answer.data)

    asked.ask(EXT_CSD, ask)
    return Answers(interface="mmc", replies=asked.replies)
