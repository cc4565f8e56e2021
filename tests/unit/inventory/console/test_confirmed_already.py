"""What is confirmed already is shown, and not offered for confirming again."""

from __future__ import annotations

import pytest

from inventory.services import approvers
from reports.canonical import to_base64
from reports.keys import FileSigner

from .conftest import Site

ASKED = "I have compared it with"


def confirmed_key(site: Site) -> str:
    found = approvers.list_keys(site.world.context, site.world.actor("ines"))
    return next(key.key_id for key in found if key.state == "confirmed")


def test_a_key_that_waits_is_offered_for_confirming(site: Site) -> None:
    page = site.get("ines", f"/keys/{site.story.waiting_key}/confirm")
    assert page.status_code == 200
    assert ASKED in page.text


def test_a_confirmed_key_says_who_compared_it_and_asks_for_nothing(site: Site) -> None:
    page = site.get("ines", f"/keys/{confirmed_key(site)}/confirm")
    assert page.status_code == 200
    assert ASKED not in page.text
    assert "This key is confirmed, not waiting for confirmation." in page.text
    assert "Confirmed by Inês Duarte" in page.text


def test_a_confirmed_key_that_is_sent_again_is_refused(site: Site) -> None:
    answer = site.post("ines", f"/keys/{confirmed_key(site)}/confirm", {"compared": "yes"})
    assert answer.status_code == 409
    assert "not waiting for confirmation" in answer.text


@pytest.mark.parametrize(("language", "said"), [("pt", "Nada a confirmar aqui"), ("ms", "Tiada apa untuk dipastikan")])
def test_that_nothing_is_to_be_confirmed_is_said_in_the_readers_language(site: Site, language: str, said: str) -> None:
    page = site.client("ines").get(
        f"/console/keys/{confirmed_key(site)}/confirm", base_url=site.base, headers={"Accept-Language": language}
    )
    assert said in page.text


def test_a_host_that_was_decided_about_leads_to_its_page(site: Site) -> None:
    known = site.world.agents[0].host
    answer = site.get("ines", f"/hosts/{known}/confirm")
    assert (answer.status_code, answer.location) == (303, f"/console/hosts/{known}")
    assert site.get("ines", f"/hosts/{site.story.waiting_host}/confirm").status_code == 200


def test_a_revoked_key_is_not_offered_for_revoking_again(site: Site) -> None:
    context, ben = site.world.context, site.world.actor("ben")
    public = to_base64(FileSigner.generate("p256").public_key_der)
    mine = approvers.register_key(context, ben, approvers.RegisterKey(public_key=public)).key_id
    assert site.get("ben", f"/keys/{mine}/revoke").status_code == 200
    approvers.revoke_key(context, ben, mine, "made by mistake")
    again = site.get("ben", f"/keys/{mine}/revoke")
    assert (again.status_code, again.location) == (303, "/console/keys")
    assert "not waiting for confirmation" in site.get("ines", f"/keys/{mine}/confirm").text
