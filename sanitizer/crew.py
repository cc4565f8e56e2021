"""The threads of one device, and the one that watches them.

One worker and a helper per device, never a pool shared between devices: with many slow devices a pool is several times
slower. The calling thread supervises: it tells progress, sees the stop event, and collects the first failure.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class Crew:
    """Runs one body in several threads until it returns, fails, or is told to stop."""

    def __init__(
        self, name: str, threads: int, stop: threading.Event, tick: Callable[[], None], tick_seconds: float
    ) -> None:
        self.name = name
        self.threads = threads
        self._stop = stop
        self._tick = tick
        self._tick_seconds = tick_seconds
        self._halted = False

    @property
    def going(self) -> bool:
        """Whether to take the next piece of work: nobody failed, nobody asked to stop."""
        return not self._halted and not self._stop.is_set()

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()

    def run(self, body: Callable[[int], None], *, threads: int | None = None) -> None:
        """Run `body(worker)` in every thread; returns when all have returned. The first exception is raised here.

        Workers are never killed: a request under way is waited for, however long the device takes.
        """
        failures: list[BaseException] = []
        lock = threading.Condition()
        count = threads or self.threads
        left = count
        self._halted = False

        def work(worker: int) -> None:
            nonlocal left
            try:
                body(worker)
            except BaseException as error:  # noqa: BLE001 - carried to the supervisor, which raises it
                with lock:
                    failures.append(error)
                self._halted = True
            finally:
                with lock:
                    left -= 1
                    lock.notify()

        workers = [
            threading.Thread(target=work, args=(number,), name=f"{self.name}-{number}", daemon=True)
            for number in range(count)
        ]
        for worker in workers:
            worker.start()
        try:
            with lock:
                while left:
                    lock.wait(self._tick_seconds)
                    lock.release()
                    try:
                        self._tick()
                    finally:
                        lock.acquire()
        finally:
            self._halted = bool(left) or self._halted
            for worker in workers:
                worker.join()
        if failures:
            raise failures[0]
