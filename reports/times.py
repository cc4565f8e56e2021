"""Instants as evidence writes them: RFC 3339 UTC with a trailing Z. Standard library only; no clock is read here."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from .errors import MalformedDocument

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")


def parse_instant(text: object, where: str = "time") -> datetime:
    """Read an instant. Raises `MalformedDocument` for any other way of writing it."""
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise MalformedDocument(where, "not an RFC 3339 UTC time with a trailing Z")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedDocument(where, "no such moment") from error


def format_instant(moment: datetime) -> str:
    """Write an instant to the second. Raises `ValueError` for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a naive time is no moment")
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def for_people(text: str) -> str:
    """An instant as documents print it: `22 November 2026, 14:03:11 UTC`."""
    moment = parse_instant(text)
    return f"{moment.day} {moment:%B %Y, %H:%M:%S} UTC"


def day_for_people(text: str) -> str:
    """The day of an instant as documents print it: `22 November 2026`."""
    moment = parse_instant(text)
    return f"{moment.day} {moment:%B %Y}"
