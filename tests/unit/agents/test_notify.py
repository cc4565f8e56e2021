"""What systemd hears; that nothing is said where nobody listens; and the last question's limit."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from agents import holds
from agents.errors import Conflict, ReplyUnreadable, Unreachable
from agents.notify import Notifier
from agents.refusals import HoldInForce, HoldUnanswered
from inventory.contract.v1.orders import HoldAnswer, HoldQuestion, Lease
from reports.envelope import payload_digest, sign
from reports.keys import FileSigner


def test_systemd_hears_ready_alive_and_stopping(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        told = Notifier.from_environment({"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "30000000"})
        told.ready("Working\non it")
        told.alive()
        told.stopping()
        heard = [listener.recv(4096).decode() for _ in range(3)]
    assert heard[0] == "READY=1\nSTATUS=Working on it"
    assert heard[1] == "WATCHDOG=1"
    assert heard[2].startswith("STOPPING=1")
    assert told.watchdog_seconds == 30.0


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nonexistent/socket"}, {"WATCHDOG_USEC": "x"}])
def test_where_nobody_listens_nothing_happens(environ: dict[str, str]) -> None:
    told = Notifier.from_environment(environ)
    told.ready("x")
    told.alive()
    assert told.watchdog_seconds is None


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    assert Notifier.from_environment({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog_seconds is None


class Answering:
    """Only what the hold question needs of a service."""

    def __init__(self, answer: Any) -> None:  # noqa: ANN401 - a function of the question
        self.answer = answer
        self.questions: list[HoldQuestion] = []

    def ask_hold(self, _lease: str, question: HoldQuestion) -> HoldAnswer:
        self.questions.append(question)
        found = self.answer(question)
        if isinstance(found, Exception):
            raise found
        assert isinstance(found, HoldAnswer)
        return found


SERVICE = FileSigner.generate()
ORDER = sign("order", {"id": "O-1"}, SERVICE)
LEASE = Lease.model_validate(
    {
        "id": "L-1",
        "token": 3,
        "expires": "2026-11-22T12:00:00Z",
        "order": ORDER,
        "approvals": [],
        "path_hint": "",
    }
)


def said(question: HoldQuestion, *, by: Any = SERVICE, told: dict[str, Any] | None = None, **signed: Any) -> HoldAnswer:  # noqa: ANN401
    """An answer: what is told beside the statement, and what is signed."""
    honest = {"nonce": question.nonce, "clear": True, "reasons": []}
    bound = {"schema": "sanitrail/hold-answer/1", "order_sha256": payload_digest(ORDER), "lease": "L-1", "token": 3}
    body = {**honest, **bound, "time": "2026-11-22T11:00:00Z", **signed}
    return HoldAnswer.model_validate({**honest, **(told or {}), "statement": sign("hold-answer", body, by)})


def ask(answer: Any, limit: float = 5.0) -> Answering:  # noqa: ANN401
    service = Answering(answer)
    keys = {SERVICE.key_id: SERVICE.verifying_key}
    holds.require_clear(service, LEASE, limit, keys)  # type: ignore[arg-type]  # only one method is used
    return service


def test_a_clear_answer_to_this_question_is_yes() -> None:
    service = ask(said)
    assert service.questions[0].token == 3


def test_every_question_is_another_one() -> None:
    nonces = {ask(said).questions[0].nonce for _ in range(10)}
    assert len(nonces) == 10


def test_no_is_no_with_its_reasons() -> None:
    with pytest.raises(HoldInForce, match="Litigation"):
        ask(lambda q: said(q, clear=False, reasons=["Litigation."]))


def test_what_is_told_beside_the_signed_statement_counts_for_nothing() -> None:
    with pytest.raises(HoldInForce, match="Litigation"):
        ask(lambda q: said(q, told={"clear": True, "reasons": []}, clear=False, reasons=["Litigation."]))


@pytest.mark.parametrize(
    "other",
    [{"nonce": "0" * 32}, {"order_sha256": "0" * 64}, {"lease": "L-2"}, {"token": 2}],
    ids=lambda o: next(iter(o)),
)
def test_a_clear_answer_to_another_question_is_none(other: dict[str, Any]) -> None:
    with pytest.raises(HoldUnanswered, match="another question"):
        ask(lambda q: said(q, **other))


def test_an_answer_that_the_service_did_not_sign_is_none() -> None:
    with pytest.raises(HoldUnanswered, match="not the service's"):
        ask(lambda q: said(q, by=FileSigner.generate()))


def test_an_order_signed_by_the_service_is_no_answer() -> None:
    with pytest.raises(HoldUnanswered, match="not the service's"):
        ask(lambda q: said(q).model_copy(update={"statement": LEASE.order}))


@pytest.mark.parametrize("error", [Unreachable("away"), ReplyUnreadable("odd")])
def test_no_answer_is_no(error: Exception) -> None:
    with pytest.raises(HoldUnanswered):
        ask(lambda _q: error)


def test_a_refused_question_is_no() -> None:
    with pytest.raises(HoldInForce):
        ask(lambda _q: Conflict(409, "conflict", "lost"))


def test_an_answer_after_the_limit_is_none_and_nobody_waits_for_it() -> None:
    release = threading.Event()

    def late(question: HoldQuestion) -> HoldAnswer:
        release.wait(30)
        return said(question)

    try:
        with pytest.raises(HoldUnanswered, match="Not within"):
            ask(late, limit=0.05)
    finally:
        release.set()


def test_a_defect_of_our_own_is_not_mistaken_for_an_answer() -> None:
    with pytest.raises(ZeroDivisionError):
        ask(lambda _q: ZeroDivisionError())
