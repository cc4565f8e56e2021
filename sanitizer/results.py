"""Puts a run's facts together. Pure; concludes nothing beyond the end state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .errors import (
    AddressingFault,
    ByteRange,
    Inconclusive,
    JournalFailed,
    Refused,
    Residual,
    SanitizerError,
    Touched,
    Unreadable,
    UnwritableRegion,
)
from .markers import MarkerFindings
from .overwrite import PassState, written_bytes
from .patterns import Content, Keyed, pattern_set
from .planning import CANARIES, HOST, KEYS, PlanRequest
from .ranges import bounded, total
from .readback import Verifier
from .run import (
    DeviceFacts,
    KeyErasure,
    MethodFacts,
    PassFacts,
    RunFacts,
    RunResult,
    RunState,
    Segment,
    VerificationFacts,
)
from .sampling import Selection

SHOWN_RANGES = 64
"""An error names this many ranges; the facts hold all."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """Where and when a run happened."""

    run_id: str
    path: str
    device: DeviceFacts | None
    started: str
    finished: str
    segments: tuple[Segment, ...]
    clock_synchronized: bool | None
    identity_after: str | None
    touched: Touched


@dataclass(frozen=True, kw_only=True)
class Work:
    """What was done to the medium, beside passes."""

    steps: tuple[str, ...] = ()
    """Techniques in order; empty where the request's own word stands."""
    commands: tuple[dict[str, Any], ...] = ()
    """`CommandFacts` as dictionaries, in order."""
    pattern_set: str | None = None
    """As the record names it; None where the request's own word stands."""
    key_erasure: KeyErasure | None = None
    """Of a run that destroys keys, once it has looked."""


def pass_facts(state: PassState, content: Content, key_sha256: str, regions: Sequence[ByteRange]) -> PassFacts:
    """One pass in the record's words."""
    return PassFacts(
        number=state.number,
        pattern=content.label,
        key_sha256=key_sha256 if isinstance(content, Keyed) else None,
        bytes_written=written_bytes(state, regions),
        unwritten=state.unwritten,
        failed_writes=state.failed_writes,
        flushed=state.flushed,
    )


def not_verified(expected: str) -> VerificationFacts:
    """Nothing was read back."""
    return VerificationFacts(
        kind="none",
        expected=expected,
        seed=None,
        regions=0,
        bytes_read=0,
        residual=(),
        unreadable=(),
        regions_sha256=None,
        completed=False,
        direct_io=False,
    )


def verification_facts(verifier: Verifier, selection: Selection, expected: str, *, direct: bool) -> VerificationFacts:
    """A read-back in the record's words, also one that was cut short."""
    return VerificationFacts(
        kind=selection.kind,
        expected=expected,
        seed=selection.seed,
        regions=len(selection.regions),
        bytes_read=verifier.bytes_read,
        residual=verifier.found.residual.result(),
        unreadable=verifier.found.unreadable.result(),
        regions_sha256=selection.sha256,
        completed=verifier.found.completed,
        direct_io=direct,
    )


def gravest(
    passes: tuple[PassFacts, ...], markers: MarkerFindings | None, verification: VerificationFacts
) -> SanitizerError | None:
    """What keeps a run that went through to its end from being a success, the gravest first; None when nothing does."""
    unwritten = bounded([r for each in passes for r in each.unwritten])
    if unwritten:
        return UnwritableRegion(unwritten_bytes=total(unwritten), ranges=unwritten[:SHOWN_RANGES])
    if markers is not None and markers.wrong:
        return AddressingFault(markers=markers.written, wrong=markers.wrong, first_offset=markers.first_wrong or 0)
    residual, unreadable = verification.residual, verification.unreadable
    if residual:
        return Residual(residual_bytes=total(residual), first_offset=residual[0][0], ranges=residual[:SHOWN_RANGES])
    if unreadable:
        return Unreadable(
            unreadable_bytes=total(unreadable), first_offset=unreadable[0][0], ranges=unreadable[:SHOWN_RANGES]
        )
    if verification.kind != "none" and not verification.completed:
        return Inconclusive(reason="the read-back did not reach its end")
    return None


def pattern_label(request: PlanRequest, work: Work) -> str:
    """The pattern set as the record names it; an unknown name stays as it was asked for."""
    if any(step not in {HOST, KEYS} for step in work.steps):
        return CANARIES
    known = pattern_set(request.pattern_set)
    return work.pattern_set or (known.label if known else request.pattern_set)


def method_facts(request: PlanRequest, work: Work, passes: tuple[PassFacts, ...]) -> MethodFacts:
    """What was asked, which passes were made and which commands were sent."""
    return MethodFacts(
        requested=request.method,
        technique="+".join(work.steps) or request.technique,
        pattern_set=pattern_label(request, work),
        plan_sha256=request.digest,
        passes=passes,
        commands=work.commands,
        key_erasure=work.key_erasure,
    )


def result(
    course: Course, request: PlanRequest, work: Work, passes: tuple[PassFacts, ...], verification: VerificationFacts,
    end: RunState, error: SanitizerError | None,
) -> RunResult:  # fmt: skip
    """The whole result."""
    return RunResult(
        run_id=course.run_id,
        path=course.path,
        device=course.device,
        method=method_facts(request, work, passes),
        verification=verification,
        run=RunFacts(
            state=end.value,
            touched=course.touched,
            started=course.started,
            finished=course.finished,
            segments=course.segments,
            clock_synchronized=course.clock_synchronized,
            error_code=error.code if error else None,
            error=error.summarize() if error else None,
            identity_fingerprint_after=course.identity_after,
        ),
        resumable=end is RunState.INTERRUPTED,
        remedy=error.remedy if error else None,
    )


def stopped_short(error: SanitizerError, *, resumed: bool) -> bool:
    """Whether a run that ended with this error can go on later: nothing is wrong with medium or work."""
    return isinstance(error, JournalFailed) or error.code == "interrupted" or (resumed and isinstance(error, Refused))


def ended_by(end: RunState) -> str:
    """The same end as a stretch's: completed, stopped, failed."""
    if end is RunState.SUCCEEDED:
        return "completed"
    return "stopped" if end is RunState.INTERRUPTED else "failed"
