"""Files of evidence: kept byte for byte, named by their digests, handed out to whoever may read evidence."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.evidence_files import MEDIA_TYPES, MOST_BYTES, MOST_FILES, media_type_of
from inventory.domain.roles import Permission
from inventory.errors import Conflict, Invalid
from inventory.events import Tag
from inventory.models import Device, EvidenceFile
from reports.canonical import sha256_hex

from .context import Actor, Context, authorize
from .kernel import find, next_number, note, optional
from .queries.devices import find_device
from .views.evidence_files import EvidenceFileView


@dataclass(frozen=True, kw_only=True)
class KeepFile:
    """A photograph, film or paper about one device."""

    device: str
    content: bytes
    note: str = ""


def keep(context: Context, actor: Actor, command: KeepFile) -> EvidenceFileView:
    """Keep a file; the same one about the same device is kept once. Permission `evidence.keep`.

    Raises:
        Invalid: empty, too large, or neither picture, film nor PDF by its first bytes.
        Conflict: the device has as many files as are kept.
        NotFound.
    """
    authorize(actor, Permission.EVIDENCE_KEEP)
    if not 0 < len(command.content) <= MOST_BYTES:
        raise Invalid("file", f"A file has 1 to {MOST_BYTES:,} bytes.")
    media_type = media_type_of(command.content)
    if media_type is None:
        raise Invalid("file", f"By its first bytes this is none of {', '.join(MEDIA_TYPES)}.")
    with context.writing(actor) as session:
        device = find_device(session, command.device)
        digest = sha256_hex(command.content)
        known = session.scalar(
            sa.select(EvidenceFile).where(EvidenceFile.device_id == device.id, EvidenceFile.sha256 == digest)
        )
        if known is not None:
            return _view(known)
        if len(_of(session, device)) >= MOST_FILES:
            raise Conflict(f"Device {device.id} has {MOST_FILES} files already; more are not kept.")
        row = EvidenceFile(
            id=next_number(session, "evidence_file"),
            device_id=device.id,
            sha256=digest,
            media_type=media_type,
            note=optional("note", command.note, most=200),
            size=len(command.content),
            content=command.content,
            kept=context.now(),
            kept_by=actor.ref,
        )
        session.add(row)
        session.flush()
        details = {"media_type": media_type, "size": row.size}
        note(
            session, context, actor, Tag.EVIDENCE_KEPT, "evidence-file", row.id,
            device=device.id, reason=row.note, details=details, evidence=[digest],
        )  # fmt: skip
        return _view(row)


def list_files(context: Context, actor: Actor, device: str) -> tuple[EvidenceFileView, ...]:
    """What is kept about a device, oldest first. Permission `evidence.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        return tuple(_view(row) for row in _of(session, find_device(session, device)))


def content(context: Context, actor: Actor, number: str) -> tuple[EvidenceFileView, bytes]:
    """A file with its bytes. Permission `evidence.read`. Raises `NotFound`; `Conflict` where its row was altered."""
    authorize(actor, Permission.READ_EVIDENCE)
    with context.reading(actor) as session:
        row = find(session, EvidenceFile, number, "evidence file")
        if sha256_hex(row.content) != row.sha256:
            raise Conflict(f"The bytes of {row.id} are not those that were kept: somebody altered the database.")
        return _view(row), row.content


def _of(session: Session, device: Device) -> list[EvidenceFile]:
    rows = sa.select(EvidenceFile).where(EvidenceFile.device_id == device.id).order_by(EvidenceFile.id)
    return list(session.scalars(rows))


def _view(row: EvidenceFile) -> EvidenceFileView:
    return EvidenceFileView(
        id=row.id,
        device=row.device_id,
        sha256=row.sha256,
        media_type=row.media_type,
        note=row.note,
        size=row.size,
        kept=row.kept,
        kept_by=row.kept_by,
    )
