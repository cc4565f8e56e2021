"""What people are told of an event's details: no words of programs, names instead of numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from inventory.console.language.speaking import words
from inventory.console.views.telling import UNTOLD, numbers, told
from inventory.events import Tag
from inventory.services.queries import called, list_events
from inventory.services.views import EventView

from .conftest import Site

STORY = re.compile(r'<div class="story-(?:text|meta)">(.*?)</div>', re.DOTALL)
RAW = re.compile(
    r"(?<!\()\b(?:H-\d+|L-\d+|[a-z]+_[a-z_]+|p-[a-z0-9]{10}|OB-\d+|LS-\d+|[0-9a-f]{64}|\d{4}-\d\d-\d\dT\S+)\b"
)
EVENT = EventView(
    id=1, at=datetime(2026, 11, 1, tzinfo=UTC), tag=Tag.DEVICE_RETIRED, actor="p-omar", subject_kind="device",
    subject="D-000001", device="D-000001", host=None, order=None, reason="Its lease ended.",
)  # fmt: skip


def said(tag: Tag, **details: object) -> str:
    names = {"L-0001": "Dock", "p-carla": "Carla"}
    return told(replace(EVENT, tag=tag, details=details), lambda number: names.get(number, number))


def test_nothing_that_only_programs_ask_for_is_told() -> None:
    assert said(Tag.DEVICE_RETIRED, **dict.fromkeys(UNTOLD, "lease")) == "Its lease ended"
    assert said(Tag.ORDER_LEASED, event="lease", token=1, **{"from": "approved", "to": "leased"}) == "Its lease ended"


def test_a_place_is_told_by_its_name_and_only_where_it_changed() -> None:
    moved = {"before": {"location": None}, "location": "L-0001"}
    assert said(Tag.DEVICE_RELOCATED, **moved) == "Its lease ended. Place: Dock"
    assert said(Tag.DEVICE_RETIRED, before={"location": "L-0001"}, location="L-0001") == "Its lease ended"


def test_words_of_the_vocabulary_are_words_and_what_people_typed_stays() -> None:
    assert said(Tag.HOLDING_BEGUN, kind="memory_dump", source="resolved").endswith(
        "Kind: Memory dump; found by the agent"
    )
    assert said(Tag.DESTRUCTION_RECORDED, facility="works_two").endswith("Facility: works_two")
    assert said(Tag.SAMPLE_ASSIGNED, person="p-carla").endswith("Person: Carla")


def test_details_are_called_as_their_own_pages_call_them() -> None:
    assert said(Tag.AUDIT_PACK_REQUESTED, names="pseudonyms").endswith("Names: By reference only")
    assert said(Tag.AUDIT_PACK_REQUESTED, names="full").endswith("Names: In full")
    assert said(Tag.WEBHOOK_CREATED, tags="device.*").endswith("Events: device.*")
    assert said(Tag.DEVICE_ATTACHED, path="/dev/sda", slot="7").endswith("Path: /dev/sda; Bay: 7")


@pytest.mark.parametrize("page", ["/events", "/devices/{old}", "/devices/{spare}", "/devices/{missing}"])
def test_no_story_prints_a_word_of_a_program(site: Site, page: str) -> None:
    text = site.get("aud", page.format_map(site.story.numbers)).text
    stories = unescape(re.sub("<[^>]+>", "", " ".join(STORY.findall(text))))
    assert stories
    assert not RAW.findall(stories)


def test_every_event_that_happened_is_told_without_words_of_programs(site: Site) -> None:
    reader, after = site.world.actor("ines"), None
    found: list[EventView] = []
    while True:
        part = list_events(site.world.context, reader, after=after, limit=200)
        found += part.items
        if (after := part.next) is None:
            break
    names = called(site.world.context, reader, set().union(*map(numbers, found)))
    texts = {told(event, lambda number: names.get(number, "somebody")) for event in found}
    assert not {text for text in texts if RAW.search(text)}
    assert "crm-db-01" in names.values()


def test_a_day_a_service_wrote_for_programs_is_a_day_as_every_other() -> None:
    assert words("Answer by 2026-11-20.") == "Answer by 20 November 2026."
    for kept in ("LIT-2026-11-20", "/backup/2026-11-20", "2026-11-20T07:00:00Z", "2026-13-40", "Write YYYY-MM-DD."):
        assert words(kept) == kept
