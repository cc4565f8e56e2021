"""Balances drawn up from the books: each difference gets a name and an owner, and nothing is closed while one is open."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.domain.balance import Difference, ScopeKind
from inventory.domain.lots import LotPurpose
from inventory.domain.scopes import Scope
from inventory.domain.vocabulary import Zone
from inventory.errors import Conflict, ConstraintRefused, Forbidden, Invalid, NotFound, SeparationOfDuty, StaleVersion
from inventory.models import StoredEnvelope
from inventory.services import (
    devices,
    disposal,
    exceptions,
    lot_register,
    organisation,
    places,
    queries,
    reconciliation,
)
from inventory.services.exceptions import ResolveException
from inventory.services.queries import balances
from inventory.services.reconciliation import CloseBalance, DrawUp
from inventory.services.views.balances import BalanceView
from reports.balance import BalanceLine, balance_from_dict, digest_of_lines
from reports.canonical import parse_canonical
from reports.envelope import payload_bytes
from tests.support.inventory_world import DISK, OTHER_DISK, World


def adopt_everything(world: World) -> None:
    """Both disks the agent sees get their asset tags."""
    for number, disk in enumerate((DISK, OTHER_DISK), 1):
        command = devices.AdoptDevice(device=world.device(disk).id, asset_tag=f"BC-{number}")
        devices.adopt(world.context, world.actor("custodian"), command)


def declare(world: World, tag: str, location: str | None = None) -> str:
    command = devices.DeclareDevice(asset_tag=tag, serial=f"S-{tag}", location=location)
    return devices.declare(world.context, world.actor("custodian"), command).id


def store(world: World, name: str = "Store") -> str:
    command = places.CreateLocation(name=name, zone=Zone.SECURE)
    return places.create_location(world.context, world.actor("custodian"), command).id


def draw(world: World, scope: ScopeKind = ScopeKind.EVERYTHING, by: str = "custodian", **more: Any) -> BalanceView:  # noqa: ANN401 - fields of the command
    return reconciliation.draw_up(world.context, world.actor(by), DrawUp(scope=scope, **more))


def found(world: World, balance: BalanceView) -> dict[str, Difference]:
    page = balances.list_differences(world.context, world.actor("auditor"), balance.id, limit=200)
    return {f"{one.code} {one.device}": one for one in page.items}


def answer(world: World, difference: Difference, by: str = "operator") -> None:
    assert difference.exception is not None
    command = ResolveException(exception=difference.exception, resolution="Looked at it: it is as it should be.")
    exceptions.resolve(world.context, world.actor(by), command)


def close(world: World, balance: BalanceView, by: str = "custodian", **more: Any) -> BalanceView:  # noqa: ANN401 - fields of the command
    command = CloseBalance(balance=balance.id, reason="everything has its answer", **more)
    return reconciliation.close(world.context, world.actor(by), command)


def test_a_host_on_which_all_agrees_is_closed_signed_and_logged(world: World) -> None:
    adopt_everything(world)
    drawn = draw(world, ScopeKind.HOST, reference=world.agent.host)
    assert (drawn.counts["declared"], drawn.counts["observed"], drawn.counts["present"]) == (2, 2, 2)
    assert drawn.differences == 0
    closed = close(world, drawn)
    assert closed.closed == world.clock.now()
    assert closed.sha256 is not None
    with world.context.reading() as session:
        content = session.scalar(sa.select(StoredEnvelope.content).where(StoredEnvelope.sha256 == closed.sha256))
    payload = parse_canonical(payload_bytes(parse_canonical(content or b"", "envelope"), "statement"), "statement")
    statement = balance_from_dict(payload)
    assert {one.name: one.devices for one in statement.counts} == closed.counts
    assert world.tags(closed.id) == ["balance.drawn", "balance.drawn", "balance.closed"]


def test_every_difference_is_an_exception_with_an_owner(world: World) -> None:
    devices.adopt(
        world.context, world.actor("custodian"), devices.AdoptDevice(device=world.device().id, asset_tag="BC-1")
    )
    lost = declare(world, "BC-9")
    drawn = draw(world, owner=world.actor("operator").ref)
    differences = found(world, drawn)
    assert {key.split()[0] for key in differences} == {
        "undeclared-device",
        "declared-not-observed",
        "whereabouts-unknown",
    }
    assert drawn.open_differences == len(differences) == 3
    assert drawn.counts["unknown"] == 1
    assert all(one.exception and one.owner == world.actor("operator").ref for one in differences.values())
    assert (
        queries.device(world.context, world.actor("auditor"), lost).exceptions[0].owner == world.actor("operator").ref
    )


def test_nothing_is_closed_while_a_difference_is_open_and_the_refusal_keeps_its_exceptions(world: World) -> None:
    adopt_everything(world)
    drawn = draw(world)
    lost = declare(world, "BC-9", store(world))
    with pytest.raises(Conflict) as refused:
        close(world, drawn)
    assert [reason.code for reason in refused.value.reasons] == ["declared-not-observed"]
    assert lost in refused.value.reasons[0].sentence
    assert "declared-not-observed" in world.codes(device=lost)
    again = balances.balance(world.context, world.actor("auditor"), drawn.id)
    assert (again.closed, again.open_differences) == (None, 1)


def test_an_answered_difference_stays_on_the_sheet_and_lets_it_close(world: World) -> None:
    adopt_everything(world)
    declare(world, "BC-9", store(world))
    drawn = draw(world)
    (difference,) = found(world, drawn).values()
    answer(world, difference)
    closed = close(world, drawn)
    (kept,) = found(world, closed).values()
    assert kept.answered
    assert kept.exception == difference.exception
    with world.context.reading() as session:
        content = session.scalar(sa.select(StoredEnvelope.content).where(StoredEnvelope.sha256 == closed.sha256))
    payload = parse_canonical(payload_bytes(parse_canonical(content or b"", "envelope"), "statement"), "statement")
    line = BalanceLine(device=kept.device, code=kept.code, exception=kept.exception or "")
    assert payload["differences_sha256"] == digest_of_lines([line])


def test_an_answer_is_worth_nothing_once_the_device_moves(world: World) -> None:
    adopt_everything(world)
    number = declare(world, "BC-9", store(world))
    answer(world, next(iter(found(world, draw(world)).values())))
    assert draw(world).open_differences == 0
    world.clock.forward(minutes=1)
    move = devices.MoveDevice(device=number, location=store(world, "Vault"), reason="to the vault")
    devices.move(world.context, world.actor("custodian"), move)
    assert draw(world).open_differences == 1


def test_an_exception_of_a_balance_is_settled_when_it_agrees_again(world: World) -> None:
    adopt_everything(world)
    number = declare(world, "BC-9")
    draw(world)
    assert "whereabouts-unknown" in world.codes(device=number)
    move = devices.ChangeState(device=number, reason="found in a drawer", location=store(world))
    devices.place_in_service(world.context, world.actor("custodian"), move)
    draw(world)
    assert "whereabouts-unknown" not in world.codes(device=number)


def test_who_answered_a_difference_does_not_close_the_balance(world: World) -> None:
    adopt_everything(world)
    declare(world, "BC-9", store(world))
    drawn = draw(world)
    answer(world, next(iter(found(world, drawn).values())), by="custodian")
    with pytest.raises(SeparationOfDuty):
        close(world, drawn, by="custodian")
    assert close(world, drawn, by="operator").closed


def test_any_other_open_exception_about_a_device_blocks_too(world: World) -> None:
    adopt_everything(world)
    world.clock.forward(minutes=1)
    world.agent.disks.remove(OTHER_DISK)
    world.agent.observe()
    drawn = draw(world, ScopeKind.HOST, reference=world.agent.host)
    assert {one.code for one in found(world, drawn).values()} == {"device-gone", "whereabouts-unknown"}


def test_a_period_tells_what_came_went_and_is_left(world: World) -> None:
    adopt_everything(world)
    begin = _next(world)
    new = declare(world, "BC-9", store(world))
    world.hold_data()
    world.unmount()
    order = world.sanitized()
    to = disposal.Destination(party=None, location=store(world, "Spares"), reuse=True)
    disposal.release(
        world.context,
        world.actor("custodian"),
        disposal.ReleaseDevice(device=order.device, destination=to, reason="sold"),
    )
    end = _next(world)
    late = declare(world, "BC-10", store(world, "Later"))
    drawn = draw(world, begin=begin, end=end)
    counts = drawn.counts
    assert (counts["before"], counts["new"], counts["released"], counts["present"]) == (2, 1, 1, 2)
    assert counts["closing"] == 2
    about = {one.device for one in found(world, drawn).values()}
    assert new in about
    assert late not in about


def test_how_it_stood_then_comes_from_the_signed_events_not_from_today(world: World) -> None:
    adopt_everything(world)
    begin = _next(world)
    first, second = store(world), store(world, "Vault")
    number = declare(world, "BC-9", first)
    end = _next(world)
    move = devices.MoveDevice(device=number, location=second, reason="to the vault")
    devices.move(world.context, world.actor("custodian"), move)
    then = draw(world, ScopeKind.PLACE, reference=first, begin=begin, end=end)
    assert (then.counts["new"], then.counts["present"]) == (1, 1)
    now = draw(world, ScopeKind.PLACE, reference=first, begin=end, end=_next(world))
    assert (now.counts["before"], now.counts["moved"], now.counts["present"]) == (1, 1, 0)


def test_a_period_begins_where_the_closed_one_before_it_ended(world: World) -> None:
    adopt_everything(world)
    place = store(world)
    begin, middle = _next(world), _next(world)
    closed = close(world, draw(world, ScopeKind.PLACE, reference=place, begin=begin, end=middle))
    assert closed.counts["closing"] == 0
    with world.context.writing() as session:  # the books are cooked: a device is said to have been there all along
        session.execute(sa.text("UPDATE device SET location_id = :place"), {"place": place})
    drawn = draw(world, ScopeKind.PLACE, reference=place, begin=middle, end=_next(world))
    assert "balance-broken" in {one.code for one in found(world, drawn).values()}


def test_a_period_is_closed_once(world: World) -> None:
    adopt_everything(world)
    begin, end = _next(world), _next(world)
    close(world, draw(world, begin=begin, end=end))
    with pytest.raises(Conflict, match="closed and covers"):
        draw(world, begin=begin, end=_next(world))


def test_a_closed_balance_cannot_be_altered_in_the_database(world: World) -> None:
    adopt_everything(world)
    closed = close(world, draw(world))
    for statement in ("UPDATE balance SET differences = 7", "DELETE FROM balance"):
        with pytest.raises(ConstraintRefused), world.context.writing() as session:
            session.execute(sa.text(statement))
    with pytest.raises(Conflict, match="closed already"):
        close(world, closed)


def test_a_lot_may_close_only_when_nothing_in_it_is_open(world: World) -> None:
    adopt_everything(world)
    command = lot_register.OpenLot(name="Collection", purpose=LotPurpose.RECYCLING)
    lot = lot_register.open_lot(world.context, world.actor("custodian"), command)
    inside = [world.device().id, declare(world, "BC-9")]
    lot_register.put_in(
        world.context, world.actor("custodian"), lot_register.PutIntoLot(lot=lot.id, devices=tuple(inside))
    )
    with world.context.reading() as session:
        codes = {one.code for one in reconciliation.differences(session, lot.id)}
    assert codes == {"declared-not-observed", "whereabouts-unknown"}
    with world.context.reading() as session:
        assert reconciliation.differences(session, "LT-99999") == ()


def test_bad_scopes_and_wrong_people_are_refused(world: World) -> None:
    now = world.clock.now()
    with pytest.raises(NotFound):
        draw(world, ScopeKind.HOST, reference="H-9999")
    with pytest.raises(Invalid):
        draw(world, begin=now)
    with pytest.raises(Invalid):
        draw(world, end=_next(world) + (world.clock.now() - now))
    with pytest.raises(Forbidden):
        draw(world, by="auditor")
    drawn = draw(world)
    with pytest.raises(StaleVersion):
        close(world, drawn, version=drawn.version + 1)


def test_who_is_limited_counts_their_own_sites_only(world: World) -> None:
    admin = world.actor("admin")
    ours, theirs = (
        organisation.create_site(world.context, admin, organisation.CreateSite(name=name)).id
        for name in ("Lisbon", "Porto")
    )
    custodian = world.actor("custodian")
    limited = dataclasses.replace(custodian, scope=Scope(frozenset({ours}), None))
    whole = reconciliation.draw_up(world.context, custodian, DrawUp(scope=ScopeKind.EVERYTHING))
    stranger = dataclasses.replace(world.actor("operator"), scope=Scope(frozenset({ours}), None))
    with pytest.raises(Forbidden):
        reconciliation.draw_up(world.context, limited, DrawUp(scope=ScopeKind.EVERYTHING))
    for number in (theirs, "SI-9999"):
        with pytest.raises(NotFound):
            reconciliation.draw_up(world.context, limited, DrawUp(scope=ScopeKind.SITE, reference=number))
    with pytest.raises(NotFound):
        balances.balance(world.context, stranger, whole.id)
    drawn = reconciliation.draw_up(world.context, limited, DrawUp(scope=ScopeKind.SITE, reference=ours))
    assert drawn.counts["total"] == 0
    assert balances.list_balances(world.context, stranger).items == ()


def test_a_site_counts_its_places_and_its_hosts(world: World) -> None:
    adopt_everything(world)
    admin = world.actor("admin")
    here = organisation.create_site(world.context, admin, organisation.CreateSite(name="Lisbon")).id
    assert draw(world, ScopeKind.SITE, reference=here).counts["total"] == 0
    with world.context.writing() as session:
        session.execute(sa.text("UPDATE host SET site_id = :site"), {"site": here})
    command = places.CreateLocation(name="Shelf", zone=Zone.SECURE, site=here)
    shelf = places.create_location(world.context, world.actor("custodian"), command).id
    declare(world, "BC-9", shelf)
    declare(world, "BC-10", store(world, "Elsewhere"))
    counts = draw(world, ScopeKind.SITE, reference=here).counts
    assert (counts["declared"], counts["observed"], counts["present"]) == (3, 2, 3)


def _next(world: World) -> datetime:
    """A moment with everything so far before it and everything to come behind it."""
    world.clock.forward(minutes=10)
    moment = world.clock.now()
    world.clock.forward(minutes=10)
    return moment
