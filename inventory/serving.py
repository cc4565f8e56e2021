"""The service as a process: granian in front of the application, and upkeep beside it.

One worker process with many threads: the database has one writer at a time anyway, SQLite wants one process, and the
server itself (not Python) deals with slow and hostile connections.
"""

from __future__ import annotations

import functools
import gc
import logging
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from inventory.services import counting, upkeep
from inventory.services.context import Context
from inventory.services.imports import register as imports
from inventory.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

log = logging.getLogger("inventory.serving")

_STOP_SECONDS = 15
_BACKLOG = 4096
"""Connections that wait to be taken up, together."""
_OTHER_FILES = 256
"""Files a process has open beside its connections."""
_IMPORTS_SECONDS = 2.0
"""For each import that is being taken over, before the process is asked again whether to end."""
_NEW_OBJECTS = 10_000
"""So many are made before a thread looks which of them are garbage: about one page's."""
_HEADER_SECONDS = 10_000
"""Milliseconds a client may take for its headers."""


class Upkeep:
    """Does what time demands, again and again, in a thread of its own. A failure is logged and tried again."""

    def __init__(self, context: Context, pause_seconds: float) -> None:
        self._context = context
        self._pause = pause_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Starts; the first round comes at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the round under way."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                counting.warm(self._context)
                upkeep.run(self._context)
                self._go_on(time.monotonic() + self._pause)
            except Exception:
                log.exception("upkeep failed; it is tried again")
                self._stop.wait(self._pause)

    def _go_on(self, until: float) -> None:
        """Until the next round: what is being taken over goes on meanwhile, or nothing is done."""
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            if not imports.go_on(self._context, min(left, _IMPORTS_SECONDS)):
                self._stop.wait(left)


def configure_logging() -> None:
    """Our own log to standard error from INFO on, libraries only from WARNING on: the journal keeps what matters."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("inventory").setLevel(logging.INFO)


def _connections(settings: Settings) -> int:
    """How many connections are held at once: as set, as far as files may be opened; our own limit is raised to what we may.

    The server holds one for every agent and browser that spoke within the last ten seconds. It counts connections here and not
    requests: where it may hold few, agents that say nothing keep others out.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            log.warning("only %d files may be open: %d connections are held instead of %d (LimitNOFILE)",
                        soft, max(64, soft - _OTHER_FILES), settings.connections)  # fmt: skip
            return max(64, soft - _OTHER_FILES)
    return settings.connections


def load(settings: Settings) -> Flask:
    """The application of a worker process, with its upkeep running."""
    from inventory.app import create_app  # noqa: PLC0415 - loaded in the worker, not in the process that watches it
    from inventory.auth.web import EXTENSION, Opened  # noqa: PLC0415 - as above
    from inventory.console import make_ready  # noqa: PLC0415 - as above

    configure_logging()
    app = create_app(settings)
    make_ready(app)
    set_apart()
    opened: Opened = app.extensions[EXTENSION]
    Upkeep(opened.context, settings.upkeep_seconds).start()
    return app


def set_apart() -> None:
    """Takes everything there is now out of the search for garbage.

    Modules, templates and catalogs live as long as the process. Looking through all of them takes a fifth of a second, in which
    no page of this process is answered, and it came with every thirtieth page.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])


def server(settings: Settings, loader: Callable[[], Any] | None = None) -> Callable[[], None]:
    """Prepares the server; the answer runs it until SIGTERM or SIGINT.

    Args:
        settings: Where to listen, certificate and key, threads.
        loader: Makes the WSGI application in the worker process; `load` by default.
    """
    granian = Granian(
        "inventory",
        address=settings.listen,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.threads,
        backlog=_BACKLOG,
        backpressure=_connections(settings),
        http=HTTPModes.auto,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_SECONDS),
        websockets=False,
        log_enabled=False,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        workers_kill_timeout=_STOP_SECONDS,
    )
    target = loader or functools.partial(load, settings)
    return functools.partial(granian.serve, target_loader=target, wrap_loader=False)
