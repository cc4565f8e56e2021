"""Canonical JSON (RFC 8785) out, strict JSON in, strict base64 both ways.

Two programs that read the same bytes must see the same document. So the reader refuses whatever parsers are known to
disagree on: duplicate keys, floats, NaN, integers beyond 2^53, lone surrogates, a byte order mark, endless nesting.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import Any, NoReturn

import rfc8785

from .errors import MalformedDocument

MAX_BYTES = 32 * 1024 * 1024
"""Largest document read, in bytes: a statement over hundreds of media stays below it."""
MAX_DEPTH = 32
"""Deepest nesting of lists and objects; our own formats need less than half of it."""
_MAX_INT = 2**53 - 1
_INT_DIGITS = 17
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""A string (closed or running to the end of the data) or a bracket; possessive, so that hostile input costs linear time."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def canonical(value: object) -> bytes:
    """The RFC 8785 bytes of `value`.

    Raises:
        MalformedDocument: it holds a float, an integer of 2^53 or more, a key that is no string, or a lone surrogate.
    """
    try:
        if _plain(value, "value", 0):
            return _encoder(value).encode("utf-8")
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # checked above and by the library itself
    except (ValueError, TypeError, RecursionError) as error:
        raise MalformedDocument("value", str(error) or type(error).__name__) from error


_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode
"""Writes what RFC 8785 asks for, ten times faster than the library, as long as every key is ASCII: the two orders of keys, by
code point here and by UTF-16 unit there, and everything else they write, are then the same. A test holds them together."""


def _plain(value: object, where: str, depth: int) -> bool:
    """Refuse what has no place in evidence; say whether every key is a string of ASCII."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return -_MAX_INT <= value <= _MAX_INT  # type: ignore[operator]  # the library refuses the others
    if isinstance(value, float):
        raise MalformedDocument(where, "floating point numbers have no place in evidence")
    if depth >= MAX_DEPTH:
        raise MalformedDocument(where[:200], f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        inside = [_plain(item, f"{where}.{key}", depth + 1) for key, item in value.items()]
        return all(inside) and all(type(key) is str and key.isascii() for key in value)
    if isinstance(value, (list, tuple)):
        inside = [_plain(item, f"{where}[{number}]", depth + 1) for number, item in enumerate(value)]
        return all(inside)
    return False


def parse_strict(data: bytes, where: str = "document", *, max_bytes: int = MAX_BYTES) -> Any:  # noqa: ANN401 - any JSON value
    """Read JSON that every correct reader reads alike.

    Raises:
        MalformedDocument: too large, too deep, not UTF-8, not JSON, or something parsers disagree on.
    """
    if len(data) > max_bytes:
        raise MalformedDocument(where, f"larger than {max_bytes} bytes")
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        _refuse_depth(data, where)
    return _parse(data, where)


def _parse(data: bytes, where: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_no_duplicates,
            parse_float=_refuse("a floating point number"),
            parse_constant=_refuse("NaN or Infinity"),
            parse_int=_bounded_int,
        )
        if "\\u" in text:  # only an escape can bring a lone surrogate past the UTF-8 decoder
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except MalformedDocument as error:
        raise MalformedDocument(where, error.problem) from error
    except (ValueError, RecursionError) as error:
        raise MalformedDocument(where, f"not JSON ({type(error).__name__})") from error
    return value


def parse_canonical(data: bytes, where: str = "document", *, max_bytes: int = MAX_BYTES) -> Any:  # noqa: ANN401 - any JSON value
    """As `parse_strict`, and the bytes must be exactly the canonical form: no other spelling of the same document exists."""
    if len(data) > max_bytes:
        raise MalformedDocument(where, f"larger than {max_bytes} bytes")
    value = _parse(data, where)
    if canonical(value) != data:  # refuses what is nested too deeply
        raise MalformedDocument(where, "not in canonical form (RFC 8785): it was re-formatted or altered")
    return value


def _refuse_depth(data: bytes, where: str) -> None:
    depth = 0
    for token in _STRUCTURE.finditer(data):
        first = data[token.start()]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedDocument(where, f"nested deeper than {MAX_DEPTH} levels")
        elif first in b"]}":
            depth -= 1


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise MalformedDocument("object", f"the key {key[:60]!r} stands there twice")
        found[key] = value
    return found


def _refuse(what: str) -> Any:  # noqa: ANN401 - json calls it with a string and expects a number
    def refuse(_: str) -> NoReturn:
        raise MalformedDocument("number", f"{what} has no place in evidence")

    return refuse


def _bounded_int(text: str) -> int:
    if len(text) > _INT_DIGITS or not -_MAX_INT <= int(text) <= _MAX_INT:
        raise MalformedDocument("number", "an integer beyond 2^53 has no place in evidence")
    return int(text)


def to_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648, 4)."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: object, where: str = "base64") -> bytes:
    """Decode standard padded base64; any other spelling of the same bytes is refused.

    Raises:
        MalformedDocument: not a string, foreign characters, wrong padding, or unused bits that are not zero.
    """
    if not isinstance(text, str):
        raise MalformedDocument(where, "not standard base64")
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise MalformedDocument(where, "not standard base64") from error
    if to_base64(data) != text:
        raise MalformedDocument(where, "base64 with stray bits")
    return data


def sha256_hex(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return hashlib.sha256(data).hexdigest()


def is_sha256(text: object) -> bool:
    """Whether `text` is written as a lower-case hexadecimal SHA-256."""
    return isinstance(text, str) and _SHA256.fullmatch(text) is not None


def digest_of(value: object) -> str:
    """SHA-256 of the canonical bytes of `value`."""
    return sha256_hex(canonical(value))
