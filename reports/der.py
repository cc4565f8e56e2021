"""DER values put together from the bytes of their parts (X.690, 8.1 and 10.1).

asn1crypto reads and checks; what it builds it encodes anew at every level of nesting, which for some seals took seconds. Pure.
"""

from __future__ import annotations

from typing import Final

INTEGER: Final = 0x02
OCTETS: Final = 0x04
SEQUENCE: Final = 0x30
SET: Final = 0x31
FIRST: Final = 0xA0
"""The constructed part of a structure that is numbered 0."""
SECOND: Final = 0xA1


def value(tag: int, *parts: bytes) -> bytes:
    """Tag, length in its shortest form, and the parts one after another."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def set_of(*members: bytes) -> bytes:
    """The content of a SET OF: its members in the order of their bytes (11.6)."""
    return b"".join(sorted(members))


def number(small: int) -> bytes:
    """An INTEGER below 128: the version of a structure."""
    return value(INTEGER, bytes((small,)))
