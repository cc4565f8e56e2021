"""What the lamps of a host's bays shall show."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.agents import Lamp
from inventory.domain.lamps import lamp_of
from inventory.domain.vocabulary import DeviceState
from inventory.models import Attachment, Device, Host, Order, Reading
from inventory.models.orders import OPEN_STATES
from inventory.models.readings import OPEN_READINGS

from ._holds import holds_on

_SHOWN: Final = (DeviceState.SANITIZED, DeviceState.FAILED)
_MOST: Final = 1024


def lamps_of(session: Session, host: Host) -> tuple[Lamp, ...]:
    """One for each medium in the host whose lamp shines; of all others it is dark."""
    devices = session.scalars(
        sa.select(Device)
        .join(Attachment, Attachment.device_id == Device.id)
        .where(Attachment.host_id == host.id, Attachment.until.is_(None), Device.state.in_(_SHOWN))
        .order_by(Device.id)
        .limit(_MOST)
    ).all()
    if not devices:
        return ()
    numbers = [device.id for device in devices]
    ordered = set(session.scalars(sa.select(Order.device_id).where(Order.device_id.in_(numbers), sa.text(OPEN_STATES))))
    ordered |= set(
        session.scalars(sa.select(Reading.device_id).where(Reading.device_id.in_(numbers), sa.text(OPEN_READINGS)))
    )
    held = holds_on(session, numbers)
    found = []
    for device in devices:
        sign = lamp_of(device.state, ordered=device.id in ordered, held=bool(held.get(device.id)))
        if sign is not None and device.fingerprint is not None:
            found.append(Lamp(device=device.fingerprint, sign=sign))
    return tuple(found)
