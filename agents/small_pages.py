"""Memory of a process that stays. Imports nothing heavy: the carrier has it, too."""

from __future__ import annotations

import ctypes
from typing import Final

_PR_SET_THP_DISABLE: Final = 41
"""linux/prctl.h"""


def only_small_pages() -> None:
    """From here on no huge pages, also in what this process becomes.

    Where a kernel hands them out unasked, as Debian's does, each thread's stack costs two megabytes instead of some kilobytes. A
    kernel that does not know the wish changes nothing.
    """
    ctypes.CDLL(None).prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
