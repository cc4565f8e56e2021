"""What may be said about a record, and what must be said with it.

Each claim points at the fields it rests on and quotes the clause that defines its words; what the evidence does not carry is
refused with the reasons, and nothing follows from missing evidence. Wording is bounded on purpose: no document says "compliant",
"certified" or "unrecoverable", because a record shows what was done and found, not what every laboratory can never do. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from .drive_words import command_words, content_words, deciding_words, not_reached, technique_words
from .errors import ClaimRefused
from .findings import content_of
from .findings.techniques import by_drive
from .record import SanitizationRecord
from .verdict import Verdict, judge

ClaimCode = Literal["clear", "purge", "verified-full", "verified-representative", "same-medium"]

CLEAR_CLAUSE = "NIST SP 800-88 Rev. 2, 3.1.1"
PURGE_CLAUSE = "NIST SP 800-88 Rev. 2, 3.1.2"
VERIFICATION_CLAUSE = "NIST SP 800-88 Rev. 2, 4.5.1"
FULL_CLAUSE = f"{VERIFICATION_CLAUSE}; full verification, Rev. 1, 4.7.3"
REPRESENTATIVE_CLAUSE = f"{VERIFICATION_CLAUSE}; representative sampling, Rev. 1, 4.7.3"

MEDIA_WORDS = {
    "magnetic": "Magnetic (hard disk)",
    "flash": "Flash (solid state)",
    "virtual": "Virtual block device",
    "unknown": "Not known",
}
METHOD_WORDS = {"clear": "Clear", "purge": "Purge"}

_LISTED_PASSES = 8
"""More passes than this are counted, not listed."""

CLEAR_MEANS = (
    "Clear: logical techniques on all user-addressable storage locations, protecting against simple, non-invasive recovery "
    "through the interface available to the user (SP 800-88 Rev. 2, 3.1.1)."
)
PURGE_MEANS = (
    "Purge: physical or logical techniques that make recovery infeasible with state-of-the-art laboratory techniques and leave "
    "the medium potentially reusable, among them dedicated, standardized device sanitize commands (SP 800-88 Rev. 2, 3.1.2). "
    "What is stated here is the command, the drive's own report of its end, and what was read back."
)
METHOD_MEANS = {"clear": CLEAR_MEANS, "purge": PURGE_MEANS}
METHOD_CLAUSES = {"clear": CLEAR_CLAUSE, "purge": PURGE_CLAUSE}
NOT_COVERED = (
    (
        "A signature proves who stated something and that it was not altered since; it does not prove that the stating host "
        "was honest."
    ),
    "Copies of the data on other media are not covered; each medium has its own document.",
)


class Evidence(NamedTuple):
    """One field of the record and what stands there."""

    field: str
    value: str


@dataclass(frozen=True)
class Claim:
    """A sentence the evidence carries."""

    code: ClaimCode
    text: str
    clause: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Refusal:
    """A sentence the evidence does not carry, and why not."""

    code: ClaimCode
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Claims:
    """Everything that may be said about one record."""

    verdict: Verdict
    granted: tuple[Claim, ...]
    refused: tuple[Refusal, ...]
    exceptions: tuple[str, ...]
    """What a reader must be told on the first page, in plain words."""
    not_covered: tuple[str, ...]

    def find(self, code: ClaimCode) -> Claim:
        """The claim. Raises `ClaimRefused` with what is missing."""
        for claim in self.granted:
            if claim.code == code:
                return claim
        missing = next((refusal.missing for refusal in self.refused if refusal.code == code), ("It was not made.",))
        raise ClaimRefused(code, missing)


def derive(record: SanitizationRecord) -> Claims:
    """The claims that follow from a record."""
    verdict = judge(record)
    granted: list[Claim] = []
    refused: list[Refusal] = []
    for code, claim, missing in (
        ("clear", _method(record, "clear"), _missing_method(record, verdict, "clear")),
        ("purge", _method(record, "purge"), _missing_method(record, verdict, "purge")),
        ("verified-full", _full(record), _missing_coverage(verdict, "full")),
        ("verified-representative", _sampled(record), _missing_coverage(verdict, "representative")),
        ("same-medium", _same(record), _missing_identity(verdict)),
    ):
        if claim is not None and not missing:
            granted.append(claim)
        else:
            refused.append(Refusal(code, missing or ("No evidence of this kind is in the record.",)))  # type: ignore[arg-type]  # a str of the tuple above
    exceptions = tuple(reason.text for reason in verdict.reasons)
    return Claims(verdict, tuple(granted), tuple(refused), exceptions, (*not_reached(record), *NOT_COVERED))


def grant(record: SanitizationRecord, code: ClaimCode) -> Claim:
    """One claim about a record. Raises `ClaimRefused` with what is missing."""
    return derive(record).find(code)


def size_words(count: int) -> str:
    """Bytes for people: the exact number, and the customary unit."""
    exact = f"{count:,} bytes"
    for unit, step in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if count >= step:
            return f"{exact} ({count / step:,.1f} {unit})"
    return exact


def pattern_words(pattern: str) -> str:
    """The content of a pass for people."""
    content = content_of(pattern)
    named = {"00": "zeros", "ff": "ones (0xFF)", "keyed-stream": "keyed random stream"}
    return named.get(content, f"fixed pattern 0x{content.upper()}")


def details_words(record: SanitizationRecord) -> str:
    """What the passes were: `1 pass: zeros`; or the commands that did the work."""
    passes, name = record.method.passes, record.method.pattern_set
    if by_drive(record.method.technique):
        canaries = size_words(sum(one.bytes_written for one in passes))
        return f"{deciding_words(record)}; canaries before that on {canaries}"
    count = "1 pass" if len(passes) == 1 else f"{len(passes)} passes"
    if len(passes) <= _LISTED_PASSES:
        count += ": " + ", ".join(pattern_words(one.pattern) for one in passes)
    simple = len(passes) == 1 and content_of(name) == content_of(passes[0].pattern)
    return count if simple else f"{count}; pattern set {name}"


def verification_words(record: SanitizationRecord) -> str:
    """How the result was verified, in the words of SP 800-88 Rev. 1, 4.7.3."""
    check = record.verification
    compared = "read back and compared" if not by_drive(record.method.technique) else _searched(record)
    if check.kind == "full":
        return f"Full: every addressable location {compared}, bypassing the host's cache"
    if check.kind == "representative":
        share = check.bytes_read * 100 // max(record.device.capacity_bytes, 1)
        where = f"Representative sampling: {check.regions:,} locations, {share} % of the medium"
        return f"{where}, {f'{compared}, ' if by_drive(record.method.technique) else ''}bypassing the host's cache"
    return "None"


def _searched(record: SanitizationRecord) -> str:
    """What the read-back after a drive's own command looked for."""
    content = content_words(record.verification.expected)
    return f"read back and searched for canaries{f', with {content}' if content else ''}"


def _missing_method(record: SanitizationRecord, verdict: Verdict, method: str) -> tuple[str, ...]:
    if verdict.outcome != "sanitized":
        return tuple(reason.text for reason in verdict.blocking)
    if method == "purge" and verdict.method != "purge" and not by_drive(record.method.technique):
        return (f"Overwriting through the host interface reaches Clear at most ({CLEAR_CLAUSE}).",)
    return () if verdict.method == method else (f"The method reached is {verdict.method}.",)


def _missing_coverage(verdict: Verdict, coverage: str) -> tuple[str, ...]:
    if verdict.outcome != "sanitized":
        return tuple(reason.text for reason in verdict.blocking)
    return () if verdict.coverage == coverage else (f"The verification was {verdict.coverage}.",)


def _missing_identity(verdict: Verdict) -> tuple[str, ...]:
    if verdict.outcome != "sanitized":
        return tuple(reason.text for reason in verdict.blocking)
    return ()


def _evidence(record: SanitizationRecord, *fields: str) -> tuple[Evidence, ...]:
    found = []
    for field in fields:
        value: object = record
        for name in field.split("."):
            value = getattr(value, name)
        found.append(Evidence(field, str(value)))
    return tuple(found)


def _method(record: SanitizationRecord, method: Literal["clear", "purge"]) -> Claim:
    return _commanded(record, method) if by_drive(record.method.technique) else _overwritten(record)


def _commanded(record: SanitizationRecord, method: Literal["clear", "purge"]) -> Claim:
    done = record.method
    canaries = size_words(sum(one.bytes_written for one in done.passes))
    text = (
        f"The drive was given {deciding_words(record)}, accepted it, and reported by its own status that it was completed. "
        f"Canaries written before to {canaries} were gone afterwards. "
        f"{technique_words(done.technique)} on this medium reaches {METHOD_WORDS[method]}."
    )
    fields = (
        "device.media",
        "device.hidden_capacity",
        "method.technique",
        "method.pattern_set",
        "run.state",
        "run.touched",
    )
    sent = tuple(Evidence(f"method.commands[{n}]", command_words(one)) for n, one in enumerate(done.commands))
    return Claim(method, text, METHOD_CLAUSES[method], _evidence(record, *fields) + sent)


def _overwritten(record: SanitizationRecord) -> Claim:
    size = size_words(record.device.capacity_bytes)
    text = f"All {size} that this medium lets a host address were overwritten ({details_words(record)}). This reaches Clear."
    fields = (
        "device.capacity_bytes",
        "device.hidden_capacity",
        "method.technique",
        "method.pattern_set",
        "run.state",
        "run.touched",
    )
    passes = tuple(
        Evidence(f"method.passes[{n}].bytes_written", f"{one.bytes_written}")
        for n, one in enumerate(record.method.passes)
    )
    return Claim("clear", text, CLEAR_CLAUSE, _evidence(record, *fields) + passes)


_READBACK = (
    "verification.kind",
    "verification.expected",
    "verification.regions",
    "verification.bytes_read",
    "verification.direct_io",
)


def _held(record: SanitizationRecord) -> str:
    if not by_drive(record.method.technique):
        return "held exactly what was written last"
    content = content_words(record.verification.expected)
    return f"held no canary{f', and {content}' if content else '; what stands there instead is not defined'}"


def _full(record: SanitizationRecord) -> Claim:
    size = size_words(record.verification.bytes_read)
    text = f"All {size} were read back from the medium itself, bypassing the host's cache, and {_held(record)}."
    return Claim("verified-full", text, FULL_CLAUSE, _evidence(record, *_READBACK))


def _sampled(record: SanitizationRecord) -> Claim:
    check = record.verification
    text = (
        f"{check.regions:,} locations with {size_words(check.bytes_read)}, drawn by a number that the host could not "
        f"choose, were read back from the medium itself, bypassing the host's cache, and {_held(record)}."
    )
    fields = (*_READBACK, "verification.seed", "verification.regions_sha256", "order.nonce")
    return Claim("verified-representative", text, REPRESENTATIVE_CLAUSE, _evidence(record, *fields))


def _same(record: SanitizationRecord) -> Claim:
    text = (
        "The identity of the medium was read before the first write and again after the verification, and is the same."
    )
    fields = ("device.fingerprint", "run.identity_fingerprint_after")
    return Claim("same-medium", text, VERIFICATION_CLAUSE, _evidence(record, *fields))
