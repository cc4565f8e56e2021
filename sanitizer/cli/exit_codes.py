"""What the exit status says; one table, printed by `--help` and compared with the documents by a test."""

from __future__ import annotations

from enum import IntEnum

from sanitizer.errors import ERRORS, Refused, SanitizerError, VerificationError
from sanitizer.run import RunResult


class ExitCode(IntEnum):
    """Exit status of every command."""

    SANITIZED = 0
    BUG = 1
    USAGE = 2
    REFUSED = 3
    FAILED = 4
    INTERRUPTED = 5
    UNVERIFIED = 6


MEANINGS: dict[ExitCode, str] = {
    ExitCode.SANITIZED: "done: sanitized and verified, or the question was answered",
    ExitCode.BUG: "a bug of this tool: please report the trace",
    ExitCode.USAGE: "wrong usage",
    ExitCode.REFUSED: "refused: nothing was written; the message says what to do",
    ExitCode.FAILED: "failed: the medium is not sanitized",
    ExitCode.INTERRUPTED: "interrupted: resume it",
    ExitCode.UNVERIFIED: "verification failed: the medium is not sanitized",
}


def table() -> str:
    """The table as `--help` prints it; the first character of each paragraph keeps click from filling it."""
    return "\n".join(f"  {code.value}  {meaning}" for code, meaning in MEANINGS.items())


def of_result(outcome: RunResult) -> ExitCode:
    """The status of one run."""
    kind = ERRORS.get(outcome.error_code or "")
    if outcome.state == "succeeded":
        # A run without read-back is done as planned and proves nothing.
        return ExitCode.SANITIZED if outcome.verification.completed else ExitCode.UNVERIFIED
    if outcome.state == "refused":
        return ExitCode.REFUSED
    if outcome.state == "interrupted":
        return ExitCode.INTERRUPTED
    return ExitCode.UNVERIFIED if kind is not None and issubclass(kind, VerificationError) else ExitCode.FAILED


def of_error(error: SanitizerError) -> ExitCode:
    """The status of an error that ended a command outside a run."""
    if isinstance(error, Refused):
        return ExitCode.REFUSED
    if isinstance(error, VerificationError):
        return ExitCode.UNVERIFIED
    return ExitCode.INTERRUPTED if error.code == "interrupted" else ExitCode.FAILED


_GRAVITY = (
    ExitCode.BUG,
    ExitCode.FAILED,
    ExitCode.UNVERIFIED,
    ExitCode.INTERRUPTED,
    ExitCode.REFUSED,
    ExitCode.USAGE,
    ExitCode.SANITIZED,
)


def gravest(codes: list[ExitCode]) -> ExitCode:
    """The status of several runs: the gravest of them; of none, success."""
    return next((code for code in _GRAVITY if code in codes), ExitCode.SANITIZED)
