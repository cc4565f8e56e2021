"""Orders: request, approve by one's own key, stop, validate."""

from __future__ import annotations

from datetime import timedelta

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, File, Noun, people
from inventory.api.paging import Paging, Text
from inventory.api.printing import PdfQuery
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.lifecycle import Decision
from inventory.contract.v1.people import Reason, SignedEnvelope
from inventory.contract.v1.requests import CertificateIssue, OrderCreate
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import OrderState, ValidationDecision
from inventory.errors import (
    Conflict,
    Duplicate,
    EvidenceRefused,
    Held,
    IllegalTransition,
    Invalid,
    NotFound,
    OrderImpossible,
    SeparationOfDuty,
)
from inventory.services import approvals, certificates, orders, queries, validation
from inventory.services.queries.orders import OrderFilter
from inventory.services.views import CertificateView, OrderDetail, OrderRow, Page, ReadyOrder

noun = Noun("orders", "One device, one agent, sealed with the policy decision it rests on.")


class OrderQuery(Paging):
    """Which orders; every parameter that is given must match."""

    state: frozenset[OrderState] = frozenset()
    """May be given several times."""
    device: Text | None = None
    host: Text | None = None
    requested_by: Text | None = None
    open: bool | None = None
    """Not in an end state."""


@noun.get("/orders", "Orders", READERS)
def list_orders(call: Call, query: OrderQuery) -> Page[OrderRow]:
    """Newest first."""
    where = OrderFilter(
        states=query.state, device=query.device, host=query.host, requested_by=query.requested_by, open=query.open
    )
    return queries.list_orders(call.context, call.actor, where, after=query.after, limit=query.limit)


@noun.post(
    "/orders",
    "Request an order",
    people(Permission.ORDER_REQUEST),
    creates=True,
    raises=(OrderImpossible, Held, IllegalTransition, Conflict, NotFound, Invalid),
)
def create_order(call: Call, body: OrderCreate) -> Answer[OrderDetail]:
    """What the policy demands is never lowered to what is possible: such an order is refused with the reasons."""
    command = orders.CreateOrder(
        device=body.device,
        plan=body.plan,
        purpose=orders.Purpose(**body.purpose.model_dump()),
        reason=body.reason,
        lifetime=timedelta(seconds=body.lifetime_seconds),
    )
    order = orders.create_order(call.context, call.actor, command)
    return Answer(order, version=order.version, location=f"{PREFIX}/orders/{order.id}")


@noun.get("/orders/{order}", "One order", READERS)
def get_order(call: Call, order: Key) -> OrderDetail:
    """With the sealed payload, approvals, lease and progress."""
    return queries.order(call.context, call.actor, order)


@noun.get(
    "/orders/{order}/signing",
    "What to sign",
    people(Permission.ORDER_APPROVE),
    raises=(SeparationOfDuty, Conflict, Held),
)
def get_signing(call: Call, order: Key) -> ReadyOrder:
    """Exactly what this approver must see and sign; refused where they may not approve this order."""
    return approvals.ready_to_sign(call.context, call.actor, order)


@noun.post(
    "/orders/{order}/approvals",
    "Approve an order",
    people(Permission.ORDER_APPROVE),
    status=201,
    raises=(EvidenceRefused, SeparationOfDuty, Duplicate, Conflict, Held),
)
def approve_order(call: Call, order: Key, body: SignedEnvelope) -> OrderDetail:
    """The approver's own DSSE envelope over the order's digest. The agent checks it again."""
    command = approvals.Approve(order=order, envelope=body.envelope.model_dump(mode="json"))
    return approvals.approve(call.context, call.actor, command)


@noun.post(
    "/orders/{order}/cancellation", "Cancel an order", people(Permission.ORDER_CANCEL), raises=(IllegalTransition,)
)
def cancel_order(call: Call, order: Key, body: Reason) -> OrderDetail:
    """Before the first write; afterwards ask for a stop."""
    return orders.cancel_order(call.context, call.actor, order, body.reason)


@noun.post("/orders/{order}/stop", "Ask a run to stop", people(Permission.ORDER_STOP), raises=(Conflict,))
def stop_order(call: Call, order: Key, body: Reason) -> OrderDetail:
    """The agent stops; its record will say interrupted."""
    return orders.request_stop(call.context, call.actor, order, body.reason)


@noun.post(
    "/orders/{order}/validation",
    "Validate an order's record",
    people(Permission.RECORD_VALIDATE),
    updates=True,
    raises=(SeparationOfDuty, Conflict, IllegalTransition, Invalid),
)
def validate_order(call: Call, order: Key, body: Decision) -> Answer[OrderDetail]:
    """Approve, reject or escalate (SP 800-88 Rev. 2, 4.5.2). Only a validated record opens the gate."""
    command = validation.Validate(
        order=order, decision=ValidationDecision(body.decision), reason=body.reason, version=call.version
    )
    view = validation.validate(call.context, call.actor, command)
    return Answer(view, version=view.version)


@noun.post(
    "/orders/{order}/certificate",
    "Issue the certificate",
    people(Permission.CERTIFICATE_ISSUE),
    creates=True,
    raises=(Conflict,),
)
def issue_certificate(call: Call, order: Key, body: CertificateIssue) -> Answer[CertificateView]:
    """Only for a validated record; asking again returns the same one."""
    view = certificates.issue(call.context, call.actor, order, destination=body.destination)
    return Answer(view, location=f"{PREFIX}/certificates/{view.number}")


@noun.get(
    "/orders/{order}/failure-report.pdf",
    "Why there is no certificate",
    people(Permission.READ_EVIDENCE),
    media_type="application/pdf",
    raises=(Conflict,),
)
def get_failure_report(call: Call, order: Key, query: PdfQuery) -> File:
    """What happened to a run that earns none."""
    content = certificates.failure_report(call.context, call.actor, order, query.language)
    return File(content, "application/pdf", f"{order}-failure-report.pdf")


@noun.get(
    "/orders/{order}/failure-report.json",
    "Why there is no certificate, with the evidence",
    people(Permission.READ_EVIDENCE),
    raises=(Conflict,),
)
def get_failure_bundle(call: Call, order: Key) -> File:
    """What a verifier needs to check the report, in one canonical file."""
    content = certificates.failure_bundle(call.context, call.actor, order)
    return File(content, "application/json", f"{order}-failure-report.json")
