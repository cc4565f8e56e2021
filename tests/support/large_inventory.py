"""An inventory of any size, written into the tables at once; for measuring what a pack costs, not for evidence."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from inventory.domain.vocabulary import DeviceState, RecordStanding
from inventory.models import Device, Event, Host, Record, StoredEnvelope
from tests.support.inventory_world import World


def enlarge(world: World, devices: int, *, step: int = 5000) -> None:
    """So many more devices of one place, each with three events and a record."""
    with world.context.database.reading() as session:
        host = session.scalars(sa.select(Host.id).limit(1)).one()
    for start in range(0, devices, step):
        with world.context.database.writing() as session:
            numbers = range(start, min(start + step, devices))
            session.execute(sa.insert(Device), [_device(world, number) for number in numbers])
            session.execute(sa.insert(Event), [_event(world, number, part) for number in numbers for part in range(3)])
            digests = [_digest(number, part) for number in numbers for part in "ra"]
            kept = {"kind": "sanitization-record", "content": b"{}", "stored": world.clock.now()}
            session.execute(sa.insert(StoredEnvelope), [{"sha256": digest, **kept} for digest in digests])
            session.execute(sa.insert(Record), [_record(world, host, number) for number in numbers])


def _id(number: int) -> str:
    return f"D-{number + 100_000:06d}"


def _digest(number: int, part: str) -> str:
    return hashlib.sha256(f"{number}{part}".encode()).hexdigest()


def _device(world: World, number: int) -> dict[str, Any]:
    return {
        "id": _id(number), "state": DeviceState.RETIRED, "source": "", "destination": "", "ever_attached": True,
        "created": world.clock.now(), "vendor": "Example", "model": "EX-1T", "serial": f"S{number:09d}", "version": 1,
        "capacity_bytes": 1_000_204_886_016, "media": "magnetic",
    }  # fmt: skip


def _event(world: World, number: int, part: int) -> dict[str, Any]:
    return {
        "at": world.clock.now() - timedelta(hours=part), "tag": "device.retired", "actor": f"p-{number % 20}",
        "actor_kind": "person", "subject_kind": "device", "subject": _id(number), "device_id": _id(number),
        "host_id": None, "order_id": None, "reason": '=HYPERLINK("http://elsewhere")', "details": {"part": part},
        "evidence": [],
    }  # fmt: skip


def _record(world: World, host: str, number: int) -> dict[str, Any]:
    return {
        "sha256": _digest(number, "r"), "record_id": f"r-{number}", "order_id": None, "device_id": _id(number),
        "host_id": host, "lease_id": "LS-000000", "token": 1, "sequence": number, "standing": RecordStanding.EVIDENCE_ONLY,
        "outcome": "sanitized", "method": "clear", "coverage": "full", "reasons": [], "touched": "yes", "checks": {},
        "received": world.clock.now(), "acceptance_sha256": _digest(number, "a"), "log_index": number,
    }  # fmt: skip
