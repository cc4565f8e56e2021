"""The public functions, on this host's real devices."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from . import attending, engine, reverting
from .capability import SanitizeStanding
from .clearance import Clearance, Confirmation, clear
from .errors import JournalDamaged, RunUnknown, Touched
from .health import look
from .hooks import Hooks, stamp
from .inspection import Inspection
from .inspector import Inspector
from .journal import Journal, peek, remove_damaged, runs_in
from .lineage import PathResolution
from .patterns import pattern_set
from .planning import HOST, KEYS, PlanRequest, plan, plan_again
from .recovery import Recovered, recover
from .resolving import MemoryArea, Resolver
from .reverting import Recovery, RecoveryRequest
from .run import HealthReading, Progress, RunResult, VerificationFacts
from .settings import Settings
from .system import HostSystem
from .techniques.base import Escrow
from .verifying import of_pattern, of_run, verify_device


@dataclass(frozen=True, kw_only=True)
class PendingRun:
    """A run the journal folder knows: cut off, being run by a process, or ended and not yet discarded."""

    run_id: str
    journal_dir: Path
    path: str
    """Where the device was when the run began."""
    fingerprint: str | None
    """Of the medium the run is about; find the device by it."""
    plan_request: PlanRequest | None
    """None only for a damaged journal."""
    sample_seed: str
    state: str
    """interrupted when it can be resumed or given up; running while a process holds it; an end state when it ended; damaged."""
    pass_number: int
    passes: int
    durable_bytes: int
    """Position in that pass up to which everything is known to be on the medium or noted as failed."""
    started: str
    touched: Touched
    result: RunResult | None
    """The result of an ended run, kept until `discard_journal`."""
    error: str | None
    """What is wrong with the journal itself, where it is damaged."""
    steps: tuple[str, ...] = (HOST,)
    """Techniques in order, as they were chosen when the run began."""
    own_work: bool = False
    """Whether a command of this run may be under way in the drive, or may have left it out of service (`clear_again`)."""


def inspect(path: str | Path) -> Inspection:
    """Look at the block device at `path`, following symbolic links.

    Raises:
        NotBlockDevice: the path leads to something else.
        DeviceMissing: nothing is there.
    """
    return Inspector().inspect(path)


def list_devices() -> list[Inspection]:
    """Every whole block device of this host that is a medium or could be one, ordered by path; obstacles included."""
    return Inspector().list_devices()


def find_devices(fingerprint: str, place: str = "") -> list[Inspection]:
    """Look at every whole block device that shows this fingerprint, and read no other medium.

    More than one is possible, and then nobody can say which is meant. Where there is none, what is at `place` is looked at.
    """
    return Inspector().find_devices(fingerprint, place)


def health_of(path: str | Path) -> HealthReading | None:
    """How the drive at `path` is by its own account: SMART data, log pages, the health log; writes nothing, starts no test.

    Returns:
        None where there is no drive to ask, or somebody works on it.

    Raises:
        Refused: it cannot be opened.
        DeviceMissing: nothing is there.
        NotBlockDevice: the path leads to something else.
    """
    system, seen = HostSystem(), Inspector().inspect(path)
    device = system.open_reading(seen.path)
    try:
        return look(device, seen, "before", stamp(system.now()))
    finally:
        device.close()


def resolve_path(path: str | Path) -> PathResolution:
    """Find the media beneath a file or folder. Never raises for what it cannot follow: it names it."""
    return Resolver().path(path)


def resolve_path_of(pid: int, path: str) -> PathResolution:
    """Find the media beneath a file or folder as a running process sees it, also one in a container. Never raises."""
    return Resolver().path_of(pid, path)


def memory_areas() -> Sequence[MemoryArea]:
    """Find the media beneath swap areas and the folders of core and crash dumps. Never raises."""
    return Resolver().areas()


def sanitize(  # noqa: PLR0913 - the public way in, all by name
    clearance: Clearance,
    run_id: str,
    journal_dir: Path,
    *,
    sample_seed: str,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    before_first_write: Callable[[], None] | None = None,
    escrow: Callable[[Escrow], None] | None = None,
    secret: bytes = b"",
) -> RunResult:
    """Carry out the clearance's plan; blocks until the run has ended, in this thread.

    Every run ends in a `RunResult`, refusals and device trouble included; only misuse raises.

    Args:
        clearance: Consumed by this call, whatever happens.
        run_id: Names the run and its journal for ever; letters, digits and `._:@-`.
        journal_dir: Folder of journals on durable storage, made 0700 if missing.
        sample_seed: Seeds the choice of samples for representative verification (the order's nonce); not empty.
        progress: Called about once a second from this thread; an exception it raises ends the telling, not the run.
        stop: Set it (from a signal handler, another thread) to end the run cleanly as `interrupted` and resumable.
        before_first_write: Asked when the device is open and proven, right before the first write. Returning is yes;
            raising `PermissionWithheld`, or anything else, is no and ends the run as `refused`.
        escrow: Handed a password right before the drive is given it; returns once somebody else holds it for certain,
            raises otherwise, and then no password is set. Without it a plan that needs one is refused.
        secret: What a person read from the drive's label (a PSID). Never recorded.
    """
    hooks = Hooks(
        progress=progress,
        stop=stop or threading.Event(),
        before_first_write=before_first_write,
        escrow=escrow,
        secret=secret,
    )
    return engine.sanitize(HostSystem(), Settings(), clearance, run_id, journal_dir, sample_seed, hooks)


def pending_runs(journal_dir: Path) -> list[PendingRun]:
    """Every run the folder knows, oldest first; call it after a restart before anything else.

    A folder whose journal has no entry yet belongs to a run that never began; it is left out, and its identifier can be
    used again.
    """
    found = [each for each in (_pending(journal_dir, run_id) for run_id in runs_in(journal_dir)) if each is not None]
    return sorted(found, key=lambda pending: pending.started)


def _pending(journal_dir: Path, run_id: str) -> PendingRun | None:
    try:
        entries, held = peek(journal_dir, run_id)
        before = recover(entries)
    except JournalDamaged as damaged:
        return _damaged(journal_dir, run_id, damaged)
    if before is None:
        return None
    current = before.current
    return PendingRun(
        run_id=run_id,
        journal_dir=journal_dir,
        path=before.path,
        fingerprint=before.device.fingerprint if before.device else None,
        plan_request=before.request,
        sample_seed=before.sample_seed,
        state="running" if held and before.result is None else before.state.value,
        pass_number=current.number if current else len(before.passes),
        passes=_passes(before),
        durable_bytes=current.durable_bytes if current else 0,
        started=before.started,
        touched=before.touched,
        result=before.result,
        error=None,
        steps=before.steps,
        own_work=before.own_work,
    )


def _passes(before: Recovered) -> int:
    if before.by_drive:
        return 1
    if before.steps == (KEYS,):
        return 2
    known = pattern_set(before.request.pattern_set)
    return len(known.passes) if known else 0


def _damaged(journal_dir: Path, run_id: str, damaged: JournalDamaged) -> PendingRun:
    return PendingRun(
        run_id=run_id,
        journal_dir=journal_dir,
        path="",
        fingerprint=None,
        plan_request=None,
        sample_seed="",
        state="damaged",
        pass_number=0,
        passes=0,
        durable_bytes=0,
        started="",
        touched=damaged.touched,
        result=None,
        error=damaged.summarize(),
    )


def resume(
    pending: PendingRun,
    clearance: Clearance,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    before_first_write: Callable[[], None] | None = None,
    escrow: Callable[[Escrow], None] | None = None,
    secret: bytes = b"",
) -> RunResult:
    """Go on with an interrupted run on the same medium, from the last position known to be on it.

    Needs a new clearance for the same identity and the same plan (`clear_again`); a refusal leaves the run interrupted
    and resumable. `escrow` and `secret` as for `sanitize`.
    An ended run's result is returned as it stands, without using the clearance.

    Raises:
        Refused: another process works on the run, or there is no such run.
        JournalDamaged: nobody can say where the run stood; `discard_journal` and begin anew.
    """
    hooks = Hooks(
        progress=progress,
        stop=stop or threading.Event(),
        before_first_write=before_first_write,
        escrow=escrow,
        secret=secret,
    )
    return engine.resume(HostSystem(), Settings(), clearance, pending.run_id, pending.journal_dir, hooks)


def clear_again(pending: PendingRun, inspection: Inspection, confirmation: Confirmation, now: datetime) -> Clearance:
    """Leave to go on with an interrupted run, under the plan it was begun with.

    What the run itself has under way in the drive, or has left behind, does not stand against going on with it; whatever
    is sent to the drive anew is held against everything again.

    Raises:
        Refused: as `clear` and `plan`.
        ValueError: the run's journal names no plan.
    """
    if pending.plan_request is None:
        raise ValueError(f"run {pending.run_id} has no plan")
    if pending.steps == (HOST,):
        return clear(inspection, plan(pending.plan_request, inspection), confirmation, now)
    made = plan_again(pending.plan_request, inspection, pending.steps)
    return clear(inspection, made, confirmation, now, settling=pending.own_work)


def settle(
    path: str | Path,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> SanitizeStanding:
    """Wait for the sanitize operation that a drive has under way, whoever began it; writes nothing.

    Returns:
        Where the drive says it stands at the end. That proves nothing of the medium.

    Raises:
        Refused: the device cannot be opened, or it has no such status.
        TransportError: it vanished meanwhile.
        TechniqueStalled: it makes no progress any more.
        Interrupted: `stop` was set; the drive goes on by itself.
    """
    hooks = Hooks(progress=progress, stop=stop or threading.Event())
    return attending.settle(HostSystem(), Settings(), str(path), hooks)


def unlock(path: str | Path, secret: bytes) -> None:
    """Take away the ATA password that a run left on a drive; the medium is not changed.

    Args:
        path: The drive, attached directly.
        secret: The password as escrow holds it.

    Raises:
        Refused: the device cannot be claimed, or has no such security.
        TechniqueFailed: it does not take the password.
        LockedByUs: it took it and still has a password.
    """
    attending.unlock(HostSystem(), str(path), secret)


def recover_drive(
    path: str | Path,
    asked: RecoveryRequest,
    recovery_id: str,
    record_dir: Path,
    *,
    secret: bytes,
    stop: threading.Event | None = None,
) -> Recovery:
    """Bring back a drive that hides its medium behind TCG locking. Destroys what it holds, and claims nothing.

    Args:
        path: The drive.
        asked: What is asked for, and accepted.
        recovery_id: Names the recovery and its journal for ever; letters, digits and `._:@-`.
        record_dir: Folder of such journals on durable storage, made 0700 if missing. Not the folder of runs.
        secret: The number on the drive's label (PSID), or its owner's password. Never recorded.
        stop: Set it to stop waiting; the drive goes on by itself.

    Raises:
        Refused: nothing was sent: the drive hides nothing, is in use, or a neighbour of it is, or nobody accepted its loss.
        TechniqueFailed: the drive did not take it, or says that it failed.
        TransportError: no answer, and the drive does not tell either.
        Interrupted: `stop` was set.
        JournalFailed: what was sent is not known to be kept.
    """
    hooks = Hooks(stop=stop or threading.Event(), secret=secret)
    return reverting.recover_drive(HostSystem(), Settings(), str(path), asked, recovery_id, record_dir, hooks)


def abandon(pending: PendingRun, reason: str) -> RunResult:
    """End an interrupted run for good without its device: the result says interrupted and is no longer resumable.

    Raises:
        Refused: another process works on the run, or there is no such run.
        JournalDamaged: there is no run to speak of; `discard_journal` it.
    """
    return engine.abandon(HostSystem(), pending.run_id, pending.journal_dir, reason)


def discard_journal(journal_dir: Path, run_id: str) -> None:
    """Forget a run, the key of its stream included, once its record is safe. Unknown runs are forgotten already.

    Raises:
        RunLocked: a process is working on it.
    """
    try:
        Journal.reopen(journal_dir, run_id).remove()
    except RunUnknown:
        return
    except JournalDamaged:
        remove_damaged(journal_dir, run_id)


def verify(
    inspection: Inspection,
    pattern: str,
    verification: str,
    *,
    sample_seed: str,
    run: tuple[Path, str] | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> VerificationFacts:
    """Read a device back without writing and compare it with a constant: zeros, ones or fixed:HEX.

    Args:
        inspection: A fresh look at the device.
        pattern: Name of the constant; not used when `run` is given.
        verification: full or representative.
        sample_seed: Seeds the choice of samples.
        run: Journal folder and identifier of a run on this medium: compare with what it wrote last, keyed stream included.
        progress: As for `sanitize`.
        stop: As for `sanitize`.

    Raises:
        Refused: the device cannot be opened, its identity is unreadable or another one by now, or no such run is known.
        NoTechnique: the pattern is no constant, or the run wrote no whole pass.
        JournalDamaged: the run's key or journal cannot be read.
        TransportError: it vanished meanwhile.
        Interrupted: `stop` was set.
    """
    hooks = Hooks(progress=progress, stop=stop or threading.Event())
    expected = of_run(inspection, *run) if run else of_pattern(inspection, pattern)
    return verify_device(HostSystem(), Settings(), inspection, expected, verification, sample_seed, hooks)
