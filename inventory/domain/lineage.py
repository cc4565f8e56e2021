"""What the history of attachments says about data: media that had left before anybody looked, and volumes that moved with one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Presence:
    """A medium in a host, from when to when."""

    device: str
    since: datetime
    until: datetime | None
    """None: it is attached now."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A medium that may have held data for a time that is over."""

    device: str
    since: datetime
    until: datetime


def left_before(
    presences: Iterable[Presence], lived_since: datetime | None, beneath: Collection[str]
) -> tuple[Span, ...]:
    """Media that were in the host while data lay there, and had left it before an agent followed the path.

    A member of a RAID that was replaced is among them. Nobody can say any more that it did not hold the data, and unknown never
    grants: it counts as having held it for the whole time it was there.

    Args:
        presences: every attachment to the host, ended or not.
        lived_since: since when the data lay there; None: not known, so ever since the host is.
        beneath: the media an agent has found beneath the path; what is known of them, it has said.
    """
    here = {presence.device for presence in presences if presence.until is None}
    spans: dict[str, Span] = {}
    for presence in presences:
        if presence.until is None or presence.device in beneath or presence.device in here:
            continue
        begin = presence.since if lived_since is None else max(presence.since, lived_since)
        if begin >= presence.until:
            continue
        known = spans.get(presence.device)
        spans[presence.device] = Span(
            device=presence.device,
            since=begin if known is None else min(begin, known.since),
            until=presence.until if known is None else max(presence.until, known.until),
        )
    return tuple(spans[device] for device in sorted(spans))


def began(presences: Iterable[Presence], device: str, lived_since: datetime | None, found: datetime) -> datetime:
    """Since when a medium beneath a path holds the data: not since it was found there, where more is known."""
    if lived_since is None:
        return found
    first = min((presence.since for presence in presences if presence.device == device), default=found)
    return min(found, max(first, lived_since))


def moved_along(
    *, until: datetime | None, holding_host: str | None, left_host: str | None, left: datetime | None
) -> bool:
    """Whether a holding was live on a medium when it left a host, so that it came along to the next one.

    What had been deleted or unmounted before is residue there, and stays just that.
    """
    if holding_host is None or holding_host != left_host:
        return False
    return until is None or (left is not None and until >= left)
