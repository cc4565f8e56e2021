"""Making an inventory, opening one, and letting the first administrator in."""

from __future__ import annotations

from inventory.clock import Clock
from inventory.settings import Settings

from .context import Context
from .views import OneTimeLinkView, TrustView


def initialise(settings: Settings, clock: Clock) -> Context:
    """Make what is missing: data directory (0700), keys (0600), database schema, trust root at log index 0, default policy.

    Safe to call again: an initialised inventory is opened, its schema brought up to date, and nothing else changes.

    Raises:
        SetupError: a key or the guard file is missing beside a log that has entries, or the directory is readable by others.
    """
    raise NotImplementedError


def open_inventory(settings: Settings, clock: Clock) -> Context:
    """Open an initialised inventory.

    Raises:
        SetupError: not initialised, schema of another version, keys missing.
        LogRefused: database and guard file contradict each other.
    """
    raise NotImplementedError


def first_administrator_link(context: Context) -> OneTimeLinkView | None:
    """The one-time link for the first administrator, for the server's own terminal; None once an administrator has a password."""
    raise NotImplementedError


def recover_administrator_link(context: Context, login: str) -> OneTimeLinkView:
    """A link for an existing administrator, from the server's own terminal. Raises `NotFound`."""
    raise NotImplementedError


def trust(context: Context) -> TrustView:
    """Trust root and pin."""
    raise NotImplementedError
