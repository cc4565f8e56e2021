"""ATA commands as values, and their CDBs for ATA PASS-THROUGH (SAT-4, 12.2). Building one sends nothing.

Command codes, features and fields are those of ACS-3 and ACS-4. Passwords travel in the data of a command, never in its
CDB, so that a CDB can be kept as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

IDENTIFY_DEVICE, READ_LOG_EXT, FLUSH_CACHE_EXT, TRUSTED_RECEIVE = 0xEC, 0x2F, 0xEA, 0x5C
SANITIZE_DEVICE = 0xB4
SMART, SMART_SIGNATURE = 0xB0, 0xC24F00
SECURITY_SET_PASSWORD, SECURITY_UNLOCK, SECURITY_ERASE_PREPARE = 0xF1, 0xF2, 0xF3
SECURITY_ERASE_UNIT, SECURITY_FREEZE_LOCK, SECURITY_DISABLE_PASSWORD = 0xF4, 0xF5, 0xF6
READ_NATIVE_MAX_ADDRESS, READ_NATIVE_MAX_ADDRESS_EXT = 0xF8, 0x27
SET_MAX_ADDRESS, SET_MAX_ADDRESS_EXT = 0xF9, 0x37
DEVICE_CONFIGURATION, ACCESSIBLE_MAX_ADDRESS = 0xB1, 0x78

BLOCK = 512
PASSWORD_BYTES = 32
MAX_LBA28 = 0x0FFFFFFF
_USE_LBA = 0x40


class Protocol(IntEnum):
    """How the command moves data (SAT-4, PROTOCOL field)."""

    NON_DATA = 3
    PIO_IN = 4
    PIO_OUT = 5


@dataclass(frozen=True, kw_only=True)
class AtaCommand:
    """One ATA command: its registers and what it moves."""

    name: str
    """The standard's name, such as SANITIZE DEVICE / BLOCK ERASE EXT."""
    opcode: int
    protocol: Protocol = Protocol.NON_DATA
    feature: int = 0
    count: int = 0
    lba: int = 0
    device: int = _USE_LBA
    extend: bool = False
    """48-bit registers."""
    registers_wanted: bool = True
    """CK_COND: the drive's registers come back as sense data, on success too."""
    data: bytes = field(default=b"", repr=False)
    """What it sends. May hold a password: shown nowhere."""

    @property
    def read(self) -> int:
        """Bytes it returns."""
        return self.count * BLOCK if self.protocol is Protocol.PIO_IN else 0

    @property
    def _checked(self) -> int:
        """Byte 2: OFF_LINE 0, CK_COND, T_TYPE 0 (512-byte blocks), T_DIR, BYT_BLOK, T_LENGTH (SAT-4, 12.2.2)."""
        wanted = 0x20 if self.registers_wanted else 0
        if self.protocol is Protocol.NON_DATA:
            return wanted
        from_device = 0x08 if self.protocol is Protocol.PIO_IN else 0
        return wanted | from_device | 0x04 | 0x02  # blocks, as many as COUNT says

    @property
    def cdb(self) -> bytes:
        """ATA PASS-THROUGH (16): what is sent unless the path knows only twelve bytes."""
        upper = (lambda value: value) if self.extend else (lambda _: 0)
        return bytes(
            (
                0x85,
                self.protocol << 1 | int(self.extend),
                self._checked,
                upper(self.feature >> 8 & 0xFF),
                self.feature & 0xFF,
                upper(self.count >> 8 & 0xFF),
                self.count & 0xFF,
                upper(self.lba >> 24 & 0xFF),
                self.lba & 0xFF,
                upper(self.lba >> 32 & 0xFF),
                self.lba >> 8 & 0xFF,
                upper(self.lba >> 40 & 0xFF),
                self.lba >> 16 & 0xFF,
                self.device,
                self.opcode,
                0,
            )
        )

    @property
    def cdb12(self) -> bytes:
        """ATA PASS-THROUGH (12), for bridges that know no other.

        Raises:
            ValueError: the command has 48-bit registers, which twelve bytes cannot hold.
        """
        if self.extend:
            raise ValueError(f"{self.name} does not fit into ATA PASS-THROUGH (12)")
        return bytes(
            (
                0xA1,
                self.protocol << 1,
                self._checked,
                self.feature,
                self.count,
                self.lba & 0xFF,
                self.lba >> 8 & 0xFF,
                self.lba >> 16 & 0xFF,
                self.device,
                self.opcode,
                0,
                0,
            )
        )


# --- identification and logs -------------------------------------------------------------------------------------


def identify_device() -> AtaCommand:
    """IDENTIFY DEVICE (ACS-3, 7.12)."""
    return AtaCommand(
        name="IDENTIFY DEVICE",
        opcode=IDENTIFY_DEVICE,
        protocol=Protocol.PIO_IN,
        count=1,
        device=0,
        registers_wanted=False,
    )


def read_log_ext(log: int, page: int = 0, blocks: int = 1) -> AtaCommand:
    """READ LOG EXT (ACS-3, 7.24): log address in LBA 7:0, page in LBA 15:8 and 39:32."""
    return AtaCommand(
        name=f"READ LOG EXT / log {log:02x}h page {page:02x}h",
        opcode=READ_LOG_EXT,
        protocol=Protocol.PIO_IN,
        count=blocks,
        lba=log | (page & 0xFF) << 8 | (page >> 8) << 32,
        extend=True,
        registers_wanted=False,
    )


def smart_read_data() -> AtaCommand:
    """SMART READ DATA (ACS-3, 7.48.7): counts nothing, and starts no test."""
    return AtaCommand(
        name="SMART READ DATA",
        opcode=SMART,
        protocol=Protocol.PIO_IN,
        feature=0xD0,
        count=1,
        lba=SMART_SIGNATURE,
        device=0,
        registers_wanted=False,
    )


def smart_return_status() -> AtaCommand:
    """SMART RETURN STATUS (ACS-3, 7.48.8): the registers tell whether a threshold is exceeded."""
    return AtaCommand(name="SMART RETURN STATUS", opcode=SMART, feature=0xDA, lba=SMART_SIGNATURE, device=0)


def trusted_receive(protocol: int, specific: int, blocks: int = 1) -> AtaCommand:
    """TRUSTED RECEIVE (ACS-3, 7.57). libata refuses it unless started with allow_tpm."""
    return AtaCommand(
        name="TRUSTED RECEIVE",
        opcode=TRUSTED_RECEIVE,
        protocol=Protocol.PIO_IN,
        feature=protocol,
        count=blocks,
        lba=specific << 8,
        registers_wanted=False,
    )


def flush_cache_ext() -> AtaCommand:
    """FLUSH CACHE EXT (ACS-3, 7.10)."""
    return AtaCommand(name="FLUSH CACHE EXT", opcode=FLUSH_CACHE_EXT, extend=True)


# --- SANITIZE DEVICE (ACS-3, 7.36 and following) -------------------------------------------------------------------

FAILURE_MODE = 1 << 4
"""COUNT bit: the drive may leave the failed state without a successful sanitize. Not set by default."""


def sanitize_status(*, clear_failed: bool = False) -> AtaCommand:
    """SANITIZE STATUS EXT. Clearing the failed bit brings a drive back with its data: never done here by itself."""
    return _sanitize("SANITIZE STATUS EXT", 0x0000, lba=0, count=int(clear_failed))


def sanitize_crypto_scramble(*, failure_mode: bool = False) -> AtaCommand:
    """CRYPTO SCRAMBLE EXT, signature "Cryp"."""
    return _sanitize("CRYPTO SCRAMBLE EXT", 0x0011, lba=0x43727970, count=FAILURE_MODE * failure_mode)


def sanitize_block_erase(*, failure_mode: bool = False) -> AtaCommand:
    """BLOCK ERASE EXT, signature "BkEr"."""
    return _sanitize("BLOCK ERASE EXT", 0x0012, lba=0x426B4572, count=FAILURE_MODE * failure_mode)


def sanitize_overwrite(
    pattern: bytes, *, passes: int = 1, invert: bool = False, definitive: bool = False, failure_mode: bool = False
) -> AtaCommand:
    """OVERWRITE EXT, signature "OW".

    Args:
        pattern: Four bytes in the order in which they lie on the medium; LBA 7:0 is the first.
        passes: 1 to 16; 16 is sent as 0.
        invert: Between passes.
        definitive: End with the pattern itself, however many passes invert it (COUNT bit 6).
        failure_mode: See `FAILURE_MODE`.
    """
    if len(pattern) != 4 or not 1 <= passes <= 16:
        raise ValueError("OVERWRITE EXT takes four bytes and 1 to 16 passes")
    count = passes & 0xF | FAILURE_MODE * failure_mode | (1 << 6) * definitive | (1 << 7) * invert
    lba = 0x4F57 << 32 | int.from_bytes(pattern, "little")
    return _sanitize("OVERWRITE EXT", 0x0014, lba=lba, count=count)


def sanitize_freeze_lock() -> AtaCommand:
    """SANITIZE FREEZE LOCK EXT, signature "FrLk"."""
    return _sanitize("SANITIZE FREEZE LOCK EXT", 0x0020, lba=0x46724C6B, count=0)


def sanitize_antifreeze_lock() -> AtaCommand:
    """SANITIZE ANTIFREEZE LOCK EXT, signature "Anti"."""
    return _sanitize("SANITIZE ANTIFREEZE LOCK EXT", 0x0040, lba=0x416E7469, count=0)


def _sanitize(name: str, feature: int, *, lba: int, count: int) -> AtaCommand:
    return AtaCommand(
        name=f"SANITIZE DEVICE / {name}",
        opcode=SANITIZE_DEVICE,
        feature=feature,
        count=count,
        lba=lba,
        extend=True,
    )


# --- Security feature set (ACS-3, 7.39 to 7.44) -------------------------------------------------------------------


def security_set_password(
    password: bytes, *, master: bool = False, maximum: bool = False, master_id: int = 0
) -> AtaCommand:
    """SECURITY SET PASSWORD. Level high unless `maximum`: then the master password could only erase."""
    head = bytes((int(master), int(maximum)))
    return _security("SECURITY SET PASSWORD", SECURITY_SET_PASSWORD, head, password, master_id.to_bytes(2, "little"))


def security_unlock(password: bytes, *, master: bool = False) -> AtaCommand:
    """SECURITY UNLOCK. Five wrong ones exhaust the attempts until the next power cycle."""
    return _security("SECURITY UNLOCK", SECURITY_UNLOCK, bytes((int(master), 0)), password)


def security_erase_prepare() -> AtaCommand:
    """SECURITY ERASE PREPARE, which must be the command right before SECURITY ERASE UNIT."""
    return AtaCommand(name="SECURITY ERASE PREPARE", opcode=SECURITY_ERASE_PREPARE, device=0)


def security_erase_unit(password: bytes, *, enhanced: bool, master: bool = False) -> AtaCommand:
    """SECURITY ERASE UNIT, normal or enhanced (byte 0 bit 1)."""
    name = "SECURITY ERASE UNIT / " + ("ENHANCED" if enhanced else "NORMAL")
    return _security(name, SECURITY_ERASE_UNIT, bytes((int(master) | int(enhanced) << 1, 0)), password)


def security_disable_password(password: bytes, *, master: bool = False) -> AtaCommand:
    """SECURITY DISABLE PASSWORD."""
    return _security("SECURITY DISABLE PASSWORD", SECURITY_DISABLE_PASSWORD, bytes((int(master), 0)), password)


def security_freeze_lock() -> AtaCommand:
    """SECURITY FREEZE LOCK."""
    return AtaCommand(name="SECURITY FREEZE LOCK", opcode=SECURITY_FREEZE_LOCK, device=0)


def _security(name: str, opcode: int, head: bytes, password: bytes, tail: bytes = b"") -> AtaCommand:
    if len(password) > PASSWORD_BYTES:
        raise ValueError(f"an ATA password has at most {PASSWORD_BYTES} bytes")
    data = head + password.ljust(PASSWORD_BYTES, b"\0") + tail
    return AtaCommand(
        name=name, opcode=opcode, protocol=Protocol.PIO_OUT, count=1, device=0, data=data.ljust(BLOCK, b"\0")
    )


# --- hidden capacity ----------------------------------------------------------------------------------------------


def read_native_max_ext() -> AtaCommand:
    """READ NATIVE MAX ADDRESS EXT (ACS-2, 7.33): the answer's LBA is the largest, so sectors are one more."""
    return AtaCommand(name="READ NATIVE MAX ADDRESS EXT", opcode=READ_NATIVE_MAX_ADDRESS_EXT, extend=True)


def read_native_max() -> AtaCommand:
    """READ NATIVE MAX ADDRESS (28 bits)."""
    return AtaCommand(name="READ NATIVE MAX ADDRESS", opcode=READ_NATIVE_MAX_ADDRESS)


def set_max_ext(last_lba: int, *, non_volatile: bool = True) -> AtaCommand:
    """SET MAX ADDRESS EXT (ACS-2, 7.54), which must directly follow READ NATIVE MAX ADDRESS EXT."""
    if not 0 <= last_lba < 1 << 48:
        raise ValueError("an address has 48 bits")
    return AtaCommand(
        name="SET MAX ADDRESS EXT", opcode=SET_MAX_ADDRESS_EXT, lba=last_lba, count=int(non_volatile), extend=True
    )


def set_max(last_lba: int, *, non_volatile: bool = True) -> AtaCommand:
    """SET MAX ADDRESS (28 bits): LBA 27:24 lie in the device register."""
    if not 0 <= last_lba <= MAX_LBA28:
        raise ValueError("an address has 28 bits")
    return AtaCommand(
        name="SET MAX ADDRESS",
        opcode=SET_MAX_ADDRESS,
        lba=last_lba & 0xFFFFFF,
        device=_USE_LBA | last_lba >> 24,
        count=int(non_volatile),
    )


def dco_identify() -> AtaCommand:
    """DEVICE CONFIGURATION IDENTIFY (ACS-2, 7.9): what the drive could be without its overlay."""
    return AtaCommand(
        name="DEVICE CONFIGURATION IDENTIFY",
        opcode=DEVICE_CONFIGURATION,
        protocol=Protocol.PIO_IN,
        feature=0xC2,
        count=1,
        registers_wanted=False,
    )


def dco_restore() -> AtaCommand:
    """DEVICE CONFIGURATION RESTORE, refused while a host protected area is set."""
    return AtaCommand(name="DEVICE CONFIGURATION RESTORE", opcode=DEVICE_CONFIGURATION, feature=0xC0)


def get_native_max_ext() -> AtaCommand:
    """GET NATIVE MAX ADDRESS EXT (ACS-3, 7.2.2)."""
    return AtaCommand(name="GET NATIVE MAX ADDRESS EXT", opcode=ACCESSIBLE_MAX_ADDRESS, feature=0x0000, extend=True)


def set_accessible_max_ext(last_lba: int) -> AtaCommand:
    """SET ACCESSIBLE MAX ADDRESS EXT (ACS-3, 7.2.3)."""
    if not 0 <= last_lba < 1 << 48:
        raise ValueError("an address has 48 bits")
    return AtaCommand(
        name="SET ACCESSIBLE MAX ADDRESS EXT",
        opcode=ACCESSIBLE_MAX_ADDRESS,
        feature=0x0001,
        lba=last_lba,
        extend=True,
    )
