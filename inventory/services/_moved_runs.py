"""A disk that was pulled in the middle of its run and shows up in another host: somebody has to hear of it, at once."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.orders import UNDER_WAY
from inventory.models import Attachment, Device, Host, Order

from .context import Context
from .kernel import raise_exception, settle_exception


def seen_in_its_run(session: Session, context: Context, device: Device, host: Host) -> None:
    """The device was just attached to a host; where a run of another host is under way on it, that is an exception."""
    order = session.scalar(sa.select(Order).where(Order.device_id == device.id, Order.state.in_(UNDER_WAY)))
    if order is None:
        return
    if order.host_id == host.id:
        words = f"{device.id} is in {host.name} again, and its run can go on."
        settle_exception(session, context, ExceptionCode.RUN_DISK_MOVED, device.id, words)
        return
    first = session.get_one(Host, order.host_id)
    words = (
        f"{device.id} is in {host.name}, and {order.id} is under way on it in {first.name}. It holds both what it held and"
        f" what was written over it. Put it back into {first.name}, and the run goes on by itself; or give {order.id} up"
        f" and order the device anew where it is."
    )
    raise_exception(
        session, context, ExceptionCode.RUN_DISK_MOVED, device.id, words, device=device.id, host=host.id
    )  # fmt: skip


def run_ended(session: Session, context: Context, order: Order) -> None:
    """The order's run is over, however it ended: nothing is pending about where its disk is."""
    settle_exception(session, context, ExceptionCode.RUN_DISK_MOVED, order.device_id, f"{order.id} has ended.")


def other_host_of(session: Session, device: str, host: str) -> Host | None:
    """Another host in which the device is now, None where it is in this one or in none."""
    return session.scalar(
        sa.select(Host)
        .join(Attachment, Attachment.host_id == Host.id)
        .where(Attachment.device_id == device, Attachment.until.is_(None), Attachment.host_id != host)
    )
