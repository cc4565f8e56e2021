"""How the media of a pack travelled and were counted: lots and their closings, hand-overs, samples, readings, balances.

Which of them: those that any device of the scope was part of; and the balances closed of the pack's lots, its place or its
period. About one customer, a closing or hand-over that names other media, too, stands in the tables only: whoever is shown that
customer's media need not see the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from inventory.domain.balance import ScopeKind
from inventory.models import (
    AuditPack,
    Balance,
    Handover,
    HandoverDevice,
    Location,
    Lot,
    LotDevice,
    Reading,
    Sample,
    SampleDevice,
)
from inventory.services._samples import sample_file
from inventory.services._scope import within
from inventory.services._sheets import balance_file
from inventory.services.context import Context

from .listing import Listing, moment

Numbers = sa.Select[Any]


@dataclass(frozen=True)
class Travel:
    """What belongs to a pack, each as a query for numbers."""

    lots: Numbers
    handovers: Numbers
    samples: Numbers
    readings: Numbers
    balances: Numbers
    whole_lots: Numbers
    """Lots whose closings are shown: of a pack about one customer, those with nothing else in them."""
    whole_handovers: Numbers


LOG_FILES: Final = (
    ("lot-closings", "custody", "whole_lots", "lots"),
    ("hand-overs", "custody", "whole_handovers", "handovers"),
    ("samples", "custody", "samples", "samples"),
    ("readings", "statement", "readings", "readings"),
    ("balances", "statement", "balances", "balances"),
)
"""Name in `log/`, kind of entry, whose entries (`Travel`), part of `clauses.PARTS`."""


def travel_of(session: Session, row: AuditPack, scope: sa.Select[Any]) -> Travel:
    """What belongs to a pack about these devices, as far as whoever asked sees it."""
    inside = sa.select(LotDevice.lot_id).where(LotDevice.device_id.in_(scope))
    lots = sa.select(Lot.id).where(Lot.id.in_(inside), *within(session, Lot))
    handed = sa.select(HandoverDevice.handover_id).where(HandoverDevice.device_id.in_(scope))
    handovers = sa.select(Handover.id).where(Handover.id.in_(handed), *within(session, Handover))
    whole_lots, whole_handovers = lots, handovers
    if row.scope == "case":
        other, strange = aliased(LotDevice), aliased(HandoverDevice)
        whole_lots = lots.where(~sa.exists().where(other.lot_id == Lot.id, other.device_id.not_in(scope)))
        whole_handovers = handovers.where(
            ~sa.exists().where(strange.handover_id == Handover.id, strange.device_id.not_in(scope))
        )
    return Travel(
        lots=lots,
        handovers=handovers,
        samples=sa.select(Sample.id).where(Sample.lot_id.in_(whole_lots), *within(session, Sample)),
        readings=sa.select(Reading.id).where(Reading.device_id.in_(scope), *within(session, Reading)),
        balances=_balances(session, row, whole_lots),
        whole_lots=whole_lots,
        whole_handovers=whole_handovers,
    )


def _balances(session: Session, row: AuditPack, lots: Numbers) -> Numbers:
    about = [sa.and_(Balance.scope == ScopeKind.LOT, Balance.reference.in_(lots))]
    if row.scope == "site":
        site = sa.select(Location.site_id).where(Location.id == row.reference, Location.site_id.is_not(None))
        about += [
            sa.and_(Balance.scope == ScopeKind.PLACE, Balance.reference == row.reference),
            sa.and_(Balance.scope == ScopeKind.SITE, Balance.reference.in_(site)),
        ]
    elif row.scope == "period":
        about.append(sa.and_(Balance.closed >= row.begin, Balance.closed < row.end))
    return sa.select(Balance.id).where(
        Balance.closed.is_not(None), Balance.log_index < row.size, sa.or_(*about), *within(session, Balance)
    )


def files(session: Session, context: Context, row: AuditPack, travel: Travel) -> Iterator[tuple[str, bytes]]:
    """Draws and balances as the verifier repeats them: name of the member, and its content."""
    for number in session.scalars(travel.samples.where(Sample.log_index < row.size).order_by(Sample.id)).all():
        sample = session.get_one(Sample, number)
        yield f"samples/{number}.json", sample_file(session, context, sample, row.size).to_bytes()
    for number in session.scalars(travel.balances.order_by(Balance.id)).all():
        balance = session.get_one(Balance, number)
        yield f"balances/{number}.json", balance_file(session, context, balance, row.size).to_bytes()
        session.expunge_all()


def fill(session: Session, listing: Listing, travel: Travel, scope: sa.Select[Any]) -> None:
    """The tables."""
    _lots(session, listing, travel, scope)
    for one in session.scalars(sa.select(Handover).where(Handover.id.in_(travel.handovers)).order_by(Handover.id)):
        listing.tables["hand-overs"].add(
            one.id, str(one.state), one.lot_id, one.from_party, one.from_location, one.to_party, one.to_location,
            one.destination, one.count, one.counted, " ".join(one.seals), " ".join(one.counted_seals or ()),
            moment(one.offered), one.offered_by, moment(one.answered), one.answered_by, len(one.differences),
            one.log_index, one.sha256,
        )  # fmt: skip
        listing.counts["handovers"] += 1
        listing.people.add(one.offered_by)
        listing.parties |= {party for party in (one.from_party, one.to_party) if party is not None}
    for sample, row in session.execute(
        sa.select(Sample, SampleDevice)
        .join(SampleDevice, SampleDevice.sample_id == Sample.id)
        .where(Sample.lot_id.in_(travel.lots), SampleDevice.device_id.in_(scope), *within(session, Sample))
        .order_by(Sample.id, SampleDevice.device_id)
    ):
        listing.tables["samples"].add(
            sample.id, sample.lot_id, sample.closing, sample.percent, sample.population, str(sample.state),
            moment(sample.drawn), sample.drawn_by, row.device_id, row.record_sha256, row.assigned_to, row.reading_id,
            None if row.finding is None else str(row.finding), row.tool, row.note, " ".join(row.evidence),
            moment(row.found), sample.log_index,
        )  # fmt: skip
        listing.people |= {sample.drawn_by} | ({row.assigned_to} if row.assigned_to else set())
    for reading in session.scalars(sa.select(Reading).where(Reading.id.in_(travel.readings)).order_by(Reading.id)):
        listing.tables["readings"].add(
            reading.id, reading.device_id, reading.host_id, reading.record_sha256, reading.expected,
            reading.verification, str(reading.state), reading.requested_by, reading.reason, moment(reading.created),
            moment(reading.ended), "; ".join(reading.reasons), reading.log_index,
        )  # fmt: skip
        listing.people.add(reading.requested_by)
        listing.hosts.add(reading.host_id)
    for balance in session.scalars(sa.select(Balance).where(Balance.id.in_(travel.balances)).order_by(Balance.id)):
        counts = balance.counts
        listing.tables["balances"].add(
            balance.id, balance.words, moment(balance.begin), moment(balance.end), counts["total"],
            counts["declared"], counts["observed"], counts["disposed"], counts["present"], balance.differences,
            moment(balance.closed), balance.closed_by, balance.log_index, balance.sha256,
        )  # fmt: skip
        listing.people |= {balance.drawn_by} | ({balance.closed_by} if balance.closed_by else set())


def _lots(session: Session, listing: Listing, travel: Travel, scope: sa.Select[Any]) -> None:
    here = (
        sa.select(LotDevice.lot_id, sa.func.count())
        .where(LotDevice.lot_id.in_(travel.lots), LotDevice.device_id.in_(scope), LotDevice.removed.is_(None))
        .group_by(LotDevice.lot_id)
    )
    devices = dict(session.execute(here).all())
    for lot in session.scalars(sa.select(Lot).where(Lot.id.in_(travel.lots)).order_by(Lot.id)):
        listing.tables["lots"].add(
            lot.id, lot.name, str(lot.purpose), lot.destination, lot.party_id, str(lot.state), devices.get(lot.id, 0),
            moment(lot.opened), lot.opened_by, moment(lot.closed), lot.closed_by, lot.closings, lot.closed_index,
            lot.closed_sha256,
        )  # fmt: skip
        listing.people |= {lot.opened_by} | ({lot.closed_by} if lot.closed_by else set())
        listing.parties |= {lot.party_id} if lot.party_id else set()
