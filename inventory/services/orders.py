"""Orders: one device, one agent, sealed and signed with the policy decision they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from inventory.contract.v1.orders import PlanRequest

from .context import Actor, Context
from .views import OrderDetail, PolicyDecisionView


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What shall become of the device afterwards: the policy's input."""

    reuse: bool = True
    leaves_control: bool = False
    damaged: bool = False


@dataclass(frozen=True, kw_only=True)
class CreateOrder:
    """Sanitize one device on the host where it is attached."""

    device: str
    plan: PlanRequest
    purpose: Purpose
    reason: str
    lifetime: timedelta = timedelta(hours=24)
    """From now; between 5 minutes and 30 days."""


def advise(context: Context, actor: Actor, device: str, purpose: Purpose) -> PolicyDecisionView:
    """What the policy would demand for this device and purpose, and why. Permission `inventory.read`. Raises `NotFound`."""
    raise NotImplementedError


def create_order(context: Context, actor: Actor, command: CreateOrder) -> OrderDetail:
    """Request an order. Permission `order.request`.

    Raises:
        OrderImpossible: the policy demands more than overwriting can reach, or less verification was asked for than it demands:
            never downgraded silently.
        Held: a hold covers the device or a data set on it.
        IllegalTransition: the device's state does not allow a run (retire or quarantine it first).
        Conflict: not attached to a confirmed host, identity unknown, another open order, or no published roster.
        NotFound, Invalid.
    """
    raise NotImplementedError


def cancel_order(context: Context, actor: Actor, order: str, reason: str) -> OrderDetail:
    """Cancel before the first write. Permission `order.cancel`. Raises `IllegalTransition` once the run may have written: stop it instead."""
    raise NotImplementedError


def request_stop(context: Context, actor: Actor, order: str, reason: str) -> OrderDetail:
    """Ask the agent to stop a run under way; its record will say interrupted. Permission `order.stop`. Raises `Conflict`."""
    raise NotImplementedError
