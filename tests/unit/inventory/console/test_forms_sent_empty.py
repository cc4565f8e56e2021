"""A form that is sent empty says at once everything that is missing, each at its field."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.support.console_pages import addresses

from .conftest import Site
from .test_tongues import reader
from .test_tongues_of_states import forms

SAID_AS_A_WHOLE = {
    "policy_table": "every field of it holds something; an empty one is no policy",
    "selected": "nothing is chosen, so nothing is to be filled in for it",
    "set_up_authenticator": "nothing has begun that a code could end",
    "sign_destruction": "the page's script signs, and the sentence says so",
    "sign_roster": "the page's script signs, and the sentence says so",
    "sign_statement": "the page's script signs, and the sentence says so",
}
"""Forms without a field of their own that is missing, and why."""
BY_SCRIPT = {"key_source"}
"""Asked for by a page's script, which sends nothing of it."""


class Asked(HTMLParser):
    """What the form of one address asks for and does not have, and at which of its fields it says so."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.missing: set[str] = set()
        self.told: set[str] = set()
        self._own = False
        self._select = ""
        self._chosen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        mark, name = found.get("id", ""), found.get("name", "")
        if tag == "form":
            self._own = found.get("action", "").partition("?")[0] == self.address
        elif self._own and mark.startswith("f-") and mark.endswith("-error"):
            self.told.add(mark[2:-6])
        elif self._own and tag == "option" and self._select:
            if not found["value"]:  # the first one is chosen unless another is
                self.missing.add(self._select)
            self._select = ""
        elif self._own and tag == "select" and "required" in found:
            self._select = name
        elif self._own and found.get("type") == "radio":
            (self._chosen if "checked" in found else self.missing).add(name)
        elif self._own and "required" in found and not found.get("value"):
            self.missing.add(name)

    @property
    def silent(self) -> set[str]:
        """What is missing and nothing says so."""
        return self.missing - self._chosen - self.told - BY_SCRIPT


def test_a_form_sent_empty_names_everything_that_is_missing_at_its_field(site: Site) -> None:
    found = []
    for endpoint in forms(site):
        path, who = addresses(site.story)[endpoint].partition("?")[0], reader(site, endpoint)
        answer = site.post(who, path, {})
        if answer.status_code in {404, 409}:
            continue  # what it is about does not wait for anybody in this story
        page = Asked(f"/console{path}")
        page.feed(answer.text)
        if page.silent:
            found.append(f"{endpoint}: nothing is said of {', '.join(sorted(page.silent))}")
        if not page.told and endpoint not in SAID_AS_A_WHOLE:
            found.append(f"{endpoint}: nothing is said at a field")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "who", "sent", "told"),
    [
        ("/handovers/new", "carla", {}, {"devices", "to_location"}),
        ("/policy/new", "ines", {"step": "import"}, {"document", "reason"}),
    ],
)
def test_what_only_one_of_several_fields_must_hold_is_said_with_the_rest(
    site: Site, path: str, who: str, sent: dict[str, str], told: set[str]
) -> None:
    page = Asked(f"/console{path}")
    page.feed(site.post(who, path, sent).text)
    assert page.told == told
