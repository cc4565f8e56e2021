"""Rows chosen in a list to be acted on together: which they are, and that what is done is what was looked at."""

from __future__ import annotations

import hashlib

from flask import request

from inventory.console.forms import Form
from inventory.console.web import actor, here
from inventory.errors import Invalid
from inventory.services import lists


def chosen(name: str, ticked: tuple[str, ...], most: int) -> tuple[tuple[str, ...], bool]:
    """The rows somebody ticked, or all that match what the list was asked; and whether there are more than one act takes."""
    query = request.values.get("all", "")
    if query:
        asked = lists.asked_in(lists.listed(name), "" if query == "everything" else query)
        return lists.chosen(here(), actor(), name, asked)
    found = tuple(dict.fromkeys(ticked))
    return found[:most], len(found) > most


def seal(told: object, asked: object) -> str:
    """What was looked at, in one word: done is only what was seen."""
    return hashlib.sha256(repr((told, asked)).encode()).hexdigest()


def unchanged(typed: Form, now: str) -> bool:
    """Whether it still stands as it was looked at; else the form says so."""
    if typed.value("seal") == now:
        return True
    typed.refused(Invalid("seal", "Something changed since you looked. This is how it stands now; look again."))
    return False
