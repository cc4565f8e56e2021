"""Every evidence file known here: those of `bundle`, and the documents about many media or about a destruction.

- `sanitrail/lot-certificate/1`: a lot, one line a medium, each medium's certificate, its evidence inside or beside;
- `sanitrail/processor-statement/1`: a processor's statement under Art. 28(3)(g) GDPR, media as in a lot;
- `sanitrail/destruction-certificate/1`: what people attest of a physical destruction, with their own signatures;
- `sanitrail/sample/1`: which media of a closed lot are examined again, and what the draw follows from; it has no pages;
- `sanitrail/balance-sheet/1`: a closed balance with the sheet it was counted from; it has no pages either.

As there: a file must equal its own canonical form, and every part of it is signed, logged or checked exactly. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from . import bundle
from .anchor import Anchor
from .balance import BalanceLine, SheetDevice
from .bundle import File, Logged, decode_hashes
from .canonical import MAX_BYTES, parse_canonical
from .errors import MalformedDocument
from .media import MediumLine
from .parts import StrictPart

LOT_FILE: Final = "sanitrail/lot-certificate/1"
PROCESSOR_FILE: Final = "sanitrail/processor-statement/1"
DESTRUCTION_FILE: Final = "sanitrail/destruction-certificate/1"
SAMPLE_FILE: Final = "sanitrail/sample/1"
BALANCE_FILE: Final = "sanitrail/balance-sheet/1"

ATTACHMENT_NAMES: Final[dict[str, str]] = {
    **bundle.ATTACHMENT_NAMES,
    LOT_FILE: "lot-certificate.json",
    PROCESSOR_FILE: "processor-statement.json",
    DESTRUCTION_FILE: "destruction-certificate.json",
    SAMPLE_FILE: "sample.json",
    BALANCE_FILE: "balance-sheet.json",
}
"""Under which name each file is attached to its PDF."""


@dataclass(frozen=True, kw_only=True)
class Member(StrictPart):
    """The document that proves one medium of several."""

    document: Logged
    """Its certificate: of sanitization (kind `certificate`) or of destruction (kind `statement`)."""
    consistency: tuple[str, ...]
    """Proof from the checkpoint of its own evidence file to this file's: base64 hashes."""
    bundle: dict[str, Any] | None
    """Its evidence file; None where it lies beside."""

    def consistency_hashes(self, where: str) -> tuple[bytes, ...]:
        """The consistency proof as bytes. Raises `MalformedDocument`."""
        return decode_hashes(self.consistency, where)


@dataclass(frozen=True, kw_only=True)
class LotFile(File):
    """A lot."""

    format: Literal["sanitrail/lot-certificate/1"] = LOT_FILE
    anchor: Anchor
    statement: Logged
    annex: tuple[MediumLine, ...]
    members: tuple[Member, ...]
    """One for each proven line, in the order of the annex."""


@dataclass(frozen=True, kw_only=True)
class ProcessorFile(File):
    """A processor's statement."""

    format: Literal["sanitrail/processor-statement/1"] = PROCESSOR_FILE
    anchor: Anchor
    key_events: tuple[Logged, ...]
    """Of the responsible person's key, in log order."""
    earlier_rosters: tuple[Logged, ...]
    roster: Logged
    """Who was appointed when the person signed."""
    signatures: tuple[dict[str, Any], ...]
    statement: Logged
    annex: tuple[MediumLine, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True, kw_only=True)
class Identity(StrictPart):
    """An agent's own record of the medium, from before it was destroyed."""

    record: dict[str, Any]
    acceptance: Logged


@dataclass(frozen=True, kw_only=True)
class DestructionFile(File):
    """A physical destruction."""

    format: Literal["sanitrail/destruction-certificate/1"] = DESTRUCTION_FILE
    anchor: Anchor
    key_events: tuple[Logged, ...]
    """Of the people who signed, and of the agent whose record shows the identity, in log order."""
    earlier_rosters: tuple[Logged, ...]
    roster: Logged | None
    """None where nobody signed."""
    signatures: tuple[dict[str, Any], ...]
    """Witness, second person."""
    identity: Identity | None
    statement: Logged


@dataclass(frozen=True, kw_only=True)
class SampleFile(File):
    """The draw of a sample."""

    format: Literal["sanitrail/sample/1"] = SAMPLE_FILE
    anchor: Anchor
    closing: Logged
    """The signed closing of the lot (`custody.LotClosing`)."""
    statement: Logged
    """What was drawn (`sampling.SampleDrawn`)."""
    seed_proof: tuple[str, ...]
    """Consistency proof from the log at the closing to the anchor's checkpoint: base64 hashes."""


@dataclass(frozen=True, kw_only=True)
class BalanceFile(File):
    """A balance that was closed."""

    format: Literal["sanitrail/balance-sheet/1"] = BALANCE_FILE
    anchor: Anchor
    statement: Logged
    """The signed closing (`balance.CountedBalance`; of older ones `balance.BalanceStatement`)."""
    before: Logged | None
    """The closing of the period right before, where there was one."""
    lines: tuple[BalanceLine, ...]
    """What did not agree, each answered."""
    devices: tuple[SheetDevice, ...] | None
    """The sheet, by number of the device; None where none was signed, or where it is too long for one file."""


EvidenceFile: TypeAlias = bundle.EvidenceFile | LotFile | ProcessorFile | DestructionFile | SampleFile | BalanceFile
_FORMATS: Final[dict[str, type[LotFile | ProcessorFile | DestructionFile | SampleFile | BalanceFile]]] = {
    LOT_FILE: LotFile,
    PROCESSOR_FILE: ProcessorFile,
    DESTRUCTION_FILE: DestructionFile,
    SAMPLE_FILE: SampleFile,
    BALANCE_FILE: BalanceFile,
}


def read_file(data: bytes, *, max_bytes: int = MAX_BYTES) -> EvidenceFile:
    """Read a file of any known format.

    Raises:
        UnsupportedSchema: JSON, but of no format known here.
        MalformedDocument: not its canonical form, or not of the format it names.
    """
    return file_from_dict(parse_canonical(data, "file", max_bytes=max_bytes))


def file_from_dict(value: object) -> EvidenceFile:
    """As `read_file`, from the parsed object."""
    if not isinstance(value, Mapping):
        raise MalformedDocument("file", "not an object")
    name = value.get("format")
    known = _FORMATS.get(name) if isinstance(name, str) else None
    return bundle.file_from_dict(value) if known is None else known.from_dict(value, "file")
