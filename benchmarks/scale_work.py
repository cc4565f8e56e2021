"""What goes through much of an inventory at once: a policy's preview, a balance of a whole site, an import of many lines."""

from __future__ import annotations

import io
import resource
import time
from collections.abc import Callable
from typing import Final

import click
import sqlalchemy as sa

from inventory.domain.balance import ScopeKind
from inventory.domain.policy_document import default_document
from inventory.models import Device, Site
from inventory.services import policies, reconciliation
from inventory.services.context import Actor, Context
from inventory.services.imports import register

from .scale_service import somebody

IMPORTED: Final = 20_000
"""Lines of the table, all of them sound; they stay in the inventory."""


def measure_work(context: Context) -> None:
    """Says what each took, and how much memory the process had at most. Nothing is closed."""
    auditor, custodian = somebody(context, "auditor"), somebody(context, "custodian")
    with context.reading() as session:
        counted = sa.select(Device.site_id, sa.func.count()).join(Site, Site.id == Device.site_id)
        largest = counted.group_by(Device.site_id).order_by(sa.func.count().desc(), Device.site_id).limit(1)
        site, devices = session.execute(largest).one()
    command = reconciliation.DrawUp(scope=ScopeKind.SITE, reference=str(site))
    _say("preview of a policy", lambda: policies.preview_policy(context, auditor, default_document()))
    _say(
        f"drawing up the largest site's balance, {devices:,} devices",
        lambda: reconciliation.draw_up(context, custodian, command),
    )
    _say(f"reading in, trying and taking over {IMPORTED:,} devices", lambda: _import(context, custodian))


def _import(context: Context, actor: Actor) -> None:
    mark = f"N{time.time_ns():x}"
    lines = "".join(f"{mark}-{line},{mark}S{line},Acme,EX-1,4 TB\n" for line in range(IMPORTED))
    table = f"Asset tag,Serial number,Manufacturer,Model,Capacity\n{lines}".encode()
    view = register.receive(context, actor, f"{mark}.csv", io.BytesIO(table))
    view = register.check(context, actor, view.id, view.version)
    while view.state == "checking":
        view = register.advance(context, actor, view.id)
    began = time.perf_counter()
    view = register.run(context, actor, view.id, view.version)
    while view.state == "running":
        view = register.advance(context, actor, view.id)
    click.echo(f"  taken over: {view.counts.get('new', 0) / (time.perf_counter() - began):,.0f} devices a second")


def _say(what: str, act: Callable[[], object]) -> None:
    began = time.perf_counter()
    act()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    click.echo(f"  {what}: {time.perf_counter() - began:.1f} s, at most {most} MiB")
