"""Every state, event and message has its word on the page."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from inventory.console import pages, problems
from inventory.console.said import SAID
from inventory.console.views import chips, story, telling
from inventory.domain import vocabulary
from inventory.events import Tag

ENUMERATIONS = (
    vocabulary.DeviceState,
    vocabulary.OrderState,
    vocabulary.HostState,
    vocabulary.HoldingState,
    vocabulary.CaseState,
    vocabulary.KeyState,
    vocabulary.ExceptionState,
    vocabulary.Zone,
    vocabulary.Category,
    vocabulary.RecordStanding,
    vocabulary.ValidationDecision,
    vocabulary.EscrowState,
)
SPRITE = Path(pages.__file__).parents[1] / "static" / "img" / "icons.svg"
DRAWN = set(re.findall(r'<symbol id="([a-z-]+)"', SPRITE.read_text()))


@pytest.mark.parametrize(
    "state", [state for kind in ENUMERATIONS for state in kind], ids=lambda s: f"{type(s).__name__}.{s}"
)
def test_every_state_has_a_chip_with_a_word_and_a_drawn_shape(state: object) -> None:
    chip = chips.state_chip(state)  # type: ignore[arg-type]  # every member of every enumeration, walked
    assert chip.label
    assert chip.icon in DRAWN


def test_within_one_kind_no_two_states_read_alike() -> None:
    for kind in ENUMERATIONS:
        labels = [chips.state_chip(state).label for state in kind]
        assert len(labels) == len(set(labels)), kind


@pytest.mark.parametrize("word", ["", "purged", "SANITIZED", "unknown", "ok", "<script>"])
def test_an_unknown_outcome_never_looks_like_success(word: str) -> None:
    assert chips.word_chip("outcome", word).tone == "bad"


def test_only_a_sanitized_outcome_is_green() -> None:
    green = {
        word
        for word in ("sanitized", "partial", "failed", "refused", "interrupted", "unknown")
        if chips.word_chip("outcome", word).tone == "ok"
    }
    assert green == {"sanitized"}


def test_every_event_is_told_in_a_sentence_with_a_drawn_shape() -> None:
    assert set(story._TOLD) == set(Tag)
    for title, icon, _tone in story._TOLD.values():
        assert title[0].isupper()
        assert icon in DRAWN


def test_an_event_of_a_newer_release_is_shown_under_its_own_name() -> None:
    assert story._told("device.teleported") == ("Device teleported", "dot", "quiet")


def test_every_word_a_page_says_after_a_deed_is_in_the_closed_list() -> None:
    said: set[str] = set()
    for file in (*Path(pages.__file__).parent.glob("*.py"), Path(problems.__file__)):
        said |= set(re.findall(r'said="([a-z-]+)"', file.read_text()))
    assert said == set(SAID)


def test_every_icon_a_template_asks_for_is_drawn() -> None:
    folder = Path(pages.__file__).parents[1] / "templates"
    asked: set[str] = set()
    for file in folder.rglob("*.html"):
        asked |= set(re.findall(r"icon\('([a-z-]+)'", file.read_text()))
        asked |= set(re.findall(r"ui\.empty\('([a-z-]+)'", file.read_text()))
    assert asked <= DRAWN, asked - DRAWN


def test_a_custody_digest_in_the_history_says_what_it_is_of() -> None:
    event = SimpleNamespace(tag="", details={"custody": "ab" * 32}, evidence=(), reason="", actor="p-x")
    said = telling.told(event, str)  # type: ignore[arg-type]  # what it asks for
    assert said == f"Signed statement about this step: {'ab' * 32}"


@pytest.mark.parametrize(
    ("tag", "said"),
    [("balance.drawn", "EVERYTHING"), ("audit-pack.requested", "EVERYTHING"), ("hold.placed", "Everything")],
)
def test_a_scope_in_our_words_is_said_in_the_readers_and_what_a_person_wrote_is_not(
    tag: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tag in set(Tag)
    monkeypatch.setattr(telling, "words", str.upper)
    event = SimpleNamespace(details={}, evidence=(), reason="Everything", actor="p-x", tag=tag)
    assert telling.told(event, str) == said  # type: ignore[arg-type]  # what it asks for


def test_the_history_says_how_a_holding_came_to_be_known() -> None:
    for source in vocabulary.HoldingSource:
        event = SimpleNamespace(
            details={"source": str(source)}, evidence=(), reason="", actor="H-1", tag="holding.began"
        )
        said = telling.told(event, str)  # type: ignore[arg-type]  # what it asks for
        assert said == telling.KNOWN_FROM[source]
