"""Evidence itself: records, envelopes, the log with its proofs."""

from __future__ import annotations

import base64
import json
import re
from io import BytesIO
from typing import Any, Final

from flask import request, send_file

from inventory.console.blueprint import Reply, page
from inventory.console.views.lists import pager
from inventory.console.views.order import verdict_of
from inventory.console.views.proof import climb, draw
from inventory.console.web import actor, go, here, show
from inventory.domain.roles import Permission
from inventory.errors import NotFound
from inventory.services import queries, transparency, witnesses
from inventory.services.views import CheckpointView
from reports.canonical import from_base64, to_base64
from reports.errors import BrokenChain
from reports.tlog.proofs import verify_consistency

_INDEX: Final = re.compile(r"[0-9]{1,15}")


@page("/records/<record>", Permission.READ_EVIDENCE)
def record(record: str) -> Reply:
    """A signed record, what the service found when it checked it, and the verdict."""
    found = queries.record(here(), actor(), record)
    return show(
        "record.html",
        record=found,
        verdict=verdict_of(found),
        body=json.dumps(found.body, indent=2, sort_keys=True, ensure_ascii=False),
    )


def _payload(envelope: dict[str, Any]) -> str:
    try:
        return json.dumps(
            json.loads(base64.b64decode(envelope["payload"])), indent=2, sort_keys=True, ensure_ascii=False
        )
    except (KeyError, TypeError, ValueError):
        return "This payload cannot be shown as text."


@page("/envelopes/<sha256>", Permission.READ_EVIDENCE)
def envelope(sha256: str) -> Reply:
    """A signed envelope: type, signatures, and its payload as text."""
    found = transparency.envelope(here(), actor(), sha256)
    return show(
        "envelope.html", sha256=sha256, envelope=found, payload=_payload(found), signatures=found.get("signatures", [])
    )


@page("/envelopes/<sha256>.json", Permission.READ_EVIDENCE)
def envelope_file(sha256: str) -> Reply:
    """The envelope as it was signed."""
    found = transparency.envelope(here(), actor(), sha256)
    content = json.dumps(found, sort_keys=True, separators=(",", ":")).encode()
    return send_file(
        BytesIO(content), "application/json", as_attachment=True, download_name=f"envelope-{sha256[:16]}.json"
    )


@page("/log", Permission.READ_EVIDENCE)
def log() -> Reply:
    """The log: newest checkpoint, entries with what they are about; whether it has only grown since a size one knows."""
    wanted = request.args.get("entry", "").strip()
    if _INDEX.fullmatch(wanted):
        return go("log_entry", index=int(wanted))
    found = transparency.list_entries(here(), actor(), after=request.args.get("after"), limit=40)
    newest = transparency.checkpoint(here())
    return show(
        "log.html",
        entries=found.items,
        pager=pager(found, "entries"),
        checkpoint=newest,
        grown=_grown(newest),
        trust=transparency.trust(here()),
        witnesses=witnesses.list_witnesses(here(), actor()),
    )


def _grown(newest: CheckpointView) -> dict[str, Any] | None:
    """Whether the newest tree continues the one somebody knows, by the proof itself; None where nobody asked."""
    size, root = request.args.get("size", "").strip(), request.args.get("root", "").strip()
    if not size:
        return None
    if not _INDEX.fullmatch(size) or not 0 < int(size) <= newest.size:
        return {
            "size": size[:20],
            "sentence": f"The log has 1 to {newest.size} entries.",
            "proven": False,
            "hashes": (),
        }
    proof = transparency.consistency(here(), int(size), newest.size)
    try:
        verify_consistency(
            int(size),
            newest.size,
            from_base64(root),
            from_base64(newest.root),
            [from_base64(one) for one in proof.hashes],
        )
    except (BrokenChain, ValueError):
        sentence = "That root is not the one this log had at that size. Keep what you know, and tell an auditor."
        return {"size": size, "root": root[:64], "sentence": sentence, "proven": False, "hashes": proof.hashes}
    sentence = f"The tree of {newest.size} entries continues the one of {size}: nothing was altered or taken out."
    return {"size": size, "root": root, "sentence": sentence, "proven": True, "hashes": proof.hashes}


@page("/log/<int:index>", Permission.READ_EVIDENCE)
def log_entry(index: int) -> Reply:
    """One entry with its inclusion proof in the newest tree, drawn, and computed again here."""
    checkpoint = transparency.checkpoint(here())
    if index >= checkpoint.size:
        raise NotFound("log entry", str(index))
    (leaf,) = transparency.entries(here(), index, 1)
    proof = transparency.inclusion(here(), index, checkpoint.size)
    steps = climb(index, checkpoint.size, leaf, [from_base64(one) for one in proof])
    picture = draw(index, leaf, steps)
    return show(
        "log-entry.html",
        index=index,
        leaf=leaf.decode(),
        content=json.loads(leaf),
        proof=proof,
        checkpoint=checkpoint,
        picture=picture,
        proven=to_base64(picture.root.hash) == checkpoint.root,
    )


@page("/log/trust-root.json", Permission.READ_EVIDENCE)
def trust_root() -> Reply:
    """The trust root: what a verifier pins."""
    content = json.dumps(transparency.trust(here()).envelope, sort_keys=True, separators=(",", ":")).encode()
    return send_file(BytesIO(content), "application/json", as_attachment=True, download_name="trust-root.json")
