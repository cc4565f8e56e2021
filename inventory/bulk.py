"""Many rows into one table at once: COPY on PostgreSQL, one prepared statement on SQLite.

For what was decided before: nothing here asks the services. Statements and their entries of the log, backups, seeding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

Row = Mapping[str, Any]


def insert_rows(session: Session, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows that all name the same columns; what they leave out gets the table's own default."""
    if not rows:
        return
    if session.get_bind().dialect.name != "postgresql":
        session.execute(sa.insert(table), list(rows))
        return
    names = list(rows[0])
    json_columns = frozenset(name for name in names if isinstance(table.c[name].type, sa.JSON))
    listed = ", ".join(f'"{name}"' for name in names)
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({listed}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row([_plain(row[name], as_json=name in json_columns) for name in names])


def _plain(value: Any, *, as_json: bool) -> Any:  # noqa: ANN401 - whatever a column holds
    if as_json:
        return None if value is None else json.dumps(value)
    return value.value if isinstance(value, Enum) else value
