"""Forms: what was typed is kept, what is wrong is said, twice is once, and nobody else can send them."""

from __future__ import annotations

import html
import re

import pytest

from inventory.domain.vocabulary import Category, PartyKind, Zone
from inventory.services import data, people, places, queries
from inventory.services.devices import DeclareDevice, declare
from inventory.services.queries.devices import DeviceFilter

from .conftest import HERE, Site

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


def count(site: Site, text: str) -> int:
    return len(queries.list_devices(site.world.context, site.world.actor("carla"), DeviceFilter(text=text)).items)


def test_a_refused_form_comes_back_with_every_word_and_says_what_is_wrong(site: Site) -> None:
    typed = {"asset_tag": "", "vendor": "Kept & Sons", "capacity_gb": "a lot", "media": "granite", "source": "rack <9>"}
    answer = site.post("carla", "/devices/declare", dict(typed))
    assert answer.status_code == 422
    assert "Give it its asset tag" in answer.text
    for kept in ("Kept &amp; Sons", "a lot", "rack &lt;9&gt;"):
        assert f'value="{kept}"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 3
    assert 'role="alert"' in answer.text


def test_what_a_service_refuses_comes_back_with_its_own_status_and_sentence(site: Site) -> None:
    values = {"asset_tag": "AT-004711", "vendor": "Twin"}
    answer = site.post("carla", "/devices/declare", dict(values))
    assert answer.status_code == 409
    assert "already" in answer.text
    assert 'value="Twin"' in answer.text


def test_a_form_sent_twice_counts_once_and_leads_to_the_same_place(site: Site) -> None:
    values: dict[str, object] = {"asset_tag": "TWICE-1", "once": "ab" * 16}
    first, second = site.post("carla", "/devices/declare", values), site.post("carla", "/devices/declare", values)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert count(site, "TWICE-1") == 1


def test_a_number_of_a_submission_cannot_be_used_for_another_one(site: Site) -> None:
    once = "cd" * 16
    assert site.post("carla", "/devices/declare", {"asset_tag": "ONCE-1", "once": once}).status_code == 303
    assert site.post("carla", "/devices/declare", {"asset_tag": "ONCE-2", "once": once}).status_code in {409, 422}
    assert count(site, "ONCE-2") == 0


def test_a_refused_form_may_be_corrected_and_sent_again(site: Site) -> None:
    once = "ef" * 16
    assert site.post("carla", "/devices/declare", {"asset_tag": "AT-004711", "once": once}).status_code == 409
    assert site.post("carla", "/devices/declare", {"asset_tag": "CORRECTED-1", "once": once}).status_code == 303


def test_a_form_without_the_pages_token_or_from_elsewhere_is_refused(site: Site) -> None:
    client = site.client("carla")
    values = {"asset_tag": "FORGED-1"}
    bare = client.post("/console/devices/declare", data=values, base_url=site.base, headers=HERE)
    assert bare.status_code == 403
    stolen = {**values, "csrf_token": site.token("vic")}
    assert client.post("/console/devices/declare", data=stolen, base_url=site.base, headers=HERE).status_code == 403
    own = {**values, "csrf_token": site.token("carla")}
    cross = client.post(
        "/console/devices/declare", data=own, base_url=site.base, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert cross.status_code == 403
    assert count(site, "FORGED-1") == 0


def test_who_may_not_do_it_cannot_send_the_form_either(site: Site) -> None:
    assert site.post("vic", "/devices/declare", {"asset_tag": "NOT-MINE"}).status_code == 403
    assert site.post("aud", f"/devices/{site.story.device('flash')}/do/quarantine", {"reason": "x"}).status_code == 403
    assert count(site, "NOT-MINE") == 0


def test_the_gate_refuses_in_plain_words_and_nothing_moves(site: Site) -> None:
    device = site.story.device("flash")
    values = {"description": "A buyer", "reuse": "yes", "reason": "Sold", "step": "release"}
    answer = site.post("carla", f"/devices/{device}/release", dict(values))
    assert answer.status_code == 409
    assert "The gate is closed" in answer.text
    assert "no validated record covers that" in html.unescape(answer.text)
    assert 'value="A buyer"' in answer.text
    state = queries.device(site.world.context, site.world.actor("carla"), device).state
    assert state == "retired"


def test_an_impossible_order_is_refused_with_its_reasons_and_kept(site: Site) -> None:
    values = {
        "purpose": "outside",
        "method": "purge",
        "pattern": "zeros",
        "verification": "full",
        "hours": "24",
        "reason": "To be sold",
    }
    answer = site.post("omar", f"/devices/{site.story.device('old')}/order", dict(values))
    assert answer.status_code in {409, 422}
    assert "To be sold" in answer.text
    assert re.search(r'value="outside" checked', answer.text)


def test_an_approval_without_a_signature_is_refused(site: Site) -> None:
    path = f"/orders/{site.story.numbers['requested']}/approve"
    for envelope in ("", "not json", "[]", '{"payloadType":"x","payload":"","signatures":[]}'):
        answer = site.post("ben", path, {"envelope": envelope, "compared": "yes"})
        assert answer.status_code == 422, envelope
    order = queries.order(site.world.context, site.world.actor("ben"), site.story.numbers["requested"])
    assert order.approvals_given == 1


def test_who_requested_or_signed_already_is_told_why_they_cannot_sign(site: Site) -> None:
    answer = site.get("ann", f"/orders/{site.story.numbers['requested']}/approve")
    assert answer.status_code == 409
    assert "<form" not in answer.text.split("<article", 1)[1]


def test_the_validator_must_give_a_reason(site: Site) -> None:
    answer = site.post(
        "vera",
        f"/orders/{site.story.numbers['recorded']}/validate",
        {"decision": "approve", "reason": "", "version": "1"},
    )
    assert answer.status_code == 422
    assert "Say why" in answer.text
    assert re.search(r'value="approve" checked', answer.text)


def test_an_old_version_of_a_record_cannot_be_decided_about(site: Site) -> None:
    values = {"decision": "reject", "reason": "Seen an old page.", "version": "1"}
    answer = site.post("vera", f"/orders/{site.story.numbers['recorded']}/validate", dict(values))
    assert answer.status_code == 412
    assert "Seen an old page." in answer.text


def test_a_one_time_link_is_shown_once_and_never_written_into_an_address(site: Site) -> None:
    values = {"login": "temp-1", "name": "Temp One", "roles": "viewer", "once": "12" * 16}
    answer = site.post("ines", "/people/new", dict(values))
    assert answer.status_code == 200
    (link,) = re.findall(rf"{re.escape(site.base)}(/welcome/[A-Za-z0-9_-]+)", answer.text)[:1]
    again = site.post("ines", "/people/new", dict(values))
    assert link not in again.text
    page = site.app.test_client().get(link, base_url=site.base)
    assert page.status_code == 200
    assert "Temp One" in page.text


def test_a_spent_link_lets_nobody_in_and_says_so(site: Site) -> None:
    answer = site.app.test_client().get("/welcome/" + "x" * 43, base_url=site.base)
    assert answer.status_code == 401
    assert "This link lets nobody in" in answer.text


def test_hostile_text_is_shown_as_text_on_every_page_that_shows_it(site: Site) -> None:
    context, carla, petra, ines = (
        site.world.context,
        site.world.actor("carla"),
        site.world.actor("petra"),
        site.world.actor("ines"),
    )
    device = declare(
        context,
        carla,
        DeclareDevice(asset_tag=HOSTILE[:60], vendor=HOSTILE, model=HOSTILE, serial=HOSTILE, source=HOSTILE),
    )
    spot = places.create_location(
        context, carla, places.CreateLocation(name=HOSTILE, zone=Zone.SECURE, address=HOSTILE)
    )
    party = places.create_party(
        context, petra, places.CreateParty(name=HOSTILE, kind=PartyKind.VENDOR, contact=HOSTILE)
    )
    person, _ = people.create_person(
        context,
        ines,
        people.CreatePerson(login="hostile", name=HOSTILE, title=HOSTILE, contact=HOSTILE, roles=frozenset()),
    )
    made = data.create_data_set(
        context,
        petra,
        data.CreateDataSet(name="Hostile set", category=Category.LOW, owner=HOSTILE, description=HOSTILE),
    )
    shown = {
        f"/devices/{device.id}": "carla",
        "/devices?q=script": "carla",
        f"/devices/{device.id}/move": "carla",
        "/places": "carla",
        f"/places/{spot.id}/change": "carla",
        f"/parties/{party.id}/undertaking": "petra",
        f"/devices/{device.id}/release": "carla",
        "/people": "ines",
        f"/people/{person.ref}": "ines",
        "/events": "ines",
        f"/data/{made.id}": "petra",
        "/data": "petra",
        "/holds/new": "petra",
        f"/search?q={HOSTILE[:20]}": "carla",
    }
    for path, login in shown.items():
        text = site.get(login, path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "49" not in re.findall(r"onerror=alert\(2\)&gt;(..)", text), path


@pytest.mark.parametrize(
    "path",
    [
        "/devices?after=%00",
        "/devices?state=nonsense",
        "/orders?show=nonsense",
        "/cases?state=x",
        "/events?tag=x&actor=%27",
        "/exceptions?state=zz",
    ],
)
def test_a_nonsense_address_shows_a_list_and_never_fails(site: Site, path: str) -> None:
    assert site.get("ines", path).status_code in {200, 422}


@pytest.mark.parametrize(("who", "act"), [("carla", "witness"), ("vera", "decide")])
def test_whoever_witnesses_a_destruction_or_decides_about_it_reads_what_was_stated(
    site: Site, who: str, act: str
) -> None:
    n = site.story.numbers
    page = html.unescape(site.get(who, f"/devices/{n['old']}/destruction/{n['destruction']}/{act}").text)
    for told in (
        "K5HWJ3TD",
        "Disintegrate",
        "2\u00a0mm or less",
        "Disintegrator X-2000",
        "Green Loop, hall 3",
        "Omar Haddad",
    ):
        assert told in page


def test_a_page_on_paper_says_the_day_and_not_how_long_ago(site: Site) -> None:
    for path in (f"/orders/{site.story.numbers['validated']}", "/orders"):
        found = re.findall(r'<time [^>]*data-on="([^"]+)"><span>([^<]+)</span>', site.get("omar", path).text)
        assert found
        assert all(re.fullmatch(r"\d{1,2} \w{3} \d{4}, \d\d:\d\d", on) for on, _ in found)
