"""Questions that changes of status raise, with what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from inventory.domain.questions import ChangeKind, Settled, Step

from .devices import ReasonView


@dataclass(frozen=True, kw_only=True)
class StepView:
    """Something to do next."""

    step: Step
    words: str


@dataclass(frozen=True, kw_only=True)
class QuestionView:
    """A medium becomes less secure, or is about to: may it, as it is?"""

    id: str
    kind: ChangeKind
    device: str
    device_label: str
    asset_tag: str | None
    host: str | None
    host_name: str | None
    party: str | None
    party_name: str | None
    said: str
    """What happens, in words that follow the device's name."""
    asked: str
    raised: datetime
    raised_by: str
    reason: str
    due: datetime
    begins: datetime
    """From when on it is asked: the end of a lease or a warranty may be known years before."""
    waits: bool
    """Nobody is asked yet."""
    overdue: bool
    answered: datetime | None
    answer: Settled | None
    answered_by: str | None
    answer_words: str
    reasons: tuple[ReasonView, ...]
    """Why the gate is closed for where it goes; empty: it is open, or the question is answered."""
    steps: tuple[StepView, ...]
    """The task, first things first; empty where it is answered."""
    exception: str | None
    """Number of the exception that is open about it."""
    owner: str | None
    """Whose task it is, where it was assigned."""
    may_withdraw: bool
    version: int
