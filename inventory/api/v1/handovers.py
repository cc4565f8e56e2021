"""Hand-overs: offered, answered by the other side, or answered through a link by somebody without an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import request

from inventory.api.dispatch import Call
from inventory.api.endpoint import PUBLIC, READERS, Answer, Noun, people
from inventory.api.paging import Paging
from inventory.contract.v1.people import Reason
from inventory.contract.v1.travel import (
    DownstreamAnswer,
    DownstreamOpen,
    HandoverAnswer,
    HandoverLinkMake,
    HandoverOffer,
)
from inventory.contract.v1.vocabulary import Key
from inventory.domain.handovers import HandoverState
from inventory.domain.roles import Permission
from inventory.errors import (
    Conflict,
    Forbidden,
    GateClosed,
    IllegalTransition,
    Invalid,
    NotFound,
    NotSignedIn,
    SeparationOfDuty,
    TooManyAttempts,
)
from inventory.services import handover_links, handover_offers, handovers
from inventory.services.views import Page
from inventory.services.views.handovers import DownstreamHandover, HandoverDetail, HandoverLinkView, HandoverRow

noun = Noun("handovers", "One side offers, the other counts for itself; nothing changes hands before both agree.")
downstream = Noun("downstream", "For a receiver without an account: one hand-over, through a link that counts once.")

_TAKE_PART = people(Permission.HANDOVER)


@dataclass(frozen=True)
class HandoverLinkMade:
    """A fresh link."""

    link: HandoverLinkView
    secret: str
    """Shown once."""
    url: str
    """What the receiver opens."""


class HandoverQuery(Paging):
    """Which hand-overs."""

    state: HandoverState | None = None


@noun.get("/handovers", "Hand-overs", READERS)
def list_handovers(call: Call, query: HandoverQuery) -> Page[HandoverRow]:
    """Newest first."""
    return handovers.list_handovers(call.context, call.actor, state=query.state, after=query.after, limit=query.limit)


@noun.post(
    "/handovers",
    "Offer a hand-over",
    _TAKE_PART,
    creates=True,
    raises=(Invalid, NotFound, Conflict, GateClosed, IllegalTransition),
)
def offer_handover(call: Call, body: HandoverOffer) -> Answer[HandoverDetail]:
    """The gate, and the receiver's undertaking, are asked for each device now and again when it is answered."""
    made = handover_offers.offer(call.context, call.actor, handover_offers.OfferHandover(**body.model_dump()))
    return Answer(made, version=made.version)


@noun.get("/handovers/{handover}", "One hand-over", READERS, raises=(NotFound,))
def get_handover(call: Call, handover: Key) -> HandoverDetail:
    """Whoever may answer it sees neither count nor seals before they have."""
    return handovers.handover(call.context, call.actor, handover)


@noun.post(
    "/handovers/{handover}/answer",
    "Answer a hand-over",
    _TAKE_PART,
    raises=(Invalid, NotFound, Conflict, GateClosed, IllegalTransition, SeparationOfDuty, Forbidden),
)
def answer_handover(call: Call, handover: Key, body: HandoverAnswer) -> HandoverDetail:
    """What was counted at the receiving place: equal accepts, different disputes, and each difference is an exception."""
    command = handovers.AnswerHandover(**body.model_dump())
    return handovers.answer(call.context, call.actor, handover, command)


@noun.post(
    "/handovers/{handover}/withdrawal",
    "Take an offer back",
    _TAKE_PART,
    raises=(NotFound, IllegalTransition, Forbidden),
)
def withdraw_handover(call: Call, handover: Key, body: Reason) -> HandoverDetail:
    """At the sending side, as long as there is no answer."""
    return handovers.withdraw(call.context, call.actor, handover, body.reason)


@noun.post(
    "/handovers/{handover}/links",
    "Make a link for the receiver",
    _TAKE_PART,
    creates=True,
    secret_reply=True,
    raises=(NotFound, Conflict, Invalid),
)
def make_handover_link(call: Call, handover: Key, body: HandoverLinkMake) -> HandoverLinkMade:
    """Its secret is shown once; a link made before opens nothing any more."""
    command = handover_links.MakeLink(handover=handover, lifetime=timedelta(seconds=body.lifetime_seconds))
    link, secret = handover_links.make(call.context, call.actor, command)
    return HandoverLinkMade(link, secret, f"{call.context.settings.external_url}/handover/{secret}")


@noun.delete("/handovers/{handover}/links/{link}", "Revoke a link", _TAKE_PART, raises=(NotFound, Conflict))
def revoke_handover_link(call: Call, handover: Key, link: Key) -> None:
    """It opens nothing any more."""
    handover_links.revoke(call.context, call.actor, handover, link)


@noun.post(
    "/handovers/{handover}/links/{link}/erasure",
    "Erase a receiver's name",
    people(Permission.PEOPLE_MANAGE),
    raises=(NotFound,),
)
def erase_handover_receiver(call: Call, handover: Key, link: Key) -> HandoverLinkView:
    """No signed statement names them."""
    return handover_links.erase_receiver(call.context, call.actor, handover, link)


@downstream.post("/downstream/handover", "What a link leads to", PUBLIC, raises=(NotSignedIn, TooManyAttempts))
def open_downstream(call: Call, body: DownstreamOpen) -> DownstreamHandover:
    """Sees this hand-over and nothing else. Wrong secrets are counted by address."""
    return handover_links.peek(call.context, body.secret, request.remote_addr or "")


@downstream.post(
    "/downstream/handover/answer",
    "Answer through a link",
    PUBLIC,
    raises=(NotSignedIn, TooManyAttempts, Conflict, Invalid),
)
def answer_downstream(call: Call, body: DownstreamAnswer) -> DownstreamHandover:
    """The link is spent with the answer."""
    counted = handovers.AnswerHandover(**body.model_dump(exclude={"secret", "receiver"}))
    command = handover_links.AnswerByLink(secret=body.secret, receiver=body.receiver, counted=counted)
    return handover_links.answer(call.context, command, request.remote_addr or "")
