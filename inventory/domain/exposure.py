"""Why data of customers who withdrew is still on a medium, and whether whoever has the medium could read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from .vocabulary import DeviceState


class Why(StrEnum):
    """The one reason that keeps a medium exposed now; the first that applies, in this order."""

    MISSING = "missing"
    LEFT = "left"
    """It left our control, and nothing covers what it held."""
    HELD = "held"
    FAILED = "failed"
    ORDERED = "ordered"
    IN_USE = "in-use"
    WAITS = "waits"


WORDS: Final[Mapping[Why, str]] = {
    Why.MISSING: "Missing",
    Why.LEFT: "Left us uncovered",
    Why.HELD: "Under a hold",
    Why.FAILED: "Sanitization failed",
    Why.ORDERED: "Sanitization ordered",
    Why.IN_USE: "Still in use",
    Why.WAITS: "Waits for an order",
}
"""As a page says it."""

SENTENCES: Final[Mapping[Why, str]] = {
    Why.MISSING: "Nobody knows where the medium is. Find it, or report the incident to whoever must hear of it.",
    Why.LEFT: "The medium left without a validated record that covers the data. Get it back, or proof of its destruction.",
    Why.HELD: "A legal or investigation hold forbids to destroy it. It can be sanitized once the hold is lifted.",
    Why.FAILED: "The last run did not succeed. Sanitize it again by another technique, or destroy it.",
    Why.ORDERED: "An order is open. It waits for approvals, for its agent, or for its validator.",
    Why.IN_USE: "The medium is in service. It is sanitized when it leaves service; until then the data lies on it as residue.",
    Why.WAITS: "The medium is out of use, and nobody has ordered its sanitization or destruction.",
}
"""What is true, and what to do."""

GRAVITY: Final = tuple(Why)
"""Gravest first."""

_OUTSIDE: Final = frozenset({DeviceState.RELEASED, DeviceState.DESTROYED, DeviceState.RETURNED_UNSANITIZED_BY_WAIVER})
_USED: Final = frozenset({DeviceState.DECLARED, DeviceState.IN_SERVICE})


def why_exposed(state: DeviceState, *, held: bool, ordered: bool) -> Why:
    """Why a medium whose holding nothing covers is still exposed."""
    if state is DeviceState.MISSING:
        return Why.MISSING
    if state in _OUTSIDE:
        return Why.LEFT
    if held:
        return Why.HELD
    if ordered or state is DeviceState.SANITIZING:
        return Why.ORDERED
    if state is DeviceState.FAILED:
        return Why.FAILED
    return Why.IN_USE if state in _USED else Why.WAITS


class Readable(StrEnum):
    """Whether whoever has a medium can read what it holds. Unknown is treated as yes."""

    YES = "yes"
    UNKNOWN = "unknown"
    WITH_KEYS = "with-keys"
    """Only with keys that are kept elsewhere."""
    NOTHING = "nothing"
    """Nothing uncovered is known to be on it."""


_ENCRYPTED: Final = frozenset({"software", "self-encrypting"})


def readable(encryptions: Iterable[tuple[str, str | None]], *, contents_known: bool) -> Readable:
    """The worst of what is known of each data set on a medium.

    Args:
        encryptions: of each uncovered data set, what is known of its encryption, and who holds the keys.
        contents_known: whether anybody or any agent has said what the medium holds.
    """
    found = {_one(encryption, holder) for encryption, holder in encryptions}
    if Readable.YES in found:
        return Readable.YES
    if Readable.UNKNOWN in found or not contents_known:
        return Readable.UNKNOWN
    return Readable.WITH_KEYS if found else Readable.NOTHING


def _one(encryption: str, holder: str | None) -> Readable:
    if encryption == "none":
        return Readable.YES
    # Encrypted by keys nobody names may be encrypted by keys that lie on the medium itself.
    return Readable.WITH_KEYS if encryption in _ENCRYPTED and holder else Readable.UNKNOWN


READABLE_SENTENCES: Final[Mapping[Readable, str]] = {
    Readable.YES: "Whoever has the medium can read data on it: it is not encrypted.",
    Readable.UNKNOWN: "It is not known that the data is encrypted by keys kept elsewhere. Treat it as readable.",
    Readable.WITH_KEYS: "The data is said to be encrypted by keys kept elsewhere. Whoever has the medium needs them to read it.",
    Readable.NOTHING: "Nothing uncovered is known to be on the medium.",
}
