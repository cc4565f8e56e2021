"""The drives' own sanitization, one technique a class; what each needs, how far it reaches, how its end is known."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Technique

TECHNIQUES: Mapping[str, Technique] = {}
"""By name, in the record's vocabulary."""
