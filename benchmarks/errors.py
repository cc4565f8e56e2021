"""What keeps a benchmark from measuring."""

from __future__ import annotations


class CannotMeasure(Exception):
    """The machine, or a person's wish, makes the measurement impossible; the message says what is missing."""


class SetupFailed(CannotMeasure):
    """A test bed could not be made; the message carries the tool's own words."""
