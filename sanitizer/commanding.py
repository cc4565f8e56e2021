"""One step of the drive's own sanitization: sent under a proven clearance, waited for, and put down durably at every turn.

A crash, a lost answer and a bus reset all look the same from here: a command may be under way. Then the journal and the
drive's own status decide, and in doubt the command is sent again, never believed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from .capability import Capabilities, SanitizePhase, SanitizeStanding, Tri
from .command_log import StepLog, Verdict, digest_of, newest_steps, outstanding_password, password_id, sent_times, told
from .errors import (
    DeviceGone,
    EscrowNotConfirmed,
    Interrupted,
    JournalFailed,
    LockedByUs,
    NoTechnique,
    Refused,
    SanitizeInProgress,
    SanitizerError,
    TechniqueFailed,
    TransportError,
    UnansweredDestructiveCommand,
)
from .hooks import stamp
from .run import RunEvent
from .settling import FAILED, Ending, Settling
from .stretch import Stretch
from .techniques.base import Escrow, Hands, Sent, Technique

ATTEMPTS = 2
"""How often a command is sent in one stretch when no answer comes and the drive knows of none."""
_FAILURE_MODE = (
    "The drive is in its failure mode and takes nothing but another sanitize operation: plan one of its sanitize "
    "techniques again, or destroy it. Never leave that mode by another way: data may come back."
)


class Commanding(Stretch):
    """What a stretch needs to carry out the steps of a plan by the drive's own commands."""

    _capabilities: Capabilities | None = None
    """As read at the last proof."""
    _under_way: Callable[[], int | None] | None = None
    """Seconds left of what the drive is doing now; None while it does nothing."""
    _failure_mode = False
    _still: tuple[str, int] | None = None
    """Progress of a technique that was found to stand still for good."""

    @abstractmethod
    def _technique(self, index: int) -> Technique:
        """The technique of one step."""

    # --- permission ---

    def _prove(self) -> None:
        """Also on the way to settle what this run has under way; what is sent is proven without that leave."""
        self._proof(settling=self._own_work())

    def _proof(self, *, settling: bool) -> None:
        found = self._system.inspect_open(self._held)
        self._capabilities = found.capabilities
        self._clearance.prove(found, settling=settling)

    def _own_work(self) -> bool:
        return self._before is not None and self._before.own_work

    def _known_capabilities(self) -> Capabilities:
        if self._capabilities is None:
            raise NoTechnique(reasons=("the device has no command interface that could be asked",))
        return self._capabilities

    def _require_fit(self, index: int) -> None:
        """Hold the technique against the drive as it is now. Raises `NoTechnique`."""
        technique = self._technique(index)
        reasons = technique.refusals(self._known_capabilities(), self._clearance.plan.parameters)
        if reasons:
            raise NoTechnique(reasons=tuple(f"{technique.name}: {reason}" for reason in reasons))

    def _standing(self, technique: Technique) -> SanitizeStanding:
        """Where the drive says it stands, before a command; a lost answer or two, as after a bus reset, are put up with."""
        for _ in range(ATTEMPTS):
            try:
                return technique.standing(self._held.ports())
            except DeviceGone:
                raise
            except TransportError:
                self._pause(self._settings.poll_seconds)
        return technique.standing(self._held.ports())

    def _left_over(self, technique: Technique, standing: SanitizeStanding) -> bool:
        """Whether the progress that is told is what a power cut left: that of a format that does not go on and never ends.

        Some drives go on telling of it until they are formatted anew (NVM Command Set, FPI). It must stand still for as long
        as is waited for anything; a drive that is at work after all refuses another format.

        Raises:
            Interrupted: a stop was asked for.
        """
        if technique.resumes or standing.phase is not SanitizePhase.IN_PROGRESS or standing.progress is None:
            return False
        if self._still == (technique.name, standing.progress):
            return True
        until = self._system.monotonic() + self._settings.stall_seconds
        while self._system.monotonic() < until:
            if not self._pause(self._settings.most_poll_seconds):
                raise Interrupted(pass_number=0, durable_bytes=0, touched=self._touched)
            now = self._standing(technique)
            if (now.phase, now.progress) != (standing.phase, standing.progress):
                return False
        self._still = technique.name, standing.progress
        return True

    # --- one step ---

    def _carry_out(self, index: int, *, recovery: bool = False) -> None:
        """One step to its good end; begins in EXECUTING and ends in SETTLING.

        Raises:
            TechniqueFailed: the drive refused, or says that it failed.
            TechniqueStalled, UnansweredDestructiveCommand: no end came.
            Interrupted: a stop was asked for; the drive goes on by itself.
        """
        technique = self._technique(index)
        log = newest_steps(self._journal.entries).get(-1 if recovery else index)
        if log is not None and log.verdict == "done":
            self._move(RunEvent.WRITTEN)
            self._put_back(index, technique)
            return
        if log is not None and log.verdict is None and log.sending:
            if self._ended_by_itself(index, technique, log):
                self._put_back(index, technique)
                return
            self._move(RunEvent.NEXT_STEP)
        for _ in range(ATTEMPTS):
            self._stop_here()
            log = self._send(index, technique, recovery=recovery)
            self._move(RunEvent.WRITTEN)
            ending = self._settle(index, technique, log)
            verdict = _verdict(technique, log, ending)
            self._put_down(index, technique, ending, verdict)
            if verdict == "done":
                self._put_back(index, technique)
                return
            self._move(RunEvent.NEXT_STEP)
        raise UnansweredDestructiveCommand(
            command=technique.name, reason="no answer came, and the drive's status shows nothing of the command"
        )

    def _ended_by_itself(self, index: int, technique: Technique, log: StepLog) -> bool:
        """After a crash: whether what was under way has come to a good end. False: it must be sent again."""
        if technique.blocking and log.accepted != "yes":
            self._put_back(index, technique)  # a power cut leaves a drive with a password locked by it
        self._move(RunEvent.WRITTEN)
        standing = self._standing(technique)
        if self._left_over(technique, standing):
            self._put_down(index, technique, Ending(standing=standing, seen_working=False), "again")
            return False
        ending = self._settle(index, technique, log)
        gone_on = technique.resumes or ending.seen_working or (technique.blocking and log.accepted == "yes")
        verdict = _verdict(technique, log, ending) if gone_on else "again"
        self._put_down(index, technique, ending, verdict)
        return verdict == "done"

    def _send(self, index: int, technique: Technique, *, recovery: bool) -> StepLog:
        """Send it. What may have been sent is in the journal before it goes out. Raises `Refused` when nothing may be."""
        self._proof(settling=False)
        self._require_fit(index)
        capabilities, parameters = self._known_capabilities(), self._clearance.plan.parameters
        standing = self._standing(technique)
        if standing.phase is SanitizePhase.IN_PROGRESS and not self._left_over(technique, standing):
            raise SanitizeInProgress(progress=standing.progress)
        reach = technique.reach(capabilities, self._clearance.inspection.media, parameters)
        self._note(
            "step",
            step=index,
            technique=technique.name,
            recovery=recovery,
            before=standing.raw.hex(),
            phase=standing.phase.value,
            setting=reach.setting,
            aftermath=technique.aftermath(capabilities, parameters),
        )
        begun, first = stamp(self._system.now()), len(self._journal.entries)
        try:
            sent = self._answers(index, technique)
        except (JournalFailed, DeviceGone):
            raise
        except Refused:
            self._note("command-withheld", step=index)
            raise
        except TransportError as error:
            log = newest_steps(self._journal.entries)[-1 if recovery else index]
            if not log.sending:
                raise
            self._note("command-lost", step=index, error=error.code)
            return log
        intents = [each for each in self._journal.entries[first:] if each["kind"] == "command-sending"]
        accepted = sent[-1].accepted if sent else "no"
        if any(each.accepted == "yes" for each in sent):
            self._touched = "yes"
        times = sent_times(sent, intents, begun, stamp(self._system.now()))
        self._note("command-answered", step=index, accepted=accepted, commands=told(sent, times))
        if accepted == "no":
            raise self._failed(technique, "it was refused" + _raw(sent))
        return newest_steps(self._journal.entries)[-1 if recovery else index]

    def _answers(self, index: int, technique: Technique) -> tuple[Sent, ...]:
        """Start it in a thread, because some commands answer when all is done, and progress is told meanwhile."""
        answers: list[tuple[Sent, ...]] = []
        estimate, begun = self._estimate(technique), self._system.monotonic()
        if technique.blocking:
            self._under_way = lambda: _left(estimate, self._system.monotonic() - begun)
        try:
            self._crew.run(lambda _: answers.append(technique.start(self._hands(index))), threads=1)
        finally:
            self._under_way = None
        return answers[0]

    def _hands(self, index: int) -> Hands:
        def note(kind: str, fields: dict[str, object]) -> None:
            self._note(kind, step=index, **fields)

        return Hands(
            ports=self._held.ports(),
            capabilities=self._known_capabilities(),
            parameters=self._clearance.plan.parameters,
            capacity_bytes=self._size,
            escrow=self._escrow,
            prove=lambda: self._proof(settling=False),
            note=note,
            secret=outstanding_password(self._journal.entries) or self._hooks.secret,
        )

    def _escrow(self, escrow: Escrow) -> None:
        """Have the password kept elsewhere; until somebody confirms it nothing is sent. Raises `EscrowNotConfirmed`."""
        if self._hooks.escrow is None:
            raise EscrowNotConfirmed(kind=escrow.kind, reason="nobody was named to keep it")
        try:
            self._hooks.escrow(escrow)
        except Refused:
            raise
        except Exception as error:
            raise EscrowNotConfirmed(kind=escrow.kind, reason=f"{type(error).__name__}: {error}") from error
        self._note("escrowed", what=escrow.kind, sha256=digest_of(escrow.secret))

    # --- its end ---

    def _settle(self, index: int, technique: Technique, log: StepLog) -> Ending:
        """Wait for an end. Raises what `Settling.run` does, `Interrupted`, and `TechniqueFailed` by the drive's own word."""
        ports = self._held.ports()
        if technique.blocking and log.accepted == "yes":
            ending: Ending | None = self._after_answer(technique)
        else:
            settling = Settling(
                technique.name,
                lambda: technique.standing(ports),
                estimate_seconds=self._estimate(technique),
                settings=self._settings,
                clock=self._system.monotonic,
                pause=self._pause,
            )
            self._under_way = lambda: settling.seconds_left
            try:
                ending = settling.run()
            finally:
                self._under_way = None
        if ending is None:
            raise Interrupted(pass_number=index + 1, durable_bytes=0, touched=self._touched)
        failed = _failure(technique, log, ending)
        if failed is not None:
            self._put_down(index, technique, ending, "failed")
            self._failure_mode = ending.standing.phase in FAILED and not technique.blocking
            raise self._failed(technique, failed)
        return ending

    def _after_answer(self, technique: Technique) -> Ending:
        """A command that answers when its work is over: its status is asked once more, and may be silent."""
        try:
            standing = technique.standing(self._held.ports())
        except DeviceGone:
            raise
        except TransportError:
            standing = SanitizeStanding(phase=SanitizePhase.UNKNOWN, progress=None, raw=b"")
        return Ending(standing=standing, seen_working=False)

    def _put_down(self, index: int, technique: Technique, ending: Ending, verdict: Verdict) -> None:
        """Make an end durable, and whether the drive is rid of a password."""
        if verdict == "done":
            self._touched = "yes"
        self._note(
            "command-settled",
            step=index,
            phase=ending.standing.phase.value,
            worked=ending.seen_working,
            after=ending.standing.raw.hex(),
            verdict=verdict,
        )
        if technique.blocking:
            self._note_release(index)

    def _estimate(self, technique: Technique) -> int | None:
        if self._capabilities is None:
            return None
        return technique.estimate_seconds(self._capabilities, self._size)

    def _pause(self, seconds: float) -> bool:
        """Wait, and tell progress meanwhile; False when a stop was asked for."""
        left = seconds
        while left > 0 and not self._hooks.stop.is_set():
            part = min(left, max(self._settings.progress_seconds, self._settings.tick_seconds))
            self._system.wait(self._hooks.stop, part)
            self._teller.tick()
            left -= part
        return not self._hooks.stop.is_set()

    # --- what is left behind ---

    def _failed(self, technique: Technique, reason: str) -> TechniqueFailed:
        return TechniqueFailed(technique=technique.name, reason=reason, touched=self._touched)

    def _put_back(self, index: int, technique: Technique) -> None:
        """Unlock a drive that has a password of ours. Raises `LockedByUs` when it stays locked."""
        password = outstanding_password(self._journal.entries)
        if password is None:
            return
        begun = stamp(self._system.now())
        try:
            sent = technique.recover(self._hands(index))
        except JournalFailed:
            raise
        except SanitizerError as error:
            raise self._locked() from error
        times = sent_times(sent, [], begun, stamp(self._system.now()))
        self._note("recovered", step=index, commands=told(sent, times))
        self._note_release(index)
        if outstanding_password(self._journal.entries) is not None:
            raise self._locked()

    def _note_release(self, index: int) -> None:
        """Put down that the drive has no password any more, when its own identify data say so."""
        if outstanding_password(self._journal.entries) is None:
            return
        try:
            found = self._system.inspect_open(self._held).capabilities
        except SanitizerError:
            return
        if found is not None and found.ata is not None and found.ata.security_enabled is Tri.NO:
            self._note("released", step=index)

    def _locked(self) -> LockedByUs:
        return LockedByUs(password_id=password_id(self._journal.entries), touched=self._touched)

    def _tidied(self, error: SanitizerError) -> SanitizerError:
        """The error a run ends with, once everything was done that puts the drive back into service."""
        password = outstanding_password(self._journal.entries)
        if password is None or isinstance(error, JournalFailed):
            return error
        index = max(newest_steps(self._journal.entries), default=0)
        try:
            self._put_back(max(0, index), self._technique(max(0, index)))
        except SanitizerError as worse:
            return worse
        return error

    def _remedy(self, error: SanitizerError | None) -> str | None:
        if isinstance(error, TechniqueFailed) and self._failure_mode:
            return _FAILURE_MODE
        return super()._remedy(error)


def _left(estimate: int | None, elapsed: float) -> int | None:
    return None if estimate is None else max(0, round(estimate - elapsed))


def _raw(sent: tuple[Sent, ...]) -> str:
    return f": {sent[-1].command} was answered with {sent[-1].answer.hex() or 'nothing'}" if sent else ""


def _evidence(log: StepLog, ending: Ending) -> bool:
    """Whether the end the drive tells is that of our command: it was answered, seen at work, or the status is a new one.

    A drive that only says that it is idle (SCSI) has no status that could be new, and its record would not show that it was
    seen at work: there only an answer counts.
    """
    if ending.standing.phase is SanitizePhase.IDLE:
        return log.accepted == "yes"
    return log.accepted == "yes" or ending.seen_working or ending.standing.raw != log.before


def _failure(technique: Technique, log: StepLog, ending: Ending) -> str | None:
    """What the drive says against itself; None where it says nothing of the kind, or of an earlier command only."""
    standing = ending.standing
    raw = f"; its status: {standing.raw.hex()[:128]}" if standing.raw else ""
    if standing.phase in FAILED and (technique.blocking or _evidence(log, ending)):
        return f"the drive reports that it failed ({standing.phase.value}){raw}"
    if standing.unsanitized_remainder:
        return f"the drive reports that physical sectors were left out{raw}"
    if standing.phase is SanitizePhase.FROZEN:
        return f"the drive reports that its sanitize commands are frozen{raw}"
    if standing.phase is SanitizePhase.NEVER and log.accepted == "yes" and not technique.blocking:
        return f"the drive accepted it and reports that it never ran one{raw}"
    return None


def _verdict(technique: Technique, log: StepLog, ending: Ending) -> Verdict:
    """Whether a step is done as far as the drive says. That it was done at all is for the canaries to show."""
    if technique.blocking:
        return "done" if log.accepted == "yes" else "again"
    return "done" if _evidence(log, ending) else "again"
