"""Who may do what, and who did."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Noun, people
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import Forbidden, NotFound
from inventory.services import responsibility as service
from inventory.services.views import KindOfActView, ObjectDutiesView, PersonDutiesView, TrustedView

noun = Noun("duties", "Who may do what, and who did: for a person, and for an object on which duties are kept apart.")


@noun.get("/people/{ref}/duties", "What a person may do and did", READERS, raises=(Forbidden, NotFound))
def duties_of_person(call: Call, ref: Key) -> PersonDutiesView:
    """Each permission with the roles that grant it, how far they see, their keys and tokens, their last acts.

    Anybody about themselves; about others it takes a role that reads the history.
    """
    return service.of_person(call.context, call.actor, ref)


@noun.get("/acts", "Every kind of act, and the roles that grant it", people(Permission.READ_EVENTS))
def kinds_of_acts(call: Call) -> tuple[KindOfActView, ...]:
    """With how many people may, who are let in. Sites and teams narrow where they may, and separation of duties what."""
    return service.acts(call.context, call.actor)


@noun.get(
    "/acts/{permission}/people", "Who may do one kind of act", people(Permission.READ_EVENTS), raises=(NotFound,)
)  # fmt: skip
def people_by_act(call: Call, permission: Key) -> tuple[TrustedView, ...]:
    """Each with the roles that grant it and how far they see; nobody whose account is closed."""
    return service.trusted(call.context, call.actor, permission)


@noun.get(
    "/duties/{subject}", "Who did what about an object, and who may do what next", people(Permission.READ_EVENTS),
    raises=(NotFound,),
)  # fmt: skip
def duties_about(call: Call, subject: Key) -> ObjectDutiesView:
    """An order, destruction, waiver, hand-over or balance by number; an approver's key by its id."""
    return service.of_object(call.context, call.actor, subject)
