"""Carries one leased order through the run table (`runs.py`), from wherever it stands to as far as it can go now.

    leased    check the order -> find the medium by fingerprint, not path -> local rules -> plan -> clear -> spend the order
    started   hold question right before the first write -> sanitize (or resume) -> result
    ended     record -> sign -> outbox
    recorded  discard the journal -> forget
    refused   tell the service why -> forget

Refusal, lapse and "not yet" are three things: a *refusal* is final and told; a *lapse* is silent, since the service
leases the order again; *not yet* (`NotYet`) leaves the run where it stands, to be tried again. A service that is away
stops nothing that was begun.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sanitizer
from inventory.contract.v1.common import LogPosition
from inventory.contract.v1.orders import Lease, SealedOrder
from reports.envelope import Signer, sign
from sanitizer import Clearance, Confirmation, PendingRun, PermissionWithheld, RunResult, SanitizeInProgress

from . import discovery, following, holds, host, orders, recording
from .client import Service
from .custody import Custody
from .engine import Engine
from .errors import AgentError, EvidenceRefused, Rejected, Retry
from .hopeless import UNLIMITED
from .hopeless import Limits as HopelessLimits
from .log_watch import decode_hashes
from .orders import ApprovedOrder
from .outbox import Outbox
from .permission import Judge, find_medium
from .recording import Host, NothingToRecord
from .refusals import (
    DeviceBusyHere,
    HostNotReady,
    JournalLost,
    LeaseExpired,
    LogInAlarm,
    OrderRefused,
    OrderUnsigned,
    ReadingsDisagree,
)
from .reporter import Control, Reporter, message_without_figures
from .runs import Event, Run, RunStore, State
from .sequence import Sequence
from .temperature import look_at

log = logging.getLogger("agents.runner")


_HOST_TROUBLE = frozenset({"journal-unusable", "run-locked"})
"""Refusals of the sanitizer that say nothing about order or medium: the run begins once this host is right again."""


class NotYet(AgentError):
    """The run stays where it is; try again later.

    Attributes:
        after: Seconds the service asked for, or None.
    """

    code = "not-yet"
    sentence = "The run cannot go on now."
    fault = "see the reason"
    advice = "Nothing: it is tried again."

    def __init__(self, reason_code: str, detail: str, after: float | None = None) -> None:
        super().__init__(detail)
        self.reason_code = reason_code
        self.after = after


@dataclass(frozen=True)
class Limits:
    """Times of the runner, seconds."""

    hold: float
    progress_interval: float
    hopeless: HopelessLimits = UNLIMITED


@dataclass(frozen=True)
class Runner:
    """Works on runs; several threads may work on different ones at once."""

    engine: Engine
    service: Service
    journals: Path
    runs: RunStore
    outbox: Outbox
    sequence: Sequence
    judge: Judge
    signer: Signer
    host: Host
    limits: Limits
    begin_lock: threading.Lock
    """Held while a run is let begin, so that two cannot pass the same limit together."""

    def work(self, run: Run, control: Control) -> None:
        """Take the run to its end, or as far as it goes now.

        Raises:
            NotYet: It stays where it stands.
            OSError: The disk beneath the state directory does not take the next step; it stays where it stands.
            StateDamaged, OutboxDamaged: State cannot be read back; a person has to look.
        """
        steps: dict[State, Callable[[Run, Control], Run]] = {
            State.LEASED: self._begin,
            State.STARTED: self._carry_on,
            State.ENDED: self._record,
            State.RECORDED: self._forget,
            State.REFUSED: self._tell,
        }
        while run.state is not State.GONE:
            before = run.state
            run = steps[run.state](run, control)
            log.info("run %s of order %s: %s -> %s", run.run_id, run.order_sha256[:16], before, run.state)

    # --- leased ---------------------------------------------------------------------------------------------------

    def _begin(self, run: Run, control: Control) -> Run:
        try:
            approved, clearance = self._clear(run)
            with self.begin_lock:
                self._require_free_medium(run, approved.order.device)
                self.judge.permit_start(self.runs.starts_of_others(run))
                self.runs.spend(run, self.judge.watch.clock.now())
                named = approved.order
                run = self.runs.move(run, Event.START, order_id=named.id, device=named.device, label=named.device_label)
        except LeaseExpired as error:
            if self.runs.spent(run):  # killed before it began: under another run id the order would count as executed
                raise NotYet(error.code, error.summarize()) from error
            return self.runs.move(run, Event.LAPSE)
        except HostNotReady as error:
            raise NotYet(error.code, error.summarize()) from error
        except OrderRefused as error:
            return self._refuse(run, error.code, error.explain())
        except sanitizer.Refused as error:
            return self._refuse(run, error.code, error.explain())
        return self._sanitize(run, approved, clearance, control)

    def _clear(self, run: Run) -> tuple[ApprovedOrder, Clearance]:
        """Every check before the first write but the last question. Raises `OrderRefused` or the sanitizer's `Refused`."""
        approved = self._judged(run)
        order = approved.order
        self._require_known_log(order.after)
        clearance = self._clearance(order, run.lease.path_hint, self._pending(run))
        self.judge.permit_techniques(clearance.plan.steps)
        self.judge.permit_writing(clearance)
        return approved, clearance

    def _judged(self, run: Run) -> ApprovedOrder:
        """The order, if it counts; where a key unknown here signed it, once more under the newest trust root."""
        try:
            return self.judge.check(run.lease)
        except OrderUnsigned:
            try:
                if not following.follow(self.judge.pins, self.service):
                    raise
            except (Retry, Rejected) as error:
                raise NotYet(error.code, error.summarize()) from error
            except EvidenceRefused as error:
                raise LogInAlarm(error.summarize()) from error
            return self.judge.check(run.lease)

    def _require_known_log(self, after: LogPosition) -> None:
        """The log position the order names must lie in the history this host knows, brought up to date where it must."""
        pins = self.judge.pins
        try:
            if after.size > pins.require().checkpoint.size:
                following.advance(pins, self.service, self.service.checkpoint(), self._prove)
            pins.require_contains(after, self._prove)
        except (Retry, Rejected) as error:
            raise NotYet(error.code, error.summarize()) from error
        except EvidenceRefused as error:
            raise LogInAlarm(error.summarize()) from error

    def _prove(self, old: int, new: int) -> tuple[bytes, ...]:
        return decode_hashes(self.service.consistency(old, new).hashes)

    def _clearance(self, order: SealedOrder, path_hint: str, pending: PendingRun | None) -> Clearance:
        """For a fresh run the order's plan on this medium; a begun one goes on under the plan it was begun with."""
        inspection = find_medium(self.engine.find_devices(order.device, path_hint), order.device, path_hint)
        self.judge.permit_medium(inspection)
        if (problem := discovery.disagreement(inspection)) is not None:
            raise ReadingsDisagree(problem)
        plan, now = order.plan, self.judge.watch.clock.now()
        confirmation = Confirmation(fingerprint=order.device, acknowledged_signatures=plan.acknowledged_signatures)
        if pending is not None and pending.plan_request is not None:
            return self.engine.clear_again(pending, inspection, confirmation, now)
        for obstacle in inspection.obstacles:
            if isinstance(
                obstacle, SanitizeInProgress
            ):  # somebody else's: told as such, not as a plan that does not fit
                raise obstacle
        made = self.engine.plan(sanitizer.PlanRequest.from_dict(plan.model_dump()), inspection)
        return self.engine.clear(inspection, made, confirmation, now)

    def _require_free_medium(self, run: Run, fingerprint: str) -> None:
        for other in self.runs.all():
            unfinished = other.state in {State.STARTED, State.ENDED}  # the next record must name the one before it
            if unfinished and other.device == fingerprint and other.run_id != run.run_id:
                raise DeviceBusyHere(other.run_id)

    def _refuse(self, run: Run, code: str, reason: str) -> Run:
        log.warning("order %s refused: %s: %s", run.order_sha256[:16], code, reason)
        return self.runs.move(run, Event.REFUSE, reason_code=code, reason=reason[:500])

    # --- started --------------------------------------------------------------------------------------------------

    def _sanitize(self, run: Run, approved: ApprovedOrder, clearance: Clearance, control: Control) -> Run:
        self._note_build(run)
        with self._reporter(run, control, clearance) as reporter:
            result = self.engine.sanitize(
                clearance,
                run.run_id,
                self.journals,
                sample_seed=approved.order.nonce,
                progress=reporter.tell,
                stop=control.stop,
                before_first_write=functools.partial(self._permit_first_write, run),
                escrow=self._custody.keeper(run, approved),
            )
        return self._after(run, result, control)

    def _permit_first_write(self, run: Run) -> None:
        """The sanitizer's last question. Raises `PermissionWithheld`; everything is asked again, afresh."""
        try:
            lease = self.runs.current(run).lease
            self.judge.check(lease)
            self.judge.permit_writing()
            self._ask_holds(lease)
        except AgentError as error:
            raise PermissionWithheld(reason=f"{error.code}: {error.summarize()}"[:500]) from error

    def _ask_holds(self, lease: Lease) -> None:
        holds.require_clear(self.service, lease, self.limits.hold, self.judge.service_keys())

    def _carry_on(self, run: Run, control: Control) -> Run:
        """After a restart, or after a stretch that ended without a result: the sanitizer's journal decides."""
        pending = self._pending(run)
        if pending is None:
            return self._begin_again(run, control)
        if pending.result is not None and not pending.result.resumable:
            return self._end(run, pending.result)
        if pending.state == "running":
            raise NotYet("run-locked", "Another process works on this run.")
        if pending.state == "damaged":
            return self._lose(run, pending.error or "Its journal is damaged.")
        if control.cancelled:
            return self._give_up(run, pending, control.why)
        if pending.touched == "no":
            return self._resume_untouched(run, pending, control)
        return self._resume_touched(run, pending, control)

    def _begin_again(self, run: Run, control: Control) -> Run:
        """Spent, but no journal: the sanitizer writes nothing without one. The order must hold as if it were leased now."""
        try:
            approved, clearance = self._clear(run)
        except (LeaseExpired, HostNotReady) as error:
            raise NotYet(error.code, error.summarize()) from error
        except (OrderRefused, sanitizer.Refused) as error:
            return self._refuse(run, error.code, f"{error.explain()} The run had been begun, and has no journal.")
        return self._sanitize(run, approved, clearance, control)

    def _resume_untouched(self, run: Run, pending: PendingRun, control: Control) -> Run:
        """Cut off before its first write: everything must hold as if it were leased now, or it is given up."""
        try:
            _, clearance = self._clear(run)
        except (LeaseExpired, HostNotReady) as error:
            raise NotYet(error.code, error.summarize()) from error
        except (OrderRefused, sanitizer.Refused) as error:
            return self._give_up(run, pending, f"{error.code}: {error.summarize()}")
        permit = functools.partial(self._permit_first_write, run)
        result = self._go_on(run, pending, clearance, control, permit)
        if result.resumable and result.error_code == PermissionWithheld.code:
            return self._give_up(run, pending, result.run.error or "The first write was not permitted.")
        return self._after(run, result, control)

    def _resume_touched(self, run: Run, pending: PendingRun, control: Control) -> Run:
        """Cut off with the medium half done: go on as soon as the medium is there and no hold stands, however long it takes.

        Expiry, the hour and the lease have had their say before the first write; stopping now would leave the medium
        half done. But what is not destroyed yet can still be under a hold, so without a clear answer nothing more is
        written.
        """
        order = self._order(run).order
        permit = functools.partial(self._permit_going_on, run)
        try:
            self.judge.permit_writing()
            self._ask_holds(self.runs.current(run).lease)
            clearance = self._clearance(order, run.lease.path_hint, pending)
        except (OrderRefused, sanitizer.Refused) as error:
            raise NotYet(error.code, error.summarize()) from error
        return self._after(run, self._go_on(run, pending, clearance, control, permit), control)

    def _permit_going_on(self, run: Run) -> None:
        try:
            self.judge.permit_writing()
            self._ask_holds(self.runs.current(run).lease)
        except AgentError as error:
            raise PermissionWithheld(reason=f"{error.code}: {error.summarize()}"[:500]) from error

    def _go_on(
        self, run: Run, pending: PendingRun, clearance: Clearance, control: Control, permit: Callable[[], None]
    ) -> RunResult:
        self._note_build(run)
        try:
            with self._reporter(run, control, clearance) as reporter:
                return self.engine.resume(
                    pending,
                    clearance,
                    progress=reporter.tell,
                    stop=control.stop,
                    before_first_write=permit,
                    escrow=self._custody.keeper(run, self._order(run)),
                )
        except sanitizer.SanitizerError as error:  # locked, or damaged since it was looked at: looked at again
            raise NotYet(error.code, error.summarize()) from error

    def _after(self, run: Run, result: RunResult, control: Control) -> Run:
        if result.state == "refused" and result.error_code in _HOST_TROUBLE:
            raise NotYet(result.error_code or "", result.run.error or "")
        if not result.resumable:
            return self._end(run, result)
        pending = self._pending(run)
        if control.cancelled and pending is not None:
            return self._give_up(run, pending, control.why)
        raise NotYet(result.error_code or "interrupted", result.run.error or "The run was cut off.")

    def _give_up(self, run: Run, pending: PendingRun, reason: str) -> Run:
        """End it for good, with a record that says so."""
        try:
            return self._end(run, self.engine.abandon(pending, reason[:500]))
        except sanitizer.SanitizerError as error:
            raise NotYet(error.code, error.summarize()) from error

    def _end(self, run: Run, result: RunResult) -> Run:
        return self.runs.move(run, Event.END, result=result.to_dict())

    # --- ended, recorded, refused ---------------------------------------------------------------------------------

    def _record(self, run: Run, _: Control) -> Run:
        if run.result is None:
            return self._lose(run, "Its result is missing.")
        result = RunResult.from_dict(run.result)
        approved = self._order(run)
        envelope = self.outbox.find(run.run_id)
        if envelope is None:
            try:
                envelope = self._signed(run, result, approved)
            except NothingToRecord:
                return self._lose(run, "Its result names no medium.")
        with self.runs.newest_lease(run) as lease:
            self.outbox.store(run.run_id, envelope, approved.envelope_sha256, lease.id, lease.token)
            return self.runs.move(run, Event.STORE)

    def _signed(self, run: Run, result: RunResult, approved: ApprovedOrder) -> dict[str, object]:
        record = recording.make_record(
            result,
            approved,
            self.host,
            sequence=self.sequence.assign(run.run_id),
            previous=self.outbox.previous(approved.order.device),
            tool=host.tool(),
            capacity_note=host.capacity_note(result),
            self_tests=run.self_tests,
            by_hand=holds.permits_of(self.service, run.order_sha256),
        )
        return sign("sanitization-record", record.to_dict(), self.signer)

    def _lose(self, run: Run, why: str) -> Run:
        lost = JournalLost(f"Run {run.run_id}: {why}")
        return self._refuse(run, lost.code, lost.explain())

    def _forget(self, run: Run, _: Control) -> Run:
        try:
            self._custody.release(run)
        except Retry as error:
            raise NotYet(error.code, error.summarize(), error.after) from error
        try:
            self.engine.discard_journal(self.journals, run.run_id)
        except sanitizer.Refused as error:
            raise NotYet(error.code, error.summarize()) from error
        self.sequence.release(run.run_id)
        return self.runs.move(run, Event.FORGET)

    def _tell(self, run: Run, _: Control) -> Run:
        lost = run.reason_code == JournalLost.code
        state: Literal["interrupted", "refused"] = "interrupted" if lost else "refused"
        lease = self.runs.current(run).lease
        try:
            self.service.progress(lease.id, message_without_figures(lease, state, run.reason_code, run.reason))
        except Retry as error:
            raise NotYet(error.code, error.summarize(), error.after) from error
        except Rejected as error:
            log.warning("the refusal of order %s was not wanted: %s", run.order_sha256[:16], error.summarize())
        return self.runs.move(run, Event.FORGET)

    # --- waiting --------------------------------------------------------------------------------------------------

    def tell_waiting(self, run: Run, why: NotYet, control: Control) -> None:
        """Let the service know that a begun run waits, and why; people may end it there. Failures cost only that."""
        lease = self.runs.current(run).lease
        try:
            reply = self.service.progress(
                lease.id, message_without_figures(lease, "interrupted", why.reason_code, why.detail)
            )
        except (Retry, Rejected) as error:
            log.info("could not tell that run %s waits: %s", run.run_id, error.summarize())
            return
        if reply.stop_requested:
            control.cancel()

    # --- parts ----------------------------------------------------------------------------------------------------

    @property
    def _custody(self) -> Custody:
        return Custody(self.service, self.runs)

    def _note_build(self, run: Run) -> None:
        """The record names every build that took part, and what it found on planted faults. Raises `NotYet`, `OSError`."""
        try:
            self.runs.note_self_test(run, self.judge.self_tests.require())
        except HostNotReady as error:
            raise NotYet(error.code, error.summarize()) from error

    def _pending(self, run: Run) -> PendingRun | None:
        found = [pending for pending in self.engine.pending_runs(self.journals) if pending.run_id == run.run_id]
        return found[0] if found else None

    def _order(self, run: Run) -> ApprovedOrder:
        """The order a begun run obeys: it was checked before the first write, and our own file has kept it since."""
        return orders.reread(run.lease.order.model_dump(), [one.model_dump() for one in run.lease.approvals])

    def _reporter(self, run: Run, control: Control, clearance: Clearance) -> Reporter:
        def lease() -> Lease:
            return self.runs.current(run).lease

        look = look_at(clearance, self.limits.hopeless, self.judge.watch.clock.monotonic)
        return Reporter(self.service, lease, control, self.limits.progress_interval, look=look)
