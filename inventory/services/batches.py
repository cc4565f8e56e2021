"""Orders for a lot or a list of devices: looked at first, then ordered as seen, each its own sealed order, or none at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from inventory.contract.v1.orders import PlanRequest
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import PartyKind
from inventory.errors import Conflict, IllegalTransition, Invalid, InventoryError, StaleVersion
from inventory.models import Device, Lot, Party
from reports.canonical import digest_of

from ._lots import members
from ._mapping import device_label
from .context import Actor, Context, authorize
from .kernel import find
from .lots import find_devices
from .orders import CreateOrder, Examined, Purpose, examine, place, worded
from .views import ReasonView
from .views.batches import BatchLine, BatchView

MOST: Final = 500
"""Devices of one batch; they are sealed in one transaction."""


@dataclass(frozen=True, kw_only=True)
class BatchOrders:
    """The same plan for many devices."""

    plan: PlanRequest
    purpose: Purpose
    reason: str
    lot: str | None = None
    devices: tuple[str, ...] = ()
    """Numbers or asset tags. Exactly one of the two is given."""
    lifetime: timedelta = timedelta(hours=24)


def preview(context: Context, actor: Actor, command: BatchOrders) -> BatchView:
    """What would be ordered, device by device; nothing is kept. Permission `order.request`.

    Raises:
        Invalid: neither lot nor list, both, or too many.
        NotFound: lot, or a device of the list.
    """
    authorize(actor, Permission.ORDER_REQUEST)
    worded(_one(command, "-"))
    with context.reading(actor) as session:
        command = _with_destination(session, command)
        return _view(command, [line for line, _ in _lines(session, actor, command)])


def order_batch(context: Context, actor: Actor, command: BatchOrders, seen: str) -> BatchView:
    """Seal an order for every device that was shown as possible; all of them together, or none. Permission `order.request`.

    Args:
        context: the open inventory.
        actor: who requests.
        command: as it was looked at.
        seen: `sha256` of the preview.

    Raises:
        StaleVersion: what would be ordered is not what was seen; nothing was ordered.
        Conflict: there is nothing to order.
        Invalid, NotFound: as `preview`.
    """
    authorize(actor, Permission.ORDER_REQUEST)
    worded(_one(command, "-"))
    with context.writing(actor) as session:
        command = _with_destination(session, command)
        found = list(_lines(session, actor, command))
        view = _view(command, [line for line, _ in found])
        if view.sha256 != seen:
            raise StaleVersion("The batch", None)
        if view.possible == 0:
            raise Conflict("No order is possible for any of these devices; the preview says why.")
        lines = []
        for line, examined in found:
            if examined is None:
                lines.append(line)
                continue
            order = place(session, context, actor, _one(command, line.device), examined)
            lines.append(dataclasses.replace(line, order=order.id))
        return dataclasses.replace(view, lines=tuple(lines))


def _with_destination(session: Session, command: BatchOrders) -> BatchOrders:
    """Where the lot goes is where its devices go; nobody orders for staying what is bound for a vendor.

    Raises:
        Invalid: the purpose says that they stay, and the lot that they leave.
        NotFound: the lot.
    """
    if command.lot is None or command.devices:
        return command
    lot = find(session, Lot, command.lot, "lot")
    party = session.get(Party, lot.party_id) if lot.party_id else None
    if party is not None and party.kind is PartyKind.VENDOR and not command.purpose.leaves_control:
        raise Invalid(
            "purpose", f"Lot {lot.id} goes to {party.name}, outside of our control; order for media that leave."
        )
    words = command.purpose.description or ", ".join(
        dict.fromkeys(word for word in (party.name if party else "", lot.destination) if word)
    )
    return dataclasses.replace(command, purpose=dataclasses.replace(command.purpose, description=words[:200]))


def _one(command: BatchOrders, device: str) -> CreateOrder:
    return CreateOrder(
        device=device, plan=command.plan, purpose=command.purpose, reason=command.reason, lifetime=command.lifetime
    )


def _named(session: Session, command: BatchOrders) -> list[Device]:
    if (command.lot is None) == (not command.devices):
        raise Invalid("devices", "Name a lot, or a list of devices: exactly one of the two.")
    if command.lot is not None:
        devices = members(session, find(session, Lot, command.lot, "lot").id)
    else:
        devices = find_devices(session, command.devices)
    if not 1 <= len(devices) <= MOST:
        raise Invalid("devices", f"A batch has 1 to {MOST} devices; these are {len(devices)}.")
    return devices


def _lines(session: Session, actor: Actor, command: BatchOrders) -> Iterator[tuple[BatchLine, Examined | None]]:
    for device in _named(session, command):
        try:
            examined = examine(session, actor, _one(command, device.id))
        except (Conflict, IllegalTransition) as refused:  # of this device; anything else is wrong with all of them
            yield _refused(device, refused), None
        else:
            yield _possible(device, examined), examined


def _possible(device: Device, examined: Examined) -> BatchLine:
    return BatchLine(
        device=device.id,
        asset_tag=device.asset_tag,
        label=device_label(device),
        possible=True,
        host=examined.host.id,
        host_name=examined.host.name,
        required_method=examined.decision.method,
        required_verification=examined.decision.verification,
        approvals=examined.approvals,
        explanation=examined.decision.explanation,
        reasons=(),
        order=None,
    )


def _refused(device: Device, refused: InventoryError) -> BatchLine:
    reasons = tuple(ReasonView(code=one.code, sentence=one.sentence) for one in refused.reasons)
    return BatchLine(
        device=device.id,
        asset_tag=device.asset_tag,
        label=device_label(device),
        possible=False,
        host=None,
        host_name="",
        required_method=None,
        required_verification=None,
        approvals=0,
        explanation="",
        reasons=reasons or (ReasonView(code=refused.code, sentence=refused.summarize()),),
        order=None,
    )


def _view(command: BatchOrders, lines: list[BatchLine]) -> BatchView:
    shown = {
        "plan": command.plan.model_dump(mode="json"),
        "purpose": dataclasses.asdict(command.purpose),
        "reason": " ".join(command.reason.split()),
        "lifetime": int(command.lifetime.total_seconds()),
        "lot": command.lot,
        "devices": [
            [
                line.device,
                line.possible,
                line.host,
                line.approvals,
                line.explanation,
                [one.code for one in line.reasons],
            ]
            for line in lines
        ],
    }
    return BatchView(
        lot=command.lot,
        destination=command.purpose.description,
        lines=tuple(lines),
        possible=sum(line.possible for line in lines),
        sha256=digest_of(shown),
    )
