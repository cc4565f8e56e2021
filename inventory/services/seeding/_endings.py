"""How things end besides a wipe: lots closed and sampled, one that waits, media destroyed, one that went back as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from inventory.domain.lots import LotPurpose
from inventory.domain.samples import Finding
from inventory.domain.vocabulary import ValidationDecision
from inventory.services import destruction, devices, lot_register, samples, waivers
from inventory.services.context import Context

from ._people import Clock, Company

EVERY: Final = 10
"""Of so many stories, one lot is closed, one medium is destroyed, one waits for its decision, one goes back under a waiver."""
_WHY: Final = "As the plan of the quarter says"


def spare_serials(stories: int) -> list[str]:
    """The disks that come to the station only to be destroyed or sent back."""
    return [f"{word}{number:06d}" for number in range(1, stories // EVERY + 1) for word in ("ENDED", "WAITS", "LEASE")]


def end(context: Context, company: Company, clock: Clock, numbers: dict[str, str], wiped: Sequence[str]) -> None:
    """Tell them.

    Args:
        context: of the past, as far as it has come.
        company: whose they are.
        clock: moved on a little with each.
        numbers: serial number -> device, the spare ones included.
        wiped: devices that are sanitized and validated, in order.
    """
    rounds = len([one for one in numbers if one.startswith("ENDED")])
    for number in range(1, rounds + 1):
        _closed_lot(context, company, wiped[(number - 1) * 3 : number * 3], number)
        _destroy(context, company, clock, numbers[f"ENDED{number:06d}"], decided=True)
        _destroy(context, company, clock, numbers[f"WAITS{number:06d}"], decided=False)
        _send_back(context, company, numbers[f"LEASE{number:06d}"])
        clock.forward(timedelta(minutes=1))
    left = wiped[rounds * 3 :]
    if rounds and left:
        command = lot_register.OpenLot(name="For the recycler", purpose=LotPurpose.RECYCLING, devices=tuple(left))
        lot_register.open_lot(context, company.people["custodian"], command)


def _closed_lot(context: Context, company: Company, members: Sequence[str], number: int) -> None:
    """Reconciled, closed, drawn from; its drawn media are examined with another tool by somebody without a part in them."""
    if not members:
        return
    custodian = company.people["custodian"]
    command = lot_register.OpenLot(
        name=f"Quarter end {number}", purpose=LotPurpose.SANITIZATION, devices=tuple(members), note=_WHY
    )
    lot = lot_register.open_lot(context, custodian, command).id
    lot_register.begin_closing(context, custodian, lot_register.MoveLot(lot=lot, reason=_WHY))
    lot_register.close(context, custodian, lot_register.MoveLot(lot=lot, reason=_WHY))
    validator = company.people["validator"]
    drawn = samples.draw_sample(context, validator, samples.DrawSample(lot=lot, percent=40))
    for place, one in enumerate(drawn.drawn_devices):
        assign = samples.AssignExaminer(sample=drawn.id, device=one.device, person=custodian.ref)
        samples.assign(context, validator, assign)
        if place == 0:
            found = samples.ReportFinding(
                sample=drawn.id, device=one.device, finding=Finding.PASSED, tool="A hex viewer on another host",
                evidence=(hashlib.sha256(f"screen {one.device}".encode()).hexdigest(),),
            )  # fmt: skip
            samples.report_finding(context, custodian, found)


def _retire(context: Context, company: Company, device: str) -> None:
    devices.quarantine(context, company.people["custodian"], devices.ChangeState(device=device, reason=_WHY))


def _destroy(context: Context, company: Company, clock: Clock, device: str, *, decided: bool) -> None:
    _retire(context, company, device)
    done = destruction.RecordDestruction(
        device=device, method="shred", machine="Shredder 2, checked in spring", facility="Hall 3",
        performed=clock.now() - timedelta(minutes=5), particle_size_mm=6, kept_elsewhere="Paper archive of the works",
        evidence=(hashlib.sha256(f"photograph {device}".encode()).hexdigest(),),
    )  # fmt: skip
    number = destruction.record_destruction(context, company.people["operator"], done).id
    destruction.witness_destruction(context, company.people["custodian"], number, "I stood beside the machine")
    if decided:
        decide = destruction.DecideDestruction(
            destruction=number,
            decision=ValidationDecision.APPROVE,
            reason="Seen on the photographs, weighed, nothing left",
        )
        destruction.decide_destruction(context, company.people["validator"], decide)


def _send_back(context: Context, company: Company, device: str) -> None:
    """The lessor demands it as it is: two people of different roles sign for that, and every paper says so afterwards."""
    _retire(context, company, device)
    custodian = company.people["custodian"]
    opened = waivers.OpenWaiver(
        device=device, destination="Kestrel Leasing", reason="The contract forbids opening or writing to it",
        role="custodian", expires=context.now() + timedelta(days=3),
    )  # fmt: skip
    number = waivers.open_waiver(context, custodian, opened).id
    waivers.countersign_waiver(context, company.people["privacy"], number, "privacy_officer")
    waivers.return_by_waiver(context, custodian, number)
