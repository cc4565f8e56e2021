"""Checks the media of a document about many: each one's certificate in the log, and its evidence, inside or beside. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from .bundle import DestructionBundle, Logged
from .canonical import MAX_BYTES, sha256_hex
from .destruction import DestructionCertificate
from .envelope import envelope_digest, open_envelope
from .errors import BrokenChain, ReportError
from .files import DestructionFile, EvidenceFile, Member, file_from_dict, read_file
from .media import PROVEN, MediumLine, destroyed_line, sanitized_line
from .statements import Certificate
from .tlog import verify_consistency
from .verify_anchor import AnchorChecks
from .verify_destruction import DestructionChecks
from .verify_run import RunChecks, check_logged
from .verify_steps import run_steps

Beside: TypeAlias = Callable[[str], bytes | None]
"""Finds an evidence file that was given beside the document, by the SHA-256 of its bytes."""


def nothing_beside(sha256: str) -> bytes | None:  # noqa: ARG001 - it is asked for any
    """Where only the document itself was given."""
    return None


class MediaChecks:
    """The checks on a document's media, for the checks on the document itself."""

    def __init__(self, anchor: AnchorChecks, annex: Sequence[MediumLine], members: Sequence[Member]) -> None:
        self.anchor = anchor
        self.annex = annex
        self.members = members
        self.exceptions: list[tuple[str, ...]] = []
        self.certificates: list[Certificate | DestructionCertificate] = []
        self.in_full = 0
        """How many media's evidence was checked in full."""
        self.not_proven: dict[str, None] = {}

    @property
    def proven(self) -> list[MediumLine]:
        """The lines that claim success."""
        return [line for line in self.annex if line.outcome in PROVEN]

    def check_documents(self, before: int) -> str:
        """Each claimed certificate is signed, in the log before index `before`, and says what its line says."""
        lines = self.proven
        if len(lines) != len(self.members):
            raise BrokenChain("media", f"{len(lines)} media claim a certificate, {len(self.members)} are there.")
        for number, (line, member) in enumerate(zip(lines, self.members, strict=True), 1):
            try:
                found = self._document(line, member.document, before)
            except ReportError as error:
                raise BrokenChain(f"medium {number} ({line.serial or line.device})", error.summarize()) from error
            self.certificates.append(found)
            self.exceptions.append(found.exceptions)
        return f"{len(lines)} certificates of {len(self.annex)} media, each in the log."

    def _document(self, line: MediumLine, item: Logged, before: int) -> Certificate | DestructionCertificate:
        kind = "certificate" if line.outcome == "sanitized" else "statement"
        if item.index >= before:
            raise BrokenChain("log", "it was certified after this document.")
        check_logged(item, "certificate" if kind == "certificate" else "statement", self.anchor.checkpoint)
        keys = self.anchor.trust.keys("acceptance", item.index)
        if line.outcome == "sanitized":
            body, _ = open_envelope(item.envelope, keys, "certificate", exact=True)
            certificate = Certificate.from_dict(body, "certificate")
            expected = sanitized_line(
                certificate,
                device=line.device,
                held=line.held,
                document_sha256=envelope_digest(item.envelope),
                bundle_sha256=line.bundle_sha256,
            )
        else:
            body, _ = open_envelope(item.envelope, keys, "statement", exact=True)
            destroyed = DestructionCertificate.from_dict(body, "destruction")
            expected = destroyed_line(
                destroyed,
                device=line.device,
                held=line.held,
                document_sha256=envelope_digest(item.envelope),
                bundle_sha256=line.bundle_sha256,
            )
        if expected != line:
            raise BrokenChain("annex", "its line says something else than its certificate.")
        return certificate if line.outcome == "sanitized" else destroyed

    def check_bundles(self, evidence: str, pin: str, beside: Beside) -> str:
        """Each medium's own evidence in full, where it is there; what is there must hold.

        Args:
            evidence: what the document says of itself: `inside` or `beside`.
            pin: as of the document.
            beside: finds what was given beside it.
        """
        for number, (line, member) in enumerate(zip(self.proven, self.members, strict=True), 1):
            if (member.bundle is not None) != (evidence == "inside"):
                raise BrokenChain(f"medium {number}", f"its evidence should be {evidence}.")
            try:
                file = _given(line, member, beside)
                if file is not None:
                    self._bundle(line, member, file, pin)
            except ReportError as error:
                raise BrokenChain(f"medium {number} ({line.serial or line.device})", error.summarize()) from error
            self.in_full += file is not None
        if not self.all_in_full:
            return f"The evidence of {self.in_full} media was checked in full; that of {self.not_given} was not given."
        return f"The evidence of all {self.in_full} was checked in full."

    def _bundle(self, line: MediumLine, member: Member, file: EvidenceFile, pin: str) -> None:
        run: RunChecks | DestructionChecks
        if line.outcome == "sanitized" and isinstance(file, DestructionBundle):
            run, closing = RunChecks(file, pin), file.certificate
        elif line.outcome == "destroyed" and isinstance(file, DestructionFile):
            run, closing = DestructionChecks(file, pin), file.statement
        else:
            raise BrokenChain("evidence", "it is of another kind than the certificate.")
        checks, _ = run_steps(run.steps())
        failed = next((check for check in checks if check.state != "passed"), None)
        if failed is not None:
            raise BrokenChain("evidence", f"{failed.title}: {failed.detail}")
        if envelope_digest(closing.envelope) != line.document_sha256 or closing.index != member.document.index:
            raise BrokenChain("evidence", "it is that of another certificate.")
        run.anchor.require_continues(self.anchor, "evidence")
        old, new = run.anchor.checkpoint, self.anchor.checkpoint
        verify_consistency(old.size, new.size, old.root, new.root, member.consistency_hashes("evidence.consistency"))
        self.not_proven |= dict.fromkeys(run.not_proven())

    @property
    def not_given(self) -> int:
        """Of how many proven media the evidence was not there."""
        return len(self.members) - self.in_full

    @property
    def all_in_full(self) -> bool:
        """Whether the evidence of every proven medium was checked in full."""
        return self.not_given == 0


def _given(line: MediumLine, member: Member, beside: Beside) -> EvidenceFile | None:
    if member.bundle is not None:
        file = file_from_dict(member.bundle)
        if file.digest() != line.bundle_sha256:
            raise BrokenChain("evidence", "it is not the file that the line names.")
        return file
    data = beside(line.bundle_sha256)
    if data is None:
        return None
    if len(data) > MAX_BYTES or sha256_hex(data) != line.bundle_sha256:
        raise BrokenChain("evidence", "it is not the file that the line names.")
    return read_file(data)
