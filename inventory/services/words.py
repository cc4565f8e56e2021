"""Signed words of agents, heard together: their nonces, whose keys they are, what stands about them, and what is noted.

What `nonces` and `_quiet` do one after the other for a single request is done here for all that came meanwhile, in one
transaction: the nonce is spent, key and host are asked, and what is noted is committed before anybody is answered. A word by
which something changes is only admitted here; the long way then decides about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from inventory.contract.v1.agents import Heartbeat, HeartbeatReply
from inventory.contract.v1.orders import Progress, ProgressReply
from inventory.domain.vocabulary import HostState

from ._quiet import Beat, Report, answer_beats, answer_reports, beat_of, report_of
from ._together import Together
from .context import Actor, Context
from .nonces import REMEMBERED, Owner, replayed, spend_all


@dataclass(frozen=True)
class Word:
    """A heartbeat, or a report about the run of a lease, under a signature that was verified."""

    context: Context
    key_id: str
    nonce: str
    created: datetime
    """As signed."""
    message: Heartbeat | Progress
    lease: str = ""


@dataclass(frozen=True)
class Heard:
    """What became of it. Its nonce is spent."""

    new: bool
    owner: Owner
    reply: HeartbeatReply | ProgressReply | None = None
    """None: something changes, or the key does not count; the long way decides."""


def hear(word: Word) -> Heard:
    """Spend the word's nonce; answer it where nothing changes by it.

    Raises:
        Replayed: the nonce was spent before.
        StorageFailed: nothing was committed, as far as is known.
    """
    heard = _together.add(word.context.database, word, enough=word.context.settings.threads // 2)
    if not heard.new:
        raise replayed()
    return heard


def _hear_all(session: Session, words: Sequence[Word]) -> list[Heard]:
    spent = spend_all(session, [(word.key_id, word.nonce, word.created + REMEMBERED) for word in words])
    heard = [Heard(new, owner) for new, owner in spent]
    beats: list[tuple[int, Beat]] = []
    reports: list[tuple[int, Report]] = []
    for number, (word, (new, owner)) in enumerate(zip(words, spent, strict=True)):
        if not new or owner is None or owner[1] is not HostState.CONFIRMED:
            continue
        actor = Actor(owner[0], "agent", key_id=word.key_id)
        if isinstance(word.message, Heartbeat):
            if (beat := beat_of(word.context, actor, word.message)) is not None:
                beats.append((number, beat))
        elif (report := report_of(word.context, actor, word.lease, word.message)) is not None:
            reports.append((number, report))
    if beats:
        for (number, _), told in zip(beats, answer_beats(session, [beat for _, beat in beats]), strict=True):
            heard[number] = Heard(new=True, owner=spent[number][1], reply=told)
    if reports:
        for (number, _), said in zip(reports, answer_reports(session, [one for _, one in reports]), strict=True):
            heard[number] = Heard(new=True, owner=spent[number][1], reply=said)
    return heard


_together: Final = Together(_hear_all)
