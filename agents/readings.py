"""Carries out verify-only orders: reads a medium again, signs what it found, and hands that over. Nothing is ever written.

    lease     check the order -> find the medium by fingerprint -> local rules -> read it (`sanitizer.verify`, which cannot write)
    reading   sign -> keep -> send -> prove that the service has it -> forget

One medium is read at a time, beside the runs. A reading that is cut off leaves nothing behind: its lease ends, and the service
leases the order again. A signed reading survives anything but the disk.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import sanitizer
from inventory.contract.v1.common import Envelope, LogPosition
from inventory.contract.v1.readings import ReadingLease, ReadingProgress, ReadingReceived, ReadingSubmission
from reports.envelope import Signer, envelope_digest, open_envelope, payload_digest, sign, unverified_body
from reports.errors import ReportError
from reports.reading import Reading, ReadingAccepted, ReadingHost, ReadingOrder
from reports.record import DeviceFacts, VerificationFacts
from reports.tlog import leaf_hash, log_entry, verify_inclusion
from sanitizer import Inspection

from . import discovery, following, host, reading_orders
from .client import Service
from .clock import rfc3339
from .engine import Engine
from .errors import AcceptanceRefused, AgentError, Rejected, Retry
from .log_watch import decode_hashes, read_checkpoint
from .permission import Judge, find_medium
from .recording import Host, facts_of
from .refusals import DeviceBusyHere, HostNotReady, LogInAlarm, OrderRefused, OrderUnsigned, ReadingsDisagree
from .runs import RunStore, State
from .state import StateDirectory

log = logging.getLogger("agents.readings")

FOLDER = "readings"
SCHEMA = "sanitrail-agent/reading/1"
ACCEPTED_SCHEMA = "sanitrail-agent/reading-accepted/1"


@dataclass
class Readings:
    """Verify-only orders of this host. `work` and `stop` are for the main loop."""

    engine: Engine
    service: Service
    state: StateDirectory
    judge: Judge
    runs: RunStore
    signer: Signer
    host: Host
    interval: float
    """Seconds between two messages about progress."""
    nudge: Callable[[], None] = lambda: None
    """Called when a reading is ready to be sent."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _halted: threading.Event = field(default_factory=threading.Event)
    _cut: threading.Event = field(default_factory=threading.Event)
    """Ends the reading under way."""
    _thread: threading.Thread | None = None

    def work(self, *, wanted: bool) -> bool:
        """Send what is ready; take up an order where one may wait. Returns whether there was anything to do.

        Raises:
            Retry, Rejected, EvidenceRefused: the service did not take, give or prove something; it is tried again.
            OSError, StateDamaged: the disk beneath the state directory.
        """
        sent = self.deliver()
        if self._thread is not None and self._thread.is_alive():
            return sent
        if not wanted or self._stop.is_set() or self._halted.is_set():
            return sent
        lease = self.service.lease_reading().lease
        if lease is None or self._kept(lease):
            return sent
        # A daemon thread: nothing is lost when it ends anywhere, for it writes to no medium.
        self._thread = threading.Thread(target=self._carry_out, args=(lease,), name=f"reading-{lease.id}", daemon=True)
        self._thread.start()
        return True

    def stop(self, timeout: float) -> None:
        """End at the next block; the service leases the order again."""
        self._stop.set()
        self._cut.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def halt(self) -> None:
        """End what is being read at its next block, and take up nothing, until `go_on`. What was read is still handed over."""
        self._halted.set()
        self._cut.set()

    def go_on(self) -> None:
        """The halt is lifted; what was cut off is read again once its lease has ended."""
        self._halted.clear()

    def wait(self) -> None:
        """Until nothing is being read."""
        if self._thread is not None:
            self._thread.join()

    # --- reading --------------------------------------------------------------------------------------------------

    def _carry_out(self, lease: ReadingLease) -> None:
        try:
            found = self._read(lease)
        except (OrderRefused, Retry, Rejected) as error:
            log.warning("verify-only order %s is not carried out now: %s", lease.id, error.explain())
            return
        except Exception:
            log.exception("verify-only order %s: a defect of the agent", lease.id)
            return
        if found is None:
            log.info("verify-only order %s was cut off", lease.id)
            return
        envelope = sign("reading", found.to_dict(), self.signer)
        try:
            self.state.write(self._name(lease.id), SCHEMA, {"id": lease.id, "token": lease.token, "reading": envelope})
        except OSError:
            log.exception("the reading of %s cannot be kept; it is made again", lease.id)
            return
        self.nudge()

    def _read(self, lease: ReadingLease) -> Reading | None:
        """What was found, or why nothing was; None where it was stopped, so that nothing can be said."""
        started = rfc3339(self.judge.watch.clock.now())
        order = self._judged(lease)
        self._require_known_log(order)
        inspection: Inspection | None = None
        facts: sanitizer.VerificationFacts | None = None
        stop = self._cut = threading.Event()
        if self._stop.is_set() or self._halted.is_set():
            return None
        state: Literal["finished", "refused", "interrupted"] = "finished"
        error: AgentError | sanitizer.SanitizerError | None = None
        try:
            inspection = self._medium(order, lease.path_hint)
            facts = self.engine.verify(
                inspection,
                order.expected,
                order.verification,
                sample_seed=order.nonce,
                progress=self._teller(lease, stop),
                stop=stop,
            )
        except HostNotReady:
            raise
        except (OrderRefused, sanitizer.Refused) as refused:
            state, error = "refused", refused
        except sanitizer.SanitizerError as broken:
            if stop.is_set():
                return None
            state, error = "interrupted", broken
        return self._body(lease, order, started, inspection, facts, state, error)

    def _judged(self, lease: ReadingLease) -> ReadingOrder:
        """The order, if it counts; where a key unknown here signed it, once more under the newest trust root."""
        try:
            return self._check(lease)
        except OrderUnsigned:
            if not following.follow(self.judge.pins, self.service):
                raise
            return self._check(lease)

    def _check(self, lease: ReadingLease) -> ReadingOrder:
        if alarms := self.judge.pins.alarms():
            raise LogInAlarm(alarms[0])
        self.judge.self_tests.require()
        pins = self.judge.pins.require()
        keys = pins.acceptance_keys(pins.checkpoint.size)
        reading = self.judge.watch.reading()
        return reading_orders.check(lease.order.model_dump(), self.judge.agent_key, keys, reading)

    def _require_known_log(self, order: ReadingOrder) -> None:
        pins = self.judge.pins
        after = LogPosition(origin=order.after.origin, size=order.after.size, root=order.after.root)
        if after.size > pins.require().checkpoint.size:
            following.advance(pins, self.service, self.service.checkpoint(), self._prove)
        pins.require_contains(after, self._prove)

    def _prove(self, old: int, new: int) -> tuple[bytes, ...]:
        return decode_hashes(self.service.consistency(old, new).hashes)

    def _medium(self, order: ReadingOrder, path_hint: str) -> Inspection:
        """The one medium the order names, where this host's rules let it be read and nothing else is done to it."""
        inspection = find_medium(self.engine.find_devices(order.device, path_hint), order.device, path_hint)
        self.judge.permit_medium(inspection)
        if (problem := discovery.disagreement(inspection)) is not None:
            raise ReadingsDisagree(problem)
        for run in self.runs.all():
            if run.device == order.device and run.state in {State.STARTED, State.ENDED}:
                raise DeviceBusyHere(run.run_id)
        return inspection

    def _teller(self, lease: ReadingLease, stop: threading.Event) -> Callable[[sanitizer.Progress], None]:
        clock = self.judge.watch.clock
        last = clock.monotonic()

        def tell(progress: sanitizer.Progress) -> None:
            nonlocal last
            if clock.monotonic() - last < self.interval:
                return
            last = clock.monotonic()
            message = ReadingProgress(
                token=lease.token, bytes_done=progress.bytes_done, bytes_total=progress.bytes_total
            )
            try:
                reply = self.service.reading_progress(lease.id, message)
            except (Retry, Rejected) as error:
                log.info("progress of %s was not taken: %s", lease.id, error.summarize())
                return
            if not reply.current or reply.stop_requested:
                stop.set()

        return tell

    def _body(
        self,
        lease: ReadingLease,
        order: ReadingOrder,
        started: str,
        inspection: Inspection | None,
        facts: sanitizer.VerificationFacts | None,
        state: Literal["finished", "refused", "interrupted"],
        error: AgentError | sanitizer.SanitizerError | None,
    ) -> Reading:
        device = None if inspection is None else inspection.device_facts()
        return Reading(
            id=str(uuid.uuid4()),
            order_id=order.id,
            order_sha256=payload_digest(lease.order.model_dump()),
            nonce=order.nonce,
            record_sha256=order.record_sha256,
            state=state,
            error_code=None if error is None else error.code,
            error=None if error is None else error.summarize()[:500],
            device=None if device is None else DeviceFacts(**facts_of(device)),
            verification=None if facts is None else VerificationFacts(**facts_of(facts)),
            started=started,
            finished=rfc3339(self.judge.watch.clock.now()),
            host=ReadingHost(**facts_of(self.host)),
            tool=host.tool(),
        )

    # --- handing over ---------------------------------------------------------------------------------------------

    def deliver(self) -> bool:
        """Send every reading that is ready, and forget it once the service has proven that it has it."""
        waiting = sorted(self.state.path(FOLDER).glob("*.json"))
        for path in waiting:
            document = self.state.read(f"{FOLDER}/{path.name}", SCHEMA)
            if document is None:
                continue
            envelope = dict(document["reading"])
            message = ReadingSubmission(token=document["token"], reading=Envelope.model_validate(envelope))
            received = self.service.submit_reading(document["id"], message)
            self._prove_received(envelope, received)
            body = unverified_body(envelope, "reading")
            kept = {"reading": envelope, "accepted": received.accepted.model_dump(), "index": received.index}
            self.state.write(f"accepted/reading-{body['id']}.json", ACCEPTED_SCHEMA, kept)
            self.state.disk.remove(path)
            log.info("the reading of %s is accepted, log index %d", document["id"], received.index)
        return bool(waiting)

    def _prove_received(self, envelope: dict[str, Any], received: ReadingReceived) -> None:
        keys = self.judge.pins.require().acceptance_keys(received.index)
        accepted = received.accepted.model_dump()
        try:
            body, _ = open_envelope(accepted, keys, "statement", exact=True)
            said = ReadingAccepted.from_dict(body, "reading-accepted")
        except ReportError as error:
            raise AcceptanceRefused(error.summarize()) from error
        if said.reading_sha256 != envelope_digest(envelope) or received.reading_sha256 != said.reading_sha256:
            raise AcceptanceRefused("It names another reading than was sent.")
        following.advance(self.judge.pins, self.service, received.checkpoint, self._prove)
        checkpoint = read_checkpoint(received.checkpoint, self.judge.pins.require().trust.log_keys)
        leaf = leaf_hash(log_entry("statement", envelope_digest(accepted)))
        try:
            verify_inclusion(leaf, received.index, checkpoint.size, decode_hashes(received.proof), checkpoint.root)
        except ReportError as error:
            raise AcceptanceRefused(error.summarize()) from error

    def _kept(self, lease: ReadingLease) -> bool:
        """Whether the order was carried out already; its reading then goes out under the newer token."""
        document = self.state.read(self._name(lease.id), SCHEMA)
        if document is None:
            return False
        self.state.write(self._name(lease.id), SCHEMA, {**document, "token": max(lease.token, document["token"])})
        return True

    @staticmethod
    def _name(number: str) -> str:
        return f"{FOLDER}/{number}.json"
