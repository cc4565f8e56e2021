"""Large files from people who are signed in: into a file without a name, never into memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

from flask import Request

from .problems import ApiError

_CHUNK: Final = 1 << 16


@contextmanager
def received(request: Request, limit: int) -> Iterator[IO[bytes]]:
    """The whole body in a temporary file, at its beginning.

    Raises:
        ApiError: `length-required` (411), `body-too-large` (413), `bad-request` (400: it ended before its announced length).
    """
    length = request.content_length
    if length is None:
        raise ApiError("length-required")
    if length > limit:
        raise ApiError("body-too-large", detail=f"At most {limit} bytes are read here.")
    stream: IO[bytes] = request.environ["wsgi.input"]
    with tempfile.TemporaryFile() as file:
        left = length
        while left > 0 and (part := stream.read(min(_CHUNK, left))):
            file.write(part)
            left -= len(part)
        if left:
            raise ApiError("bad-request", detail="The body ended before the length it announced.")
        file.seek(0)
        yield file
