"""Exceptions: anything unaccounted, with an owner and an end."""

from __future__ import annotations

from dataclasses import dataclass

from .context import Actor, Context
from .views import ExceptionView


@dataclass(frozen=True, kw_only=True)
class ResolveException:
    """How it ended."""

    exception: str
    resolution: str
    """At least ten characters: it is read by auditors."""
    version: int | None = None


def assign(context: Context, actor: Actor, exception: str, owner: str) -> ExceptionView:
    """Give it an owner. Permission `exception.resolve`. Raises `NotFound`, `Conflict` (resolved)."""
    raise NotImplementedError


def resolve(context: Context, actor: Actor, command: ResolveException) -> ExceptionView:
    """Say how it ended. Permission `exception.resolve`. It is raised again when the cause is seen again."""
    raise NotImplementedError
