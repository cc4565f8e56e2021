"""What the two halves of a separated agent say to each other: one question, one answer, both typed and bounded. Pure.

    helper  -> carrier   Ask     one signed HTTP request, as it shall go out
    carrier -> helper    Told    what came back: a status, four headers at most, a body
                         Failed  that nothing came back, and why

A frame is two lengths (four bytes each, big-endian), a head (strict JSON, exactly the fields below) and a body as it is. The
helper reads frames of a process it does not trust: whatever is not exactly this is `FrameMalformed`, and nothing is allocated
before its length was held against the limit.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from reports.canonical import parse_strict
from reports.errors import MalformedDocument

from .link import MAX_REPLY, Failure

PREFIX: Final = struct.Struct(">II")
MAX_HEAD: Final = 16 << 10
MAX_ASK_BODY: Final = 8 << 20
"""Bytes of a request; the largest honest one is a record or the observation of a large host."""
MAX_TOLD_BODY: Final = MAX_REPLY
MAX_WAIT: Final = 3_600_000

METHODS: Final = ("GET", "POST", "PUT")
ASKED_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-digest",
        "content-length",
        "content-type",
        "host",
        "signature",
        "signature-input",
        "user-agent",
    }
)
"""Headers that go out. Nothing else does: no cookie, no credential of another kind."""
TOLD_HEADERS: Final = frozenset({"content-encoding", "content-type", "date", "retry-after"})
"""Headers that the helper looks at; the carrier leaves out all others."""
FAILURES: Final = ("connect", "timeout", "broken", "too-large")

_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]{1,260}/[\x21-\x7e]{0,1500}")
_VALUE = re.compile(r"[\x20-\x7e]{0,4000}")
_WORDS = re.compile(r"[\x20-\x7e]{0,300}")

Headers: TypeAlias = tuple[tuple[str, str], ...]


class FrameMalformed(ValueError):
    """The other side did not keep to the form. Its connection is closed, and nothing it said counts."""


@dataclass(frozen=True)
class Ask:
    """One request to carry."""

    id: int
    """Grows with every request of a connection; the answer repeats it."""
    method: str
    url: str
    headers: Headers
    milliseconds: int
    """How long the whole exchange may take."""


@dataclass(frozen=True)
class Told:
    """What came back."""

    id: int
    status: int
    headers: Headers


@dataclass(frozen=True)
class Failed:
    """Nothing came back, or nothing that can be handed on."""

    id: int
    kind: Failure
    words: str
    """In the words of the network's own library, without the request."""


Answer: TypeAlias = Told | Failed


def encode_ask(ask: Ask, body: bytes) -> bytes:
    """A frame. Raises `FrameMalformed` for what the other side would refuse."""
    if len(body) > MAX_ASK_BODY:
        raise FrameMalformed(f"the request has {len(body)} bytes, {MAX_ASK_BODY} are allowed")
    head = {"ask": {**vars(ask), "headers": [list(pair) for pair in ask.headers]}}
    read_ask(_plain(head))
    return _frame(head, body)


def encode_answer(answer: Answer, body: bytes = b"") -> bytes:
    """A frame. Raises `FrameMalformed` for what the other side would refuse."""
    if len(body) > MAX_TOLD_BODY:
        raise FrameMalformed(f"the answer has {len(body)} bytes, {MAX_TOLD_BODY} are allowed")
    head: dict[str, Any]
    if isinstance(answer, Told):
        head = {"told": {**vars(answer), "headers": [list(pair) for pair in answer.headers]}}
    else:
        head = {"failed": dict(vars(answer))}
    read_answer(_plain(head))
    return _frame(head, body)


def lengths(prefix: bytes, largest_body: int) -> tuple[int, int]:
    """Lengths of head and body. Raises `FrameMalformed` where one is over its limit, before anything is read."""
    if len(prefix) != PREFIX.size:
        raise FrameMalformed("the frame breaks off")
    head, body = PREFIX.unpack(prefix)
    if not 2 <= head <= MAX_HEAD:
        raise FrameMalformed(f"a head of {head} bytes")
    if body > largest_body:
        raise FrameMalformed(f"a body of {body} bytes, {largest_body} are allowed")
    return head, body


def read_ask(head: bytes) -> Ask:
    """The head of a request. Raises `FrameMalformed`."""
    found = _fields(head, "ask", {"id", "method", "url", "headers", "milliseconds"})
    method, url = found["method"], found["url"]
    if method not in METHODS:
        raise FrameMalformed("no such method")
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise FrameMalformed("no address of a service")
    headers = _headers(found["headers"], ASKED_HEADERS)
    return Ask(_number(found["id"], 1, 2**53 - 1), method, url, headers, _number(found["milliseconds"], 1, MAX_WAIT))


def read_answer(head: bytes) -> Answer:
    """The head of an answer. Raises `FrameMalformed`."""
    document = _object(head)
    if set(document) == {"failed"}:
        found = _fields(head, "failed", {"id", "kind", "words"})
        kind, words = found["kind"], found["words"]
        if kind not in FAILURES:
            raise FrameMalformed("no such failure")
        if not isinstance(words, str) or not _WORDS.fullmatch(words):
            raise FrameMalformed("words that cannot be shown")
        return Failed(_number(found["id"], 1, 2**53 - 1), cast("Failure", kind), words)
    found = _fields(head, "told", {"id", "status", "headers"})
    headers = _headers(found["headers"], TOLD_HEADERS)
    return Told(_number(found["id"], 1, 2**53 - 1), _number(found["status"], 200, 599), headers)


def printable(text: str, longest: int = 300) -> str:
    """Words as a frame may carry them."""
    return "".join(sign if " " <= sign <= "~" else "?" for sign in text)[:longest]


def _frame(head: Mapping[str, Any], body: bytes) -> bytes:
    data = _plain(head)
    return PREFIX.pack(len(data), len(body)) + data + body


def _plain(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head, separators=(",", ":"), sort_keys=True).encode("ascii")


def _object(head: bytes) -> dict[str, Any]:
    if len(head) > MAX_HEAD:
        raise FrameMalformed(f"a head of {len(head)} bytes")
    try:
        document = parse_strict(head, "frame", max_bytes=MAX_HEAD)
    except MalformedDocument as error:
        raise FrameMalformed(error.problem) from error
    if not isinstance(document, dict):
        raise FrameMalformed("no object")
    return document


def _fields(head: bytes, kind: str, names: set[str]) -> dict[str, Any]:
    document = _object(head)
    found = document.get(kind)
    if set(document) != {kind} or not isinstance(found, dict) or set(found) != names:
        raise FrameMalformed(f"not a message of kind {kind}")
    return found


def _number(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise FrameMalformed("a number out of its bounds")
    return value


def _headers(value: object, allowed: frozenset[str]) -> Headers:
    if not isinstance(value, list) or len(value) > len(allowed):
        raise FrameMalformed("no list of headers")
    found: dict[str, str] = {}
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise FrameMalformed("a header is name and value")
        name, text = pair
        if name not in allowed or name in found:
            raise FrameMalformed("a header that is not carried, or twice")
        if not _VALUE.fullmatch(text):
            raise FrameMalformed("a header's value that cannot be shown")
        found[name] = text
    return tuple(found.items())
