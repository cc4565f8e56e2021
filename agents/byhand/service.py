"""`agents.client.Service` out of a job bundle: what the service said beforehand, under its signature. It answers nothing else.

What a bundle cannot hold (keeping a password, a lease, a reading) is not answered, as by a service that is away: the agent
then does what it does without a network, which is to begin nothing.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from agents.clock import ClockWatch, rfc3339
from agents.errors import Unreachable
from agents.refusals import HoldUnanswered
from inventory.contract.v1.agents import (
    EnrolmentReply,
    EnrolmentRequest,
    Heartbeat,
    HeartbeatReply,
    RecordAccepted,
    RecordSubmission,
)
from inventory.contract.v1.by_hand import JobBundle
from inventory.contract.v1.devices import Observation, ObservationAccepted
from inventory.contract.v1.escrows import EscrowDeposit, EscrowHeld, EscrowRelease
from inventory.contract.v1.log import ConsistencyProof, RosterChain, TrustRootChain
from inventory.contract.v1.orders import HoldAnswer, HoldQuestion, Lease, LeaseReply, Progress, ProgressReply
from inventory.contract.v1.readings import (
    ReadingLeaseReply,
    ReadingProgress,
    ReadingProgressReply,
    ReadingReceived,
    ReadingSubmission,
)
from reports.envelope import envelope_digest, payload_digest
from reports.record import HandedPermit

from .store import ByHandStore

_AWAY = "This host works without a network, and the job bundle does not hold this."
_FINAL = frozenset({"refused", "interrupted"})


@dataclass(frozen=True)
class Job:
    """A job bundle that was checked."""

    body: JobBundle
    sha256: str


@dataclass
class HandService:
    """The newest job bundle as the service. Thread-safe."""

    store: ByHandStore
    watch: ClockWatch
    oldest_answer: float
    """Seconds after which an answer about holds counts no more, whatever the bundle says."""
    job: Job | None = None
    """None: no bundle was taken in, and nothing is answered."""
    heard: Callable[[str, Progress], None] = lambda _lease, _said: None
    """Told of each word about a run, for a screen."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # --- leave to write -------------------------------------------------------------------------------------------

    def permit(self, lease: Lease) -> None:
        """Whether the bundle's answer lets this lease's medium be written to now; kept for the record before it is given.

        Raises:
            HoldUnanswered: It is not in the newest bundle, the bundle has ended, its answer is too old, or the clock cannot tell.
        """
        job, now = self._require(), self.watch.clock.now()
        if (problem := self.watch.reading().problem) is not None:
            raise HoldUnanswered(problem)
        wanted = (lease.id, lease.token, payload_digest(lease.order.model_dump()))
        held = {(one.id, one.token, payload_digest(one.order.model_dump())) for one in job.body.jobs}
        if wanted not in held:
            raise HoldUnanswered(f"Job bundle {job.body.number} does not hold this order (any more).")
        if now >= job.body.until:
            raise HoldUnanswered(f"Job bundle {job.body.number} ended {rfc3339(job.body.until)}; take in a newer one.")
        age = max(dt.timedelta(0), now - job.body.made)
        if age.total_seconds() > self.oldest_answer:
            hours = self.oldest_answer / 3600
            raise HoldUnanswered(f"It is older than the {hours:g} hours allowed here.")
        with self._lock:
            permit = HandedPermit(
                bundle=job.sha256,
                asked=rfc3339(job.body.made),
                permitted=rfc3339(now),
                age_seconds=int(age.total_seconds()),
            )
            self.store.note_time(now)
            self.store.note_permit(wanted[2], permit)

    def permits(self, order_sha256: str) -> tuple[HandedPermit, ...]:
        """Every leave that was given for an order."""
        return self.store.permits(order_sha256)

    # --- what a bundle holds --------------------------------------------------------------------------------------

    def trust_roots(self) -> TrustRootChain:
        """The bundle's."""
        return TrustRootChain(trust_roots=self._require().body.trust_roots)

    def rosters(self, after_version: int) -> RosterChain:
        """The bundle's, after a version."""
        return RosterChain(rosters=self._require().body.rosters[after_version:])

    def checkpoint(self) -> str:
        """The bundle's."""
        return self._require().body.checkpoint

    def consistency(self, old: int, new: int) -> ConsistencyProof:
        """The proof, where the bundle holds it."""
        for proof in self._require().body.proofs:
            if (proof.old, proof.new) == (old, new):
                return proof
        raise Unreachable(_AWAY)

    def progress(self, lease: str, message: Progress) -> ProgressReply:
        """What ends an order is kept for the way back; figures are for the screen alone."""
        if message.state in _FINAL and message.reason_code is not None:
            self.store.tell(lease, message)
        self.heard(lease, message)
        return ProgressReply(current=True, stop_requested=False)

    def submit(self, message: RecordSubmission) -> RecordAccepted:
        """The acceptance, where the bundle brought it."""
        digest = envelope_digest(message.record.model_dump())
        for accepted in () if self.job is None else self.job.body.accepted:
            if accepted.record_sha256 == digest:
                return accepted
        raise Unreachable("The record waits; it goes out with the next return bundle.")

    # --- what nobody can answer here ------------------------------------------------------------------------------

    def enrol(self, request: EnrolmentRequest) -> EnrolmentReply:
        """Not here."""
        del request
        raise Unreachable(_AWAY)

    def enrolment(self) -> EnrolmentReply:
        """Not here."""
        raise Unreachable(_AWAY)

    def heartbeat(self, message: Heartbeat) -> HeartbeatReply:
        """Not here."""
        del message
        raise Unreachable(_AWAY)

    def observe(self, message: Observation) -> ObservationAccepted:
        """Not here."""
        del message
        raise Unreachable(_AWAY)

    def lease(self) -> LeaseReply:
        """Not here."""
        raise Unreachable(_AWAY)

    def ask_hold(self, lease: str, question: HoldQuestion) -> HoldAnswer:
        """Not here: see `permit`."""
        del lease, question
        raise Unreachable(_AWAY)

    def lease_reading(self) -> ReadingLeaseReply:
        """Not here."""
        raise Unreachable(_AWAY)

    def reading_progress(self, reading: str, message: ReadingProgress) -> ReadingProgressReply:
        """Not here."""
        del reading, message
        raise Unreachable(_AWAY)

    def submit_reading(self, reading: str, message: ReadingSubmission) -> ReadingReceived:
        """Not here."""
        del reading, message
        raise Unreachable(_AWAY)

    def deposit(self, message: EscrowDeposit) -> EscrowHeld:
        """Not here: so no drive is given a password."""
        del message
        raise Unreachable(_AWAY)

    def release(self, escrow: str, message: EscrowRelease) -> EscrowHeld:
        """Not here."""
        del escrow, message
        raise Unreachable(_AWAY)

    def _require(self) -> Job:
        if self.job is None:
            raise Unreachable("No job bundle was taken in.")
        return self.job
