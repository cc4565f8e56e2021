"""ATA IDENTIFY DEVICE (command ECh): 256 words of 16 bits, little-endian; strings have their bytes swapped in each word.

Word and bit numbers are those of ACS-3 and ACS-4, IDENTIFY DEVICE data. A word that is 0000h or FFFFh, or whose
validity bits are not set, says nothing: what rests on it is None, never false.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sanitizer.wire.ata_words import (
    HiddenAreas,
    Sanitize,
    Security,
    Trim,
    Words,
    decode_hidden_areas,
    decode_sanitize,
    decode_security,
    decode_trim,
)
from sanitizer.wire.fields import Buffer, as_is, bit, bits, exactly, trimmed

REPLY = "ATA IDENTIFY DEVICE"
LBA28_FULL = 0x0FFFFFFF
"""Words 60 and 61 of a drive with more sectors than 28 bits can count."""


class Integrity(StrEnum):
    """What word 255 says of the other 255 (ACS-3, integrity word)."""

    VALID = "valid"
    """The signature A5h is there and all 512 bytes add up to 0."""
    WRONG = "wrong"
    """The signature is there and the sum is not 0: somebody altered the reply on its way."""
    ABSENT = "absent"
    """No signature: the drive does not protect its reply."""


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """How much can be addressed now: a hidden area is not in it."""

    lba28_sectors: int | None
    """Words 60 and 61; 0FFFFFFFh means "more than that" where 48-bit addresses are supported."""
    lba48_supported: bool | None
    """Word 83 bit 10."""
    lba48_sectors: int | None
    """Words 100 to 103, if 48-bit addresses are supported."""
    extended_sectors: int | None
    """Words 230 to 233, if word 53 bit 1 and word 69 bit 3 are set."""
    sectors: int | None
    """The first of the three that holds: extended, 48 bits, 28 bits."""
    source: str | None
    """The words `sectors` came from."""
    logical_sector_bytes: int | None
    """Words 117 and 118 (counted in words) if word 106 is valid and its bit 12 set, else 512."""
    physical_sector_bytes: int | None
    """Logical size times 2 to the power of word 106 bits 3:0, if bit 13 is set."""

    @property
    def bytes(self) -> int | None:
        """Addressable bytes."""
        if self.sectors is None or self.logical_sector_bytes is None:
            return None
        return self.sectors * self.logical_sector_bytes


@dataclass(frozen=True, kw_only=True)
class IdentifyDevice:
    """What an ATA drive says of itself."""

    raw: bytes
    """All 512 bytes, as evidence."""
    general_configuration: int
    """Word 0."""
    is_ata: bool
    """Word 0 bit 15 is 0, or the word is 848Ah (CompactFlash). A packet device (optical drive) is none."""
    removable: bool | None
    """Word 0 bit 7; obsolete since ACS-2, unknown where the word is 0000h or FFFFh."""
    incomplete: bool
    """Word 0 bit 2, or word 2 is 37C8h or 8C73h: the drive must spin up before the rest holds."""
    model: str | None
    """Words 27 to 46, without padding."""
    serial: str | None
    """Words 10 to 19, without padding."""
    firmware: str | None
    """Words 23 to 26, without padding."""
    model_padded: str
    """Words 27 to 46 as they are, 40 characters (Latin-1)."""
    serial_padded: str
    """Words 10 to 19 as they are, 20 characters (Latin-1)."""
    world_wide_name: str | None
    """Words 108 to 111 in hexadecimal, if word 87 bit 8 (or, that being invalid, word 84 bit 8) says so and it is not 0."""
    world_wide_name_words: str
    """Words 108 to 111 as they are, in hexadecimal."""
    capacity: Capacity
    rotation: int
    """Word 217: 0000h not reported, 0001h does not rotate, 0401h to FFFEh revolutions a minute."""
    security: Security
    sanitize: Sanitize
    hidden: HiddenAreas
    trim: Trim
    trusted_computing: bool | None
    """Word 48 bit 0: Trusted Computing feature set (TCG)."""
    encrypts_all_user_data: bool | None
    """Word 69 bit 4."""
    major_versions: int
    """Word 80: bit 8 ATA8-ACS, 9 ACS-2, 10 ACS-3, 11 ACS-4, 12 ACS-5; 0000h and FFFFh not reported."""
    sata_capabilities: int
    """Word 76: 0000h and FFFFh for a parallel ATA drive."""
    integrity: Integrity

    @property
    def rotational(self) -> bool | None:
        """Whether the medium rotates; None where word 217 says nothing or holds a reserved value."""
        if self.rotation == 1:
            return False
        return True if self.rotation_rpm is not None else None

    @property
    def rotation_rpm(self) -> int | None:
        """Revolutions a minute, if the medium rotates and the drive says how fast."""
        return self.rotation if 0x0401 <= self.rotation <= 0xFFFE else None

    def word(self, number: int) -> int:
        """One word as it is.

        Raises:
            IndexError: there are words 0 to 255.
        """
        return Words(self.raw).raw(number)


def _capacity(words: Words) -> Capacity:
    lba28 = words.number(60, 2) or None if bit(words.plain(49), 9) else None  # word 49 bit 9: addresses are LBAs
    lba48_supported = bit(words.supported(83), 10)
    lba48 = words.number(100, 4) if lba48_supported else None
    if lba48 is not None and not 0 < lba48 < 1 << 48:  # the field has 48 bits, and a drive of 0 sectors is none
        lba48 = None
    extended = words.number(230, 4) or None if words.raw(53) & 2 and bit(words.plain(69), 3) else None
    sectors, source = extended, "words 230-233"
    if sectors is None:
        sectors, source = lba48, "words 100-103"
    if sectors is None and lba48_supported is not None and not (lba48_supported and lba28 == LBA28_FULL):
        sectors, source = lba28, "words 60-61"
    logical, physical = _sector_sizes(words)
    return Capacity(
        lba28_sectors=lba28,
        lba48_supported=lba48_supported,
        lba48_sectors=lba48,
        extended_sectors=extended,
        sectors=sectors,
        source=source if sectors is not None else None,
        logical_sector_bytes=logical,
        physical_sector_bytes=physical,
    )


def _sector_sizes(words: Words) -> tuple[int | None, int | None]:
    sizes = words.valid(106)
    if sizes is None:
        return 512, 512  # ATA-7 and older know no other size
    logical: int | None = 512
    if sizes & 1 << 12:
        logical = words.number(117, 2) * 2
        if not 512 <= logical <= 1 << 20:
            logical = None
    if logical is None:
        return None, None
    return logical, logical << (bits(sizes, 3, 0) or 0) if sizes & 1 << 13 else logical


def _integrity(raw: bytes) -> Integrity:
    if raw[510] != 0xA5:
        return Integrity.ABSENT
    return Integrity.WRONG if sum(raw) % 256 else Integrity.VALID


def _world_wide_name(words: Words) -> str | None:
    says = words.enabled(87) if words.enabled(87) is not None else words.valid(84)
    name = words.hexadecimal(108, 4)
    return name if bit(says, 8) and name not in {"0" * 16, "f" * 16} else None


def decode_identify_device(data: Buffer) -> IdentifyDevice:
    """Read the answer to IDENTIFY DEVICE (ACS-3, ECh).

    Args:
        data: Exactly 512 bytes as the drive sent them, low byte of each word first.

    Raises:
        MalformedReply: other than 512 bytes.
    """
    raw = exactly(REPLY, data, 512)
    words = Words(raw)
    configuration = words.raw(0)
    return IdentifyDevice(
        raw=raw,
        general_configuration=configuration,
        is_ata=not configuration & 1 << 15 or configuration == 0x848A,
        removable=bit(words.reported(0), 7),
        incomplete=bool(configuration & 4) or words.raw(2) in {0x37C8, 0x8C73},
        model=trimmed(words.swapped(27, 20)),
        serial=trimmed(words.swapped(10, 10)),
        firmware=trimmed(words.swapped(23, 4)),
        model_padded=as_is(words.swapped(27, 20)),
        serial_padded=as_is(words.swapped(10, 10)),
        world_wide_name=_world_wide_name(words),
        world_wide_name_words=words.hexadecimal(108, 4),
        capacity=_capacity(words),
        rotation=words.raw(217),
        security=decode_security(words),
        sanitize=decode_sanitize(words),
        hidden=decode_hidden_areas(words),
        trim=decode_trim(words),
        trusted_computing=bit(words.plain(48), 0),
        encrypts_all_user_data=bit(words.plain(69), 4),
        major_versions=words.raw(80),
        sata_capabilities=words.raw(76),
        integrity=_integrity(raw),
    )
