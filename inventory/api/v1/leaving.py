"""The two other ways out: physical destruction, and a waiver two people sign."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import Noun, people
from inventory.contract.v1.lifecycle import (
    Decision,
    DestructionRecord,
    WaiverCountersign,
    WaiverOpen,
    WitnessStatement,
)
from inventory.contract.v1.people import Reason
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import ValidationDecision
from inventory.errors import Conflict, Forbidden, Held, IllegalTransition, Invalid, SeparationOfDuty
from inventory.services import destruction, waivers
from inventory.services.views import DestructionView, DeviceDetail, WaiverView

destructions = Noun("destructions", "Physical destruction: recorded, witnessed by somebody else, validated by a third.")
noun = Noun("waivers", "Leave to return a medium unsanitized: two named people of different roles; printed ever after.")


@destructions.post(
    "/destructions",
    "Record a destruction",
    people(Permission.DESTRUCTION_RECORD),
    creates=True,
    raises=(Held, Conflict, IllegalTransition, Invalid),
)
def record_destruction(call: Call, body: DestructionRecord) -> DestructionView:
    """States what was done; nothing changes until it is witnessed and validated."""
    command = destruction.RecordDestruction(**body.model_dump())
    return destruction.record_destruction(call.context, call.actor, command)


@destructions.post(
    "/destructions/{destruction_id}/witness",
    "Witness a destruction",
    people(Permission.DESTRUCTION_WITNESS),
    raises=(SeparationOfDuty, Conflict),
)
def witness_destruction(call: Call, destruction_id: Key, body: WitnessStatement) -> DestructionView:
    """States that one saw it; never the operator."""
    return destruction.witness_destruction(call.context, call.actor, destruction_id, body.statement)


@destructions.post(
    "/destructions/{destruction_id}/withdrawal",
    "Withdraw a destruction",
    people(Permission.DESTRUCTION_RECORD),
    raises=(Conflict, Invalid),
)
def withdraw_destruction(call: Call, destruction_id: Key, body: Reason) -> DestructionView:
    """Recorded by mistake, or nobody saw it: before it is witnessed. The device stays what it is."""
    return destruction.withdraw_destruction(call.context, call.actor, destruction_id, body.reason)


@destructions.post(
    "/destructions/{destruction_id}/decision",
    "Validate a destruction",
    people(Permission.RECORD_VALIDATE),
    raises=(SeparationOfDuty, Conflict, Invalid),
)
def decide_destruction(call: Call, destruction_id: Key, body: Decision) -> DestructionView:
    """Approve: the device is destroyed and what it held is covered. Or reject."""
    command = destruction.DecideDestruction(
        destruction=destruction_id, decision=ValidationDecision(body.decision), reason=body.reason
    )
    return destruction.decide_destruction(call.context, call.actor, command)


@noun.post("/waivers", "Sign a waiver first", people(Permission.WAIVER), creates=True, raises=(Held, Invalid, Conflict))
def open_waiver(call: Call, body: WaiverOpen) -> WaiverView:
    """It needs a second person in another role, and ends within 30 days."""
    return waivers.open_waiver(call.context, call.actor, waivers.OpenWaiver(**body.model_dump()))


@noun.post(
    "/waivers/{waiver}/countersignature",
    "Countersign a waiver",
    people(Permission.WAIVER),
    raises=(SeparationOfDuty, Conflict, Forbidden, Invalid),
)
def countersign_waiver(call: Call, waiver: Key, body: WaiverCountersign) -> WaiverView:
    """Another person, in another role."""
    return waivers.countersign_waiver(call.context, call.actor, waiver, body.role)


@noun.post(
    "/waivers/{waiver}/use",
    "Return a device by waiver",
    people(Permission.DEVICE_RELEASE),
    raises=(Held, Conflict, IllegalTransition),
)
def use_waiver(call: Call, waiver: Key) -> DeviceDetail:
    """The device leaves unsanitized; that stands on every report afterwards."""
    return waivers.return_by_waiver(call.context, call.actor, waiver)
