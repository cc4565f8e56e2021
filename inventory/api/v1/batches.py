"""Orders for many devices at once: looked at, then ordered exactly as they were seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from inventory.api.dispatch import Call
from inventory.api.endpoint import Noun, people
from inventory.contract.v1.common import Message, Sha256
from inventory.contract.v1.orders import PlanRequest
from inventory.contract.v1.requests import OrderPurpose
from inventory.contract.v1.vocabulary import Key, Prose
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, NotFound, StaleVersion
from inventory.services import batches, orders
from inventory.services.views.batches import BatchView

noun = Noun(
    "order batches", "The same plan for a lot or a list of devices: each its own sealed order, all together or none."
)


class BatchAsk(Message):
    """The same plan for many devices."""

    lot: Key | None = None
    devices: Annotated[tuple[Key, ...], Field(max_length=batches.MOST)] = ()
    """Numbers or asset tags. Exactly one of the two is given."""
    plan: PlanRequest
    purpose: OrderPurpose = OrderPurpose()
    reason: Prose
    lifetime_seconds: Annotated[int, Field(ge=300, le=30 * 86_400)] = 86_400


class BatchOrder(BatchAsk):
    """The same, as it was seen."""

    seen: Sha256
    """`sha256` of the preview."""


_MAY = people(Permission.ORDER_REQUEST)


@noun.post("/order-batches/preview", "What would be ordered", _MAY, raises=(Invalid, NotFound))
def preview_batch(call: Call, body: BatchAsk) -> BatchView:
    """Device by device: what the policy demands, or everything that stands in the way. Nothing is kept."""
    return batches.preview(call.context, call.actor, _command(body))


@noun.post(
    "/order-batches",
    "Order for many devices",
    _MAY,
    creates=True,
    raises=(StaleVersion, Conflict, Invalid, NotFound),
)
def order_batch(call: Call, body: BatchOrder) -> BatchView:
    """Every device that was shown as possible gets its own sealed order; refused, where the preview would say otherwise now."""
    return batches.order_batch(call.context, call.actor, _command(body), body.seen)


def _command(body: BatchAsk) -> batches.BatchOrders:
    return batches.BatchOrders(
        lot=body.lot,
        devices=body.devices,
        plan=body.plan,
        purpose=orders.Purpose(**body.purpose.model_dump()),
        reason=body.reason,
        lifetime=timedelta(seconds=body.lifetime_seconds),
    )
