"""Verifies one file from standard input in a process of its own that may use little memory and time and write no file.

For services that check what strangers send: whatever the file makes a parser do ends with this process, which holds no key
and knows no secret. Prints one JSON object. Standard error says nothing: it could repeat the file's content.

    python -m reports.confined PIN < FILE
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any, Final

from .canonical import sha256_hex
from .envelope import envelope_digest
from .errors import ReportError
from .files import read_file
from .pack.verify import looks_like_pack, verify_pack
from .sealcheck import MAX_PDF, extract_evidence, looks_like_pdf
from .verify import verify

MEMORY_BYTES: Final = 1 << 30
"""Address space. A statement over hundreds of media needs a quarter of it."""
OPEN_FILES: Final = 64
OUT_OF_MEMORY: Final = 3
"""Exit code."""
_CLOSING: Final = ("certificate", "report", "statement")
"""Under which of these names a file holds the logged envelope that closes it."""


def confine(cpu_seconds: int) -> None:
    """Give up what checking a file does not need. Limits only ever shrink: nothing in this process can take them back."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def examine(data: bytes, pin: str) -> dict[str, Any]:
    """The verification, and the digests by which a log knows the file.

    `evidence_sha256` is of the evidence itself (of a PDF: of what is attached), `document_sha256` of the logged envelope that
    closes it; both are null unless the file is genuine.
    """
    found = verify_pack(io.BytesIO(data), pin) if looks_like_pack(data) else verify(data, pin)
    evidence = document = None
    if found.genuine:
        evidence, document = _digests(data)
    return {"verification": found.to_dict(), "evidence_sha256": evidence, "document_sha256": document}


def _digests(data: bytes) -> tuple[str | None, str | None]:
    try:
        content = extract_evidence(data) if looks_like_pdf(data) else data
        file = read_file(content)
    except ReportError:
        return None, None
    closing = next((found for name in _CLOSING if (found := getattr(file, name, None)) is not None), None)
    return sha256_hex(content), None if closing is None else envelope_digest(closing.envelope)


def main() -> None:
    """The command: one pin, the processor time allowed in seconds, a file on standard input."""
    pin, seconds = sys.argv[1], int(sys.argv[2])
    confine(seconds)
    try:
        data = sys.stdin.buffer.read(MAX_PDF + 1)
        json.dump(examine(data, pin), sys.stdout, ensure_ascii=True)
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
