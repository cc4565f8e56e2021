"""Certificates for lots: a named list of devices, frozen when issued, each with its own certificate or the reason why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.lots import LotState
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, NotFound
from inventory.models import Device, Lot, Person
from reports import lot as lots_of_media
from reports.media import MAX_MEDIA, count
from reports.statements import Destination

from . import _papers, papers
from ._lines import line_of
from ._lots import members
from ._scope import within
from ._sealing import organization, statement_person
from .context import Actor, Context, authorize
from .kernel import find, next_number, optional, required, stamp
from .views import PaperView

DESTINATIONS: Final = (
    "internal-reuse",
    "external-reuse",
    "recycling",
    "manufacturer",
    "destruction",
    "storage",
    "other",
    "undecided",
)
"""`reports.statements.Destination`; a test keeps them equal."""


@dataclass(frozen=True, kw_only=True)
class IssueLot:
    """Which devices, and what the document says beside what was done to each."""

    name: str = ""
    """Empty: the name of the lot that is given."""
    devices: tuple[str, ...] = field(default=())
    """Numbers or asset tags."""
    lot: str | None = None
    """Number of a closed lot, instead of devices."""
    reference: str = ""
    """The customer's order or contract."""
    requested_by: str = ""
    """Pseudonym of the person who asked for the work; empty: not stated."""
    destination: str = "undecided"
    destination_details: str = ""


def issue(context: Context, actor: Actor, command: IssueLot) -> PaperView:
    """Issue the certificate of a lot, or the report where a medium is not proven. Permission `certificate.issue`.

    Each device is looked at as it stands now; the list never changes afterwards.

    Raises:
        Invalid: no name, no device, a device named twice, or an unknown destination.
        NotFound: a device or person.
        Conflict: the files of a device's certificate have not been made yet, or the lot is not closed.
    """
    authorize(actor, Permission.CERTIFICATE_ISSUE)
    if command.destination not in DESTINATIONS:
        raise Invalid("destination", f"The destination is one of {', '.join(DESTINATIONS)}.")
    with context.writing(actor) as session:
        name, devices = _named(session, command)
        now = context.now()
        lines = [line_of(session, device) for device in devices]
        complete = lots_of_media.is_complete(count([one.line for one in lines]))
        number = next_number(session, "lot" if complete else "lot_report", now)
        requester = None
        if command.requested_by:
            requester = statement_person(session, context, find(session, Person, command.requested_by, "person").ref)
        facts = lots_of_media.LotFacts(
            number=number,
            issued=stamp(now),
            organization=organization(context),
            lot=name,
            reference=optional("reference", command.reference, most=200),
            requested_by=requester,
            responsible=statement_person(session, context, actor.ref),
            concurrence=None,
            destination=Destination(
                kind=command.destination,  # type: ignore[arg-type]  # compared above
                details=optional("destination_details", command.destination_details),
            ),
            evidence=_papers.evidence_place(lines),
        )
        annex = [one.line for one in lines]
        body = lots_of_media.compose(facts, annex, [one.exceptions for one in lines if one.exceptions is not None])
        row = _papers.keep(
            session, context, actor, number=number, kind="lot", title=name, complete=complete,
            responsible=actor.ref, lines=annex,
        )  # fmt: skip
        _papers.issue(session, context, actor, row, body.to_dict())
    papers.seal_if_possible(context, number)
    return papers.paper(context, actor, number)


def _named(session: Session, command: IssueLot) -> tuple[str, list[Device]]:
    """The document's name and devices: those of a closed lot, or as they were listed."""
    if command.lot is None:
        return required("name", command.name, most=120), find_devices(session, command.devices)
    if command.devices:
        raise Invalid("lot", "Name the lot or list the devices, not both.")
    lot = find(session, Lot, command.lot, "lot")
    if lot.state is not LotState.CLOSED:
        raise Conflict(f"Lot {lot.id} is not closed; what is in it may still change.")
    return required("name", command.name or lot.name, most=120), members(session, lot.id)


def find_devices(session: Session, named: Sequence[str]) -> list[Device]:
    """The devices behind numbers or asset tags, each once, where they are seen. Raises `Invalid`, `NotFound`."""
    wanted = [" ".join(one.split()) for one in named if one.strip()]
    if not 1 <= len(wanted) <= MAX_MEDIA:
        raise Invalid("devices", f"Name 1 to {MAX_MEDIA} devices.")
    seen = within(session, Device)
    found: dict[str, Device] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        rows = session.scalars(
            sa.select(Device).where(
                sa.or_(Device.id.in_(part), Device.asset_tag.in_(part)), Device.bound_to.is_(None), *seen
            )
        )
        for device in rows:
            for name in {device.id, device.asset_tag} & set(part):
                if name is not None and found.setdefault(name, device) is not device:
                    raise Invalid("devices", f"{name} is the number of one device and the asset tag of another.")
    missing = [name for name in wanted if name not in found]
    if missing:
        raise NotFound("device", missing[0])
    devices = [found[name] for name in wanted]
    if len({device.id for device in devices}) != len(devices):
        raise Invalid("devices", "A device stands there twice.")
    return devices
