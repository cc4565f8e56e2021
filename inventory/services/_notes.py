"""One statement for the notes of many: a statement a note would cost ten agents ten times as much."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

Told = Mapping[str, sa.ColumnElement[Any]]
"""What notes say, by name, as a statement sees it."""
Note = Mapping[str, Any]


class Notes:
    """A change to rows of one table, and what each note says. PostgreSQL gets them all at once, SQLite one after the other."""

    def __init__(self, said: Mapping[str, sa.types.TypeEngine[Any]], update: Callable[[Told], sa.Update]) -> None:
        """Make it known.

        Args:
            said: what a note says, by name.
            update: the statement over one note; its condition says whether the note still holds.
        """
        self._names = {name: f"told_{name}" for name in said}  # apart from the names of columns, which are taken
        self._lists = {name for name, kind in said.items() if isinstance(kind, sa.JSON)}
        self._one = update({name: sa.bindparam(self._names[name], type_=kind) for name, kind in said.items()})
        flat = {name: sa.Text() if name in self._lists else kind for name, kind in said.items()}
        given = [sa.bindparam(self._names[name], type_=ARRAY(kind)) for name, kind in flat.items()]
        columns = [sa.column(name, kind) for name, kind in flat.items()]
        rows = sa.func.unnest(*given).table_valued(*columns, name="told").render_derived()
        told = {name: sa.cast(rows.c[name], sa.JSON) if name in self._lists else rows.c[name] for name in said}
        self._all = update(told)

    def write(self, session: Session, notes: Sequence[Note]) -> None:
        """Write them; at most one about each row, or it is open which of them stays."""
        connection = session.connection()
        if connection.dialect.name != "postgresql":
            connection.execute(self._one, [{as_: note[name] for name, as_ in self._names.items()} for note in notes])
            return
        connection.execute(
            self._all, {as_: [self._flat(name, note) for note in notes] for name, as_ in self._names.items()}
        )

    def _flat(self, name: str, note: Note) -> Any:  # noqa: ANN401 - whatever the column holds
        return json.dumps(note[name]) if name in self._lists else note[name]
