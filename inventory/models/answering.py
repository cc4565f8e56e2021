"""Which site and team answer for a device follows where it is put and in which host it is seen.

In one place, so that no way of moving a device can forget it. What is put where no site is known stays with the last one that
was: somebody goes on answering for it, also after it was released or went missing.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session, UOWTransaction

from .devices import Attachment, Device
from .hosts import Host
from .places import Location


def _follow(session: Session, _flush: UOWTransaction, _instances: object) -> None:
    for row in [*session.new, *session.dirty]:
        if isinstance(row, Device) and row.location_id and sa.inspect(row).attrs.location_id.history.has_changes():
            place = session.get(Location, row.location_id)
            if place is not None and place.site_id is not None:
                row.site_id = place.site_id
        elif isinstance(row, Attachment) and row in session.new:
            host, device = session.get(Host, row.host_id), session.get(Device, row.device_id)
            if host is not None and device is not None:
                device.site_id = host.site_id or device.site_id
                device.team_id = host.team_id or device.team_id


sa.event.listen(Session, "before_flush", _follow)
