"""The same act on many rows: looked at in vain, done to each by itself, and refused by each for itself, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from inventory.domain.lots import LotPurpose, LotState
from inventory.domain.vocabulary import ExceptionState, OrderState
from inventory.errors import Forbidden, Invalid, NotFound
from inventory.models import Event, ExceptionItem, LogHead
from inventory.services import lot_register, queries
from inventory.services.lists import LISTS
from inventory.services.many import ACTS, MOST, ActOnMany, act_on_many, acts_of
from tests.support.inventory_world import World


def _counted(world: World) -> tuple[int, int]:
    with world.context.reading() as session:
        events = session.scalar(sa.select(sa.func.count()).select_from(Event)) or 0
        return events, session.scalar(sa.select(LogHead.size)) or 0


def test_a_rehearsal_says_what_the_act_would_and_leaves_nothing_behind_until_it_is_meant(world: World) -> None:
    world.hold_data()
    world.unmount()
    world.change("retire")
    order = world.order()
    host = order.host
    before = _counted(world)
    for name, act, row, login in (
        ("orders", "cancel", order.id, "operator"),
        ("orders", "stop", order.id, "operator"),
        ("hosts", "halt", host, "operator"),
        ("hosts", "lift", host, "operator"),
    ):
        asked = ActOnMany(list=name, act=act, rows=(row, "NONE-1"), reason="As was agreed with all.", dry_run=True)
        first, second = act_on_many(world.context, world.actor(login), asked)
        assert (first.done, second.done) == (False, False)
        assert second.code == "not-found"
        again = act_on_many(world.context, world.actor(login), asked)
        assert again == (first, second)
        assert first.code == {"cancel": None, "halt": None, "stop": "conflict", "lift": "conflict"}[act], first
    assert _counted(world) == before
    assert queries.order(world.context, world.actor("operator"), order.id).state is OrderState.REQUESTED
    # Then in earnest: each by itself, and one that refuses stops none.
    asked = ActOnMany(list="orders", act="cancel", rows=("NONE-1", order.id), reason="The lease was prolonged.")
    refused, done = act_on_many(world.context, world.actor("operator"), asked)
    assert (refused.code, done.code, done.done) == ("not-found", None, True)
    assert queries.order(world.context, world.actor("operator"), order.id).state is OrderState.CANCELLED
    again = act_on_many(world.context, world.actor("operator"), asked)
    assert [line.code for line in again] == ["not-found", "illegal-transition"]


def test_lots_are_frozen_and_opened_again_together_and_each_says_what_keeps_it(world: World) -> None:
    who = world.actor("custodian")
    opened = [
        lot_register.open_lot(world.context, who, lot_register.OpenLot(name=name, purpose=LotPurpose.STORAGE))
        for name in ("Cage north", "Cage south")
    ]
    rows = tuple(lot.id for lot in opened)

    def done(act: str, *, dry_run: bool = False) -> list[str | None]:
        asked = ActOnMany(list="lots", act=act, rows=rows, reason="Stocktaking of May.", dry_run=dry_run)
        return [line.code for line in act_on_many(world.context, who, asked)]

    assert done("freeze", dry_run=True) == [None, None]
    assert done("resume") == ["illegal-transition", "illegal-transition"], "a rehearsal froze nothing"
    assert done("freeze") == [None, None]
    assert done("freeze") == ["illegal-transition", "illegal-transition"]
    lot_register.resume(world.context, who, lot_register.MoveLot(lot=rows[0], reason="One was counted twice."))
    assert done("resume") == ["illegal-transition", None]
    assert done("reopen") == ["illegal-transition", "illegal-transition"], "none of them was ever closed"
    states = {lot_register.lot(world.context, who, row).state for row in rows}
    assert states == {LotState.OPEN}


def test_exceptions_get_an_owner_and_an_end_together_from_who_may(world: World) -> None:
    numbers = ("X-900001", "X-900002")
    with world.context.writing() as session:
        for number in numbers:
            session.add(
                ExceptionItem(
                    id=number, code="device-not-declared", subject=number, sentence="Seen, never declared.",
                    severity="warning", state=ExceptionState.OPEN, raised=world.context.now(), version=1,
                )
            )  # fmt: skip
    who = world.actor("custodian")
    assign = ActOnMany(list="exceptions", act="assign", rows=numbers, reason="", owner=who.ref)
    assert all(line.done for line in act_on_many(world.context, who, assign))
    short = ActOnMany(list="exceptions", act="resolve", rows=numbers, reason="Done.")
    assert {line.code for line in act_on_many(world.context, who, short)} == {"invalid"}
    resolve = ActOnMany(
        list="exceptions", act="resolve", rows=numbers, reason="Both were declared with the lot of May."
    )
    assert all(line.done for line in act_on_many(world.context, who, resolve))
    with world.context.reading() as session:
        found = session.scalars(sa.select(ExceptionItem).where(ExceptionItem.id.in_(numbers))).all()
        assert {(item.state, item.owner) for item in found} == {(ExceptionState.RESOLVED, who.ref)}
    # Who may not is refused before any row.
    for name, acts in ACTS.items():
        assert name in LISTS
        assert acts_of(world.actor("auditor"), name) == ()
        for act in acts:
            asked = ActOnMany(
                list=name, act=act, rows=("NONE-1",), reason="Whatever it is.", day=world.context.now() + timedelta(1)
            )
            with pytest.raises(Forbidden):
                act_on_many(world.context, world.actor("auditor"), asked)
    who = world.actor("operator")
    for rows in ((), ("O-1", "O-1"), tuple(f"O-{n}" for n in range(MOST + 1))):
        with pytest.raises(Invalid):
            act_on_many(world.context, who, ActOnMany(list="orders", act="cancel", rows=rows, reason="Whatever it is."))
    for name, act in (("orders", "release"), ("devices", "cancel"), ("nothing", "cancel")):
        with pytest.raises(NotFound):
            act_on_many(world.context, who, ActOnMany(list=name, act=act, rows=("O-1",), reason="Whatever it is."))
