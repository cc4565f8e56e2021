"""Techniques in orders: offers for one drive, plans in plain words, words that mean nothing."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.domain.techniques import (
    ANSWERS,
    DISPUTES,
    KNOWN_SETTINGS,
    OWN_OVERWRITES,
    SCOPES,
    follows,
    offers,
    plan_faults,
    plan_line,
    plan_words,
)
from inventory.domain.vocabulary import Method
from sanitizer.planning import ANSWERS as ENGINE_ANSWERS
from sanitizer.planning import SCOPES as ENGINE_SCOPES
from sanitizer.planning import is_combination
from sanitizer.techniques import TECHNIQUES

PLAN: dict[str, Any] = {
    "method": "purge",
    "technique": "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase",
    "pattern_set": "canaries",
    "verification": "full",
    "acknowledged_signatures": (),
    "acknowledged_scope": ("other-namespaces",),
    "settings": (),
    "answers": (),
}


def told(name: str, *, usable: bool = True) -> dict[str, Any]:
    return {"name": name, "usable": usable, "reasons": [] if usable else ["It cannot."], "estimate_seconds": None}


def test_every_word_has_its_sentence() -> None:
    assert set(DISPUTES) == set(KNOWN_SETTINGS)
    assert set(SCOPES) == set(ENGINE_SCOPES)
    assert set(ANSWERS) == set(ENGINE_ANSWERS)


def test_a_drive_nobody_asked_offers_nothing() -> None:
    assert offers(None, "flash") == ()


def test_usable_techniques_come_first_and_the_furthest_reaching_before_others() -> None:
    reported = [
        told("nvme-sanitize-overwrite", usable=False),
        told("nvme-format-user-data"),
        told("nvme-sanitize-block-erase"),
        told("from-a-newer-agent"),
    ]
    found = offers({"techniques": reported}, "flash")
    assert [(offer.name, offer.method, offer.usable) for offer in found] == [
        ("nvme-sanitize-block-erase", Method.PURGE, True),
        ("nvme-format-user-data", Method.CLEAR, True),
        ("nvme-sanitize-overwrite", Method.PURGE, False),
    ]
    assert found[2].reasons == ("It cannot.",)


def test_a_technique_said_to_be_usable_has_no_reasons_left() -> None:
    (offer,) = offers(
        {"techniques": [{**told("opal-revert"), "reasons": ["stale"]}]}, "flash", ("opal-revert-is-purge",)
    )
    assert (offer.usable, offer.method) == (True, Method.PURGE)


def test_an_approver_reads_what_is_destroyed_beside_the_medium() -> None:
    rows = plan_words({**PLAN, "acknowledged_signatures": ("lvm2-member",), "answers": ("no-key-outside",)})
    assert ("Destroys also", SCOPES["other-namespaces"]) in rows
    assert ("Destroys also", "Dormant signature lvm2-member") in rows
    assert ("Vouched for", ANSWERS["no-key-outside"]) in rows
    assert any("erases all memory blocks" in words for _, words in rows)
    assert "other-namespaces" in plan_line(PLAN)


def test_auto_says_that_nothing_below_is_taken() -> None:
    rows = dict(plan_words({**PLAN, "technique": "auto", "pattern_set": "zeros", "settings": KNOWN_SETTINGS}))
    assert "none below it" in rows["How"]
    assert rows["Written by the host"] == "zeros"
    assert rows["Decided by policy"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"acknowledged_scope": ("everything",)}, "everything"),
        ({"answers": ("trust-me",)}, "trust-me"),
        ({"pattern_set": "zeros"}, "canaries"),
        ({"technique": "overwrite"}, "no pattern"),
        ({"technique": "luks-crypto-erase"}, "keyed-stream-then-zeros"),
        ({"technique": "nvme-sanitize-block-erase+nvme-sanitize-crypto-erase"}, "do not follow"),
        ({"technique": "overwrite+nvme-sanitize-crypto-erase+nvme-sanitize-block-erase"}, "do not follow"),
        ({"firmware_pattern": "00ff00ff"}, "takes a pattern"),
        ({"technique": "ata-sanitize-overwrite", "no_deallocate": True}, "Only NVMe Sanitize"),
    ],
)
def test_words_that_mean_nothing_are_faults(changes: dict[str, Any], words: str) -> None:
    (fault,) = plan_faults({**PLAN, **changes})
    assert words in fault


def test_what_may_follow_what_is_what_the_engine_says() -> None:
    names = [*TECHNIQUES, "overwrite"]
    for first in names:
        for then in names:
            assert follows(first, then) is is_combination((first, then)), (first, then)
    assert set(OWN_OVERWRITES) == {name for name in TECHNIQUES if name.endswith("-sanitize-overwrite")}


def test_a_plan_that_means_something_has_no_faults() -> None:
    assert plan_faults(PLAN) == ()
    assert plan_faults({**PLAN, "technique": "auto", "pattern_set": "zeros"}) == ()
    keys = {"technique": "luks-crypto-erase", "pattern_set": "keyed-stream-then-zeros", "answers": ("no-key-outside",)}
    assert plan_faults({**PLAN, **keys}) == ()
    assert plan_faults({**PLAN, "technique": "auto", "firmware_pattern": "00ff00ff", "no_deallocate": True}) == ()
    words = {"technique": "overwrite+nvme-sanitize-overwrite", "firmware_pattern": "00ff00ff", "no_deallocate": True}
    assert plan_faults({**PLAN, **words}) == ()
