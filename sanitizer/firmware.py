"""A run with the drive's own commands: canaries, one command after the other, and the proof that no canary is left.

The drive is asked to do the work and is not asked whether it did: the blocks are. A drive that stands in failure mode takes
no canaries, so its planned sanitize command is first applied without them, to bring it out; then everything is done anew.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from .canaries import CANARY_PASS, Absence, Standing, standing_of, where
from .capability import Capabilities, SanitizePhase
from .command_log import commands_of, newest_steps
from .commanding import Commanding
from .content import KeyedSource
from .errors import (
    CapacityChanged,
    EscrowNotConfirmed,
    IdentityChanged,
    Inconclusive,
    Interrupted,
    NoTechnique,
    Refused,
    Residual,
    SanitizeInProgress,
    SanitizerError,
    StaleSuccess,
)
from .markers import MarkerFindings
from .meter import Meter
from .patterns import Keyed
from .planning import HOST, PASSWORD
from .readback import Verifier, holds
from .results import Work
from .run import RunEvent, RunState
from .settling import FAILED
from .techniques.base import Technique

_STARTED = frozenset({RunState.MARKING, RunState.EXECUTING, RunState.SETTLING})


class CommandStretch(Commanding):
    """One stretch of a run with the drive's own commands."""

    _absence: Absence | None = None

    def _beginning(self) -> dict[str, Any]:
        return {**super()._beginning(), "steps": list(self._clearance.plan.steps)}

    def _prepare_work(self, master: bytes) -> None:  # noqa: ARG002 - what is written follows from the stream's key alone
        steps = self._clearance.plan.steps
        self._whole = steps[0] == HOST
        self._techniques = tuple(self._system.technique(step) for step in steps if step != HOST)
        block = self._clearance.identity.logical_block_bytes
        self._selection = where(self._request.verification, self._size, block, self._seed, whole=self._whole)
        self._source = KeyedSource(self._key, CANARY_PASS, through_gcm=self._through_gcm)
        self._unreadable_canaries = self._before.unreadable_canaries if self._before else 0
        count = self._selection.total_bytes
        self._teller.meter = Meter(pass_bytes=count, passes=1, verify_bytes=2 * count)
        self._teller.passes = 1
        self._teller.pass_number = 1
        self._teller.left = self._seconds_left

    def _technique(self, index: int) -> Technique:
        return self._techniques[index]

    # --- the course ---

    def _work(self) -> None:
        if not self._own_work():
            self._require_startable()
        self._first_write()
        if not self._canaries_stand():
            if self._in_failure_mode():
                self._lead_out()
            self._mark()
        self._move(RunEvent.MARKED)
        self._rest()
        for index in range(len(self._techniques)):
            if index:
                self._move(RunEvent.NEXT_STEP)
            self._carry_out(index)
        self._await_capacity()
        self._note("settled")
        self._move(RunEvent.SETTLED)
        self._verify()

    def _require_startable(self) -> None:
        """Everything that can be known before the medium is touched. Raises `Refused`."""
        if self._hooks.escrow is None and any(each.name in PASSWORD for each in self._techniques):
            raise EscrowNotConfirmed(kind="ata-user-password", reason="nobody was named to keep it")
        reverts = [each.name for each in self._techniques if each.name.startswith("opal-")]
        if reverts and not self._hooks.secret:
            raise NoTechnique(reasons=tuple(f"{name}: the password or PSID it needs was not given" for name in reverts))
        for index in range(len(self._techniques)):
            self._require_fit(index)
        standing = self._standing(self._technique(0))
        if standing.phase is SanitizePhase.IN_PROGRESS and not self._left_over(self._technique(0), standing):
            raise SanitizeInProgress(progress=standing.progress)

    def _in_failure_mode(self) -> bool:
        """Whether a sanitize operation failed before, or one that we sent to lead out of that is not settled yet."""
        open_attempt = newest_steps(self._journal.entries).get(-1)
        if open_attempt is not None and open_attempt.verdict is None:
            return True
        first = self._technique(0)
        return not first.blocking and self._standing(first).phase in FAILED

    def _lead_out(self) -> None:
        """Apply the plan's own sanitize command once without canaries, which a drive in failure mode does not take."""
        self._move(RunEvent.MARKED)
        self._rest()
        self._carry_out(0, recovery=True)
        self._await_capacity()
        self._move(RunEvent.MARK_AGAIN)
        self._forget_canaries()

    def _forget_canaries(self) -> None:
        self._markers, self._passes = None, []
        if self._before is not None:
            self._before = dataclasses.replace(self._before, current=None)

    def _rest(self) -> None:
        """Nothing of ours is read or written while the drive works."""
        self._teller.meter.rest()
        self._teller.done = lambda: 0

    # --- canaries ---

    def _canaries_stand(self) -> bool:
        """Whether canaries were written and found, and are still there if no command was sent since."""
        if self._markers is None:
            return False
        if self._before is None or newest_steps(self._journal.entries):
            return True
        sound = self._samples(self._selection.regions, self._passes[0].unwritten if self._passes else ())
        self._medium.drop_cache()
        if holds(self._medium, self._source, sound, self._medium.floor_bytes, lambda: not self._hooks.stop.is_set()):
            return True
        self._forget_canaries()
        return False

    def _mark(self) -> None:
        if not self._passes:
            self._write_pass(CANARY_PASS, Keyed(), self._selection.regions)
        self._medium.check()
        self._medium.flush()
        self._teller.meter.begin_check(self._selection.total_bytes)
        verifier = Verifier(self._medium, self._source, self._selection, self._crew)
        self._medium.renew_budget()
        self._teller.done = lambda: verifier.done_bytes
        self._teller.now()
        verifier.run()
        self._teller.now()
        self._stop_here()
        if not verifier.found.completed:
            raise Inconclusive(reason="the canaries could not be read back before the first command")
        block = self._clearance.identity.logical_block_bytes
        self._found(standing_of(verifier, self._passes[0].unwritten, self._selection, block))

    def _found(self, found: Standing) -> None:
        self._note("marked", **dataclasses.asdict(found))
        self._markers = MarkerFindings(found.written, found.wrong, found.first_wrong)
        self._unreadable_canaries = found.unreadable

    # --- the end of the drive's work ---

    def _await_capacity(self) -> None:
        """A drive at work may show no capacity; one that shows another for good is not the one that was cleared.

        Raises:
            CapacityChanged: it does not come back to what it was.
        """
        until = self._system.monotonic() + self._settings.capacity_seconds
        while True:
            self._system.rescan(self._held)
            found = self._held.geometry().size_bytes
            if found == self._size:
                return
            if self._system.monotonic() >= until:
                raise CapacityChanged(expected_bytes=self._size, found_bytes=found)
            if not self._pause(self._settings.poll_seconds):
                raise Interrupted(pass_number=len(self._techniques), durable_bytes=0, touched=self._touched)

    def _identify_again(self) -> None:
        """The kernel remembers a drive's names for as long as it is attached; what the drive itself says now must agree too."""
        super()._identify_again()
        try:
            found = self._system.inspect_open(self._held).capabilities
        except SanitizerError:
            found = None
        before, now = _own_name(self._clearance.inspection.capabilities), _own_name(found)
        if before is not None and before != now:
            self._identity_after = None
            raise IdentityChanged(expected=self._clearance.identity.fingerprint, found=None)

    def _verify(self) -> None:
        last = newest_steps(self._journal.entries)[len(self._techniques) - 1]
        pattern = self._clearance.plan.parameters.pattern
        self._absence = Absence(self._source, last.aftermath, pattern)
        self._medium.drop_cache()
        self._absence.look(self._medium, self._selection.regions[0][0])
        self._teller.meter.begin_check(2 * self._selection.total_bytes)
        verifier = self._absence.verifier(self._medium, self._selection, self._crew)
        self._read_back(verifier, self._selection, self._absence.label)

    def _finding(self) -> SanitizerError | None:
        error = super()._finding()
        if isinstance(error, Residual) and self._looks_stale():
            name = self._techniques[-1].name
            return StaleSuccess(
                technique=name, reason="its status is the one of before, and the canaries are still there"
            )
        if error is None and self._unreadable_canaries:
            count = self._unreadable_canaries
            return Inconclusive(reason=f"{count} bytes of canaries could not be read back before the first command")
        return error

    def _looks_stale(self) -> bool:
        """Whether the drive tells of a success, was never seen at work, and its status is the one of before."""
        ends = [entry for entry in self._journal.entries if entry["kind"] == "command-settled"]
        last = newest_steps(self._journal.entries)[len(self._techniques) - 1]
        told = ends[-1]["phase"] == SanitizePhase.SUCCEEDED and not self._techniques[-1].blocking
        return bool(told) and not ends[-1]["worked"] and ends[-1]["after"] == last.before.hex()

    # --- the result ---

    def _expected(self) -> str:
        return self._absence.label if self._absence else "no-canary"

    def _done(self) -> Work:
        return Work(steps=self._clearance.plan.steps, commands=commands_of(self._journal.entries))

    def _end(self, error: SanitizerError | None) -> tuple[RunState, RunEvent]:
        """A refusal between the steps is no failure of the medium: what keeps the run from going on can be removed."""
        if isinstance(error, Refused) and self._state in _STARTED:
            return RunState.INTERRUPTED, RunEvent.INTERRUPT
        return super()._end(error)

    def _seconds_left(self, metered: int | None) -> int | None:
        """What is read and written by the meter, what the drive does by its own account; None where one says nothing."""
        if self._state is RunState.VERIFYING:
            return metered
        settled = newest_steps(self._journal.entries)
        working = self._under_way() if self._under_way is not None else 0
        begun = sum(1 for index, log in settled.items() if index >= 0 and log.verdict == "done")
        later = [self._estimate(each) for each in self._techniques[begun + (self._under_way is not None) :]]
        reading = metered
        if self._state in {RunState.EXECUTING, RunState.SETTLING}:
            reading = self._teller.meter.seconds_to_read(self._selection.total_bytes)
        parts = [working, reading, *later]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None


def _own_name(capabilities: Capabilities | None) -> bytes | None:
    """Serial number and model, in the drive's own identify data (ACS, IDENTIFY DEVICE; NVMe Base, Identify Controller)."""
    if capabilities is None:
        return None
    if capabilities.nvme is not None:
        return capabilities.nvme.controller[4:64]
    if capabilities.ata is not None:
        return capabilities.ata.identify[20:40] + capabilities.ata.identify[54:94]
    return None
