"""Nobody approves a verify-only order: so each thing it is held against here stands alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from agents import reading_orders, refusals
from agents.clock import ClockReading
from reports.envelope import Envelope, sign, unverified_body
from reports.keys import FileSigner

SERVICE = FileSigner.generate()
AGENT = "a" * 64
CREATED = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
EXPIRES = CREATED + dt.timedelta(hours=8)
TOLERANCE = dt.timedelta(seconds=120)
MOMENT = dt.timedelta(microseconds=1)
BODY = {
    "schema": "sanitrail/reading-order/1",
    "id": "V-000001",
    "kind": "verify-only",
    "agent_key": AGENT,
    "device": "d" * 64,
    "device_label": "SAN-000001",
    "record_sha256": "e" * 64,
    "expected": "zeros",
    "verification": "full",
    "requested_by": "p-operator",
    "reason": "A second look",
    "created": "2026-11-22T09:00:00Z",
    "expires": "2026-11-22T17:00:00Z",
    "nonce": "0" * 32,
    "after": {"origin": "log.example.org/sanitrail", "size": 1, "root": "A" * 43 + "="},
}


def order(**changed: object) -> Envelope:
    return sign("reading-order", {**BODY, **changed}, SERVICE)


def check(envelope: Envelope, now: dt.datetime = CREATED, skew: float | None = 0.0) -> Any:  # noqa: ANN401 - told apart by tests
    keys = {SERVICE.key_id: SERVICE.verifying_key}
    return reading_orders.check(envelope, AGENT, keys, ClockReading(now, skew, TOLERANCE.total_seconds()))


def test_it_counts_from_the_tolerance_before_it_was_made_until_it_ends() -> None:
    assert check(order()).id == "V-000001"
    check(order(), CREATED - TOLERANCE)
    check(order(), EXPIRES - MOMENT)


@pytest.mark.parametrize(("now", "reason"), [
    (CREATED - TOLERANCE - MOMENT, refusals.ClockUntrusted),
    (EXPIRES, refusals.OrderExpired),
])  # fmt: skip
def test_it_does_not_count_outside_its_time(now: dt.datetime, reason: type[Exception]) -> None:
    with pytest.raises(reason):
        check(order(), now)


def test_without_a_clock_that_can_be_held_against_the_services_nothing_is_read() -> None:
    with pytest.raises(refusals.ClockUntrusted):
        check(order(), skew=None)


def test_only_the_service_orders_and_only_from_this_agent() -> None:
    with pytest.raises(refusals.OrderUnsigned):
        check(sign("reading-order", BODY, FileSigner.generate()))
    altered = {**order(), "payload": order(device="f" * 64)["payload"]}
    with pytest.raises(refusals.OrderUnsigned):
        check(altered)
    with pytest.raises(refusals.OrderForAnotherAgent):
        check(order(agent_key="b" * 64))


def test_what_the_service_signed_and_is_no_such_order_is_malformed() -> None:
    with pytest.raises(refusals.OrderMalformed):
        check(order(kind="wipe"))
    with pytest.raises(refusals.OrderMalformed):
        check(sign("order", unverified_body(order(), "reading-order"), SERVICE))
