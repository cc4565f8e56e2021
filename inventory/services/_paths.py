"""From declared paths to holdings: what the agent found beneath each path."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.devices import PathMapping
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import DeviceState, HoldingSource
from inventory.models import DataSet, DeclaredPath, Device, Holding, Host

from ._lineage import look_back, taken_over
from ._obligations import begin_holding, end_holding
from .context import Actor, Context
from .kernel import raise_exception, settle_exception

PATIENCE: Final = timedelta(minutes=10)
"""How long a freshly declared path may be missing from observations: the agent learns of it with its next heartbeat."""


def follow_paths(session: Session, context: Context, actor: Actor, host: Host, mappings: Sequence[PathMapping]) -> None:
    """Bring the holdings of a host's declared paths up to date with what its agent reports."""
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
            _take(session, context, actor, host, path, data_set, mapping)
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
) -> None:
    devices, unknown = _devices(session, mapping)
    unresolved = [
        *mapping.unresolved,
        *(f"medium {print_[:16]}… is not among the devices listed" for print_ in unknown),
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
    for device in devices.values():
        _hold(session, context, actor, host, path, data_set, device, live.get(device.id))
    if first:
        look_back(session, context, actor, host, path, data_set, frozenset(devices))
    if unresolved:
        return  # unknown ends nothing
    for number, holding in live.items():
        if number not in devices:
            reason = f"{path.path} of {host.name} does not rest on it any more; what was written stays as residue."
            end_holding(session, context, actor, holding, at=context.now(), reason=reason)


def _devices(session: Session, mapping: PathMapping) -> tuple[dict[str, Device], list[str]]:
    found = session.scalars(sa.select(Device).where(Device.fingerprint.in_(mapping.devices))).all()
    known = {device.fingerprint for device in found}
    return {device.id: device for device in found}, [print_ for print_ in mapping.devices if print_ not in known]


def _account(session: Session, context: Context, host: Host, path: DeclaredPath, unresolved: list[str]) -> None:
    if unresolved:
        words = f"{path.path} of {host.name}: {'; '.join(unresolved)}. Until it is followed, no medium there passes the gate."
        raise_exception(session, context, ExceptionCode.PATH_UNRESOLVED, path.id, words, host=host.id)
    else:
        settle_exception(session, context, ExceptionCode.PATH_UNRESOLVED, path.id, "It was followed to its media.")


def _hold(
    session: Session,
    context: Context,
    actor: Actor,
    host: Host,
    path: DeclaredPath,
    data_set: DataSet,
    device: Device,
    holding: Holding | None,
) -> None:
    if holding is not None:
        holding.last_seen = context.now()
    else:
        begin_holding(
            session,
            context,
            actor,
            device=device,
            data_set=data_set,
            kind=path.kind,
            source=HoldingSource.RESOLVED,
            since=context.now(),
            path_id=path.id,
            host_id=host.id,
            reason=f"{path.path} of {host.name} rests on it.",
        )
        taken_over(session, context, actor, device, data_set)
    if device.state is DeviceState.SANITIZED:
        words = f"{data_set.name} lies on {device.id}, which counts as sanitized. Put it back into service, or move the data."
        code = ExceptionCode.DATA_ON_SANITIZED_DEVICE
        raise_exception(session, context, code, device.id, words, device=device.id, host=host.id)
