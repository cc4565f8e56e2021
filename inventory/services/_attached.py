"""Where a device is attached now, for orders that an agent shall carry out."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import ExceptionState, HostState
from inventory.errors import Conflict
from inventory.models import Attachment, Device, ExceptionItem, Host


def attached_host(session: Session, device: Device) -> Host:
    """The confirmed host where the device is attached now. Raises `Conflict`."""
    host = session.scalar(
        sa.select(Host)
        .join(Attachment, Attachment.host_id == Host.id)
        .where(Attachment.device_id == device.id, Attachment.until.is_(None))
    )
    if device.fingerprint is None or host is None:
        raise Conflict(f"Device {device.id} is not attached to any host; attach it where an agent runs.")
    if host.state is not HostState.CONFIRMED:
        raise Conflict(f"The agent of {host.name} is {host.state}; only a confirmed one may be given orders.")
    ambiguous = sa.select(ExceptionItem.sentence).where(
        ExceptionItem.code == str(ExceptionCode.AMBIGUOUS_DEVICE),
        ExceptionItem.device_id == device.id,
        ExceptionItem.state == ExceptionState.OPEN,
    )
    sentence = session.scalar(ambiguous)
    if sentence is not None:
        raise Conflict(sentence)
    return host


def attached_path(session: Session, device_id: str) -> str:
    """The kernel node where it was last seen; empty where it is attached nowhere."""
    path = session.scalar(
        sa.select(Attachment.path).where(Attachment.device_id == device_id, Attachment.until.is_(None))
    )
    return path or ""
