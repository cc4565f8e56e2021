"""What may be kept as a file of evidence: pictures, films, papers, told by their first bytes and by nothing else."""

from __future__ import annotations

from typing import Final

MOST_BYTES: Final = 7 << 20
"""Of one file."""
MOST_FILES: Final = 50
"""Of one device."""
MEDIA_TYPES: Final = ("image/jpeg", "image/png", "application/pdf", "video/mp4")


def media_type_of(content: bytes) -> str | None:
    """The media type that the first bytes tell; None: nothing that is kept here."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    return "video/mp4" if content[4:8] == b"ftyp" else None
