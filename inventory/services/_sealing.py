"""From evidence to the files people keep: bundle and sealed PDF, made outside any transaction, stored in one.

Rendering takes a while and may fail; nothing of the evidence depends on it. Whoever finds a document without its seal makes it.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import EvidencePending, Unavailable
from inventory.events import Tag
from inventory.models import DirectoryRow, LogEntry, Seal
from inventory.outward import Unreached
from reports.canonical import sha256_hex
from reports.envelope import envelope_digest
from reports.errors import BadStamp, PrintingFailed, RenderingUnavailable
from reports.files import EvidenceFile
from reports.language import Language
from reports.statements import Organization, Person
from reports.trust import open_chain

from ._stamper import stamper_for
from .context import SYSTEM, Context
from .kernel import note
from .setup import seal_key

log = logging.getLogger("inventory.sealing")


def organization(context: Context) -> Organization:
    """Who issues documents, by the settings."""
    said = context.settings.organisation
    return Organization(name=said.name, unit="", address=said.address, contact=said.contact)


def statement_person(session: Session, context: Context, ref: str) -> Person:
    """A person as documents name them; an erased directory row leaves the pseudonym alone."""
    row = session.get(DirectoryRow, ref)
    said = context.settings.organisation
    return Person(
        ref=ref,
        name=row.name if row else "",
        title=row.title if row else "",
        organization=said.name,
        location=said.address,
        contact=row.contact if row else "",
    )


def sealed(session: Session, number: str) -> Seal | None:
    """The files of a document, if they were made."""
    return session.get(Seal, number)


def published(context: Context, number: str, file: EvidenceFile, language: Language) -> bytes:
    """The sealed PDF: with a time-stamp where an authority is at hand, without one where it has been waited for long enough.

    Raises:
        EvidencePending: a time-stamp authority does not answer, and is still waited for.
        Unavailable: this installation cannot print, or the printing process ended; the evidence is as it was.
        BrokenChain: evidence or PDF does not verify.
    """
    try:
        return _published(context, number, file, language)
    except (PrintingFailed, RenderingUnavailable) as error:
        log.exception("%s could not be printed", number)
        raise Unavailable(f"{error.sentence} {error.advice}") from error


def _published(context: Context, number: str, file: EvidenceFile, language: Language) -> bytes:
    from reports.publish import publish  # noqa: PLC0415 - slow to load, and only those who print need it

    brand = context.settings.brand
    key = seal_key(context, file.anchor)
    trust = open_chain(file.anchor.trust_roots, envelope_digest(file.anchor.trust_roots[0]))[-1]
    stamper = stamper_for(context, trust.time_authorities) if key.authority else None
    if stamper is not None:
        try:
            return publish(file, key, context.now(), stamper=stamper, language=language, brand=brand)
        except (BadStamp, Unreached) as error:
            log.warning("no time-stamp for the seal of %s: %s", number, error)
            until = _waits_until(context, number)
            if context.now() < until:
                raise EvidencePending(until) from error
    return publish(file, key, context.now(), language=language, brand=brand)


def _waits_until(context: Context, number: str) -> datetime:
    with context.reading() as session:
        issued = session.scalar(sa.select(sa.func.max(LogEntry.at)).where(LogEntry.subject == number))
    return (issued or context.now()) + timedelta(seconds=context.settings.evidence_patience_seconds)


def store_seal(context: Context, number: str, tag: Tag, file: EvidenceFile, *, device: str | None = None) -> None:
    """Print, seal and keep a document's files, once the finished PDF verifies. The first ones that are made stay.

    Raises:
        EvidencePending, Unavailable: as `published`; nothing is kept, and whoever asks next tries again.
        BrokenChain: evidence or PDF does not verify; nothing is kept.
    """
    bundle = file.to_bytes()
    language = context.settings.documents.language
    pdf = published(context, number, file, language)
    with context.writing() as session:
        if session.get(Seal, number) is not None:
            return
        session.add(
            Seal(
                number=number,
                bundle=bundle,
                bundle_sha256=sha256_hex(bundle),
                pdf=pdf,
                pdf_sha256=sha256_hex(pdf),
                language=language,
                at=context.now(),
            )
        )
        session.flush()
        note(
            session, context, SYSTEM, tag, "document", number,
            device=device, evidence=[sha256_hex(bundle), sha256_hex(pdf)],
        )  # fmt: skip
