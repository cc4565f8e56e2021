"""What stands in an audit pack: the statements in it, the names of its members, and how its sample is drawn. Pure.

The order of members is fixed: `pack.json`, `log/`, `devices/` (each device's documents, then its account), other documents,
policies, draws and balances in `samples/` and `balances/`, tables, `sampling.jsonl`, `manifest.json`, `seal.json`. So a reader
judges each device as it comes and remembers nothing but sums.
"""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass
from typing import Any, Final, Literal

from reports.anchor import Anchor, LoggedStamp
from reports.bundle import Logged
from reports.canonical import canonical
from reports.parts import StrictPart
from reports.statements import Organization
from reports.tlog import Checkpoint

PACK: Final = "sanitrail/audit-pack/1"
ACCOUNT: Final = "sanitrail/audit-pack-account/1"
PACK_STATEMENT: Final = "sanitrail/audit-pack-statement/1"
PACK_SEAL: Final = "sanitrail/audit-pack-seal/1"

HEAD_NAME: Final = "pack.json"
MANIFEST_NAME: Final = "manifest.json"
SEAL_NAME: Final = "seal.json"
SAMPLE_NAME: Final = "sampling.jsonl"
LOG_FOLDER: Final = "log/"
DEVICE_FOLDER: Final = "devices/"
DOCUMENT_FOLDER: Final = "documents/"
REPEATED_FOLDERS: Final = {"samples/": "sample", "balances/": "balance"}
"""Folders of files that the verifier repeats, and what each of them must be; not counted among the documents."""
ACCOUNT_NAME: Final = "account.json"

MANIFEST_BEGIN: Final = b'{"format":"sanitrail/audit-pack-manifest/1","members":['
MANIFEST_END: Final = b"]}"

MAX_SAMPLE: Final = 10_000
SAMPLE_SHARE: Final = 20
"""One device in so many (5 %, as R2v3 asks of routine checks), and at least `SAMPLE_LEAST`."""
SAMPLE_LEAST: Final = 3

Names = Literal["full", "pseudonyms"]
Documents = Literal["all", "bundles", "none"]
ScopeKind = Literal["lot", "case", "site", "period"]
AccountWord = Literal["sanitized", "destroyed", "released", "held", "merged", "unaccounted"]
"""What became of a device: `held` is still here; `merged` is a declaration about another row; `unaccounted` needs a person."""


@dataclass(frozen=True, kw_only=True)
class Scope(StrictPart):
    """What the pack is about."""

    kind: ScopeKind
    reference: str
    """Number of the lot, case or location; empty for a period."""
    words: str
    begin: str
    """Of a period; empty otherwise."""
    end: str


@dataclass(frozen=True, kw_only=True)
class Sampling(StrictPart):
    """How the sample is drawn: nobody can choose it, and everybody can draw it again."""

    size: int
    word: str
    """Whoever is to be convinced may give a word of their own; then not even the log's owner could prefer a checkpoint."""


@dataclass(frozen=True, kw_only=True)
class PackHead(StrictPart):
    """The first member: what the pack is about, and the signed state of the log its proofs are against."""

    format: Literal["sanitrail/audit-pack/1"] = PACK
    number: str
    requested: str
    requested_by: str
    """Pseudonym."""
    organization: Organization
    scope: Scope
    names: Names
    """`pseudonyms`: tables name people by reference only; signed documents name them as they were signed."""
    documents: Documents
    devices: int
    sampling: Sampling
    anchor: Anchor


@dataclass(frozen=True, kw_only=True)
class AccountDevice(StrictPart):
    """The medium as the inventory knows it."""

    id: str
    asset_tag: str
    manufacturer: str
    model: str
    serial: str
    media_type: str
    capacity_bytes: int | None
    fingerprint: str
    """Empty while no agent has seen it."""


@dataclass(frozen=True, kw_only=True)
class AccountDocument(StrictPart):
    """A document about the device."""

    number: str
    kind: str
    """As the verifier calls it."""
    evidence_sha256: str | None
    """None while its files are still to be made."""
    pdf_sha256: str | None
    standing: Literal["in-force", "void", "superseded"]


@dataclass(frozen=True, kw_only=True)
class AccountException(StrictPart):
    """Something about the device that a person must answer for."""

    code: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class HistoryLine(StrictPart):
    """One event of the inventory's history."""

    id: int
    time: str
    event: str
    actor: str
    subject: str
    order: str
    reason: str
    details: str


@dataclass(frozen=True, kw_only=True)
class Account(StrictPart):
    """What became of one device of the scope."""

    format: Literal["sanitrail/audit-pack-account/1"] = ACCOUNT
    device: AccountDevice
    state: str
    place: str
    account: AccountWord
    sentence: str
    documents: tuple[AccountDocument, ...]
    exceptions: tuple[AccountException, ...]
    custody: tuple[Logged, ...]
    """Logged custody events, oldest first, each naming the one before."""
    history: tuple[HistoryLine, ...]


@dataclass(frozen=True, kw_only=True)
class LoggedLine(StrictPart):
    """One line of a file in `log/`."""

    kind: str
    index: int
    envelope: dict[str, Any]
    proof: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StampLine(LoggedStamp):
    """The line of a time-stamp, which is no envelope: the token itself, by whose authority."""

    kind: Literal["time-stamp"] = "time-stamp"


@dataclass(frozen=True, kw_only=True)
class PackStatement(StrictPart):
    """The logged statement that closes a pack: nothing can be added to it, taken out of it, or altered."""

    schema: Literal["sanitrail/audit-pack-statement/1"] = PACK_STATEMENT
    number: str
    organization: Organization
    scope: Scope
    head_sha256: str
    manifest_sha256: str
    content_sha256: str
    """Of every byte of the archive before the entry of `seal.json`."""
    content_bytes: int
    members: int
    """Listed in the manifest."""
    devices: int
    accounted: int
    exceptions: int
    """Devices with at least one."""
    documents: int


@dataclass(frozen=True, kw_only=True)
class PackSeal(StrictPart):
    """The last member: the statement, its place in the log, and that this log continues the one of the head."""

    format: Literal["sanitrail/audit-pack-seal/1"] = PACK_SEAL
    anchor: Anchor
    consistency: tuple[str, ...]
    statement: Logged


class Manifest:
    """The bytes of `manifest.json`, or their digest, member by member."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(MANIFEST_BEGIN)
        self.members = 0

    def line(self, name: str, sha256: str, size: int) -> bytes:
        """The next member's entry as the manifest writes it."""
        entry = canonical({"bytes": size, "name": name, "sha256": sha256})
        written = b"," + entry if self.members else entry
        self._hash.update(written)
        self.members += 1
        return written

    def digest(self) -> str:
        """SHA-256 of the whole file."""
        found = self._hash.copy()
        found.update(MANIFEST_END)
        return found.hexdigest()


def sample_size(devices: int) -> int:
    """How many of so many devices are drawn."""
    return min(devices, MAX_SAMPLE, max(SAMPLE_LEAST, -(-devices // SAMPLE_SHARE)))


class Sample:
    """The devices with the lowest lots; each device's lot is a hash of the log's state, a word, and its number."""

    def __init__(self, checkpoint: Checkpoint, sampling: Sampling) -> None:
        text = f"sanitrail/audit-sample/1\n{checkpoint.text}{sampling.word}\n"
        self._seed = hashlib.sha256(text.encode()).digest()
        self._size = sampling.size
        self._drawn: list[tuple[int, str]] = []

    def offer(self, device: str) -> None:
        """One more device of the scope."""
        lot = int.from_bytes(hashlib.sha256(self._seed + device.encode()).digest())
        if len(self._drawn) < self._size:
            heapq.heappush(self._drawn, (-lot, device))
        elif self._size and -lot > self._drawn[0][0]:
            heapq.heapreplace(self._drawn, (-lot, device))

    def drawn(self) -> list[tuple[str, str]]:
        """Device and lot (hexadecimal), lowest first."""
        return [(device, f"{-lot:064x}") for lot, device in sorted(self._drawn, reverse=True)]

    def to_bytes(self) -> bytes:
        """The member `sampling.jsonl`."""
        return b"".join(canonical({"device": device, "lot": lot}) + b"\n" for device, lot in self.drawn())
