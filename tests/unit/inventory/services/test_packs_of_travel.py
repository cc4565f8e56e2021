"""Audit packs carry how media travelled and were counted; who sees a part of the inventory gets a pack of that part."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from inventory.domain.balance import ScopeKind
from inventory.domain.lots import LotPurpose
from inventory.domain.samples import Finding
from inventory.domain.scopes import Scope
from inventory.domain.vocabulary import Zone
from inventory.errors import Forbidden, NotFound
from inventory.services import audit_packs, devices, lot_register, organisation, places, reconciliation, setup
from inventory.services.audit_packs import RequestPack
from inventory.services.context import Actor
from reports.canonical import canonical, parse_canonical
from reports.pack.verify import verify_pack
from reports.verify_steps import Verification
from tests.support.inventory_world import DISK, OTHER_DISK, World, copied_world
from tests.support.pack_cheats import Members, members_of, resealed
from tests.support.travelling import Travelling

from .test_samples import LOT, assigned, close, report


@dataclasses.dataclass
class Told:
    """A closed lot of two sanitized disks with a sample, a hand-over of two new ones, and balances of both."""

    world: World
    handover: str
    sample: str
    here: str
    """A site with one device at a place of it."""
    there: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with copied_world(tmp_path_factory.mktemp("travel") / "data") as world:
        custodian = world.actor("custodian")
        for number, disk in enumerate((DISK, OTHER_DISK)):
            adopt = devices.AdoptDevice(device=world.device(disk).id, asset_tag=f"BT-{number}")
            devices.adopt(world.context, custodian, adopt)
        world.hold_data()
        world.agent.observe(("CRM production", "/srv/crm", (DISK, OTHER_DISK), ()))
        world.unmount()
        world.sanitized(DISK)
        world.sanitized(OTHER_DISK)
        opening = lot_register.OpenLot(name="Rack 7", purpose=LotPurpose.RESALE, devices=("BT-0", "BT-1"))
        assert lot_register.open_lot(world.context, custodian, opening).id == LOT
        close(world)
        sample = report(world, assigned(world), Finding.PASSED).id
        counted = reconciliation.draw_up(
            world.context, custodian, reconciliation.DrawUp(scope=ScopeKind.LOT, reference=LOT)
        )
        reconciliation.close(
            world.context, custodian, reconciliation.CloseBalance(balance=counted.id, reason="all agrees")
        )
        road = Travelling(world)
        lot = road.closed(2)
        offered = road.offer(lot=lot.id)
        road.answer(offered.id, 2)
        sites = [
            organisation.create_site(world.context, world.actor("admin"), organisation.CreateSite(name=name)).id
            for name in ("Lisbon", "Porto")
        ]
        for number, site in enumerate(sites):
            place = places.CreateLocation(name=f"Shelf {number}", zone=Zone.SECURE, site=site)
            road.unused(at=places.create_location(world.context, custodian, place).id)
        world.clock.forward(minutes=2)
        yield Told(world, offered.id, sample, *sites)


def fetched(told: Told, actor: Actor | None = None, **fields: Any) -> bytes:  # noqa: ANN401 - fields of the command
    now = told.world.clock.now()
    asked = {"scope": "period", "begin": now - timedelta(days=90), "end": now + timedelta(days=9), **fields}
    who = actor or told.world.actor("auditor")
    number = audit_packs.request(told.world.context, who, RequestPack(**asked)).number
    return b"".join(audit_packs.stream(told.world.context, who, number).parts)


def judged(told: Told, pack: bytes) -> Verification:
    return verify_pack(io.BytesIO(pack), setup.trust(told.world.context).pin)


@pytest.fixture(scope="module")
def members(told: Told) -> Members:
    """Of a pack about the whole time."""
    pack = fetched(told)
    assert judged(told, pack).genuine, judged(told, pack).conclusion
    return members_of(pack)


def bodies(members: Members, name: str) -> list[dict[str, Any]]:
    """What the logged envelopes of a file in `log/` say."""
    lines = [json.loads(line) for line in members[f"log/{name}.jsonl"].splitlines()]
    return [json.loads(base64.b64decode(line["envelope"]["payload"])) for line in lines]


def rows(members: Members, table: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members[f"tables/{table}.jsonl"].splitlines()]


def test_closings_hand_overs_samples_and_balances_are_in_it_with_their_proofs(told: Told, members: Members) -> None:
    assert {body["lot"] for body in bodies(members, "lot-closings")} >= {LOT}
    assert [body["number"] for body in bodies(members, "hand-overs")] == [told.handover]
    assert [body["id"] for body in bodies(members, "samples")] == [told.sample]
    assert [body["words"] for body in bodies(members, "balances")] == [f"Lot Rack 7 ({LOT})"]
    assert f"samples/{told.sample}.json" in members
    assert [name for name in members if name.startswith("balances/")] == ["balances/BL-00001.json"]
    (found,) = rows(members, "samples")
    assert "passed" in found.values()
    assert len(rows(members, "hand-overs")) == 1
    assert len(rows(members, "lots")) == 2
    facts = {fact.label: fact.value for fact in judged(told, fetched(told)).facts}
    assert (facts["Repeated: sample"], facts["Repeated: balance"]) == ("1", "1")


def _line(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Members], Members]:
    def changed(members: Members) -> Members:
        lines = [json.loads(line) for line in members[f"log/{name}.jsonl"].splitlines()]
        change(lines[0])
        return {**members, f"log/{name}.jsonl": b"".join(canonical(line) + b"\n" for line in lines)}

    return changed


def _balance(members: Members) -> Members:
    name = "balances/BL-00001.json"
    file = parse_canonical(members[name], "file")
    file["devices"][0]["attached"] = not file["devices"][0]["attached"]
    return {**members, name: canonical(file)}


def _swapped(members: Members) -> Members:
    (sample,) = (name for name in members if name.startswith("samples/"))
    return {**members, sample: members["balances/BL-00001.json"]}


LIES: dict[str, tuple[str, Callable[[Members], Members]]] = {
    "hand-over that never was": ("log", _line("hand-overs", lambda line: line["envelope"].update(payload="e30="))),
    "closing at another place": ("log", _line("lot-closings", lambda line: line.update(index=line["index"] - 1))),
    "balance of another sheet": ("documents", _balance),
    "balance where a draw belongs": ("documents", _swapped),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found_also_where_the_service_seals_it(told: Told, members: Members, lie: str) -> None:
    step, change = LIES[lie]
    found = judged(told, resealed(told.world, change(members)))
    assert next(check.code for check in found.checks if check.state == "failed") == step


def test_a_pack_of_a_lot_is_about_what_lies_in_it(told: Told) -> None:
    pack = fetched(told, scope="lot", reference=LOT, begin=None, end=None)
    assert judged(told, pack).genuine
    members = members_of(pack)
    assert len(rows(members, "devices")) == 2
    assert [body["lot"] for body in bodies(members, "lot-closings")] == [LOT]
    assert bodies(members, "hand-overs") == []


# -- who sees a part ----------------------------------------------------------------------------------------------------------


def part(told: Told, *sites: str) -> Actor:
    return dataclasses.replace(told.world.actor("auditor"), scope=Scope(frozenset(sites), None))


def test_who_sees_one_site_gets_a_pack_of_that_site(told: Told) -> None:
    pack = fetched(told, part(told, told.here))
    found = judged(told, pack)
    assert found.genuine, found.conclusion
    members = members_of(pack)
    assert [row["asset_tag"] for row in rows(members, "devices")] == ["AT-3"]
    assert told.here in json.loads(members["pack.json"])["scope"]["words"]
    assert bodies(members, "lot-closings") == bodies(members, "hand-overs") == bodies(members, "balances") == []
    assert rows(members, "agents") == []
    everything = b"".join(content for name, content in members.items() if not name.startswith("log/"))
    assert b"BT-0" not in everything
    assert told.there.encode() not in everything


def test_what_one_does_not_see_is_no_scope(told: Told) -> None:
    with pytest.raises(NotFound):
        fetched(told, part(told, told.here), scope="lot", reference=LOT, begin=None, end=None)


def test_a_pack_is_the_same_for_whoever_fetches_it_and_nobody_fetches_more_than_they_see(told: Told) -> None:
    both, one = part(told, told.here, told.there), part(told, told.here)
    now = told.world.clock.now()
    asked = RequestPack(scope="period", begin=now - timedelta(days=90), end=now + timedelta(days=9))
    number = audit_packs.request(told.world.context, both, asked).number
    with pytest.raises(Forbidden, match="more than you see"):
        audit_packs.stream(told.world.context, one, number)
    whole = b"".join(audit_packs.stream(told.world.context, told.world.actor("auditor"), number).parts)
    assert {row["asset_tag"] for row in rows(members_of(whole), "devices")} == {"AT-3", "AT-4"}
