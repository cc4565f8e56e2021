"""Questions that changes of status raise: announced by people, noticed by the service, answered by facts."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, Noun, people
from inventory.api.paging import Paging, Text
from inventory.contract.v1.common import Message
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.people import Reason
from inventory.contract.v1.vocabulary import Key, Prose
from inventory.domain.questions import ChangeKind
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Duplicate, Invalid, NotFound
from inventory.services import questions
from inventory.services.queries import questions as queries
from inventory.services.views import Page
from inventory.services.views.questions import QuestionView

noun = Noun("questions", "A medium becomes less secure, or is about to: may it, as it is?")


class ChangeAnnounced(Message):
    """What happens to a device."""

    kind: Literal["repair", "lease_return", "warranty_swap", "resale"]
    reason: Prose
    party: Key | None = None
    """Who receives it."""
    due: AwareDatetime | None = None
    """The day it happens; left out: three days from now."""


class HostChangeAnnounced(Message):
    """What happens to a host, with everything attached to it."""

    kind: Literal["host_decommissioned", "rack_relocated"]
    reason: Prose
    due: AwareDatetime | None = None
    """The day it happens; a move needs one."""


class QuestionQuery(Paging):
    """Which questions; every parameter that is given must match."""

    open: bool = True
    kind: ChangeKind | None = None
    device: Text | None = None


@noun.get("/questions", "Questions", READERS)
def list_questions(call: Call, query: QuestionQuery) -> Page[QuestionView]:
    """Newest first, each with the task it is."""
    return queries.list_questions(
        call.context,
        call.actor,
        open_=query.open,
        kind=query.kind,
        device=query.device,
        after=query.after,
        limit=query.limit,
    )


@noun.get("/questions/{question}", "One question", READERS)
def get_question(call: Call, question: Key) -> QuestionView:
    """With the gate's reasons and what to do next, or what answered it."""
    return queries.question(call.context, call.actor, question)


@noun.post(
    "/devices/{device}/changes",
    "Announce what happens to a device",
    people(Permission.DEVICE_MOVE),
    creates=True,
    raises=(Conflict, Duplicate, Invalid, NotFound),
)
def announce_change(call: Call, device: Key, body: ChangeAnnounced) -> Answer[QuestionView]:
    """Repair, return to the lessor, swap under warranty, resale. It moves nothing: it asks whether it may."""
    command = questions.AnnounceChange(
        device=device, kind=ChangeKind(body.kind), reason=body.reason, party=body.party, due=body.due
    )
    view = questions.announce(call.context, call.actor, command)
    return Answer(view, version=view.version, location=f"{PREFIX}/questions/{view.id}")


@noun.post(
    "/hosts/{host}/changes",
    "Announce what happens to a host",
    people(Permission.DEVICE_MOVE),
    creates=True,
    raises=(Invalid, NotFound),
)
def announce_host_change(call: Call, host: Key, body: HostChangeAnnounced) -> tuple[QuestionView, ...]:
    """Out of use, or moved with its rack: a question for every device attached to it."""
    command = questions.AnnounceHostChange(host=host, kind=ChangeKind(body.kind), reason=body.reason, due=body.due)
    return questions.announce_for_host(call.context, call.actor, command)


@noun.post(
    "/questions/{question}/withdrawal",
    "Withdraw what was announced",
    people(Permission.DEVICE_MOVE),
    updates=True,
    raises=(Conflict, Invalid),
)
def withdraw_question(call: Call, question: Key, body: Reason) -> Answer[QuestionView]:
    """It does not happen. What the service noticed by itself cannot be withdrawn."""
    command = questions.WithdrawQuestion(question=question, reason=body.reason, version=call.version)
    view = questions.withdraw(call.context, call.actor, command)
    return Answer(view, version=view.version)
