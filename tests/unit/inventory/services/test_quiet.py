"""Words that change nothing are answered without the one writer's turn; whatever is not as usual goes the long way."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.contract.v1.agents import Heartbeat, HeartbeatReply
from inventory.contract.v1.common import LogPosition
from inventory.contract.v1.orders import Lease, Progress
from inventory.domain.vocabulary import HostState, OrderState
from inventory.errors import AgentNotTrusted, Replayed, StorageFailed
from inventory.models import HostContact, Nonce, Order, RunProgress
from inventory.models import Lease as LeaseRow
from inventory.services import _quiet, _together, heartbeat, hosts, leases, nonces, words
from inventory.services._together import Together
from reports.canonical import to_base64
from tests.support.inventory_world import World

KEY = "a" * 64


def word(world: World, **changes: Any) -> Heartbeat:  # noqa: ANN401 - fields of the message
    fields = {
        "agent_version": "1", "boot_id": "b", "time": world.clock.now(), "running": (), "outbox": 0, "checkpoint": None,
    }  # fmt: skip
    return Heartbeat(**{**fields, **changes})


def beat(world: World, **changes: Any) -> HeartbeatReply:  # noqa: ANN401 - fields of the message
    return heartbeat.beat(world.context, world.agent.actor, word(world, **changes))


def position(world: World, size: int | None = None) -> LogPosition:
    with world.context.reading() as session:
        size = size or world.context.ledger.size(session)
        return LogPosition(
            origin=world.context.ledger.origin, size=size, root=to_base64(world.context.ledger.root(session, size))
        )


@pytest.fixture
def usual(world: World) -> World:
    """Its agent has been heard before, so that nothing of its next word is new."""
    beat(world)
    return world


@pytest.fixture
def no_turn(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    @contextmanager
    def refused(_: object) -> Iterator[Session]:
        raise AssertionError("somebody took the one writer's turn")
        yield

    with monkeypatch.context() as patched:
        patched.setattr("inventory.db.Database.writing", refused)
        yield


def contact(world: World) -> HostContact:
    with world.context.reading() as session:
        return session.get_one(HostContact, world.agent.host)


# -- heartbeats --------------------------------------------------------------------------------------------------------


def test_a_usual_word_is_noted_without_the_writers_turn(usual: World, no_turn: None) -> None:
    del no_turn
    usual.clock.forward(seconds=30)
    beat(usual, outbox=3, running=("O-1",), checkpoint=position(usual))
    found = contact(usual)
    assert (found.last_contact, found.outbox, found.running) == (usual.clock.now(), 3, ["O-1"])


@pytest.mark.parametrize("behind", [0, 1, 3])
def test_the_quiet_answer_is_the_long_one(usual: World, monkeypatch: pytest.MonkeyPatch, behind: int) -> None:
    usual.hold_data()
    usual.sanitized()
    with usual.context.reading() as session:
        seen = position(usual, usual.context.ledger.size(session) - behind)
    quiet = _quiet.quiet_beat(usual.context, usual.agent.actor, word(usual, checkpoint=seen))
    monkeypatch.setattr("inventory.services.heartbeat.quiet_beat", lambda *_: None)
    assert quiet == beat(usual, checkpoint=seen)
    assert quiet is not None
    assert quiet.lamps
    assert len(quiet.consistency) == 0 or behind


def test_waiting_work_is_told_quietly(usual: World) -> None:
    usual.hold_data()
    usual.unmount()
    usual.approved()
    found = _quiet.quiet_beat(usual.context, usual.agent.actor, word(usual))
    assert found is not None
    assert found.work_waiting
    usual.agent.take()
    found = _quiet.quiet_beat(usual.context, usual.agent.actor, word(usual))
    assert found is not None
    assert not found.work_waiting


def unusual(world: World, how: str) -> Heartbeat:
    here = position(world)
    return {
        "version": lambda: word(world, agent_version="2"),
        "clock": lambda: word(world, time=world.clock.now() + timedelta(hours=1)),
        "another log": lambda: word(world, checkpoint=here.model_copy(update={"origin": "other.example/log"})),
        "another root": lambda: word(world, checkpoint=here.model_copy(update={"root": to_base64(bytes(32))})),
        "a longer log": lambda: word(world, checkpoint=here.model_copy(update={"size": here.size + 1})),
        "another root before": lambda: word(
            world, checkpoint=here.model_copy(update={"size": here.size - 1, "root": to_base64(bytes(32))})
        ),
        "nothing seen": lambda: word(world, checkpoint=here.model_copy(update={"size": 0})),
    }[how]()


@pytest.mark.parametrize(
    "how", ["version", "clock", "another log", "another root", "a longer log", "another root before", "nothing seen"]
)
def test_what_is_not_as_usual_is_not_answered_quietly(usual: World, how: str) -> None:
    before = contact(usual).last_contact
    usual.clock.forward(seconds=1)
    assert _quiet.quiet_beat(usual.context, usual.agent.actor, unusual(usual, how)) is None
    assert contact(usual).last_contact == before


def test_an_open_question_about_the_host_goes_the_long_way_until_it_is_settled(usual: World) -> None:
    beat(usual, time=usual.clock.now() + timedelta(hours=1))
    assert "host-clock-off" in usual.codes()
    assert _quiet.quiet_beat(usual.context, usual.agent.actor, word(usual)) is None
    beat(usual)
    assert "host-clock-off" not in usual.codes()
    assert _quiet.quiet_beat(usual.context, usual.agent.actor, word(usual)) is not None


def test_a_revoked_agent_is_told_so(usual: World) -> None:
    hosts.revoke(usual.context, usual.actor("admin"), hosts.RevokeHost(host=usual.agent.host, reason="stolen"))
    with pytest.raises(AgentNotTrusted):
        beat(usual)


def test_a_key_that_is_not_the_hosts_any_more_is_never_answered_quietly(usual: World) -> None:
    before = replace(usual.agent.actor, key_id=KEY)
    assert _quiet.quiet_beat(usual.context, before, word(usual)) is None
    with pytest.raises(AgentNotTrusted):
        heartbeat.beat(usual.context, before, word(usual))


def test_an_older_word_never_goes_over_a_newer_one(usual: World) -> None:
    usual.clock.forward(seconds=30)
    beat(usual, outbox=2)
    usual.clock.forward(seconds=-20)
    beat(usual, outbox=9)
    assert contact(usual).outbox == 2


# -- runs --------------------------------------------------------------------------------------------------------------


def report(world: World, lease: Lease, done: int, **changes: Any) -> Progress:  # noqa: ANN401 - fields of the message
    del world
    fields = {
        "token": lease.token, "state": "executing", "pass_number": 1, "passes": 1, "bytes_done": done, "bytes_total": 100,
        "bytes_per_second": 5, "seconds_left": 9, "errors": 0,
    }  # fmt: skip
    return Progress(**{**fields, **changes})


@pytest.fixture
def lease(usual: World) -> Lease:
    """A run that has reported once."""
    usual.hold_data()
    usual.unmount()
    usual.approved()
    taken = usual.agent.take()
    assert usual.ask(taken).clear
    leases.report_progress(usual.context, usual.agent.actor, taken.id, report(usual, taken, 10))
    return taken


def kept(world: World) -> tuple[int, Any]:
    with world.context.reading() as session:
        return session.scalars(sa.select(RunProgress.bytes_done)).one(), session.scalars(
            sa.select(LeaseRow.expires)
        ).one()


def test_a_run_that_goes_on_is_noted_and_prolonged_without_the_writers_turn(
    lease: Lease, usual: World, no_turn: None
) -> None:
    del no_turn
    usual.clock.forward(seconds=60)
    reply = leases.report_progress(usual.context, usual.agent.actor, lease.id, report(usual, lease, 60))
    assert (reply.current, reply.stop_requested, reply.halted) == (True, False, False)
    until = usual.clock.now() + timedelta(seconds=usual.context.settings.lease_seconds)
    assert kept(usual) == (60, until)


@pytest.mark.parametrize("changes", [{"token": 7}, {"state": "verifying"}, {"state": "refused"}])
def test_a_report_by_which_something_changes_goes_the_long_way(
    lease: Lease, usual: World, changes: dict[str, Any]
) -> None:
    told = report(usual, lease, 60, **changes)
    assert _quiet.quiet_progress(usual.context, usual.agent.actor, lease.id, told) is None


def test_what_ended_in_between_is_neither_prolonged_nor_noted(lease: Lease, usual: World) -> None:
    before = kept(usual)
    with usual.context.database.beside() as session:
        looked = {row.lease: row for row in session.connection().execute(_quiet._RUN, {"leases": [lease.id]})}
    with usual.context.writing() as session:
        order = session.scalars(sa.select(Order)).one()
        order.state = OrderState.CANCELLED
    usual.clock.forward(seconds=60)
    late = _quiet.Report(usual.context, usual.agent.actor, lease.id, report(usual, lease, 60), usual.clock.now())
    row = _quiet._progress_row(looked[lease.id], late)
    with usual.context.database.beside() as session:
        _quiet._PROLONG.write(session, [row])
        _quiet._KEEP.write(session, [row])
    assert kept(usual) == before


def test_reports_of_two_runs_are_written_in_one_go(lease: Lease, usual: World) -> None:
    """A statement that is good for one only would send each of them through a transaction of its own."""
    usual.clock.forward(seconds=60)
    told = _quiet.Report(usual.context, usual.agent.actor, lease.id, report(usual, lease, 60), usual.clock.now())
    with usual.context.database.beside() as session:
        looked = session.connection().execute(_quiet._RUN, {"leases": [lease.id]}).one()
        row = _quiet._progress_row(looked, told)
        _quiet._PROLONG.write(session, [row, {**row, "this": "O-2", "lease": "LS-2"}])
        _quiet._KEEP.write(session, [row, {**row, "this": "O-2", "lease": "LS-2"}])
    assert kept(usual)[0] == 60


def test_of_two_reports_of_one_run_heard_together_the_newer_stays(lease: Lease, usual: World) -> None:
    older = _quiet.Report(usual.context, usual.agent.actor, lease.id, report(usual, lease, 60), usual.clock.now())
    newer = replace(older, progress=report(usual, lease, 70), now=usual.clock.now() + timedelta(seconds=5))
    with usual.context.database.beside() as session:
        assert None not in _quiet.answer_reports(session, [newer, older])
    assert kept(usual)[0] == 70


# -- words heard together ----------------------------------------------------------------------------------------------


def heard(world: World, *said: tuple[str, Heartbeat]) -> list[words.Heard]:
    """Words of our agent, each under its nonce, in one transaction."""
    key, now = world.agent.signer.key_id, world.clock.now()
    with world.context.database.beside() as session:
        return words._hear_all(
            session, [words.Word(world.context, key, nonce, now, message) for nonce, message in said]
        )


def test_words_heard_together_are_answered_as_one_by_one(usual: World) -> None:
    usual.clock.forward(seconds=30)
    first, again, other = heard(
        usual, ("n" * 24, word(usual)), ("n" * 24, word(usual)), ("m" * 24, word(usual, agent_version="2"))
    )
    assert first.reply == _quiet.quiet_beat(usual.context, usual.agent.actor, word(usual))
    assert (again.new, again.reply) == (False, None)
    assert (other.new, other.reply) == (True, None)
    assert contact(usual).last_contact == usual.clock.now()


def test_a_word_under_a_key_that_does_not_count_is_spent_and_not_answered(usual: World) -> None:
    hosts.revoke(usual.context, usual.actor("admin"), hosts.RevokeHost(host=usual.agent.host, reason="stolen"))
    before = contact(usual).last_contact
    usual.clock.forward(seconds=30)
    (found,) = heard(usual, ("n" * 24, word(usual)))
    assert found.new
    assert found.reply is None
    assert found.owner is not None
    assert found.owner[1] is HostState.REVOKED
    assert contact(usual).last_contact == before


def test_a_word_is_heard_once(usual: World) -> None:
    once = words.Word(usual.context, usual.agent.signer.key_id, "n" * 24, usual.clock.now(), word(usual))
    assert words.hear(once).reply is not None
    with pytest.raises(Replayed):
        words.hear(once)


# -- nonces, and what is written together ------------------------------------------------------------------------------


def test_of_many_that_show_the_same_nonce_at_once_one_passes(world: World) -> None:
    passed, refused = [], []

    def show() -> None:
        try:
            nonces.spend(world.context, KEY, "n" * 24, world.clock.now())
            passed.append(1)
        except Replayed:
            refused.append(1)

    threads = [threading.Thread(target=show) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (len(passed), len(refused)) == (1, 7)


def test_of_two_alike_in_one_batch_the_first_is_new(world: World) -> None:
    until = world.clock.now()
    with world.context.database.beside() as session:
        assert [new for new, _ in nonces.spend_all(session, [(KEY, "n" * 24, until)] * 2)] == [True, False]
    with world.context.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Nonce)) == 1


def test_whose_key_it_is_is_asked_with_the_nonce(world: World) -> None:
    key_id = world.agent.signer.key_id
    found = nonces.spend(world.context, key_id, "n" * 24, world.clock.now())
    assert found is not None
    assert (found[0], str(found[1])) == (world.agent.host, "confirmed")
    assert nonces.spend(world.context, KEY, "m" * 24, world.clock.now()) is None


def test_a_note_that_cannot_be_written_costs_only_itself(world: World) -> None:
    batches: list[int] = []
    inside, go = threading.Event(), threading.Event()

    def write(session: Session, items: Sequence[str]) -> list[str]:
        del session
        batches.append(len(items))
        if items == ["first"]:
            inside.set()
            assert go.wait(10)
        if "bad" in items:
            raise ValueError("this one")
        return [item.upper() for item in items]

    notes, answers = Together(write), dict[str, object]()

    def add(item: str) -> None:
        try:
            answers[item] = notes.add(world.context.database, item)
        except ValueError as error:
            answers[item] = error

    first = threading.Thread(target=add, args=("first",))
    first.start()
    assert inside.wait(10)
    others = [threading.Thread(target=add, args=(item,)) for item in ("good", "bad", "better")]
    for one in others:
        one.start()
    queue = notes._queue(world.context.database)
    while len(queue.waiting) < 3:
        threading.Event().wait(0.01)
    go.set()
    for one in (first, *others):
        one.join()
    assert batches[:2] == [1, 3]
    assert isinstance(answers.pop("bad"), ValueError)
    assert answers == {"first": "FIRST", "good": "GOOD", "better": "BETTER"}


def test_while_many_come_some_gather(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_together, "_PAUSE", 3600.0)
    batches: list[list[str]] = []
    inside, go = threading.Event(), threading.Event()

    def write(session: Session, items: Sequence[str]) -> Sequence[str]:
        del session
        batches.append(sorted(items))
        if items == ["first"]:
            inside.set()
            assert go.wait(10)
        return items

    notes = Together(write)

    def add(item: str) -> threading.Thread:
        return threading.Thread(target=notes.add, args=(world.context.database, item), kwargs={"enough": 2})

    threads = [add("first"), add("second")]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    queue = notes._queue(world.context.database)
    while not queue.waiting:
        threading.Event().wait(0.01)
    go.set()
    threads[0].join(10)
    threads.append(add("third"))  # the second leads by now, and waits for it
    threads[2].start()
    for one in threads:
        one.join(10)
    assert batches == [["first"], ["second", "third"]]


def test_who_comes_alone_waits_for_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_together, "_PAUSE", 3600.0)
    notes: Together[str, str] = Together(lambda _, items: items)
    assert [notes.add(world.context.database, item, enough=16) for item in "abc"] == list("abc")


def test_where_the_leader_is_struck_down_the_others_are_told_and_another_leads(world: World) -> None:
    inside, go = threading.Event(), threading.Event()

    def write(session: Session, items: Sequence[str]) -> Sequence[str]:
        del session
        if "first" in items:
            inside.set()
            assert go.wait(10)
            raise SystemExit
        return items

    notes, answers = Together(write), dict[str, object]()

    def add(item: str) -> None:
        try:
            answers[item] = notes.add(world.context.database, item)
        except (StorageFailed, SystemExit) as error:
            answers[item] = error

    threads = [threading.Thread(target=add, args=(item,)) for item in ("first", "second")]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    while not notes._queue(world.context.database).waiting:
        threading.Event().wait(0.01)
    go.set()
    for one in threads:
        one.join(10)
    assert isinstance(answers["first"], SystemExit)
    assert answers["second"] == "second"
