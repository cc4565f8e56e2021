from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from inventory.console.forms import Form, Option
from inventory.domain.roles import Role
from inventory.domain.vocabulary import Category
from inventory.errors import GateClosed, Invalid, Reason


def form(**values: str) -> Form:
    return Form.received(MultiDict(values))


def test_a_missing_required_text_is_reported_and_what_was_typed_elsewhere_is_kept() -> None:
    typed = form(name="  ", other="kept")
    typed.text("name", "Give it a name.")
    assert not typed.ok
    assert typed.errors == {"name": "Give it a name."}
    assert typed.value("other") == "kept"


@pytest.mark.parametrize("value", ["x" * 501, "a\x00b", "a\x1bb"])
def test_overlong_and_unprintable_text_is_refused(value: str) -> None:
    typed = form(name=value)
    typed.text("name", "Give it a name.")
    assert "name" in typed.errors


@pytest.mark.parametrize("value", ["", "-1", "1.5", "1e3", "nine", "9" * 30, "0", "11", "\u0661"])
def test_a_number_outside_its_bounds_is_no_number(value: str) -> None:
    typed = form(n=value)
    assert typed.number("n", "How many?", low=1, high=10) is None
    assert "n" in typed.errors


def test_a_number_may_be_left_out_only_where_no_message_demands_it() -> None:
    typed = form(n="")
    assert typed.number("n", "", low=1, high=10) is None
    assert typed.ok


@pytest.mark.parametrize("value", ["2026-13-01", "yesterday", "22/11/2026"])
def test_a_day_that_does_not_exist_is_refused(value: str) -> None:
    typed = form(day=value)
    assert typed.day("day", "Which day?") is None
    assert typed.errors["day"] == "Which day?"


def test_a_day_ends_at_its_last_second_in_utc() -> None:
    moment = form(day="2026-11-22").day("day", "Which day?", end=True)
    assert moment is not None
    assert moment.isoformat() == "2026-11-22T23:59:59+00:00"


def test_a_digest_may_be_typed_in_groups_and_capitals() -> None:
    digest = "0123456789abcdef" * 4
    grouped = " ".join(digest[i : i + 4] for i in range(0, 64, 4)).upper()
    assert form(d=grouped).digest("d", "!") == digest
    for wrong in (digest[:-1], digest + "0", "g" * 64, ""):
        typed = form(d=wrong)
        assert typed.digest("d", "64 digits") is None
        assert not typed.ok


def test_a_choice_that_was_never_offered_is_refused() -> None:
    options = (Option("a", "A"), Option("b", "B", disabled=True))
    for value in ("c", "b", ""):
        typed = form(x=value)
        typed.one_of("x", options, "Choose.")
        assert typed.errors == {"x": "Choose."}


def test_an_unknown_role_is_refused_and_grants_nothing() -> None:
    typed = Form.received(MultiDict([("roles", "viewer"), ("roles", "superuser")]))
    assert typed.words("roles", Role) == {Role.VIEWER}
    assert not typed.ok


def test_an_unknown_word_is_refused() -> None:
    typed = form(category="extreme")
    assert typed.word("category", Category, "Choose.") is None
    assert not typed.ok


def test_a_service_refusal_stands_beside_its_field_and_keeps_its_status() -> None:
    typed = form(name="x", other="y")
    typed.refused(Invalid("name", "That name is taken."))
    assert typed.errors == {"name": "That name is taken."}
    assert typed.status == 422


def test_a_gate_refusal_brings_every_reason() -> None:
    typed = form(reason="x")
    typed.refused(
        GateClosed(
            "D-1", "outside", [Reason("residue", "It still holds data."), Reason("undertaking", "No undertaking.")]
        )
    )
    assert typed.sentence == "D-1 may not go to outside."
    assert typed.reasons == ["It still holds data.", "No undertaking."]
    assert typed.status == 409


def test_a_submission_keeps_its_own_number_and_a_forged_one_is_replaced() -> None:
    number = "0" * 32
    assert form(once=number).once == number
    assert form(once="../../etc").once != "../../etc"
    assert Form.starting().once != Form.starting().once
