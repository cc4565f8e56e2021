"""NVMe admin commands as values (NVMe Base 2.x, NVM Command Set). Building one sends nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.transport.commands import NvmeCommand
from sanitizer.wire.nvme_sanitize import SanitizeAction

IDENTIFY, GET_LOG_PAGE, FORMAT_NVM, SANITIZE, SECURITY_SEND, SECURITY_RECEIVE = 0x06, 0x02, 0x80, 0x84, 0x81, 0x82
ALL_NAMESPACES = 0xFFFFFFFF
HEALTH_LOG, SANITIZE_STATUS_LOG = 0x02, 0x81
IDENTIFY_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class AdminCommand:
    """One admin command and what it moves."""

    name: str
    """The standard's name, such as Sanitize / Block Erase."""
    command: NvmeCommand
    read: int = 0
    data: bytes = b""

    @property
    def opcode(self) -> int:
        """Opcode."""
        return self.command.opcode


def identify_controller() -> AdminCommand:
    """Identify, CNS 01h."""
    return _identify("Identify Controller", 0x01)


def identify_namespace(nsid: int) -> AdminCommand:
    """Identify, CNS 00h: an active namespace; all zero for one that is not attached here."""
    return _identify("Identify Namespace", 0x00, nsid)


def active_namespaces(after: int = 0) -> AdminCommand:
    """Identify, CNS 02h: namespaces attached to this controller with an identifier larger than `after`."""
    return _identify("Identify / active namespaces", 0x02, after)


def allocated_namespaces(after: int = 0) -> AdminCommand:
    """Identify, CNS 10h: all allocated namespaces of the subsystem, attached or not."""
    return _identify("Identify / allocated namespaces", 0x10, after)


def identify_allocated_namespace(nsid: int) -> AdminCommand:
    """Identify, CNS 11h: an allocated namespace, attached or not."""
    return _identify("Identify / allocated namespace", 0x11, nsid)


def controllers() -> AdminCommand:
    """Identify, CNS 13h: all controllers of the subsystem."""
    return _identify("Identify / controllers", 0x13)


def _identify(name: str, cns: int, nsid: int = 0) -> AdminCommand:
    return AdminCommand(name=name, command=NvmeCommand(opcode=IDENTIFY, nsid=nsid, cdw10=cns), read=IDENTIFY_BYTES)


def get_log_page(log: int, length: int, nsid: int = ALL_NAMESPACES) -> AdminCommand:
    """Get Log Page: length in bytes, a multiple of 4; the field counts dwords from 0 (NUMD)."""
    if length <= 0 or length % 4:
        raise ValueError("a log page is read in dwords")
    dwords = length // 4 - 1
    command = NvmeCommand(opcode=GET_LOG_PAGE, nsid=nsid, cdw10=(dwords & 0xFFFF) << 16 | log, cdw11=dwords >> 16)
    return AdminCommand(name=f"Get Log Page / {log:02x}h", command=command, read=length)


def sanitize_status() -> AdminCommand:
    """Get Log Page 81h: the Sanitize Status log of the subsystem."""
    return get_log_page(SANITIZE_STATUS_LOG, 512)


def health() -> AdminCommand:
    """Get Log Page 02h: the health of the whole controller."""
    return get_log_page(HEALTH_LOG, 512)


_SANITIZE_NAMES = {
    SanitizeAction.EXIT_FAILURE_MODE: "Exit Failure Mode",
    SanitizeAction.BLOCK_ERASE: "Block Erase",
    SanitizeAction.OVERWRITE: "Overwrite",
    SanitizeAction.CRYPTO_ERASE: "Crypto Erase",
    SanitizeAction.EXIT_MEDIA_VERIFICATION: "Exit Media Verification State",
}


def sanitize(
    action: SanitizeAction,
    *,
    no_deallocate: bool = False,
    unrestricted: bool = False,
    pattern: bytes = b"\0\0\0\0",
    passes: int = 1,
    invert: bool = False,
) -> AdminCommand:
    """Sanitize (NVMe Base, Sanitize command): NSID 0, it is the subsystem's.

    Args:
        action: SANACT.
        no_deallocate: NDAS.
        unrestricted: AUSE; lets a failed subsystem come back with its data, so not set by default.
        pattern: OVRPAT, four bytes in the order in which they lie on the medium.
        passes: OWPASS, 1 to 16; 16 is sent as 0.
        invert: OIPBP. With an even number of passes the first one writes the inverse.
    """
    if len(pattern) != 4 or not 1 <= passes <= 16:
        raise ValueError("an overwrite takes four bytes and 1 to 16 passes")
    overwrite = action is SanitizeAction.OVERWRITE
    word = int(action) | int(unrestricted) << 3 | int(no_deallocate) << 9
    if overwrite:
        word |= (passes & 0xF) << 4 | int(invert) << 8
    command = NvmeCommand(opcode=SANITIZE, cdw10=word, cdw11=int.from_bytes(pattern, "little") if overwrite else 0)
    return AdminCommand(name=f"Sanitize / {_SANITIZE_NAMES[action]}", command=command)


def format_nvm(nsid: int, format_index: int, erase: int, *, flbas: int = 0, protection: int = 0) -> AdminCommand:
    """Format NVM (NVMe Base, Format NVM command), with the format in use, so that block size and metadata stay.

    Args:
        nsid: The namespace, or `ALL_NAMESPACES`.
        format_index: LBA format: bits 3:0 to LBAFL, bits 5:4 to LBAFU.
        erase: SES: 1 user data erase, 2 cryptographic erase. 0 is no erase and not offered.
        flbas: Identify Namespace byte 26, of which bit 4 (metadata with the data) is kept as MSET.
        protection: Identify Namespace byte 29 (DPS): bits 2:0 go to PI, bit 3 to PIL.
    """
    if erase not in {1, 2}:
        raise ValueError("a format without secure erase is no sanitization")
    if not 0 <= format_index < 64:
        raise ValueError("there are 64 formats")
    word = format_index & 0xF | (flbas >> 4 & 1) << 4 | (protection & 7) << 5 | (protection >> 3 & 1) << 8
    word |= erase << 9 | format_index >> 4 << 12
    name = "Format NVM / " + ("User Data Erase" if erase == 1 else "Cryptographic Erase")
    return AdminCommand(name=name, command=NvmeCommand(opcode=FORMAT_NVM, nsid=nsid, cdw10=word))


def security_receive(protocol: int, specific: int, length: int = 512) -> AdminCommand:
    """Security Receive (NVMe Base): SECP, SPSP, allocation length in bytes."""
    word = protocol << 24 | specific << 8
    command = NvmeCommand(opcode=SECURITY_RECEIVE, cdw10=word, cdw11=length)
    return AdminCommand(name=f"Security Receive / {protocol:02x}h", command=command, read=length)


def security_send(protocol: int, specific: int, data: bytes) -> AdminCommand:
    """Security Send (NVMe Base)."""
    word = protocol << 24 | specific << 8
    command = NvmeCommand(opcode=SECURITY_SEND, cdw10=word, cdw11=len(data))
    return AdminCommand(name=f"Security Send / {protocol:02x}h", command=command, data=data)
