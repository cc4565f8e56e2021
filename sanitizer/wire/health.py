"""What drives keep of their own health: SMART data (ATA), log pages (SCSI), the health log (NVMe), EXT_CSD (eMMC).

Meanings of SMART attributes stand in no ATA standard: the few numbers read here are those on which makers agree, and each is
read in the width in which they all keep it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.fields import Buffer, be, between, exactly, le
from sanitizer.wire.pass_through import AtaRegisters

_KELVIN = 273
_COLDEST, _HOTTEST = -99, 250


def sensible_degrees(value: int | None) -> int | None:
    """Degrees Celsius, where they are some that a drive can have."""
    return value if value is not None and _COLDEST <= value <= _HOTTEST else None


# --- ATA ----------------------------------------------------------------------------------------------------------

_ENTRIES, _ENTRY = 30, 12
GOOD_SIGNATURE, BAD_SIGNATURE = 0xC24F00, 0x2CF400
"""LBA 23:8 of SMART RETURN STATUS: no threshold exceeded, one exceeded (ACS-3, 7.48.8)."""


@dataclass(frozen=True, kw_only=True)
class SmartAttribute:
    """One of the thirty entries of SMART data."""

    number: int
    value: int
    """Normalized: the higher the better."""
    worst: int
    raw: int
    """Six bytes, of which the maker alone knows the meaning."""


@dataclass(frozen=True, kw_only=True)
class SmartData:
    """SMART data (ATA8-ACS, 7.52.6; vendor's structure since ACS-2)."""

    attributes: tuple[SmartAttribute, ...]

    def raw(self, number: int, width: int) -> int | None:
        """The lowest `width` bytes of an attribute; None where the drive has no such attribute."""
        found = next((each for each in self.attributes if each.number == number), None)
        return None if found is None else found.raw & ((1 << 8 * width) - 1)

    @property
    def reallocated(self) -> int | None:
        """Attribute 5: sectors the drive has put others in the place of."""
        return self.raw(5, 2)

    @property
    def pending(self) -> int | None:
        """Attribute 197: sectors it could not read, and waits to be written."""
        return self.raw(197, 4)

    @property
    def uncorrectable(self) -> int | None:
        """Attribute 198: sectors it found unreadable by itself."""
        return self.raw(198, 4)

    @property
    def power_on_hours(self) -> int | None:
        """Attribute 9; some makers keep minutes above the three bytes."""
        return self.raw(9, 3)

    @property
    def temperature(self) -> int | None:
        """Attribute 194, or 190 where there is none; the lowest byte, above it stand other temperatures."""
        found = self.raw(194, 1)
        return sensible_degrees(self.raw(190, 1) if found is None else found)


def decode_smart_data(data: Buffer) -> SmartData:
    """Read SMART data.

    Raises:
        MalformedReply: other than 512 bytes, or their checksum is wrong: what is not whole is not counted with.
    """
    raw = exactly("SMART data", data, 512)
    if sum(raw) % 256:
        raise MalformedReply(reply="SMART data", expected="bytes whose sum is 0", got=f"a sum of {sum(raw) % 256}")
    entries = [raw[2 + _ENTRY * n : 2 + _ENTRY * (n + 1)] for n in range(_ENTRIES)]
    return SmartData(
        attributes=tuple(
            SmartAttribute(number=one[0], value=one[3], worst=one[4], raw=int.from_bytes(one[5:11], "little"))
            for one in entries
            if one[0]
        )
    )


def smart_prediction(registers: AtaRegisters | None) -> str:
    """What SMART RETURN STATUS says: passed, failing, unknown."""
    signature = None if registers is None or registers.lba_low is None else registers.lba_low & 0xFFFF00
    return {GOOD_SIGNATURE: "passed", BAD_SIGNATURE: "failing"}.get(signature or 0, "unknown")


DEVICE_STATISTICS, WEAR_PAGE = 0x04, 0x07
"""The log of device statistics, and its page about solid state (ACS-3, 9.5 and 9.5.9)."""
_SUPPORTED_AND_VALID = 0xC0


def pages_of_log(directory: Buffer, log: int) -> int:
    """How many pages a log has, by the directory of logs (log 00h); 0 where the drive has none.

    Raises:
        MalformedReply: other than 512 bytes.
    """
    raw = exactly("log directory", directory, 512)
    return int.from_bytes(raw[2 * log : 2 * log + 2], "little")


def statistics_pages(data: Buffer) -> tuple[int, ...]:
    """Which pages of device statistics there are, by page 00h.

    Raises:
        MalformedReply: other than 512 bytes, or another page.
    """
    raw = _statistics_page(data, 0)
    return tuple(raw[9 : 9 + min(raw[8], 512 - 9)])


def ata_used_percent(data: Buffer) -> int | None:
    """Percentage used endurance indicator of page 07h; None where the drive does not keep it, or it does not count now.

    Raises:
        MalformedReply: other than 512 bytes, or another page.
    """
    raw = _statistics_page(data, WEAR_PAGE)
    return raw[8] if raw[15] & _SUPPORTED_AND_VALID == _SUPPORTED_AND_VALID else None


def _statistics_page(data: Buffer, number: int) -> bytes:
    raw = exactly("device statistics", data, 512)
    if raw[2] != number:
        raise MalformedReply(reply="device statistics", expected=f"page {number:02x}h", got=f"page {raw[2]:02x}h")
    return raw


# --- NVMe ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class NvmeHealth:
    """SMART / Health Information log, 02h (NVMe Base, 5.1.12.1.3)."""

    critical_warning: int
    """Byte 0: bit 0 spare below its threshold, 1 temperature, 2 reliability degraded, 3 read-only, 4 backup of memory, 5 PMR."""
    temperature: int | None
    """Bytes 1 and 2, in Kelvin there; 0 not reported."""
    spare_percent: int
    used_percent: int
    """Byte 5: may exceed 100."""
    power_on_hours: int
    media_errors: int

    @property
    def prediction(self) -> str:
        """Spare, reliability, write protection and backup speak of the medium; the temperature does not."""
        return "failing" if self.critical_warning & 0b11101 else "passed"


def decode_nvme_health(data: Buffer) -> NvmeHealth:
    """Read the health log.

    Raises:
        MalformedReply: other than 512 bytes.
    """
    raw = exactly("NVMe health log", data, 512)
    kelvin = int.from_bytes(raw[1:3], "little")
    return NvmeHealth(
        critical_warning=raw[0],
        temperature=sensible_degrees(kelvin - _KELVIN) if kelvin else None,
        spare_percent=raw[3],
        used_percent=raw[5],
        power_on_hours=int.from_bytes(raw[128:144], "little"),
        media_errors=int.from_bytes(raw[160:176], "little"),
    )


# --- SCSI ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LogPage:
    """One log page: its parameters by code (SPC-5, 7.3)."""

    number: int
    parameters: tuple[tuple[int, bytes], ...]

    def parameter(self, code: int) -> bytes | None:
        """The value of a parameter; None where it is not there."""
        return next((value for each, value in self.parameters if each == code), None)


def decode_log_page(data: Buffer, number: int) -> LogPage:
    """Read a log page of parameters.

    Raises:
        MalformedReply: shorter than its header, another page, or of a subpage.
    """
    raw = between(f"log page {number:02x}h", data, 4, 1 << 16)
    if raw[0] & 0x7F != number:
        raise MalformedReply(reply=f"log page {number:02x}h", expected="that page", got=f"byte 0 is {raw[0]:02x}h")
    body, at = raw[4 : 4 + (be(raw, 2, 2) or 0)], 0
    found = []
    while at + 4 <= len(body):
        length = body[at + 3]
        value = body[at + 4 : at + 4 + length]
        if len(value) < length:
            break  # cut off by the room there was for it
        found.append((int.from_bytes(body[at : at + 2], "big"), value))
        at += 4 + length
    return LogPage(number=number, parameters=tuple(found))


def decode_log_pages(data: Buffer) -> tuple[int, ...]:
    """Which log pages there are (page 00h).

    Raises:
        MalformedReply: shorter than its header, or another page.
    """
    raw = between("list of log pages", data, 4, 1 << 16)
    if raw[0] & 0x3F:
        raise MalformedReply(reply="list of log pages", expected="page 00h", got=f"byte 0 is {raw[0]:02x}h")
    return tuple(each & 0x3F for each in raw[4 : 4 + (be(raw, 2, 2) or 0)])


def log_temperature(page: LogPage) -> int | None:
    """Page 0Dh, parameter 0: the second byte, FFh not known."""
    value = page.parameter(0x0000)
    return None if value is None or len(value) < 2 or value[1] == 0xFF else value[1]


def log_prediction(page: LogPage) -> str:
    """Page 2Fh, parameter 0: additional sense code 5Dh says that a failure is predicted, 0Bh warns."""
    value = page.parameter(0x0000)
    if value is None or len(value) < 2:
        return "unknown"
    return "failing" if value[0] == 0x5D else "passed"


def log_uncorrected(pages: tuple[LogPage, ...]) -> int | None:
    """Parameter 6 of the error counter pages: errors that could not be corrected, of all pages that count them."""
    counted = [page.parameter(0x0006) for page in pages]
    known = [int.from_bytes(value, "big") for value in counted if value]
    return sum(known) if known else None


def log_used_percent(page: LogPage) -> int | None:
    """Page 11h, parameter 1: percentage used, the last of its four bytes."""
    value = page.parameter(0x0001)
    return value[3] if value is not None and len(value) >= 4 else None


def log_power_on_hours(page: LogPage) -> int | None:
    """Page 15h, parameter 0: minutes since it was made, in its first four bytes."""
    value = page.parameter(0x0000)
    return int.from_bytes(value[:4], "big") // 60 if value is not None and len(value) >= 4 else None


def decode_grown_defects(data: Buffer) -> int:
    """How many defects grew after the drive was made: header of READ DEFECT DATA (12) (SBC-4, 5.17).

    Raises:
        MalformedReply: shorter than its header, or not the grown list alone.
    """
    raw = between("list of grown defects", data, 8, 1 << 16)
    if raw[1] & 0x18 != 0x08:
        raise MalformedReply(reply="list of grown defects", expected="GLISTV alone", got=f"byte 1 is {raw[1]:02x}h")
    each = {0: 4, 3: 8, 4: 8, 5: 8}.get(raw[1] & 7)
    if each is None:
        raise MalformedReply(reply="list of grown defects", expected="a known format", got=f"format {raw[1] & 7}")
    return (be(raw, 4, 4) or 0) // each


# --- eMMC ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MmcHealth:
    """EXT_CSD bytes 267 to 269 (JESD84-B50, device life time)."""

    prediction: str
    used_percent: int | None
    """The upper end of the tenth it is in, of the worse of the two kinds of cells."""


def decode_mmc_health(data: Buffer) -> MmcHealth:
    """Read what EXT_CSD says of the device's life time.

    Raises:
        MalformedReply: other than 512 bytes.
    """
    raw = exactly("EXT_CSD", data, 512)
    tenths = [value for value in (le(raw, 268, 1), le(raw, 269, 1)) if value and value <= 0x0B]
    prediction = {1: "passed", 2: "passed", 3: "failing"}.get(raw[267], "unknown")
    return MmcHealth(prediction=prediction, used_percent=10 * max(tenths) if tenths else None)
