"""One stretch of one run: open, identify, clear, mark, execute, settle, verify, identify again, close.

What every kind of work has in common; `overwriting.py` and `firmware.py` say what is done in between. Exceptions travel
up to here and no further. What must be true after a crash on any line is in the journal before the line after it is
executed.
"""

from __future__ import annotations

import contextlib
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from .clearance import Clearance
from .content import Source, calibrate, commitment, source_of, stream_key
from .crew import Crew
from .errors import (
    ByteRange,
    DeviceGone,
    DeviceMissing,
    IdentityChanged,
    Interrupted,
    JournalDamaged,
    JournalFailed,
    JournalUnusable,
    SanitizerError,
    Touched,
)
from .health import Moment, look
from .hooks import Hooks, ask, stamp
from .identity import same_device
from .journal import Journal
from .markers import MarkerFindings
from .medium import Medium
from .overwrite import PassState, PassWriter
from .patterns import Content
from .readback import Verifier, holds
from .recovery import Recovered, clock_kept, segments_of
from .results import (
    Course,
    Work,
    ended_by,
    gravest,
    not_verified,
    pass_facts,
    result,
    stopped_short,
    verification_facts,
)
from .run import DeviceFacts, PassFacts, RunEvent, RunResult, RunState, VerificationFacts, advance
from .sampling import Selection, spread_over
from .settings import Settings
from .system import System
from .telling import Teller
from .transport.base import OpenDevice
from .transport.memory import AlignedBuffer

__all__ = ["Hooks", "Stretch", "stamp"]


class Stretch(ABC):
    """One stretch of one run: fresh, or resumed from what its journal says."""

    def __init__(
        self,
        system: System,
        settings: Settings,
        clearance: Clearance,
        journal: Journal,
        sample_seed: str,
        hooks: Hooks,
        threads: int,
        before: Recovered | None = None,
    ) -> None:
        self._system = system
        self._settings = settings
        self._clearance = clearance
        self._journal = journal
        self._seed = sample_seed
        self._hooks = hooks
        self._threads = threads
        self._before = before
        self._request = clearance.plan.request
        self._size = clearance.identity.capacity_bytes
        self._state = RunState.PLANNED
        self._touched: Touched = before.touched if before else "no"
        self._passes: list[PassFacts] = list(before.passes) if before else []
        self._markers = MarkerFindings(*before.marked) if before and before.marked else None
        self._verification: VerificationFacts | None = None
        self._identity_after: str | None = None
        self._device: OpenDevice | None = None
        self._started = before.started if before else stamp(system.now())
        self._synchronized = before.clock_synchronized if before else system.clock_synchronized()
        self._segment_begun = False
        self._vanished = False
        self._hidden_after = "unknown"
        self._health = before.health_before if before else ()
        self._teller = Teller(journal.run_id, hooks.progress, system.monotonic, settings.progress_seconds)

    # --- the course ---

    def go(self) -> RunResult:
        """Do all of it; returns how it ended."""
        error: SanitizerError | None = None
        try:
            self._prepare()
            self._open()
            self._work()
            self._identify_again()
            self._read_health("after")
            error = self._finding()
        except SanitizerError as caught:
            self._vanished = isinstance(caught, DeviceGone)
            error = self._tidied(caught)
            if self._may_be_asked(error):
                with contextlib.suppress(SanitizerError):
                    self._read_health("after")
        finally:
            if self._device is not None:
                self._device.close()
        return self._conclude(error)

    def _prepare(self) -> None:
        """Keys, contents, self-test: everything that can fail without a device."""
        fingerprint = self._clearance.identity.fingerprint
        master = self._journal.master_key()
        self._key = stream_key(master, fingerprint)
        if self._before is None:
            try:
                self._note("begun", **self._beginning())
                self._begin_segment()
            except JournalFailed as error:
                raise JournalUnusable(operation=error.operation, reason=error.reason) from error
        elif self._before.key_sha256 != commitment(self._key):
            raise JournalDamaged(run_id=self._journal.run_id, line=0, reason="master.key is another run's")
        scratch = AlignedBuffer(1 << 20)
        self._through_gcm = calibrate(self._system.monotonic, scratch.view)
        self._prepare_work(master)

    @abstractmethod
    def _prepare_work(self, master: bytes) -> None:
        """What is written and what is read back, from the run's master key."""

    @abstractmethod
    def _work(self) -> None:
        """Everything from the first write to the last read."""

    @abstractmethod
    def _expected(self) -> str:
        """Label of what the read-back looks for."""

    def _finding(self) -> SanitizerError | None:
        """What keeps a run that went through to its end from being a success."""
        return gravest(tuple(self._passes), self._markers, self._verification or self._unverified())

    def _beginning(self) -> dict[str, Any]:
        device = self._clearance.inspection.device_facts()
        return {
            "schema": 1,
            "run_id": self._journal.run_id,
            "path": self._clearance.path,
            "device": dataclasses.asdict(device) if device else None,
            "plan": self._request.to_dict(),
            "sample_seed": self._seed,
            "key_sha256": commitment(self._key),
            "clock_synchronized": self._synchronized,
        }

    def _open(self) -> None:
        """Claim the device, prove the clearance on the open descriptor, ask, and prove it again: asking takes time."""
        self._stop_here()
        identity = self._clearance.identity
        self._device = self._system.claim(self._clearance.path)
        self._prove()
        self._medium = Medium(
            device=self._device,
            size_bytes=self._size,
            floor_bytes=max(identity.logical_block_bytes, identity.physical_block_bytes),
            logical_bytes=identity.logical_block_bytes,
            settings=self._settings,
            clock=self._system.monotonic,
            empty_is_gone=not self._clearance.plan.by_drive,
        )
        self._teller.errors = lambda: self._medium.errors
        if self._before is not None:
            self._begin_segment()
        self._move(RunEvent.CLEAR)
        if self._touched == "no" and not self._health:
            self._read_health("before")
        if self._hooks.before_first_write is not None:
            ask(self._hooks.before_first_write)
            self._prove()
        self._stop_here()
        self._crew = Crew(
            f"sanitize-{self._journal.run_id}",
            self._threads,
            self._hooks.stop,
            self._teller.tick,
            self._settings.tick_seconds,
        )

    def _prove(self) -> None:
        """The clearance holds for the descriptor that is written to. Raises `Refused`."""
        self._clearance.prove(self._system.inspect_open(self._held))

    @property
    def _held(self) -> OpenDevice:
        """The one descriptor of this stretch."""
        if self._device is None:
            raise RuntimeError("there is no open device")
        return self._device

    def _first_write(self) -> None:
        """Before this line is durable nothing is written; after it the medium may have been changed."""
        self._move(RunEvent.FIRST_WRITE)
        self._note("first-write")
        if self._touched == "no":
            self._touched = "maybe"
        self._medium.drop_cache()

    def _write_pass(self, number: int, content: Content, regions: Sequence[ByteRange] | None = None) -> None:
        """One pass over the medium, or over parts of it: begun, or gone on with where the journal says."""
        regions = regions or ((0, self._size),)
        source = source_of(content, self._key, number, through_gcm=self._through_gcm)
        state = PassState(number=number)
        if self._before and self._before.current and self._before.current.number == number:
            state = self._continued(self._before.current, source, regions)
        self._medium.renew_budget()
        self._note("pass", number=number, label=content.label)
        noted = _Noted()
        writer = PassWriter(self._medium, source, state, self._crew, lambda s: self._checkpoint(s, noted), regions)
        if state.durable_bytes:
            self._checkpoint(state, noted)
        self._teller.pass_number = number
        self._teller.done = lambda: writer.done_bytes
        self._teller.meter.begin_pass(number)
        self._teller.now()
        self._touched = "yes"
        try:
            writer.run()
        except SanitizerError:
            self._passes.append(self._facts(state, content, regions))
            raise
        if not state.finished:
            self._passes.append(self._facts(state, content, regions))
            raise Interrupted(pass_number=number, durable_bytes=state.durable_bytes)
        facts = self._facts(state, content, regions)
        self._note("pass-done", facts=dataclasses.asdict(facts))
        self._passes.append(facts)

    def _facts(self, state: PassState, content: Content, regions: Sequence[ByteRange]) -> PassFacts:
        return pass_facts(state, content, commitment(self._key), regions)

    def _continued(self, state: PassState, source: Source, regions: Sequence[ByteRange]) -> PassState:
        """The pass goes on where its journal says, if a sample of what lies before that place still holds.

        While nobody looked, the medium may have been elsewhere, or its cache may have lost what it had confirmed; then
        the pass begins again.
        """
        length = self._medium.floor_bytes
        below = [(start, min(end, state.durable_bytes)) for start, end in regions if start < state.durable_bytes]
        sound = self._samples(below, state.failed.result())
        if state.durable_bytes >= length:
            self._medium.drop_cache()
            if holds(self._medium, source, sound, length, lambda: not self._hooks.stop.is_set()):
                return state
        return PassState(number=state.number)

    def _samples(self, regions: Sequence[ByteRange], without: Sequence[ByteRange]) -> tuple[int, ...]:
        length, count = self._medium.floor_bytes, self._settings.resume_samples
        offsets = spread_over(regions, length, count, self._seed)
        return tuple(o for o in offsets if not any(s < o + length and o < e for s, e in without))

    def _checkpoint(self, state: PassState, noted: _Noted) -> None:
        failed = state.failed.result()
        fields: dict[str, Any] = {
            "pass": state.number,
            "durable_bytes": state.durable_bytes,
            "failed_writes": state.failed_writes,
        }
        if failed != noted.failed:
            fields["failed"] = failed
            noted.failed = failed
        self._medium.check()
        self._note("checkpoint", **fields)

    def _read_back(self, verifier: Verifier, selection: Selection, label: str) -> None:
        """Read the selection and put down what was found, also when it is cut short."""
        self._note(
            "verifying", selection=selection.kind, regions=len(selection.regions), regions_sha256=selection.sha256
        )
        self._medium.renew_budget()
        self._teller.done = lambda: verifier.done_bytes
        self._teller.errors = lambda: self._medium.errors + verifier.findings
        try:
            verifier.run()
        finally:
            self._verification = verification_facts(verifier, selection, label, direct=self._held.direct)
        if not verifier.found.completed:
            self._stop_here()

    def _identify_again(self) -> None:
        """The medium that was written to is the one that was cleared, or nobody can say what was overwritten."""
        try:
            seen = self._system.inspect_open(self._held)
            found, self._hidden_after = seen.identity, seen.hidden_capacity
        except (DeviceGone, DeviceMissing) as gone:
            raise DeviceGone(operation="identify it again", errno=None, touched=self._touched) from gone
        except SanitizerError:
            found = None
        self._identity_after = found.fingerprint if found else None
        if not same_device(self._clearance.identity, found):
            raise IdentityChanged(expected=self._clearance.identity.fingerprint, found=self._identity_after)

    def _read_health(self, moment: Moment) -> None:
        """The drive's own account of itself, put down as it came; it has no say in how a run ends."""
        found = look(self._held, self._clearance.inspection, moment, stamp(self._system.now()))
        if found is not None:
            self._health = (*self._health, found)
            self._note("health", reading=dataclasses.asdict(found))

    def _may_be_asked(self, error: SanitizerError) -> bool:
        """Whether the drive of a run that went wrong can be asked: it is there, and no command of its own is under way."""
        at_rest = not self._clearance.plan.by_drive or self._state is RunState.VERIFYING
        going_on = stopped_short(error, resumed=self._before is not None)
        return at_rest and self._device is not None and self._touched != "no" and not self._vanished and not going_on

    # --- the end ---

    def _conclude(self, error: SanitizerError | None) -> RunResult:
        if error is not None:
            error.step = error.step or self._state.value
            error.fingerprint = error.fingerprint or self._clearance.identity.fingerprint
        end, event = self._end(error)
        self._state = end
        try:
            if self._segment_begun:
                self._note("segment-end", ended_by=ended_by(end))
            outcome = self._result(end, error)
            if end is not RunState.INTERRUPTED:
                self._note("ended", event=event.value, result=outcome.to_dict())
        except JournalFailed as failed:
            if end is RunState.REFUSED:
                outcome = self._result(end, error)  # nothing happened, so nothing is lost with the journal
            else:
                # A resumed run verifies again. What is not durable is not told as an end.
                failed.touched = self._touched
                self._state = RunState.INTERRUPTED
                outcome = self._result(RunState.INTERRUPTED, failed)
        self._teller.state = self._state
        self._teller.now()
        return outcome

    def _end(self, error: SanitizerError | None) -> tuple[RunState, RunEvent]:
        """End state and event, by the table. Before the first write every error is a refusal: nothing was started."""
        if error is None:
            event = RunEvent.PROVEN
        elif stopped_short(error, resumed=self._before is not None):
            event = RunEvent.INTERRUPT
        elif self._state in {RunState.PLANNED, RunState.CLEARED}:
            event = RunEvent.REFUSE
        elif self._vanished:
            event = RunEvent.INTERRUPT  # nobody knows what became of it; if the same medium returns, the run goes on
        else:
            event = RunEvent.FAIL
        if event is RunEvent.REFUSE and self._before is not None and self._touched != "no":
            event = RunEvent.INTERRUPT  # the run as a whole did start; it stays resumable
        return advance(self._state, event), event

    def _result(self, end: RunState, error: SanitizerError | None) -> RunResult:
        course = Course(
            run_id=self._journal.run_id,
            path=self._clearance.path,
            device=self._device_facts(),
            started=self._started,
            finished=stamp(self._system.now()),
            segments=segments_of(self._journal.entries),
            clock_synchronized=self._synchronized and clock_kept(self._journal.entries),
            identity_after=self._identity_after,
            touched=self._touched,
        )
        verification = self._verification or self._unverified()
        outcome = result(course, self._request, self._done(), tuple(self._passes), verification, end, error)
        return dataclasses.replace(outcome, remedy=self._remedy(error), health=self._health)

    def _device_facts(self) -> DeviceFacts | None:
        """The device in the record's words. One that is at work tells nothing of hidden blocks: then an earlier look counts.

        It was of the same capacity, or the run would not have gone on. Whoever says yes, at any time, is believed.
        """
        facts = self._clearance.inspection.device_facts()
        if facts is None:
            return None
        earlier = self._before.device.hidden_capacity if self._before and self._before.device else "unknown"
        told = (self._hidden_after, facts.hidden_capacity, earlier)
        hidden = "yes" if "yes" in told else next((word for word in told if word != "unknown"), "unknown")
        return dataclasses.replace(facts, hidden_capacity=hidden)

    def _tidied(self, error: SanitizerError) -> SanitizerError:
        """The error a run ends with, after what has to be put right while the device is still open."""
        return error

    def _remedy(self, error: SanitizerError | None) -> str | None:
        """What a person can do about the end."""
        return error.remedy if error else None

    def _done(self) -> Work:
        """Steps and commands, for the result."""
        return Work()

    def _unverified(self) -> VerificationFacts:
        return not_verified(self._expected())

    # --- small helpers ---

    def _move(self, event: RunEvent) -> None:
        self._state = advance(self._state, event)
        self._teller.state = self._state
        self._teller.now()

    def _note(self, kind: str, **fields: object) -> None:
        moment = {"t": stamp(self._system.now()), "m": int(self._system.monotonic() * 1000)}
        self._journal.append(kind, {**moment, "state": self._state.value, **fields})

    def _begin_segment(self) -> None:
        inspection = self._clearance.inspection
        self._note("segment", boot_id=self._system.boot_id(), disk_sequence=inspection.disk_sequence)
        self._segment_begun = True

    def _stop_here(self) -> None:
        if self._hooks.stop.is_set():
            done = self._passes[-1] if self._passes else None
            raise Interrupted(
                pass_number=done.number if done else 0,
                durable_bytes=done.bytes_written if done else 0,
                touched=self._touched,
            )


@dataclasses.dataclass
class _Noted:
    """What the journal already knows of a pass's failed extents."""

    failed: tuple[ByteRange, ...] = ()
