"""Devices an agent sees: which of ours each one is, where it is attached, and what does not add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.devices import DeviceIdentity, ObservedDevice
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.lifecycle import FINAL, DeviceEvent
from inventory.domain.vocabulary import DeviceState, ExceptionState
from inventory.events import Tag
from inventory.models import Attachment, Device, ExceptionItem, Host

from ._lineage import carry_along
from ._moved_runs import seen_in_its_run
from ._questions import raise_replaced
from ._transitions import move_device
from .context import Actor, Context
from .devices import compare, same_words
from .kernel import next_number, note, raise_exception, settle_exception

_EXPECTED_ATTACHED = frozenset({DeviceState.DECLARED, DeviceState.IN_SERVICE, DeviceState.SANITIZING})
"""A device in one of these states that vanishes from its host raises the question where it is, wherever it is said to be."""

_IDENTITY = ("kind", "vendor", "model", "serial", "wwn", "eui64", "nguid", "capacity_bytes", "logical_block_bytes")
_FACTS = ("firmware", "media", "transport", "hidden_capacity", "removable")


class Sightings:
    """One observation of one host, taken in within one transaction."""

    def __init__(self, session: Session, context: Context, actor: Actor, host: Host) -> None:
        self.session = session
        self.context = context
        self.actor = actor
        self.host = host
        self.seen: dict[str, Device] = {}
        """Fingerprint -> device of this observation."""

    def take(self, observed: Sequence[ObservedDevice]) -> None:
        """Bind, attach, detach, compare."""
        twice: set[str] = set()
        nameless: set[str] = set()
        for one in observed:
            if one.identity is None:
                nameless.add(self._nameless(one))
            elif one.identity.fingerprint in self.seen:
                twice.add(one.identity.fingerprint)
            else:
                device = self._find_or_make(one, one.identity)
                self.seen[one.identity.fingerprint] = device
                self._attach(device, one)
        self.session.flush()
        self._ambiguous(twice)
        self._named_since(nameless)
        self._detach_missing()
        self.session.flush()

    def _find_or_make(self, one: ObservedDevice, identity: DeviceIdentity) -> Device:
        device = self.session.scalar(sa.select(Device).where(Device.fingerprint == identity.fingerprint))
        if device is None:
            device = self._bind(identity)
        if device is None:
            device = self._new(one, identity)
        self._refresh(device, one, identity)
        compare(self.session, self.context, device)
        self._unexpected(device)
        return device

    def _bind(self, identity: DeviceIdentity) -> Device | None:
        """The one declared device with this serial number and no other model; None where there is none, or more than one."""
        serial = (identity.serial or "").strip().lower()
        if not serial:
            return None
        candidates = self.session.scalars(
            sa.select(Device).where(
                sa.func.lower(Device.declared_serial) == serial,
                Device.fingerprint.is_(None),
                Device.bound_to.is_(None),
                Device.state.not_in(FINAL),
            )
        ).all()
        fitting = [
            device
            for device in candidates
            if device.declared_model is None or same_words(device.declared_model, identity.model)
        ]
        if len(fitting) > 1:
            numbers = ", ".join(device.id for device in fitting)
            words = f"Serial number {identity.serial} fits {numbers}; say which of them it is."
            subject = f"{self.host.id} {identity.fingerprint[:16]}"
            raise_exception(
                self.session, self.context, ExceptionCode.AMBIGUOUS_DEVICE, subject, words, host=self.host.id
            )
        if len(fitting) != 1:
            return None
        device = fitting[0]
        device.fingerprint = identity.fingerprint
        if device.state is DeviceState.DECLARED:
            details = {"how": "serial number and model", "host": self.host.id}
            move_device(self.session, self.context, self.actor, device, DeviceEvent.OBSERVE, details=details)
        return device

    def _new(self, one: ObservedDevice, identity: DeviceIdentity) -> Device:
        device = Device(
            id=next_number(self.session, "device"),
            state=DeviceState.IN_SERVICE,
            fingerprint=identity.fingerprint,
            created=self.context.now(),
        )
        self.session.add(device)
        self.session.flush()
        details = {"path": one.path, "model": identity.model, "serial": identity.serial}
        note(
            self.session, self.context, self.actor, Tag.DEVICE_OBSERVED, "device", device.id,
            host=self.host.id, details=details,
        )  # fmt: skip
        words = f"{self.host.name} has {one.path} ({identity.model or identity.kind}), which nobody declared."
        raise_exception(
            self.session, self.context, ExceptionCode.UNDECLARED_DEVICE, device.id, words,
            device=device.id, host=self.host.id,
        )  # fmt: skip
        return device

    def _refresh(self, device: Device, one: ObservedDevice, identity: DeviceIdentity) -> None:
        """Bring the observed facts up to date. Nothing is written where nothing changed, so that the version stays."""
        now: dict[str, Any] = {name: getattr(identity, name) for name in _IDENTITY}
        now |= {name: getattr(one, name) for name in _FACTS}
        changed = {name: value for name, value in now.items() if getattr(device, name) != value}
        if not changed and device.observed_at is not None:
            return
        first = device.observed_at is None
        details = {name: {"before": getattr(device, name), "after": value} for name, value in changed.items()}
        for name, value in changed.items():
            setattr(device, name, value)
        device.observed_at, device.observed_by, device.ever_attached = self.context.now(), self.host.id, True
        if not first:
            note(
                self.session, self.context, self.actor, Tag.DEVICE_CHANGED, "device", device.id,
                host=self.host.id, details=details,
            )  # fmt: skip

    def _unexpected(self, device: Device) -> None:
        if device.state in FINAL or device.state is DeviceState.MISSING:
            words = f"{device.id} is {device.state.replace('_', ' ')} by our books, and {self.host.name} sees it."
            raise_exception(
                self.session, self.context, ExceptionCode.DISPOSED_DEVICE_SEEN, device.id, words,
                device=device.id, host=self.host.id,
            )  # fmt: skip
        settle_exception(
            self.session, self.context, ExceptionCode.DEVICE_GONE, device.id, f"Seen again on {self.host.name}."
        )

    def _attach(self, device: Device, one: ObservedDevice) -> None:
        now = self.context.now()
        obstacles = [{"code": item.code, "sentence": item.summary} for item in one.obstacles]
        capabilities = None if one.capabilities is None else one.capabilities.model_dump(mode="json")
        open_ = self.session.scalar(
            sa.select(Attachment).where(Attachment.device_id == device.id, Attachment.until.is_(None))
        )
        if open_ is not None and open_.host_id == self.host.id and open_.slot == one.slot:
            open_.path, open_.last_seen = one.path, now
            if open_.capabilities != capabilities:
                open_.capabilities = capabilities
            if open_.obstacles != obstacles:
                open_.obstacles = obstacles
            return
        if open_ is not None:
            self._detach(open_, device, "It is attached elsewhere now.")
        carry_along(self.session, self.context, self.actor, device, self.host)
        self.session.add(
            Attachment(
                device_id=device.id,
                host_id=self.host.id,
                path=one.path,
                slot=one.slot,
                since=now,
                last_seen=now,
                obstacles=obstacles,
                capabilities=capabilities,
            )
        )
        details = {"path": one.path, "slot": one.slot}
        note(
            self.session, self.context, self.actor, Tag.DEVICE_ATTACHED, "device", device.id,
            host=self.host.id, details=details,
        )  # fmt: skip
        seen_in_its_run(self.session, self.context, device, self.host)

    def _detach(self, attachment: Attachment, device: Device, reason: str) -> None:
        attachment.until = self.context.now()
        self.session.flush()
        note(
            self.session, self.context, self.actor, Tag.DEVICE_DETACHED, "device", device.id,
            host=attachment.host_id, reason=reason, details={"path": attachment.path},
        )  # fmt: skip

    def _detach_missing(self) -> None:
        here = {device.id for device in self.seen.values()}
        attached = self.session.execute(
            sa.select(Attachment, Device)
            .join(Device, Device.id == Attachment.device_id)
            .where(Attachment.host_id == self.host.id, Attachment.until.is_(None))
            .order_by(Attachment.id)
        )
        gone = [(attachment, device) for attachment, device in attached.all() if device.id not in here]
        for attachment, device in gone:
            self._detach(attachment, device, "The agent does not see it any more.")
            if device.state in _EXPECTED_ATTACHED or (device.state not in FINAL and device.location_id is None):
                words = (
                    f"{device.id} ({device.state.replace('_', ' ')}) was at {attachment.path} of {self.host.name}"
                    " and is not attached any more. Say where it is, or report it missing."
                )
                raise_exception(
                    self.session, self.context, ExceptionCode.DEVICE_GONE, device.id, words,
                    device=device.id, host=self.host.id,
                )  # fmt: skip
        raise_replaced(self.session, self.context, self.host, gone)

    def _nameless(self, one: ObservedDevice) -> str:
        subject = f"{self.host.id} {one.path}"
        words = f"{one.path} of {self.host.name} cannot be identified; it can be neither ordered nor accounted for."
        raise_exception(
            self.session, self.context, ExceptionCode.UNIDENTIFIED_DEVICE, subject, words, host=self.host.id
        )
        return subject

    def _named_since(self, nameless: set[str]) -> None:
        statement = sa.select(ExceptionItem.subject).where(
            ExceptionItem.code == str(ExceptionCode.UNIDENTIFIED_DEVICE),
            ExceptionItem.host_id == self.host.id,
            ExceptionItem.state == ExceptionState.OPEN,
        )
        for subject in self.session.scalars(statement).all():
            if subject not in nameless:
                settle_exception(
                    self.session, self.context, ExceptionCode.UNIDENTIFIED_DEVICE, subject, "It is no longer there so."
                )

    def _ambiguous(self, twice: set[str]) -> None:
        for fingerprint, device in self.seen.items():
            if fingerprint in twice:
                words = f"{self.host.name} sees {device.id} at more than one node; no order can tell them apart."
                raise_exception(
                    self.session, self.context, ExceptionCode.AMBIGUOUS_DEVICE, device.id, words,
                    device=device.id, host=self.host.id,
                )  # fmt: skip
            else:
                settle_exception(
                    self.session, self.context, ExceptionCode.AMBIGUOUS_DEVICE, device.id, "It has one node again."
                )
