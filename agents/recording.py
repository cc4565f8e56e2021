"""The single place where a run's result becomes a record. Pure: it copies facts and adds none.

The sanitizer's words and the record's are the same (a contract test keeps them so), so this is copying by name. What
the facts amount to is judged elsewhere (`reports.verdict`), by everybody alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from reports.errors import MalformedDocument
from reports.record import (
    SCHEMA,
    CapacityProof,
    CommandFacts,
    DeviceFacts,
    HandedPermit,
    HealthAnswer,
    HealthReading,
    HostFacts,
    KeyErasure,
    MethodFacts,
    OrderRef,
    Part,
    PassFacts,
    PolicyRef,
    RunFacts,
    SanitizationRecord,
    Segment,
    VerificationFacts,
)
from reports.self_test import SelfTest
from sanitizer import RunResult

from .orders import ApprovedOrder

_P = TypeVar("_P", bound=Part)


class NothingToRecord(ValueError):
    """The result names no medium: there is nothing a record could be about."""


@dataclass(frozen=True)
class Host:
    """This host as records name it."""

    name: str
    agent_key: str
    agent_version: str
    kernel: str
    machine_id_sha256: str


def make_record(  # noqa: PLR0913 - every part of a record, all but the first two by name
    result: RunResult,
    approved: ApprovedOrder,
    host: Host,
    *,
    sequence: int,
    previous: str | None,
    tool: str,
    capacity_note: Mapping[str, Any] | None = None,
    self_tests: Sequence[Mapping[str, Any]] = (),
    by_hand: tuple[HandedPermit, ...] = (),
) -> SanitizationRecord:
    """The record of a run.

    Args:
        result: As the sanitizer returned it.
        approved: The order the run obeyed, with the approvals this agent checked.
        host: This host.
        sequence: This agent's number for the record.
        previous: Envelope digest of this agent's record before it for the same medium.
        tool: Name and version of the sanitizing tool.
        capacity_note: What this host keeps of a disk that proved its capacity (`sanitizer restore-capacity`).
        self_tests: What each build that took part found on planted faults.
        by_hand: Leaves to write that rested on an answer carried to this host.

    Raises:
        NothingToRecord: The result names no medium.
    """
    if result.device is None:
        raise NothingToRecord(result.run_id)
    order = approved.order
    method, run = facts_of(result.method), facts_of(result.run)
    return SanitizationRecord(
        schema=SCHEMA,
        record_id=result.run_id,
        previous=previous,
        order=OrderRef(
            id=order.id,
            sha256=approved.payload_sha256,
            nonce=order.nonce,
            after_origin=order.after.origin,
            after_size=order.after.size,
            after_root=order.after.root,
            approvals=approved.approvals,
            by_hand=by_hand,
        ),
        device=DeviceFacts(**facts_of(result.device), capacity_proof=_capacity_proof(result, capacity_note)),
        method=MethodFacts(
            **{
                **method,
                "passes": _parts(PassFacts, result.method.passes),
                "commands": tuple(CommandFacts.from_dict(one, "command") for one in result.method.commands),
                "key_erasure": _key_erasure(result),
            }
        ),
        verification=VerificationFacts(**facts_of(result.verification)),
        run=RunFacts(**{**run, "segments": _parts(Segment, result.run.segments)}),
        host=HostFacts(**facts_of(host), sequence=sequence),
        policy=PolicyRef(
            id=order.policy_id,
            sha256=order.policy_sha256,
            required_method=order.required_method,
            required_verification=order.required_verification,
        ),
        operator_ref=order.requested_by,
        tool=tool,
        health=_health(result),
        self_tests=tuple(SelfTest.from_dict(one, "self-test") for one in self_tests),
    )


def _capacity_proof(result: RunResult, note: Mapping[str, Any] | None) -> CapacityProof | None:
    """The note, where it is about the capacity that this run found, and what the run says of hidden blocks rests on it."""
    device = result.device
    if note is None or device is None or device.kind != "scsi" or device.hidden_capacity != "no":
        return None
    try:
        found = CapacityProof.from_dict(dict(note), "capacity note")
    except MalformedDocument:
        return None
    return found if found.blocks * found.block_bytes == device.capacity_bytes else None


def _health(result: RunResult) -> tuple[HealthReading, ...]:
    return tuple(
        HealthReading(**{**facts_of(one), "answers": _parts(HealthAnswer, one.answers)}) for one in result.health
    )


def _key_erasure(result: RunResult) -> KeyErasure | None:
    found = result.method.key_erasure
    return None if found is None else KeyErasure(**facts_of(found))


def facts_of(source: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the sanitizer's fact classes
    """The fields by name, one level deep."""
    return {field.name: getattr(source, field.name) for field in dataclasses.fields(source)}


def _parts(kind: type[_P], sources: tuple[Any, ...]) -> tuple[_P, ...]:
    return tuple(kind(**facts_of(source)) for source in sources)
