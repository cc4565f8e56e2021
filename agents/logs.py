"""Log lines on standard error: words for people and the journal, or one JSON object a line for machines."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from typing import Any, Final

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")

_PRIORITY: Final = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
"""Of sd-daemon(3)."""


class JsonLines(logging.Formatter):
    """One object a line; what a program must find is a field of its own, and the sentence stays whole."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "priority": _PRIORITY.get(record.levelname, 6),
            "logger": record.name,
            "process": self._process,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def begin(process: str, level: str, style: str) -> None:
    """Log from now on.

    Args:
        process: What this process is called in JSON lines.
        level: One of `LEVELS`.
        style: One of `FORMATS`.
    """
    handler = logging.StreamHandler(sys.stderr)
    if style == "json":
        handler.setFormatter(JsonLines(process))
    else:
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for talkative in ("httpx2", "httpcore2", "httpcore"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
