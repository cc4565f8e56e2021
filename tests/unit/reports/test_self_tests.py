"""The self-tests in a record: what they must show, and what a record without one is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from reports.errors import MalformedRecord
from reports.findings.selftest import EXPECTED
from reports.record import SanitizationRecord, SelfTest
from reports.self_test_words import self_test_words
from reports.verdict import judge
from sanitizer.selftest import CASES, run_self_test
from tests.support.evidence import good_record

PLAIN = good_record()


@pytest.fixture(scope="module")
def passed() -> SelfTest:
    """What this build says of itself."""
    return SelfTest.from_dict(run_self_test("sanitrail sanitizer 1").to_dict())


def _with(*tests: SelfTest) -> SanitizationRecord:
    return dataclasses.replace(PLAIN, self_tests=tests)


def _changed(test: SelfTest, fault: str, **changes: Any) -> SelfTest:  # noqa: ANN401 - fields of a case
    cases = tuple(dataclasses.replace(one, **changes) if one.fault == fault else one for one in test.cases)
    return dataclasses.replace(test, cases=cases)


def test_what_must_be_found_is_written_down_twice_the_same() -> None:
    mine = {case.fault: (case.state, case.error_code, bool(case.planted)) for case in CASES}
    assert mine == dict(EXPECTED)


def test_a_record_without_a_self_test_is_what_it_was_byte_for_byte_and_is_said_to_be_without() -> None:
    assert "self_tests" not in PLAIN.to_dict()
    assert SanitizationRecord.from_dict(PLAIN.to_dict()) == PLAIN
    assert judge(PLAIN).outcome == "sanitized"
    assert self_test_words(PLAIN) == "None in this record."


def test_a_record_with_a_self_test_that_found_everything_is_judged_as_without_and_names_the_build(
    passed: SelfTest,
) -> None:
    record = _with(passed)
    assert SanitizationRecord.from_dict(record.to_dict()) == record
    assert judge(record) == judge(PLAIN)
    words = self_test_words(record)
    assert f"all {len(EXPECTED) - 1} faults" in words
    assert passed.build_sha256[:16] in words


@pytest.mark.parametrize("fault", EXPECTED)
@pytest.mark.parametrize("changes", [{"state": "refused"}, {"error_code": "other"}, {"found": ((0, 512),)}])
def test_a_build_that_missed_a_fault_makes_its_record_unknown(
    passed: SelfTest, fault: str, changes: dict[str, Any]
) -> None:
    record = _with(passed, _changed(passed, fault, **changes))
    assert [reason.code for reason in judge(record).reasons if reason.effect == "unknown"] == ["self-test-missed"]
    assert judge(record).outcome == "unknown"
    assert "MISSED" in self_test_words(record)
    assert fault in self_test_words(record)


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_that_was_not_tried_counts_as_missed(passed: SelfTest, fault: str) -> None:
    left = tuple(case for case in passed.cases if case.fault != fault)
    assert judge(_with(dataclasses.replace(passed, cases=left))).outcome == "unknown"


def test_a_fault_without_its_place_or_planted_nowhere_counts_as_missed(passed: SelfTest) -> None:
    assert judge(_with(_changed(passed, "bad-sector", planted=(), found=()))).outcome == "unknown"
    everywhere = ((0, 512),)
    assert judge(_with(_changed(passed, "none", planted=everywhere, found=everywhere))).outcome == "unknown"


def test_a_second_word_about_one_fault_cannot_hide_the_first(passed: SelfTest) -> None:
    bad = dataclasses.replace(passed.cases[1], found=())
    assert judge(_with(dataclasses.replace(passed, cases=(bad, *passed.cases)))).outcome == "unknown"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"build_sha256": "x"}, "digest-malformed"), ({"taken": "yesterday"}, "times-unusable")],
)
def test_a_self_test_that_names_no_build_or_no_time_makes_its_record_unknown(
    passed: SelfTest, changes: dict[str, Any], code: str
) -> None:
    (reason,) = judge(_with(dataclasses.replace(passed, **changes))).blocking
    assert (reason.code, reason.effect) == (code, "unknown")


def test_a_fault_nobody_knows_and_a_newer_field_make_its_record_unknown(passed: SelfTest) -> None:
    strange = dataclasses.replace(passed.cases[0], fault="of-tomorrow")
    assert judge(_with(dataclasses.replace(passed, cases=(*passed.cases, strange)))).outcome == "unknown"
    assert judge(_with(dataclasses.replace(passed, extra={"newer": 1}))).outcome == "unknown"


@pytest.mark.parametrize("value", [[], None, {}, ""])
def test_an_empty_part_is_no_part(value: object) -> None:
    with pytest.raises(MalformedRecord):
        SanitizationRecord.from_dict({**PLAIN.to_dict(), "self_tests": value})
