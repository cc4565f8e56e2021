"""A trouble that lasts for days is one line of the log, and one more when it is over."""

from __future__ import annotations

import logging

import pytest

from agents.conditions import Conditions

log = logging.getLogger("tests.conditions")


@pytest.fixture
def conditions(caplog: pytest.LogCaptureFixture) -> Conditions:
    caplog.set_level(logging.INFO, logger=log.name)
    return Conditions(log)


def test_it_is_said_when_it_begins_and_when_it_is_over(
    conditions: Conditions, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("5919774d", "adfce703", "907018d0"):
        conditions.stands("state", logging.ERROR, f"read-only: .status.json.{name}.tmp at 05:15:{name[-2:]}")
    for _ in range(2):
        conditions.over("state")
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert caplog.messages[1] == "state: well again"


def test_another_trouble_of_the_same_thing_is_said_too(
    conditions: Conditions, caplog: pytest.LogCaptureFixture
) -> None:
    for words in ("6 days ahead", "7 days behind", "8 days behind", "6 days ahead"):
        conditions.stands("clock", logging.ERROR, words)
    assert caplog.messages == ["6 days ahead", "7 days behind", "6 days ahead"]


def test_one_thing_says_nothing_of_another(conditions: Conditions, caplog: pytest.LogCaptureFixture) -> None:
    conditions.stands("run one", logging.INFO, "waits")
    conditions.stands("run two", logging.INFO, "waits")
    conditions.over("run one")
    assert caplog.messages == ["waits", "waits", "run one: well again"]
    assert caplog.records[-1].levelno == logging.INFO, "no louder than it began"
