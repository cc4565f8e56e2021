"""Checks a certificate (or report) about a lot and every medium of it. Pure."""

from __future__ import annotations

from . import lot
from .envelope import open_envelope
from .errors import BrokenChain
from .files import LotFile
from .lot import LotCertificate
from .media import annex_digest
from .times import for_people
from .verify_anchor import AnchorChecks
from .verify_media import Beside, MediaChecks, nothing_beside
from .verify_run import check_logged
from .verify_steps import Fact, Step


class LotChecks:
    """The checks on one lot, as steps that share what they found."""

    def __init__(self, evidence: LotFile, pin: str, beside: Beside = nothing_beside) -> None:
        self.evidence = evidence
        self.anchor = AnchorChecks(evidence.anchor, pin)
        self.media = MediaChecks(self.anchor, evidence.annex, evidence.members)
        self.document: LotCertificate
        self._pin = pin
        self._beside = beside

    def steps(self) -> list[Step]:
        """Every check, in order."""
        return [
            *self.anchor.steps(),
            Step("statement", "The service signed and logged the document", self._statement),
            Step("annex", "The list of media is the one that was signed", self._annex),
            Step("certificates", "Each medium's own certificate is in the log", self._certificates),
            Step("content", "The document says what follows from its media", self._content),
            Step("media", "The evidence of each medium holds", self._media),
        ]

    def _statement(self) -> str:
        item = self.evidence.statement
        check_logged(item, "statement", self.anchor.checkpoint)
        body, _ = open_envelope(
            item.envelope, self.anchor.trust.keys("acceptance", item.index), "statement", exact=True
        )
        self.document = LotCertificate.from_dict(body, "lot")
        return f"{self.document.number}, log entry {item.index}."

    def _annex(self) -> str:
        if annex_digest(self.evidence.annex) != self.document.annex_sha256:
            raise BrokenChain("annex", "the list of media is not the one that was signed.")
        return f"{len(self.evidence.annex)} media."

    def _certificates(self) -> str:
        return self.media.check_documents(self.evidence.statement.index)

    def _content(self) -> str:
        lot.check(self.document, self.evidence.annex, self.media.exceptions)
        return self._how_many()

    def _media(self) -> str:
        return self.media.check_bundles(self.document.evidence, self._pin, self._beside)

    def _how_many(self) -> str:
        counts = self.document.counts
        return f"{counts.sanitized + counts.destroyed} of {counts.total} media are proven."

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
                f"but the evidence of {counts.total - self.media.in_full} was not given. Put it beside and check the folder."
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
            words = (
                line.asset_tag,
                line.manufacturer,
                line.model,
                line.serial,
                f"{line.outcome},",
                line.document or line.reason,
            )
            found.append(Fact(f"Medium {number}", " ".join(word for word in words if word)))
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
            f"{line.asset_tag or line.device} {line.serial}: {line.outcome}. {line.reason}"
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
