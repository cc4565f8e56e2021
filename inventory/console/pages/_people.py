"""Somebody to choose, in forms."""

from __future__ import annotations

from inventory.console.forms import Option
from inventory.console.web import actor, here, names
from inventory.services import people


def somebody() -> tuple[Option, ...]:
    """Everybody who may sign in, as this reader may know them."""
    known = names()
    return tuple(Option(ref, known(ref)) for ref in people.enabled(here(), actor()))
