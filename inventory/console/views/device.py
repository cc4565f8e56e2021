"""One device: what may be done with it, by this reader, from where it stands; and its facts in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from flask import url_for

from inventory.console.formatting import sentence_case
from inventory.console.language.speaking import exact_bytes, size, words
from inventory.domain.lifecycle import FINAL, DeviceEvent
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import DeviceState
from inventory.services.context import Actor
from inventory.services.views import DeviceDetail, DeviceFactsView


@dataclass(frozen=True)
class Act:
    """One thing to do with a device."""

    label: str
    icon: str
    url: str
    tone: Literal["primary", "", "danger"] = ""


@dataclass(frozen=True)
class FactRow:
    """One fact by both sources."""

    name: str
    declared: str | None
    observed: str | None

    @property
    def differs(self) -> bool:
        """Whether both sources state it and disagree."""
        return self.declared is not None and self.observed is not None and self.declared != self.observed


@dataclass(frozen=True)
class StateChange:
    """A lifecycle event a person may cause without further facts: its page, and its name in the lifecycle table."""

    page: str
    event: DeviceEvent
    label: str
    icon: str


CHANGES: Final = (
    StateChange("place", DeviceEvent.PLACE_IN_SERVICE, "Put into service", "play"),
    StateChange("retire", DeviceEvent.RETIRE, "Retire", "archive"),
    StateChange("quarantine", DeviceEvent.QUARANTINE, "Quarantine", "hold"),
    StateChange("return", DeviceEvent.RETURN_TO_SERVICE, "Return to service", "refresh"),
    StateChange("missing", DeviceEvent.REPORT_MISSING, "Report missing", "question"),
    StateChange("found", DeviceEvent.FIND, "Report found", "search"),
)


def acts_of(device: DeviceDetail, actor: Actor) -> tuple[Act, ...]:
    """What this reader may try now, the likeliest first. The services decide; a button only saves the way."""
    here: dict[str, Any] = {"device": device.id}

    def able(event: DeviceEvent, permission: Permission) -> bool:
        return event in device.events_possible and actor.may(permission)

    found: list[Act] = []
    if device.order is None and device.host and able(DeviceEvent.START_RUN, Permission.ORDER_REQUEST):
        tone: Literal["primary", ""] = "" if device.state is DeviceState.SANITIZED else "primary"
        found.append(Act("Order sanitization", "order", url_for("console.new_order", **here), tone))
    sanitized = device.state is DeviceState.SANITIZED and device.order is None and device.host is not None
    if sanitized and actor.may(Permission.READING_REQUEST):
        found.append(Act("Read it again", "eye", url_for("console.new_reading", **here)))
    if able(DeviceEvent.RELEASE, Permission.DEVICE_RELEASE):
        tone = "primary" if device.state is DeviceState.SANITIZED else ""
        found.append(Act("Release", "exit", url_for("console.release", **here), tone))
    if device.declared is None and device.state not in FINAL and actor.may(Permission.DEVICE_DECLARE):
        found.append(Act("Adopt", "file", url_for("console.adopt_device", **here)))
    found += [
        Act(change.label, change.icon, url_for("console.change_state", event=change.page, **here))
        for change in CHANGES
        if able(change.event, Permission.DEVICE_MOVE)
    ]
    if able(DeviceEvent.RELOCATE, Permission.DEVICE_MOVE):
        found.append(Act("Move", "place", url_for("console.move_device", **here)))
    if device.state not in FINAL and actor.may(Permission.DEVICE_MOVE):
        found.append(Act("Repair, return, sale", "exit", url_for("console.announce_change", **here)))
    if device.state not in FINAL and actor.may(Permission.DATA_SET_MANAGE):
        found.append(Act("Say what it holds", "data", url_for("console.declare_holding", **here)))
    if device.state not in FINAL and actor.may(Permission.HOLD_MANAGE):
        found.append(Act("Place a hold", "hold", url_for("console.place_hold", **here)))
    if able(DeviceEvent.DESTROY, Permission.DESTRUCTION_RECORD):
        found.append(Act("Record destruction", "flame", url_for("console.record_destruction", **here)))
    if able(DeviceEvent.RETURN_BY_WAIVER, Permission.WAIVER):
        found.append(Act("Open a waiver", "alert", url_for("console.open_waiver", **here), "danger"))
    return tuple(sorted(found, key=lambda act: act.tone != "primary"))


def crumbs_of(device_id: str, tag: str | None) -> tuple[tuple[str, str], ...]:
    """The way back from a page about one device."""
    return (("Devices", url_for("console.devices")), (tag or device_id, url_for("console.device", device=device_id)))


_FACTS: Final = (
    ("Make", "vendor"),
    ("Model", "model"),
    ("Serial number", "serial"),
    ("Capacity", "capacity_bytes"),
    ("Medium", "media"),
    ("Kind", "kind"),
    ("Transport", "transport"),
    ("Firmware", "firmware"),
    ("World wide name", "wwn"),
    ("EUI-64", "eui64"),
    ("NGUID", "nguid"),
    ("Logical block", "logical_block_bytes"),
    ("Hidden capacity", "hidden_capacity"),
    ("Removable", "removable"),
)


_ACRONYM: Final = 4
"""`ata`, `sas`, `usb`, `nvme` are read as letters."""


def _said(facts: DeviceFactsView | None, name: str) -> str | None:
    value = getattr(facts, name) if facts is not None else None
    if value is None or value == "":
        return None
    if name == "capacity_bytes":
        return f"{size(value)} ({exact_bytes(value)})"
    if name == "logical_block_bytes":
        return words("{count} bytes", count=value)
    if isinstance(value, bool):
        return words("Yes") if value else words("No")
    if name == "media":
        return words(media_words(value))
    if name in {"kind", "transport"} and len(value) <= _ACRONYM:
        value = value.upper()
    return words(sentence_case(value)) if name == "hidden_capacity" else str(value)


def media_words(media: str) -> str:
    """A kind of medium, as a label."""
    return "Persistent memory" if media == "pmem" else sentence_case(media)


def known_facts(device: DeviceDetail) -> tuple[FactRow, ...]:
    """What is declared beside what is observed; facts nobody states are left out."""
    rows = (FactRow(label, _said(device.declared, name), _said(device.observed, name)) for label, name in _FACTS)
    return tuple(row for row in rows if row.declared is not None or row.observed is not None)
