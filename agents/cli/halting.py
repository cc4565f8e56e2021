"""`stop-all` and `go-on`: the big red stop, by a person at the host."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from agents import assembly, halts
from agents.clock import SystemClock
from agents.engine import HERE
from agents.errors import StateBusy
from agents.halts import HaltedRun, Halts
from agents.runs import RunStore
from agents.state import StateDirectory

from .common import Common, explained
from .output import answer


@click.command("stop-all")
@click.option("--reason", default="by a person at the host", show_default=True, help="Kept, and told to the service.")
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=30.0, show_default=True, help="Seconds to watch the runs."
)
@explained
def stop_all_command(common: Common, reason: str, wait: float) -> None:
    """The big red stop: nothing is begun, and what can be halted is halted, until `go-on`.

    A run that writes from this host ends at its next block and can go on from there. A drive that carries out its own
    command cannot be halted by anybody: it is named. The halt survives restarts, and works while the service is away.
    """
    state = assembly.open_state(common.settings())
    Halts(state).halt_here(reason, SystemClock().now())
    found = _watch(state, wait)
    works = _agent_works(state)
    lines = ["Halted. Nothing is begun until `sanitrail-agent go-on`.", *(one.describe() for one in found)]
    if not works:
        lines.append("The agent does not run now; the halt stands when it starts.")
    if any(one.progress == "halting" for one in found):
        lines.append(f"Not every run has ended within {wait:g} seconds; look again with `sanitrail-agent stop-all`.")
    document = {"halted": True, "agent_works": works, "runs": [vars(one) for one in found]}
    answer(common.as_json, document, "\n".join(lines))


@click.command("go-on")
@explained
def go_on_command(common: Common) -> None:
    """Lift the halt made here with `stop-all`; a halt made in the console is lifted in the console."""
    store = Halts(assembly.open_state(common.settings()))
    lifted = store.lift_here()
    still = store.standing()
    text = "The halt is lifted; the agent goes on within a second." if lifted else "No halt was made here."
    if still is not None:
        text += f"\nThis host stays halted: {still}"
    answer(common.as_json, {"lifted": lifted, "halted": still}, text)


def _watch(state: StateDirectory, wait: float) -> Sequence[HaltedRun]:
    deadline = time.monotonic() + wait
    while True:
        found = halts.what_became(RunStore(state), HERE, state.journals)
        if all(one.progress != "halting" for one in found) or time.monotonic() >= deadline:
            return found
        time.sleep(0.1)


def _agent_works(state: StateDirectory) -> bool:
    try:
        with state.owned():
            return False
    except StateBusy:
        return True
