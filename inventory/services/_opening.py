"""What opening an erasure case asks first, and the opening itself; the same for one case and for a list of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.vocabulary import CaseState
from inventory.errors import Invalid
from inventory.events import Tag
from inventory.models import CaseDataSet, DataSet, ErasureCase

from ._copies import with_copies
from ._obligations import sync_case
from .context import Actor, Context
from .data import find_data_set
from .kernel import moment, next_number, note, stamp

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{2,63}")


@dataclass(frozen=True, kw_only=True)
class OpenCase:
    """A withdrawal. The reference is opaque: never a name, never an address."""

    reference: str
    data_sets: tuple[str, ...]
    withdrawn: datetime
    customer_since: datetime | None = None
    """None: not known, so every holding before counts."""
    due: datetime | None = None
    """None: 30 days after the withdrawal."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A withdrawal that makes sense."""

    reference: str
    data_sets: tuple[str, ...]
    """Numbers, the copies of those named included."""
    withdrawn: datetime
    customer_since: datetime | None
    due: datetime


def prepare(session: Session, context: Context, command: OpenCase) -> Prepared:
    """Ask everything that can be asked before a case is opened.

    Raises:
        Invalid: the reference looks like a name or address, no data set, or dates that cannot be.
        NotFound: no such data set.
    """
    reference = opaque(command.reference)
    withdrawn, since, due = _dates(context, command)
    if not command.data_sets:
        raise Invalid("data_sets", "A case names at least one data set.")
    named = [find_data_set(session, name).id for name in command.data_sets]
    return Prepared(
        reference=reference,
        data_sets=with_copies(session, named),
        withdrawn=withdrawn,
        customer_since=since,
        due=due,
    )


def opaque(reference: str) -> str:
    """A reference, and nothing that looks like a person: it stands on statements and in evidence for ever."""
    text = reference.strip()
    if "@" in text or " " in text:
        raise Invalid("reference", "The reference must be opaque: a customer number, never a name or an address.")
    if not _REFERENCE.fullmatch(text):
        raise Invalid("reference", "The reference has 3 to 64 letters, digits and . _ : / -")
    if not any(character.isdigit() for character in text):
        raise Invalid("reference", "The reference must be opaque: without a digit it looks like a name.")
    return text


def _dates(context: Context, command: OpenCase) -> tuple[datetime, datetime | None, datetime]:
    withdrawn = moment("withdrawn", command.withdrawn)
    if withdrawn > context.now() + timedelta(seconds=context.settings.clock_tolerance_seconds):
        raise Invalid("withdrawn", "The withdrawal lies in the future.")
    since = None if command.customer_since is None else moment("customer_since", command.customer_since)
    if since is not None and since > withdrawn:
        raise Invalid("customer_since", "The customer came before withdrawing.")
    due = withdrawn + timedelta(days=context.settings.erasure_days)
    if command.due is not None:
        due = moment("due", command.due)
    if due < withdrawn:
        raise Invalid("due", "The due date lies after the withdrawal.")
    return withdrawn, since, due


def open_prepared(session: Session, context: Context, actor: Actor, prepared: Prepared) -> ErasureCase:
    """Open a case and derive one obligation for each thing each holding demands."""
    case = ErasureCase(
        id=next_number(session, "case", context.now()),
        reference=prepared.reference,
        state=CaseState.OPEN,
        customer_since=prepared.customer_since,
        withdrawn=prepared.withdrawn,
        due=prepared.due,
        opened=context.now(),
        opened_by=actor.ref,
    )
    session.add(case)
    session.flush()
    session.add_all(CaseDataSet(case_id=case.id, data_set_id=data_set) for data_set in prepared.data_sets)
    session.flush()
    names = session.scalars(sa.select(DataSet.name).where(DataSet.id.in_(prepared.data_sets)).order_by(DataSet.name))
    details = {"reference": prepared.reference, "data_sets": names.all(), "due": stamp(prepared.due)}
    note(session, context, actor, Tag.CASE_OPENED, "case", case.id, details=details)
    sync_case(session, context, case)
    session.flush()
    return case
