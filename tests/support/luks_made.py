"""LUKS2 headers made byte by byte, so that each rule can be broken alone."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

UUID = "8a1f4f9e-1d7b-4f0a-9a53-0f6f2b6f7c11"
COPY = 16384
AREA = 1 << 20
SIZE = 4 << 20
SLOT = 258048

METADATA: dict[str, Any] = {
    "keyslots": {
        "0": {
            "type": "luks2",
            "key_size": 64,
            "af": {"type": "luks1", "stripes": 4000, "hash": "sha256"},
            "area": {
                "type": "raw",
                "offset": str(2 * COPY),
                "size": str(SLOT),
                "encryption": "aes-xts-plain64",
                "key_size": 64,
            },
            "kdf": {"type": "pbkdf2", "hash": "sha256", "iterations": 1000, "salt": "AAAA"},
        }
    },
    "tokens": {},
    "segments": {
        "0": {
            "type": "crypt",
            "offset": str(AREA),
            "size": "dynamic",
            "iv_tweak": "0",
            "encryption": "aes-xts-plain64",
            "sector_size": 512,
        }
    },
    "digests": {"0": {"type": "pbkdf2", "keyslots": ["0"], "segments": ["0"], "hash": "sha256", "digest": "AAAA"}},
    "config": {"json_size": str(COPY - 4096), "keyslots_size": str(AREA - 2 * COPY)},
}

Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> dict[str, Any]:
    """The usual metadata with one change made to them."""
    told = copy.deepcopy(METADATA)
    change(told)
    return told


def header(
    metadata: dict[str, Any] | bytes | None = None, *, second: bool = False, sequence: int = 3, size: int = COPY,
    version: int = 2, uuid: str = UUID, offset: int | None = None, algorithm: bytes = b"sha256",
) -> bytes:  # fmt: skip
    """One copy, with a checksum that holds."""
    text = metadata if isinstance(metadata, bytes) else json.dumps(metadata or METADATA).encode()
    made = bytearray(size)
    made[0:6] = b"SKUL\xba\xbe" if second else b"LUKS\xba\xbe"
    made[6:8] = version.to_bytes(2, "big")
    made[8:16] = size.to_bytes(8, "big")
    made[16:24] = sequence.to_bytes(8, "big")
    made[72 : 72 + len(algorithm)] = algorithm
    made[168 : 168 + len(uuid)] = uuid.encode()
    made[256:264] = (offset if offset is not None else size if second else 0).to_bytes(8, "big")
    made[4096 : 4096 + len(text)] = text
    made[448 : 448 + 32] = hashlib.sha256(made).digest()
    return bytes(made)


def medium(first: bytes | None = None, second: bytes | None = None, size: int = SIZE) -> bytearray:
    """A device with both copies and nothing else."""
    made = bytearray(size)
    one = header() if first is None else first
    other = header(second=True) if second is None else second
    made[: len(one)] = one
    made[len(one) : len(one) + len(other)] = other
    return made


def both(metadata: dict[str, Any] | bytes, size: int = SIZE) -> bytearray:
    """A device whose copies both say this."""
    return medium(header(metadata), header(metadata, second=True), size)


def reader(data: bytes | bytearray) -> Callable[[int, int], bytes | None]:
    """Reads such a device."""

    def read(offset: int, length: int) -> bytes | None:
        found = bytes(data[offset : offset + length])
        return found if len(found) == length else None

    return read
