"""The form every explanation has, and the few ways in which values are put into words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Row = tuple[str, str]
"""What it is, and what the reply says of it."""
Keys = dict[str, object]
"""Plain JSON values."""


@dataclass(frozen=True)
class Group:
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One reply explained."""

    title: str
    """What the bytes are, as a sentence without its full stop."""
    groups: tuple[Group, ...]
    attention: tuple[str, ...]
    """Whole sentences: what one must not overlook before acting on this device."""
    keys: Keys


def yes_no(fact: bool | None) -> str:
    """A fact that may be unknown."""
    return "unknown" if fact is None else "yes" if fact else "no"


def or_unknown(value: object | None) -> str:
    """A value that may be unknown."""
    return "unknown" if value is None else str(value)


def or_nothing(value: str | None) -> str:
    """A text that may not be reported."""
    return value if value is not None else "not reported"


def named(value: int | None, names: Mapping[int, str]) -> str:
    """A coded value by its name; a reserved one is shown as it is."""
    if value is None:
        return "unknown"
    return names.get(value, f"reserved value {value}")


def size(count: int | None) -> str:
    """Bytes in powers of ten, as on a drive's label, and exactly."""
    if count is None:
        return "unknown"
    value, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{count} bytes" if unit == "bytes" else f"{value:.1f} {unit} ({count} bytes)"


def word(value: int) -> str:
    """Sixteen bits in hexadecimal, as the adopted keys have them."""
    return f"0x{value:04x}"


def octet(value: int) -> str:
    """Eight bits in hexadecimal, as the adopted keys have them."""
    return f"0x{value:02x}"


def code(value: int | None) -> str:
    """Eight bits as standards write them."""
    return "unknown" if value is None else f"{value:02x}h"


def share(progress: int) -> str:
    """65,536ths in per cent."""
    return f"{progress * 100 / 65536:.1f} % ({progress} of 65536)"


def tell_rotation(raw: int | None, rotational: bool | None) -> str:
    """ATA word 217, SCSI page B1h bytes 4 and 5."""
    if rotational is False:
        return "does not rotate (solid state)"
    if rotational:
        return f"rotates, {raw} revolutions a minute"
    return "not reported" if raw in {0, None} else f"reserved value {raw:04x}h"
