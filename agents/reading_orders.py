"""Whether a verify-only order counts. Pure: a `ReadingOrder` comes out, or a refusal.

Nothing is written under it, so that nobody need approve it: the service's own signature suffices, checked against the pinned
trust root. Everything else an order is held against holds here, too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from reports.envelope import PublicKey, open_envelope
from reports.errors import ReportError
from reports.reading import ReadingOrder
from reports.times import parse_instant

from .clock import ClockReading, rfc3339
from .refusals import ClockUntrusted, OrderExpired, OrderForAnotherAgent, OrderMalformed, OrderUnsigned


def check(
    envelope: Mapping[str, Any], agent_key: str, service_keys: Mapping[str, PublicKey], clock: ClockReading
) -> ReadingOrder:
    """Decide whether the order counts.

    Args:
        envelope: as leased.
        agent_key: this agent's key id.
        service_keys: keys of the pinned trust root that may sign orders.
        clock: both clocks.

    Raises:
        OrderRefused: the subclass is the reason.
    """
    try:
        body, _ = open_envelope(envelope, service_keys, "reading-order", exact=True)
        order = ReadingOrder.from_dict(body, "reading-order")
        created = parse_instant(order.created, "reading-order.created")
        expires = parse_instant(order.expires, "reading-order.expires")
    except ReportError as error:
        if error.code in {"unknown-key", "bad-signature"}:
            raise OrderUnsigned(error.summarize()) from error
        raise OrderMalformed(error.summarize()) from error
    if order.agent_key != agent_key:
        raise OrderForAnotherAgent(order.agent_key, agent_key)
    if clock.problem is not None:
        raise ClockUntrusted(clock.problem)
    if created > clock.now + dt.timedelta(seconds=clock.tolerance_seconds):
        raise ClockUntrusted(f"The order was made {order.created}, here it is {rfc3339(clock.now)}.")
    if clock.now >= expires:
        raise OrderExpired(f"It ended {order.expires}; here it is {rfc3339(clock.now)}.")
    return order
