"""`python -m inventory.cli`: the same as `sanitrail`."""

from __future__ import annotations

from . import main

main()
