"""How somebody without an account answers a hand-over: a link that shows this one alone, counts once, ends, can be revoked.

Its secret is 256 random bits, shown once, kept as a digest. Whoever tries secrets is slowed down by address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.handovers import HandoverState
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid, NotFound, NotSignedIn, TooManyAttempts
from inventory.events import Tag
from inventory.models import Handover, HandoverLink, Location, Party, SignInAttempt, Undertaking

from ._handovers import link_view
from .context import Actor, Context, authorize
from .handovers import AnswerHandover, answer_within
from .kernel import digest_of_secret, find, new_secret, next_number, note, required
from .views.handovers import DownstreamHandover, HandoverLinkView

LONGEST: Final = timedelta(days=30)
WINDOW: Final = timedelta(minutes=5)
WRONG: Final = 10
"""Wrong secrets one address may try within the window."""


@dataclass(frozen=True, kw_only=True)
class MakeLink:
    """A link for the receiver of a hand-over that leaves our control."""

    handover: str
    lifetime: timedelta = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class AnswerByLink:
    """What the receiver counted, and who counted it."""

    secret: str
    receiver: str
    """Name of whoever answers, as they write it."""
    counted: AnswerHandover


def make(context: Context, actor: Actor, command: MakeLink) -> tuple[HandoverLinkView, str]:
    """A fresh link, with its secret, which is shown once; earlier ones end. Permission `handover.take_part`.

    Raises:
        Conflict: the hand-over waits for no answer, or stays within our control (a person answers it).
        NotFound, Invalid.
    """
    authorize(actor, Permission.HANDOVER)
    if not timedelta(minutes=10) <= command.lifetime <= LONGEST:
        raise Invalid("lifetime", f"A link lives between ten minutes and {LONGEST.days} days.")
    secret, digest = new_secret()
    with context.writing(actor) as session:
        row = find(session, Handover, command.handover, "hand-over")
        if row.state is not HandoverState.OFFERED:
            raise Conflict(f"Hand-over {row.id} is {row.state}; there is nothing to answer.")
        if not row.outward:
            raise Conflict(f"Hand-over {row.id} stays within our control: somebody at the receiving place answers it.")
        now = context.now()
        for earlier in session.scalars(_live(now).where(HandoverLink.handover_id == row.id)):
            earlier.revoked = now
        link = HandoverLink(
            id=next_number(session, "handover_link"),
            secret_sha256=digest,
            handover_id=row.id,
            created=now,
            created_by=actor.ref,
            expires=now + command.lifetime,
        )
        session.add(link)
        session.flush()
        details = {"link": link.id, "expires": link.expires.isoformat()}
        note(session, context, actor, Tag.HANDOVER_LINK_CREATED, "handover", row.id, details=details)
        return link_view(link), secret


def revoke(context: Context, actor: Actor, handover: str, link: str) -> HandoverLinkView:
    """It opens nothing any more. Permission `handover.take_part`. Raises `NotFound`, `Conflict` (used)."""
    authorize(actor, Permission.HANDOVER)
    with context.writing(actor) as session:
        row = find(session, Handover, handover, "hand-over")
        found = session.get(HandoverLink, link)
        if found is None or found.handover_id != row.id:
            raise NotFound("link", link)
        if found.used is not None:
            raise Conflict(f"Link {found.id} was used: the hand-over is answered.")
        if found.revoked is None:
            found.revoked = context.now()
            note(session, context, actor, Tag.HANDOVER_LINK_REVOKED, "handover", row.id, details={"link": found.id})
        session.flush()
        return link_view(found)


def peek(context: Context, secret: str, address: str) -> DownstreamHandover:
    """What the link's holder sees. Raises `NotSignedIn` (unknown, used, revoked or over), `TooManyAttempts`."""
    _slow_down(context, secret, address)
    with context.reading() as session:
        _, row = _opened(session, context, secret)
        return _seen(session, context, row)


def answer(context: Context, command: AnswerByLink, address: str) -> DownstreamHandover:
    """Take the receiver's answer; the link is spent with it.

    Raises:
        NotSignedIn: unknown, used, revoked or over.
        Conflict: the gate has closed since the offer. The receiver is told no more than that; our people see why.
        TooManyAttempts, Invalid.
    """
    _slow_down(context, command.secret, address)
    receiver = required("receiver", command.receiver, least=2, most=200)
    with context.writing() as session:
        link, row = _opened(session, context, command.secret)
        who = Actor(link.id, "link")
        refused = answer_within(session, context, who, row, command.counted)
        if refused is None:
            link.used, link.revoked, link.receiver = context.now(), None, receiver
            session.flush()
            return _seen(session, context, row)
    raise Conflict(
        "The sender may not hand this over as things stand, and has been told. Nothing has changed hands:"
        " keep it closed and apart, and call the sender."
    )


def erase_receiver(context: Context, actor: Actor, handover: str, link: str) -> HandoverLinkView:
    """Forget the name somebody wrote when they answered; no proof names it. Permission `people.manage`. Raises `NotFound`."""
    authorize(actor, Permission.PEOPLE_MANAGE)
    with context.writing(actor) as session:
        row = find(session, Handover, handover, "hand-over")
        found = session.get(HandoverLink, link)
        if found is None or found.handover_id != row.id:
            raise NotFound("link", link)
        found.receiver = ""
        session.flush()
        return link_view(found)


def _live(now: object) -> sa.Select[HandoverLink]:
    return sa.select(HandoverLink).where(
        HandoverLink.used.is_(None), HandoverLink.revoked.is_(None), HandoverLink.expires > now
    )


def _opened(session: Session, context: Context, secret: str) -> tuple[HandoverLink, Handover]:
    """The link's hand-over. Says no more than that where there is none."""
    link = session.scalar(_live(context.now()).where(HandoverLink.secret_sha256 == digest_of_secret(secret)))
    row = session.get(Handover, link.handover_id) if link is not None else None
    if link is None or row is None or row.state is not HandoverState.OFFERED:
        raise NotSignedIn("link")
    return link, row


def _slow_down(context: Context, secret: str, address: str) -> None:
    """Count wrong secrets by address, in rows, so that all processes share one count. A right one costs nothing."""
    key = digest_of_secret(f"handover-link\x00{address}")
    with context.reading() as session:
        now = context.now()
        recent = sa.select(SignInAttempt.at).where(SignInAttempt.key_sha256 == key, SignInAttempt.at > now - WINDOW)
        times = session.scalars(recent).all()
        known = session.scalar(_live(now).where(HandoverLink.secret_sha256 == digest_of_secret(secret)))
    if len(times) >= WRONG:
        raise TooManyAttempts(max(1, int((min(times) + WINDOW - now).total_seconds())))
    if known is None:
        with context.writing() as session:
            session.add(SignInAttempt(key_sha256=key, at=now))


def _seen(session: Session, context: Context, row: Handover) -> DownstreamHandover:
    party = session.get(Party, row.to_party) if row.to_party else None
    place = session.get(Location, row.to_location) if row.to_location else None
    now = context.now()
    bound = session.scalars(
        sa.select(Undertaking)
        .where(Undertaking.party_id == row.to_party, Undertaking.valid_from <= now, Undertaking.valid_until > now)
        .order_by(Undertaking.id)
    )
    organisation = context.settings.organisation
    return DownstreamHandover(
        number=row.id,
        state=row.state,
        sender=organisation.name,
        sender_contact=organisation.contact,
        receiver=party.name if party else "",
        place=", ".join(part for part in (place.name, place.address) if part) if place else "",
        destination=row.destination,
        containers=tuple(row.containers),
        note=row.note,
        restrictions=tuple(f"{one.scope} (until {one.valid_until:%Y-%m-%d})" for one in bound),
        answer_by=row.answer_by,
        counted=row.counted,
        counted_seals=None if row.counted_seals is None else tuple(row.counted_seals),
        differences=tuple(one["sentence"] for one in row.differences),
        statement=row.sha256,
    )
