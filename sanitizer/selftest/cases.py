"""The faults that a build must find, and what finding one is. Pure.

`reports.findings.selftest` has the same table in its own words, because evidence outlives the engine; a test keeps both equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sanitizer.errors import ByteRange
from sanitizer.planning import PlanRequest

from .scratch import COMMAND, SIZE, Fault

_IN_THE_MIDDLE: ByteRange = (SIZE // 2 + 4096, SIZE // 2 + 4096 + 1536)
_WHOLE: ByteRange = (0, SIZE)
_ZEROS = PlanRequest(pattern_set="zeros")
_KEYED = PlanRequest(pattern_set="keyed-stream")
_COMMAND = PlanRequest(technique=COMMAND, pattern_set="canaries")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One scratch device, what is asked of it, and the only end that counts as having found its fault."""

    fault: str
    """Its name in records: never changed, never used again for another."""
    device: Fault
    request: PlanRequest
    state: str
    error_code: str | None
    planted: tuple[ByteRange, ...] = ()
    """Where the fault lies; exactly this must be told, and nothing else."""


CASES: tuple[Case, ...] = (
    Case(fault="none", device=Fault(), request=_KEYED, state="succeeded", error_code=None),
    Case(
        fault="bad-sector",
        device=Fault(refuses_writes=_IN_THE_MIDDLE, refuses_reads=_IN_THE_MIDDLE),
        request=_KEYED,
        state="failed",
        error_code="unwritable-region",
        planted=(_IN_THE_MIDDLE,),
    ),
    Case(
        fault="unreadable-sector",
        device=Fault(refuses_reads=_IN_THE_MIDDLE),
        request=_ZEROS,
        state="failed",
        error_code="unreadable",
        planted=(_IN_THE_MIDDLE,),
    ),
    Case(
        fault="lying-write",
        device=Fault(drops_writes=_IN_THE_MIDDLE),
        request=_ZEROS,
        state="failed",
        error_code="residual",
        planted=(_IN_THE_MIDDLE,),
    ),
    Case(
        fault="stale-read",
        device=Fault(answers_from_before=_IN_THE_MIDDLE),
        request=_KEYED,
        state="failed",
        error_code="residual",
        planted=(_IN_THE_MIDDLE,),
    ),
    Case(
        fault="cached-read",
        device=Fault(answers_from_cache=_IN_THE_MIDDLE),
        request=_ZEROS,
        state="failed",
        error_code="residual",
        planted=(_IN_THE_MIDDLE,),
    ),
    Case(
        fault="short-device",
        device=Fault(wraps_at=SIZE // 2),
        request=_ZEROS,
        state="failed",
        error_code="addressing-fault",
    ),
    Case(
        fault="shrinking-device",
        device=Fault(shrinks_to=SIZE // 2),
        request=_KEYED,
        state="failed",
        error_code="capacity-changed",
    ),
    Case(
        fault="lost-flush",
        device=Fault(loses_flushes=True),
        request=_KEYED,
        state="failed",
        error_code="flush-failed",
    ),
    Case(
        fault="vanishing-device",
        device=Fault(vanishes=True),
        request=_ZEROS,
        state="interrupted",
        error_code="device-gone",
    ),
    Case(
        fault="idle-command",
        device=Fault(lies_about_its_command=True),
        request=_COMMAND,
        state="failed",
        error_code="residual",
        planted=(_WHOLE,),
    ),
)


@dataclass(frozen=True, kw_only=True)
class SelfTestCase:
    """What came of one scratch device: facts, as the record keeps them (`reports.record.SelfTestCase` has the same fields)."""

    fault: str
    planted: tuple[ByteRange, ...]
    """Byte ranges of the fault; none for a fault of the whole device, or no fault."""
    state: str
    """The end state of the run on it."""
    error_code: str | None
    found: tuple[ByteRange, ...]
    """Byte ranges that the run named as unwritten, unreadable or left over."""


@dataclass(frozen=True, kw_only=True)
class SelfTest:
    """What this build found on its scratch devices."""

    taken: str
    """When, by the host's clock (RFC 3339)."""
    build_sha256: str
    """Digest of the code that was tested."""
    tool: str
    cases: tuple[SelfTestCase, ...]

    @property
    def missed(self) -> tuple[str, ...]:
        """Faults that were not found as they must be, by name; a case that was not tried counts as missed."""
        tried = {case.fault: case for case in self.cases}
        return tuple(case.fault for case in CASES if not _found(case, tried.get(case.fault)))

    @property
    def passed(self) -> bool:
        """Whether every fault was found, exactly where it was, and none where there is none."""
        return not self.missed

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        cases = [
            {**vars(case), "planted": [list(one) for one in case.planted], "found": [list(one) for one in case.found]}
            for case in self.cases
        ]
        return {"taken": self.taken, "build_sha256": self.build_sha256, "tool": self.tool, "cases": cases}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises `KeyError`, `TypeError` or `ValueError`."""
        cases = tuple(
            SelfTestCase(
                fault=str(one["fault"]),
                planted=_ranges(one["planted"]),
                state=str(one["state"]),
                error_code=None if one["error_code"] is None else str(one["error_code"]),
                found=_ranges(one["found"]),
            )
            for one in document["cases"]
        )
        texts = {name: str(document[name]) for name in ("taken", "build_sha256", "tool")}
        return cls(**texts, cases=cases)


def _ranges(value: Any) -> tuple[ByteRange, ...]:  # noqa: ANN401 - JSON
    return tuple((int(start), int(end)) for start, end in value)


def _found(case: Case, seen: SelfTestCase | None) -> bool:
    return seen is not None and (seen.state, seen.error_code, seen.planted, seen.found) == (
        case.state,
        case.error_code,
        case.planted,
        case.planted,
    )
