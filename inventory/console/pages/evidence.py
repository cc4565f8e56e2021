"""Evidence itself: records, envelopes, the log with its proofs."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any

from flask import request, send_file

from inventory.console.blueprint import Reply, page
from inventory.console.views.lists import pager
from inventory.console.views.order import verdict_of
from inventory.console.web import actor, here, show
from inventory.domain.roles import Permission
from inventory.errors import NotFound
from inventory.services import queries, transparency, witnesses


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
    """The log: newest checkpoint, entries with what they are about."""
    found = transparency.list_entries(here(), actor(), after=request.args.get("after"), limit=50)
    return show(
        "log.html",
        entries=found.items,
        pager=pager(found, "entries"),
        checkpoint=transparency.checkpoint(here()),
        trust=transparency.trust(here()),
        witnesses=witnesses.list_witnesses(here(), actor()),
    )


@page("/log/<int:index>", Permission.READ_EVIDENCE)
def log_entry(index: int) -> Reply:
    """One entry with its inclusion proof in the newest tree."""
    checkpoint = transparency.checkpoint(here())
    if index >= checkpoint.size:
        raise NotFound("log entry", str(index))
    (leaf,) = transparency.entries(here(), index, 1)
    proof = transparency.inclusion(here(), index, checkpoint.size)
    content = json.loads(leaf)
    return show("log-entry.html", index=index, leaf=leaf.decode(), content=content, proof=proof, checkpoint=checkpoint)


@page("/log/trust-root.json", Permission.READ_EVIDENCE)
def trust_root() -> Reply:
    """The trust root: what a verifier pins."""
    content = json.dumps(transparency.trust(here()).envelope, sort_keys=True, separators=(",", ":")).encode()
    return send_file(BytesIO(content), "application/json", as_attachment=True, download_name="trust-root.json")
