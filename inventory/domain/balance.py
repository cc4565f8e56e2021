"""The balance: declared = observed = disposed + present, or each difference has a name (governance, section 6). Pure.

Every device of a scope has one origin (on the books before, new, arrived from elsewhere) and one end (present, disposed of, gone
to another place of ours, missing, or nobody knows). So both sides of the sheet add up by construction, and what does not agree
is never a sum: it is a device, with the reason why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from .exceptions import ExceptionCode
from .lifecycle import FINAL
from .vocabulary import DeviceState


class ScopeKind(StrEnum):
    """What a balance is drawn up for."""

    HOST = "host"
    LOT = "lot"
    PLACE = "place"
    """One location."""
    SITE = "site"
    EVERYTHING = "everything"


class Origin(StrEnum):
    """How a device came onto this sheet."""

    BEFORE = "before"
    """It was here when the period began; without a period, it is here."""
    NEW = "new"
    """Declared or first seen in the period."""
    ARRIVED = "arrived"
    """It came from another place of ours."""


class End(StrEnum):
    """How a device stands at the end."""

    PRESENT = "present"
    RELEASED = "released"
    DESTROYED = "destroyed"
    WAIVED = "waived"
    MOVED = "moved"
    """It is at another known place of ours."""
    MISSING = "missing"
    UNKNOWN = "unknown"
    """Attached nowhere, and nobody said where it is."""


DISPOSED: Final = frozenset({End.RELEASED, End.DESTROYED, End.WAIVED})
ACCOUNTED: Final = DISPOSED | {End.PRESENT, End.MOVED}
_FINAL_END: Final[Mapping[DeviceState, End]] = {
    DeviceState.RELEASED: End.RELEASED,
    DeviceState.DESTROYED: End.DESTROYED,
    DeviceState.RETURNED_UNSANITIZED_BY_WAIVER: End.WAIVED,
}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a device stood at one moment."""

    known: bool
    """On the books, in whatever state."""
    state: DeviceState | None
    within: bool
    """It belonged to the scope. Of a device that is gone for good: it did when it went."""

    @property
    def gone(self) -> bool:
        """Whether it was not ours any more."""
        return self.state in FINAL


@dataclass(frozen=True, kw_only=True)
class Item:
    """One device, as the balance looks at it."""

    device: str
    words: str
    """What people know it by."""
    declared: bool
    observed: bool
    attached: bool
    """To any host of ours, at the end."""
    placed: bool
    """Somebody said where it is, at the end."""
    proven: bool
    """Of one that is gone for good: a release with its record, a validated destruction, or a waiver stands behind that."""
    running: str | None = None
    """The order under way for it."""
    before: Standing | None
    """When the period began; None without a period."""
    after: Standing


@dataclass(frozen=True, kw_only=True)
class Named:
    """A difference before anybody answered it."""

    device: str
    code: ExceptionCode
    sentence: str


def belongs(item: Item) -> bool:
    """Whether the device is on this sheet at all: it was here at the beginning or the end, or left for good from here."""
    if item.before is not None and item.before.known and item.before.gone:
        return False
    return item.after.known and (item.after.within or (item.before is not None and item.before.within))


def origin(item: Item) -> Origin:
    """How it came onto the sheet."""
    if item.before is None or (item.before.known and item.before.within):
        return Origin.BEFORE
    return Origin.ARRIVED if item.before.known else Origin.NEW


def end(item: Item) -> End:
    """How it stands at the end."""
    state = item.after.state
    if state is not None and state in _FINAL_END:
        return _FINAL_END[state]
    if state is DeviceState.MISSING:
        return End.MISSING
    if not item.attached and not item.placed:
        return End.UNKNOWN
    return End.PRESENT if item.after.within else End.MOVED


def differences_of(item: Item) -> tuple[Named, ...]:
    """What does not agree about one device, each with a name."""
    found = []
    last = end(item)
    if not item.declared:
        found.append((ExceptionCode.UNDECLARED_DEVICE, "An agent sees it, and nobody declared it."))
    if not item.observed:
        found.append((ExceptionCode.NOT_OBSERVED, "It was declared, and no agent has ever seen it."))
    if last is End.MISSING:
        found.append((ExceptionCode.DEVICE_MISSING, "It is missing."))
    if last is End.UNKNOWN:
        found.append((ExceptionCode.NOWHERE, "It is attached to no host, and nobody said where it is."))
    if last in DISPOSED and item.attached:
        found.append((ExceptionCode.DISPOSED_DEVICE_SEEN, "It left us by our books, and a host has it attached."))
    if last in DISPOSED and not item.proven:
        found.append(
            (
                ExceptionCode.DISPOSED_WITHOUT_PROOF,
                f"It is {item.after.state} by our books; no evidence is behind that.",
            )
        )
    return tuple(
        Named(device=item.device, code=code, sentence=f"Device {item.device} ({item.words}): {sentence}")
        for code, sentence in found
    )


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Something that does not agree, and who answers for it."""

    device: str
    """Number of the device; of the host or balance, where no device is known."""
    code: str
    sentence: str
    exception: str | None = None
    """Its name; None: not raised yet."""
    owner: str | None = None
    answered: bool = False
    """A person said how it ended, and nothing has moved the device since."""


def answers(resolved: datetime | None, moved: datetime | None, begin: datetime | None) -> bool:
    """Whether an exception that was resolved still answers a difference that is still there.

    An answer speaks of the device as it stood then: it holds until the device moves or changes its state again, and only for
    the period in which it was given, or a later one.
    """
    if resolved is None:
        return False
    return (moved is None or resolved >= moved) and (begin is None or resolved >= begin)


@dataclass
class Tally:
    """The sums of a sheet, device by device."""

    origins: Counter[Origin] = field(default_factory=Counter)
    ends: Counter[End] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    """Of what is present."""
    declared: int = 0
    observed: int = 0

    def add(self, item: Item) -> None:
        """One more device."""
        self.origins[origin(item)] += 1
        last = end(item)
        self.ends[last] += 1
        if last is End.PRESENT:
            self.states[str(item.after.state)] += 1
        self.declared += item.declared
        self.observed += item.observed

    @property
    def total(self) -> int:
        """Devices on the sheet."""
        return self.ends.total()

    @property
    def disposed(self) -> int:
        """Gone for good."""
        return sum(self.ends[one] for one in DISPOSED)

    @property
    def closing(self) -> int:
        """Still on the books here at the end: present, missing or unknown."""
        return self.ends[End.PRESENT] + self.ends[End.MISSING] + self.ends[End.UNKNOWN]

    def counts(self) -> dict[str, int]:
        """Every number of the sheet, by name."""
        return {
            "declared": self.declared,
            "observed": self.observed,
            "total": self.total,
            **{str(one): self.origins[one] for one in Origin},
            **{str(one): self.ends[one] for one in End},
            "disposed": self.disposed,
            "closing": self.closing,
        }


def tallied(items: Iterable[Item]) -> Tally:
    """The sums of these devices."""
    tally = Tally()
    for item in items:
        tally.add(item)
    return tally
