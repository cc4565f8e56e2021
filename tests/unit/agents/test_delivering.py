"""One record that is refused holds up no other; a service that is away, or shows another log, is given nothing more."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import cast

import pytest

from agents.conditions import Conditions
from agents.delivering import deliver_all
from agents.errors import AcceptanceRefused, AgentError, LogForked, Rejected, Unreachable
from agents.outbox import Outbox

log = logging.getLogger("tests.delivering")


class Waiting:
    """An outbox whose records meet what a test says; what was accepted is gone."""

    def __init__(self, **meets: Exception | None) -> None:
        self.meets = meets
        self.tried: list[str] = []

    def waiting(self) -> list[str]:
        return list(self.meets)

    def deliver(self, record_id: str) -> SimpleNamespace:
        self.tried.append(record_id)
        error = self.meets[record_id]
        if error is not None:
            raise error
        return SimpleNamespace(index=7)


def deliver(waiting: Waiting, conditions: Conditions | None = None) -> None:
    deliver_all(cast("Outbox", waiting), conditions or Conditions(log))


@pytest.mark.parametrize("error", [Rejected(409, "order-over"), AcceptanceRefused("another record")])
def test_one_that_is_refused_is_told_after_all_others_were_tried(error: AgentError) -> None:
    waiting = Waiting(one=error, two=None)
    with pytest.raises(type(error)):
        deliver(waiting)
    assert waiting.tried == ["one", "two"]


@pytest.mark.parametrize("error", [Unreachable(), LogForked("another", proven=True)])
def test_nothing_more_is_given_to_a_service_that_is_away_or_shows_another_log(error: AgentError) -> None:
    waiting = Waiting(one=None, two=error, three=None)
    with pytest.raises(type(error)):
        deliver(waiting)
    assert waiting.tried == ["one", "two"]


def test_one_that_went_out_meanwhile_is_no_trouble() -> None:
    waiting = Waiting(one=FileNotFoundError(), two=None)
    deliver(waiting)
    assert waiting.tried == ["one", "two"]


def test_a_refusal_is_said_once_and_once_more_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    conditions, waiting = Conditions(log), Waiting(one=Rejected(409, "order-over"))
    for _ in range(2):
        with pytest.raises(Rejected):
            deliver(waiting, conditions)
    waiting.meets["one"] = None
    with caplog.at_level(logging.INFO):
        deliver(waiting, conditions)
    said = [record.getMessage() for record in caplog.records if record.name == log.name]
    assert [words.partition(":")[2].strip() for words in said[-1:]] == ["well again"]
    assert len(said) == 2
