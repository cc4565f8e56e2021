"""The validation queue: what waits, since when, for whom; several decided at once, where each is shown."""

from __future__ import annotations

from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.forms import Form
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ValidationDecision
from inventory.services import waiting as service

from .order_acts import DECISIONS


@form("/queues/validate", Permission.RECORD_VALIDATE)
def orders_to_validate() -> Reply:
    """What waits for validators and witnesses, longest first."""
    typed = received()
    if posted():
        command = _command(typed)
        if command is not None:
            done = perform(typed, lambda: _decided(command))
            if done is not None:
                return done
    found = service.list_waiting(here(), actor())
    return show("queue.html", form_status(typed), waiting=found, form=typed, decisions=DECISIONS)


def _decided(command: service.DecideTogether) -> AnyResponse:
    service.decide_together(here(), actor(), command)
    return go("orders_to_validate", said="decided-together")


def _command(typed: Form) -> service.DecideTogether | None:
    """Each ticked line carries the order, its version and the digest of the record it showed."""
    shown = []
    for word in typed.values.getlist("shown"):
        order, _, rest = word.partition(" ")
        version, _, record = rest.partition(" ")
        if not version.isdigit() or len(version) > 15:
            typed.fail("shown", "Load the page again.")
            continue
        shown.append(service.Shown(order=order, record=record, version=int(version)))
    if not shown:
        typed.fail("shown", "Tick the records you decide about.")
    decision = typed.word("decision", ValidationDecision, "Decide: approve, reject or escalate.")
    why = typed.text("reason", "Say why.")
    if decision is None or not typed.ok:
        return None
    return service.DecideTogether(shown=tuple(shown), decision=decision, reason=why)
