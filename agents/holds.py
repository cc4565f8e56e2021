"""The last question before a write: does anything forbid it now? Only a fresh, clear answer in time counts."""

from __future__ import annotations

import queue
import secrets
import threading

from inventory.contract.v1.orders import HoldAnswer, HoldQuestion, Lease

from .client import Service
from .errors import AgentError, Rejected, Retry
from .refusals import HoldInForce, HoldUnanswered


def require_clear(service: Service, lease: Lease, limit: float) -> None:
    """Ask, and return only if the answer is a clear one to this very question.

    The exchange runs in a thread of its own: whatever the network does, the limit holds. A late answer is left to itself.

    Args:
        service: Whom to ask.
        lease: The lease the question is about.
        limit: Seconds for the answer.

    Raises:
        HoldInForce: The service forbids it, or does not know the lease any more.
        HoldUnanswered: No answer in time, or one that is not to this question.
    """
    question = HoldQuestion(token=lease.token, nonce=secrets.token_hex(16))
    answers: queue.SimpleQueue[HoldAnswer | BaseException] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(service.ask_hold(lease.id, question))
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises what it does not know
            answers.put(error)

    threading.Thread(target=ask, name="hold-question", daemon=True).start()
    try:
        answer = answers.get(timeout=limit)
    except queue.Empty:
        raise HoldUnanswered(f"Not within {limit:g} seconds.") from None
    _judge(answer, question)


def _judge(answer: HoldAnswer | BaseException, question: HoldQuestion) -> None:
    if isinstance(answer, Retry):
        raise HoldUnanswered(answer.summarize()) from answer
    if isinstance(answer, Rejected):
        raise HoldInForce(answer.summarize()) from answer
    if isinstance(answer, AgentError):
        raise HoldUnanswered(answer.summarize()) from answer
    if isinstance(answer, BaseException):
        raise answer
    if answer.nonce != question.nonce:
        raise HoldUnanswered("The answer is to another question.")
    if not answer.clear:
        raise HoldInForce(" ".join(answer.reasons) or "No reason was given.")
