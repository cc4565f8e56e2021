"""What the books say about the devices of a scope: rows become items of a balance, some hundreds at a time.

How a device stood at an earlier moment is not guessed from what is true now: its last signed custody event before that moment
says so. One that has not moved since stands as it stands now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.balance import Item, ScopeKind, Standing
from inventory.domain.lifecycle import FINAL
from inventory.domain.vocabulary import DeviceState
from inventory.models import (
    Attachment,
    Destruction,
    Device,
    Event,
    Holding,
    Host,
    Location,
    LotDevice,
    Order,
    Waiver,
)
from inventory.models.orders import OPEN_STATES
from reports.canonical import parse_canonical
from reports.envelope import payload_bytes

from ._mapping import device_label
from .kernel import CUSTODY_TAGS, load_envelope

BATCH: Final = 400


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What is counted, and over which time."""

    kind: ScopeKind
    reference: str = ""
    begin: datetime | None = None
    end: datetime | None = None
    """Not included; None: now."""


@dataclass(frozen=True)
class Entry:
    """One device as the books have it."""

    item: Item
    moved: datetime | None
    """When it last moved or changed its state, within the scope's time."""


@dataclass(frozen=True)
class _Place:
    """Where a device stood at a moment."""

    state: DeviceState
    location: str | None


def entries(session: Session, scope: Scope) -> Iterator[Entry]:
    """Every device that may belong to the scope, by number; whether it does is for `domain.balance.belongs` to say."""
    candidates = _candidates(scope)
    statement = sa.select(Device).where(Device.bound_to.is_(None)).order_by(Device.id)
    if candidates is not None:
        statement = statement.where(Device.id.in_(candidates))
    if scope.end is not None:
        statement = statement.where(Device.created < scope.end)
    # One statement, read as a stream: who belongs to a large site is found out once, and not for each batch anew.
    for rows in session.scalars(statement.execution_options(yield_per=BATCH)).partitions():
        yield from _Reader(session, scope, rows).entries()
        for row in rows:
            if row not in session.dirty:
                session.expunge(row)


def _candidates(scope: Scope) -> sa.Select[Any] | sa.CompoundSelect[Any] | None:
    """Numbers of devices that may belong to the scope, as a query; None: any."""
    if scope.kind is ScopeKind.EVERYTHING:
        return None
    if scope.kind is ScopeKind.LOT:
        return sa.select(LotDevice.device_id).where(LotDevice.lot_id == scope.reference)
    if scope.kind is ScopeKind.HOST:
        return sa.select(Attachment.device_id).where(Attachment.host_id == scope.reference)
    found: list[sa.Select[Any]] = []
    if scope.kind is ScopeKind.PLACE:
        found = [sa.select(Device.id).where(Device.location_id == scope.reference)]
    else:
        places = sa.select(Location.id).where(Location.site_id == scope.reference)
        hosts = sa.select(Host.id).where(Host.site_id == scope.reference)
        found = [
            sa.select(Device.id).where(Device.location_id.in_(places)),
            sa.select(Attachment.device_id).where(Attachment.host_id.in_(hosts)),
        ]
    if scope.begin is not None:
        moved = sa.select(Event.device_id).where(
            Event.device_id.is_not(None), Event.at >= scope.begin, Event.tag.in_([str(tag) for tag in CUSTODY_TAGS])
        )
        found.append(moved)
    return sa.union(*found)


class _Reader:
    """Some hundred devices with everything a balance asks of them; a fixed number of statements."""

    def __init__(self, session: Session, scope: Scope, devices: Sequence[Device]) -> None:
        self._session = session
        self._scope = scope
        self._devices = devices
        ids = [device.id for device in devices]
        self._attachments = self._read_attachments(ids)
        self._moved: dict[str | None, datetime] = dict(session.execute(_last_moves(ids, scope.end)).all())
        self._later = self._places_before(ids, scope.end)
        self._earlier = self._places_before(ids, scope.begin)
        self._sites = self._read_sites() if scope.kind is ScopeKind.SITE else {}
        self._hosts = self._read_hosts() if scope.kind is ScopeKind.SITE else {}
        self._lot = self._read_lot(ids)
        self._running = dict(
            session.execute(
                sa.select(Order.device_id, Order.id).where(Order.device_id.in_(ids), sa.text(OPEN_STATES))
            ).all()
        )
        self._proven = self._read_proofs()
        self._left_from = self._read_last_places()

    def entries(self) -> Iterator[Entry]:
        """One for each device, in their order."""
        for device in self._devices:
            yield Entry(self._item(device), self._moved.get(device.id))

    def _item(self, device: Device) -> Item:
        scope = self._scope
        after = self._later.get(device.id) or _Place(device.state, device.location_id)
        attached = self._attached(device.id, scope.end)
        before = None
        if scope.begin is not None:
            earlier = self._earlier.get(device.id) or after
            known = device.created < scope.begin
            before = Standing(
                known=known,
                state=earlier.state if known else None,
                within=known and self._within(device.id, earlier, scope.begin),
            )
        within = self._within(device.id, after, scope.end)
        if after.state in FINAL:
            within = self._left_here(device.id)
        return Item(
            device=device.id,
            words=device.asset_tag or device_label(device),
            declared=device.declared_at is not None,
            observed=device.observed_at is not None or device.ever_attached,
            attached=attached is not None,
            placed=after.location is not None and after.state not in FINAL,
            proven=after.state not in FINAL or device.id in self._proven,
            running=self._running.get(device.id),
            before=before,
            after=Standing(known=True, state=after.state, within=within),
        )

    # -- where it stood ---------------------------------------------------------------------------------------------------

    def _within(self, device: str, place: _Place, moment: datetime | None) -> bool:
        kind, reference = self._scope.kind, self._scope.reference
        if kind is ScopeKind.EVERYTHING:
            return True
        if kind is ScopeKind.LOT:
            return device in self._lot
        host = self._attached(device, moment)
        if kind is ScopeKind.HOST:
            return host == reference or (host is None and self._vanished_here(device, place))
        if kind is ScopeKind.PLACE:
            return place.location == reference
        # A host that has it attached says more about where it is than what somebody wrote down.
        site = self._hosts.get(host) if host is not None else None
        return (site or self._sites.get(place.location or "")) == reference

    def _vanished_here(self, device: str, place: _Place) -> bool:
        """Whether it was last seen on this host and nothing explains that it is not there any more."""
        last = self._attachments.get(device, [])[-1:]
        expected = place.state in {DeviceState.IN_SERVICE, DeviceState.SANITIZING}
        return any(one.host_id == self._scope.reference for one in last) and (expected or place.location is None)

    def _left_here(self, device: str) -> bool:
        """Of one that is gone for good: whether it stood here right before."""
        kind = self._scope.kind
        if kind is ScopeKind.EVERYTHING:
            return True
        if kind is ScopeKind.LOT:
            return device in self._lot
        if kind is ScopeKind.HOST:
            return any(one.host_id == self._scope.reference for one in self._attachments.get(device, ())[-1:])
        location = self._left_from.get(device)
        if kind is ScopeKind.PLACE:
            return location == self._scope.reference
        last = self._attachments.get(device, [])[-1:]
        site = self._sites.get(location or "") or next((self._hosts.get(one.host_id) for one in last), None)
        return site == self._scope.reference

    def _attached(self, device: str, moment: datetime | None) -> str | None:
        """The host that had it attached at a moment."""
        for one in reversed(self._attachments.get(device, [])):
            if moment is None:
                if one.until is None:
                    return one.host_id
            elif one.since < moment and (one.until is None or one.until >= moment):
                return one.host_id
        return None

    def _places_before(self, ids: Sequence[str], moment: datetime | None) -> dict[str, _Place]:
        """Of devices that moved since: how they stood by the last signed word before."""
        if moment is None:
            return {}
        tags = [str(tag) for tag in CUSTODY_TAGS]
        later = sa.select(Event.device_id).where(Event.device_id.in_(ids), Event.at >= moment, Event.tag.in_(tags))
        moved = set(self._session.scalars(later))
        newest = (
            sa.select(sa.func.max(Event.id))
            .where(Event.device_id.in_(moved), Event.at < moment, Event.tag.in_(tags), Event.subject_kind == "device")
            .group_by(Event.device_id)
        )
        found = {device: _Place(DeviceState.IN_SERVICE, None) for device in moved if device is not None}
        for event in self._session.scalars(sa.select(Event).where(Event.id.in_(newest))):
            found[str(event.device_id)] = self._said(event)
        return found

    def _said(self, event: Event) -> _Place:
        body = parse_canonical(
            payload_bytes(load_envelope(self._session, event.details["custody"]), "custody"), "custody"
        )
        return _Place(DeviceState(body["state"]), body["location"] or None)

    def _read_last_places(self) -> dict[str, str | None]:
        """Of devices that are gone for good: where the event before their last one had them."""
        gone = [device.id for device in self._devices if device.state in FINAL]
        if not gone or self._scope.kind in {ScopeKind.EVERYTHING, ScopeKind.LOT, ScopeKind.HOST}:
            return {}
        found: dict[str, str | None] = {}
        for event in self._session.scalars(
            sa.select(Event)
            .where(
                Event.device_id.in_(gone),
                Event.tag.in_([str(tag) for tag in CUSTODY_TAGS]),
                Event.subject_kind == "device",
            )
            .order_by(Event.id)
        ):
            said = self._said(event)
            if said.state not in FINAL:
                found[str(event.device_id)] = said.location
        return found

    # -- what stands behind it --------------------------------------------------------------------------------------------

    def _read_attachments(self, ids: Sequence[str]) -> dict[str, list[Attachment]]:
        found: dict[str, list[Attachment]] = {}
        for one in self._session.scalars(
            sa.select(Attachment).where(Attachment.device_id.in_(ids)).order_by(Attachment.id)
        ):
            found.setdefault(one.device_id, []).append(one)
        return found

    def _read_sites(self) -> dict[str, str | None]:
        return dict(self._session.execute(sa.select(Location.id, Location.site_id)).all())

    def _read_hosts(self) -> dict[str, str | None]:
        wanted = {one.host_id for several in self._attachments.values() for one in several}
        return dict(self._session.execute(sa.select(Host.id, Host.site_id).where(Host.id.in_(wanted))).all())

    def _read_lot(self, ids: Sequence[str]) -> set[str]:
        if self._scope.kind is not ScopeKind.LOT:
            return set()
        statement = sa.select(LotDevice.device_id).where(
            LotDevice.lot_id == self._scope.reference, LotDevice.device_id.in_(ids)
        )
        end = self._scope.end
        inside: sa.ColumnElement[bool] = LotDevice.removed.is_(None)
        if end is not None:
            inside = sa.and_(LotDevice.added < end, sa.or_(inside, LotDevice.removed >= end))
        return set(self._session.scalars(statement.where(inside)))

    def _read_proofs(self) -> set[str]:
        """Of devices that are gone for good: those with evidence behind that."""
        gone = {device.id: device for device in self._devices if device.state in FINAL}
        if not gone:
            return set()
        destroyed = sa.select(Destruction.device_id).where(
            Destruction.device_id.in_(gone), Destruction.decision == "approve"
        )
        waived = sa.select(Waiver.device_id).where(Waiver.device_id.in_(gone), Waiver.used.is_not(None))
        held = set(self._session.scalars(sa.select(Holding.device_id).where(Holding.device_id.in_(gone))))
        proofs = {
            DeviceState.DESTROYED: set(self._session.scalars(destroyed)),
            DeviceState.RETURNED_UNSANITIZED_BY_WAIVER: set(self._session.scalars(waived)),
            # Released with its record; or never used, so that the gate asked for none.
            DeviceState.RELEASED: {
                device.id
                for device in gone.values()
                if device.standing_record is not None or (not device.ever_attached and device.id not in held)
            },
        }
        return {device.id for device in gone.values() if device.id in proofs[device.state]}


def _last_moves(ids: Sequence[str], end: datetime | None) -> sa.Select[str | None, datetime]:
    statement = (
        sa.select(Event.device_id, sa.func.max(Event.at))
        .where(Event.device_id.in_(ids), Event.tag.in_([str(tag) for tag in CUSTODY_TAGS]))
        .group_by(Event.device_id)
    )
    return statement if end is None else statement.where(Event.at < end)
