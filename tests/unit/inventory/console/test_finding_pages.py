"""Lists, acts on many, views, the search, queues and the policy's table, as a browser without a script meets them."""

from __future__ import annotations

import csv
import io
import re

import sqlalchemy as sa

from inventory.console.blueprint import ACCESS
from inventory.domain.roles import Permission
from inventory.models import Device
from inventory.services import finding, policies, queries
from reports.drive_words import technique_words

from .conftest import Site


def hidden(page: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(value)
    return found


def test_a_list_narrows_by_links_and_its_file_holds_the_same_rows(site: Site) -> None:
    page = site.get("carla", "/devices?state=retired&columns=serial&columns=state").text
    listed = re.findall(r'class="cell-main[^"]*" href="/console/devices/(D-[0-9]+)"', page)
    assert listed
    assert 'aria-current="true">Retired' in re.sub(r"\s+", " ", page)
    file = site.get("carla", "/lists/devices.csv?state=retired&columns=serial,state,number")
    rows = list(csv.DictReader(io.StringIO(file.text.lstrip("\ufeff"))))
    assert [row["Number"] for row in rows] == listed
    assert {row["State"] for row in rows} == {"retired"}
    event = queries.list_events(site.world.context, site.world.actor("aud"), tag="export.taken").items[0]
    assert event.details["filters"] == "state=retired&columns=serial%2Cstate%2Cnumber"
    assert event.details["rows"] == len(listed)


def test_what_a_list_is_searched_for_stands_in_its_own_box_alone(site: Site) -> None:
    page = site.get("carla", "/devices?q=AT-0047").text
    boxes = re.findall(r'<input[^>]*type="search"[^>]*>', page)
    assert [re.findall(r'value="([^"]*)"', box) for box in boxes] == [[""], ["AT-0047"]]


def test_a_misspelt_filter_shows_nothing_and_says_which(site: Site) -> None:
    page = site.get("carla", "/devices?state=retird").text
    assert "cell-main" not in page
    assert "retird (unknown)" in page
    assert "No device is chosen" in site.get("carla", "/devices/selected?all=state%3Dretird").text


def test_many_are_changed_only_as_they_were_looked_at(site: Site) -> None:
    devices = [site.story.numbers["flash"], site.story.numbers["old"]]
    asked = {"device": devices, "event": "place_in_service", "reason": "Needed again."}
    looked = site.post("carla", "/devices/selected", {**asked, "step": "look"})
    assert looked.status_code == 200
    assert "None of them can do this" in looked.text
    moved = {"device": devices, "event": "quarantine", "reason": "Under lock until they go."}
    looked = site.post("carla", "/devices/selected", {**moved, "step": "look"})
    fields = hidden(looked.text)
    assert "What would happen to each" in looked.text
    state = queries.device(site.world.context, site.world.actor("carla"), devices[0]).state
    other = site.post("carla", "/devices/selected", {**moved, "step": "do", "seal": "0" * 64})
    assert other.status_code == 422
    assert "Something changed since you looked" in other.text
    assert queries.device(site.world.context, site.world.actor("carla"), devices[0]).state == state
    assert fields["seal"][0] not in other.text or fields["seal"] != ["0" * 64]
    refused = site.post("vic", "/devices/selected", {**moved, "step": "do", "seal": fields["seal"][0]})
    assert refused.status_code == 200
    assert queries.device(site.world.context, site.world.actor("carla"), devices[0]).state == state


def test_a_view_is_kept_under_its_name_and_opens_its_list(site: Site) -> None:
    saved = site.post("omar", "/lists/devices/views", {"name": "On hold", "filters": "held=yes"})
    assert saved.status_code == 303
    assert saved.location == "/console/devices?said=view-saved&held=yes"
    page = site.get("omar", "/devices?held=yes").text
    assert "On hold" in page
    again = site.post("omar", "/lists/devices/views", {"name": "On hold", "filters": "held=no"})
    assert (again.status_code, "already" in again.text) == (422, True)
    number = re.findall(r'/console/views/(V-[0-9a-f]{16})"', site.get("omar", "/views").text)[0]
    assert site.get("vic", f"/views/{number}").status_code == 404
    site.post("omar", f"/views/{number}/share", {"shared": "yes"})
    assert site.get("vic", f"/views/{number}").location == "/console/devices?held=yes"
    assert site.post("vic", f"/views/{number}/remove", {}).status_code == 404
    assert site.post("omar", f"/views/{number}/remove", {}).status_code == 303


def test_the_search_goes_straight_to_what_is_named_in_whole_and_else_shows_what_fits(site: Site) -> None:
    n = site.story.numbers
    assert site.get("vic", f"/search?q={n['case'].lower()}").location == f"/console/cases/{n['case']}"
    assert site.get("vic", f"/search?q=+{n['old']}+").location == f"/console/devices/{n['old']}"
    shown = site.get("vic", "/search?q=CUST")
    assert shown.status_code == 200
    assert "CUST-88213" in shown.text
    assert "Search all devices for" in site.get("vic", "/search/hits?q=zzzz").text
    assert site.get("aud", f"/search?q={n['record']}").location == f"/console/records/{n['record']}"
    viewer = site.get("vic", f"/search?q={n['record']}")
    assert viewer.status_code == 200
    assert viewer.location is None


def test_a_queue_names_what_waits_and_who_must_not(site: Site) -> None:
    n = site.story.numbers
    assert n["requested"] in site.get("ben", "/queues/approve").text
    assert "CUST-40177" in site.get("petra", "/queues/privacy").text
    assert n["question"] in site.get("carla", "/queues/custody").text
    for endpoint in ("orders_to_approve", "privacy_queue", "custody_queue"):
        assert ACCESS[f"console.{endpoint}"].permission is not Permission.READ


def test_the_policys_table_is_put_in_force_only_as_it_was_looked_at(site: Site) -> None:
    page = site.get("ines", "/policy/table").text
    fields = dict(re.findall(r'<input class="input num-input" type="number" name="([^"]+)"[^>]*value="([0-9]+)"', page))
    for select in re.findall(r'<select class="input" name="([^"]+)".*?</select>', page, re.DOTALL):
        body = page.split(f'name="{select}"', 1)[1].split("</select>", 1)[0]
        fields[select] = re.findall(r'value="([a-z]+)" selected', body)[0]
    before = policies.current_policy(site.world.context, site.world.actor("ines")).sha256
    looked = site.post("ines", "/policy/table", {**fields, "low-00.approvals": "3", "step": "preview"})
    assert looked.status_code == 200
    seen = hidden(looked.text)["seen"][0]
    assert "Put in force exactly this" in looked.text
    other = {**fields, "low-00.approvals": "4", "seen": seen, "reason": "Two are few.", "step": "import"}
    assert "This is not what you looked at" in site.post("ines", "/policy/table", other).text
    less = site.post("ines", "/policy/table", {**fields, "high-11.method": "clear", "step": "preview"})
    assert less.status_code == 422
    odd = site.post("ines", "/policy/table", {**fields, "low-00.witnesses": "many", "step": "preview"})
    assert odd.status_code == 422
    assert policies.current_policy(site.world.context, site.world.actor("ines")).sha256 == before


def test_a_known_checkpoint_is_proven_and_a_wrong_root_is_not(site: Site) -> None:
    page = site.get("aud", "/log/3").text
    assert "It is in the log" in page
    size, root = (
        re.findall(r"tree of ([0-9]+) entries", page)[0],
        re.findall(r"<code[^>]*>([A-Za-z0-9+/]{43}=)</code>", page)[-1],
    )
    known = {"size": size, "root": root}
    assert "continues the one of" in site.client("aud").get("/console/log", query_string=known, base_url=site.base).text
    wrong = {"size": str(int(size) - 1), "root": root}
    answer = site.client("aud").get("/console/log", query_string=wrong, base_url=site.base).text
    assert "That root is not the one this log had" in answer
    assert "1 to" in site.get("aud", "/log?size=99999999&root=x").text


def test_a_column_puts_the_list_in_order_and_its_file_too(site: Site) -> None:
    page = site.get("petra", "/cases?sort=-due").text
    assert 'aria-sort="descending"' in page
    assert 'href="/console/cases?sort=due"' in page
    listed = re.findall(r'class="cell-main[^"]*" href="/console/cases/(EC-[0-9-]+)"', page)
    up = re.findall(
        r'class="cell-main[^"]*" href="/console/cases/(EC-[0-9-]+)"', site.get("petra", "/cases?sort=due").text
    )
    assert len(listed) > 1
    assert up == listed[::-1]
    file = site.get("petra", "/lists/cases.csv?sort=-due&columns=number")
    assert [row["Number"] for row in csv.DictReader(io.StringIO(file.text.lstrip("\ufeff")))] == listed
    assert "aria-sort" not in site.get("petra", "/cases?sort=nonsense").text


def test_many_orders_are_cancelled_only_as_they_were_looked_at(site: Site) -> None:
    order = site.story.numbers["requested"]
    state = queries.order(site.world.context, site.world.actor("omar"), order).state
    page = site.get("omar", "/orders").text
    assert 'action="/console/lists/orders/selected"' in page
    assert f'form="chosen" name="row" value="{order}"' in page
    asked = {"row": [order, "O-2000-000001"], "act": "cancel", "reason": "The lease was prolonged."}
    looked = site.post("omar", "/lists/orders/selected", {**asked, "step": "look"})
    assert looked.status_code == 200
    assert "Would be done" in looked.text
    assert "Refused" in looked.text
    assert "Do it to these 1" in looked.text
    other = site.post("omar", "/lists/orders/selected", {**asked, "step": "do", "seal": "0" * 64})
    assert other.status_code == 422
    changed = {**asked, "reason": "Something else.", "step": "do", "seal": hidden(looked.text)["seal"][0]}
    assert site.post("omar", "/lists/orders/selected", changed).status_code == 422
    assert site.post("omar", "/lists/orders/selected", {**asked, "reason": "", "step": "look"}).status_code == 422
    assert queries.order(site.world.context, site.world.actor("omar"), order).state == state
    refused = site.post(
        "vic", "/lists/orders/selected", {**asked, "step": "do", "seal": hidden(looked.text)["seal"][0]}
    )
    assert "Nothing is chosen" in refused.text
    assert queries.order(site.world.context, site.world.actor("omar"), order).state == state
    assert 'name="row"' not in site.get("vic", "/orders").text


def test_a_row_offers_the_next_thing_to_whoever_may_do_it(site: Site) -> None:
    pending = site.story.waiting_host
    assert f'href="/console/hosts/{pending}/confirm"' in site.get("ines", "/hosts").text
    assert f'href="/console/hosts/{pending}/confirm"' not in site.get("vic", "/hosts").text
    certificate = site.story.numbers["certificate"]
    assert f'href="/console/certificates/{certificate}/certificate.pdf"' in site.get("aud", "/certificates").text
    running = site.get("omar", f"/orders?state=any&q={site.story.numbers['running']}").text
    assert '<progress max="100"' in running


def test_orders_are_listed_with_what_the_technique_is_called_and_its_code_behind(site: Site) -> None:
    page = site.get("aud", "/orders?state=any").text
    assert f'<span title="overwrite">{technique_words("overwrite")}</span>' in page


def test_whoever_typed_a_serial_number_sees_it_first_and_the_tag_behind(site: Site) -> None:
    with site.world.context.database.reading() as session:
        device = session.scalars(
            sa.select(Device).where(Device.serial.is_not(None), Device.asset_tag.is_not(None)).limit(1)
        ).one()
        serial, tag = str(device.serial), str(device.asset_tag)
    for text, title, about in ((serial, serial, f"{tag}, "), (tag, tag, "")):
        hit = finding.find(site.world.context, site.world.actor("aud"), text)[0]
        assert (hit.title, hit.about.startswith(about), hit.exact) == (title, True, True)
