"""Central service: what is owned, where it is, what it holds, what may leave, and why.

Importing this package loads nothing: agents import `inventory.contract` on hosts without Flask or a database.
`inventory.create_app` is found when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> object:
    if name == "create_app":
        from .app import create_app  # noqa: PLC0415 - the point of this function

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
