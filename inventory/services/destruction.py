"""Physical destruction: an operator records it, somebody else witnesses it, a validator decides; then the device is destroyed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.vocabulary import ValidationDecision

from .context import Actor, Context
from .views import DestructionView


@dataclass(frozen=True, kw_only=True)
class RecordDestruction:
    """What was done to the medium (SP 800-88 Rev. 2, 3.1.3)."""

    device: str
    method: str
    """disintegrate, incinerate, melt, pulverize, shred, degauss-then-destroy."""
    machine: str
    """Machine with its calibration or approval, in words."""
    facility: str
    performed: datetime
    particle_size_mm: int | None = None
    evidence: tuple[str, ...] = ()
    """SHA-256 of photographs, videos, vendor's papers; at least one."""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DecideDestruction:
    """The validator's decision."""

    destruction: str
    decision: ValidationDecision
    reason: str


def record_destruction(context: Context, actor: Actor, command: RecordDestruction) -> DestructionView:
    """State that a medium was destroyed; nothing changes until it is witnessed and validated. Permission `destruction.record`.

    Raises:
        Held, Conflict (state does not allow destruction, an open order, or another destruction waits), Invalid.
    """
    raise NotImplementedError


def witness_destruction(context: Context, actor: Actor, destruction: str, statement: str) -> DestructionView:
    """State that one saw it. Permission `destruction.witness`. Raises `SeparationOfDuty` for the operator."""
    raise NotImplementedError


def decide_destruction(context: Context, actor: Actor, command: DecideDestruction) -> DestructionView:
    """Approve (device -> destroyed, holdings covered, statement logged) or reject. Permission `record.validate`.

    Raises:
        SeparationOfDuty: operator or witness decides.
        Conflict: not witnessed, or decided already.
    """
    raise NotImplementedError
