"""The offline verifier: a file's bytes and one pin in, a verification out. Needs nothing else of ours, no network, no clock.

It never raises for bad input: whatever the bytes are, the answer is a `Verification` that says what was checked, what is proven
and what is not. `yes` is true only when every check passed and the document says that everything was done.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
from typing import TypeAlias

from .bundle import DestructionBundle, ErasureStatementFile, UnsuccessfulRunBundle
from .canonical import is_sha256
from .errors import BadSeal, MalformedDocument, ReportError
from .files import ATTACHMENT_NAMES, BalanceFile, EvidenceFile, LotFile, ProcessorFile, SampleFile, read_file
from .renewals import Renewals
from .sealcheck import check_issued_seal, check_seal, extract_evidence, looks_like_pdf
from .sealdata import check_seal_data
from .trust import open_chain
from .verdict import judge
from .verify_balance import BalanceChecks
from .verify_destruction import DestructionChecks
from .verify_lot import LotChecks
from .verify_media import Beside, nothing_beside
from .verify_processor import ProcessorChecks
from .verify_run import RunChecks
from .verify_sample import SampleChecks
from .verify_statement import StatementChecks
from .verify_steps import Check, DocumentKind, Fact, Step, Verification, all_passed, run_steps

_Checks: TypeAlias = (
    RunChecks | StatementChecks | LotChecks | ProcessorChecks | DestructionChecks | SampleChecks | BalanceChecks
)

_KINDS: tuple[tuple[type[_Checks], DocumentKind], ...] = (
    (LotChecks, "lot"),
    (ProcessorChecks, "processor-statement"),
    (DestructionChecks, "destruction"),
    (SampleChecks, "sample"),
    (BalanceChecks, "balance"),
)
PRINTED_WORDS = (
    "That the words printed on the pages are those of the evidence: the sealer says so; compare them with the facts "
    "listed here."
)


def verify(data: bytes, pin: str, beside: Beside = nothing_beside, *, renewals: Renewals | None = None) -> Verification:
    """Check a bundle, a report, a statement, or a PDF of one.

    Args:
        data: the file's bytes.
        pin: SHA-256 of the trust root, 64 hexadecimal digits; spaces and upper case are forgiven.
        beside: finds the evidence of a lot's media, by the SHA-256 of its bytes, where it lies beside.
        renewals: a newer, stamped state of the log, opened under the same pin, which must contain the file's.
    """
    digest = hashlib.sha256(data).hexdigest()
    plain_pin = "".join(pin.split()).lower()
    if not is_sha256(plain_pin):
        return _unreadable(
            digest, "pin", "The pin is well formed", "The pin is not 64 hexadecimal digits.", "malformed-document"
        )
    sealed = looks_like_pdf(data)
    try:
        evidence = read_file(extract_evidence(data) if sealed else data)
    except ReportError as error:
        return _unreadable(digest, "form", "The file is one of ours, in its one form", error.summarize(), error.code)
    except RecursionError:
        problem = "The document is nested too deeply."
        return _unreadable(digest, "form", "The file is one of ours, in its one form", problem, "malformed-document")
    run = _checks_of(evidence, plain_pin, beside)
    steps = [
        Step("form", "The file is one of ours, in its one form", lambda: f"{evidence.format}, {len(data):,} bytes.")
    ]
    if sealed:
        steps += _seal_steps(data, evidence, plain_pin)
    steps += run.steps()
    if renewals is not None:
        steps.append(
            Step("renewals", "A newer, stamped state of the log contains this one", lambda: _renewed(run, renewals))
        )
    checks, codes = run_steps(steps)
    found = _conclude(evidence, run, checks, codes, digest, sealed=sealed)
    return found if renewals is None or not found.genuine else _with_renewals(found, run, renewals)


def _renewed(run: _Checks, renewals: Renewals) -> str:
    if renewals.covers(run.anchor.checkpoint, run.anchor.roots):
        return f"{renewals.opened.checkpoint.size} entries, {renewals.words}."
    return "The file is younger than the renewals, and needs none of them."


def _with_renewals(found: Verification, run: _Checks, renewals: Renewals) -> Verification:
    """Only after every step has passed."""
    if not renewals.covers(run.anchor.checkpoint, run.anchor.roots):
        return found
    words = (
        f"A newer state of the log, stamped {renewals.words}, contains the one this file rests on: it existed before then, "
        "whatever has become of older stamps and keys."
    )
    return dataclasses.replace(
        found, facts=(*found.facts, Fact("Stamped again", renewals.words)), proven=(*found.proven, words)
    )


def _checks_of(evidence: EvidenceFile, pin: str, beside: Beside) -> _Checks:
    if isinstance(evidence, (DestructionBundle, UnsuccessfulRunBundle)):
        return RunChecks(evidence, pin)
    if isinstance(evidence, ErasureStatementFile):
        return StatementChecks(evidence, pin)
    if isinstance(evidence, LotFile):
        return LotChecks(evidence, pin, beside)
    if isinstance(evidence, ProcessorFile):
        return ProcessorChecks(evidence, pin, beside)
    if isinstance(evidence, (SampleFile, BalanceFile)):
        return SampleChecks(evidence, pin) if isinstance(evidence, SampleFile) else BalanceChecks(evidence, pin)
    return DestructionChecks(evidence, pin)


def _seal_steps(data: bytes, evidence: EvidenceFile, pin: str) -> list[Step]:
    """The seal comes before anything else that is read from the PDF; a PDF parser only sees what it has already vouched for."""
    return [
        Step("seal", "The seal covers every byte of the PDF", lambda: _check_seal(data, evidence, pin)),
        Step(
            "attachment",
            "The evidence is what viewers show as the attachment",
            lambda: _check_attachment(data, evidence),
        ),
    ]


def _check_seal(data: bytes, evidence: EvidenceFile, pin: str) -> str:
    trust = open_chain(evidence.anchor.trust_roots, pin)[-1]
    if not trust.seal_authority:
        return check_seal(data, trust.pdf_certificate)
    found = check_issued_seal(data, trust.pdf_certificate, trust.time_authorities)
    return f"{found.words} {check_seal_data(data, found, trust.pdf_certificate, trust.time_authorities)}"


def _check_attachment(data: bytes, evidence: EvidenceFile) -> str:
    import pypdf  # noqa: PLC0415 - only PDFs need it

    expected = ATTACHMENT_NAMES[evidence.format]
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        attached = {name: list(contents) for name, contents in reader.attachments.items()}
    except (
        Exception
    ) as error:  # a parser raises what it meets; the seal has been checked, so that this is a broken sealer
        raise MalformedDocument("PDF", f"it cannot be read ({type(error).__name__})") from error
    if attached != {expected: [evidence.to_bytes()]}:
        raise BadSeal("the attachment that viewers show is not the evidence.")
    return f"One attachment, {expected}."


def _conclude(
    evidence: EvidenceFile,
    run: _Checks,
    checks: tuple[Check, ...],
    codes: tuple[str, ...],
    digest: str,
    *,
    sealed: bool,
) -> Verification:
    kind = _kind(evidence, run)
    if not all_passed(checks):
        failed = next(check for check in checks if check.state == "failed")
        conclusion = f"NO: do not rely on this file. {failed.title}: this failed. {failed.detail}"
        return Verification(
            kind, genuine=False, yes=False, conclusion=conclusion, checks=checks, sha256=digest, codes=codes
        )
    yes, conclusion = _answer(evidence, run)
    not_proven = run.not_proven() + ((PRINTED_WORDS,) if sealed else ())
    return Verification(
        kind,
        genuine=True,
        yes=yes,
        conclusion=conclusion,
        checks=checks,
        facts=run.facts(),
        commands=run.commands() if isinstance(run, RunChecks) else (),
        proven=run.proven(),
        not_proven=not_proven,
        sha256=digest,
    )


def _answer(evidence: EvidenceFile, run: _Checks) -> tuple[bool, str]:
    if isinstance(run, (LotChecks, ProcessorChecks, DestructionChecks, SampleChecks, BalanceChecks)):
        return run.answer()
    if isinstance(run, StatementChecks):
        if run.document.complete:
            return True, "YES: the statement is genuine, the evidence of every medium holds, and nothing is open."
        return (
            False,
            f"NOT YET: the statement is genuine, and says itself that {len(run.document.open)} obligations are open.",
        )
    if isinstance(evidence, DestructionBundle):
        device = run.basis.record.device
        name = " ".join(word for word in (device.vendor, device.model, device.serial) if word) or device.fingerprint
        return (
            True,
            f"YES: {name} was sanitized ({judge(run.basis.record).method}), verified and validated, and the evidence holds.",
        )
    return False, "NO CERTIFICATE: this is a genuine report of an unsuccessful run. The medium is not sanitized."


def _kind(evidence: EvidenceFile, run: _Checks) -> DocumentKind:
    known = next((kind for checks, kind in _KINDS if isinstance(run, checks)), None)
    if known is not None:
        return known
    if isinstance(evidence, ErasureStatementFile):
        return "erasure-statement"
    return "certificate" if isinstance(evidence, DestructionBundle) else "unsuccessful-run"


def _unreadable(digest: str, step: str, title: str, detail: str, code: str) -> Verification:
    conclusion = f"NO: do not rely on this file. {detail}"
    check = Check(step, title, "failed", detail)
    return Verification(
        "unreadable", genuine=False, yes=False, conclusion=conclusion, checks=(check,), sha256=digest, codes=(code,)
    )
