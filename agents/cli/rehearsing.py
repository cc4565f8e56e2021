"""`dry-run`: exactly what would be done to a medium, and what stands against it on this host. Never opens it for writing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

import sanitizer
from agents import rules_file
from agents.clock import SystemClock
from agents.errors import AgentError
from agents.halts import Halts
from agents.local_rules import LocalRules
from agents.permission import medium_facts
from agents.refusals import DryRun, HostHalted, LocalRefusal
from agents.runs import RunStore
from agents.self_tests import SelfTests
from agents.state import StateDirectory
from sanitizer import Confirmation, Inspection, NoTechnique, Plan, PlanRequest, obstacles_to
from sanitizer.cli.explaining import explain_none, explain_plan
from sanitizer.cli.options import plan_options
from sanitizer.cli.output import complaint
from sanitizer.cli.planning import planned_or_obstacle

from .common import Common, explained
from .output import answer


@click.command("dry-run")
@click.argument("device", type=click.Path(path_type=Path))
@plan_options
@explained
def dry_run_command(common: Common, device: Path, request: PlanRequest) -> None:
    """Say exactly what an order would have this host do to DEVICE, step by step, and everything that stands against it.

    The device is looked at as before a run, and never opened for writing. Obstacles of the medium, the local rules, halts and
    the self-test are asked; approvals and holds are not, for there is no order. Ends with 3 where something stands against it.
    """
    settings = common.settings()
    rules = rules_file.load(settings.local_rules)
    try:
        inspection = sanitizer.inspect(device)
        planned = planned_or_obstacle(request, inspection)
    except NoTechnique as none:
        text = "\n".join(explain_none(request, sanitizer.inspect(device), none.reasons))
        answer(common.as_json, {"against": [complaint(none)], "plan": None}, text)
        sys.exit(3)
    except sanitizer.SanitizerError as error:
        answer(common.as_json, {"against": [complaint(error)], "plan": None}, f"{error} [{error.code}]")
        sys.exit(3)
    fingerprint = inspection.fingerprint or ""
    said = Confirmation(fingerprint=fingerprint, acknowledged_signatures=request.acknowledged_signatures)
    obstacles = obstacles_to(inspection, planned, said)
    here = list(_against(StateDirectory(settings.state_dir), rules, inspection, planned))
    lines = [*explain_plan(planned, inspection, obstacles), "", "On this host:"]
    lines += [f"  - {error.explain()} [{error.code}]" for error in here] or ["  Nothing stands against it."]
    lines += ["", "Nothing was written, and nothing was opened for writing."]
    document = {
        "plan": {"technique": planned.technique, "plan_sha256": planned.digest, "description": planned.describe()},
        "fingerprint": fingerprint,
        "against": [complaint(one) for one in obstacles]
        + [{"code": error.code, "summary": error.summarize(), "remedy": error.advice} for error in here],
    }
    answer(common.as_json, document, "\n".join(lines))
    sys.exit(3 if obstacles or here else 0)


def _against(state: StateDirectory, rules: LocalRules, inspection: Inspection, planned: Plan) -> Iterator[AgentError]:
    """Every reason of this host, not only the first."""
    clock = SystemClock()
    checks: tuple[Callable[[], None], ...] = (
        lambda: rules.permit_method(planned.request.method),
        lambda: rules.permit_techniques(planned.steps),
        lambda: rules.permit_medium(medium_facts(inspection)),
        lambda: rules.permit_start(clock.now(), RunStore(state).starts_of_others()),
    )
    for check in checks:
        try:
            check()
        except LocalRefusal as error:
            yield error
    if rules.dry_run:
        yield DryRun("dry_run = true in the local rules.")
    if (why := Halts(state).standing()) is not None:
        yield HostHalted(why)
    try:
        SelfTests(state, clock.monotonic, show=False).require()
    except AgentError as error:
        yield error
