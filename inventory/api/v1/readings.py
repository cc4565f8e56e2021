"""Verify-only orders: a sanitized medium is read again; nothing is written to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from inventory.api.bodies import MAX_AGENT_BODY
from inventory.api.dispatch import Call
from inventory.api.endpoint import AGENT, READERS, Answer, Noun, people
from inventory.api.paging import Paging, Text
from inventory.contract.v1 import endpoints
from inventory.contract.v1.common import Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.people import Reason
from inventory.contract.v1.readings import (
    ReadingLeaseReply,
    ReadingProgress,
    ReadingProgressReply,
    ReadingReceived,
    ReadingSubmission,
)
from inventory.contract.v1.vocabulary import Key, Prose
from inventory.domain.readings import ReadingState
from inventory.domain.roles import Permission
from inventory.errors import Conflict, EvidenceRefused, IllegalTransition, Invalid, NotFound, OrderImpossible
from inventory.services import reading_results, readings
from inventory.services.queries import readings as queries
from inventory.services.views import Page
from inventory.services.views.readings import ReadingDetail, ReadingRow

noun = Noun("readings", "Verify-only orders: a medium read again against what its standing record claims.")
agent_noun = Noun("agents' readings", "What the daemon asks about verify-only orders.", prefix="")

_SMALL = 64 * 1024


class ReadingRequest(Message):
    """Read one sanitized device again, on the host where it is attached."""

    device: Key
    verification: Literal["full", "representative"] = "full"
    reason: Prose
    lifetime_seconds: Annotated[int, Field(ge=300, le=30 * 86_400)] = 3 * 86_400


class ReadingQuery(Paging):
    """Which of them; every parameter that is given must match."""

    state: frozenset[ReadingState] = frozenset()
    """May be given several times."""
    device: Text | None = None
    record: Text | None = None
    open: bool | None = None
    """Waiting for its agent, or with it."""


class Empty(Message):
    """An empty object."""


@noun.get("/readings", "Verify-only orders", READERS)
def list_readings(call: Call, query: ReadingQuery) -> Page[ReadingRow]:
    """Newest first."""
    where = queries.ReadingFilter(states=query.state, device=query.device, record=query.record, open=query.open)
    return queries.list_readings(call.context, call.actor, where, after=query.after, limit=query.limit)


@noun.post(
    "/readings",
    "Have a medium read again",
    people(Permission.READING_REQUEST),
    creates=True,
    raises=(OrderImpossible, Conflict, NotFound, Invalid),
)
def request_reading(call: Call, body: ReadingRequest) -> Answer[ReadingDetail]:
    """Only where the record's claim can be read again: a constant, such as zeros.

    A confirmed claim adds nothing; a contradicted one closes the gate.
    """
    command = readings.RequestReading(
        device=body.device,
        verification=body.verification,
        reason=body.reason,
        lifetime=timedelta(seconds=body.lifetime_seconds),
    )
    view = readings.request_reading(call.context, call.actor, command)
    return Answer(view, version=view.version, location=f"{PREFIX}/readings/{view.id}")


@noun.get("/readings/{reading}", "One verify-only order", READERS)
def get_reading(call: Call, reading: Key) -> ReadingDetail:
    """With what was sealed, and what the agent signed."""
    return queries.reading(call.context, call.actor, reading)


@noun.post(
    "/readings/{reading}/cancellation",
    "Cancel a verify-only order",
    people(Permission.ORDER_CANCEL),
    raises=(IllegalTransition,),
)
def cancel_reading(call: Call, reading: Key, body: Reason) -> ReadingDetail:
    """An agent at work stops. What it has seen by then counts all the same, where it contradicts the record."""
    return readings.cancel_reading(call.context, call.actor, reading, body.reason)


@agent_noun.post(endpoints.AGENT_READING_LEASES, "Is there something to read", AGENT, body_limit=_SMALL)
def acquire_reading(call: Call, body: Empty) -> ReadingLeaseReply:
    """The oldest verify-only order of this agent that nobody works on, or nothing."""
    del body
    return reading_results.acquire(call.context, call.actor)


@agent_noun.post(endpoints.AGENT_READING_PROGRESS, "How far I have read", AGENT, body_limit=_SMALL, raises=(NotFound,))
def report_reading(call: Call, reading: Key, body: ReadingProgress) -> ReadingProgressReply:
    """Prolongs the lease; an old token is told that it is not current."""
    return reading_results.report_progress(call.context, call.actor, reading, body)


@agent_noun.post(
    endpoints.AGENT_READING_RESULT,
    "What I have read",
    AGENT,
    body_limit=MAX_AGENT_BODY,
    raises=(EvidenceRefused, Conflict, NotFound),
)
def submit_reading(call: Call, reading: Key, body: ReadingSubmission) -> ReadingReceived:
    """A signed reading; the same one again gets the same answer."""
    return reading_results.take_in(call.context, call.actor, reading, body)
