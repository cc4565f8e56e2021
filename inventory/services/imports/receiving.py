"""A file as it is received: measured, read line by line, packed into parts before anything of it reaches the database."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import IO, Any, Final

from inventory.errors import Invalid

from . import steps
from .rows import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, Line, Unreadable

_SAMPLE: Final = 8


def measured(file: IO[bytes]) -> tuple[str, int]:
    """Digest and size; the file is at its beginning again. Raises `Invalid` where it is too large."""
    digest, size = hashlib.sha256(), 0
    while part := file.read(1 << 20):
        digest.update(part)
        size += len(part)
        if size > MAX_BYTES:
            raise Invalid("file", f"At most {MAX_BYTES >> 20} MiB are read in; split the file.")
    file.seek(0)
    return digest.hexdigest(), size


def read_in(lines: Iterator[Line | Unreadable], packed: IO[bytes]) -> tuple[list[str], list[dict[str, Any]], int]:
    """Pack the lines into a file, some hundred a part; the header, the first lines, and how many there are."""
    head = next(lines, None)
    if not isinstance(head, Line):
        raise Invalid("file", "The file has no header: its first line names the columns.")
    if len(head.cells) > MAX_COLUMNS:
        raise Invalid("file", f"The file has more than {MAX_COLUMNS} columns.")
    header = ["".join(one if one.isprintable() else " " for one in title)[:200].strip() for title in head.cells]
    sample: list[dict[str, Any]] = []
    waiting: list[Line | Unreadable] = []
    rows = 0
    for one in lines:
        rows += 1
        if rows > MAX_ROWS:
            raise Invalid("file", f"At most {MAX_ROWS} lines are read in; split the file.")
        if isinstance(one, Line) and len(sample) < _SAMPLE:
            sample.append({"line": one.number, "cells": [cell[:200] for cell in one.cells[:MAX_COLUMNS]]})
        waiting.append(one)
        if len(waiting) == steps.PART_LINES:
            _append(packed, steps.pack(waiting))
            waiting = []
    if waiting:
        _append(packed, steps.pack(waiting))
    if not rows:
        raise Invalid("file", "The file has a header and no line beneath it.")
    return header, sample, rows


def _append(packed: IO[bytes], content: bytes) -> None:
    packed.write(struct.pack(">I", len(content)) + content)


def parts(packed: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """What `read_in` packed, part by part, numbered from 1."""
    packed.seek(0)
    part = 0
    while length := packed.read(4):
        part += 1
        yield part, packed.read(struct.unpack(">I", length)[0])
