"""What travels, on both databases: rows stay, a device is in one open hand-over, and a whole way ends in the log."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from inventory.domain.handovers import HandoverState
from inventory.domain.scopes import Scope
from inventory.errors import ConstraintRefused
from inventory.models import Device, Handover, HandoverDevice, HandoverLink, LogEntry
from inventory.services import handover_links, handovers, lot_register
from inventory.services._scope import only
from inventory.services.context import Actor
from tests.support.inventory_world import World
from tests.support.travelling import Travelling


def test_a_lot_is_closed_offered_and_accepted_through_a_link(world: World) -> None:
    travel = Travelling(world)
    travel.undertake()
    lot = travel.closed(2)
    handover = travel.offer(lot=lot.id, to_location=travel.works)
    _, secret = handover_links.make(world.context, travel.sender, handover_links.MakeLink(handover=handover.id))
    answer = handover_links.AnswerByLink(
        secret=secret,
        receiver="Rui",
        counted=handovers.AnswerHandover(count=2, codes=(travel.tag(lot.members[0].device),)),
    )
    disputed = handover_links.answer(world.context, answer, "192.0.2.1")
    assert disputed.state is HandoverState.DISPUTED
    again = travel.offer(devices=tuple(member.device for member in lot.members), to_location=travel.works)
    _, secret = handover_links.make(world.context, travel.sender, handover_links.MakeLink(handover=again.id))
    answer = handover_links.AnswerByLink(secret=secret, receiver="Rui", counted=handovers.AnswerHandover(count=2))
    assert handover_links.answer(world.context, answer, "192.0.2.1").state is HandoverState.ACCEPTED
    with world.context.reading() as session:
        logged = session.scalars(
            sa.select(LogEntry.subject).where(LogEntry.kind == "custody").order_by(LogEntry.idx)
        ).all()
        assert {lot.id, handover.id, again.id} <= set(logged)
        assert session.scalar(sa.select(sa.func.count(Device.id)).where(Device.party_id == travel.vendor)) == 2
    _the_database_refuses_a_second_open_offer(travel)
    _whoever_is_limited_sees_what_comes_to_them(travel)


def _the_database_refuses_a_second_open_offer(travel: Travelling) -> None:
    """Should the services ever forget to ask."""
    number, other = travel.unused(2)
    travel.offer(devices=(number,))
    second = travel.offer(devices=(other,))
    with pytest.raises(ConstraintRefused):
        _add(travel, second.id, number)


def _add(travel: Travelling, handover: str, device: str) -> None:
    with travel.context.writing() as session:
        session.add(HandoverDevice(handover_id=handover, device_id=device, container_id=None, open=True))


def _whoever_is_limited_sees_what_comes_to_them(travel: Travelling) -> None:
    """The condition runs on both databases; who works at neither end sees nothing."""
    outsider = Actor(
        "p-outsider", "person", travel.sender.roles, scope=Scope(frozenset({"SI-9999"}), frozenset({"TM-9999"}))
    )
    with travel.context.reading() as session:
        for model in (Handover, HandoverDevice, HandoverLink):
            assert session.scalars(sa.select(model).where(*only(outsider, model))).all() == []
    assert handovers.list_handovers(travel.context, outsider).items == ()
    assert lot_register.list_lots(travel.context, outsider).items == ()
