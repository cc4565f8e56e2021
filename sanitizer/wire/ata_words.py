"""Feature sets in IDENTIFY DEVICE that sanitization stands on: security, sanitize, hidden areas, trim (ACS-3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sanitizer.wire.fields import bit

ACS_3 = 10
"""Bit of word 80 for the first standard with the Accessible Max Address Configuration feature set."""


@dataclass(frozen=True)
class Words:
    """The 256 words, and the three ways in which a word can be without meaning."""

    data: bytes

    def raw(self, number: int) -> int:
        """The word as it is. Raises `IndexError` beyond word 255."""
        if not 0 <= number <= 255:
            raise IndexError(number)
        return int.from_bytes(self.data[2 * number : 2 * number + 2], "little")

    def plain(self, number: int) -> int | None:
        """A word without validity bits: all ones is an unimplemented word."""
        return None if self.raw(number) == 0xFFFF else self.raw(number)

    def reported(self, number: int) -> int | None:
        """A word in which all zeros, too, means that it is not implemented."""
        return self.plain(number) or None

    def valid(self, number: int) -> int | None:
        """A word that holds only if its bits 15:14 are 01b."""
        return self.raw(number) if self.raw(number) >> 14 == 0b01 else None

    def supported(self, number: int) -> int | None:
        """Words 82 and 83 (what the drive can do), which hold if word 83 is valid."""
        return None if self.valid(83) is None else self.raw(number)

    def enabled(self, number: int) -> int | None:
        """Words 85 to 87 (what is switched on), which hold if word 87 is valid."""
        return None if self.valid(87) is None else self.raw(number)

    def number(self, first: int, count: int) -> int:
        """`count` words as one number, lowest word first."""
        return int.from_bytes(self.data[2 * first : 2 * (first + count)], "little")

    def swapped(self, first: int, count: int) -> bytes:
        """`count` words with the bytes of each exchanged: strings, and names written highest byte first."""
        part = self.data[2 * first : 2 * (first + count)]
        return bytes(part[at ^ 1] for at in range(len(part)))

    def hexadecimal(self, first: int, count: int) -> str:
        """`count` words written highest byte first."""
        return self.swapped(first, count).hex()


@dataclass(frozen=True, kw_only=True)
class EraseTime:
    """The drive's own estimate for SECURITY ERASE UNIT (words 89 and 90)."""

    minutes: int
    at_least: bool
    """The field is full: it takes more than `minutes`."""


class SecurityLevel(StrEnum):
    """Word 128 bit 8: what the master password can do while security is enabled."""

    HIGH = "high"
    """Unlock and erase."""
    MAXIMUM = "maximum"
    """Erase only."""


@dataclass(frozen=True, kw_only=True)
class Security:
    """The Security feature set: supported, enabled, locked and frozen are four separate facts."""

    supported: bool | None
    """Word 128 bit 0; unknown where word 82 bit 1, of which it is a copy, says otherwise."""
    supported_word_82: bool | None
    """Word 82 bit 1."""
    enabled: bool | None
    """Word 128 bit 1: a password is set. Unknown where word 85 bit 1, of which it is a copy, says otherwise."""
    locked: bool | None
    """Word 128 bit 2: data commands are refused until unlocked."""
    frozen: bool | None
    """Word 128 bit 3: security commands are refused until the next power cycle."""
    attempts_exhausted: bool | None
    """Word 128 bit 4: too many wrong passwords since power-on."""
    enhanced_erase: bool | None
    """Word 128 bit 5: SECURITY ERASE UNIT in enhanced mode is supported."""
    level: SecurityLevel | None
    """Word 128 bit 8, meaningful only while enabled."""
    erase_time: EraseTime | None
    """Word 89; None where the drive gives none."""
    enhanced_erase_time: EraseTime | None
    """Word 90; None where the drive gives none."""
    master_password_id: int | None
    """Word 92: FFFEh as the factory left it; None for 0000h and FFFFh, not supported."""


@dataclass(frozen=True, kw_only=True)
class Sanitize:
    """The Sanitize Device feature set, word 59."""

    supported: bool | None
    """Bit 12; unknown where the bits of single commands are set without it."""
    crypto_scramble: bool | None
    """Bit 13: CRYPTO SCRAMBLE EXT."""
    overwrite: bool | None
    """Bit 14: OVERWRITE EXT."""
    block_erase: bool | None
    """Bit 15: BLOCK ERASE EXT."""
    antifreeze_lock: bool | None
    """Bit 10: SANITIZE ANTIFREEZE LOCK EXT."""
    acs3_commands: bool | None
    """Bit 11: which commands work during sanitize is as ACS-3 has it, not as ACS-2."""


@dataclass(frozen=True, kw_only=True)
class HiddenAreas:
    """The three ways in which an ATA drive can have more than it addresses."""

    hpa_supported: bool | None
    """Word 82 bit 10: Host Protected Area feature set."""
    hpa_enabled: bool | None
    """Word 85 bit 10: the feature set is on; whether an area is set only READ NATIVE MAX ADDRESS tells."""
    set_max_security: bool | None
    """Word 83 bit 8: SET MAX security extension (password and lock)."""
    set_max_security_enabled: bool | None
    """Word 86 bit 8."""
    dco_supported: bool | None
    """Word 83 bit 11: Device Configuration Overlay feature set."""
    dco_enabled: bool | None
    """Word 86 bit 11."""
    amax_supported: bool | None
    """Word 119 bit 8: Accessible Max Address Configuration. No on drives older than ACS-3, which brought it."""


@dataclass(frozen=True, kw_only=True)
class Trim:
    """What the drive says of trimmed blocks; a trim is a hint and never an erase."""

    supported: bool | None
    """Word 169 bit 0: DATA SET MANAGEMENT with TRIM."""
    deterministic: bool | None
    """Word 69 bit 14 (DRAT): reading a trimmed block twice gives the same."""
    zeroes: bool | None
    """Word 69 bit 5 (RZAT): it gives zeros; holds only together with `deterministic`."""


def erase_time(word: int) -> EraseTime | None:
    """Read word 89 or 90 in the form its bit 15 names (ATA-4 to ACS-2 know only the first, ACS-3 both).

    Bit 15 clear: bits 7:0 count 2 minutes each, 255 means more than 508. Bit 15 set: bits 14:0 count 2 minutes each,
    32767 means more than 65,532.
    """
    extended = bool(word & 0x8000)
    count, full = (word & 0x7FFF, 0x7FFF) if extended else (word & 0xFF, 0xFF)
    if count == 0:
        return None
    return EraseTime(minutes=2 * min(count, full - 1), at_least=count == full)


def _agreed(fact: bool | None, copy: bool | None) -> bool | None:
    """A fact the standard states twice, unless the two statements differ."""
    return None if copy is not None and fact is not copy else fact


def decode_security(words: Words) -> Security:
    """Read words 82, 85, 89, 90, 92 and 128."""
    state = words.plain(128)
    enabled = _agreed(bit(state, 1), bit(words.enabled(85), 1))
    levels = {False: SecurityLevel.HIGH, True: SecurityLevel.MAXIMUM}
    return Security(
        supported=_agreed(bit(state, 0), bit(words.supported(82), 1)),
        supported_word_82=bit(words.supported(82), 1),
        enabled=enabled,
        locked=bit(state, 2),
        frozen=bit(state, 3),
        attempts_exhausted=bit(state, 4),
        enhanced_erase=bit(state, 5),
        level=levels.get(bool(bit(state, 8))) if enabled else None,
        erase_time=erase_time(words.raw(89)),
        enhanced_erase_time=erase_time(words.raw(90)),
        master_password_id=words.reported(92),
    )


def decode_sanitize(words: Words) -> Sanitize:
    """Read word 59; its bits 15:10 are reserved, and zero, before ACS-2."""
    word = words.plain(59)
    supported = bit(word, 12)
    if supported is False and word is not None and word & 0xE000:
        supported = None
    return Sanitize(
        supported=supported,
        crypto_scramble=bit(word, 13),
        overwrite=bit(word, 14),
        block_erase=bit(word, 15),
        antifreeze_lock=bit(word, 10),
        acs3_commands=bit(word, 11),
    )


def _amax(words: Words) -> bool | None:
    more = words.valid(119) if bit(words.enabled(86), 15) else None  # word 86 bit 15: words 119 and 120 are there
    if more is not None:
        return bit(more, 8)
    versions = words.reported(80)
    return False if versions is not None and versions >> ACS_3 == 0 else None


def decode_hidden_areas(words: Words) -> HiddenAreas:
    """Read words 80, 82, 83, 85, 86 and 119."""
    return HiddenAreas(
        hpa_supported=bit(words.supported(82), 10),
        hpa_enabled=bit(words.enabled(85), 10),
        set_max_security=bit(words.supported(83), 8),
        set_max_security_enabled=bit(words.enabled(86), 8),
        dco_supported=bit(words.supported(83), 11),
        dco_enabled=bit(words.enabled(86), 11),
        amax_supported=_amax(words),
    )


def decode_trim(words: Words) -> Trim:
    """Read words 69 and 169."""
    return Trim(
        supported=bit(words.plain(169), 0),
        deterministic=bit(words.plain(69), 14),
        zeroes=bit(words.plain(69), 5),
    )
