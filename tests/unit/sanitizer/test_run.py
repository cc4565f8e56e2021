from __future__ import annotations

import dataclasses
import itertools
import json

import pytest

from reports import record
from sanitizer import run
from sanitizer.errors import ERRORS, Interrupted, MountedFilesystem, Residual
from sanitizer.run import ENDED, STUCK, TRANSITIONS, IllegalTransition, RunEvent, RunResult, RunState, advance

PAIRS = list(itertools.product(RunState, RunEvent))


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=[f"{s}-{e}" for s, e in PAIRS])
def test_every_pair_of_state_and_event_leads_where_the_table_says_or_nowhere(state: RunState, event: RunEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert advance(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition, match=state.value):
            advance(state, event)


def test_the_table_has_the_transitions_of_the_architecture() -> None:
    happy = [RunEvent.CLEAR, RunEvent.FIRST_WRITE, RunEvent.MARKED, RunEvent.WRITTEN, RunEvent.SETTLED, RunEvent.PROVEN]
    states = [RunState.PLANNED]
    for event in happy:
        states.append(advance(states[-1], event))
    assert [s.value for s in states] == [
        "planned",
        "cleared",
        "marking",
        "executing",
        "settling",
        "verifying",
        "succeeded",
    ]
    assert len(TRANSITIONS) == 21


def test_no_refusal_is_possible_after_the_first_write() -> None:
    assert {state for state, event in TRANSITIONS if event is RunEvent.REFUSE} == {RunState.PLANNED, RunState.CLEARED}


def test_nothing_leads_out_of_an_end_state() -> None:
    assert not {state for state, _ in TRANSITIONS} & ENDED


def test_success_is_reached_from_verifying_only() -> None:
    assert [state for (state, _), end in TRANSITIONS.items() if end is RunState.SUCCEEDED] == [RunState.VERIFYING]


def test_every_stuck_state_can_be_interrupted() -> None:
    assert all(TRANSITIONS[state, RunEvent.INTERRUPT] is RunState.INTERRUPTED for state in STUCK)


@pytest.mark.parametrize(
    "name", ["DeviceFacts", "KeyErasure", "PassFacts", "MethodFacts", "VerificationFacts", "Segment", "RunFacts"]
)
def test_the_facts_carry_the_words_of_the_record(name: str) -> None:
    """All but what the agent adds from notes a run did not make."""
    added = {"extra", "capacity_proof"}
    theirs = {f.name: f.type for f in dataclasses.fields(getattr(record, name)) if f.name not in added}
    ours = {f.name: f.type for f in dataclasses.fields(getattr(run, name))}
    assert list(ours) == list(theirs)
    for field, kind in ours.items():
        told = str(kind).replace("ByteRange", "tuple[int, int]").replace("Touched", "str")
        told = told.replace("dict[str, Any]", "CommandFacts")  # the same fields, which a contract test keeps so
        assert told == str(theirs[field]), field


def test_a_result_becomes_json_and_comes_back_the_same() -> None:
    outcome = _result()
    assert RunResult.from_dict(json.loads(json.dumps(outcome.to_dict()))) == outcome


def test_an_error_leads_to_its_end_state() -> None:
    assert run.end_state(None) is RunState.SUCCEEDED
    assert run.end_state(MountedFilesystem(mount_points=("/mnt",))) is RunState.REFUSED
    assert run.end_state(Interrupted(pass_number=1, durable_bytes=0)) is RunState.INTERRUPTED
    assert run.end_state(Residual(residual_bytes=1, first_offset=0, ranges=())) is RunState.FAILED


def test_verification_failures_are_told_from_other_failures_by_code() -> None:
    assert {code for code in ERRORS if run.failed_verification(code)} == {
        "residual",
        "unreadable",
        "identity-changed",
        "inconclusive",
        "stale-success",
    }
    assert not run.failed_verification(None)
    assert not run.failed_verification("no-such-code")


def _result() -> RunResult:
    return RunResult(
        run_id="r",
        path="/dev/sim",
        device=run.DeviceFacts(
            kind="ata",
            media="magnetic",
            transport="sata",
            vendor=None,
            model="m",
            serial="s",
            wwn=None,
            eui64=None,
            nguid=None,
            firmware=None,
            capacity_bytes=1024,
            logical_block_bytes=512,
            physical_block_bytes=512,
            fingerprint="0" * 64,
            hidden_capacity="unknown",
        ),
        method=run.MethodFacts(
            requested="clear",
            technique="overwrite",
            pattern_set="zeros",
            plan_sha256="0" * 64,
            passes=(
                run.PassFacts(
                    number=1,
                    pattern="zeros",
                    key_sha256=None,
                    bytes_written=512,
                    unwritten=((512, 1024),),
                    failed_writes=3,
                    flushed=True,
                ),
            ),
            commands=(),
        ),
        verification=run.VerificationFacts(
            kind="full",
            expected="zeros",
            seed=None,
            regions=1,
            bytes_read=512,
            residual=((512, 1024),),
            unreadable=(),
            regions_sha256="0" * 64,
            completed=True,
            direct_io=True,
        ),
        run=run.RunFacts(
            state="failed",
            touched="yes",
            started="2026-01-01T00:00:00.000Z",
            finished="2026-01-01T00:00:01.000Z",
            segments=(
                run.Segment(
                    started="2026-01-01T00:00:00.000Z",
                    finished="2026-01-01T00:00:01.000Z",
                    boot_id="b",
                    monotonic_ms=1000,
                    ended_by="failed",
                ),
            ),
            clock_synchronized=None,
            error_code="unwritable-region",
            error="x",
            identity_fingerprint_after=None,
        ),
        resumable=False,
        remedy="destroy it",
    )
