"""Makes a pack while it is sent: members in their order, each part handed on as soon as it is there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.models import AuditPack, Correction, LogEntry, PolicyVersion, Seal, TimeStamp
from inventory.services._anchor import anchor_at
from inventory.services._scope import within
from inventory.services._sealing import organization
from inventory.services.context import Context
from inventory.services.kernel import load_envelope, stamp
from reports.anchor import open_state
from reports.bundle import encode_hashes
from reports.canonical import canonical, sha256_hex, to_base64
from reports.pack.archive import CHUNK, ArchiveWriter
from reports.pack.contents import (
    HEAD_NAME,
    MANIFEST_BEGIN,
    MANIFEST_END,
    MANIFEST_NAME,
    SAMPLE_NAME,
    SEAL_NAME,
    Account,
    LoggedLine,
    Manifest,
    PackHead,
    PackSeal,
    PackStatement,
    Sample,
    Sampling,
    StampLine,
    sample_size,
)
from reports.statements import Organization
from reports.tlog import Checkpoint
from reports.trust import open_chain

from . import pages, travel
from .accounts import account, batches, gather, standings
from .clauses import hold_against
from .listing import Listing, corrections_seen, fill_rest, list_balance, list_clauses, moment, statements
from .scope import device_ids, scope_of
from .tables import as_csv, as_json_lines, workbook

_LOG_FILES: Final = (
    ("trust-roots", "trust-root", ""),
    ("key-events", "key-event", "keys"),
    ("rosters", "roster", "rosters"),
    ("corrections", "correction", "corrections"),
    ("time-stamps", "time-stamp", ""),
)
"""Name in `log/`, kind of entry, part of `clauses.PARTS`."""
_PACKED_ALREADY: Final = 1


@dataclass
class Outbox:
    """Bytes that wait to be sent."""

    parts: bytearray = field(default_factory=bytearray)

    def take(self) -> bytes:
        """Everything that waits."""
        found = bytes(self.parts)
        self.parts.clear()
        return found

    @property
    def full(self) -> bool:
        """Whether it is time to send."""
        return len(self.parts) >= CHUNK


class PackMaker:
    """One pack under way."""

    def __init__(self, context: Context, row: AuditPack) -> None:
        self._context = context
        self._row = row
        self._directory = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._listed = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self.outbox = Outbox()
        self.finished = False
        """Set by whoever has taken its last byte."""
        self._archive = ArchiveWriter(self.outbox.parts.extend, self._directory)
        self._manifest = Manifest()
        self._listing = Listing()
        self._documents = 0
        self._head_sha256 = ""
        self._organization: Organization = organization(context)
        self._sample: Sample

    def close(self) -> None:
        """Every temporary file is gone."""
        self._directory.close()
        self._listed.close()
        self._listing.close()

    @property
    def sent(self) -> int:
        """Bytes so far."""
        return self._archive.offset

    # -- members ----------------------------------------------------------------------------------------------------------

    def _put(self, name: str, parts: Iterator[bytes], *, level: int = 6) -> Iterator[None]:
        written = ("", 0)
        for written in self._archive.member(name, parts, level=level):  # noqa: B007 - the last one says what was written
            yield
        self._listed.write(self._manifest.line(name, *written))

    def _put_bytes(self, name: str, content: bytes, *, level: int = 6) -> Iterator[None]:
        return self._put(name, iter((content,)), level=level)

    def contents(self, session: Session) -> Iterator[None]:
        """Everything before the manifest; pauses where bytes may be sent."""
        row = self._row
        scope = device_ids(session, row)
        devices = session.scalar(sa.select(sa.func.count()).select_from(scope.subquery())) or 0
        yield from self._put_head(session, devices)
        self._travel = travel.travel_of(session, row, scope)
        yield from self._put_log(session)
        yield from self._put_devices(session, scope)
        yield from self._put_statements(session)
        yield from self._put_policies(session)
        travel.fill(session, self._listing, self._travel, scope)
        fill_rest(session, self._listing, row, scope)
        yield from self._put_checked(session)
        self._listing.counts["sampling"] = self._sampling.size
        yield from self._put_tables()
        yield from self._put_pages()
        yield from self._put_bytes(SAMPLE_NAME, self._sample.to_bytes())

    def _put_head(self, session: Session, devices: int) -> Iterator[None]:
        row = self._row
        anchor = anchor_at(session, self._context, row.size)
        trust = open_chain(anchor.trust_roots, sha256_hex(canonical(anchor.trust_roots[0])))[-1]
        self._checkpoint, cosignatures = open_state(anchor.checkpoint, trust)
        self._witnesses = sorted({one.key.name for one in cosignatures})
        self._sampling = Sampling(size=sample_size(devices), word=row.word)
        self._sample = Sample(self._checkpoint, self._sampling)
        head = PackHead(
            number=row.number, requested=stamp(row.requested), requested_by=row.requested_by,
            organization=self._organization, scope=scope_of(row),
            names=row.names, documents=row.documents,  # type: ignore[arg-type]  # a CHECK constraint holds the words
            devices=devices, sampling=self._sampling, anchor=anchor,
        )  # fmt: skip
        content = canonical(head.to_dict())
        self._head_sha256 = sha256_hex(content)
        yield from self._put_bytes(HEAD_NAME, content)

    def _put_log(self, session: Session) -> Iterator[None]:
        for name, kind, part in _LOG_FILES:
            yield from self._put(f"log/{name}.jsonl", self._log_lines(session, kind, part))
        for name, kind, whose, part in travel.LOG_FILES:
            subjects = LogEntry.subject.in_(getattr(self._travel, whose))
            yield from self._put(f"log/{name}.jsonl", self._log_lines(session, kind, part, subjects))

    def _log_lines(self, session: Session, kind: str, part: str, *more: sa.ColumnElement[bool]) -> Iterator[bytes]:
        size = self._row.size
        if kind == "correction" and within(session, Correction):
            more = (LogEntry.sha256.in_(corrections_seen(session, self._row)),)
        last = -1
        while True:
            rows = session.execute(
                sa.select(LogEntry.idx, LogEntry.sha256)
                .where(LogEntry.kind == kind, LogEntry.idx > last, LogEntry.idx < size, *more)
                .order_by(LogEntry.idx)
                .limit(200)
            ).all()
            if not rows:
                return
            for index, digest in rows:
                proof = encode_hashes(self._context.ledger.inclusion(session, index, size))
                line: LoggedLine | StampLine
                if kind == "time-stamp":
                    made = session.get_one(TimeStamp, digest)
                    token = to_base64(made.token)
                    line = StampLine(authority=made.authority, token=token, index=index, proof=proof)
                else:
                    line = LoggedLine(kind=kind, index=index, envelope=load_envelope(session, digest), proof=proof)
                self._listing.counts[part] += 1
                yield canonical(line.to_dict()) + b"\n"
            last = rows[-1][0]
            session.expunge_all()

    def _put_devices(self, session: Session, scope: sa.Select[Any]) -> Iterator[None]:
        for devices in batches(session, scope):
            for one in gather(session, self._context, devices, self._row.size):
                told = account(one)
                yield from self._put_documents(session, told)
                yield from self._put_bytes(f"devices/{told.device.id}/account.json", canonical(told.to_dict()))
                self._sample.offer(told.device.id)
                self._listing.device(one, told)

    def _put_documents(self, session: Session, told: Account) -> Iterator[None]:
        for item in told.documents:
            if item.evidence_sha256 is not None:
                yield from self._put_files(session, f"devices/{told.device.id}/{item.number}", item.number)

    def _put_files(self, session: Session, name: str, number: str) -> Iterator[None]:
        """A document's files, one column at a time, so that a PDF left out is not even read."""
        if self._row.documents == "none":
            return
        bundle = session.scalar(sa.select(Seal.bundle).where(Seal.number == number))
        if bundle is None:
            return
        yield from self._put_bytes(f"{name}.json", bundle)
        self._documents += 1
        if self._row.documents == "all":
            pdf = session.scalar(sa.select(Seal.pdf).where(Seal.number == number)) or b""
            yield from self._put_bytes(f"{name}.pdf", pdf, level=_PACKED_ALREADY)

    def _put_statements(self, session: Session) -> Iterator[None]:
        found = statements(session, self._row)
        taken_back = standings(session, [one[5] for one in found])
        for number, kind, subject, issued, complete, sha256, index in found:
            yield from self._put_files(session, f"documents/{number}", number)
            self._listing.tables["statements"].add(
                number, kind, subject, moment(issued), "yes" if complete else "no",
                taken_back.get(sha256, "in-force"), index,
            )  # fmt: skip
            self._listing.counts["statements"] += 1

    def _put_checked(self, session: Session) -> Iterator[None]:
        """Draws and balances that the verifier repeats."""
        for name, content in travel.files(session, self._context, self._row, self._travel):
            yield from self._put_bytes(name, content)

    def _put_policies(self, session: Session) -> Iterator[None]:
        for policy in session.scalars(sa.select(PolicyVersion).order_by(PolicyVersion.since, PolicyVersion.id)):
            yield from self._put_bytes(f"policies/{policy.sha256[:16]}.json", canonical(policy.document))

    def _put_tables(self) -> Iterator[None]:
        list_balance(self._listing)
        list_clauses(self._listing, hold_against(self._listing.counts))
        for name, rows in self._listing.tables.items():
            yield from self._put(f"tables/{name}.csv", as_csv(rows))
            yield from self._put(f"tables/{name}.jsonl", as_json_lines(rows))
        parts = (part or b"" for part in workbook(list(self._listing.tables.values())))
        yield from self._put("tables/workbook.xlsx", parts, level=_PACKED_ALREADY)

    def _put_pages(self) -> Iterator[None]:
        view = pages.View(
            row=self._row,
            organization=self._organization.name,
            listing=self._listing,
            checkpoint=self._checkpoint,
            witnesses=self._witnesses,
            sample=self._sample.drawn(),
            mapped=hold_against(self._listing.counts),
            documents=self._documents,
        )
        for name, template in pages.PAGES.items():
            yield from self._put(name, pages.render(template, view))

    # -- the end ----------------------------------------------------------------------------------------------------------

    def put_manifest(self) -> Iterator[None]:
        """The manifest: of everything so far."""

        def parts() -> Iterator[bytes]:
            yield MANIFEST_BEGIN
            self._listed.seek(0)
            while part := self._listed.read(CHUNK):
                yield part
            yield MANIFEST_END

        for _ in self._archive.member(MANIFEST_NAME, parts()):
            yield

    def statement(self) -> PackStatement:
        """What is signed and logged: after the manifest."""
        listing = self._listing
        devices = listing.accounts.total()
        return PackStatement(
            number=self._row.number,
            organization=self._organization,
            scope=scope_of(self._row),
            head_sha256=self._head_sha256,
            manifest_sha256=self._manifest.digest(),
            content_sha256=self._archive.digest(),
            content_bytes=self._archive.offset,
            members=self._manifest.members,
            devices=devices,
            accounted=devices - listing.excepted,
            exceptions=listing.excepted,
            documents=self._documents,
        )

    def put_seal(self, seal: PackSeal) -> Iterator[None]:
        """The last member and the archive's directory."""
        self._archive.last_member(SEAL_NAME, canonical(seal.to_dict()))
        yield from self._archive.close()

    @property
    def checkpoint(self) -> Checkpoint:
        """The state of the log the pack's proofs are against."""
        return self._checkpoint

    @property
    def sums(self) -> Mapping[str, int]:
        """For the history: how much there is of what."""
        return {
            "devices": self._listing.accounts.total(),
            "exceptions": self._listing.excepted,
            "documents": self._documents,
        }


def drained(maker: PackMaker, work: Iterator[None]) -> Iterator[bytes]:
    """The bytes that work leaves behind, as soon as there are enough."""
    for _ in work:
        if maker.outbox.full:
            yield maker.outbox.take()


__all__: Sequence[str] = ("PackMaker", "drained")
