"""A drive's health in a record: what a reader must be told of it, and what a record without it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from reports import claims
from reports.errors import MalformedRecord
from reports.health import HealthAnswer, HealthReading
from reports.health_words import health_words
from reports.language import speaker
from reports.record import SanitizationRecord
from reports.verdict import judge
from tests.support.evidence import good_record

PLAIN = good_record()
SOUND = HealthReading(
    moment="before",
    taken="2026-11-22T08:00:00Z",
    source="ata-smart",
    prediction="passed",
    temperature=31,
    power_on_hours=1234,
    reallocated=0,
    pending=0,
    uncorrectable=None,
    used_percent=None,
    spare_percent=None,
    problem=None,
    answers=(HealthAnswer(question="smart-data", answer="1000"),),
)


def worse(**after: Any) -> SanitizationRecord:  # noqa: ANN401 - fields of a reading
    """A record of a sound drive that was another at the end."""
    last = dataclasses.replace(SOUND, **{"moment": "after", **after})
    return dataclasses.replace(PLAIN, health=(SOUND, last))


def _codes(record: SanitizationRecord) -> set[str]:
    return {reason.code for reason in judge(record).reasons} - {reason.code for reason in judge(PLAIN).reasons}


def test_a_record_without_readings_is_what_it_was_byte_for_byte() -> None:
    assert "health" not in PLAIN.to_dict()
    assert SanitizationRecord.from_dict(PLAIN.to_dict()) == PLAIN
    assert health_words(PLAIN) == ""


def test_a_record_with_readings_of_a_sound_drive_is_judged_as_without() -> None:
    record = worse(temperature=40)
    assert SanitizationRecord.from_dict(record.to_dict()) == record
    assert judge(record) == judge(PLAIN)
    assert "31 °C, 1234 hours in use, 0 replaced blocks" in health_words(record)


@pytest.mark.parametrize("counter", ["reallocated", "pending"])
def test_a_counter_of_bad_blocks_that_grew_is_told_on_the_first_page_and_takes_nothing_away(counter: str) -> None:
    record = worse(**{counter: 3})
    assert _codes(record) == {"health-worsened"}
    assert (judge(record).outcome, judge(record).method) == (judge(PLAIN).outcome, judge(PLAIN).method)
    assert any(" 3 " in text for text in claims.derive(record).exceptions)


def test_what_was_not_read_at_both_ends_did_not_grow() -> None:
    assert _codes(worse(uncorrectable=9)) == set()
    assert _codes(worse(source="scsi-logs", reallocated=9)) == set()
    only = dataclasses.replace(PLAIN, health=(dataclasses.replace(SOUND, reallocated=9),))
    assert _codes(only) == set()


def test_a_drive_that_predicts_its_failure_at_the_end_is_told() -> None:
    assert _codes(worse(prediction="failing")) == {"health-failing"}


@pytest.mark.parametrize(
    "changes", [{"source": "a guess"}, {"prediction": "fine"}, {"moment": "then"}, {"taken": "noon"}, {"pending": -1}]
)
def test_a_reading_that_is_none_gives_no_conclusion(changes: dict[str, Any]) -> None:
    assert judge(worse(**changes)).outcome == "unknown"


@pytest.mark.parametrize("empty", [[], None, {}])
def test_readings_that_say_nothing_are_refused(empty: object) -> None:
    with pytest.raises(MalformedRecord):
        SanitizationRecord.from_dict({**PLAIN.to_dict(), "health": empty})


@pytest.mark.parametrize("language", ["pt", "ms"])
def test_health_is_told_in_the_readers_language(language: str) -> None:
    record = worse(prediction="failing", reallocated=1)
    told = health_words(record, speaker(language))
    assert "31 °C" in told
    assert told != health_words(record)
