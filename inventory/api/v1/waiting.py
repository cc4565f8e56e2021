"""The validation queue, and one decision about several records that were each shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Noun, people
from inventory.contract.v1.common import Message, Sha256
from inventory.contract.v1.vocabulary import DecisionName, Key, Prose
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ValidationDecision
from inventory.errors import Conflict, IllegalTransition, Invalid, NotFound, SeparationOfDuty, StaleVersion
from inventory.services import waiting
from inventory.services.views import OrderRow, Page
from inventory.services.views.waiting import WaitingView

noun = Noun("validations", "What waits for a validator, since when and for whom; and several decisions at once.")


class WaitingQuery(Message):
    """Which of it."""

    mine: bool = False
    """Only what the reader may take on."""


class ShownRecord(Message):
    """A record as it was shown."""

    order: Key
    record: Sha256
    version: Annotated[int, Field(ge=1)]


class DecisionTogether(Message):
    """The same decision, for the same reason, about several records."""

    shown: Annotated[tuple[ShownRecord, ...], Field(min_length=1, max_length=waiting.MOST)]
    decision: DecisionName
    reason: Prose


@noun.get("/validations/waiting", "What waits for a validator", READERS)
def list_waiting(call: Call, query: WaitingQuery) -> Page[WaitingView]:
    """Records and destructions, longest first; not divided into pages."""
    return Page(waiting.list_waiting(call.context, call.actor, mine=query.mine), None)


@noun.post(
    "/validations",
    "Decide about several records",
    people(Permission.RECORD_VALIDATE),
    raises=(StaleVersion, SeparationOfDuty, Conflict, IllegalTransition, Invalid, NotFound),
)
def decide_together(call: Call, body: DecisionTogether) -> Page[OrderRow]:
    """All of them or none: refused, where one is not what was shown or may not be decided by the reader."""
    command = waiting.DecideTogether(
        shown=tuple(waiting.Shown(order=one.order, record=one.record, version=one.version) for one in body.shown),
        decision=ValidationDecision(body.decision),
        reason=body.reason,
    )
    return Page(waiting.decide_together(call.context, call.actor, command), None)
