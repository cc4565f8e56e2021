"""Handing out the next extent to several threads, and knowing below which byte nothing is under way any more. Pure."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .errors import ByteRange


class ExtentQueue:
    """Regions cut into extents of at most `block_bytes`, each ending on a multiple of it, handed out in order."""

    def __init__(self, regions: Sequence[ByteRange], block_bytes: int) -> None:
        self._regions = list(regions)
        self._block = block_bytes
        self._index = 0
        self._next = self._regions[0][0] if self._regions else 0
        self._under_way: dict[int, int] = {}
        self._lock = threading.Lock()

    def take(self, worker: int) -> ByteRange | None:
        """The next extent for this worker, whose earlier one is thereby done; None when all are handed out."""
        with self._lock:
            self._under_way.pop(worker, None)
            while self._index < len(self._regions) and self._next >= self._regions[self._index][1]:
                self._index += 1
                if self._index < len(self._regions):
                    self._next = self._regions[self._index][0]
            if self._index >= len(self._regions):
                return None
            start = self._next
            end = min(self._regions[self._index][1], (start // self._block + 1) * self._block)
            self._next = end
            self._under_way[worker] = start
            return start, end

    def done(self, worker: int) -> None:
        """The worker's extent is done, and it takes no other."""
        with self._lock:
            self._under_way.pop(worker, None)

    def settled_below(self) -> int:
        """Every extent that starts below this byte was handed out and is done. Meaningful for regions that ascend."""
        with self._lock:
            return min([self._next, *self._under_way.values()])
