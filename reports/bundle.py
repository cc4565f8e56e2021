"""The files an auditor is given: everything needed to check one document offline, in one canonical JSON each.

- `sanitrail/destruction-bundle`: from order to certificate of one medium;
- `sanitrail/unsuccessful-run`: the same for a run that ends in no certificate;
- `sanitrail/erasure-statement`: a customer's statement with the bundles of all media it names.

Files of `/1` are read and checked for ever; files of `/2` are written. They differ in one thing: what the log's state rests on is
one field, the `anchor` (`anchor.py`), where `/1` had a single trust root and a checkpoint.

A file must equal its own canonical form, byte for byte, and every part of it is signed, logged or checked exactly, so that no
byte can be altered, added or left out unnoticed. Pure; who signed what is checked in `verify.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from .anchor import Anchor
from .canonical import MAX_BYTES, canonical, from_base64, parse_canonical, sha256_hex, to_base64
from .envelope import Envelope
from .errors import MalformedDocument, UnsupportedSchema
from .parts import StrictPart

DESTRUCTION_BUNDLE_1: Final = "sanitrail/destruction-bundle/1"
DESTRUCTION_BUNDLE: Final = "sanitrail/destruction-bundle/2"
UNSUCCESSFUL_RUN_BUNDLE_1: Final = "sanitrail/unsuccessful-run/1"
UNSUCCESSFUL_RUN_BUNDLE: Final = "sanitrail/unsuccessful-run/2"
ERASURE_STATEMENT_FILE_1: Final = "sanitrail/erasure-statement/1"
ERASURE_STATEMENT_FILE: Final = "sanitrail/erasure-statement/2"

ATTACHMENT_NAMES: dict[str, str] = {
    DESTRUCTION_BUNDLE_1: "destruction-bundle.json",
    DESTRUCTION_BUNDLE: "destruction-bundle.json",
    UNSUCCESSFUL_RUN_BUNDLE_1: "unsuccessful-run.json",
    UNSUCCESSFUL_RUN_BUNDLE: "unsuccessful-run.json",
    ERASURE_STATEMENT_FILE_1: "erasure-statement.json",
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


class Anchored:
    """Every file stands on an anchor: a field of its own, or made of the two that `/1` has."""

    if TYPE_CHECKING:

        @property
        def anchor(self) -> Anchor:
            """Why the log's state is to be believed."""


@dataclass(frozen=True, kw_only=True)
class File(StrictPart, Anchored):
    """What all files have in common."""

    format: str

    def to_bytes(self) -> bytes:
        """The file: canonical JSON."""
        return canonical(self.to_dict())

    def digest(self) -> str:
        """SHA-256 of the file's bytes."""
        return sha256_hex(self.to_bytes())


class _First:
    """A file of `/1`: one trust root and the log's own lines."""

    if TYPE_CHECKING:
        trust_root: dict[str, Any]
        checkpoint: str

    @property
    def anchor(self) -> Anchor:
        """The two fields as an anchor."""
        return Anchor(trust_roots=(self.trust_root,), checkpoint=self.checkpoint)


@dataclass(frozen=True, kw_only=True)
class RunEvidence(File):
    """What the files about one run have in common, in the order in which it came about."""

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
    consistency: tuple[str, ...]
    """Proof from the checkpoint that the order names to the anchor's: base64 hashes (RFC 6962, 2.1.2)."""

    def consistency_hashes(self) -> tuple[bytes, ...]:
        """The consistency proof as bytes. Raises `MalformedDocument`."""
        return decode_hashes(self.consistency, "consistency")


@dataclass(frozen=True, kw_only=True)
class DestructionBundle(RunEvidence):
    """Everything about one sanitized medium."""

    validation: Logged
    certificate: Logged


@dataclass(frozen=True, kw_only=True)
class DestructionBundle1(_First, DestructionBundle):
    """As the first version wrote it."""

    format: Literal["sanitrail/destruction-bundle/1"] = DESTRUCTION_BUNDLE_1
    trust_root: dict[str, Any]
    checkpoint: str


@dataclass(frozen=True, kw_only=True)
class DestructionBundle2(DestructionBundle):
    """As it is written now."""

    format: Literal["sanitrail/destruction-bundle/2"] = DESTRUCTION_BUNDLE
    anchor: Anchor


@dataclass(frozen=True, kw_only=True)
class UnsuccessfulRunBundle(RunEvidence):
    """Everything about a run that ends in no certificate."""

    validation: Logged | None
    report: Logged
    """An envelope of kind `statement`."""


@dataclass(frozen=True, kw_only=True)
class UnsuccessfulRunBundle1(_First, UnsuccessfulRunBundle):
    """As the first version wrote it."""

    format: Literal["sanitrail/unsuccessful-run/1"] = UNSUCCESSFUL_RUN_BUNDLE_1
    trust_root: dict[str, Any]
    checkpoint: str


@dataclass(frozen=True, kw_only=True)
class UnsuccessfulRunBundle2(UnsuccessfulRunBundle):
    """As it is written now."""

    format: Literal["sanitrail/unsuccessful-run/2"] = UNSUCCESSFUL_RUN_BUNDLE
    anchor: Anchor


@dataclass(frozen=True, kw_only=True)
class EmbeddedBundle(StrictPart):
    """A destruction bundle inside a statement."""

    bundle: dict[str, Any]
    consistency: tuple[str, ...]
    """Proof from the bundle's checkpoint to the statement's: base64 hashes."""

    def destruction_bundle(self, where: str = "bundle") -> DestructionBundle:
        """The bundle, of whichever version. Raises `MalformedDocument`."""
        found = file_from_dict(self.bundle)
        if not isinstance(found, DestructionBundle):
            raise MalformedDocument(where, "not a destruction bundle")
        return found


@dataclass(frozen=True, kw_only=True)
class ErasureStatementFile(File):
    """A customer's statement and the evidence for every medium it names."""

    statement: Logged
    bundles: tuple[EmbeddedBundle, ...]
    """In the order in which the statement lists its media."""


@dataclass(frozen=True, kw_only=True)
class ErasureStatementFile1(_First, ErasureStatementFile):
    """As the first version wrote it."""

    format: Literal["sanitrail/erasure-statement/1"] = ERASURE_STATEMENT_FILE_1
    trust_root: dict[str, Any]
    checkpoint: str


@dataclass(frozen=True, kw_only=True)
class ErasureStatementFile2(ErasureStatementFile):
    """As it is written now."""

    format: Literal["sanitrail/erasure-statement/2"] = ERASURE_STATEMENT_FILE
    anchor: Anchor


EvidenceFile: TypeAlias = DestructionBundle | UnsuccessfulRunBundle | ErasureStatementFile
_FORMATS: Final[dict[str, type[EvidenceFile]]] = {
    DESTRUCTION_BUNDLE_1: DestructionBundle1,
    DESTRUCTION_BUNDLE: DestructionBundle2,
    UNSUCCESSFUL_RUN_BUNDLE_1: UnsuccessfulRunBundle1,
    UNSUCCESSFUL_RUN_BUNDLE: UnsuccessfulRunBundle2,
    ERASURE_STATEMENT_FILE_1: ErasureStatementFile1,
    ERASURE_STATEMENT_FILE: ErasureStatementFile2,
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
