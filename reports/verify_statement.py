"""Checks a customer's statement of erasure and every bundle in it. Pure."""

from __future__ import annotations

from . import statement
from .bundle import DestructionBundle, ErasureStatementFile, decode_hashes
from .envelope import open_envelope
from .errors import BrokenChain
from .statements import ErasureStatement
from .times import day_for_people, for_people
from .tlog import verify_consistency
from .tlog.checkpoint import Checkpoint
from .verify_anchor import AnchorChecks
from .verify_run import RunChecks, check_logged
from .verify_steps import Fact, Step, joined, run_steps


class StatementChecks:
    """The checks on one statement, as steps that share what they found."""

    def __init__(self, evidence: ErasureStatementFile, pin: str) -> None:
        self.evidence = evidence
        self.anchor = AnchorChecks(evidence.anchor, pin)
        self.document: ErasureStatement
        self.media: list[RunChecks] = []

    @property
    def checkpoint(self) -> Checkpoint:
        """The state of the log that every proof is against. Only after its step has passed."""
        return self.anchor.checkpoint

    def steps(self) -> list[Step]:
        """Every check, in order."""
        return [
            *self.anchor.steps(),
            Step("statement", "The service signed and logged the statement", self._statement),
            Step("media", "The evidence of every medium was checked", self._media),
            Step("history", "All of it is one history", self._history),
            Step("content", "The statement says what its evidence carries", self._content),
        ]

    def _statement(self) -> str:
        item = self.evidence.statement
        check_logged(item, "statement", self.checkpoint)
        keys = self.anchor.trust.keys("acceptance", item.index)
        body, _ = open_envelope(item.envelope, keys, "statement", exact=True)
        self.document = ErasureStatement.from_dict(body, "statement")
        return f"Statement {self.document.number}, log entry {item.index}."

    def _media(self) -> str:
        for number, embedded in enumerate(self.evidence.bundles, 1):
            bundle = embedded.destruction_bundle(f"medium {number}")
            # Whatever version is pinned: the first one is trusted by now, and every file has it.
            run = RunChecks(bundle, self.anchor.roots[0].pin)
            checks, _ = run_steps(run.steps())
            for check in checks:
                if check.state == "failed":
                    raise BrokenChain(f"medium {number}", f"{check.title}: {check.detail}")
            run.anchor.require_continues(self.anchor, f"medium {number}")
            self.media.append(run)
        return f"{len(self.media)} bundles, each checked in full."

    def _history(self) -> str:
        for number, (run, embedded) in enumerate(zip(self.media, self.evidence.bundles, strict=True), 1):
            proof = decode_hashes(embedded.consistency, f"medium {number}.consistency")
            old = run.checkpoint
            certified = run.evidence.certificate.index if isinstance(run.evidence, DestructionBundle) else 0
            if certified >= self.evidence.statement.index:
                raise BrokenChain(f"medium {number}", "it was certified after the statement.")
            verify_consistency(old.size, self.checkpoint.size, old.root, self.checkpoint.root, proof)
        return f"{len(self.media)} log states continued without a change."

    def _content(self) -> str:
        statement.check(
            self.document, [run.evidence for run in self.media if isinstance(run.evidence, DestructionBundle)]
        )
        return (
            "Complete: nothing is open."
            if self.document.complete
            else f"{len(self.document.open)} obligations are open."
        )

    def facts(self) -> tuple[Fact, ...]:
        """For the eye. Only after every step has passed."""
        document = self.document
        found = [
            Fact("Document", document.number),
            Fact("Issued by", document.organization.name),
            Fact("Issued", for_people(document.issued)),
            Fact("Case", document.case),
            Fact("Opened", day_for_people(document.opened)),
            Fact("Data sets", ", ".join(document.data_sets)),
        ]
        for number, line in enumerate(document.media, 1):
            name = joined(line.manufacturer, line.model, line.serial)
            found.append(
                Fact(f"Medium {number}", f"{name}, {line.data_set} ({line.holding}): certificate {line.certificate}")
            )
        for number, one in enumerate(document.attested, 1):
            found.append(Fact(f"Attested {number}", f"{one.text} ({one.attested_by.name}, {day_for_people(one.time)})"))
        for number, still in enumerate(document.open, 1):
            found.append(Fact(f"Open {number}", f"{still.kind} of {still.data_set} on {still.medium}: {still.why}"))
        found.append(
            Fact("Log", f"{self.checkpoint.origin}, entry {self.evidence.statement.index} of {self.checkpoint.size}")
        )
        return (*found, *self.anchor.facts())

    def proven(self) -> tuple[str, ...]:
        """What the checks have shown. Only after every step has passed."""
        found = ["This file is exactly what was issued under the pinned trust root; not one byte of it was altered."]
        for run in self.media:
            device = run.basis.record.device
            name = " ".join(word for word in (device.vendor, device.model, device.serial) if word) or device.fingerprint
            found.append(f"Medium {name}: sanitized, verified and validated; its bundle is in this file and holds.")
        return (*found, *self.anchor.proven())

    def not_proven(self) -> tuple[str, ...]:
        """What nobody can read out of this file. Only after every step has passed."""
        found = [f"Still open: {one.kind} of {one.data_set} on {one.medium}: {one.why}" for one in self.document.open]
        found += [f"{one.text} This is {one.attested_by.name}'s word, not evidence." for one in self.document.attested]
        found.append("That these are all media that ever held the data: the issuing organization's inventory says so.")
        found += list(dict.fromkeys(text for run in self.media for text in run.not_proven()))
        return tuple(found)
