"""Sites, teams and scopes, as an administrator enters them without a line of JavaScript."""

from __future__ import annotations

import html
import secrets

from inventory.console.views import acts
from inventory.domain.roles import Permission
from inventory.services import organisation, people, sessions
from inventory.services.organisation import CreateSite

from .conftest import Site


def once() -> str:
    return secrets.token_hex(16)


def test_a_site_is_added_and_stands_on_the_page(site: Site) -> None:
    answer = site.post("ines", "/sites/new", {"once": once(), "name": "Coimbra", "address": "Rua 1"})
    assert answer.status_code == 303, answer.text
    page = site.get("ines", "/sites").text
    assert "Coimbra" in page
    assert "Rua 1" in page
    again = site.post("ines", "/sites/new", {"once": once(), "name": "Coimbra"})
    assert again.status_code == 409
    assert "already a site with this name" in again.text


def test_how_far_somebody_sees_is_said_with_a_reason_and_shown_in_a_sentence(site: Site) -> None:
    boss = site.world.actor("ines")
    made = organisation.create_site(site.world.context, boss, CreateSite(name="Évora"))
    command = people.CreatePerson(login="visitor", name="Vi Sitor", title="", contact="", roles=frozenset({"viewer"}))  # type: ignore[arg-type]
    ref = people.create_person(site.world.context, boss, command)[0].ref
    assert "Sees nothing" in site.get("ines", f"/people/{ref}").text
    without = site.post("ines", f"/people/{ref}/scope", {"once": once(), "sites": made.id, "reason": ""})
    assert without.status_code == 422
    answer = site.post("ines", f"/people/{ref}/scope", {"once": once(), "sites": made.id, "reason": "Works there."})
    assert answer.status_code == 303, answer.text
    assert f"Sees what is at {made.id}." in site.get("ines", f"/people/{ref}").text
    both = {"once": once(), "sites": made.id, "everywhere": "yes", "reason": "Both."}
    assert "not both" in site.post("ines", f"/people/{ref}/scope", both).text


def test_a_place_a_host_and_a_data_set_are_put_where_they_belong(site: Site) -> None:
    boss = site.world.actor("ines")
    at = organisation.create_site(site.world.context, boss, CreateSite(name="Braga"))
    of = organisation.create_team(site.world.context, boss, organisation.CreateTeam(name="Storage crew"))
    numbers = site.story.numbers
    for who, path, values in (
        ("carla", f"/places/{numbers['Office store']}/site", {"site": at.id}),
        ("ines", f"/hosts/{site.world.agents[-1].host}/belonging", {"site": at.id, "team": of.id}),
        ("petra", f"/data/{numbers['data_set']}/team", {"team": of.id}),
    ):
        answer = site.post(who, path, {"once": once(), "reason": "So it is.", **values})
        assert answer.status_code == 303, answer.text
    listed = next(one for one in organisation.list_sites(site.world.context, boss) if one.id == at.id)
    assert (listed.locations, listed.hosts) == (1, 1)


def test_whoever_may_not_manage_people_sees_no_button(site: Site) -> None:
    assert "Add a site" not in site.get("vic", "/sites").text
    assert site.get("vic", "/sites/new").status_code == 403


def test_the_auditor_reads_by_which_role_somebody_may_do_what_and_what_they_did(site: Site) -> None:
    ann = site.world.people["ann"].ref
    page = site.get("aud", f"/people/{ann}/duties").text
    assert "order.approve" in page
    assert "Approve orders" in page
    assert "in the roster" in page
    assert "An approver signed" in page
    assert site.get("vic", f"/people/{ann}/duties").status_code == 403
    assert site.get("vic", f"/people/{site.world.people['vic'].ref}/duties").status_code == 200


def test_every_kind_of_act_has_words_and_names_the_roles_and_the_people(site: Site) -> None:
    assert set(acts.WORDS) == set(Permission), "a new kind of act needs words"
    page = site.get("aud", "/duties/acts?act=order.approve").text
    who = page[page.index('id="who"') : page.index("</section>", page.index('id="who"'))]
    assert "Who may approve orders" in who
    assert {name for name in ("Ann Okafor", "Ben Tanaka", "Vera Lindqvist", "Omar Haddad") if name in who} == {
        "Ann Okafor",
        "Ben Tanaka",
    }
    for permission, text in acts.WORDS.items():
        assert str(permission) in page
        assert html.escape(text[1:], quote=True).replace("&#x27;", "&#39;") in page
    assert 'id="who"' not in site.get("aud", "/duties/acts?act=order.nonsense").text
    assert site.get("vic", "/duties/acts").status_code == 403


def test_the_interface_tells_the_same_acts_roles_and_people(site: Site) -> None:
    told = site.client("aud").get("/api/v1/acts", base_url=site.base).get_json()
    assert {one["permission"] for one in told} == set(map(str, Permission))
    approve = next(one for one in told if one["permission"] == "order.approve")
    found = site.client("aud").get("/api/v1/acts/order.approve/people", base_url=site.base).get_json()
    assert {one["person"]["login"] for one in found} == {"ann", "ben"}
    assert approve["people"] == len(found)
    assert all(one["by"] == approve["roles"] == ["approver"] for one in found)


def test_the_interface_tells_acts_to_readers_of_the_history_alone(site: Site) -> None:
    assert site.client("aud").get("/api/v1/acts/order.nonsense/people", base_url=site.base).status_code == 404
    for path in ("/acts", "/acts/order.approve/people"):
        assert site.client("vic").get(f"/api/v1{path}", base_url=site.base).status_code == 403


def test_an_orders_page_names_who_is_barred_by_their_own_act(site: Site) -> None:
    order = site.story.numbers["requested"]
    page = site.get("aud", f"/duties/{order}").text
    assert "Omar Haddad" in page  # requested it
    assert "Vera Lindqvist" in page  # may validate it
    assert site.get("aud", "/duties/O-2026-999999").status_code == 404
    assert site.get("aud", f"/duties?about={order}").location.endswith(f"/duties/{order}")


def test_a_token_is_narrowed_to_sites_of_ones_own_and_to_no_other(site: Site) -> None:
    boss = site.world.actor("ines")
    made = organisation.create_site(site.world.context, boss, CreateSite(name="Aveiro"))
    asked = {"once": once(), "name": "reporting", "token_roles": "administrator", "days": "9"}
    answer = site.post("ines", "/account/tokens", {**asked, "token_sites": made.id})
    assert "strl_" in answer.text
    (token,) = [one for one in sessions.list_tokens(site.world.context, boss) if one.name == "reporting"]
    assert (token.sites, token.teams) == ((made.id,), ())
    assert f"only what is of {made.id}" in answer.text
    refused = site.post("ines", "/account/tokens", {**asked, "once": once(), "token_sites": "SI-9999"})
    assert "strl_" not in refused.text
    assert "Choose among those that you see." in refused.text
