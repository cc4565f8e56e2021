"""Renewed time: a newer state of the log, stamped again, and proof that it contains the states that older files rest on.

Stamps and certificates age, and so do the algorithms under them. Once a year the newest checkpoint is stamped under present ones,
and since the log only grows, that one stamp covers every record in it (RFC 4998: the idea, without a file for each document). The
old file stays as it is. This one file, for all of them, is held beside it: `sanitrail-verify --renewals FILE`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from .anchor import Anchor, OpenedAnchor, open_anchor
from .bundle import File, decode_hashes, encode_hashes
from .canonical import parse_canonical
from .errors import BrokenChain, MalformedDocument, UnsupportedSchema
from .parts import StrictPart
from .times import for_people, format_instant
from .timestamps import StampTime
from .tlog import verify_consistency
from .tlog.checkpoint import Checkpoint
from .trust import TrustRoot

FORMAT: Final = "sanitrail/renewals/1"
_WHAT: Final = "renewals"


@dataclass(frozen=True, kw_only=True)
class RenewalPath(StrictPart):
    """From one earlier checkpoint to the file's."""

    size: int
    """Entries of the earlier one."""
    nodes: tuple[int, ...]
    """The consistency proof (RFC 6962, 2.1.2), each hash as its place in `hashes`."""


@dataclass(frozen=True, kw_only=True)
class RenewalsFile(File):
    """A newer anchor, and the ways to it."""

    format: Literal["sanitrail/renewals/1"] = FORMAT
    anchor: Anchor
    hashes: tuple[str, ...]
    """Base64, each once, in the order in which the paths first need them."""
    paths: tuple[RenewalPath, ...]
    """By size, growing."""


@dataclass(frozen=True)
class Renewals:
    """A renewals file that holds."""

    opened: OpenedAnchor
    hashes: tuple[bytes, ...]
    paths: Mapping[int, tuple[int, ...]]

    @cached_property
    def stamp(self) -> StampTime:
        """The stamp that shows soonest that the newer state existed."""
        return min(self.opened.times, key=lambda one: one.latest)

    @property
    def words(self) -> str:
        """When the newer state was stamped, and by whom."""
        return f"{for_people(format_instant(self.stamp.latest))} (time-stamped by {self.stamp.authority})"

    def covers(self, checkpoint: Checkpoint, roots: Sequence[TrustRoot]) -> bool:
        """Whether a file's state of the log is contained in the newer one; False where it is younger, and needs no renewal.

        Args:
            checkpoint: the file's.
            roots: the file's versions of the trust root.

        Raises:
            BrokenChain: it is not: another log, another trust root, another history; or these renewals say nothing about it.
        """
        newer = self.opened.checkpoint
        pins = [root.pin for root in roots]
        common = min(len(pins), len(self.opened.roots))
        if checkpoint.origin != newer.origin or pins[:common] != [root.pin for root in self.opened.roots[:common]]:
            raise BrokenChain(_WHAT, "they are of another log, or rest on another trust root.")
        if checkpoint.size > newer.size:
            return False
        if checkpoint.size < newer.size and checkpoint.size not in self.paths:
            raise BrokenChain(_WHAT, f"they say nothing about the log's state of {checkpoint.size} entries.")
        proof = tuple(self.hashes[place] for place in self.paths.get(checkpoint.size, ()))
        verify_consistency(checkpoint.size, newer.size, checkpoint.root, newer.root, proof)
        return True


def build_renewals(anchor: Anchor, proofs: Mapping[int, Sequence[bytes]]) -> RenewalsFile:
    """The file for the consistency proofs of earlier sizes, each hash written once."""
    places: dict[bytes, int] = {}
    paths = tuple(
        RenewalPath(size=size, nodes=tuple(places.setdefault(node, len(places)) for node in proof))
        for size, proof in sorted(proofs.items())
    )
    return RenewalsFile(anchor=anchor, hashes=encode_hashes(tuple(places)), paths=paths)


def read_renewals(data: bytes, pin: str) -> Renewals:
    """Read and check a renewals file under a pin.

    Raises:
        UnsupportedSchema: of another format.
        MalformedDocument: not its canonical form, or it contradicts itself.
        BrokenChain: it carries no stamp.
        ReportError: the anchor does not hold, as `open_anchor`.
    """
    value = parse_canonical(data, _WHAT)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise UnsupportedSchema("renewals.format", str(value.get("format") if isinstance(value, dict) else ""))
    file = RenewalsFile.from_dict(value, _WHAT)
    opened = open_anchor(file.anchor, pin)
    if not opened.times:
        raise BrokenChain(_WHAT, "no time-stamp authority has stamped their state of the log.")
    sizes = [path.size for path in file.paths]
    if sizes != sorted(set(sizes)) or not all(0 < size < opened.checkpoint.size for size in sizes):
        raise MalformedDocument(_WHAT, "the paths are not in order, or lead nowhere")
    first_uses = list(dict.fromkeys(place for path in file.paths for place in path.nodes))
    if first_uses != list(range(len(file.hashes))):
        raise MalformedDocument(_WHAT, "a hash is missing, or nobody needs it")
    hashes = decode_hashes(file.hashes, "renewals.hashes")
    if len(set(hashes)) != len(hashes):
        raise MalformedDocument(_WHAT, "the same hash twice")
    return Renewals(opened, hashes, {path.size: path.nodes for path in file.paths})
