"""The invented hosts, with keys that are logged as any agent's; and what their last heartbeat said."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from inventory.bulk import insert_rows
from inventory.domain.invented import Shape
from inventory.domain.vocabulary import HostState
from inventory.events import Tag
from inventory.models import Base, Event, Host, HostContact
from inventory.services._in_number import Statements
from inventory.services.context import Context
from inventory.services.kernel import stamp
from reports.enrolled import key_event
from reports.keys import FileSigner

from ._numbers import skip_numbers
from ._people import Company

_BATCH = 5000


def write_hosts(
    context: Context, company: Company, size: Shape, now: datetime, heard: datetime
) -> dict[str, FileSigner]:
    """All hosts, confirmed `now` and last heard `heard`; their keys, which nobody else has."""
    signers: dict[str, FileSigner] = {}
    for first in range(0, size.hosts, _BATCH):
        with context.writing() as session:
            numbers = range(first, min(first + _BATCH, size.hosts))
            made = [(number, FileSigner.generate()) for number in numbers]
            _insert(session, context, company, size, made, (now, heard))
            signers |= {_number(number): signer for number, signer in made}
    return signers


def _number(number: int) -> str:
    return f"H-{number + 1:04d}"


def _insert(
    session: Session,
    context: Context,
    company: Company,
    size: Shape,
    made: list[tuple[int, FileSigner]],
    times: tuple[datetime, datetime],
) -> None:
    now, heard = times
    admin = company.administrator.ref
    log = Statements(session, context)
    hosts: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for number, signer in made:
        host, name = _number(number), f"srv-{number + 1:05d}"
        body = key_event("enrol", "agent", host, signer.public_key_der, stamp(now), valid_below=None)
        digest, index = log.add("key-event", body.to_dict(), "enrolment", f"agent {host}")
        company.host_ids.append(host)
        company.host_names.append(name)
        hosts.append(
            {
                "id": host, "name": name, "state": HostState.CONFIRMED, "key_id": signer.key_id,
                "spki": signer.public_key_der, "machine_id_sha256": hashlib.sha256(name.encode()).hexdigest(),
                "agent_version": "0.1.0", "kernel": "6.1.0-40-amd64", "enrolled": now, "confirmed": now,
                "confirmed_by": admin, "enrolled_index": index, "version": 1,
                "site_id": company.sites[number % size.sites], "team_id": company.teams[number % size.teams],
            }
        )  # fmt: skip
        event = {
            "at": now, "subject_kind": "host", "subject": host, "device_id": None, "host_id": host, "order_id": None,
            "reason": "",
        }  # fmt: skip
        told = {"name": name, "key": signer.key_id}
        events += [
            {**event, "tag": str(Tag.HOST_ENROLLED), "actor": host, "actor_kind": "agent", "details": told, "evidence": []},
            {**event, "tag": str(Tag.HOST_CONFIRMED), "actor": admin, "actor_kind": "person", "details": {},
             "evidence": [digest]},
        ]  # fmt: skip
    insert_rows(session, table_of(Host), hosts)
    insert_rows(session, table_of(HostContact), [_contact(one["id"], heard) for one in hosts])
    insert_rows(session, table_of(Event), events)
    skip_numbers(session, "host", made[-1][0] + 1)
    log.finish()


def _contact(host: str, heard: datetime) -> dict[str, Any]:
    return {
        "host_id": host, "last_contact": heard, "running": [], "standing_by": [], "outbox": 0,
    }  # fmt: skip


def table_of(model: type[Base]) -> Any:  # noqa: ANN401 - a mapped class's table is typed as something wider
    """A model's table."""
    return model.__table__
