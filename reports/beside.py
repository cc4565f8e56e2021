"""Finds evidence that lies beside a document: in its folder and the folders right beneath, by digest, whatever it is called.

What a file is called counts for nothing, and neither does what the index says: the bytes are compared with the digest again when
they are asked for.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from .canonical import MAX_BYTES, sha256_hex
from .errors import MalformedDocument
from .sealcheck import MAX_PDF, extract_evidence, looks_like_pdf

MAX_FILES = 20_000
"""Files looked at in one folder tree; a document about many media has at most 2,000."""


class Beside:
    """The evidence files of one folder, found when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Path] | None = None

    def __call__(self, sha256: str) -> bytes | None:
        """The evidence with this digest; None where it is not here or cannot be read any more."""
        if self._known is None:
            self._known = dict(self._look())
        path = self._known.get(sha256)
        found = None if path is None else _evidence(path)
        return found if found is not None and sha256_hex(found) == sha256 else None

    def _look(self) -> list[tuple[str, Path]]:
        found: list[tuple[str, Path]] = []
        looked = 0
        for folder, folders, names in os.walk(self._folder):
            if Path(folder) != self._folder:
                folders.clear()
            for name in sorted(names):
                if not name.lower().endswith((".json", ".pdf")):
                    continue
                looked += 1
                if looked > MAX_FILES:
                    return found
                content = _evidence(Path(folder, name))
                if content is not None:
                    found.append((sha256_hex(content), Path(folder, name)))
        return found


def _evidence(path: Path) -> bytes | None:
    """A JSON file as it is, or what is attached to a PDF; None where there is neither."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PDF + 1)
        found = extract_evidence(data) if looks_like_pdf(data) else data
    except (OSError, MalformedDocument):
        return None
    return found if len(found) <= MAX_BYTES else None


@lru_cache(maxsize=4)
def beside(folder: Path) -> Beside:
    """The folder's evidence; the same one for every document of a folder, so that it is looked through once."""
    return Beside(folder)
