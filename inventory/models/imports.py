"""Tables from elsewhere: received, mapped, tried, taken over. The file goes once that is done; what each line did stays."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from inventory.domain.import_fields import Subject
from inventory.domain.import_outcomes import Outcome

from .base import Base, BigInt, Digest, Versioned, words


class ImportState(StrEnum):
    """How far an import has come."""

    RECEIVED = "received"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    FINISHED = "finished"
    ABANDONED = "abandoned"


class Import(Versioned, Base):
    """One table."""

    __tablename__ = "import"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    state: Mapped[ImportState] = mapped_column(words(ImportState, "state"), index=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    subject: Mapped[Subject] = mapped_column(words(Subject, "subject"))
    """What its rows are about."""
    kind: Mapped[str] = mapped_column(sa.String(8))
    """csv or xlsx."""
    sha256: Mapped[str] = mapped_column(Digest)
    """Of the file as it was sent."""
    size: Mapped[int]
    rows: Mapped[int]
    """Beneath the header."""
    header: Mapped[list[str]]
    sample: Mapped[list[dict[str, Any]]]
    """The first lines, for the preview; empty once the file is gone."""
    mapping: Mapped[dict[str, Any]]
    position: Mapped[int]
    """Number of the last part, or line, that was worked on."""
    counts: Mapped[dict[str, Any]]
    """Outcome -> lines."""
    received: Mapped[datetime]
    received_by: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    begun_by: Mapped[str | None] = mapped_column(sa.ForeignKey("person.ref"))
    """In whose name devices are declared."""
    ended: Mapped[datetime | None]
    stepped: Mapped[datetime | None]
    """When it last went on; from then on the remaining time is no honest figure for long."""
    pace: Mapped[float | None] = mapped_column(sa.Float)
    """Lines a second, lately."""


class ImportPart(Base):
    """Some hundred lines of the file, packed; gone when the import ends."""

    __tablename__ = "import_part"

    import_id: Mapped[str] = mapped_column(sa.ForeignKey("import.id"), primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    content: Mapped[bytes]


class ImportLine(Base):
    """What became of one line, or would."""

    __tablename__ = "import_line"

    id: Mapped[int] = mapped_column(BigInt, primary_key=True)
    import_id: Mapped[str] = mapped_column(sa.ForeignKey("import.id"))
    line: Mapped[int] = mapped_column(sa.Integer)
    outcome: Mapped[Outcome] = mapped_column(words(Outcome, "outcome"))
    asset_tag: Mapped[str | None] = mapped_column(sa.String(64))
    identity: Mapped[str | None] = mapped_column(sa.String(520))
    """What tells a row from others of its subject; of people only while the import lasts."""
    device: Mapped[str | None] = mapped_column(sa.String(32))
    """Number of the device, or of whatever else the line is about."""
    facts: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    """What the line says, while it waits to be taken over."""
    problems: Mapped[list[dict[str, Any]]]
    done: Mapped[bool] = mapped_column(default=False)
    """Taken over."""

    __table_args__ = (
        sa.Index("uq_import_line_import_id_line", "import_id", "line", unique=True),
        sa.Index(None, "import_id", "outcome", "line"),
        sa.Index(None, "import_id", "asset_tag"),
        sa.Index(None, "import_id", "identity"),
    )
