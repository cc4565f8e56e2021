"""Who may do what, and who did."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Noun, people
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import Forbidden, NotFound
from inventory.services import responsibility as service
from inventory.services.views import ObjectDutiesView, PersonDutiesView

noun = Noun("duties", "Who may do what, and who did: for a person, and for an object on which duties are kept apart.")


@noun.get("/people/{ref}/duties", "What a person may do and did", READERS, raises=(Forbidden, NotFound))
def duties_of_person(call: Call, ref: Key) -> PersonDutiesView:
    """Each permission with the roles that grant it, how far they see, their keys and tokens, their last acts.

    Anybody about themselves; about others it takes a role that reads the history.
    """
    return service.of_person(call.context, call.actor, ref)


@noun.get(
    "/duties/{subject}", "Who did what about an object, and who may do what next", people(Permission.READ_EVENTS),
    raises=(NotFound,),
)  # fmt: skip
def duties_about(call: Call, subject: Key) -> ObjectDutiesView:
    """An order, destruction, waiver, hand-over or balance by number; an approver's key by its id."""
    return service.of_object(call.context, call.actor, subject)
