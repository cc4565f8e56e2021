"""The drives' own sanitization, one technique a class; what each needs, how far it reaches, how its end is known."""

from __future__ import annotations
