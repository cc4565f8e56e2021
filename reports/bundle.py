"""The files an auditor is given: everything needed to check one document offline, in one canonical JSON each.

- `sanitrail/destruction-bundle/1`: from order to certificate of one medium;
- `sanitrail/unsuccessful-run/1`: the same for a run that ends in no certificate;
- `sanitrail/erasure-statement/1`: a customer's statement with the bundles of all media it names.

A file must equal its own canonical form, byte for byte, and every part of it is signed, logged or checked exactly, so that no
byte can be altered, added or left out unnoticed. Pure; who signed what is checked in `verify.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from .canonical import MAX_BYTES, canonical, from_base64, parse_canonical, sha256_hex, to_base64
from .envelope import Envelope
from .errors import MalformedDocument, UnsupportedSchema
from .parts import StrictPart

DESTRUCTION_BUNDLE: Final = "sanitrail/destruction-bundle/1"
UNSUCCESSFUL_RUN_BUNDLE: Final = "sanitrail/unsuccessful-run/1"
ERASURE_STATEMENT_FILE: Final = "sanitrail/erasure-statement/1"

ATTACHMENT_NAMES: dict[str, str] = {
    DESTRUCTION_BUNDLE: "destruction-bundle.json",
    UNSUCCESSFUL_RUN_BUNDLE: "unsuccessful-run.json",
    ERASURE_STATEMENT_FILE: "erasure-statement.json",
}
"""Under which name each file is attached to its PDF."""


@dataclass(frozen=True, kw_only=True)
class Logged(StrictPart):
    """An envelope and its place in the log."""

    envelope: dict[str, Any]
    index: int
    proof: tuple[str, ...]
    """Inclusion proof against the file's checkpoint: base64 hashes (RFC 6962, 2.1.1)."""

    def hashes(self, where: str) -> tuple[bytes, ...]:
        """The proof as bytes. Raises `MalformedDocument`."""
        return decode_hashes(self.proof, where)


@dataclass(frozen=True, kw_only=True)
class _File(StrictPart):
    def to_bytes(self) -> bytes:
        """The file: canonical JSON."""
        return canonical(self.to_dict())

    def digest(self) -> str:
        """SHA-256 of the file's bytes."""
        return sha256_hex(self.to_bytes())


@dataclass(frozen=True, kw_only=True)
class RunEvidence(_File):
    """What the files about one run have in common, in the order in which it came about."""

    trust_root: dict[str, Any]
    key_events: tuple[Logged, ...]
    """Of the keys that signed here, in log order."""
    earlier_rosters: tuple[Logged, ...]
    """From the first roster on; empty where `roster` is the first."""
    roster: Logged
    """Who could approve when the order was approved."""
    order: dict[str, Any]
    approvals: tuple[dict[str, Any], ...]
    record: dict[str, Any]
    acceptance: Logged
    checkpoint: str
    """The signed state of the log against which every proof here is made."""
    consistency: tuple[str, ...]
    """Proof from the checkpoint that the order names to `checkpoint`: base64 hashes (RFC 6962, 2.1.2)."""

    def consistency_hashes(self) -> tuple[bytes, ...]:
        """The consistency proof as bytes. Raises `MalformedDocument`."""
        return decode_hashes(self.consistency, "consistency")


@dataclass(frozen=True, kw_only=True)
class DestructionBundle(RunEvidence):
    """Everything about one sanitized medium."""

    format: Literal["sanitrail/destruction-bundle/1"] = DESTRUCTION_BUNDLE
    validation: Logged
    certificate: Logged


@dataclass(frozen=True, kw_only=True)
class UnsuccessfulRunBundle(RunEvidence):
    """Everything about a run that ends in no certificate."""

    format: Literal["sanitrail/unsuccessful-run/1"] = UNSUCCESSFUL_RUN_BUNDLE
    validation: Logged | None
    report: Logged
    """An envelope of kind `statement`."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedBundle(StrictPart):
    """A destruction bundle inside a statement."""

    bundle: dict[str, Any]
    consistency: tuple[str, ...]
    """Proof from the bundle's checkpoint to the statement's: base64 hashes."""


@dataclass(frozen=True, kw_only=True)
class ErasureStatementFile(_File):
    """A customer's statement and the evidence for every medium it names."""

    format: Literal["sanitrail/erasure-statement/1"] = ERASURE_STATEMENT_FILE
    trust_root: dict[str, Any]
    statement: Logged
    bundles: tuple[EmbeddedBundle, ...]
    """In the order in which the statement lists its media."""
    checkpoint: str


EvidenceFile: TypeAlias = DestructionBundle | UnsuccessfulRunBundle | ErasureStatementFile
_FORMATS: dict[str, type[DestructionBundle | UnsuccessfulRunBundle | ErasureStatementFile]] = {
    DESTRUCTION_BUNDLE: DestructionBundle,
    UNSUCCESSFUL_RUN_BUNDLE: UnsuccessfulRunBundle,
    ERASURE_STATEMENT_FILE: ErasureStatementFile,
}


def logged(envelope: Envelope, index: int, proof: Sequence[bytes]) -> Logged:
    """An envelope with its place in the log, for building a file."""
    return Logged(envelope=dict(envelope), index=index, proof=encode_hashes(proof))


def encode_hashes(proof: Sequence[bytes]) -> tuple[str, ...]:
    """Hashes as a file writes them."""
    return tuple(to_base64(item) for item in proof)


def decode_hashes(proof: Sequence[str], where: str) -> tuple[bytes, ...]:
    """Hashes as a file writes them, read strictly."""
    return tuple(from_base64(item, where) for item in proof)


def read_file(data: bytes, *, max_bytes: int = MAX_BYTES) -> EvidenceFile:
    """Read a file of any known format.

    Raises:
        UnsupportedSchema: JSON, but of no format known here.
        MalformedDocument: not its canonical form, or not of the format it names.
    """
    return file_from_dict(parse_canonical(data, "file", max_bytes=max_bytes))


def file_from_dict(value: object) -> EvidenceFile:
    """As `read_file`, from the parsed object (a bundle embedded in a statement)."""
    if not isinstance(value, Mapping):
        raise MalformedDocument("file", "not an object")
    name = value.get("format")
    known = _FORMATS.get(name) if isinstance(name, str) else None
    if known is None:
        raise UnsupportedSchema("file.format", str(name))
    return known.from_dict(value, "file")
