"""From a record's evidence to a conclusion: the one place.

Agent, service, PDF, verifier and exit codes all call `judge`. It is pure and fails closed: a word it does not know, a fact it
cannot read, two facts that contradict each other, or a field of a newer writer give `unknown`, and unknown is never success.
Three axes:

- outcome: sanitized, partial, failed, refused, interrupted, unknown;
- method reached: none, clear, purge (SP 800-88 Rev. 2, 3.1.1 and 3.1.2). Overwriting, with whatever legacy pattern set, reaches
  Clear at most: it works through the interface a user has. A drive's own command reaches what `findings.techniques` says, and
  only where its raw status and the read-back of canaries agree;
- coverage of the verification: none, representative, full (Rev. 1, 4.7.3; Rev. 2, 4.5.1).

Every reason that speaks against the record is listed, not just the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .findings import POLICY_ONLY, Finding, examine, level_reached
from .record import SanitizationRecord

Outcome = Literal["sanitized", "partial", "failed", "refused", "interrupted", "unknown"]
Method = Literal["none", "clear", "purge"]
Coverage = Literal["none", "representative", "full"]
Reason = Finding
"""One thing that speaks against a record or limits what it shows: code, effect, text, fields."""

_WEIGHT: dict[str, int] = {"caution": 0, "partial": 1, "failed": 2, "interrupted": 3, "refused": 4, "unknown": 5}
METHOD_RANK: dict[str, int] = {"none": 0, "clear": 1, "purge": 2, "destroy": 3}
COVERAGE_RANK: dict[str, int] = {"none": 0, "representative": 1, "full": 2}
_NEVER = 99


@dataclass(frozen=True)
class Verdict:
    """What a record's evidence amounts to."""

    outcome: Outcome
    method: Method
    coverage: Coverage
    reasons: tuple[Reason, ...]
    """Heaviest first."""

    @property
    def blocking(self) -> tuple[Reason, ...]:
        """Reasons that keep the outcome from being `sanitized`."""
        return tuple(reason for reason in self.reasons if reason.effect != "caution")

    @property
    def cautions(self) -> tuple[Reason, ...]:
        """What a reader must know although the outcome is what it is."""
        return tuple(reason for reason in self.reasons if reason.effect == "caution")

    def reaches(self, method: str, coverage: str) -> bool:
        """Whether this suffices where `method` and `coverage` are the least: sanitized, and both ranks reached.

        A word that is not known is never reached.
        """
        return (
            self.outcome == "sanitized"
            and METHOD_RANK[self.method] >= METHOD_RANK.get(method, _NEVER)
            and COVERAGE_RANK[self.coverage] >= COVERAGE_RANK.get(coverage, _NEVER)
        )

    def to_dict(self) -> dict[str, str]:
        """The three axes in words, as a validation states them."""
        return {"outcome": self.outcome, "method": self.method, "coverage": self.coverage}


def judge(record: SanitizationRecord) -> Verdict:
    """The verdict that follows from a record, and from nothing else."""
    return record.derived("verdict", _judge)


def _judge(record: SanitizationRecord) -> Verdict:
    reasons = tuple(sorted(examine(record), key=lambda reason: -_WEIGHT[reason.effect]))
    heaviest = reasons[0].effect if reasons else "caution"
    outcome: Outcome = "sanitized" if heaviest == "caution" else heaviest
    if any(reason.effect != "caution" and reason.code not in POLICY_ONLY for reason in reasons):
        return Verdict(outcome, "none", "none", reasons)
    # From here on everything was done; at most it was less than somebody asked for, which takes nothing away.
    method: Method = level_reached(record)
    coverage: Coverage = "full" if record.verification.kind == "full" else "representative"
    return Verdict(outcome, method, coverage, reasons)
