"""Reading fields out of bytes nobody vouches for: past the end there is no value, and text never holds a control character."""

from __future__ import annotations

from sanitizer.wire.errors import MalformedReply

Buffer = bytes | bytearray | memoryview
"""What every decoder takes."""


def counted(length: int) -> str:
    """`1 byte`, `512 bytes`."""
    return "1 byte" if length == 1 else f"{length} bytes"


def exactly(reply: str, data: Buffer, length: int) -> bytes:
    """The data, if it is `length` bytes long.

    Raises:
        MalformedReply: it is shorter or longer.
    """
    return between(reply, data, length, length)


def between(reply: str, data: Buffer, least: int, most: int) -> bytes:
    """The data, if its length in bytes is `least` to `most`.

    Raises:
        MalformedReply: it is shorter or longer.
    """
    held = bytes(data)
    if least <= len(held) <= most:
        return held
    expected = counted(least) if least == most else f"{least} to {counted(most)}"
    raise MalformedReply(reply=reply, expected=expected, got=counted(len(held)))


def le(data: bytes, offset: int, size: int) -> int | None:
    """Little-endian unsigned field of `size` bytes; None if the data ends before it does."""
    return int.from_bytes(data[offset : offset + size], "little") if len(data) >= offset + size else None


def be(data: bytes, offset: int, size: int) -> int | None:
    """Big-endian unsigned field of `size` bytes; None if the data ends before it does."""
    return int.from_bytes(data[offset : offset + size], "big") if len(data) >= offset + size else None


def bit(value: int | None, number: int) -> bool | None:
    """One bit of a field, unknown where the field is unknown."""
    return None if value is None else bool(value >> number & 1)


def bits(value: int | None, high: int, low: int) -> int | None:
    """Bits `high` to `low` of a field, unknown where the field is unknown."""
    return None if value is None else value >> low & ((1 << (high - low + 1)) - 1)


def shown(raw: bytes) -> str:
    r"""The bytes as ASCII; whatever is not printable, and the backslash, as \xNN, so that two texts differ if the bytes do."""
    return "".join(chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x5C else f"\\x{byte:02x}" for byte in raw)


def as_is(raw: bytes) -> str:
    """The bytes as Latin-1, which keeps every one of them: for programs and evidence, never for a terminal."""
    return raw.decode("latin-1")


def trimmed(raw: bytes) -> str | None:
    """The text without its padding of spaces and NULs; None if there is nothing else."""
    return shown(raw.strip(b" \0")) or None


def shown_utf8(raw: bytes) -> str:
    r"""UTF-8 text without trailing padding; what is not printable, or not UTF-8, as \xNN."""
    try:
        text = raw.rstrip(b" \0").decode("utf-8")
    except UnicodeDecodeError:
        return shown(raw.rstrip(b" \0"))
    return "".join(
        char if char.isprintable() and char != "\\" else "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8"))
        for char in text
    )
