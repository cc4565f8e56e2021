"""The second schema of the policy: what a row can demand, what it cannot, and that files and words say the same."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from inventory.domain import policy_file
from inventory.domain.policy import (
    FLOOR,
    Decision,
    PolicyInput,
    as_second,
    decide,
    default_document,
    destruction_demand,
    differences,
    parse,
    plan_objections,
    preferred,
    technique_objections,
)
from inventory.domain.policy_document import ROLES
from inventory.domain.roles import Role
from inventory.domain.vocabulary import Category
from inventory.errors import Invalid
from reports.approving import roles_shown

FIRST = parse(default_document())
SECOND = as_second(FIRST, version=2)
MODERATE_LEAVES = 7
"""Moderate, reused, leaving our control: purge."""
MODERATE_STAYS = 6
"""Moderate, reused, staying: clear."""
HIGH_LEAVES = 11
"""Destroy."""


def changed(row: int, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of every type
    document = copy.deepcopy(SECOND)
    document["rows"][row] |= fields
    return document


def without(row: int, field: str) -> dict[str, Any]:
    document = copy.deepcopy(SECOND)
    del document["rows"][row][field]
    return document


def decision(document: dict[str, Any], **question: Any) -> Decision:  # noqa: ANN401 - as above
    asked = {"category": Category.MODERATE, "reuse": True, "leaves_control": True, "media": "flash", **question}
    return decide(parse(document), PolicyInput(**asked))


# --- two schemas ----------------------------------------------------------------------------------------------------------


def test_the_first_schema_keeps_its_digest() -> None:
    """Records of years ago name it."""
    assert FIRST.sha256 == "8a5dd06242939862c09c7b5baeadab94a95ebb3314c33307512c9c4a9e544444"


def test_the_second_form_of_a_policy_demands_the_same() -> None:
    again = parse(SECOND)
    assert differences(FIRST, again) == ()
    for case in FLOOR:
        category, reuse, leaves = case
        question = PolicyInput(category=category, reuse=reuse, leaves_control=leaves)
        assert decide(again, question).method is decide(FIRST, question).method
    assert parse(as_second(again)).document == again.document


@pytest.mark.parametrize("row", range(12))
def test_no_row_of_the_second_schema_goes_below_the_flow(row: int) -> None:
    least = list(FLOOR.values())[row]
    if least != "clear":
        orders = SECOND["rows"][MODERATE_STAYS]
        weaker = {**orders, **{name: SECOND["rows"][row][name] for name in ("category", "reuse", "leaves_control")}}
        document = copy.deepcopy(SECOND)
        document["rows"][row] = weaker
        with pytest.raises(Invalid, match="may ask for more only"):
            parse(document)
    document = copy.deepcopy(SECOND)
    del document["rows"][row]
    with pytest.raises(Invalid, match="missing"):
        parse(document)


@pytest.mark.parametrize(
    "fields",
    [
        {"verification": "none"}, {"verification": "canaries"}, {"canaries": 1}, {"approvals": 0}, {"approvals": 10},
        {"approvals": True}, {"approval_roles": ["approver"]}, {"approval_roles": ["auditor"]}, {"approval_roles": "operator"},
        {"approval_roles": ["privacy_officer", "operator"]}, {"approval_roles": ["operator", "operator"]},
        {"approval_roles": ["custodian", "operator", "validator"]}, {"sampling_percent": 101}, {"sampling_percent": 0.5},
        {"witnesses": 0}, {"witnesses": 3}, {"photographs": 0}, {"techniques": {}}, {"techniques": {"paper": []}},
        {"techniques": {"flash": "nvme-sanitize-block-erase"}}, {"techniques": {"flash": ["hammer"]}},
        {"techniques": {"flash": ["overwrite"]}}, {"techniques": {"flash": ["nvme-sanitize-block-erase"] * 2}},
        {"techniques": {"flash": ["overwrite+nvme-sanitize-block-erase"]}}, {"techniques": {"flash": ["nvme-format-crypto"]}},
        {"techniques": {"magnetic": [1]}}, {"surplus": 1},
    ],
    ids=str,
)  # fmt: skip
def test_what_nothing_would_enforce_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        parse(changed(MODERATE_LEAVES, **fields))


@pytest.mark.parametrize("field", ["verification", "canaries", "approvals", "approval_roles", "sampling_percent"])
def test_a_row_that_destroys_has_no_words_for_orders_and_every_other_row_must_have_them(field: str) -> None:
    said = SECOND["rows"][MODERATE_LEAVES][field]
    with pytest.raises(Invalid, match="No order ends in destruction"):
        parse(changed(HIGH_LEAVES, **{field: said}))
    with pytest.raises(Invalid):
        parse(without(MODERATE_LEAVES, field))


@pytest.mark.parametrize("days", [0, 366, "7", True, None])
def test_the_silence_of_agents_is_a_number_of_days(days: object) -> None:
    with pytest.raises(Invalid):
        parse({**SECOND, "agent_silent_days": days})


@pytest.mark.parametrize("value", [None, [], {}, [[]], {"a": 1}, 1.5, -1, "", "x" * 100, True], ids=str)
def test_no_field_takes_what_is_not_its_own(value: Any) -> None:  # noqa: ANN401 - of every type
    for field in SECOND:
        with pytest.raises(Invalid):
            parse({**SECOND, field: value})
    row = SECOND["rows"][MODERATE_STAYS]
    for field in row:
        if type(value) is not type(row[field]) or (isinstance(value, str | int) and not isinstance(value, bool)):
            with pytest.raises(Invalid):
                parse(changed(MODERATE_STAYS, **{field: value}))


def test_only_roles_an_approver_can_have_are_demanded() -> None:
    assert Role.ADMINISTRATOR not in ROLES
    assert Role.AUDITOR not in ROLES
    assert Role.PRIVACY_OFFICER in ROLES


# --- decisions ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (
            {"data_set": "CRM nightly backups", "destination": "Green Recycling", "category": Category.MODERATE},
            "Purge, because CRM nightly backups is moderate and the medium leaves to Green Recycling.",
        ),
        (
            {"data_set": "CRM", "leaves_control": False, "category": Category.HIGH},
            "Purge, because CRM is high and the medium stays under our control.",
        ),
        (
            {"leaves_control": False, "destination": "the spare shelf", "category": None},
            "Purge, because nobody has said what it held (high) and the medium stays ours, at the spare shelf.",
        ),
        (
            {"data_set": "CRM", "reuse": False, "category": Category.HIGH},
            "Destroy, because CRM is high and the medium leaves our control, not to be used again.",
        ),
        ({"damaged": True}, "Destroy, because the medium is damaged and nothing written to it could be trusted."),
    ],
)
def test_a_decision_explains_itself_in_one_sentence(question: dict[str, Any], sentence: str) -> None:
    found = decision(SECOND, **question)
    assert found.sentence == sentence
    assert found.explanation.startswith(sentence)


LISTED = changed(
    MODERATE_LEAVES, techniques={"flash": ["nvme-sanitize-crypto-erase", "nvme-sanitize-block-erase"], "virtual": []}
)


def codes(found: Decision, technique: str, usable: frozenset[str] | None = None) -> list[str]:
    return [one.code for one in plan_objections(found, "purge", technique, "full", usable)]


def test_only_techniques_of_the_list_are_ordered_and_the_first_one_the_drive_can_do() -> None:
    found = decision(LISTED)
    both = frozenset(found.techniques)
    assert codes(found, "nvme-sanitize-crypto-erase", both) == []
    assert codes(found, "overwrite+nvme-sanitize-crypto-erase", both) == []
    assert codes(found, "nvme-sanitize-block-erase", both) == ["technique-not-preferred"]
    assert codes(found, "nvme-sanitize-block-erase", frozenset({"nvme-sanitize-block-erase"})) == []
    assert codes(found, "nvme-sanitize-overwrite", both) == ["technique-not-allowed"]
    assert codes(found, "auto", None) == ["technique-not-chosen"]
    assert preferred(found, frozenset({"nvme-sanitize-block-erase", "overwrite"})) == "nvme-sanitize-block-erase"
    assert preferred(found, frozenset({"overwrite"})) is None


def test_a_kind_of_medium_that_is_not_listed_keeps_every_technique() -> None:
    assert codes(decision(LISTED, media="magnetic"), "auto") == []
    assert decision(LISTED, media="virtual").techniques == ()
    assert "No technique" in decision(LISTED, media="virtual").explanation


def test_proof_by_canaries_leaves_only_the_drives_own_commands() -> None:
    document = changed(MODERATE_STAYS, canaries=True)
    found = decision(document, leaves_control=False)
    assert "overwrite" not in found.techniques
    assert "luks-crypto-erase" not in found.techniques
    assert [one.code for one in plan_objections(found, "clear", "overwrite", "full", None)] == ["technique-not-allowed"]
    with pytest.raises(Invalid, match="no canaries prove"):
        parse(changed(MODERATE_STAYS, canaries=True, techniques={"flash": ["overwrite"]}))


@pytest.mark.parametrize(
    ("technique", "code"),
    [(None, "technique-unknown"), ("nvme-sanitize-overwrite", "technique-not-allowed"), ("", "technique-not-allowed")],
)
def test_a_record_by_another_technique_does_not_satisfy_a_list(technique: str | None, code: str) -> None:
    assert [one.code for one in technique_objections(decision(LISTED), technique)] == [code]
    assert technique_objections(decision(SECOND), technique) == ()


def test_a_destruction_needs_what_the_strictest_row_of_its_category_asks() -> None:
    document = changed(MODERATE_STAYS, witnesses=2)
    document["rows"][MODERATE_LEAVES]["photographs"] = 4
    assert destruction_demand(parse(document), Category.MODERATE) == (2, 4)
    assert destruction_demand(parse(document), Category.LOW) == (1, 1)
    document["rows"][HIGH_LEAVES]["witnesses"] = 2
    assert destruction_demand(parse(document), None) == (2, 1), "what nobody knows counts as high"


@pytest.mark.parametrize(
    ("people", "shown"),
    [
        ({}, False),
        ({"a": {Role.OPERATOR}}, False),
        ({"a": {Role.OPERATOR, Role.PRIVACY_OFFICER}}, False),
        ({"a": {Role.OPERATOR, Role.PRIVACY_OFFICER}, "b": {Role.OPERATOR}}, True),
        ({"a": {Role.OPERATOR}, "b": {Role.OPERATOR, Role.PRIVACY_OFFICER}}, True),
        ({"a": {Role.OPERATOR}, "b": {Role.APPROVER}}, False),
    ],
)
def test_every_role_wanted_is_held_by_another_person(people: dict[str, set[Role]], shown: bool) -> None:
    assert roles_shown([Role.OPERATOR, Role.PRIVACY_OFFICER], people) is shown
    assert roles_shown([], people)


# --- words and files ------------------------------------------------------------------------------------------------------


def test_what_every_row_changes_alike_is_said_once_and_what_one_changes_by_its_name() -> None:
    document = copy.deepcopy(SECOND)
    for row in document["rows"]:
        row["photographs"] = 3
    document["rows"][MODERATE_LEAVES] |= {"approval_roles": ["privacy_officer"], "techniques": {"virtual": []}}
    document["agent_silent_days"] = 3
    assert differences(FIRST, parse(document)) == (
        "agent silent days: 7 -> 3",
        "moderate data, reused, leaving our control: roles of approvers any -> privacy_officer",
        "photographs of a destruction: 1 -> 3",
        "moderate data, reused, leaving our control, virtual: techniques all that reach it -> none",
    )


@pytest.mark.parametrize("document", [default_document(), SECOND, LISTED], ids=["first", "second", "listed"])
def test_a_file_holds_the_document_byte_for_byte(document: dict[str, Any]) -> None:
    text = policy_file.write(document)
    assert policy_file.read(text) == document
    assert parse(policy_file.read(text)).sha256 == parse(document).sha256
    assert policy_file.write(policy_file.read(text)) == text


@pytest.mark.parametrize(
    "text", ["", "schema = ", '{"schema": ', "[]", "{" * 500, "x" * 70_000, "a = 1979-05-27\n", 'schema = "\\ud800"']
)
def test_what_is_no_file_of_a_policy_is_refused_in_words(text: str) -> None:
    with pytest.raises(Invalid):
        parse(policy_file.read(text))
