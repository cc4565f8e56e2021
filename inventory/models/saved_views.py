"""Lists as somebody wants to see them again. Nothing rests on these rows; their owner may throw them away."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class SavedView(Base):
    """Filters and columns of one list, under a name."""

    __tablename__ = "saved_view"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    """Drawn by chance: whoever has the address of a shared view has it from somebody."""
    person: Mapped[str] = mapped_column(sa.ForeignKey("person.ref"))
    list_name: Mapped[str] = mapped_column(sa.String(32))
    name: Mapped[str] = mapped_column(sa.String(80))
    query: Mapped[str] = mapped_column(sa.String(2000))
    shared: Mapped[bool]
    """Whether others may open it; what they find in it is what they see anyway."""
    created: Mapped[datetime]

    __table_args__ = (sa.UniqueConstraint("person", "list_name", "name"),)
