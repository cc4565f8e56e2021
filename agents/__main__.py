"""`python -m agents` is `sanitrail-agent`."""

from __future__ import annotations

from agents.cli import main

main(prog_name="sanitrail-agent")
