"""What a trust root says: versions, root keys, the log, witnesses, time-stamp authorities, the service's keys, the seal.

Two schemas. `/1` is one version without a history: its `pdf_signer` is the sealing certificate itself. `/2` names the version
before it, so that versions form a chain, and pins the authority that issues sealing certificates. Shapes only; who signed what,
and what must fit together, is checked in `trust.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from .canonical import sha256_hex, to_base64
from .envelope import Signer
from .parts import StrictPart

SCHEMA_1: Final = "sanitrail/trust-root/1"
SCHEMA: Final = "sanitrail/trust-root/2"
Role = Literal["acceptance", "enrolment"]


@dataclass(frozen=True, kw_only=True)
class LogIdentity(StrictPart):
    """The log: its name and its verifier keys, all of which sign every checkpoint."""

    origin: str
    vkeys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Witnesses(StrictPart):
    """Who watches that the log never forks, and how many of them a checkpoint needs to count as witnessed."""

    vkeys: tuple[str, ...] = ()
    """Verifier keys of type 4 (Ed25519 cosignature) or 6 (ML-DSA-44); one witness may have one of each under one name."""
    quorum: int = 0
    """Different names; 0 where there is no witness."""


@dataclass(frozen=True, kw_only=True)
class TimeAuthority(StrictPart):
    """Who may stamp checkpoints with the time (RFC 3161)."""

    name: str
    certificates: tuple[str, ...]
    """Base64 of DER X.509 certificates: what its stamps must lead back to."""
    policy: str
    """Object identifier that a stamp must name (RFC 3161, 2.4.2), in dotted form; empty for any."""


@dataclass(frozen=True, kw_only=True)
class RoleKey(StrictPart):
    """A key of the service and the log positions at which it counts: `from_index <= index < until_index`."""

    role: Role
    spki: str
    """Base64 of the DER SubjectPublicKeyInfo."""
    name: str
    from_index: int
    until_index: int | None


@dataclass(frozen=True, kw_only=True)
class PinnedCertificate(StrictPart):
    """A certificate that is trusted because it stands here."""

    certificate: str
    """Base64 of the DER X.509 certificate."""
    sha256: str
    """SHA-256 of the DER bytes, as viewers display it."""


@dataclass(frozen=True, kw_only=True)
class TrustRootBody1(StrictPart):
    """The payload of a trust root of the first schema."""

    schema: Literal["sanitrail/trust-root/1"] = SCHEMA_1
    version: int
    threshold: int
    """How many of the root keys must have signed."""
    root_keys: tuple[str, ...]
    """Base64 of DER SubjectPublicKeyInfos."""
    log: LogIdentity
    keys: tuple[RoleKey, ...]
    pdf_signer: PinnedCertificate
    """The certificate under which PDFs are sealed."""


@dataclass(frozen=True, kw_only=True)
class TrustRootBody(StrictPart):
    """The payload of a trust root."""

    schema: Literal["sanitrail/trust-root/2"] = SCHEMA
    version: int
    previous: str | None
    """Envelope digest of the version before; None in the first."""
    threshold: int
    """How many of the root keys must have signed; of the next version too, beside its own."""
    root_keys: tuple[str, ...]
    """Base64 of DER SubjectPublicKeyInfos."""
    log: LogIdentity
    witnesses: Witnesses
    time_authorities: tuple[TimeAuthority, ...]
    keys: tuple[RoleKey, ...]
    """Every key that ever counted stays, with the end it was given."""
    pdf_authority: PinnedCertificate
    """The authority that issues the certificates under which PDFs are sealed, directly."""
    issued: str
    """When it was proposed, RFC 3339."""


AnyTrustRootBody: TypeAlias = TrustRootBody1 | TrustRootBody


def role_key(role: Role, signer: Signer, name: str, from_index: int = 0) -> RoleKey:
    """Entry of a trust root for one of the service's keys."""
    return RoleKey(role=role, spki=to_base64(signer.public_key_der), name=name, from_index=from_index, until_index=None)


def pinned_certificate(certificate_der: bytes) -> PinnedCertificate:
    """Entry of a trust root for a certificate given as DER."""
    return PinnedCertificate(certificate=to_base64(certificate_der), sha256=sha256_hex(certificate_der))
