"""The service's keys, as the trust root in force names them.

Which key signs is never decided by a file's name: the newest version of the trust root in the log names the keys that count, and
the secrets directory is searched for exactly these. A version may be published by a command while the service runs; so every
transaction that writes looks first which version is in force, and takes up its keys.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.errors import SetupError
from inventory.models import LogEntry, LogHead, StoredEnvelope
from inventory.secrets_store import SecretStore
from reports.canonical import from_base64, parse_canonical
from reports.envelope import Envelope, Signer
from reports.errors import ReportError
from reports.keys import key_id
from reports.tlog import NoteSigner
from reports.trust import TrustRoot, open_chain
from reports.trust_body import Role

ROLES: Final[tuple[Role, ...]] = ("acceptance", "enrolment")


@dataclass(frozen=True)
class KeysInForce:
    """One version of the trust root, and the private keys it names."""

    roots: tuple[TrustRoot, ...]
    """Every version, oldest first."""
    signers: Mapping[Role, Signer]
    log: tuple[NoteSigner, ...]

    @property
    def trust(self) -> TrustRoot:
        """The version in force."""
        return self.roots[-1]


class Keyring:
    """Finds the keys in force. Thread-safe."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets
        self._lock = threading.Lock()
        self._found: tuple[str, KeysInForce] | None = None

    @property
    def log(self) -> tuple[NoteSigner, ...]:
        """The log's keys, as the version names them that was last seen in force."""
        return () if self._found is None else self._found[1].log

    def follow(self, session: Session) -> KeysInForce | None:
        """The keys of the version in force, also where another process has published it; None before the log has begun.

        Raises:
            SetupError: a key that the version names is missing, or the versions in the database do not hold together.
        """
        digest = session.scalar(sa.select(LogHead.trust).where(LogHead.id == 1))
        return None if digest is None else self._of(session, digest)

    def _of(self, session: Session, digest: str) -> KeysInForce:
        with self._lock:
            if self._found is None or self._found[0] != digest:
                self._found = (digest, self._load(session, digest))
                self._secrets.assign(self._found[1].signers)
            return self._found[1]

    def require(self, session: Session, digest: str | None = None) -> KeysInForce:
        """As `follow`; for a writer who holds the log's head, of the version it names.

        Raises:
            SetupError: as `follow`, and before the log has begun.
        """
        found = self.follow(session) if digest is None else self._of(session, digest)
        if found is None:
            raise SetupError("The log has no trust root: initialise the inventory first.")
        return found

    def _load(self, session: Session, digest: str) -> KeysInForce:
        envelopes = [envelope for _, envelope in versions(session)]
        try:
            roots = open_chain(envelopes, digest)
        except ReportError as error:
            raise SetupError(f"The trust root in the database does not hold: {error.summarize()}") from error
        if roots[-1].pin != digest:
            raise SetupError("The newest trust root in the log is not the one in force: the database is damaged.")
        return keys_of(self._secrets, roots)


def versions(session: Session, size: int | None = None) -> list[tuple[int, Envelope]]:
    """The versions of the trust root that are in the log (of `size` entries), oldest first, with their log index."""
    statement = (
        sa.select(LogEntry.idx, StoredEnvelope.content, LogEntry.sha256)
        .join(StoredEnvelope, StoredEnvelope.sha256 == LogEntry.sha256)
        .where(LogEntry.kind == sa.literal_column("'trust-root'"))  # written out: only so the partial index is used
        .order_by(LogEntry.idx)
    )
    if size is not None:
        statement = statement.where(LogEntry.idx < size)
    found = [
        (idx, parse_canonical(content, f"envelope {sha256[:16]}"))
        for idx, content, sha256 in session.execute(statement)
    ]
    if not found:
        raise SetupError("The log has no trust root: initialise the inventory first.")
    return found


def keys_of(secrets: SecretStore, roots: tuple[TrustRoot, ...]) -> KeysInForce:
    """The private keys that the newest version names. Raises `SetupError`."""
    body = roots[-1].body
    signers: dict[Role, Signer] = {}
    for role in ROLES:
        current = [key for key in body.keys if key.role == role and key.until_index is None]
        if not current:
            raise SetupError(f"The trust root names no {role} key that still counts.")
        newest = max(current, key=lambda key: key.from_index)
        signers[role] = secrets.find(role, key_id(from_base64(newest.spki)))
    return KeysInForce(roots, signers, secrets.find_log_signers(body.log.origin, body.log.vkeys))
