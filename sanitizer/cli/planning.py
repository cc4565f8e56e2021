"""`sanitizer plan`: what a wipe would do, why so and not otherwise, and the command to type. Writes nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sanitizer import api
from sanitizer.clearance import Confirmation, obstacles_to, standing_against
from sanitizer.errors import NoTechnique, Refused
from sanitizer.inspection import Inspection
from sanitizer.patterns import PATTERN_SETS
from sanitizer.planning import Plan, PlanRequest, plan

from .exit_codes import ExitCode
from .explaining import command, explain, explain_none, pattern_table
from .options import as_json_option, plan_options, reported
from .output import as_json, complaint, rows


@click.command("plan")
@click.option("--patterns", is_flag=True, help="List the pattern sets and what they mirror, and do nothing else.")
@click.argument("device", type=click.Path(path_type=Path), required=False)
@plan_options
@as_json_option
@reported
def plan_command(device: Path | None, request: PlanRequest, *, patterns: bool, json_output: bool) -> None:
    """Explain what a wipe of DEVICE would do and reach, and what stands against it. Writes nothing.

    It says in which order things would be done, what each step reaches and by which clause, how long it takes, what else
    would be destroyed, and why other techniques are not used. The last lines are the command to type.

    Exit status 3 when nothing available reaches what was asked, or when an obstacle stands.
    """
    if patterns:
        _patterns(json_output=json_output)
        return
    if device is None:
        raise click.UsageError("name a DEVICE, or ask for --patterns")
    inspection = api.inspect(device)
    try:
        planned = planned_or_obstacle(request, inspection) if json_output else plan(request, inspection)
    except NoTechnique as none:
        if json_output:
            raise
        click.echo("\n".join(explain_none(request, inspection, none.reasons)))
        sys.exit(ExitCode.REFUSED)
    confirmation = Confirmation(
        fingerprint=inspection.fingerprint or "", acknowledged_signatures=request.acknowledged_signatures
    )
    obstacles = obstacles_to(inspection, planned, confirmation)
    if json_output:
        as_json(document(planned, inspection, obstacles))
    else:
        click.echo("\n".join(explain(planned, inspection, obstacles)))
    if obstacles:
        sys.exit(ExitCode.REFUSED)


def planned_or_obstacle(request: PlanRequest, inspection: Inspection) -> Plan:
    """The plan; for a technique named, what stands against it rather than that it does not fit: it says what to do.

    Raises:
        Refused: an obstacle, or `NoTechnique`.
    """
    try:
        return plan(request, inspection)
    except NoTechnique:
        for obstacle in standing_against(inspection, request.steps, request.acknowledged_signatures):
            raise obstacle from None
        raise


def document(planned: Plan, inspection: Inspection, obstacles: tuple[Refused, ...]) -> dict[str, Any]:
    """The plan as plain JSON values."""
    return {
        "request": planned.request.to_dict(),
        "plan_sha256": planned.digest,
        "passes": planned.passes,
        "description": planned.describe(),
        "fingerprint": inspection.fingerprint,
        "technique": planned.technique,
        "level": planned.level,
        "steps": [
            {
                "technique": name,
                "title": title,
                "reaches": reach.level,
                "reason": reach.reason,
                "clause": reach.clause,
                "setting": reach.setting,
                "estimate_seconds": seconds,
            }
            for name, title, reach, seconds in zip(
                planned.steps, planned.titles, planned.reaches, planned.estimates, strict=True
            )
        ],
        "estimate_seconds": planned.estimate_seconds,
        "rejected": [{"technique": each.technique, "reasons": list(each.reasons)} for each in planned.rejected],
        "also_destroyed": list(planned.also_destroyed),
        "notes": list(planned.notes),
        "command": command(planned, inspection.path),
        "obstacles": [complaint(obstacle) for obstacle in obstacles],
    }


def _patterns(*, json_output: bool) -> None:
    if json_output:
        as_json([{"name": s.name, "passes": len(s.passes), "mirrors": s.mirrors} for s in PATTERN_SETS.values()])
        return
    rows(("PATTERN SET", "PASSES", "MIRRORS"), list(pattern_table()))
    click.echo("All of them overwrite, and overwriting reaches clear (SP 800-88 Rev. 2, 3.1.1), whatever its name.")
