"""The public functions, on this host's real devices."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .clearance import Clearance
from .errors import Touched
from .identity import DeviceIdentity
from .inspection import Inspection
from .lineage import PathResolution
from .planning import PlanRequest
from .run import Progress, RunResult, VerificationFacts


@dataclass(frozen=True, kw_only=True)
class PendingRun:
    """A run the journal folder knows: cut off, being run by a process, or ended and not yet discarded."""

    run_id: str
    journal_dir: Path
    path: str
    """Where the device was when the run began."""
    identity: DeviceIdentity | None
    plan_request: PlanRequest
    state: str
    """interrupted when it can be resumed; running while a process holds it; an end state when it ended; damaged."""
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


def inspect(path: str | Path) -> Inspection:
    """Look at the block device at `path`, following symbolic links.

    Raises:
        NotBlockDevice: the path leads to something else.
        DeviceMissing: nothing is there.
    """
    raise NotImplementedError


def list_devices() -> list[Inspection]:
    """Every whole block device of this host that is a medium or could be one, ordered by path; obstacles included."""
    raise NotImplementedError


def resolve_path(path: str | Path) -> PathResolution:
    """Find the physical devices beneath a file or folder. Never raises for what it cannot follow: it names it."""
    raise NotImplementedError


def sanitize(
    clearance: Clearance,
    run_id: str,
    journal_dir: Path,
    *,
    sample_seed: str,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    before_first_write: Callable[[], None] | None = None,
) -> RunResult:
    """Carry out the clearance's plan; blocks until the run has ended, in this thread.

    Every run ends in a `RunResult`, refusals and device trouble included; only misuse raises.

    Args:
        clearance: Consumed by this call, whatever happens.
        run_id: Names the run and its journal for ever; letters, digits and `._:@-`.
        journal_dir: Folder of journals on durable storage, made 0700 if missing.
        sample_seed: Seeds the choice of samples for representative verification (the order's nonce); stands in the
        result.
        progress: Called about once a second from this thread; an exception it raises ends the telling, not the run.
        stop: Set it (from a signal handler, another thread) to end the run cleanly as `interrupted` and resumable.
        before_first_write: Asked when the device is open and proven, right before the first write. Returning is yes;
        raising
            `PermissionWithheld`, or anything else, is no and ends the run as `refused`.
    """
    raise NotImplementedError


def pending_runs(journal_dir: Path) -> list[PendingRun]:
    """Every run the folder knows, oldest first; call it after a restart before anything else."""
    raise NotImplementedError


def resume(
    pending: PendingRun,
    clearance: Clearance,
    *,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    before_first_write: Callable[[], None] | None = None,
) -> RunResult:
    """Go on with an interrupted run on the same medium, from the last position known to be on it.

    Needs a new clearance for the same identity and the same plan; a refusal leaves the run interrupted and resumable.
    An ended run's result is returned as it stands, without using the clearance.
    """
    raise NotImplementedError


def abandon(pending: PendingRun, reason: str) -> RunResult:
    """End an interrupted run for good without its device: the result says interrupted and is no longer resumable."""
    raise NotImplementedError


def discard_journal(journal_dir: Path, run_id: str) -> None:
    """Forget an ended run, the key of its stream included, once its record is safe. Unknown runs are forgotten already.

    Raises:
        RunLocked: a process is working on it.
    """
    raise NotImplementedError


def verify(
    inspection: Inspection,
    pattern: str,
    verification: str,
    *,
    sample_seed: str,
    progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> VerificationFacts:
    """Read a device back without writing and compare it with a constant: zeros, ones or fixed:HEX.

    Raises:
        Refused: the device cannot be opened, or its identity is unreadable.
        TransportError: it vanished meanwhile.
    """
    raise NotImplementedError
