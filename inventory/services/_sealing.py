"""From evidence to the files people keep: bundle and sealed PDF, made outside any transaction, stored in one.

Rendering takes a while and may fail; nothing of the evidence depends on it. Whoever finds a document without its seal makes it.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from inventory.events import Tag
from inventory.models import DirectoryRow, Seal
from reports.bundle import EvidenceFile
from reports.canonical import sha256_hex
from reports.statements import Organization, Person

from .context import SYSTEM, Context
from .kernel import note
from .setup import seal_key


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


def store_seal(context: Context, number: str, tag: Tag, file: EvidenceFile, *, device: str | None = None) -> None:
    """Print, seal and keep a document's files. Harmless where somebody else was faster: the first ones stay."""
    from reports.pdf import render  # noqa: PLC0415 - slow to load, and only those who print need it
    from reports.seal import seal  # noqa: PLC0415

    bundle = file.to_bytes()
    pdf = seal(render(file), seal_key(context, file.anchor), context.now())
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
                at=context.now(),
            )
        )
        session.flush()
        note(
            session, context, SYSTEM, tag, "document", number,
            device=device, evidence=[sha256_hex(bundle), sha256_hex(pdf)],
        )  # fmt: skip
