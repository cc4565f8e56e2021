"""`sanitrail`: runs the service and works with it."""

from __future__ import annotations

from .main import cli, main

__all__ = ["cli", "main"]
