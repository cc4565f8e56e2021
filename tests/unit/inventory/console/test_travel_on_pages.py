"""Lots, boxes and hand-overs on pages, without any script; and the one page somebody without an account sees."""

from __future__ import annotations

import html
import re

import pytest
from werkzeug.test import TestResponse

from inventory.domain.lots import ContainerKind, LotPurpose
from inventory.services import containers, handover_offers, lot_register, queries
from inventory.services.devices import DeclareDevice, declare
from inventory.services.views.handovers import HandoverDetail

from .conftest import HERE, Site


def device(site: Site, tag: str, place: str = "Office store") -> str:
    """A new device that nothing was ever written to."""
    command = DeclareDevice(asset_tag=tag, location=site.story.numbers[place])
    return declare(site.world.context, site.world.actor("carla"), command).id


def offered(site: Site, tag: str, **fields: object) -> HandoverDetail:
    """Such a device in a sealed box, offered to the recycler."""
    context, carla = site.world.context, site.world.actor("carla")
    making = containers.CreateContainer(name="Box", kind=ContainerKind.BOX, location=site.story.numbers["Office store"])
    box = containers.create_container(context, carla, making).id
    containers.fill(context, carla, containers.FillContainer(container=box, devices=(device(site, tag),)))
    containers.seal(context, carla, containers.SealContainer(container=box, seals=(f"S-{tag}",), reason="packed"))
    target = fields or {"to_party": site.story.numbers["recycler"]}
    command = handover_offers.OfferHandover(containers=(box,), **target)  # type: ignore[arg-type]  # fields of the command
    return handover_offers.offer(context, carla, command)


def link(site: Site, handover: str) -> str:
    """The secret of a fresh link, as its page shows it."""
    answer = site.post("carla", f"/handovers/{handover}/links", {"days": "3"})
    assert answer.status_code == 200
    (found,) = set(re.findall(r"/handover/([A-Za-z0-9_-]{43})", answer.text))
    return str(found)


def stranger(site: Site, secret: str, values: dict[str, str] | None = None) -> TestResponse:
    """A request without a session."""
    client = site.app.test_client()
    if values is None:
        return client.get(f"/handover/{secret}", base_url=site.base)
    return client.post(f"/handover/{secret}", data=values, base_url=site.base, headers=HERE)


def test_a_lot_is_opened_filled_and_frozen_on_pages(site: Site) -> None:
    one, two = device(site, "LOT-1"), device(site, "LOT-2")
    values = {"name": "Porto & back", "purpose": "transfer", "devices": one}
    answer = site.post("carla", "/lots/new", dict(values))
    assert answer.status_code == 303
    number = re.search(r"/lots/(LT-[0-9]+)", answer.location)[1]  # type: ignore[index]  # it leads to the lot
    code = f"{site.base}/console/scan?code={two}"
    assert site.post("carla", f"/lots/{number}/devices", {"devices": code}).status_code == 303
    assert site.post("carla", f"/lots/{number}/do/freeze", {"reason": "All in."}).status_code == 303
    page = site.get("carla", f"/lots/{number}").text
    assert "Porto &amp; back" in page
    assert "What keeps it from being closed" in page
    refused = site.post("carla", f"/lots/{number}/do/close", {"reason": "All there."})
    assert refused.status_code == 409
    assert "no agent has" in html.unescape(refused.text) or "not everything is accounted for" in refused.text


def test_nobody_but_who_may_is_offered_a_button(site: Site) -> None:
    lot = site.story.numbers["lot"]
    assert "/do/freeze" in site.get("carla", f"/lots/{lot}").text
    assert "/do/freeze" not in site.get("vic", f"/lots/{lot}").text
    assert site.post("vic", f"/lots/{lot}/do/freeze", {"reason": "why not"}).status_code == 403


def test_the_receiver_answers_through_a_link_and_sees_nothing_before_they_have(site: Site) -> None:
    handover = offered(site, "DOWN-1")
    secret = link(site, handover.id)
    page = stranger(site, secret)
    assert page.status_code == 200
    assert handover.id in page.text
    assert "S-DOWN-1" not in page.text
    assert "DOWN-1" not in page.text
    answer = stranger(site, secret, {"receiver": "Rui", "count": "1", "seals": "S-DOWN-1"})
    assert (answer.status_code, "Accepted" in answer.text) == (200, True)
    found = queries.device(site.world.context, site.world.actor("aud"), "DOWN-1")
    assert (str(found.state), found.party) == ("released", site.story.numbers["recycler"])
    assert stranger(site, secret).status_code == 404


def test_what_the_receiver_counted_otherwise_is_a_dispute_both_see(site: Site) -> None:
    handover = offered(site, "DOWN-2")
    answer = stranger(site, link(site, handover.id), {"receiver": "Rui", "count": "2", "seals": "S-other"})
    assert "Disputed" in answer.text
    assert "Seal S-DOWN-2 was put on" in answer.text
    assert "Seal S-DOWN-2 was put on" in site.get("carla", f"/handovers/{handover.id}").text


def test_a_form_the_receiver_did_not_finish_comes_back_and_the_link_still_counts(site: Site) -> None:
    secret = link(site, offered(site, "DOWN-3").id)
    refused = stranger(site, secret, {"receiver": "", "count": "many", "remark": "<b>wet</b>"})
    assert refused.status_code == 422
    assert "&lt;b&gt;wet&lt;/b&gt;" in refused.text
    assert stranger(site, secret, {"receiver": "Rui", "count": "1", "seals": "S-DOWN-3"}).status_code == 200


def test_an_answer_sent_from_elsewhere_is_refused(site: Site) -> None:
    secret = link(site, offered(site, "DOWN-4").id)
    values = {"receiver": "Rui", "count": "1", "seals": "S-DOWN-4"}
    answer = site.app.test_client().post(
        f"/handover/{secret}", data=values, base_url=site.base, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert stranger(site, secret).status_code == 200


def test_an_unknown_link_says_nothing_but_that(site: Site) -> None:
    page = stranger(site, "x" * 43)
    assert page.status_code == 404
    assert "This link opens nothing" in page.text


def test_inside_another_person_answers_and_the_count_is_hidden_from_them(site: Site) -> None:
    handover = offered(site, "IN-1", to_location=site.story.numbers["Wipe room"])
    assert "S-IN-1" in site.get("carla", f"/handovers/{handover.id}").text
    refused = site.post("carla", f"/handovers/{handover.id}/answer", {"count": "1", "seals": "S-IN-1"})
    assert refused.status_code == 403
    assert "offered it" in refused.text


def test_codes_are_looked_up_and_compared_without_a_script(site: Site) -> None:
    there, gone = device(site, "SCAN-1"), device(site, "SCAN-2")
    opening = lot_register.OpenLot(name="Scanned", purpose=LotPurpose.STORAGE, devices=(there, gone))
    lot = lot_register.open_lot(site.world.context, site.world.actor("carla"), opening).id
    page = site.post("vic", "/scan", {"codes": "SCAN-1\nSCAN-9", "with": lot})
    assert page.status_code == 200
    assert "Not read" in page.text
    assert gone in page.text
    assert "Unknown" in page.text
    assert page.headers["Permissions-Policy"].startswith("camera=(self)")
    assert site.get("vic", "/lots").headers["Permissions-Policy"].startswith("camera=()")


@pytest.mark.parametrize("kind", ["declared", "lot", "box"])
def test_the_code_of_a_label_leads_to_its_page(site: Site, kind: str) -> None:
    number = site.story.numbers[kind]
    answer = site.get("vic", f"/scan?code={number}")
    assert answer.status_code == 303
    assert answer.location.endswith(f"/{number}")
    assert site.get("vic", answer.location.removeprefix("/console")).status_code == 200


def test_a_container_is_sealed_and_opened_again_on_pages(site: Site) -> None:
    values = {"name": "Case", "kind": "case", "location": site.story.numbers["Office store"]}
    answer = site.post("carla", "/containers/new", dict(values))
    number = re.search(r"(CT-[0-9]+)", answer.location)[1]  # type: ignore[index]  # it leads to the container
    device(site, "BOX-1")
    assert site.post("carla", f"/containers/{number}/devices", {"devices": "BOX-1"}).status_code == 303
    sealing = {"seals": "Z-1\nZ-2", "reason": "packed"}
    assert site.post("carla", f"/containers/{number}/seals", dict(sealing)).status_code == 303
    assert site.post("carla", f"/containers/{number}/remove", {"device": "", "reason": "no"}).status_code == 422
    page = site.get("vic", f"/containers/{number}").text
    assert "Z-1, Z-2" in page
    assert "/remove" not in page
