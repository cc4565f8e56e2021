"""What may be said about a record, and what must be said with it.

Each claim points at the fields it rests on and quotes the clause that defines its words; what the evidence does not carry is
refused with the reasons, and nothing follows from missing evidence. Wording is bounded on purpose: no document says "compliant",
"certified" or "unrecoverable", because a record shows what was done and found, not what every laboratory can never do. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from . import key_words
from .drive_words import command_words, content_words, deciding_words, not_reached, technique_words
from .errors import ClaimRefused
from .findings import content_of
from .findings.techniques import by_drive, by_keys
from .language import ENGLISH, Speaker
from .record import SanitizationRecord
from .verdict import Verdict, judge

ClaimCode = Literal["clear", "purge", "verified-full", "verified-representative", "same-medium"]

CLEAR_CLAUSE = "NIST SP 800-88 Rev. 2, 3.1.1"
PURGE_CLAUSE = "NIST SP 800-88 Rev. 2, 3.1.2"
VERIFICATION_CLAUSE = "NIST SP 800-88 Rev. 2, 4.5.1"

_LISTED_PASSES = 8
"""More passes than this are counted, not listed."""

METHOD_CLAUSES = {"clear": CLEAR_CLAUSE, "purge": PURGE_CLAUSE}


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


def derive(record: SanitizationRecord, speaker: Speaker = ENGLISH) -> Claims:
    """The claims that follow from a record, in the speaker's language. What is signed is in English."""
    verdict = judge(record)
    granted: list[Claim] = []
    refused: list[Refusal] = []
    for code, claim, missing in (
        ("clear", _method(record, "clear", speaker), _missing_method(record, verdict, "clear")),
        ("purge", _method(record, "purge", speaker), _missing_method(record, verdict, "purge")),
        ("verified-full", _full(record, speaker), _missing_coverage(verdict, "full")),
        ("verified-representative", _sampled(record, speaker), _missing_coverage(verdict, "representative")),
        ("same-medium", _same(record, speaker), _missing_identity(verdict)),
    ):
        if claim is not None and not missing:
            granted.append(claim)
        else:
            refused.append(Refusal(code, missing or ("No evidence of this kind is in the record.",)))  # type: ignore[arg-type]  # a str of the tuple above
    exceptions = tuple(speaker.tell(reason.said) for reason in verdict.reasons)
    limits = (*not_reached(record, speaker), speaker.say("claims.signature-proves"), speaker.say("claims.other-media"))
    return Claims(verdict, tuple(granted), tuple(refused), exceptions, limits)


def grant(record: SanitizationRecord, code: ClaimCode) -> Claim:
    """One claim about a record. Raises `ClaimRefused` with what is missing."""
    return derive(record).find(code)


def size_words(count: int) -> str:
    """Bytes for people: the exact number, and the customary unit. In English."""
    return ENGLISH.size(count)


def pattern_words(pattern: str, speaker: Speaker = ENGLISH) -> str:
    """The content of a pass for people."""
    content = content_of(pattern)
    if content in {"00", "ff", "keyed-stream"}:
        return speaker.say(f"claims.pattern-{content}")
    return speaker.say("claims.pattern-fixed", bytes=content.upper())


def details_words(record: SanitizationRecord, speaker: Speaker = ENGLISH) -> str:
    """What the passes were: `1 pass: zeros`; or the commands that did the work."""
    passes, name = record.method.passes, record.method.pattern_set
    if by_drive(record.method.technique):
        canaries = speaker.size(sum(one.bytes_written for one in passes))
        return speaker.say("claims.details-commands", commands=deciding_words(record, speaker), canaries=canaries)
    count = speaker.count("claims.passes", len(passes))
    if len(passes) <= _LISTED_PASSES:
        listed = ", ".join(pattern_words(one.pattern, speaker) for one in passes)
        count = speaker.say("claims.passes-listed", passes=count, listed=listed)
    if by_keys(record.method.technique):
        return key_words.details(record, count, speaker)
    simple = len(passes) == 1 and content_of(name) == content_of(passes[0].pattern)
    return count if simple else speaker.say("claims.details-set", passes=count, name=name)


def verification_words(record: SanitizationRecord, speaker: Speaker = ENGLISH) -> str:
    """How the result was verified, in the words of SP 800-88 Rev. 1, 4.7.3."""
    check = record.verification
    commanded = by_drive(record.method.technique)
    if by_keys(record.method.technique) and check.kind in {"full", "representative"}:
        return key_words.verification(record, speaker)
    if check.kind == "full":
        compared = _searched(record, speaker) if commanded else speaker.say("claims.compared")
        return speaker.say("claims.verified-full", compared=compared)
    if check.kind == "representative":
        share = check.bytes_read * 100 // max(record.device.capacity_bytes, 1)
        if commanded:
            compared = _searched(record, speaker)
            return speaker.say("claims.verified-searched", count=check.regions, share=share, compared=compared)
        return speaker.say("claims.verified-samples", count=check.regions, share=share)
    return speaker.word("coverage", "none")


def _searched(record: SanitizationRecord, speaker: Speaker) -> str:
    """What the read-back after a drive's own command looked for."""
    content = content_words(record.verification.expected, speaker)
    return speaker.say("claims.searched-for", content=content) if content else speaker.say("claims.searched")


def _missing_method(record: SanitizationRecord, verdict: Verdict, method: str) -> tuple[str, ...]:
    if verdict.outcome != "sanitized":
        return tuple(reason.text for reason in verdict.blocking)
    overwritten = not (by_drive(record.method.technique) or by_keys(record.method.technique))
    if method == "purge" and verdict.method != "purge" and overwritten:
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


def _method(record: SanitizationRecord, method: Literal["clear", "purge"], speaker: Speaker) -> Claim:
    if by_keys(record.method.technique):
        return _keys_destroyed(record, method, speaker)
    return _commanded(record, method, speaker) if by_drive(record.method.technique) else _overwritten(record, speaker)


def _keys_destroyed(record: SanitizationRecord, method: Literal["clear", "purge"], speaker: Speaker) -> Claim:
    shown = key_words.FIELDS if record.method.key_erasure is not None else ()
    fields = ("device.media", "device.hidden_capacity", "method.technique", *shown, "run.state", "run.touched")
    text = key_words.claim(record, method, speaker)
    return Claim(method, text, METHOD_CLAUSES[method], _evidence(record, *fields))


def _commanded(record: SanitizationRecord, method: Literal["clear", "purge"], speaker: Speaker) -> Claim:
    done = record.method
    text = speaker.say(
        "claims.commanded",
        commands=deciding_words(record, speaker),
        canaries=speaker.size(sum(one.bytes_written for one in done.passes)),
        technique=technique_words(done.technique, speaker),
        method=speaker.word("method", method),
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


def _overwritten(record: SanitizationRecord, speaker: Speaker) -> Claim:
    size = speaker.size(record.device.capacity_bytes)
    text = speaker.say("claims.overwritten", size=size, details=details_words(record, speaker))
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


def _held(record: SanitizationRecord, speaker: Speaker) -> str:
    if by_keys(record.method.technique):
        return key_words.held(speaker)
    if not by_drive(record.method.technique):
        return speaker.say("claims.held-written")
    content = content_words(record.verification.expected, speaker)
    return speaker.say("claims.held-content", content=content) if content else speaker.say("claims.held-undefined")


def _full(record: SanitizationRecord, speaker: Speaker) -> Claim:
    size = speaker.size(record.verification.bytes_read)
    text = speaker.say("claims.read-back-full", size=size, held=_held(record, speaker))
    clause = speaker.say("claims.clause-full", clause=VERIFICATION_CLAUSE)
    return Claim("verified-full", text, clause, _evidence(record, *_READBACK))


def _sampled(record: SanitizationRecord, speaker: Speaker) -> Claim:
    check = record.verification
    text = speaker.say(
        "claims.read-back-samples",
        count=check.regions,
        size=speaker.size(check.bytes_read),
        held=_held(record, speaker),
    )
    fields = (*_READBACK, "verification.seed", "verification.regions_sha256", "order.nonce")
    clause = speaker.say("claims.clause-representative", clause=VERIFICATION_CLAUSE)
    return Claim("verified-representative", text, clause, _evidence(record, *fields))


def _same(record: SanitizationRecord, speaker: Speaker) -> Claim:
    fields = ("device.fingerprint", "run.identity_fingerprint_after")
    return Claim("same-medium", speaker.say("claims.same-medium"), VERIFICATION_CLAUSE, _evidence(record, *fields))
