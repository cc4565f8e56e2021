"""The policy: SP 800-88's decision flow as the floor, decisions with reasons, nothing downgraded silently."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from inventory.domain.policy import (
    FLOOR,
    Policy,
    PolicyInput,
    decide,
    default_document,
    differences,
    parse,
    plan_objections,
    verdict_objections,
)
from inventory.domain.techniques import settings_for
from inventory.domain.vocabulary import Category, Method, Verification
from inventory.errors import Invalid

DEFAULT = parse(default_document())

FLOW = [
    (Category.LOW, True, False, Method.CLEAR),
    (Category.LOW, False, False, Method.CLEAR),
    (Category.LOW, True, True, Method.PURGE),
    (Category.LOW, False, True, Method.PURGE),
    (Category.MODERATE, False, False, Method.DESTROY),
    (Category.MODERATE, False, True, Method.DESTROY),
    (Category.MODERATE, True, False, Method.CLEAR),
    (Category.MODERATE, True, True, Method.PURGE),
    (Category.HIGH, False, False, Method.DESTROY),
    (Category.HIGH, False, True, Method.DESTROY),
    (Category.HIGH, True, False, Method.PURGE),
    (Category.HIGH, True, True, Method.DESTROY),
]
"""SP 800-88 Rev. 1, Figure 4-1, written a second time."""


@pytest.mark.parametrize(("category", "reuse", "leaves", "method"), FLOW)
def test_the_default_is_the_decision_flow(category: Category, reuse: bool, leaves: bool, method: Method) -> None:
    question = PolicyInput(category=category, reuse=reuse, leaves_control=leaves)
    assert decide(DEFAULT, question).method is method


def test_the_flow_has_no_other_case() -> None:
    assert len(FLOOR) == len(FLOW)


def test_a_damaged_medium_is_destroyed_whatever_it_held() -> None:
    question = PolicyInput(category=Category.LOW, reuse=True, leaves_control=False, damaged=True)
    assert decide(DEFAULT, question).method is Method.DESTROY


def test_what_nobody_described_counts_as_high_and_the_explanation_says_so() -> None:
    decision = decide(DEFAULT, PolicyInput(category=None, reuse=True, leaves_control=False))
    assert decision.method is Method.PURGE
    assert decision.category is None
    assert "Nobody has said what the medium held" in decision.explanation


def test_overwriting_is_offered_up_to_clear_only() -> None:
    def techniques(category: Category, leaves: bool) -> tuple[str, ...]:
        return decide(DEFAULT, PolicyInput(category=category, reuse=True, leaves_control=leaves)).techniques

    assert "overwrite" in techniques(Category.MODERATE, leaves=False)
    assert "overwrite" not in techniques(Category.MODERATE, leaves=True)
    assert "nvme-sanitize-block-erase" in techniques(Category.MODERATE, leaves=True)
    assert techniques(Category.HIGH, leaves=True) == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", "sanitrail/policy/2"), ("id", "a b"), ("id", ""), ("version", 0), ("version", "1"), ("approvals", 0),
        ("approvals", 10), ("approvals", True), ("verification", "some"), ("unknown_contents", "secret"), ("damaged", "clear"),
        ("methods", []), ("methods", "clear"), ("surplus", 1),
    ],
)  # fmt: skip
def test_a_document_that_is_no_policy_is_refused(field: str, value: object) -> None:
    document = default_document()
    document[field] = value
    with pytest.raises(Invalid):
        parse(document)


@pytest.mark.parametrize("row", range(12))
def test_no_row_may_ask_for_less_than_the_flow_and_none_may_be_missing_or_double(row: int) -> None:
    document = default_document()
    if document["methods"][row]["method"] != "clear":
        weaker = copy.deepcopy(document)
        weaker["methods"][row]["method"] = "clear"
        with pytest.raises(Invalid, match="may ask for more only"):
            parse(weaker)
    missing = copy.deepcopy(document)
    del missing["methods"][row]
    with pytest.raises(Invalid, match="missing"):
        parse(missing)
    double = copy.deepcopy(document)
    double["methods"].append(document["methods"][row])
    with pytest.raises(Invalid, match="twice"):
        parse(double)


def test_an_organization_may_ask_for_more() -> None:
    document = default_document()
    for row in document["methods"]:
        row["method"] = "destroy"
    assert (
        decide(parse(document), PolicyInput(category=Category.LOW, reuse=True, leaves_control=False)).method
        is Method.DESTROY
    )


def test_the_digest_changes_with_every_field_and_not_with_the_order_of_keys() -> None:
    base = default_document()
    turned: dict[str, Any] = dict(reversed(base.items()))
    assert parse(turned).sha256 == DEFAULT.sha256
    for field, value in {
        "version": 2,
        "approvals": 3,
        "verification": "representative",
        "unknown_contents": "moderate",
    }.items():
        assert parse({**base, field: value}).sha256 != DEFAULT.sha256


def test_differences_are_said_row_by_row() -> None:
    document = default_document()
    document["methods"][6]["method"] = "purge"
    document["approvals"] = 3
    assert differences(DEFAULT, parse({**document, "version": 2})) == (
        "moderate data, reused, staying under our control: clear -> purge",
        "approvals: 2 -> 3",
    )


def plan_codes(category: Category | None, leaves: bool, method: str, technique: str, verification: str) -> list[str]:
    decision = decide(DEFAULT, PolicyInput(category=category, reuse=True, leaves_control=leaves))
    return [reason.code for reason in plan_objections(decision, method, technique, verification)]


def test_a_plan_that_fits_has_no_objection() -> None:
    assert plan_codes(Category.MODERATE, False, "clear", "overwrite", "full") == []


def test_a_plan_that_cannot_reach_what_is_required_is_refused_never_downgraded() -> None:
    assert plan_codes(Category.MODERATE, True, "clear", "overwrite", "full") == ["method-out-of-reach"]
    assert plan_codes(Category.MODERATE, True, "purge", "overwrite", "full") == ["method-out-of-reach"]
    assert plan_codes(Category.MODERATE, False, "purge", "overwrite", "full") == ["method-out-of-reach"]
    assert plan_codes(None, False, "clear", "overwrite", "full") == ["method-out-of-reach"]


def test_less_verification_than_demanded_is_refused() -> None:
    assert plan_codes(Category.MODERATE, False, "clear", "overwrite", "representative") == ["verification-too-weak"]
    assert plan_codes(Category.MODERATE, False, "clear", "overwrite", "none") == ["verification-too-weak"]


def test_a_technique_nobody_knows_is_refused() -> None:
    assert "technique-unknown" in plan_codes(Category.LOW, False, "clear", "magnet", "full")


@pytest.mark.parametrize("outcome", ["partial", "failed", "refused", "interrupted", "unknown", "success", ""])
def test_only_sanitized_satisfies_anything(outcome: str) -> None:
    assert verdict_objections(Method.CLEAR, Verification.NONE, outcome, "purge", "full")


def test_a_stronger_result_satisfies_a_weaker_demand() -> None:
    assert not verdict_objections(Method.CLEAR, Verification.REPRESENTATIVE, "sanitized", "purge", "full")


# --- the drives' own techniques, and what is disputed ---------------------------------------------------------------------

DECIDED = parse({**default_document(), "settings": ["nvme-format-user-data-is-purge"]})


def drive_codes(technique: str, media: str = "flash", policy: Policy = DEFAULT, method: str = "purge") -> list[str]:
    question = PolicyInput(category=Category.MODERATE, reuse=True, leaves_control=True, media=media)
    return [reason.code for reason in plan_objections(decide(policy, question), method, technique, "full")]


@pytest.mark.parametrize("technique", ["auto", "nvme-sanitize-block-erase", "overwrite+scsi-sanitize-overwrite"])
def test_the_drives_own_commands_satisfy_what_overwriting_cannot(technique: str) -> None:
    assert drive_codes(technique) == []


@pytest.mark.parametrize(
    ("technique", "media"),
    [
        ("nvme-format-user-data", "flash"),
        ("ata-security-erase-enhanced", "flash"),
        ("ata-security-erase-enhanced", "unknown"),
        ("nvme-sanitize-block-erase", "virtual"),
        ("ata-security-erase", "magnetic"),
    ],
)
def test_a_technique_that_stays_below_on_this_medium_is_refused(technique: str, media: str) -> None:
    assert drive_codes(technique, media) == ["method-out-of-reach"]


def test_nothing_reaches_destroy() -> None:
    assert drive_codes("auto", method="destroy") == ["method-out-of-reach"]


@pytest.mark.parametrize("technique", ["nuke", "overwrite+overwrite", "auto+overwrite"])
def test_a_combination_that_makes_no_sense_is_refused(technique: str) -> None:
    assert drive_codes(technique) == ["technique-unknown"]


def test_a_decided_dispute_raises_its_own_technique_only() -> None:
    assert drive_codes("nvme-format-user-data", policy=DECIDED) == []
    assert drive_codes("nvme-format-crypto", policy=DECIDED) == ["method-out-of-reach"]
    assert settings_for("nvme-format-user-data", DECIDED.settings) == DECIDED.settings
    assert settings_for("auto", DECIDED.settings) == DECIDED.settings
    assert settings_for("overwrite", DECIDED.settings) == ()


def test_without_a_decision_a_policy_keeps_the_digest_it_had() -> None:
    assert "settings" not in default_document()
    assert DEFAULT.settings == ()
    assert DECIDED.sha256 != DEFAULT.sha256


@pytest.mark.parametrize(
    "settings",
    [[], ["everything-is-purge"], "opal-revert-is-purge", ["opal-revert-is-purge", "luks-crypto-erase-is-purge"],
     ["opal-revert-is-purge"] * 2, [1]],
)  # fmt: skip
def test_settings_have_one_spelling(settings: object) -> None:
    with pytest.raises(Invalid):
        parse({**default_document(), "settings": settings})


def test_decided_disputes_are_among_the_differences() -> None:
    assert differences(DEFAULT, DECIDED) == ("nvme-format-user-data-is-purge: decided now",)
    assert differences(DECIDED, DEFAULT) == ("nvme-format-user-data-is-purge: conservative again",)
