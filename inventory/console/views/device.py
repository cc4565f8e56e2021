"""One device: what may be done with it, by this reader, from where it stands; and its facts in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from flask import url_for

from inventory.console.formatting import exact_bytes, sentence_case, size
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
    """A lifecycle event a person may cause: its page, permission and where it makes sense."""

    event: str
    label: str
    icon: str
    permission: Permission
    states: frozenset[DeviceState]


_OUT: Final = frozenset({DeviceState.RETIRED, DeviceState.QUARANTINED, DeviceState.FAILED})

CHANGES: Final = (
    StateChange("place", "Put into service", "play", Permission.DEVICE_MOVE, frozenset({DeviceState.DECLARED})),
    StateChange("retire", "Retire", "archive", Permission.DEVICE_MOVE, frozenset({DeviceState.IN_SERVICE})),
    StateChange(
        "quarantine",
        "Quarantine",
        "hold",
        Permission.DEVICE_MOVE,
        frozenset({DeviceState.DECLARED, DeviceState.IN_SERVICE, DeviceState.RETIRED, DeviceState.FAILED}),
    ),
    StateChange(
        "return",
        "Return to service",
        "refresh",
        Permission.DEVICE_MOVE,
        frozenset({DeviceState.RETIRED, DeviceState.QUARANTINED, DeviceState.SANITIZED}),
    ),
    StateChange(
        "missing",
        "Report missing",
        "question",
        Permission.DEVICE_MOVE,
        frozenset(DeviceState)
        - {
            DeviceState.MISSING,
            DeviceState.RELEASED,
            DeviceState.DESTROYED,
            DeviceState.RETURNED_UNSANITIZED_BY_WAIVER,
        },
    ),
    StateChange("found", "Report found", "search", Permission.DEVICE_MOVE, frozenset({DeviceState.MISSING})),
)
_GONE: Final = frozenset({DeviceState.RELEASED, DeviceState.DESTROYED, DeviceState.RETURNED_UNSANITIZED_BY_WAIVER})


def acts_of(device: DeviceDetail, actor: Actor) -> tuple[Act, ...]:
    """What this reader may try now, the likeliest first. The services decide; a button only saves the way."""
    here: dict[str, Any] = {"device": device.id}
    found: list[Act] = []
    if device.order is None and device.state in _OUT and device.host and actor.may(Permission.ORDER_REQUEST):
        found.append(Act("Order sanitization", "order", url_for("console.new_order", **here), "primary"))
    if (
        device.state not in _GONE
        and device.state is not DeviceState.SANITIZING
        and actor.may(Permission.DEVICE_RELEASE)
    ):
        tone: Literal["primary", ""] = "primary" if device.state is DeviceState.SANITIZED else ""
        found.append(Act("Release", "exit", url_for("console.release", **here), tone))
    if device.declared is None and actor.may(Permission.DEVICE_DECLARE):
        found.append(Act("Adopt", "file", url_for("console.adopt_device", **here)))
    found += [
        Act(change.label, change.icon, url_for("console.change_state", event=change.event, **here))
        for change in CHANGES
        if device.state in change.states and actor.may(change.permission)
    ]
    if device.state not in _GONE and actor.may(Permission.DEVICE_MOVE):
        found.append(Act("Move", "place", url_for("console.move_device", **here)))
    if device.state not in _GONE and actor.may(Permission.DATA_SET_MANAGE):
        found.append(Act("Say what it holds", "data", url_for("console.declare_holding", **here)))
    if actor.may(Permission.HOLD_MANAGE) and device.state not in _GONE:
        found.append(Act("Place a hold", "hold", url_for("console.place_hold", **here)))
    if device.state in _OUT and actor.may(Permission.DESTRUCTION_RECORD):
        found.append(Act("Record destruction", "flame", url_for("console.record_destruction", **here)))
    if device.state not in _GONE and actor.may(Permission.WAIVER):
        found.append(Act("Open a waiver", "alert", url_for("console.open_waiver", **here), "danger"))
    return tuple(found)


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


def _said(facts: DeviceFactsView | None, name: str) -> str | None:
    value = getattr(facts, name) if facts is not None else None
    if value is None or value == "":
        return None
    if name == "capacity_bytes":
        return f"{size(value)} ({exact_bytes(value)})"
    if name == "logical_block_bytes":
        return f"{value} bytes"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return sentence_case(value) if name in {"media", "hidden_capacity"} else str(value)


def known_facts(device: DeviceDetail) -> tuple[FactRow, ...]:
    """What is declared beside what is observed; facts nobody states are left out."""
    rows = (FactRow(label, _said(device.declared, name), _said(device.observed, name)) for label, name in _FACTS)
    return tuple(row for row in rows if row.declared is not None or row.observed is not None)
