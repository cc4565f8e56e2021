"""Asks an exported log what a file cannot know itself: was it voided, was a key it rests on revoked, is there one history?

Comes after the file's own verification, and only ever takes away from a yes. Pure but for what reads the folder.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from .bundle import DestructionBundle, ErasureStatementFile, Logged, RunEvidence, UnsuccessfulRunBundle
from .enrolled import EnrolledRole
from .envelope import envelope_digest, signer_ids
from .errors import BrokenChain, KeyNotValid
from .exported_log import ExportedLog, LoggedCorrection
from .files import EvidenceFile, LotFile, ProcessorFile, file_from_dict, read_file
from .sealcheck import extract_evidence, looks_like_pdf
from .tlog.checkpoint import Checkpoint
from .verify_steps import Check, Fact, Step, Verification, all_passed, run_steps


def ask_log(result: Verification, data: bytes, log: ExportedLog) -> Verification:
    """The verification of a file, continued against a log.

    Args:
        result: what the file alone amounts to.
        data: the file's bytes.
        log: an exported log that holds together under the same pin.

    Returns:
        The same, with what the log says; a file that was not genuine stays as it was.
    """
    if not result.genuine:
        return result
    evidence = read_file(extract_evidence(data) if looks_like_pdf(data) else data)
    asked = _Asked(evidence, log)
    steps = [
        Step("log-history", "The log continues the one the document stands on", asked.history),
        Step("log-keys", "No key it rests on was revoked for it since", asked.keys),
        Step("log-corrections", "The log does not say that it counts no more", asked.corrections),
    ]
    checks, codes = run_steps(steps)
    whole = (*result.checks, *checks)
    if asked.found and checks[-1].state == "failed":  # genuine, but it counts no more
        words = " ".join(one.words for one in asked.found)
        return dataclasses.replace(
            result,
            yes=False,
            checks=whole,
            codes=codes,
            conclusion=f"IT COUNTS NO MORE: the document is genuine. {words}",
        )
    if not all_passed(checks):
        failed = next(check for check in checks if check.state == "failed")
        conclusion = f"NO: do not rely on this file. {failed.title}: this failed. {failed.detail}"
        return dataclasses.replace(
            result, genuine=False, yes=False, checks=whole, codes=codes, conclusion=conclusion, proven=(), facts=()
        )
    return _passed(result, whole, log)


def _passed(result: Verification, checks: tuple[Check, ...], log: ExportedLog) -> Verification:
    size = log.checkpoint.size
    names = ", ".join(dict.fromkeys(signature.key.name for signature in log.cosignatures)) or "nobody"
    proven = (
        f"Up to log entry {size - 1} it was neither voided nor superseded, and no key it rests on was revoked for it."
    )
    later = f"What happened in the log after entry {size - 1}: ask for a newer export."
    kept = tuple(line for line in result.not_proven if not line.startswith("Keys revoked after log entry"))
    return dataclasses.replace(
        result,
        checks=checks,
        facts=(*result.facts, Fact("Exported log", f"{size} entries of {log.checkpoint.origin}, cosigned by {names}")),
        proven=(*result.proven, proven),
        not_proven=(*kept, later),
    )


class _Asked:
    """The questions, and what they found."""

    def __init__(self, evidence: EvidenceFile, log: ExportedLog) -> None:
        self.evidence = evidence
        self.log = log
        self.found: tuple[LoggedCorrection, ...] = ()

    def history(self) -> str:
        """One history: the state the file stands on is an earlier state of this log."""
        pins = [root.pin for root in self.log.roots]
        known = [envelope_digest(envelope) for envelope in self.evidence.anchor.trust_roots]
        if pins[: len(known)] != known:
            raise BrokenChain("exported log", "it rests on another trust root than the document")
        stands_on = Checkpoint.parse(self.evidence.anchor.checkpoint.rpartition("\n\n")[0] + "\n")
        self.log.require_contains(stands_on)
        return f"{self.log.checkpoint.size} entries; the document stands on the first {stands_on.size}."

    def corrections(self) -> str:
        """Neither the document, nor one it contains, was voided or superseded."""
        seen: list[LoggedCorrection] = []
        for digest in _documents(self.evidence.to_dict()):
            seen += self.log.of_document(digest)
        self.found = tuple(seen)
        if seen:
            raise BrokenChain("corrections", " ".join(one.words for one in seen))
        return f"{len(self.log.corrections)} documents of this log were corrected; this is none of them."

    def keys(self) -> str:
        """Every key that signed a run still counts at the run's place in the log."""
        count = 0
        for run in _runs(self.evidence):
            index = run.acceptance.index
            signed: list[tuple[EnrolledRole, Mapping[str, Any]]] = [("agent", run.record)]
            signed += [("approver", one) for one in run.approvals]
            for role, envelope in signed:
                for key in signer_ids(envelope):
                    self.log.keys.find(key, role, index)
                    count += 1
            for item in (run.acceptance, *_closing(run)):
                self._service_key(item.envelope, item.index)
                count += 1
        return f"{count} signatures looked up among all key events of the log."

    def _service_key(self, envelope: Mapping[str, Any], index: int) -> None:
        """The newest trust root may end a key of the service earlier than the one the file was made under."""
        counting = self.log.roots[-1].keys("acceptance", index)
        for key in signer_ids(envelope):
            if key not in counting:
                raise KeyNotValid(key, "acceptance", index, "the trust root in force has ended it before")


def _closing(run: RunEvidence) -> tuple[Logged, ...]:
    if isinstance(run, DestructionBundle):
        return (run.validation, run.certificate)
    return (run.report,) if isinstance(run, UnsuccessfulRunBundle) else ()


def _runs(evidence: EvidenceFile) -> Iterator[RunEvidence]:
    """Every run a file contains the evidence of."""
    if isinstance(evidence, RunEvidence):
        yield evidence
    elif isinstance(evidence, ErasureStatementFile):
        for embedded in evidence.bundles:
            yield embedded.destruction_bundle()
    elif isinstance(evidence, (LotFile, ProcessorFile)):
        for member in evidence.members:
            if member.bundle is not None:
                yield from _runs(file_from_dict(member.bundle))


def _documents(value: object) -> Iterator[str]:
    """Digests of every logged statement in a file, those of files within it included."""
    if isinstance(value, Mapping):
        if set(value) == {"envelope", "index", "proof"}:
            yield envelope_digest(value["envelope"])
            return
        for inner in value.values():
            yield from _documents(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _documents(inner)
