"""What is written: constants, a keyed position-dependent stream, and the named sets of passes.

Pure: templates only; `content.py` turns a template into bytes. Every set of this module is an overwrite, and
overwriting reaches Clear at most (SP 800-88 Rev. 2, 3.1.1), whatever the set is called: a name such as DoD 5220.22-M
adds nothing to that. Peers disagree on what the old names mean, so each legacy set names the implementation it
mirrors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_UNIT = 32
"""Longest repeated unit of a `fixed:HEX` pattern, in bytes."""


@dataclass(frozen=True)
class Fixed:
    """A unit of bytes repeated over the medium, starting at its first byte; position decides the phase."""

    unit: bytes

    @property
    def label(self) -> str:
        """`zeros` or `fixed:HEX`, as it stands in the record."""
        return "zeros" if not any(self.unit) else f"fixed:{self.unit.hex()}"


@dataclass(frozen=True)
class Drawn:
    """One byte drawn for this run from its key, or that byte's complement; becomes a `Fixed` when the run begins."""

    draw: int
    complement: bool = False


@dataclass(frozen=True)
class Keyed:
    """The keyed stream: AES-256-CTR, another one in every pass and at every address, and reproducible for comparison."""

    label: str = "keyed-stream"


Template = Fixed | Drawn | Keyed
Content = Fixed | Keyed


@dataclass(frozen=True, kw_only=True)
class PatternSet:
    """A named sequence of passes."""

    name: str
    passes: tuple[Template, ...]
    mirrors: str | None = None
    """The implementation a legacy set copies; None for our own."""

    @property
    def label(self) -> str:
        """The name as the record gives it, with the implementation mirrored."""
        return self.name if self.mirrors is None else f"{self.name} (as implemented by {self.mirrors})"


def _fixed(*values: int | str) -> tuple[Template, ...]:
    return tuple(Fixed(bytes.fromhex(v)) if isinstance(v, str) else Fixed(bytes([v])) for v in values)


_00, _FF, _01 = Fixed(b"\x00"), Fixed(b"\xff"), Fixed(b"\x01")
_R = Keyed()


def _c(draw: int) -> Drawn:
    return Drawn(draw)


def _not_c(draw: int) -> Drawn:
    return Drawn(draw, complement=True)


_GUTMANN_27 = _fixed(
    0x55, 0xAA, "924924", "492492", "249249",
    *(value * 0x11 for value in range(16)),
    "924924", "492492", "249249", "6db6db", "b6db6d", "db6db6",
)  # fmt: skip

_SETS = (
    PatternSet(name="zeros", passes=(_00,)),
    PatternSet(name="ones", passes=(_FF,)),
    PatternSet(name="keyed-stream", passes=(_R,)),
    PatternSet(name="keyed-stream-then-zeros", passes=(_R, _00)),
    # standards.md 2.3: c = a random byte, ~c = its complement, R = random stream.
    PatternSet(
        name="dod-5220-22-m-nwipe",
        passes=(_c(0), _not_c(0), _R, _c(1), _c(2), _not_c(2), _R, _00),
        mirrors="nwipe 0.42 dod522022m with its final blanking pass",
    ),
    PatternSet(
        name="dod-5220-22-m-eraser",
        passes=(_c(0), _not_c(0), _R, _c(1), _c(2), _not_c(2), _R),
        mirrors="Eraser 8-306./E, C & E",
    ),
    PatternSet(
        name="dod-short-nwipe",
        passes=(_c(0), _not_c(0), _R, _00),
        mirrors="nwipe 0.42 dodshort with its final blanking pass",
    ),
    PatternSet(name="dod-short-eraser", passes=(_00, _FF, _R), mirrors="Eraser 8-306./E"),
    PatternSet(name="dod-scrub", passes=(_R, _00, _FF), mirrors="scrub dod"),
    PatternSet(
        name="gutmann-scrub", passes=(_R,) * 4 + _GUTMANN_27 + (_R,) * 4, mirrors="scrub gutmann, original order"
    ),
    PatternSet(name="ops-ii-eraser", passes=(_00, _01) * 3 + (_c(0),), mirrors="Eraser RCMP TSSIT OPS-II"),
    PatternSet(name="hmg-is5-baseline-eraser", passes=(_00,), mirrors="Eraser HMG IS5 Baseline"),
    PatternSet(
        name="hmg-is5-enhanced-nwipe",
        passes=(_00, _FF, _R, _00),
        mirrors="nwipe 0.42 is5enh with its final blanking pass",
    ),
    PatternSet(name="hmg-is5-enhanced-eraser", passes=(_00, _01, _R), mirrors="Eraser HMG IS5 Enhanced"),
    PatternSet(name="vsitr-eraser", passes=(_00, _01) * 3 + (_R,), mirrors="Eraser German VSITR"),
    PatternSet(
        name="bsi-scrub",
        passes=_fixed(0xFF, 0xFE, 0xFD, 0xFB, 0xF7, 0xEF, 0xDF, 0xBF, 0x7F),
        mirrors="scrub bsi",
    ),
    PatternSet(name="afssi-5020-eraser", passes=(_c(0), _c(1), _c(2)), mirrors="Eraser US Air Force 5020"),
    PatternSet(name="ar-380-19-scrub", passes=(_00, _FF, _R), mirrors="scrub usarmy"),
    PatternSet(name="ar-380-19-eraser", passes=(_R, _c(0), _not_c(0)), mirrors="Eraser US Army AR380-19"),
    PatternSet(name="nap-14.1-c-scrub", passes=(_R, _R, _00), mirrors="scrub nnsa"),
    PatternSet(
        name="schneier-nwipe",
        passes=(_FF, _00) + (_R,) * 5 + (_00,),
        mirrors="nwipe 0.42 bruce7 with its final blanking pass",
    ),
    PatternSet(name="schneier-scrub", passes=(_00, _FF) + (_R,) * 5, mirrors="scrub schneier"),
    PatternSet(name="schneier-eraser", passes=(_01, _00) + (_R,) * 5, mirrors="Eraser Schneier 7 pass"),
    PatternSet(name="pfitzner-7-scrub", passes=(_R,) * 7, mirrors="scrub pfitzner7"),
    PatternSet(name="pfitzner-33-scrub", passes=(_R,) * 33, mirrors="scrub pfitzner33"),
    PatternSet(name="gost-p50739-95-eraser", passes=(_00, _R), mirrors="Eraser Russian GOST P50739-95"),
    PatternSet(
        name="bmb21-2019-nwipe",
        passes=(_FF, _00) + (_R,) * 3 + (_FF, _00),
        mirrors="nwipe 0.42 bmb21 with its final blanking pass",
    ),
)

PATTERN_SETS: Mapping[str, PatternSet] = {each.name: each for each in _SETS}
"""Every set by name, `fixed:HEX` apart, which is made on demand."""

_FIXED = re.compile(r"fixed:((?:[0-9a-f]{2})+)")


def pattern_set(name: str) -> PatternSet | None:
    """The set of this name; `fixed:HEX` repeats 1 to 32 bytes given in lower-case hexadecimal. None for an unknown name."""
    known = PATTERN_SETS.get(name)
    if known is not None:
        return known
    match = _FIXED.fullmatch(name)
    if match is None or len(match[1]) // 2 > MAX_UNIT:
        return None
    return PatternSet(name=name, passes=(Fixed(bytes.fromhex(match[1])),))


def settled(template: Template, drawn: bytes) -> Content:
    """The template with its drawn byte filled in; `drawn` holds the run's drawn bytes, by index."""
    if isinstance(template, Drawn):
        byte = drawn[template.draw]
        return Fixed(bytes([byte ^ 0xFF if template.complement else byte]))
    return template
