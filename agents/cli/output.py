"""How commands answer: text for people, one JSON object for programs, and one table of exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from agents.errors import (
    AgentError,
    BundleRefused,
    CarrierPrivileged,
    ConfigInvalid,
    EnrolmentRefused,
    EvidenceRefused,
    NotEnrolled,
    OutboxDamaged,
    Rejected,
    Retry,
    StateBusy,
    StateDamaged,
    StateNewer,
)
from agents.refusals import OrderRefused
from agents.roster_refusals import RosterRefused

EXIT_CODES: Mapping[int, str] = {
    0: "done",
    1: "a defect of the agent",
    2: "wrong usage or configuration",
    3: "refused: what was asked, or what the service offered, is not accepted",
    4: "the service is unreachable or busy; try again",
    5: "this host is not confirmed yet, or was turned away",
    6: "the agent's state cannot be used: damaged, full disk, of a newer version, or owned by another process",
}

_BY_ERROR: tuple[tuple[tuple[type[AgentError], ...], int], ...] = (
    ((ConfigInvalid, CarrierPrivileged), 2),
    ((Retry,), 4),
    ((NotEnrolled,), 5),
    ((StateDamaged, StateNewer, StateBusy, OutboxDamaged), 6),
    ((BundleRefused, EnrolmentRefused, EvidenceRefused, OrderRefused, RosterRefused, Rejected), 3),
)


def exit_code(error: AgentError) -> int:
    """The exit code of an error: a row of `EXIT_CODES`."""
    for kinds, code in _BY_ERROR:
        if isinstance(error, kinds):
            return code
    return 1


def table() -> str:
    """The exit codes as `--help` prints them."""
    return "\n".join(f"  {code}  {text}" for code, text in EXIT_CODES.items())


def answer(as_json: bool, document: Mapping[str, Any], text: str) -> None:
    """Print the one or the other."""
    click.echo(json.dumps(document, indent=1, sort_keys=True) if as_json else text)


def fail(as_json: bool, error: AgentError) -> None:
    """Say what went wrong and leave."""
    if as_json:
        facts = {"code": error.code, "summary": error.summarize(), "fault": error.fault, "advice": error.advice}
        click.echo(json.dumps({"error": facts}, indent=1, sort_keys=True))
    else:
        click.echo(f"{error.explain()} [{error.code}]", err=True)
    sys.exit(exit_code(error))


def grouped(digest: str) -> str:
    """A digest in groups of eight on two lines, for eyes that compare."""
    groups = [digest[at : at + 8] for at in range(0, len(digest), 8)]
    return f"    {' '.join(groups[:4])}\n    {' '.join(groups[4:])}"
