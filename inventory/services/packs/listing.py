"""The tables of a pack, and how rows come into them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.balance import Tally, differences_of
from inventory.models import (
    AuditPack,
    Certificate,
    Correction,
    Destruction,
    DirectoryRow,
    Hold,
    Holding,
    Host,
    Location,
    LotDevice,
    Paper,
    Party,
    PolicyVersion,
    Statement,
    Undertaking,
)
from inventory.services._scope import within
from inventory.services.kernel import stamp
from reports.pack.contents import Account

from .accounts import Gathered, balance_item
from .clauses import CHECKED_WORDS, PARTS, Mapped
from .scope import device_ids
from .tables import Rows, Table

TABLES: Final[tuple[Table, ...]] = (
    Table(
        "devices",
        "Devices",
        (
            "Device", "Asset tag", "Manufacturer", "Model", "Serial", "Media", "Capacity bytes", "State", "Place",
            "Account", "What became of it", "Documents", "Exceptions",
        ),
    ),
    Table("balance", "Balance", ("Kind", "Name", "Devices")),
    Table("exceptions", "Exceptions", ("Device", "Serial", "Code", "Exception")),
    Table("documents", "Documents", ("Device", "Number", "Kind", "Standing", "Evidence SHA-256", "PDF SHA-256")),
    Table(
        "records",
        "Records",
        (
            "Device", "Order", "Host", "Outcome", "Method", "Coverage", "Received", "Log index", "Record SHA-256",
            "Decision", "Validator", "Decided",
        ),
    ),
    Table(
        "history",
        "History",
        ("Event", "Time", "Device", "What", "By", "Subject", "Order", "Reason", "Details"),
    ),
    Table(
        "destructions",
        "Destructions",
        (
            "Destruction", "Device", "Method", "Machine", "Facility", "Particle size mm", "Performed", "Operator",
            "Witness", "Validator", "Decision", "Evidence SHA-256",
        ),
    ),
    Table("waivers", "Waivers", ("Waiver", "Device", "Destination", "Reason", "Opened by", "Countersigned by", "Expires")),
    Table("holds", "Holds", ("Hold", "Kind", "Device", "Data set", "Reference", "Reason", "Placed", "By", "Lifted")),
    Table("statements", "Statements", ("Number", "Kind", "About", "Issued", "Complete", "Standing", "Log index")),
    Table(
        "lots",
        "Lots",
        (
            "Lot", "Name", "Purpose", "Destination", "Party", "State", "Devices here", "Opened", "Opened by", "Closed",
            "Closed by", "Closings", "Log index", "Closing SHA-256",
        ),
    ),
    Table(
        "hand-overs",
        "Hand-overs",
        (
            "Hand-over", "State", "Lot", "From party", "From place", "To party", "To place", "Destination", "Offered count",
            "Counted", "Seals", "Seals counted", "Offered", "Offered by", "Answered", "Answered by", "Differences",
            "Log index", "SHA-256",
        ),
    ),
    Table(
        "samples",
        "Samples",
        (
            "Sample", "Lot", "Closing", "Percent", "Population", "State", "Drawn", "Drawn by", "Device", "Record SHA-256",
            "Examiner", "Reading", "Finding", "Tool", "Note", "Evidence SHA-256", "Found", "Log index",
        ),
    ),
    Table(
        "readings",
        "Readings",
        (
            "Reading", "Device", "Host", "Record SHA-256", "Expected", "Verification", "State", "Asked by", "Reason",
            "Asked", "Ended", "Why it ended so", "Log index",
        ),
    ),
    Table(
        "balances",
        "Closed balances",
        (
            "Balance", "Scope", "Begins", "Ends before", "Devices", "Declared", "Observed", "Disposed of", "Present",
            "Differences", "Closed", "Closed by", "Log index", "SHA-256",
        ),
    ),
    Table("policies", "Policies", ("Policy", "In force from", "Until", "By", "Reason", "SHA-256", "File")),
    Table("agents", "Agents", ("Host", "Name", "State", "Key", "Enrolled at log index", "Revoked at log index")),
    Table("places", "Places", ("Place", "Name", "Zone", "Address", "Party")),
    Table("parties", "Parties", ("Party", "Name", "Kind")),
    Table("undertakings", "Undertakings", ("Undertaking", "Party", "Scope", "Valid from", "Valid until", "Document SHA-256")),
    Table("people", "People", ("Reference", "Name", "Title")),
    Table("clauses", "Clauses", ("Standard", "Clause", "Asks", "Evidence here", "Not here", "Gap", "Who", "Checked")),
)  # fmt: skip


def moment(value: datetime | None) -> str:
    """A time as a table writes it; empty where there is none."""
    return "" if value is None else stamp(value)


@dataclass
class Listing:
    """Every table under way, and the sums that pages show."""

    tables: dict[str, Rows] = field(default_factory=lambda: {table.name: Rows(table) for table in TABLES})
    accounts: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    """How much of each part of `clauses.PARTS` there is."""
    people: set[str] = field(default_factory=set)
    requester: str = ""
    """The name of whoever asked for the pack, where names were asked for."""
    hosts: set[str] = field(default_factory=set)
    locations: set[str] = field(default_factory=set)
    parties: set[str] = field(default_factory=set)
    excepted: int = 0
    tally: Tally = field(default_factory=Tally)
    named: Counter[str] = field(default_factory=Counter)
    """Difference of the balance -> devices."""

    def close(self) -> None:
        """Every temporary file is gone."""
        for rows in self.tables.values():
            rows.close()

    def device(self, one: Gathered, account: Account) -> None:
        """Everything about one device."""
        device = account.device
        self.accounts[account.account] += 1
        self.excepted += bool(account.exceptions)
        self.counts["devices"] += 1
        if one.device.bound_to is None:
            counted = balance_item(one)
            self.tally.add(counted)
            self.named.update(str(found.code) for found in differences_of(counted))
        self.tables["devices"].add(
            device.id, device.asset_tag, device.manufacturer, device.model, device.serial, device.media_type,
            device.capacity_bytes, account.state, account.place, account.account, account.sentence,
            " ".join(item.number for item in account.documents), len(account.exceptions),
        )  # fmt: skip
        for problem in account.exceptions:
            self.tables["exceptions"].add(device.id, device.serial, problem.code, problem.sentence)
            self.counts["exceptions"] += 1
        for item in account.documents:
            self.tables["documents"].add(
                device.id, item.number, item.kind, item.standing, item.evidence_sha256, item.pdf_sha256
            )
            self.counts["unsuccessful" if item.kind == "unsuccessful-run" else "documents"] += 1
        for event in account.history:
            self.tables["history"].add(
                event.id, event.time, device.id, event.event, event.actor, event.subject, event.order,
                event.reason, event.details,
            )  # fmt: skip
            self.counts["custody"] += 1
        self._more(one)

    def _more(self, one: Gathered) -> None:
        device = one.device
        self.people |= {event.actor for event in one.history if event.actor_kind == "person"}
        self.locations |= {device.location_id} if device.location_id else set()
        self.parties |= {device.party_id} if device.party_id else set()
        for record, validation in one.records:
            self.hosts.add(record.host_id)
            self.tables["records"].add(
                device.id, record.order_id, record.host_id, record.outcome, record.method, record.coverage,
                moment(record.received), record.log_index, record.sha256,
                None if validation is None else str(validation.decision),
                None if validation is None else validation.validator,
                "" if validation is None else moment(validation.at),
            )  # fmt: skip
            self.counts["records"] += 1
        for destruction in one.destructions:
            self.tables["destructions"].add(
                destruction.id, device.id, destruction.method, destruction.machine, destruction.facility,
                destruction.particle_size_mm, moment(destruction.performed), destruction.operator, destruction.witness,
                destruction.validator, destruction.decision, " ".join(destruction.evidence),
            )  # fmt: skip
            self.counts["destructions"] += 1
        for waiver in one.waivers:
            self.tables["waivers"].add(
                waiver.id, device.id, waiver.destination, waiver.reason, waiver.opened_by, waiver.countersigned_by,
                moment(waiver.expires),
            )  # fmt: skip


def fill_rest(session: Session, listing: Listing, row: AuditPack, scope: sa.Select[Any]) -> None:
    """The tables that are not about one device: holds, agents, places, vendors, policies, people."""
    held = sa.select(Holding.data_set_id).where(Holding.device_id.in_(scope))
    lots = sa.select(LotDevice.lot_id).where(LotDevice.device_id.in_(scope), LotDevice.removed.is_(None))
    for hold in session.scalars(
        sa.select(Hold)
        .where(
            sa.or_(Hold.device_id.in_(scope), Hold.data_set_id.in_(held), Hold.lot_id.in_(lots)), *within(session, Hold)
        )
        .order_by(Hold.id)
    ):
        listing.tables["holds"].add(
            hold.id, hold.kind, hold.device_id, hold.data_set_id, hold.reference, hold.reason, moment(hold.placed),
            hold.placed_by, moment(hold.lifted),
        )  # fmt: skip
        listing.counts["holds"] += 1
        listing.people.add(hold.placed_by)
    for host in session.scalars(
        sa.select(Host).where(Host.id.in_(listing.hosts), *within(session, Host)).order_by(Host.id)
    ):
        listing.tables["agents"].add(
            host.id, host.name, str(host.state), host.key_id, host.enrolled_index, host.revoked_index
        )
        listing.counts["agents"] += 1
    places = sa.select(Location).where(Location.id.in_(listing.locations), *within(session, Location))
    for place in session.scalars(places.order_by(Location.id)):
        listing.tables["places"].add(place.id, place.name, str(place.zone), place.address, place.party_id)
        listing.counts["places"] += 1
        listing.parties |= {place.party_id} if place.party_id else set()
    _vendors(session, listing)
    _policies(session, listing)
    _people(session, listing, row)


def _vendors(session: Session, listing: Listing) -> None:
    for party in session.scalars(sa.select(Party).where(Party.id.in_(listing.parties)).order_by(Party.id)):
        listing.tables["parties"].add(party.id, party.name, str(party.kind))
        listing.counts["vendors"] += 1
    for paper in session.scalars(
        sa.select(Undertaking).where(Undertaking.party_id.in_(listing.parties)).order_by(Undertaking.id)
    ):
        listing.tables["undertakings"].add(
            paper.id,
            paper.party_id,
            paper.scope,
            moment(paper.valid_from),
            moment(paper.valid_until),
            paper.document_sha256,
        )


def _policies(session: Session, listing: Listing) -> None:
    for policy in session.scalars(sa.select(PolicyVersion).order_by(PolicyVersion.since, PolicyVersion.id)):
        listing.tables["policies"].add(
            policy.id, moment(policy.since), moment(policy.until), policy.by, policy.reason, policy.sha256,
            f"policies/{policy.sha256[:16]}.json",
        )  # fmt: skip
        listing.counts["policies"] += 1
        listing.people.add(policy.by)


def _people(session: Session, listing: Listing, row: AuditPack) -> None:
    if row.names != "full":
        return
    listing.people.add(row.requested_by)
    for person in session.scalars(
        sa.select(DirectoryRow).where(DirectoryRow.ref.in_(listing.people)).order_by(DirectoryRow.ref)
    ):
        if person.ref == row.requested_by:
            listing.requester = person.name
        listing.tables["people"].add(person.ref, person.name, person.title)


def statements(session: Session, row: AuditPack) -> list[tuple[str, str, str, datetime, bool, str, int]]:
    """Documents about the scope as a whole: number, kind, subject, issued, complete, envelope digest, log index."""
    found: list[tuple[str, str, str, datetime, bool, str, int]] = []
    if row.scope == "case":
        found += [
            (one.number, "erasure-statement", one.case_id, one.issued, one.complete, one.sha256, one.log_index)
            for one in session.scalars(
                sa.select(Statement).where(Statement.case_id == row.reference).order_by(Statement.log_index)
            )
        ]
    papers = sa.select(Paper).where(Paper.issued.is_not(None), *within(session, Paper))
    if row.scope == "lot":
        papers = papers.where(Paper.number == row.reference)
    elif row.scope == "period":
        papers = papers.where(Paper.kind != "destruction", Paper.issued >= row.begin, Paper.issued < row.end)
    else:
        return found
    for paper in session.scalars(papers.order_by(Paper.number)):
        kind = "processor-statement" if paper.kind == "processor" else paper.kind
        if paper.issued is not None and paper.sha256 is not None and paper.log_index is not None:
            found.append((paper.number, kind, paper.title, paper.issued, paper.complete, paper.sha256, paper.log_index))
    return found


def list_balance(listing: Listing) -> None:
    """The balance of the scope as a table: numbers, then how many devices each difference has."""
    for name, devices in listing.tally.counts().items():
        listing.tables["balance"].add("number", name, devices)
    for code, devices in sorted(listing.named.items()):
        listing.tables["balance"].add("difference", code, devices)


def list_clauses(listing: Listing, mapped: tuple[Mapped, ...]) -> None:
    """The clauses as a table."""
    for one in mapped:
        clause = one.clause
        listing.tables["clauses"].add(
            clause.standard, clause.clause, clause.asks,
            "; ".join(f"{PARTS[part][0]}: {count}" for part, count in one.found),
            "; ".join(PARTS[part][0] for part in one.absent), clause.gap, clause.who, CHECKED_WORDS[clause.checked],
        )  # fmt: skip


def corrections_seen(session: Session, row: AuditPack) -> sa.Select[Any]:
    """Corrections of documents about the scope's devices, and of its statements: for whoever sees a part only."""
    scope = device_ids(session, row)
    own = [one[5] for one in statements(session, row)]
    runs = sa.select(Certificate.sha256).where(Certificate.device_id.in_(scope))
    destroyed = (
        sa.select(Paper.sha256)
        .join(Destruction, Destruction.id == Paper.subject)
        .where(Destruction.device_id.in_(scope))
    )
    return sa.select(Correction.sha256).where(
        sa.or_(
            Correction.document_sha256.in_(runs),
            Correction.document_sha256.in_(destroyed),
            Correction.document_sha256.in_(own),
        )
    )
