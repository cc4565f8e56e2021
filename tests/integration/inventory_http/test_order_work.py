"""Readings, batches, the validation queue, samples and files of evidence over HTTP, as one story."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from inventory.app import create_app
from inventory.contract.v1.endpoints import PREFIX
from inventory.domain.lots import LotPurpose
from inventory.services import devices, lot_register, sessions
from inventory.services.lot_register import MoveLot
from reports.canonical import sha256_hex
from tests.support.inventory_world import DISK, OTHER_DISK, World, copied_world

PLAN = {"method": "clear", "technique": "overwrite", "pattern_set": "zeros", "verification": "full"}


@dataclass
class Site:
    """A company with an interface."""

    world: World
    app: Flask
    tokens: dict[str, str]

    def call(
        self,
        login: str,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON, or bytes
        *,
        kind: str = "application/json",
        **headers: str,
    ) -> TestResponse:
        """One request by token."""
        if login not in self.tokens:
            actor = self.world.actor(login)
            command = sessions.CreateToken(name="test", roles=actor.roles)
            self.tokens[login] = sessions.create_token(self.world.context, actor, command)[1]
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.tokens[login]}", **headers}
        if data is not None:
            sent["Content-Type"] = kind
        return self.app.test_client(use_cookies=False).open(
            PREFIX + path, method=method, data=data, headers=sent, base_url=self.world.context.settings.external_url
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two disks out of use that held data; the tests of this module follow one another through their lives."""
    with copied_world(tmp_path_factory.mktemp("work") / "data") as world:
        for number, disk in enumerate((DISK, OTHER_DISK)):
            adopt = devices.AdoptDevice(device=world.device(disk).id, asset_tag=f"AT-{number}")
            devices.adopt(world.context, world.actor("custodian"), adopt)
        world.hold_data()
        world.agent.observe(("CRM production", "/srv/crm", (DISK, OTHER_DISK), ()))
        world.unmount()
        world.change("retire", DISK)
        world.change("retire", OTHER_DISK)
        yield Site(world, create_app(world.context.settings, clock=world.clock, context=world.context), {})


def test_1_a_batch_is_seen_and_then_ordered_once(site: Site) -> None:
    asked = {"devices": ["AT-0", "AT-1"], "plan": PLAN, "reason": "rack 7 is given up"}
    seen = site.call("operator", "POST", "/order-batches/preview", asked)
    assert (seen.status_code, seen.get_json()["possible"]) == (200, 2), seen.text
    stale = site.call("operator", "POST", "/order-batches", {**asked, "seen": "0" * 64})
    assert stale.status_code == 412
    digest = seen.get_json()["sha256"]
    done = site.call(
        "operator", "POST", "/order-batches", {**asked, "seen": digest}, **{"Idempotency-Key": "batch-0001"}
    )
    again = site.call(
        "operator", "POST", "/order-batches", {**asked, "seen": digest}, **{"Idempotency-Key": "batch-0001"}
    )
    assert done.status_code == 201, done.text
    assert again.get_json() == done.get_json()
    orders = [line["order"] for line in done.get_json()["lines"]]
    assert all(orders)
    for order in orders:
        site.world.approve(order)
        lease = site.world.agent.take()
        assert site.world.ask(lease).clear
        site.world.hand_over(lease, site.world.finished(lease))


def test_2_what_waits_is_decided_together(site: Site) -> None:
    waiting = site.call("validator", "GET", "/validations/waiting?mine=true").get_json()["items"]
    assert [one["waits_for"] for one in waiting] == ["validator", "validator"]
    shown = [{"order": one["subject"], "record": one["record"], "version": one["version"]} for one in waiting]
    body = {"shown": shown, "decision": "approve", "reason": "read one by one"}
    assert site.call("operator", "POST", "/validations", body).status_code == 403
    other = {**body, "shown": [shown[0], {**shown[1], "record": "0" * 64}]}
    assert site.call("validator", "POST", "/validations", other).status_code == 412
    done = site.call("validator", "POST", "/validations", body)
    assert [one["state"] for one in done.get_json()["items"]] == ["validated", "validated"], done.text


def test_3_a_photograph_is_kept_and_comes_back(site: Site) -> None:
    picture = b"\x89PNG\r\n\x1a\n a label"
    kept = site.call("custodian", "POST", "/devices/AT-0/evidence-files?note=label", picture, kind="image/png")
    assert kept.status_code == 200, kept.text
    number = kept.get_json()["id"]
    back = site.call("auditor", "GET", f"/evidence-files/{number}")
    assert (back.data, back.mimetype) == (picture, "application/octet-stream")
    assert sha256_hex(back.data) == kept.get_json()["sha256"]
    wrong = site.call("custodian", "POST", "/devices/AT-0/evidence-files", b"<html>", kind="image/png")
    assert wrong.status_code == 422
    other = site.call("custodian", "POST", "/devices/AT-0/evidence-files", b"x", kind="text/html")
    assert other.status_code == 415


def test_4_a_lot_is_closed_drawn_from_and_examined(site: Site) -> None:
    world = site.world
    opened = lot_register.OpenLot(name="Rack 7", purpose=LotPurpose.RESALE, devices=("AT-0", "AT-1"))
    lot = lot_register.open_lot(world.context, world.actor("custodian"), opened).id
    early = site.call("all-hands", "POST", f"/lots/{lot}/samples", {"percent": 50})
    assert early.status_code == 409
    for step in (lot_register.begin_closing, lot_register.close):
        step(world.context, world.actor("custodian"), MoveLot(lot=lot, reason="counted"))
    drawn = site.call("all-hands", "POST", f"/lots/{lot}/samples", {"percent": 50})
    assert drawn.status_code == 201, drawn.text
    sample = drawn.get_json()
    (device,) = [one["device"] for one in sample["drawn_devices"]]
    path = f"/samples/{sample['id']}/devices/{device}"
    barred = site.call("all-hands", "POST", f"{path}/assignment", {"person": world.actor("validator").ref})
    assert (barred.status_code, barred.get_json()["code"]) == (403, "separation-of-duty")
    given = site.call("all-hands", "POST", f"{path}/assignment", {"person": world.actor("custodian").ref})
    assert given.status_code == 200, given.text
    file = site.call("auditor", "GET", f"/samples/{sample['id']}/sample.json")
    assert json.loads(file.data)["format"] == "sanitrail/sample/1"
    body = {"finding": "failed", "tool": "cmp on a spare host", "evidence": ["ab" * 32]}
    done = site.call("custodian", "POST", f"{path}/finding", body)
    assert done.get_json()["state"] == "failed", done.text
    assert lot_register.lot(world.context, world.actor("auditor"), lot).state == "reopened"


def test_5_a_reading_is_ordered_and_cancelled(site: Site) -> None:
    world = site.world
    sanitized = next(disk for disk in (DISK, OTHER_DISK) if world.device(disk).state == "sanitized")
    body = {"device": world.device(sanitized).id, "reason": "a second look"}
    made = site.call("validator", "POST", "/readings", body)
    assert made.status_code == 201, made.text
    number = made.get_json()["id"]
    assert site.call("viewer", "GET", "/readings?open=true").get_json()["items"][0]["id"] == number
    assert site.call("viewer", "POST", f"/readings/{number}/cancellation", {"reason": "not mine"}).status_code == 403
    done = site.call("operator", "POST", f"/readings/{number}/cancellation", {"reason": "not needed"})
    assert done.get_json()["state"] == "cancelled", done.text
    assert site.call("operator", "POST", f"/readings/{number}/cancellation", {"reason": "again"}).status_code == 409
