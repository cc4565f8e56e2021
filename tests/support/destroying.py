"""A company that destroys media and certifies lots: the services' own acts, one after another."""

from __future__ import annotations

from typing import Any

from inventory.clock import rfc3339
from inventory.domain.vocabulary import ValidationDecision
from inventory.services import certificates, destruction, destruction_papers, lots
from inventory.services.views import PaperView
from reports.envelope import sign
from tests.support.console_agent import Disk
from tests.support.inventory_world import DISK, OTHER_DISK, World

PHOTO = "ab" * 32


def certified(world: World, disk: Disk = DISK) -> str:
    """Sanitized and with a certificate; the device's number."""
    order = world.sanitized(disk)
    certificates.issue(world.context, world.actor("operator"), order.id)
    return world.device(disk).id


def destroyed(world: World, disk: Disk = OTHER_DISK, **changes: Any) -> str:  # noqa: ANN401 - fields of the command
    """Recorded, witnessed, signed by two people and approved; the destruction's number."""
    device = world.device(disk)
    if str(device.state) == "in_service":
        world.change("retire", disk)
    fields: dict[str, Any] = {
        "device": device.id, "method": "disintegrate", "machine": "Disintegrator X-2000, calibrated 2026-09-01",
        "facility": "Secure yard 1", "performed": world.clock.now(), "particle_size_mm": 2, "evidence": (PHOTO,),
        "serial_read": disk.serial.lower(), **changes,
    }  # fmt: skip
    command = destruction.RecordDestruction(**{"kept_elsewhere": "the works", **fields})
    number = destruction.record_destruction(world.context, world.actor("operator"), command).id
    world.clock.forward(minutes=1)
    destruction.witness_destruction(world.context, world.actor("all-hands"), number, "I stood beside the machine.")
    for login, role in (("all-hands", "witness"), ("approver1", "countersigner")):
        ready = destruction_papers.ready_to_sign(world.context, world.actor(login), number, role)  # type: ignore[arg-type]  # of two roles
        body = {**ready.body, "time": rfc3339(world.clock.now())}
        envelope = dict(sign("personal-signature", body, world.signers[login]))
        destruction_papers.sign(world.context, world.actor(login), number, role, envelope)  # type: ignore[arg-type]  # of two roles
    decision = destruction.DecideDestruction(
        destruction=number, decision=ValidationDecision.APPROVE, reason="as the photographs show"
    )
    destruction.decide_destruction(world.context, world.actor("validator"), decision)
    return number


def destruction_certificate(world: World, number: str) -> PaperView:
    """Of a destruction that was decided."""
    command = destruction_papers.CertifyDestruction(destruction=number, destination="recycling")
    return destruction_papers.certify(world.context, world.actor("operator"), command)


def lot_of(world: World, *devices: str) -> PaperView:
    """The document about a lot of these devices."""
    return lots.issue(world.context, world.actor("operator"), lots.IssueLot(name="Pallet 17", devices=devices))
