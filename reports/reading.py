"""Reading a medium again: the sealed order, what the agent found, what the service accepted, and what follows from it.

Nothing is written to the medium. A reading is held against what the standing record of the medium claims; it can take that claim
away and never adds to it. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from .findings.canaries import content_expected
from .findings.codes import (
    PATTERN,
    REPRESENTATIVE_REGIONS,
    REPRESENTATIVE_SHARE,
    content_of,
    in_words,
    well_formed,
)
from .language import ENGLISH
from .orders import LogPosition
from .parts import StrictPart
from .record import DeviceFacts, SanitizationRecord, VerificationFacts

READING_ORDER: Final = "sanitrail/reading-order/1"
READING: Final = "sanitrail/reading/1"
READING_ACCEPTED: Final = "sanitrail/reading-accepted/1"

Finding = Literal["confirmed", "contradicted", "inconclusive"]
"""The claim holds as far as was read; other content was found; neither is shown."""


@dataclass(frozen=True, kw_only=True)
class ReadingOrder(StrictPart):
    """The payload of an envelope of kind `reading-order`: read one medium again, and write nothing."""

    schema: Literal["sanitrail/reading-order/1"] = READING_ORDER
    id: str
    kind: Literal["verify-only"] = "verify-only"
    agent_key: str
    """Key id of the one agent that may carry it out."""
    device: str
    """Fingerprint of the one medium it is about."""
    device_label: str
    record_sha256: str
    """The record whose claim is held against the medium."""
    expected: str
    """zeros, ones or fixed:HEX: what the record says stands on every block."""
    verification: Literal["representative", "full"]
    requested_by: str
    reason: str
    created: str
    expires: str
    nonce: str
    """128 random bits; seeds the choice of samples, so that the host cannot pick friendly sectors."""
    after: LogPosition


@dataclass(frozen=True, kw_only=True)
class ReadingHost(StrictPart):
    """Where it was read and by which build."""

    name: str
    agent_key: str
    agent_version: str
    kernel: str
    machine_id_sha256: str


@dataclass(frozen=True, kw_only=True)
class Reading(StrictPart):
    """The payload of an envelope of kind `reading`: facts and no conclusion, signed by the agent."""

    schema: Literal["sanitrail/reading/1"] = READING
    id: str
    """Of this reading; made by the agent."""
    order_id: str
    order_sha256: str
    """SHA-256 of the order envelope's payload bytes."""
    nonce: str
    record_sha256: str
    state: Literal["finished", "refused", "interrupted"]
    error_code: str | None
    error: str | None
    device: DeviceFacts | None
    """The medium as the agent read it; None where it was not found."""
    verification: VerificationFacts | None
    """None where nothing was read."""
    started: str
    finished: str
    host: ReadingHost
    tool: str


@dataclass(frozen=True, kw_only=True)
class ReadingAccepted(StrictPart):
    """The payload of the service's logged statement that it received a reading, and what it concluded."""

    schema: Literal["sanitrail/reading-accepted/1"] = READING_ACCEPTED
    order_id: str
    order_sha256: str
    """Envelope digest of the order."""
    reading_sha256: str
    """Envelope digest of the reading."""
    record_sha256: str
    device: str
    """Fingerprint of the medium the order names."""
    agent_key: str
    finding: Finding
    received: str


@dataclass(frozen=True)
class Judgement:
    """What a reading amounts to, with every reason."""

    finding: Finding
    reasons: tuple[str, ...]


def claimed_content(record: SanitizationRecord) -> str | None:
    """The constant that a record claims for every block; None where its content came from a key that is gone."""
    label = record.verification.expected
    if PATTERN.fullmatch(label) and label != "keyed-stream":
        return label
    content = content_expected(label)
    if content == "zeros":
        return "zeros"
    if content in {"uniform", "pattern"}:
        return f"fixed:{label.rsplit(':', 1)[1]}"
    return None


def judge_reading(order: ReadingOrder, order_sha256: str, reading: Reading) -> Judgement:
    """What a reading says about the claim it was held against. Fails closed: what is not shown is not confirmed.

    Args:
        order: the sealed order.
        order_sha256: SHA-256 of its payload bytes.
        reading: what the agent signed.
    """
    foreign = tuple(_foreign(order, order_sha256, reading))
    if foreign:
        return Judgement("inconclusive", foreign)
    check = reading.verification
    if check is not None and check.residual and _sensible(reading, check):
        ranges = ENGLISH.tell(in_words(check.residual))
        return Judgement("contradicted", (f"Other content than {order.expected} was found: {ranges}.",))
    doubts = tuple(_doubts(order, reading))
    return Judgement("inconclusive", doubts) if doubts else Judgement("confirmed", ())


def _foreign(order: ReadingOrder, order_sha256: str, reading: Reading) -> Iterator[str]:
    """Why the reading is no answer to this order."""
    for what, found, wanted in (
        ("order", (reading.order_id, reading.order_sha256, reading.nonce), (order.id, order_sha256, order.nonce)),
        ("agent", reading.host.agent_key, order.agent_key),
        ("record", reading.record_sha256, order.record_sha256),
    ):
        if found != wanted:
            yield f"It names another {what} than was asked for."
    if reading.device is not None and reading.device.fingerprint != order.device:
        yield "It was read from another medium."
    check = reading.verification
    if check is not None and content_of(check.expected) != content_of(order.expected):
        yield "It was compared with something else than the record claims."
    if check is not None and reading.device is None:
        yield "It does not say which medium was read."


def _sensible(reading: Reading, check: VerificationFacts) -> bool:
    capacity = 0 if reading.device is None else reading.device.capacity_bytes
    return well_formed(check.residual, capacity) and well_formed(check.unreadable, capacity)


def _doubts(order: ReadingOrder, reading: Reading) -> Iterator[str]:
    """Why a reading that found no other content does not confirm the claim."""
    if reading.state != "finished":
        yield f"The reading was {reading.state}: {reading.error or 'no reason was given'}"
    check, device = reading.verification, reading.device
    if check is None or device is None:
        yield "Nothing was read."
        return
    capacity = device.capacity_bytes
    if not _sensible(reading, check):
        yield "Its ranges make no sense."
    elif check.unreadable:
        yield f"Regions could not be read: {ENGLISH.tell(in_words(check.unreadable))}."
    if not check.direct_io:
        yield "The reading did not bypass the cache."
    if not check.completed or check.regions < 1 or not 0 < check.bytes_read <= capacity:
        yield "The reading did not cover what it says."
    elif check.kind == "full":
        if check.bytes_read != capacity:
            yield "The reading did not cover the whole medium."
    elif check.kind != "representative" or order.verification == "full":
        yield "Less was read than was asked for."
    else:
        yield from _sample(order, check, capacity)


def _sample(order: ReadingOrder, check: VerificationFacts, capacity: int) -> Iterator[str]:
    if check.regions < REPRESENTATIVE_REGIONS or check.bytes_read * REPRESENTATIVE_SHARE < capacity:
        yield "Too few samples were read."
    if check.seed != order.nonce or check.regions_sha256 is None:
        yield "The samples were not drawn from the order's nonce."
