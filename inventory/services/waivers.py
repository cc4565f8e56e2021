"""Waivers: the only way out for an unsanitized medium. Two named people of different roles, a reason, an end; printed ever after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .context import Actor, Context
from .views import DeviceDetail, WaiverView


@dataclass(frozen=True, kw_only=True)
class OpenWaiver:
    """Why a device must go back unsanitized."""

    device: str
    destination: str
    reason: str
    role: str
    """The role in which the person signs."""
    expires: datetime


def open_waiver(context: Context, actor: Actor, command: OpenWaiver) -> WaiverView:
    """Sign first. Permission `waiver.sign`. Raises `Held`, `Invalid` (more than 30 days, a role one has not), `NotFound`."""
    raise NotImplementedError


def countersign_waiver(context: Context, actor: Actor, waiver: str, role: str) -> WaiverView:
    """Sign second: another person, in another role. Permission `waiver.sign`. Raises `SeparationOfDuty`, `Conflict`."""
    raise NotImplementedError


def return_by_waiver(context: Context, actor: Actor, waiver: str) -> DeviceDetail:
    """Use it: the device leaves unsanitized. Permission `device.release`. Raises `Held`, `Conflict` (not countersigned, expired, used)."""
    raise NotImplementedError
