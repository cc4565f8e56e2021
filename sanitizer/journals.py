"""Where an ext filesystem keeps its journal, when that is on a disk of its own. Pure.

Such a disk is named neither in the mount table nor as a holder. The kernel keeps a folder for each journal it writes, named after
the journal's device, with the number of its file where it lies within the filesystem; and it tells which thread writes for whom.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

FILESYSTEMS = frozenset({"ext2", "ext3", "ext4"})
_WITHIN = re.compile(r"(.+)-\d+")
_LONGEST_NAME = 15
"""Bytes the kernel keeps of a thread's name (TASK_COMM_LEN less its end)."""


@dataclass(frozen=True, kw_only=True)
class Journals:
    """Journals that are written now."""

    names: tuple[str, ...] = ()
    """As /proc/fs/jbd2 has them: `sdc` for a disk that is one, `sdb1-8` for one within the filesystem on sdb1."""
    threads: Mapping[str, str] = field(default_factory=dict)
    """By the kernel name of a filesystem's device: the thread that writes its journal, `jbd2/sdc`, cut off when it is long. Empty
    where it has no journal; absent where that could not be read."""


def devices_of(journals: Journals, name: str, nodes: frozenset[str]) -> tuple[str, ...]:
    """Devices the journal of the filesystem on this device may lie on.

    Empty when it lies within, or there is none; several when it cannot be told which of them it is.

    Args:
        journals: What the kernel writes.
        name: Kernel name of the filesystem's device.
        nodes: Kernel names of all devices: `dm-4` is one, and no file 4 of `dm`.
    """
    apart = tuple(each for each in journals.names if each in nodes)
    within = (match[1] for each in journals.names if each not in nodes and (match := _WITHIN.fullmatch(each)))
    if name in within:
        return ()
    thread = journals.threads.get(name)
    if thread == "":
        return ()
    return tuple(each for each in apart if f"jbd2/{each}"[:_LONGEST_NAME] == thread) or apart
