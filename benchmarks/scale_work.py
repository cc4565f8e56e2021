"""What goes through much of an inventory at once: a policy's preview, a balance of a whole site."""

from __future__ import annotations

import time
from collections.abc import Callable

import click
import sqlalchemy as sa

from inventory.domain.balance import ScopeKind
from inventory.domain.policy_document import default_document
from inventory.models import Site
from inventory.services import policies, reconciliation
from inventory.services.context import Context

from .scale_service import somebody


def measure_work(context: Context) -> None:
    """Says what each took. Nothing is closed."""
    auditor, custodian = somebody(context, "auditor"), somebody(context, "custodian")
    with context.reading() as session:
        site = session.scalars(sa.select(Site.id).order_by(Site.id).limit(1)).one()
    command = reconciliation.DrawUp(scope=ScopeKind.SITE, reference=site)
    _say("preview of a policy", lambda: policies.preview_policy(context, auditor, default_document()))
    _say("drawing up a site's balance", lambda: reconciliation.draw_up(context, custodian, command))


def _say(what: str, act: Callable[[], object]) -> None:
    began = time.perf_counter()
    act()
    click.echo(f"  {what}: {time.perf_counter() - began:.1f} s")
