"""What all models share: names of constraints, UTC times, JSON, enumerations, numbers, version columns."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name, so that a migration can find it on both databases."""


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC. Naive times are refused on the way in; SQLite, which forgets offsets, gets UTC back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """To UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without an offset is no moment")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """From UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigInt = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite numbers rows by itself only in a column of its plain INTEGER type."""

Ref = sa.String(128)
Digest = sa.String(64)


class Base(DeclarativeBase):
    """Base of all models."""

    metadata = sa.MetaData(naming_convention=CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcTime,
        dict[str, Any]: sa.JSON,
        list[str]: sa.JSON,
        list[dict[str, Any]]: sa.JSON,
        bytes: sa.LargeBinary,
        int: sa.BigInteger,
    }


class Versioned:
    """Optimistic locking: every update names the version it read, or changes nothing (`StaleDataError`)."""

    version: Mapped[int] = mapped_column(sa.Integer)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it with the class
        """The column that locks."""
        return {"version_id_col": cls.version}


def words(kind: type[StrEnum], name: str) -> sa.Enum:
    """An enumeration stored as its words, with a CHECK constraint of the given name."""
    longest = max(len(word) for word in kind)
    return sa.Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=longest,
        values_callable=lambda members: [str(member.value) for member in members],
    )


def only_while(condition: str) -> dict[str, Any]:
    """A partial index's condition, for both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def begins(table: str, column: str) -> sa.Index:
    """An index by which texts are found that begin with another one, also where the database sorts by a language."""
    return sa.Index(f"ix_{table}_{column}_begins", column, postgresql_ops={column: "varchar_pattern_ops"})


class Counter(Base):
    """Series of numbers: devices, orders, certificates. Taken within the transaction that uses them, so none is skipped."""

    __tablename__ = "counter"

    series: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    last: Mapped[int]
