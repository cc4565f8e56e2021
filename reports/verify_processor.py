"""Checks a processor's statement under Article 28(3)(g) GDPR and every medium of it. Pure."""

from __future__ import annotations

from typing import Literal

from . import processor
from .appointed import open_keys, open_rosters
from .envelope import envelope_digest
from .errors import BrokenChain
from .files import ProcessorFile
from .personal import open_signature
from .processor import ProcessorStatement
from .times import day_for_people, for_people
from .verify_many import ManyMediaChecks
from .verify_media import Beside, nothing_beside
from .verify_run import check_logged
from .verify_steps import Fact, Step, joined


class ProcessorChecks(ManyMediaChecks):
    """The checks on one statement, as steps that share what they found."""

    def __init__(self, evidence: ProcessorFile, pin: str, beside: Beside = nothing_beside) -> None:
        super().__init__(evidence, pin, beside)
        self.evidence: ProcessorFile = evidence
        self.document: ProcessorStatement

    def steps(self) -> list[Step]:
        """Every check, in order."""
        return [
            *self.anchor.steps(),
            Step("statement", "The service signed and logged the statement", self._statement),
            Step("signature", "The responsible person signed exactly these facts", self._signature),
            *self.media_steps("The statement says what follows from its media"),
        ]

    @property
    def signed(self) -> tuple[str, Literal["inside", "beside"]]:
        """As every such document says it."""
        return self.document.facts.annex_sha256, self.document.facts.evidence

    def _statement(self) -> str:
        self.document = ProcessorStatement.from_dict(self.statement_body(), "processor statement")
        return f"{self.document.number}, log entry {self.evidence.statement.index}."

    def _signature(self) -> str:
        evidence = self.evidence
        for event in evidence.key_events:
            check_logged(event, "key-event", self.anchor.checkpoint)
        rosters = (*evidence.earlier_rosters, evidence.roster)
        for one in rosters:
            check_logged(one, "roster", self.anchor.checkpoint)
        if evidence.roster.index >= evidence.statement.index:
            raise BrokenChain("roster", "it is younger than the statement.")
        directory, roster = open_keys(self.anchor.trust, evidence.key_events), open_rosters(rosters)
        found = [open_signature(one, directory, roster, evidence.statement.index) for one in evidence.signatures]
        if tuple(envelope_digest(one) for one in evidence.signatures) != self.document.signatures:
            raise BrokenChain("personal signature", "it is not the one that the statement names.")
        processor.check(self.document, found)
        return f"{self.document.facts.responsible.name}, {for_people(found[0].time)}."

    def content(self) -> str:
        """Compared with what its rule makes of the same media."""
        facts = self.document.facts
        processor.check_facts(facts, self.evidence.annex, self.media.exceptions)
        return "Nothing is open." if facts.complete else f"{len(facts.open)} matters are open."

    def answer(self) -> tuple[bool, str]:
        """Whether it is a full yes, and the conclusion."""
        facts = self.document.facts
        if not facts.complete:
            return (
                False,
                f"NOT COMPLETE: the statement is genuine, and says itself that {len(facts.open)} matters are open.",
            )
        if not self.media.all_in_full:
            return False, (
                f"NOT CHECKED IN FULL: the statement is genuine and says that nothing is open, but the evidence of "
                f"{self.media.not_given} media was not given. Put it beside and check the folder."
            )
        yes = "YES: the statement is genuine and signed, the evidence of every medium holds, and nothing is open."
        kept = len(facts.retained)
        if kept:
            but = (
                "By its own word, 1 copy is kept because the law requires it."
                if kept == 1
                else f"By its own word, {kept} copies are kept because the law requires it."
            )
            return True, f"{yes} {but}"
        return True, yes

    def facts(self) -> tuple[Fact, ...]:
        """For the eye. Only after every step has passed."""
        facts, state = self.document.facts, self.anchor.checkpoint
        found = [
            Fact("Document", facts.number),
            Fact("Issued by", facts.processor.name),
            Fact("Issued", for_people(self.document.issued)),
            Fact("As of", for_people(facts.prepared)),
            Fact("Controller", facts.controller.name),
            Fact("Agreement", f"{facts.agreement.reference}, ended {day_for_people(facts.agreement.ended)}"),
            Fact("Controller's choice", facts.choice),
            Fact("Data sets", ", ".join(facts.data_sets)),
            Fact("Responsible", facts.responsible.name),
            Fact(
                "Media", f"{facts.counts.total}, {facts.counts.sanitized} sanitized, {facts.counts.destroyed} destroyed"
            ),
            Fact("Checked in full", f"{self.media.in_full}"),
        ]
        for number, line in enumerate(self.evidence.annex, 1):
            name = joined(line.asset_tag, line.model, line.serial, f"({', '.join(line.held)})")
            found.append(Fact(f"Medium {number}", f"{name}, {line.outcome}: {line.document or line.reason}"))
        found += [Fact(f"Attested {n}", f"{one.text} ({one.by.name})") for n, one in enumerate(facts.done, 1)]
        found += [Fact(f"Retained {n}", f"{one.what}: {one.law}") for n, one in enumerate(facts.retained, 1)]
        found += [
            Fact(f"Sub-processor {n}", f"{one.name}: {one.complete}") for n, one in enumerate(facts.sub_processors, 1)
        ]
        found += [Fact(f"Open {n}", f"{one.where}: {one.what} {one.why}") for n, one in enumerate(facts.open, 1)]
        found += self.anchor.facts()
        found.append(Fact("Log", f"{state.origin}, entry {self.evidence.statement.index} of {state.size}"))
        return tuple(found)

    def proven(self) -> tuple[str, ...]:
        """What the checks have shown. Only after every step has passed."""
        return (
            "This file is exactly what was issued under the pinned trust root; not one byte of it was altered.",
            f"{self.document.facts.responsible.name} signed exactly these facts with a key of their own.",
            f"{len(self.media.certificates)} media have certificates in the log; {self.media.in_full} were checked in full.",
            *self.anchor.proven(),
        )

    def not_proven(self) -> tuple[str, ...]:
        """What nobody can read out of this file. Only after every step has passed."""
        facts = self.document.facts
        found = [f"Still open: {one.where}: {one.what} {one.why}" for one in facts.open]
        found += [f"{one.text} This is {one.by.name}'s word, not evidence." for one in facts.done]
        found += [f"That {one.law} requires to keep {one.what}: the processor says so." for one in facts.retained]
        found += [f"What became of the data at {one.name}: see its own evidence." for one in facts.sub_processors]
        found.append("That these are all media and all copies: the processor's inventory says so.")
        found += [*facts.exceptions, *self.media.not_proven, *self.anchor.not_proven()]
        return tuple(dict.fromkeys(found))
