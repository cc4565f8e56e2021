"""Prints in a process of its own, which is replaced after a number of documents.

The native libraries that lay out text keep a quarter of a megabyte for each document and never give it back: a service that
prints ten thousand certificates would end up with gigabytes. What a process keeps goes with the process; and a page that brings
those libraries down brings nothing else down.

Between the two processes: four bytes of length and then the request, out; one byte that says how it went, four of length and the
answer, back. The child ends when its input ends, so it never outlives whoever started it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import struct
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

from .brand import PLAIN, Brand
from .errors import PrintingFailed, RenderingUnavailable
from .files import EvidenceFile, read_file
from .language import speaker

DOCUMENTS: Final = 80
"""Printed by one process: 40 MiB that are kept, against a second for the next start."""
SECONDS: Final = 600
"""After which a document is given up; a lot of 2,000 media takes about half of that on a slow machine."""

_LENGTH: Final = struct.Struct(">I")
_PRINTED, _UNAVAILABLE, _FAILED = b"P", b"U", b"F"


class Press:
    """One printing process at a time, started with the first document. Safe to use from several threads.

    Args:
        documents: after which the process is replaced.
        seconds: after which a document is given up, and its process ended.
    """

    def __init__(self, documents: int = DOCUMENTS, seconds: float = SECONDS) -> None:
        self._documents, self._seconds = documents, seconds
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._printed = 0

    def render(self, file: EvidenceFile, *, language: str = "en", brand: Brand = PLAIN) -> bytes:
        """What `reports.pdf.render` gives, from the other process.

        Raises:
            RenderingUnavailable: WeasyPrint, Jinja2 or segno cannot be loaded here.
            PrintingFailed: the process ended, or took too long; nothing was printed and the next document starts anew.
            UnknownLanguage: no catalogs.
        """
        speaker(language)  # what is wrong with the request is told here, in its own words
        request = pickle.dumps((file.to_bytes(), language, brand))
        with self._lock:
            child = self._ready()
            watch = threading.Timer(self._seconds, child.kill)
            watch.start()
            try:
                how, answer = _ask(child, request)
            except (OSError, EOFError) as error:
                self._end()
                raise PrintingFailed("The printing process ended before the document was finished.") from error
            finally:
                watch.cancel()
            self._printed += 1
            if self._printed >= self._documents or how == _FAILED:
                self._end()
        if how == _UNAVAILABLE:
            raise RenderingUnavailable(answer.decode())
        if how != _PRINTED:
            raise PrintingFailed(answer.decode(errors="replace"))
        return answer

    def close(self) -> None:
        """End the process, if there is one; the next document starts another."""
        with self._lock:
            self._end()

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            command = [sys.executable, "-P", "-m", "reports.press"]  # -P: nothing from the working directory
            around = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}  # the same code as here
            self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=around)
            self._printed = 0
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.stdin is not None and child.stdout is not None:
            with contextlib.suppress(OSError):
                child.stdin.close()
            child.stdout.close()
            child.kill()
            child.wait()


@lru_cache(maxsize=1)
def press() -> Press:
    """The one of this process: processor and memory are shared by all that print."""
    made = Press()
    atexit.register(made.close)
    return made


def _ask(child: subprocess.Popen[bytes], request: bytes) -> tuple[bytes, bytes]:
    source, sink = child.stdout, child.stdin
    if source is None or sink is None:
        raise EOFError
    sink.write(_LENGTH.pack(len(request)) + request)
    sink.flush()
    return _read(source, 1), _read(source, _LENGTH.unpack(_read(source, _LENGTH.size))[0])


def _read(source: IO[bytes], length: int) -> bytes:
    data = source.read(length)
    if len(data) != length:
        raise EOFError
    return data


def serve(source: IO[bytes], sink: IO[bytes]) -> None:
    """Print what is asked for, until there is nothing more to read."""
    from .pdf import render  # noqa: PLC0415 - whoever only asks must not load it

    while True:
        try:
            request = _read(source, _LENGTH.unpack(_read(source, _LENGTH.size))[0])
        except EOFError:
            return
        data, language, brand = pickle.loads(request)  # noqa: S301 - from the process that started us
        try:
            how, answer = _PRINTED, render(read_file(data), language=language, brand=brand)
        except RenderingUnavailable as error:
            how, answer = _UNAVAILABLE, error.package.encode()
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked must hear of it
            how, answer = _FAILED, f"{type(error).__name__}: {error}".encode()
        sink.write(how + _LENGTH.pack(len(answer)) + answer)
        sink.flush()


def _main() -> None:
    # The libraries may write to standard output; the answers have a descriptor that nothing else knows.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    _main()
