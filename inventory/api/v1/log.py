"""The log, as anybody may ask it. Digests only: nothing public here tells a serial number or a name."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints

from inventory.api.dispatch import Call
from inventory.api.endpoint import PUBLIC, File, Noun, people
from inventory.api.paging import Paging
from inventory.contract.v1 import endpoints
from inventory.contract.v1.common import Base64, Bytes, Message, Sha256
from inventory.contract.v1.log import ConsistencyProof, TrustRootChain
from inventory.domain.roles import Permission
from inventory.errors import Invalid, NotFound
from inventory.services import transparency
from inventory.services.views import LogEntryView, Page, TrustView
from reports.canonical import canonical
from reports.tlog.folder import pack_entries

noun = Noun("log", "The append-only log: checkpoints, proofs and tiles, readable by everybody.")
root_noun = Noun("trust-root", "What a verifier pins.", prefix="")

_EVIDENCE = people(Permission.READ_EVIDENCE)
_INDEX = r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
_TILE = re.compile(_INDEX)
_TILE_WIDTH = 256
_MAX_INDEX_GROUPS = 5
_FOR_EVER = "public, max-age=31536000, immutable"
"""tlog-tiles: what is served under such an address never changes."""


class Range(Message):
    """Two sizes of the tree."""

    old: Bytes
    new: Bytes


class Place(Message):
    """One entry in a tree of a size."""

    index: Bytes
    size: Bytes


class InclusionProof(Message):
    """Hashes that prove an entry stands in the tree (RFC 6962, 2.1.1)."""

    index: Bytes
    size: Bytes
    hashes: tuple[Base64, ...]


@noun.get(
    endpoints.LOG_CHECKPOINT.removeprefix(endpoints.PREFIX), "The newest checkpoint", PUBLIC, media_type="text/plain"
)
def get_checkpoint(call: Call) -> File:
    """A signed note (C2SP tlog-checkpoint): origin, size, root hash, Ed25519 and ML-DSA-44 signatures, and those of witnesses."""
    return File(transparency.checkpoint(call.context).note.encode(), "text/plain; charset=utf-8", cache="no-cache")


@noun.get(endpoints.LOG_CONSISTENCY.removeprefix(endpoints.PREFIX), "A consistency proof", PUBLIC, raises=(Invalid,))
def get_consistency(call: Call, query: Range) -> ConsistencyProof:
    """That the tree of `new` entries extends that of `old` (RFC 6962, 2.1.2)."""
    return transparency.consistency(call.context, query.old, query.new)


@noun.get("/log/inclusion", "An inclusion proof", PUBLIC, raises=(Invalid,))
def get_inclusion(call: Call, query: Place) -> InclusionProof:
    """That entry `index` stands in the tree of `size` entries."""
    hashes = transparency.inclusion(call.context, query.index, query.size)
    return InclusionProof(index=query.index, size=query.size, hashes=hashes)


@noun.get("/log/trust-root", "The first trust root", PUBLIC)
def get_trust_root(call: Call) -> File:
    """Its envelope in canonical JSON; the SHA-256 of these bytes is the pin."""
    return _trust_root(call)


@noun.get(endpoints.LOG_TRUST_ROOTS.removeprefix(endpoints.PREFIX), "Every version of the trust root", PUBLIC)
def get_trust_roots(call: Call) -> TrustRootChain:
    """From the first to the one in force: each is signed by root keys of the one before, so that one pin leads to all."""
    return TrustRootChain.model_validate({"trust_roots": list(transparency.trust(call.context).versions)})


@noun.get("/log/trust", "Pin and verifier keys", PUBLIC)
def get_trust(call: Call) -> TrustView:
    """What to compare with the pin you were given on another way."""
    return transparency.trust(call.context)


@noun.get("/log/entries", "The log with its subjects", _EVIDENCE)
def list_log_entries(call: Call, query: Paging) -> Page[LogEntryView]:
    """Newest first."""
    return transparency.list_entries(call.context, call.actor, after=query.after, limit=query.limit)


@noun.get("/log/envelopes/{sha256}", "A logged envelope", _EVIDENCE)
def get_envelope(call: Call, sha256: Sha256) -> File:
    """By its digest, in canonical JSON."""
    return File(canonical(transparency.envelope(call.context, call.actor, sha256)), "application/json", etag=sha256)


Level = Annotated[int, Field(ge=0, le=7)]
Index = Annotated[int, Field(ge=0, lt=2**53)]
Tile = Annotated[str, StringConstraints(pattern=r"^(x[0-9]{3}/){0,4}[0-9]{3}(\.p/[1-9][0-9]{0,2})?$")]


@noun.get("/log/tile/{level}/{tile:path}", "A hash tile", PUBLIC, media_type="application/octet-stream")
def get_tile(call: Call, level: Level, tile: Tile) -> File:
    """C2SP tlog-tiles: `<N>` in groups of three digits, all but the last prefixed `x`, and `.p/<W>` for a partial tile."""
    number, width = _tile(tile)
    return File(transparency.tile(call.context, level, number, width), "application/octet-stream", cache=_FOR_EVER)


@noun.get("/log/tile/entries/{tile:path}", "An entry bundle", PUBLIC, media_type="application/octet-stream")
def get_entry_bundle(call: Call, tile: Tile) -> File:
    """C2SP tlog-tiles: up to 256 entries, each after its length in two bytes, big endian."""
    number, width = _tile(tile)
    leaves = transparency.entries(call.context, number * _TILE_WIDTH, width)
    if len(leaves) != width:
        raise NotFound("entry bundle", "of that width")
    return File(pack_entries(list(leaves)), "application/octet-stream", cache=_FOR_EVER)


@noun.get("/log/trust-root/{index}.json", "A version of the trust root", PUBLIC)
def get_logged_trust_root(call: Call, index: Index) -> File:
    """As it was logged at this index, in canonical form."""
    return _statement(call, "trust-root", index)


@noun.get("/log/key-event/{index}.json", "A key event", PUBLIC)
def get_logged_key_event(call: Call, index: Index) -> File:
    """The key of an agent or approver that came into force or left it: public keys and pseudonyms, no names."""
    return _statement(call, "key-event", index)


@noun.get("/log/correction/{index}.json", "A correction", PUBLIC)
def get_logged_correction(call: Call, index: Index) -> File:
    """A document that was voided or superseded, as it was logged at this index."""
    return _statement(call, "correction", index)


@root_noun.get("/trust-root.json", "The trust root", PUBLIC)
def get_trust_root_file(call: Call) -> File:
    """The same as `/api/v1/log/trust-root`, under an address that fits on paper."""
    return _trust_root(call)


def _statement(call: Call, kind: str, index: int) -> File:
    return File(transparency.statement(call.context, kind, index), "application/json", cache=_FOR_EVER)


def _trust_root(call: Call) -> File:
    trust = transparency.trust(call.context)
    return File(canonical(trust.envelope), "application/json", etag=trust.pin)


def _tile(path: str) -> tuple[int, int]:
    """Number and width a tile's path names. Raises `NotFound` for anything that is no tile's path."""
    found = _TILE.fullmatch(path)
    if found is None:
        raise NotFound("tile", "of that name")
    groups = found[1].replace("x", "").split("/")
    number = int("".join(groups))
    width = int(found[2] or _TILE_WIDTH)
    if len(groups) > _MAX_INDEX_GROUPS or width > _TILE_WIDTH or (len(groups) > 1 and groups[0] == "000"):
        raise NotFound("tile", "of that name")
    return number, width
