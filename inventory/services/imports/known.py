"""What the inventory knows of the things a batch of rows names: each kind of thing is asked for once, for all rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.import_fields import Field, Problem, problem
from inventory.domain.import_subjects import Said
from inventory.domain.vocabulary import HoldingKind
from inventory.models import DataSet, Device, DirectoryRow, Holding, Host, Person, Site
from inventory.services._scope import only
from inventory.services.context import Actor

Found = tuple[Any, Problem | None]
_Key = tuple[str, str, HoldingKind, datetime]


class Known:
    """Read when it is first asked for, for all rows of the batch, as the actor sees the inventory now."""

    def __init__(self, session: Session, actor: Actor, rows: Sequence[Said]) -> None:
        self.session = session
        self.actor = actor
        self._rows = rows
        self._named: dict[tuple[type[Any], Field], dict[str, list[Any]]] = {}
        self._called: dict[type[Any], tuple[dict[str, Any], set[str]]] = {}
        self._lists: dict[type[Any], dict[str, str]] = {}
        self._devices: dict[str, list[Device]] | None = None
        self._holdings: dict[_Key, Holding] | None = None
        self._hosts: dict[str, list[Host]] | None = None
        self._people: dict[str, tuple[Person, DirectoryRow | None]] | None = None

    def named(self, model: type[Any], one: Field, text: str | None, word: str) -> Found:
        """The row with this number or name, where the actor sees it; or why there is none."""
        if text is None:
            return None, None
        if (model, one) not in self._named:
            self._named[model, one] = self._either(model, model.name, self._texts(one), only(self.actor, model))
        found = self._named[model, one].get(text, [])
        if len(found) == 1:
            return found[0], None
        sentence = f"There is no {word} {text!r}; create it first, or translate it."
        return None, problem(f"{word.replace(' ', '-')}-unknown", one, sentence)

    def called(self, model: type[Any], name: str) -> tuple[Any, bool]:
        """The row with exactly this name, whoever sees it, and whether the actor does."""
        if model not in self._called:
            rows = self.session.scalars(sa.select(model).where(model.name.in_(self._texts(Field.NAME)))).all()
            numbers = sa.select(model.id).where(model.id.in_([row.id for row in rows]), *only(self.actor, model))
            self._called[model] = {row.name: row for row in rows}, set(self.session.scalars(numbers))
        by_name, seen = self._called[model]
        row = by_name.get(name)
        return row, row is not None and row.id in seen

    def several(self, model: type[Any], names: Sequence[str]) -> tuple[frozenset[str], bool]:
        """Numbers of the rows with these numbers or names, whoever sees them, and whether there are all of them."""
        if model not in self._lists:
            one = Field.SITES if model is Site else Field.TEAMS
            wanted = {name for row in self._rows for name in row.listed(one)}
            found = self.session.execute(
                sa.select(model.id, model.name).where(sa.or_(model.id.in_(wanted), model.name.in_(wanted)))
            ).all()
            self._lists[model] = {key: number for number, name in found for key in (number, name)}
        known = self._lists[model]
        return frozenset(known[name] for name in names if name in known), all(name in known for name in names)

    def device(self, text: str) -> Device | None:
        """The device with this number or asset tag, where the actor sees it."""
        if self._devices is None:
            conditions = (Device.bound_to.is_(None), *only(self.actor, Device))
            self._devices = self._either(Device, Device.asset_tag, self._texts(Field.DEVICE), conditions)
        found = self._devices.get(text, [])
        return found[0] if len(found) == 1 else None

    def holding(self, device: Device, data_set: DataSet, kind: HoldingKind, since: datetime) -> Holding | None:
        """The first one that says the same."""
        if self._holdings is None:
            devices = {row.id for rows in (self._devices or {}).values() for row in rows}
            data_sets = {row.id for rows in self._named.get((DataSet, Field.DATA_SET), {}).values() for row in rows}
            moments = {at for row in self._rows if (at := row.moment(Field.SINCE)) is not None}
            rows = self.session.scalars(
                sa.select(Holding)
                .where(Holding.device_id.in_(devices), Holding.data_set_id.in_(data_sets), Holding.since.in_(moments))
                .order_by(Holding.id.desc())
            )
            self._holdings = {(row.device_id, row.data_set_id, row.kind, row.since): row for row in rows}
        return self._holdings.get((device.id, data_set.id, kind, since))

    def host(self, text: str) -> Host | None:
        """The host with this number or name."""
        if self._hosts is None:
            self._hosts = self._either(Host, Host.name, self._texts(Field.HOST), ())
        found = self._hosts.get(text, [])
        return found[0] if len(found) == 1 else None

    def person(self, login: str) -> tuple[Person, DirectoryRow | None] | None:
        """The person who signs in by this name, and what the directory says of them."""
        if self._people is None:
            rows = self.session.execute(
                sa.select(Person, DirectoryRow)
                .outerjoin(DirectoryRow, DirectoryRow.ref == Person.ref)
                .where(Person.login.in_(self._texts(Field.LOGIN)))
            )
            self._people = {str(person.login): (person, known) for person, known in rows}
        return self._people.get(login)

    def _texts(self, one: Field) -> set[str]:
        return {row.facts[one] for row in self._rows if one in row.facts}

    def _either(
        self,
        model: type[Any],
        column: InstrumentedAttribute[Any],
        texts: set[str],
        conditions: Iterable[sa.ColumnElement[bool]],
    ) -> dict[str, list[Any]]:
        """Number or other name -> the rows; one whose number is another one's name makes both ambiguous."""
        found: dict[str, list[Any]] = defaultdict(list)
        wanted = sa.or_(model.id.in_(texts), column.in_(texts))
        for row in self.session.scalars(sa.select(model).where(wanted, *conditions).order_by(model.id)):
            for key in {row.id, getattr(row, column.key)} - {None}:
                found[key].append(row)
        return found
