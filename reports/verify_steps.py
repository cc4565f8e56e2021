"""What a verification consists of: checks in order, and what they amount to. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from .errors import ReportError

State = Literal["passed", "failed", "not-reached"]
DocumentKind = Literal[
    "certificate",
    "unsuccessful-run",
    "erasure-statement",
    "lot",
    "processor-statement",
    "destruction",
    "sample",
    "balance",
    "audit-pack",
    "unreadable",
]
KIND_WORDS: dict[str, str] = {
    "certificate": "Certificate of sanitization",
    "unsuccessful-run": "Report of an unsuccessful sanitization",
    "erasure-statement": "Statement of erasure",
    "lot": "Certificate or report of a lot",
    "processor-statement": "Statement of a processor under Article 28(3)(g) GDPR",
    "destruction": "Certificate or report of physical destruction",
    "sample": "Draw of a sample",
    "balance": "Closed balance of an inventory",
    "audit-pack": "Audit pack",
    "unreadable": "No document known here",
}


class Check(NamedTuple):
    """One thing that was checked."""

    code: str
    title: str
    state: State
    detail: str
    """What was found, or why it failed."""


class Fact(NamedTuple):
    """One line for the eye, to compare with what is printed on the document and on the medium."""

    label: str
    value: str


@dataclass(frozen=True)
class Verification:
    """What checking one file amounts to."""

    kind: DocumentKind
    genuine: bool
    """Every check passed: the file is exactly what was issued under the pinned trust root."""
    yes: bool
    """Genuine, and what it says is a full yes: sanitized, verified, validated, nothing open."""
    conclusion: str
    """One sentence."""
    checks: tuple[Check, ...]
    facts: tuple[Fact, ...] = ()
    proven: tuple[str, ...] = ()
    not_proven: tuple[str, ...] = ()
    sha256: str = ""
    """Of the file's bytes."""
    commands: tuple[dict[str, Any], ...] = ()
    """The drive's own commands of a run's record, every byte of them."""
    codes: tuple[str, ...] = field(default=())
    """Stable codes of the errors met."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, for `--json`."""
        return {
            "format": "sanitrail/verification/1",
            "kind": self.kind,
            "genuine": self.genuine,
            "yes": self.yes,
            "conclusion": self.conclusion,
            "sha256": self.sha256,
            "error_codes": list(self.codes),
            "checks": [check._asdict() for check in self.checks],
            "facts": {fact.label: fact.value for fact in self.facts},
            "commands": list(self.commands),
            "proven": list(self.proven),
            "not_proven": list(self.not_proven),
        }


class Step(NamedTuple):
    """A check still to be done: `run` raises `ReportError`, or returns what it found in words."""

    code: str
    title: str
    run: Callable[[], str]


def run_steps(steps: Sequence[Step]) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Do the checks in order; after the first failure the rest is not reached, since it would rest on something broken.

    Returns:
        The checks, and the stable codes of what failed.
    """
    checks: list[Check] = []
    codes: list[str] = []
    for step in steps:
        if codes:
            checks.append(Check(step.code, step.title, "not-reached", ""))
            continue
        try:
            checks.append(Check(step.code, step.title, "passed", step.run()))
        except ReportError as error:
            checks.append(Check(step.code, step.title, "failed", error.summarize()))
            codes.append(error.code)
        except RecursionError:
            checks.append(Check(step.code, step.title, "failed", "The document is nested too deeply."))
            codes.append("malformed-document")
    return tuple(checks), tuple(codes)


def joined(*words: str | None) -> str:
    """The words that are there, a space between them."""
    return " ".join(word for word in words if word)


def all_passed(checks: Sequence[Check]) -> bool:
    """Whether there was something to check and all of it passed."""
    return bool(checks) and all(check.state == "passed" for check in checks)
