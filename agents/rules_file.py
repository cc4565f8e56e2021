"""Reads the local rules, and believes them only if nobody but root can have written them."""

from __future__ import annotations

import stat
from pathlib import Path

from . import local_rules
from .durable import read_file
from .local_rules import LocalRules
from .refusals import LocalRulesUnusable

_LIMIT = 1 << 20
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def load(path: Path) -> LocalRules:
    """The rules in force. Read afresh each time they are asked for, so that an administrator's change counts at once.

    Raises:
        LocalRulesUnusable: Missing, unreadable, not a regular file, not root's, writable by others (or in a directory
        that is), or not
            understood. Everything is refused then.
    """
    try:
        for place in (path, *path.parents):
            _require_root_only(place)
        text = read_file(path, _LIMIT).decode("utf-8")
        return local_rules.parse(text)
    except FileNotFoundError as error:
        raise LocalRulesUnusable(str(path), "there is no such file") from error
    except (OSError, ValueError) as error:
        raise LocalRulesUnusable(str(path), str(error)) from error


def _require_root_only(place: Path) -> None:
    """Root owns it and nobody else can write it.

    A sticky directory (such as /tmp) is accepted: others can add names there, but not replace root's.
    """
    facts = place.lstat()
    if stat.S_ISLNK(facts.st_mode):
        raise ValueError(f"{place} is a symbolic link")
    if facts.st_uid != 0:
        raise ValueError(f"{place} belongs to user {facts.st_uid}, not to root")
    sticky_directory = stat.S_ISDIR(facts.st_mode) and facts.st_mode & stat.S_ISVTX
    if facts.st_mode & _OTHERS_MAY_WRITE and not sticky_directory:
        raise ValueError(f"{place} can be written by others than root (mode {stat.S_IMODE(facts.st_mode):04o})")
