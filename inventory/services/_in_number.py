"""Statements in number: signed, kept and logged as `kernel.sign_and_log` does one by one."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from inventory.bulk import insert_rows
from inventory.models import StoredEnvelope
from reports.canonical import canonical, sha256_hex
from reports.envelope import sign
from reports.tlog import EnvelopeKind, LogKind

from .context import Context


class Statements:
    """Collects statements within one transaction; `finish` writes them, in the order in which they were added."""

    def __init__(self, session: Session, context: Context) -> None:
        self._session = session
        self._context = context
        self._size = context.ledger.size(session)
        self._rows: list[dict[str, Any]] = []
        self._leaves: list[tuple[LogKind, str, str]] = []

    def add(self, kind: EnvelopeKind, body: dict[str, Any], signer: str, subject: str) -> tuple[str, int]:
        """Sign a statement. Returns its digest and the log index it will have."""
        content = canonical(sign(kind, body, self._context.secrets.signer(signer)))
        digest = sha256_hex(content)
        self._rows.append({"sha256": digest, "kind": kind, "content": content, "stored": self._context.now()})
        self._leaves.append((kind, digest, subject))
        return digest, self._size + len(self._leaves) - 1

    def finish(self) -> None:
        """Keep and log them; one checkpoint is signed when the transaction commits."""
        insert_rows(self._session, StoredEnvelope.__table__, self._rows)  # type: ignore[arg-type]  # typed wider
        if self._leaves:
            self._context.ledger.append_many(self._session, self._leaves)
