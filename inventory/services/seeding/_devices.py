"""The invented devices with their history, a batch at a time, each batch in one transaction and in order of time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from inventory.bulk import insert_rows
from inventory.domain.invented import MODELS, Life, Shape, Step, life
from inventory.domain.vocabulary import DeviceState, HoldingKind, HoldingSource
from inventory.events import Tag
from inventory.models import Attachment, Device, Event, Holding
from inventory.services._in_number import Statements
from inventory.services._transitions import DEVICE_TAGS
from inventory.services.context import Context
from inventory.services.kernel import CUSTODY_TAGS, stamp
from reports.statements import CustodyEvent

from ._hosts import table_of
from ._numbers import skip_numbers
from ._people import Company

_SAID: Final = {
    "declared": Tag.DEVICE_DECLARED,
    "observed": Tag.DEVICE_OBSERVED,
    "attached": Tag.DEVICE_ATTACHED,
    "detached": Tag.DEVICE_DETACHED,
    "changed": Tag.DEVICE_CHANGED,
}
_REASONS: Final = ("", "Planned work", "Rack cleared", "End of lease", "Replaced", "Capacity moved")


def write_devices(
    context: Context,
    company: Company,
    size: Shape,
    numbers: Sequence[int],
    *,
    begin: datetime,
    until: datetime,
    command: tuple[int, int],
    signed: int,
) -> None:
    """Invent these devices and write them down.

    Args:
        context: of the service, at the time of the founding.
        company: whose they are.
        size: of the organisation.
        numbers: which devices.
        begin: nothing happens before.
        until: nothing happens after.
        command: seed, and entries of history a device.
        signed: devices up to this number have their custody signed and logged.
    """
    seed, steps = command
    lives = [life(seed, number, size, begin, until, steps) for number in numbers]
    with context.writing() as session:
        insert_rows(session, table_of(Device), [_device(one, company, size) for one in lives])
        insert_rows(session, table_of(Attachment), [row for one in lives for row in _attachments(one, company, until)])
        _holdings(session, lives, company)
        _history(session, context, lives, company, signed)
        skip_numbers(session, "device", numbers[-1])


def _id(number: int) -> str:
    return f"D-{number:06d}"


def _serial(number: int) -> str:
    return f"INV{number:08d}"


def _fingerprint(one: Life) -> str:
    """By the rule of the sanitizer's identity, so that the medium would be recognised."""
    vendor, model, capacity, _, kind = MODELS[one.model]
    told = {
        "sanitrail": "device-identity/1", "kind": kind, "vendor": vendor, "model": model, "serial": _serial(one.number),
        "wwn": None, "eui64": None, "nguid": None, "capacity_bytes": capacity, "logical_block_bytes": 512,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _device(one: Life, company: Company, size: Shape) -> dict[str, Any]:
    vendor, model, capacity, media, kind = MODELS[one.model]
    serial, first = _serial(one.number), one.steps[0].at
    team = company.teams[one.stays[-1].host % size.teams] if one.observed else None
    declared: dict[str, Any] = {
        "declared_at": first, "declared_by": company.people["custodian"].ref, "declared_vendor": vendor,
        "declared_model": model, "declared_serial": serial, "declared_capacity": capacity, "declared_media": media,
    }  # fmt: skip
    seen: dict[str, Any] = {
        "fingerprint": _fingerprint(one), "observed_at": one.steps[-1].at, "kind": kind, "vendor": vendor,
        "model": model, "serial": serial, "firmware": f"1.{one.number % 9}", "capacity_bytes": capacity,
        "logical_block_bytes": 512, "media": media, "transport": "pcie" if kind == "nvme" else "sata",
        "hidden_capacity": "no", "removable": False,
    }  # fmt: skip
    gone = one.state is DeviceState.RELEASED
    return {
        "id": _id(one.number), "version": 1, "state": one.state, "source": "Bought" if one.declared else "",
        "asset_tag": f"A{one.number:07d}" if one.declared else None,
        "location_id": None if gone else company.places[one.site][one.zone],
        "party_id": company.vendors[one.number % size.vendors] if gone else None,
        "destination": "Back to who sold it, never used" if gone else "",
        "ever_attached": one.observed, "created": first, "site_id": company.sites[one.site], "team_id": team,
        **{name: value if one.declared else None for name, value in declared.items()},
        **{name: value if one.observed else None for name, value in seen.items()},
        "observed_by": company.host_ids[one.stays[-1].host] if one.observed else None,
    }  # fmt: skip


def _attachments(one: Life, company: Company, until: datetime) -> list[dict[str, Any]]:
    return [
        {
            "device_id": _id(one.number), "host_id": company.host_ids[stay.host], "path": f"/dev/sd{chr(97 + stay.slot)}",
            "slot": f"bay {stay.slot + 1}", "since": stay.since, "until": stay.until, "last_seen": stay.until or until,
            "obstacles": [],
        }
        for stay in one.stays
    ]  # fmt: skip


def _holdings(session: Session, lives: Sequence[Life], company: Company) -> None:
    first = lives[0].number * 2 - 1  # at most two a device, so that numbers never meet those of another batch
    rows = [
        {
            "id": f"HO-{first + 2 * place + which:06d}", "device_id": _id(one.number),
            "data_set_id": company.data_sets[data_set][0], "kind": HoldingKind.PRIMARY, "source": HoldingSource.DECLARED,
            "host_id": company.host_ids[one.stays[0].host], "since": since, "until": until,
            "last_seen": until or one.steps[-1].at,
        }
        for place, one in enumerate(lives)
        for which, (data_set, since, until) in enumerate(one.held)
    ]  # fmt: skip
    insert_rows(session, table_of(Holding), rows)
    skip_numbers(session, "holding", first + 2 * len(lives))


def _history(session: Session, context: Context, lives: Sequence[Life], company: Company, signed: int) -> None:
    """Everything that happened to these devices, oldest first; custody signed as `kernel.note` would have."""
    log = Statements(session, context)
    last: dict[int, str] = {}
    told = sorted(
        ((step.at, one.number, place, one, step) for one in lives for place, step in enumerate(one.steps)),
        key=lambda each: each[:3],
    )
    rows = []
    for _, _, place, one, step in told:
        row = _event(one, step, company, place)
        if one.number <= signed and row["tag"] in CUSTODY_TAGS:
            body = _custody(one, row, step, company, last.get(one.number))
            digest, _ = log.add("custody", body.to_dict(), "acceptance", _id(one.number))
            last[one.number] = digest
            row["details"]["custody"] = digest
            row["evidence"] = [digest]
        rows.append(row)
    insert_rows(session, table_of(Event), rows)
    log.finish()


def _event(one: Life, step: Step, company: Company, place: int) -> dict[str, Any]:
    tag = _SAID[step.what] if step.event is None else DEVICE_TAGS[step.event]
    host = None if step.host is None else company.host_ids[step.host]
    by_agent = host is not None
    details: dict[str, Any] = {}
    if step.event is not None:
        details = {"event": str(step.event), "from": str(step.before), "to": str(step.after)}
    elif step.what == "changed":
        details = {"firmware": {"before": f"1.{place % 9}", "after": f"1.{(place + 1) % 9}"}}
    return {
        "at": step.at, "tag": str(tag), "actor": host or company.people["custodian"].ref,
        "actor_kind": "agent" if by_agent else "person", "subject_kind": "device", "subject": _id(one.number),
        "device_id": _id(one.number), "host_id": host, "order_id": None,
        "reason": "" if by_agent else _REASONS[(one.number + place) % len(_REASONS)], "details": details, "evidence": [],
    }  # fmt: skip


def _custody(one: Life, row: dict[str, Any], step: Step, company: Company, previous: str | None) -> CustodyEvent:
    return CustodyEvent(
        device=_id(one.number),
        asset_tag=f"A{one.number:07d}" if one.declared else "",
        fingerprint=_fingerprint(one) if one.observed and step.what != "declared" else "",
        event=row["tag"],
        state=str(step.after),
        location="" if step.zone is None else company.places[one.site][step.zone],
        actor=row["actor"],
        reason=row["reason"],
        order="",
        previous=previous,
        time=stamp(step.at),
    )
