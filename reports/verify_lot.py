"""Checks a certificate (or report) about a lot and every medium of it. Pure."""

from __future__ import annotations

from typing import Literal

from . import lot
from .files import LotFile
from .lot import LotCertificate
from .times import for_people
from .verify_many import ManyMediaChecks
from .verify_media import Beside, nothing_beside
from .verify_steps import Fact, Step, joined


class LotChecks(ManyMediaChecks):
    """The checks on one lot, as steps that share what they found."""

    def __init__(self, evidence: LotFile, pin: str, beside: Beside = nothing_beside) -> None:
        super().__init__(evidence, pin, beside)
        self.evidence: LotFile = evidence
        self.document: LotCertificate

    def steps(self) -> list[Step]:
        """Every check, in order."""
        return [
            *self.anchor.steps(),
            Step("statement", "The service signed and logged the document", self._statement),
            *self.media_steps("The document says what follows from its media"),
        ]

    @property
    def signed(self) -> tuple[str, Literal["inside", "beside"]]:
        """As every such document says it."""
        return self.document.annex_sha256, self.document.evidence

    def _statement(self) -> str:
        self.document = LotCertificate.from_dict(self.statement_body(), "lot")
        return f"{self.document.number}, log entry {self.evidence.statement.index}."

    def content(self) -> str:
        """Compared with what its rule makes of the same media."""
        lot.check(self.document, self.evidence.annex, self.media.exceptions)
        return self._how_many()

    def _how_many(self) -> str:
        counts = self.document.counts
        proven = counts.sanitized + counts.destroyed
        return f"{proven} of {counts.total} media are proven."

    def answer(self) -> tuple[bool, str]:
        """Whether it is a full yes, and the conclusion."""
        counts = self.document.counts
        if not self.document.complete:
            return False, (
                f"NOT COMPLETE: this is a genuine report; of {counts.total} media {counts.sanitized} were sanitized and "
                f"{counts.destroyed} destroyed. The rest must be treated as holding their data."
            )
        if not self.media.all_in_full:
            return False, (
                f"NOT CHECKED IN FULL: the certificate is genuine and its {counts.total} media have certificates in the log, "
                f"but the evidence of {self.media.not_given} was not given. Put it beside and check the folder."
            )
        return True, (
            f"YES: all {counts.total} media were sanitized ({counts.sanitized}) or destroyed ({counts.destroyed}), "
            "and the evidence of each one holds."
        )

    def facts(self) -> tuple[Fact, ...]:
        """For the eye. Only after every step has passed."""
        document, counts, state = self.document, self.document.counts, self.anchor.checkpoint
        found = [
            Fact("Document", document.number),
            Fact("Issued by", document.organization.name),
            Fact("Issued", for_people(document.issued)),
            Fact("Lot", document.lot),
            Fact("Reference", document.reference or "none"),
            Fact("Responsible", document.responsible.name),
            Fact("Media", f"{counts.total}"),
            Fact("Sanitized", f"{counts.sanitized}"),
            Fact("Destroyed", f"{counts.destroyed}"),
            Fact("Failed", f"{counts.failed}"),
            Fact("Missing", f"{counts.missing}"),
            Fact("Left by waiver", f"{counts.waived}"),
            Fact("Open", f"{counts.open}"),
            Fact("Checked in full", f"{self.media.in_full}"),
        ]
        for number, line in enumerate(self.evidence.annex, 1):
            name = joined(line.asset_tag, line.manufacturer, line.model, line.serial)
            found.append(Fact(f"Medium {number}", f"{name}, {line.outcome}: {line.document or line.reason}"))
        found += self.anchor.facts()
        found.append(Fact("Log", f"{state.origin}, entry {self.evidence.statement.index} of {state.size}"))
        return tuple(found)

    def proven(self) -> tuple[str, ...]:
        """What the checks have shown. Only after every step has passed."""
        return (
            "This file is exactly what was issued under the pinned trust root; not one byte of it was altered.",
            f"{len(self.media.certificates)} media have certificates of their own in the log, which say what the list says.",
            f"The evidence of {self.media.in_full} was checked in full: from order to validation, or who signed a destruction.",
            *self.anchor.proven(),
        )

    def not_proven(self) -> tuple[str, ...]:
        """What nobody can read out of this file. Only after every step has passed."""
        found = [
            f"{joined(line.asset_tag or line.device, line.serial)}, {line.outcome}: {line.reason}"
            for line in self.evidence.annex
            if line.reason
        ]
        if not self.media.all_in_full:
            found.append(
                "That hosts and people signed what the certificates say, where the evidence was not given: until it is checked, "
                "the certificates are the issuer's word."
            )
        found.append("That these are all media of the lot: the issuing organization's inventory says so.")
        found += [*self.document.exceptions, *self.media.not_proven, *self.anchor.not_proven()]
        return tuple(dict.fromkeys(found))
