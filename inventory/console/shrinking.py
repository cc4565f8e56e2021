"""Static files go over the line compressed. Pages never do: beside a secret, the length of an answer could tell what it is."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Final

from flask import Flask, Response, request

_STATIC: Final = Path(__file__).parent / "static"
_SHRINK: Final = frozenset({".css", ".js", ".svg"})


@cache
def shrunk(name: str) -> bytes:
    """A static file as it is sent; the same bytes in every process."""
    return gzip.compress((_STATIC / name).read_bytes(), compresslevel=9, mtime=0)


def install(app: Flask, endpoint: str) -> None:
    """Compress what this endpoint of static files answers, where the browser takes it."""

    def shrink(response: Response) -> Response:
        name = (request.view_args or {}).get("filename", "")
        if request.endpoint != endpoint or Path(name).suffix not in _SHRINK or response.status_code != 200:
            return response
        response.vary.add("Accept-Encoding")
        if request.method == "GET" and request.accept_encodings["gzip"] > 0:
            response.direct_passthrough = False
            response.close()  # the file that was opened to be sent as it is
            response.set_data(shrunk(name))
            response.headers["Content-Encoding"] = "gzip"
            etag, _ = response.get_etag()
            if etag is not None:
                response.set_etag(f"{etag}-gzip")
        return response

    app.after_request(shrink)
