"""Documents about lots, processors' statements and destructions: lists, one of them, its files. Issued by the services beside."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.roles import Permission
from inventory.errors import Conflict, EvidencePending, NotFound
from inventory.events import Tag
from inventory.models import Paper, Seal
from reports.files import ATTACHMENT_NAMES, DESTRUCTION_FILE, LOT_FILE, PROCESSOR_FILE
from reports.language import Language
from reports.media import PROVEN

from . import _papers
from ._scope import only
from ._sealing import sealed, store_seal
from .context import Actor, Context, authorize
from .kernel import find
from .queries._paging import bounded, cut
from .translations import pdf_in
from .views import Page, PaperView

FILE_NAMES = {
    "lot": ATTACHMENT_NAMES[LOT_FILE],
    "processor": ATTACHMENT_NAMES[PROCESSOR_FILE],
    "destruction": ATTACHMENT_NAMES[DESTRUCTION_FILE],
}


def list_papers(
    context: Context, actor: Actor, *, kind: str | None = None, after: str | None = None, limit: int = 50
) -> Page[PaperView]:
    """Newest first. Permission `evidence.read`."""
    authorize(actor, Permission.READ_EVIDENCE)
    statement = sa.select(Paper).where(*only(actor, Paper)).order_by(Paper.prepared.desc(), Paper.number.desc())
    if kind is not None:
        statement = statement.where(Paper.kind == kind)
    with context.reading(actor) as session:
        if after is not None:
            last = find(session, Paper, after, "document")
            statement = statement.where(
                sa.tuple_(Paper.prepared, Paper.number) < sa.tuple_(sa.literal(last.prepared), sa.literal(last.number))
            )
        rows, following = cut(session.scalars(statement.limit(bounded(limit) + 1)).all(), limit, lambda row: row.number)
        return Page(tuple(_papers.view_of(session, row) for row in rows), following)


def paper(context: Context, actor: Actor, number: str) -> PaperView:
    """One document. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        return _papers.view_of(session, find(session, Paper, number, "document"))


def about(context: Context, actor: Actor, subject: str) -> tuple[PaperView, ...]:
    """Documents about one destruction, newest first. Permission `evidence.read`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        statement = sa.select(Paper).where(Paper.subject == subject, *only(actor, Paper))
        rows = session.scalars(statement.order_by(Paper.prepared.desc()))
        return tuple(_papers.view_of(session, row) for row in rows)


def seal(context: Context, number: str) -> None:
    """Print and seal an issued document that has no files yet. Raises `EvidencePending`."""
    with context.reading() as session:
        if sealed(session, number) is not None:
            return
        row = find(session, Paper, number, "document")
        file = _papers.file_of(session, context, row)
    store_seal(context, number, Tag.PAPER_ISSUED, file)


def seal_if_possible(context: Context, number: str) -> None:
    """As `seal`; where witnesses or time-stamps are still waited for, upkeep makes the files later."""
    try:
        seal(context, number)
    except EvidencePending:
        return


def unsealed(session: Session) -> list[str]:
    """Issued documents without files, for upkeep."""
    made = sa.select(Seal.number)
    return list(session.scalars(sa.select(Paper.number).where(Paper.issued.is_not(None), Paper.number.not_in(made))))


def pdf(context: Context, actor: Actor, number: str, language: Language | None = None) -> bytes:
    """The sealed PDF, in this language or the one it was printed in first. Permission `evidence.read`.

    Raises:
        NotFound.
        Conflict: not issued or not sealed yet.
        EvidencePending: the translation waits for a time-stamp.
    """
    _files(context, actor, number)
    return pdf_in(context, number, language)


def file(context: Context, actor: Actor, number: str) -> bytes:
    """The evidence file, canonical JSON. Permission `evidence.read`. Raises as `pdf`."""
    return _files(context, actor, number).bundle


def _files(context: Context, actor: Actor, number: str) -> Seal:
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        row = find(session, Paper, number, "document")
        if row.issued is None:
            raise Conflict(f"{number} waits for the signature of the person responsible.")
        found = sealed(session, number)
        if found is None:
            raise Conflict(f"The files of {number} have not been made yet; they follow within a minute.")
        return found


def write_folder(context: Context, actor: Actor, number: str, write: Callable[[str, bytes], None]) -> None:
    """The document and the evidence of each of its media, file by file; one at a time is in memory.

    Args:
        context: of the service.
        actor: Permission `evidence.read`.
        number: of the document.
        write: is given each file's name and content.

    Raises:
        NotFound, Conflict: as `pdf`.
    """
    made = _files(context, actor, number)
    with context.reading(actor) as session:
        row = find(session, Paper, number, "document")
        kind, lines = row.kind, _papers.lines_of(row)
    write(f"{number}/{number}.pdf", made.pdf)
    write(f"{number}/{FILE_NAMES[kind]}", made.bundle)
    for line in lines:
        if line.outcome not in PROVEN:
            continue
        with context.reading(actor) as session:
            found = session.get(Seal, line.document)
            if found is None or found.bundle_sha256 != line.bundle_sha256:
                raise NotFound("evidence of", line.document)
            content = found.bundle
        write(f"{number}/media/{line.document}.json", content)


def folder(context: Context, actor: Actor, number: str) -> bytes:
    """As `write_folder`, in one ZIP file. Permission `evidence.read`. Raises as `pdf`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:

        def write(name: str, content: bytes) -> None:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)

        write_folder(context, actor, number, write)
    return out.getvalue()
