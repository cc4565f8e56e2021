"""Approvals: an approver's own signature over a sealed order's digest. The agent checks every one of them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .context import Actor, Context
from .views import OrderDetail, ReadyOrder


@dataclass(frozen=True, kw_only=True)
class Approve:
    """One approver's DSSE envelope, kind approval."""

    order: str
    envelope: dict[str, Any]


def ready_to_sign(context: Context, actor: Actor, order: str) -> ReadyOrder:
    """What this approver must see and sign. Permission `order.approve`.

    Raises:
        SeparationOfDuty: the actor requested the order.
        Forbidden: no key of the actor's stands in the published roster.
        Conflict: not waiting for approvals, or the actor has approved already.
        Held, NotFound.
    """
    raise NotImplementedError


def approve(context: Context, actor: Actor, command: Approve) -> OrderDetail:
    """Accept an approval; with the last one the order is approved. Permission `order.approve`.

    Raises:
        EvidenceRefused: another order's digest, another person's name or key, an altered or unsigned envelope, a time outside the
            order's life.
        SeparationOfDuty: the requester approves.
        Duplicate: this person has approved already.
        Conflict: cancelled, expired, or approved already.
        Held, Forbidden, NotFound.
    """
    raise NotImplementedError
