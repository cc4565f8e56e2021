"""What an organisation may add to its documents: a logo, an accent colour, a closing note, and where a file can be checked.

Nothing of it can hide or replace what a document says: the logo has a box of its own, the colour must be legible on both grounds
it is printed on, the note stands last, is marked as no part of the evidence and promises nothing. What does not fit is refused
when it is read, not when a document is due. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .errors import UnusableBrand
from .language import LANGUAGES
from .language.promises import promise_in
from .logo import Logo

ACCENT: Final = "#0e5a63"
DOCUMENTS: Final = ("certificate", "unsuccessful", "statement", "lot", "processor", "destruction")
"""Kinds of document that may carry a closing note, by their catalogs."""
CLOSING_CHARACTERS: Final = 600
CLOSING_LINES: Final = 6
CONTRAST: Final = 4.5
"""WCAG 2.2, 1.4.3: text below 18 points."""

_COLOR = re.compile(r"#[0-9a-f]{6}")
_GROUNDS = ("#ffffff", "#f4f6f6")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:/\[\]_~%-]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Brand:
    """An organisation's additions. Raises `UnusableBrand` for what documents cannot carry."""

    logo: Logo | None = None
    accent: str = ACCENT
    """`#rrggbb`, lower case."""
    closings: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By document (`DOCUMENTS`) and language."""
    verify_at: str = ""
    """Address of the verification page; empty where no public one exists."""
    docs_at: str = ""
    """Address of the instructions for auditors; empty: they are named as a part of the source."""

    def __post_init__(self) -> None:
        _legible(self.accent)
        for (document, language), text in self.closings.items():
            _closing(document, language, text)
        for name, address in (("verify_at", self.verify_at), ("docs_at", self.docs_at)):
            if address and not _ADDRESS.fullmatch(address):
                raise UnusableBrand(name, "not an address of a web page.")

    def closing(self, document: str, language: str) -> tuple[str, ...]:
        """The lines of the note for a document in a language; none where there is none in this language."""
        return tuple(line.strip() for line in self.closings.get((document, language), "").splitlines() if line.strip())

    def code(self, digest: str) -> str:
        """What the QR code says: where to compare a file with this digest, or the digest alone."""
        return f"{self.verify_at}?sha256={digest}" if self.verify_at else f"sanitrail:sha256:{digest}"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    """Relative luminance of sRGB (WCAG 2.2)."""
    parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _legible(color: str) -> None:
    if not _COLOR.fullmatch(color):
        raise UnusableBrand("accent", f"{color[:20]!r} is no colour written as #rrggbb.")
    lowest = min(contrast(color, ground) for ground in _GROUNDS)
    if lowest < CONTRAST:
        raise UnusableBrand(
            "accent", f"{color} has a contrast of {lowest:.1f} to the paper; text needs {CONTRAST} (WCAG 2.2, 1.4.3)."
        )


def _closing(document: str, language: str, text: str) -> None:
    where = f"closing.{document[:40]}.{language[:10]}"
    if document not in DOCUMENTS:
        raise UnusableBrand(where, f"no such document; there are {', '.join(DOCUMENTS)}.")
    if language not in LANGUAGES:
        raise UnusableBrand(where, f"no such language; there are {', '.join(LANGUAGES)}.")
    if len(text) > CLOSING_CHARACTERS or len(text.splitlines()) > CLOSING_LINES:
        raise UnusableBrand(where, f"longer than {CLOSING_CHARACTERS} characters or {CLOSING_LINES} lines.")
    # Control characters and marks that turn the direction of writing would let a note look like something else.
    if any(unicodedata.category(char) in {"Cc", "Cf", "Co", "Cn", "Cs"} for char in text.replace("\n", "")):
        raise UnusableBrand(where, "it has characters that are not printed.")
    promise = promise_in(text)
    if promise is not None:
        raise UnusableBrand(where, f"it says {promise!r}, which no document here may say.")


PLAIN: Final = Brand()
