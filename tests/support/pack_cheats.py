"""Packs taken apart and put together again, as a dishonest service would: altered, and sealed anew with its own keys."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from typing import Any

from inventory.ledger import encode
from inventory.services._anchor import anchor_at
from reports.bundle import logged
from reports.canonical import canonical, sha256_hex
from reports.envelope import unverified_body
from reports.pack.archive import ArchiveReader, ArchiveWriter
from reports.pack.contents import (
    HEAD_NAME,
    MANIFEST_BEGIN,
    MANIFEST_END,
    MANIFEST_NAME,
    SEAL_NAME,
    Manifest,
    PackSeal,
    PackStatement,
)
from tests.support.inventory_world import World

Members = dict[str, bytes]


def members_of(pack: bytes) -> Members:
    """Every member in its order."""
    return {name: b"".join(parts) for name, parts in ArchiveReader(io.BytesIO(pack)).members()}


def archived(members: Members, seal: Callable[[str, int], bytes] | None = None) -> bytes:
    """An archive of these members; the seal is asked for last, with digest and length of everything before."""
    out = bytearray()
    with tempfile.TemporaryFile() as directory:
        writer = ArchiveWriter(out.extend, directory)
        for name, content in members.items():
            if name != SEAL_NAME:
                for _ in writer.member(name, iter((content,))):
                    pass
        if seal is not None:
            writer.last_member(SEAL_NAME, seal(writer.digest(), writer.offset))
        elif SEAL_NAME in members:
            writer.last_member(SEAL_NAME, members[SEAL_NAME])
        for _ in writer.close():
            pass
    return bytes(out)


def with_manifest(members: Members) -> Members:
    """The members with a manifest that fits them."""
    manifest = Manifest()
    listed = b"".join(
        manifest.line(name, sha256_hex(content), len(content))
        for name, content in members.items()
        if name not in {MANIFEST_NAME, SEAL_NAME}
    )
    fresh = {name: content for name, content in members.items() if name not in {MANIFEST_NAME, SEAL_NAME}}
    return {**fresh, MANIFEST_NAME: MANIFEST_BEGIN + listed + MANIFEST_END, SEAL_NAME: members[SEAL_NAME]}


def resealed(world: World, altered: Members, **changes: Any) -> bytes:  # noqa: ANN401 - fields of the statement
    """What the service itself would make of altered members, honest in its sums unless told otherwise."""
    complete = with_manifest(altered)
    accounts = [json.loads(content) for name, content in complete.items() if name.endswith("/account.json")]
    documents = [
        name
        for name in complete
        if name.startswith(("devices/", "documents/")) and name.endswith(".json") and not name.endswith("account.json")
    ]
    before = json.loads(complete[SEAL_NAME])
    said = PackStatement.from_dict(unverified_body(before["statement"]["envelope"], "statement"), "statement").to_dict()
    head = json.loads(complete[HEAD_NAME])
    excepted = sum(bool(one["exceptions"]) for one in accounts)

    def seal(content_sha256: str, content_bytes: int) -> bytes:
        body = {
            **said,
            "head_sha256": sha256_hex(complete[HEAD_NAME]),
            "manifest_sha256": sha256_hex(complete[MANIFEST_NAME]),
            "content_sha256": content_sha256,
            "content_bytes": content_bytes,
            "members": len(complete) - 2,
            "devices": len(accounts),
            "accounted": len(accounts) - excepted,
            "exceptions": excepted,
            "documents": len(documents),
            **changes,
        }
        from inventory.services.kernel import load_envelope, sign_and_log  # noqa: PLC0415 - as the service does

        with world.context.writing() as session:
            digest, index = sign_and_log(session, world.context, "statement", body, "acceptance", "cheat")
        with world.context.reading() as session:
            size = world.context.ledger.checkpoint(session)[0].size
            old = int(head["anchor"]["checkpoint"].split("\n")[1])
            proof = encode(world.context.ledger.consistency(session, old, size))
            place = logged(load_envelope(session, digest), index, world.context.ledger.inclusion(session, index, size))
            found = PackSeal(anchor=anchor_at(session, world.context, size), consistency=proof, statement=place)
            return canonical(found.to_dict())

    return archived(complete, seal)


def with_account(members: Members, device: str, change: Callable[[dict[str, Any]], None]) -> Members:
    """The members with one account altered."""
    name = f"devices/{device}/account.json"
    value = json.loads(members[name])
    change(value)
    return {**members, name: canonical(value)}
