"""Validation: a person decides whether the result suffices (SP 800-88 Rev. 2, 4.5.2). Only a validated record opens the gate."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.domain.vocabulary import ValidationDecision

from .context import Actor, Context
from .views import OrderDetail


@dataclass(frozen=True, kw_only=True)
class Validate:
    """The decision, with its reason."""

    order: str
    decision: ValidationDecision
    reason: str
    version: int | None = None


def validate(context: Context, actor: Actor, command: Validate) -> OrderDetail:
    """Decide about an order's record; signed and logged. Permission `record.validate`.

    Approve: device -> sanitized, its holdings covered, obligations closed. Reject or escalate: device -> failed.

    Raises:
        SeparationOfDuty: requester or approver of this order.
        Conflict: approve where the verdict does not satisfy the policy: reject or escalate it.
        IllegalTransition: no record waits for a decision.
        StaleVersion, NotFound, Invalid (reason missing).
    """
    raise NotImplementedError
