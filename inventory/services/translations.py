"""The sealed PDF of a document in the language somebody asks for: the same bundle, its pages printed anew from it.

Each is printed once, sealed and kept: whoever asks again gets the same bytes.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import NotFound
from inventory.events import Tag
from inventory.models import Seal, SealedTranslation
from reports.canonical import sha256_hex
from reports.files import read_file
from reports.language import Language

from ._sealing import published
from .context import SYSTEM, Context
from .kernel import note

ROUND = 20
"""As many translations are printed in one round of upkeep: each takes a second or so."""


def pdf_in(context: Context, number: str, language: Language | None) -> bytes:
    """The sealed PDF of a document whose files were made; whoever calls has asked for permission.

    Args:
        context: of the service.
        number: of the document.
        language: None: the one it was printed in first.

    Raises:
        NotFound: it has no files.
        EvidencePending: a time-stamp authority does not answer, and is still waited for.
        BrokenChain: the finished PDF does not verify; nothing is kept.
    """
    with context.reading() as session:
        made = session.get(Seal, number)
        if made is None:
            raise NotFound("files of document", number)
        if language is None or language == made.language:
            return made.pdf
        kept = session.get(SealedTranslation, (number, language))
        if kept is not None:
            return kept.pdf
        bundle = made.bundle
    pdf = published(context, number, read_file(bundle), language)
    with context.writing() as session:
        faster = session.get(SealedTranslation, (number, language))
        if faster is not None:
            return faster.pdf
        digest = sha256_hex(pdf)
        session.add(SealedTranslation(number=number, language=language, pdf=pdf, pdf_sha256=digest, at=context.now()))
        session.flush()
        details = {"language": language}
        note(session, context, SYSTEM, Tag.DOCUMENT_TRANSLATED, "document", number, details=details, evidence=[digest])
    return pdf


def unmade(session: Session, context: Context) -> list[tuple[str, Language]]:
    """Documents that lack a language in which all are to be printed, for upkeep; as many as one round makes."""
    found: list[tuple[str, Language]] = []
    for language in context.settings.documents.languages:
        there = sa.select(SealedTranslation.number).where(SealedTranslation.language == language)
        lacking = sa.select(Seal.number).where(Seal.language != language, Seal.number.not_in(there))
        found += [(number, language) for number in session.scalars(lacking.order_by(Seal.number).limit(ROUND))]
    return found[:ROUND]
