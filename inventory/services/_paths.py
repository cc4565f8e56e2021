"""From declared paths to holdings: what the agent found beneath each path."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.devices import PathMapping
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.host_places import Spill
from inventory.domain.vocabulary import DeviceState, HoldingKind, HoldingSource
from inventory.models import DataSet, DeclaredPath, Device, Holding, Host

from ._lineage import look_back, taken_over
from ._obligations import begin_holding, end_holding
from .context import Actor, Context
from .kernel import raise_exception, settle_exception

PATIENCE: Final = timedelta(minutes=10)
"""How long a freshly declared path may be missing from observations: the agent learns of it with its next heartbeat."""


def follow_paths(
    session: Session,
    context: Context,
    actor: Actor,
    host: Host,
    mappings: Sequence[PathMapping],
    spill: Spill | None = None,
) -> None:
    """Bring the holdings of a host's declared paths up to date with what its agent reports.

    Args:
        session: A transaction under way.
        context: Time and settings.
        actor: The agent.
        host: Its host.
        mappings: What lies beneath each path.
        spill: Where the memory of its processes may lie; None: nobody looked.
    """
    declared = session.execute(
        sa.select(DeclaredPath, DataSet)
        .join(DataSet, DataSet.id == DeclaredPath.data_set_id)
        .where(DeclaredPath.host_id == host.id, DeclaredPath.withdrawn.is_(None))
        .order_by(DeclaredPath.id)
    )
    # A mapping of a path that was withdrawn in the meantime is not looked at: its holdings have ended with it.
    reported = {(mapping.data_set, mapping.path): mapping for mapping in mappings}
    for path, data_set in declared.all():
        mapping = reported.get((data_set.name, path.path))
        if mapping is not None:
            _take(session, context, actor, host, path, data_set, mapping, spill)
        elif context.now() - (path.reported or path.declared) > PATIENCE:
            words = f"The agent of {host.name} does not report {path.path}, where {data_set.name} is said to lie."
            raise_exception(session, context, ExceptionCode.PATH_UNREPORTED, path.id, words, host=host.id)


def _take(
    session: Session,
    context: Context,
    actor: Actor,
    host: Host,
    path: DeclaredPath,
    data_set: DataSet,
    mapping: PathMapping,
    spill: Spill | None,
) -> None:
    devices, unknown = _devices(session, mapping.devices)
    memory, strange = _devices(session, () if spill is None else spill.devices)
    unresolved = [
        *mapping.unresolved,
        *(() if spill is None else spill.unresolved),
        *(f"medium {print_[:16]}… is not among the devices listed" for print_ in (*unknown, *strange)),
    ]
    path.reported = context.now()
    first = path.resolved is None and bool(devices) and not unresolved
    if devices and not unresolved:
        path.resolved = context.now()
    if path.devices != sorted(devices):
        path.devices = sorted(devices)
    if path.unresolved != unresolved:
        path.unresolved = unresolved
    settle_exception(session, context, ExceptionCode.PATH_UNREPORTED, path.id, "The agent reports it.")
    _account(session, context, host, path, unresolved)
    live = {
        holding.device_id: holding
        for holding in session.scalars(
            sa.select(Holding).where(Holding.path_id == path.id, Holding.until.is_(None)).order_by(Holding.id)
        )
    }
    wanted = {number: (device, HoldingKind.SWAP) for number, device in memory.items()}
    wanted |= {number: (device, path.kind) for number, device in devices.items()}
    at = _At(session, context, actor, host, path, data_set)
    for number, (device, kind) in wanted.items():
        _hold(at, device, kind, live.get(number), unknown=bool(unresolved))
    if first:
        look_back(session, context, actor, host, path, data_set, frozenset(devices))
    if unresolved:
        return  # unknown ends nothing
    for number, holding in live.items():
        if number not in wanted and not (spill is None and _of_memory(path, holding.kind)):
            end_holding(session, context, actor, holding, at=context.now(), reason=_why_not(path, host, holding.kind))


@dataclass(frozen=True)
class _At:
    """One path of one host, in one transaction."""

    session: Session
    context: Context
    actor: Actor
    host: Host
    path: DeclaredPath
    data_set: DataSet


def _hold(at: _At, device: Device, kind: HoldingKind, holding: Holding | None, *, unknown: bool) -> None:
    """The data set is live on the medium. Once it holds it in earnest, it does so until the path is known to rest elsewhere."""
    now = at.context.now()
    if holding is not None and (holding.kind is kind or (unknown and _of_memory(at.path, kind))):
        holding.last_seen = now
    else:
        if holding is not None:
            reason = _why_not(at.path, at.host, holding.kind)
            end_holding(at.session, at.context, at.actor, holding, at=now, reason=reason)
            at.session.flush()
        begin_holding(
            at.session,
            at.context,
            at.actor,
            device=device,
            data_set=at.data_set,
            kind=kind,
            source=HoldingSource.RESOLVED,
            since=now,
            path_id=at.path.id,
            host_id=at.host.id,
            reason=_why(at.path, at.host, kind),
        )
        taken_over(at.session, at.context, at.actor, device, at.data_set)
    if device.state is DeviceState.SANITIZED:
        words = f"{at.data_set.name} lies on {device.id}, which counts as sanitized. Put it back into service, or move the data."
        code = ExceptionCode.DATA_ON_SANITIZED_DEVICE
        raise_exception(at.session, at.context, code, device.id, words, device=device.id, host=at.host.id)


def _devices(session: Session, prints: Collection[str]) -> tuple[dict[str, Device], list[str]]:
    found = session.scalars(sa.select(Device).where(Device.fingerprint.in_(prints)).order_by(Device.id)).all()
    known = {device.fingerprint for device in found}
    return {device.id: device for device in found}, [print_ for print_ in prints if print_ not in known]


def _account(session: Session, context: Context, host: Host, path: DeclaredPath, unresolved: list[str]) -> None:
    if unresolved:
        words = f"{path.path} of {host.name}: {'; '.join(unresolved)}. Until it is followed, no medium there passes the gate."
        raise_exception(session, context, ExceptionCode.PATH_UNRESOLVED, path.id, words, host=host.id)
    else:
        settle_exception(session, context, ExceptionCode.PATH_UNRESOLVED, path.id, "It was followed to its media.")


def _of_memory(path: DeclaredPath, kind: HoldingKind) -> bool:
    """Whether a holding is there because memory is written there, and not because the path rests on it."""
    return kind is HoldingKind.SWAP and path.kind is not HoldingKind.SWAP


def _why(path: DeclaredPath, host: Host, kind: HoldingKind) -> str:
    if _of_memory(path, kind):
        return f"{host.name} writes the memory of its processes to it, and {path.path} is read and written there."
    return f"{path.path} of {host.name} rests on it."


def _why_not(path: DeclaredPath, host: Host, kind: HoldingKind) -> str:
    if _of_memory(path, kind):
        return f"{host.name} writes no memory to it any more; what was written stays as residue."
    return f"{path.path} of {host.name} does not rest on it any more; what was written stays as residue."
