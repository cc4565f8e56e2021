"""Lists, facets, files, views and the search say the same on both databases, and nothing to whoever is elsewhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.domain.roles import Role
from inventory.domain.scopes import Scope
from inventory.errors import Duplicate, Invalid, NotFound
from inventory.models import Device, Host
from inventory.services import _parts, devices, finding, lists, queues, saved_views
from inventory.services.context import Actor
from inventory.services.lists import Asked, asked_in
from inventory.services.lists import pages as service
from inventory.services.queries.devices import DeviceFilter, list_devices
from tests.support.inventory_world import World

EVERYBODY = Actor("p-all", "person", frozenset({Role.AUDITOR}), scope=Scope(None, None))
AWAY = Actor("p-away", "person", frozenset({Role.AUDITOR}), scope=Scope(frozenset({"SI-9999"}), None))


def _asked(name: str, query: str) -> Asked:
    return asked_in(lists.LISTS[name], query)


def _keys(world: World, name: str, query: str = "", who: Actor = EVERYBODY) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = lists.page(world.context, who, name, _asked(name, query), after=after, limit=1)
        found += page.keys
        after = page.next
        if after is None:
            return found


def test_lists_facets_and_files_agree(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.hold_data()
    world.unmount()
    world.change("retire")
    world.order()
    for name, one in lists.LISTS.items():
        everything = "state=any" if name == "exceptions" else ""
        walked = _keys(world, name, everything)
        whole = lists.page(world.context, EVERYBODY, name, _asked(name, everything), limit=200)
        assert walked == list(whole.keys)
        assert len(set(walked)) == len(walked)
        asked = _asked(name, f"{everything}&columns=" + ",".join(column.name for column in one.columns))
        content = b"".join(service.take(world.context, EVERYBODY, name, asked, "jsonl").parts).decode()
        taken = [json.loads(line) for line in content.splitlines()]
        # Who took a list is an event itself; it stands above those that were walked.
        assert len(taken) - len(walked) == (len(taken) - len(walked) if name == "events" else 0)
        assert lists.page(world.context, AWAY, name, _asked(name, everything)).rows == ()
        for facet in lists.facets(world.context, EVERYBODY, name, _asked(name, everything)):
            for choice in facet.choices:
                narrowed = _keys(
                    world, name, f"{everything}&{facet.name}={choice.value}".replace("state=any&state", "state")
                )
                assert choice.count in {len(narrowed), None}, (name, facet.name, choice)
    # Beyond the cap: a count says that there are more, or nothing at all where no index answers.
    monkeypatch.setattr(service, "CAP", 1)
    counts = {one.name: [choice.count for choice in one.choices] for one in _facets(world, "devices", "")}
    assert {count for count in counts["state"] if count is not None} <= {0, 1, 2}
    assert set(counts["media"]) == {None}
    assert set(_counts(world, "devices", "data=yes", "state")) <= {None, 0, 1}


def test_every_order_of_every_list_is_walked_whole_both_ways_round(world: World) -> None:
    world.hold_data()
    world.unmount()
    world.change("retire")
    world.order()
    for number, size in enumerate((10**12, None, 10**12, 4 * 10**12, None)):
        declared = devices.DeclareDevice(
            model="Some", serial=f"S{number}", asset_tag=f"AT-{number}", capacity_bytes=size
        )
        devices.declare(world.context, world.actor("custodian"), declared)
    for name, one in lists.LISTS.items():
        base = "state=any" if name == "exceptions" else ""
        everything = set(_keys(world, name, base))
        for column in (column for column in one.columns if column.sort is not None):
            for sort in (column.name, f"-{column.name}"):
                asked = _asked(name, f"{base}&sort={sort}&columns={column.name}")
                walked = _keys(world, name, f"{base}&sort={sort}")
                whole = lists.page(world.context, EVERYBODY, name, asked, limit=200)
                assert walked == list(whole.keys), (name, sort)
                assert set(walked) == everything
                assert len(walked) == len(everything)
                assert lists.chosen(world.context, EVERYBODY, name, asked)[0] == tuple(walked)
                values = [_value(name, column, row) for row in whole.rows]
                given = [value for value in values if value is not None]
                assert given == sorted(given, reverse=sort.startswith("-")), (name, sort)
                assert values[: len(given)] == given, "what has no value comes last, whichever way round"
                file = b"".join(service.take(world.context, EVERYBODY, name, asked, "jsonl").parts).decode()
                assert len(file.splitlines()) == len(walked)
    tags = [
        row.asset_tag for row in lists.page(world.context, EVERYBODY, "devices", _asked("devices", "sort=-device")).rows
    ]
    assert tags[:2] == ["AT-4", "AT-3"]
    assert _keys(world, "devices", "sort=-device", AWAY) == []
    _refuse_every_wrong_key(world)


def _value(name: str, column: lists.Column, row: Any) -> Any:  # noqa: ANN401 - whatever the list tells
    return row.asset_tag if (name, column.name) == ("devices", "device") else column.value(row)


NO_KEYS = (
    "", "D-000001", "[]", "[1]", "[1,2]", '[true,"D-1"]', '[1.5,"D-1"]', '["\\ud800","D-1"]', "{}",
    '[9223372036854775808,"D-1"]', '[1,"\\u0000"]', '[1,"\\ud800"]', "[" * 5000, '[NaN,"D-1"]',
)  # fmt: skip


def _refuse_every_wrong_key(world: World) -> None:
    for name, sort in (
        ("devices", "device"),
        ("devices", "capacity"),
        ("orders", "created"),
        ("hosts", "contact"),
        ("hosts", "host"),
    ):
        nothing = ('[null,"D-1"]',) if (name, sort) in {("orders", "created"), ("hosts", "host")} else ()
        for key in (*NO_KEYS, *nothing):
            with pytest.raises(Invalid):
                lists.page(world.context, EVERYBODY, name, _asked(name, f"sort={sort}"), after=key)


def _facets(world: World, name: str, query: str) -> tuple[lists.FacetView, ...]:
    return lists.facets(world.context, EVERYBODY, name, _asked(name, query))


def _counts(world: World, name: str, query: str, facet: str) -> list[int | None]:
    return [choice.count for one in _facets(world, name, query) if one.name == facet for choice in one.choices]


def test_a_filters_unknown_value_finds_nothing_and_is_never_passed_over(world: World) -> None:
    assert _keys(world, "devices")
    assert _keys(world, "devices", "state=retird") == []
    assert lists.chosen(world.context, EVERYBODY, "devices", _asked("devices", "state=retird")) == ((), False)
    assert _keys(world, "devices", "q=%25") == []
    assert _keys(world, "devices", "since=2300-01-01") == []
    with pytest.raises(Invalid):
        lists.page(world.context, EVERYBODY, "events", Asked(), after="x\x00")
    with pytest.raises(NotFound):
        lists.page(world.context, EVERYBODY, "nonsense", Asked())


def test_the_search_finds_whole_and_beginning_and_nothing_elsewhere(world: World) -> None:
    world.hold_data()
    world.change("retire")
    order = world.order()
    number = order if isinstance(order, str) else order.id
    device = lists.page(world.context, EVERYBODY, "devices", Asked()).rows[0]
    for text in (device.id, device.id.lower(), device.serial, device.serial.swapcase(), device.fingerprint):
        hit = finding.the_one(finding.find(world.context, EVERYBODY, text))
        assert hit is not None, text
        assert (hit.kind, hit.number) == ("device", device.id), text
        assert finding.find(world.context, AWAY, text) == ()
    begun = finding.find(world.context, EVERYBODY, device.serial[:4])
    assert any(hit.number == device.id and not hit.exact for hit in begun)
    named = finding.the_one(finding.find(world.context, EVERYBODY, number))
    assert named is not None
    assert named.number == number
    with world.context.reading() as session:
        host = session.scalars(sa.select(Host)).one()
    for part in (host.name[1:-1], host.name[1:-1].upper(), host.name[-3:], host.name[-2:]):
        assert any(
            (hit.kind, hit.number) == ("host", host.id) for hit in finding.find(world.context, EVERYBODY, part)
        ), part
    assert finding.find(world.context, EVERYBODY, "%") == ()
    assert finding.find(world.context, EVERYBODY, "_" * 9) == ()
    assert finding.find(world.context, EVERYBODY, "\x00 ' \\") == ()


def test_views_are_their_owners_until_they_share_them(world: World) -> None:
    ann, ben = world.actor("operator"), world.actor("auditor")
    command = saved_views.SaveView(list="devices", name="Retired", filters="state=retired&nonsense=1")
    view = saved_views.save(world.context, ann, command)
    assert view.filters == "state=retired"
    with pytest.raises(Duplicate):
        saved_views.save(world.context, ann, command)
    with pytest.raises(NotFound):
        saved_views.saved_view(world.context, ben, view.id)
    for act in (saved_views.remove, lambda *given: saved_views.share(*given, shared=True)):
        with pytest.raises(NotFound):
            act(world.context, ben, view.id)
    saved_views.share(world.context, ann, view.id, shared=True)
    opened = saved_views.saved_view(world.context, ben, view.id)
    assert (opened.filters, opened.mine, opened.owner) == ("state=retired", False, ann.ref)
    assert saved_views.list_views(world.context, ben) == ()
    saved_views.remove(world.context, ann, view.id)
    with pytest.raises(NotFound):
        saved_views.saved_view(world.context, ann, view.id)


def test_queues_say_who_must_not(world: World) -> None:
    world.hold_data()
    world.change("retire")
    world.order()
    requester = world.actor("operator")
    for name, (permission, parts) in queues.QUEUES.items():
        able = next(role for role in Role if permission in queues_roles(role))
        who = Actor(requester.ref, "person", frozenset({able}), scope=Scope(None, None))
        found = queues.queue(world.context, who, name)
        assert len(found) == len(parts)
        if name == "approve":
            (order,) = found[0].waiting
            assert order.bar == "requested the order"
        elsewhere = Actor("p-away", "person", frozenset({able}), scope=Scope(frozenset({"SI-9999"}), None))
        assert not any(part.waiting for part in queues.queue(world.context, elsewhere, name))


def queues_roles(role: Role) -> frozenset[object]:
    from inventory.domain.roles import GRANTS  # noqa: PLC0415 - only here

    return frozenset(GRANTS[role])


def test_devices_are_found_by_any_part_of_what_stands_on_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL by an index of parts, on SQLite row by row; many or few, in either case of letters."""
    for tag, serial, model in (("QX-100%1", "ZZSER\u00c4L01", "Probe_9"), ("QX-1002", "ZZSER02", "Probe 9")):
        one = devices.DeclareDevice(asset_tag=tag, serial=serial, model=model)
        devices.declare(world.context, world.actor("custodian"), one)

    def found(text: str) -> list[str | None]:
        page = lists.page(world.context, EVERYBODY, "devices", Asked(text=text))
        where = DeviceFilter(text=text)
        assert list_devices(world.context, EVERYBODY, where).items == page.rows
        return [row.asset_tag for row in page.rows]

    number = lists.page(world.context, EVERYBODY, "devices", Asked(text="qx-1002")).keys[0]
    for few, many in ((1000, 50_000), (0, 50_000), (0, 0)):  # known by their numbers, by the index, by walking
        monkeypatch.setattr(_parts, "FEW", few)
        monkeypatch.setattr(_parts, "MANY", many)
        assert found(number) == found(number.lower()) == ["QX-1002"]
        assert "QX-1002" in found(number[:5])
        assert found(f"{number}0") == []
        assert found("x-100") == found("qx") == ["QX-100%1", "QX-1002"]
        assert found("ser\u00c4l") == found("100%") == found("probe_") == ["QX-100%1"]
        assert found("'; DROP TABLE device; --") == found("\\") == found("x-1003") == []
        assert found("02") == [], "fewer than three characters are looked for at the beginning"


def test_postgresql_finds_parts_by_its_index(world: World) -> None:
    """The index names the same fields in the same order as the question: else every device would be read, silently."""
    with world.context.reading() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))
            for asked, index in (
                (sa.select(Device.id).where(_parts._PartsHold(*_parts.FIELDS, "serial")), "ix_device_parts"),
                (sa.select(Host.id).where(_parts.part_of_host(session, "serial")), "ix_host_name_parts"),
            ):
                words = str(asked.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
                plan = session.execute(sa.text(f"EXPLAIN {words.replace('%%', '%')}")).scalars().all()
                assert any(index in line for line in plan), plan
