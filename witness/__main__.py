"""`python -m witness`: the same as `sanitrail-witness`."""

from __future__ import annotations

from .cli import main

main()
