"""The whole way of a purge: ordered, recorded with the drive's own command, validated, certified; and then the gate opens."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.contract.v1.orders import Lease, PlanRequest
from inventory.domain.vocabulary import OrderState
from inventory.services import certificates, orders, queries
from inventory.services.views import OrderDetail
from tests.support.inventory_world import World
from tests.support.purge_evidence import ata_status, purged

LEAVING = orders.Purpose(reuse=True, leaves_control=True)
PURGE = PlanRequest(method="purge", technique="ata-sanitize-overwrite", pattern_set="canaries", verification="full")


@pytest.fixture
def lease(residue: World) -> tuple[OrderDetail, Lease]:
    residue.change("retire")
    order = residue.approve(residue.order(plan=PURGE, purpose=LEAVING).id)
    taken = residue.agent.take()
    assert residue.ask(taken).clear
    return order, taken


def test_a_purge_by_the_drive_is_certified_and_opens_the_gate_for_leaving(
    residue: World, lease: tuple[OrderDetail, Lease]
) -> None:
    order, taken = lease
    residue.hand_over(taken, purged(residue.finished(taken)))
    seen = queries.order(residue.context, residue.actor("auditor"), order.id)
    assert seen.record is not None
    record = queries.record(residue.context, residue.actor("auditor"), seen.record)
    assert (record.outcome, record.method, record.satisfies_policy) == ("sanitized", "purge", True)
    residue.validate(order.id)
    assert certificates.issue(residue.context, residue.actor("validator"), order.id).number
    assert residue.device().gate_leave.open


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"reported": "failed"}, OrderState.FAILED),
        ({"accepted": "no"}, OrderState.FAILED),
        ({"after": ata_status(0x4000)}, OrderState.RECORDED),
        ({"after": ""}, OrderState.RECORDED),
    ],
)
def test_a_purge_the_evidence_does_not_carry_opens_nothing(
    residue: World, lease: tuple[OrderDetail, Lease], changes: dict[str, Any], state: OrderState
) -> None:
    order, taken = lease
    residue.hand_over(taken, purged(residue.finished(taken), **changes))
    assert queries.order(residue.context, residue.actor("auditor"), order.id).state is state
    assert not residue.device().gate_leave.open
    assert not residue.device().gate_reuse_inside.open
