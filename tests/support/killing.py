"""Kills a piece of our own code at a chosen line, as a power cut would: no `finally`, no rollback, no buffer written."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

KILLED = 9
BROKEN = 7


def lines_of(action: Callable[[], object], files: tuple[str, ...]) -> int:
    """How many lines of files with these endings the action runs through; it is run to its end."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401 - a trace function returns itself
        nonlocal count
        if not frame.f_code.co_filename.endswith(files):
            return None
        if event == "line":
            count += 1
        return trace

    threading.settrace(trace)
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(None)
        threading.settrace(None)  # documented to take None
    return count


def killed_at(action: Callable[[], object], files: tuple[str, ...], step: int) -> bool:
    """Run the action in a child that dies at its `step`-th line in these files. Returns whether it died before its end."""
    child = os.fork()
    if child == 0:
        left = step

        def trace(frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401
            nonlocal left
            if not frame.f_code.co_filename.endswith(files):
                return None
            if event == "line":
                left -= 1
                if left <= 0:
                    os._exit(KILLED)
            return trace

        try:
            sys.settrace(trace)
            action()
            sys.settrace(None)
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the child must not return into the test
            os._exit(BROKEN)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, KILLED}, f"the action failed instead of being killed: {code}"
    return code == KILLED
