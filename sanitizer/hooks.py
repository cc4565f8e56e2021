"""What the caller of a run wants to hear and to say while it lasts; and how moments are written down."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import datetime

from .errors import PermissionWithheld, Refused
from .run import Progress
from .techniques.base import Escrow


def stamp(moment: datetime) -> str:
    """RFC 3339 UTC, milliseconds, trailing Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hooks:
    """What the caller wants to hear and to say during a run."""

    progress: Callable[[Progress], None] | None = None
    stop: threading.Event = dataclasses.field(default_factory=threading.Event)
    before_first_write: Callable[[], None] | None = None
    escrow: Callable[[Escrow], None] | None = None
    """Keeps a password elsewhere and returns once that is certain; None where there is nobody to keep it."""
    secret: bytes = b""
    """What a person gave for this run (a PSID), never recorded."""


def ask(permission: Callable[[], None]) -> None:
    """Ask for leave; whatever is raised is a no. Raises `Refused`."""
    try:
        permission()
    except Refused:
        raise
    except Exception as error:
        raise PermissionWithheld(reason=f"{type(error).__name__}: {error}") from error
