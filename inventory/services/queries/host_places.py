"""Where data lies on a host, declared or found, with the way down to its media."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from inventory.domain.host_places import TITLES
from inventory.domain.roles import Permission
from inventory.models import Device, Host, HostPlace
from inventory.services._mapping import device_label
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views import HostPlaceView, MediumView, StepView

_ORDER: Final = {kind: rank for rank, kind in enumerate(TITLES)}


def host_places(context: Context, actor: Actor, host_id: str, *, gone: bool = False) -> tuple[HostPlaceView, ...]:
    """Declared paths first, then databases, then memory on disk. Permission `inventory.read`. Raises `NotFound`.

    Args:
        context: Where to read.
        actor: Who asks.
        host_id: Which host.
        gone: Whether places that are no longer there are told, too.
    """
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        host = find(session, Host, host_id, "host")
        statement = sa.select(HostPlace).where(HostPlace.host_id == host.id)
        if not gone:
            statement = statement.where(HostPlace.gone.is_(None))
        rows = session.scalars(statement.order_by(HostPlace.path)).all()
        prints = {print_ for row in rows for print_ in row.devices}
        seen = session.scalars(sa.select(Device).where(Device.fingerprint.in_(prints), *only(actor, Device)))
        names = {device.fingerprint: MediumView(id=device.id, label=device_label(device)) for device in seen}
        return tuple(
            HostPlaceView(
                kind=row.kind,
                title=TITLES.get(row.kind, row.kind),
                path=row.path,
                process=row.process,
                devices=tuple(names[print_] for print_ in row.devices if print_ in names),
                unresolved=tuple(row.unresolved),
                steps=tuple(StepView(above=s["above"], below=s["below"], how=s["how"]) for s in row.steps),
                first_seen=row.first_seen,
                last_seen=row.last_seen,
                gone=row.gone,
            )
            for row in sorted(rows, key=lambda row: _ORDER.get(row.kind, len(_ORDER)))
        )
