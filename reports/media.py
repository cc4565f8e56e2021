"""Media in a document about many: one line each, the document that proves it, its evidence inside the file or beside. Pure.

A line says of a medium what its own certificate says, and nothing more; a medium without one has an outcome that is no success
and the reason in words. The signed statement names the digest of all lines, so that two thousand of them do not make it large.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from .canonical import digest_of
from .destruction import DestructionCertificate
from .errors import BrokenChain, MalformedDocument
from .language.speaker import ENGLISH, Said, said
from .parts import StrictPart
from .statements import Certificate
from .times import parse_instant

Outcome = Literal["sanitized", "destroyed", "failed", "missing", "waived", "open", "returned", "retained"]
PROVEN: Final = ("sanitized", "destroyed")
"""Outcomes that a medium's own document proves."""
EMBEDDED_BYTES: Final = 8 * 1024 * 1024
"""Evidence of all media together stays inside the file up to this size; beyond, it lies beside."""
MAX_MEDIA: Final = 2000
"""A lot of more is two lots: printing takes about 0.3 MB of memory and 20 ms a medium."""


@dataclass(frozen=True, kw_only=True)
class MediumLine(StrictPart):
    """One medium."""

    device: str
    """Its number in the inventory."""
    asset_tag: str
    manufacturer: str
    model: str
    serial: str
    fingerprint: str
    held: tuple[str, ...]
    """What it held, as far as the document is about that: `CRM production (primary)`."""
    outcome: Outcome
    method: str
    """clear, purge, destroy; empty where nothing is proven."""
    technique: str
    verification: str
    """Full, Representative sampling; empty where none."""
    document: str
    """Number of its certificate; empty where there is none."""
    issued: str
    document_sha256: str
    """Envelope digest of its certificate, as logged."""
    bundle_sha256: str
    """SHA-256 of the bytes of its evidence file."""
    exceptions: int
    """How many exceptions its certificate states."""
    reason: str
    """Why there is no certificate, in words."""


@dataclass(frozen=True, kw_only=True)
class Counts(StrictPart):
    """How many of how many."""

    total: int
    sanitized: int
    destroyed: int
    failed: int
    missing: int
    waived: int
    open: int
    returned: int
    retained: int


def sanitized_line(
    certificate: Certificate, *, device: str, held: Sequence[str], document_sha256: str, bundle_sha256: str
) -> MediumLine:
    """The line of a medium with a certificate of sanitization."""
    medium, done = certificate.medium, certificate.sanitization
    return MediumLine(
        device=device,
        asset_tag=medium.asset_tag,
        manufacturer=medium.manufacturer,
        model=medium.model,
        serial=medium.serial,
        fingerprint=medium.fingerprint,
        held=tuple(held),
        outcome="sanitized",
        method=done.method,
        technique=done.technique,
        verification=done.verification.partition(":")[0],
        document=certificate.number,
        issued=certificate.issued,
        document_sha256=document_sha256,
        bundle_sha256=bundle_sha256,
        exceptions=len(certificate.exceptions),
        reason="",
    )


def destroyed_line(
    certificate: DestructionCertificate, *, device: str, held: Sequence[str], document_sha256: str, bundle_sha256: str
) -> MediumLine:
    """The line of a medium with a certificate of physical destruction. Raises `BrokenChain` where it is only a report."""
    if not certificate.certified:
        raise BrokenChain("medium", f"{certificate.number} is a report and certifies nothing.")
    medium = certificate.facts.medium
    return MediumLine(
        device=device,
        asset_tag=medium.asset_tag,
        manufacturer=medium.manufacturer,
        model=medium.model,
        serial=medium.serial,
        fingerprint=medium.fingerprint,
        held=tuple(held),
        outcome="destroyed",
        method="destroy",
        technique=certificate.facts.technique,
        verification="",
        document=certificate.number,
        issued=certificate.issued,
        document_sha256=document_sha256,
        bundle_sha256=bundle_sha256,
        exceptions=len(certificate.exceptions),
        reason="",
    )


def count(lines: Sequence[MediumLine]) -> Counts:
    """How many of how many."""
    found = Counter(line.outcome for line in lines)
    return Counts(
        total=len(lines),
        sanitized=found["sanitized"],
        destroyed=found["destroyed"],
        failed=found["failed"],
        missing=found["missing"],
        waived=found["waived"],
        open=found["open"],
        returned=found["returned"],
        retained=found["retained"],
    )


def annex_digest(lines: Sequence[MediumLine]) -> str:
    """What the signed statement names."""
    return digest_of([line.to_dict() for line in lines])


def sound(lines: Sequence[MediumLine], allowed: Iterable[Outcome]) -> None:
    """Raise unless the lines fit together: each medium and document once, a proof where one is claimed and only there."""
    permitted = set(allowed)
    if not 1 <= len(lines) <= MAX_MEDIA:
        raise MalformedDocument("media", f"between 1 and {MAX_MEDIA} media")
    for name in ("device", "fingerprint", "document", "document_sha256", "bundle_sha256"):
        seen = Counter(str(getattr(line, name)) for line in lines)
        seen.pop("", None)
        twice = next((value for value, times in seen.items() if times > 1), None)
        if twice is not None:
            raise BrokenChain("media", f"{name.replace('_', ' ')} {twice[:40]} stands there twice.")
    for number, line in enumerate(lines, 1):
        if line.outcome not in permitted or not line.device:
            raise MalformedDocument(f"medium {number}", f"{line.outcome} has no place here, or it has no number")
        proofs = (line.document, line.document_sha256, line.bundle_sha256, line.method, line.issued)
        if line.outcome in PROVEN:
            if not all(proofs) or line.reason:
                raise BrokenChain(f"medium {number}", "it claims success without naming its certificate and evidence.")
            parse_instant(line.issued, f"medium {number}.issued")
        elif any(proofs) or not line.reason.strip():
            raise BrokenChain(f"medium {number}", "it is not proven, names evidence all the same, or gives no reason.")


def grouped_exceptions(found: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The exceptions of all certificates, the same ones counted together, the most frequent first."""
    times = Counter(text for one in found for text in one)
    ordered = sorted(times.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ENGLISH.tell(exception_said(count, text)) for text, count in ordered)


def exception_said(count: int, text: str) -> Said:
    """One exception and how many media it concerns."""
    return said("media.exception-one" if count == 1 else "media.exception-many", count=count, text=text)
