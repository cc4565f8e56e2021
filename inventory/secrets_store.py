"""The service's own keys: PEM files of mode 0600 in a directory of mode 0700, made once, never overwritten.

root.pem          signs the trust root (offline on a larger site; threshold 1 by default)
enrolment.pem     signs key-events: agents and approvers enter and leave by it
acceptance.pem    signs orders, acceptances, validations, certificates and statements
log-ed25519.pem, log-mldsa44.pem   sign checkpoints
pdf.pem, pdf.crt  seal PDFs; the certificate is pinned in the trust root
log-guard.json    what the log signed last (`ledger`)
custody.key       32 random bytes: encrypts the passwords of drives in custody; a lost one makes them unreadable for good
cookie.key        32 random bytes: checksums of session cookies, tokens of pages; a lost one only signs everybody out
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from inventory.errors import SetupError
from reports.errors import UnsafeKeyFile
from reports.keys import FileSigner, create_note_signer, load_note_signer, write_private_file
from reports.tlog import ED25519, ML_DSA_44, NoteSigner

_NONCE = 12
"""Bytes (NIST SP 800-38D, 8.2)."""


class Custody:
    """Encrypts small secrets (AES-256-GCM), each bound to the number of the row it is kept in."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, number: str) -> bytes:
        """A fresh nonce and the ciphertext."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, number.encode())

    def open(self, sealed: bytes, number: str) -> bytes:
        """The secret. Raises `SetupError` where it was altered, moved to another row, or closed with another key."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], number.encode())
        except (InvalidTag, ValueError) as error:
            raise SetupError(f"Custody {number} cannot be opened with the present custody.key.") from error


class SecretStore:
    """Where keys live. Nothing here is ever logged, printed or sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._signers: dict[str, FileSigner] = {}

    @property
    def guard_file(self) -> Path:
        """Where the log notes what it signed last."""
        return self.folder / "log-guard.json"

    def prepare(self) -> None:
        """Make the directory, or check the one that is there.

        Raises:
            SetupError: others may enter it, or it belongs to somebody else.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = self.folder.stat()
        if stat.S_IMODE(facts.st_mode) & 0o077:
            raise SetupError(f"Others may enter {self.folder}; make it 0700 (chmod 0700).")
        if facts.st_uid not in {os.geteuid(), 0}:
            raise SetupError(f"{self.folder} belongs to user {facts.st_uid}; keys must belong to the service.")

    def signer(self, name: str) -> FileSigner:
        """A signing key that must exist. Raises `SetupError`."""
        if name not in self._signers:
            path = self.folder / f"{name}.pem"
            if not path.exists():
                raise SetupError(
                    f"The key {path} is missing. Restore it from the backup; a new one would not be trusted."
                )
            self._signers[name] = FileSigner.load(path)
        return self._signers[name]

    @cached_property
    def cookie_key(self) -> bytes:
        """32 random bytes that mark our cookies; losing them signs everybody out, and nothing else."""
        path = self.folder / "cookie.key"
        if not path.exists():
            with suppress(UnsafeKeyFile):  # another process was faster
                write_private_file(path, secrets.token_bytes(32))
        return path.read_bytes()

    def custody(self, *, create: bool = False) -> Custody:
        """What encrypts secrets of drives. `create` only while nothing is in custody yet. Raises `SetupError`."""
        path = self.folder / "custody.key"
        if not path.exists():
            if not create:
                raise SetupError(
                    f"The key {path} is missing. Restore it from the backup; nothing else opens what it closed."
                )
            with suppress(UnsafeKeyFile):  # another process was faster
                write_private_file(path, secrets.token_bytes(32))
        return Custody(path.read_bytes())

    def create_signer(self, name: str, kind: str = "ed25519") -> FileSigner:
        """The key, made first where there is none (only while an inventory is being initialised)."""
        return FileSigner.load_or_create(self.folder / f"{name}.pem", "p256" if kind == "p256" else "ed25519")

    def log_signers(self, origin: str, *, create: bool = False) -> tuple[NoteSigner, ...]:
        """The log's two signers, Ed25519 first. Raises `SetupError` where one is missing."""
        signers = []
        for name, algorithm in (("log-ed25519", ED25519), ("log-mldsa44", ML_DSA_44)):
            path = self.folder / f"{name}.pem"
            if path.exists():
                signers.append(load_note_signer(path, origin))
            elif create:
                signers.append(create_note_signer(path, origin, algorithm))
            else:
                raise SetupError(f"The log key {path} is missing. Restore it from the backup.")
        return tuple(signers)
