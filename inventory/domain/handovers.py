"""Hand-overs: offered by one side, counted by the other. Nothing changes hands before the second count agrees.

The receiver is not shown what the sender counted: two counts that know of each other are one count. So there is one answer, and
whether it accepts or disputes follows from the comparison; nobody can accept what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class HandoverState(StrEnum):
    """Where a hand-over stands."""

    OFFERED = "offered"
    """The sender still has everything."""
    ACCEPTED = "accepted"
    """Both counts agree: the receiver has it."""
    DISPUTED = "disputed"
    """They differ: nothing changed hands in the register, and each difference is an exception."""
    WITHDRAWN = "withdrawn"
    """The sender took the offer back."""


class HandoverEvent(StrEnum):
    """What can happen to a hand-over."""

    ACCEPT = "accept"
    DISPUTE = "dispute"
    WITHDRAW = "withdraw"


_SHOWN: Final = 64
"""Characters of a code that is strange; a label of ours is far shorter."""

S, E = HandoverState, HandoverEvent

TABLE: Final[Mapping[tuple[HandoverState, HandoverEvent], HandoverState]] = {
    (S.OFFERED, E.ACCEPT): S.ACCEPTED,
    (S.OFFERED, E.DISPUTE): S.DISPUTED,
    (S.OFFERED, E.WITHDRAW): S.WITHDRAWN,
}
"""(state, event) -> state. What is not here cannot happen."""


def next_state(state: HandoverState, event: HandoverEvent) -> HandoverState | None:
    """Where the event leads from this state; None: it is impossible there."""
    return TABLE.get((state, event))


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What the sender hands over."""

    devices: Mapping[str, frozenset[str]]
    """Number -> every code by which somebody may know it: number, asset tag, serial number."""
    seals: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the receiver found."""

    count: int
    seals: frozenset[str]
    codes: tuple[str, ...] = ()
    """Codes read from the devices, where the receiver read them; none: they were counted only."""
    remark: str = ""
    """What is wrong, in the receiver's words; empty: nothing is said to be wrong."""


@dataclass(frozen=True)
class Difference:
    """One thing in which the two sides differ."""

    kind: str
    """count, device-absent, device-unexpected, code-twice, seal-absent, seal-unexpected, remark."""
    subject: str
    """Number of the device, number of the seal, the code; empty where it is about all."""
    sentence: str


def compare(offered: Offered, counted: Counted) -> tuple[Difference, ...]:
    """Everything in which the two sides differ; empty: they agree.

    A count alone can agree while the devices are others; codes that were read are compared one by one.
    """
    found: list[Difference] = []
    if counted.count != len(offered.devices):
        words = f"Devices handed over: {len(offered.devices)}; devices counted: {counted.count}."
        found.append(Difference("count", "", words))
    found += _codes(offered, counted)
    for seal in sorted(offered.seals - counted.seals):
        found.append(Difference("seal-absent", seal, f"Seal {seal} was put on, and the receiver did not find it."))
    for seal in sorted(counted.seals - offered.seals):
        found.append(Difference("seal-unexpected", seal, f"The receiver found seal {seal}, which nobody put on."))
    if counted.remark:
        found.append(Difference("remark", "", f"The receiver says: {counted.remark}"))
    return tuple(found)


def _codes(offered: Offered, counted: Counted) -> list[Difference]:
    if not counted.codes:
        return []
    owners: dict[str, set[str]] = {}
    for device, codes in offered.devices.items():
        for code in codes:
            owners.setdefault(_plain(code), set()).add(device)
    found: list[Difference] = []
    seen: set[str] = set()
    for code in counted.codes:
        known = owners.get(_plain(code), set())
        # A serial number that two devices share says nothing about which of them it is.
        if len(known) != 1:
            words = "means more than one of them" if known else "is on something that was not handed over"
            short = code[:_SHOWN]
            found.append(Difference("device-unexpected", short, f"The code {short} {words}."))
            continue
        (device,) = known
        if device in seen:
            found.append(Difference("code-twice", device, f"Device {device} was read twice."))
        seen.add(device)
    for device in sorted(set(offered.devices) - seen):
        words = f"Device {device} was handed over, and the receiver did not find it."
        found.append(Difference("device-absent", device, words))
    return found


def _plain(code: str) -> str:
    """People and scanners pad and case codes differently."""
    return "".join(code.upper().split())
