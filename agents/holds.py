"""The last question before a write: does anything forbid it now? Only a fresh, clear answer in time counts.

The answer is believed by the service's signature under it, not by the connection it came over: whoever carries the question
(a hijacked process, a proxy) cannot answer it. The statement names order, lease, token and nonce, so that it fits this question
alone.
"""

from __future__ import annotations

import queue
import secrets
import threading
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from inventory.contract.v1.orders import HoldAnswer, HoldQuestion, Lease
from reports.agent_words import SignedHoldAnswer
from reports.envelope import PublicKey, open_envelope, payload_digest
from reports.errors import ReportError
from reports.record import HandedPermit

from .client import Service
from .errors import AgentError, Rejected, Retry
from .refusals import HoldInForce, HoldUnanswered


@runtime_checkable
class AnsweredBefore(Protocol):
    """A service that is not there: its signed answer was carried to this host beforehand (`byhand`)."""

    def permit(self, lease: Lease) -> None:
        """Returns only where that answer counts now. Raises `HoldUnanswered`."""

    def permits(self, order_sha256: str) -> tuple[HandedPermit, ...]:
        """Every leave that was given for an order."""


def permits_of(service: Service, order_sha256: str) -> tuple[HandedPermit, ...]:
    """The leaves that rested on a carried answer; none where the service itself was asked."""
    return service.permits(order_sha256) if isinstance(service, AnsweredBefore) else ()


def require_clear(service: Service, lease: Lease, limit: float, service_keys: Mapping[str, PublicKey]) -> None:
    """Ask, and return only if the answer is a clear one to this very question.

    The exchange runs in a thread of its own: whatever the network does, the limit holds. A late answer is left to itself.

    Args:
        service: Whom to ask.
        lease: The lease the question is about.
        limit: Seconds for the answer.
        service_keys: Keys of the pinned trust root that may answer, by key id.

    Raises:
        HoldInForce: The service forbids it, or does not know the lease any more.
        HoldUnanswered: No answer in time, one that is not to this question, or one the service did not sign.
    """
    if isinstance(service, AnsweredBefore):
        service.permit(lease)
        return
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
    if isinstance(answer, BaseException):
        raise _no_answer(answer) from answer
    judge(_signed(answer, service_keys), lease, question)


def _no_answer(error: BaseException) -> BaseException:
    """What the missing answer means; a defect of our own is no answer and stays itself."""
    if isinstance(error, Rejected):
        return HoldInForce(error.summarize())
    if isinstance(error, Retry | AgentError):
        return HoldUnanswered(error.summarize())
    return error


def _signed(answer: HoldAnswer, service_keys: Mapping[str, PublicKey]) -> SignedHoldAnswer:
    """What the service put its name to; the rest of the message is not looked at."""
    try:
        body, _ = open_envelope(answer.statement.model_dump(), service_keys, "hold-answer", exact=True)
        return SignedHoldAnswer.from_dict(body, "hold-answer")
    except ReportError as error:
        raise HoldUnanswered(f"The answer is not the service's: {error.summarize()}") from error


def judge(said: SignedHoldAnswer, lease: Lease, question: HoldQuestion) -> None:
    """Whether a signed answer clears this lease's order. Pure; raises as `require_clear`."""
    order = payload_digest(lease.order.model_dump())
    wanted = (order, lease.id, question.token, question.nonce)
    if (said.order_sha256, said.lease, said.token, said.nonce) != wanted:
        raise HoldUnanswered("The answer is to another question.")
    if not said.clear:
        raise HoldInForce(" ".join(said.reasons)[:2000] or "No reason was given.")
