"""The agent's own run table, walked completely; and errors that a person can act on."""

from __future__ import annotations

import itertools

import pytest

from agents import errors, refusals
from agents.cli.output import EXIT_CODES, exit_code
from agents.errors import AgentError
from agents.runs import TRANSITIONS, Event, State, advance


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_pair_is_in_the_table_or_a_bug(state: State, event: Event) -> None:
    expected = TRANSITIONS.get((state, event))
    if expected is None:
        with pytest.raises(RuntimeError):
            advance(state, event)
    else:
        assert advance(state, event) is expected


def test_every_state_is_reached_and_left_but_the_last() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State) - {State.GONE}
    assert set(TRANSITIONS.values()) == set(State) - {State.LEASED}


def test_nothing_leads_from_begun_back_to_leased() -> None:
    assert State.LEASED not in TRANSITIONS.values()


def classes(root: type[AgentError]) -> list[type[AgentError]]:
    found = [root]
    for kind in root.__subclasses__():
        found += classes(kind)
    return found


OURS = [kind for kind in classes(AgentError) if kind.__module__.startswith("agents.")]


def test_no_code_is_used_twice() -> None:
    codes = [kind.code for kind in OURS]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_every_error_says_what_who_and_what_now(kind: type[AgentError]) -> None:
    assert kind.sentence.endswith((".", ";"))
    assert kind.fault
    assert kind.advice.endswith((".", "."))
    assert "code" in vars(kind), "a code of its own"
    assert kind.__doc__


@pytest.mark.parametrize("kind", classes(refusals.OrderRefused), ids=lambda kind: kind.__name__)
def test_a_refusal_never_touched_anything(kind: type[refusals.OrderRefused]) -> None:
    assert kind.touched == "no"


def test_every_error_has_an_exit_code_of_the_table() -> None:
    for error in (
        errors.Unreachable(""),
        errors.NotEnrolled(403, "x"),
        errors.StateBusy(""),
        refusals.NoRosterPinned(),
    ):
        assert exit_code(error) in EXIT_CODES
    assert exit_code(AgentError("a bug")) == 1
    assert exit_code(refusals.LocalRulesUnusable("/x", "y")) == 3
    assert exit_code(errors.Unreachable("")) == 4
    assert exit_code(errors.NotEnrolled(403, "x")) == 5


def test_an_explanation_is_one_readable_paragraph() -> None:
    text = refusals.DeviceNotAttached("ab" * 32, "/dev/sdb", "cd" * 32).explain()
    assert "/dev/sdb" in text
    assert "At fault:" in text
    assert "\n" not in text
