"""What follows from a decision, in the words of the page on which it is made. Nothing here decides."""

from __future__ import annotations

from dataclasses import dataclass

from inventory.services.views import DeviceDetail, OrderDetail, RecordView, WaiverView


@dataclass(frozen=True)
class Follows:
    """What will be true afterwards, and what can never be taken back."""

    sentences: tuple[str, ...]
    final: str = ""


def after_approval(order: OrderDetail) -> Follows:
    """After one more signature under an order."""
    left = order.approvals_required - order.approvals_given - 1
    if left > 0:
        first = f"{left} more must sign after you; before that nothing is written."
    else:
        first = f"Yours is the last signature: the agent on {order.host_name} may begin with its next question."
    return Follows(
        (
            first,
            "The agent checks every signature, the fingerprint, every hold and its own rules again before the first write.",
            "Until the first write anybody who may can cancel it, and a hold stops it.",
        ),
        "From the first write on there is no way back: a stop leaves the medium partly overwritten.",
    )


def after_validation(record: RecordView) -> Follows:
    """After a decision about a record."""
    approve = (
        "Approve: the device counts as sanitized, what it held as covered, and the gate may let it pass."
        if record.satisfies_policy
        else "Approve is refused: the result does not reach what the policy demanded."
    )
    return Follows(
        (
            approve,
            "Reject or escalate: the device counts as failed, and stays under the gate until it is done again.",
            "Your decision is signed and enters the log under your pseudonym.",
        ),
        "A decision is not taken back: a later one stands beside it, and both are read.",
    )


def before_waiver(device: DeviceDetail) -> Follows:
    """After the first signature under a waiver."""
    return Follows(
        (
            "It carries data or residue that no validated record covers; all of it leaves with the device."
            if device.holdings_open
            else "Nothing is known to be on it; what nobody declared leaves with it.",
            "A second person in another role must countersign before it can be used.",
            "It is printed on every certificate and report about this device from then on.",
        ),
        "Once the device has left, nobody can wipe it any more.",
    )


def after_waiver(waiver: WaiverView) -> Follows:
    """After the second signature, or the use."""
    if waiver.countersigned_by:
        return Follows(
            ("The device leaves our register as returned under a waiver.", "It stands on every report from now on."),
            "The data on it leaves with it, and nobody can wipe it any more.",
        )
    return Follows(
        (
            "After your signature somebody who may release devices can let it go, unsanitized.",
            "Your name and role stand beside the first signature for good.",
        ),
        "Once the device has left, nobody can wipe it any more.",
    )
