"""The service's own keys: PEM files of mode 0600 in a directory of mode 0700, made once, never overwritten.

root.pem          signs the trust root, where no offline root does
enrolment.pem     signs key-events: agents and approvers enter and leave by it
acceptance.pem    signs orders, acceptances, validations, certificates and statements
log-ed25519.pem, log-mldsa44.pem   sign checkpoints
                  a key that replaces one bears the version of the trust root that names it: `acceptance-v2.pem`
pdf-authority.pem, .crt, .crl   issues the certificates under which PDFs are sealed; the trust root pins it
seal-*.pem, .crt  seal PDFs, newest first
pdf.pem, pdf.crt  seal PDFs where the trust root is of its first schema, which pins the certificate itself
log-guard.json    what the log signed last (`ledger`)
custody.key       32 random bytes: encrypts the passwords of drives in custody; a lost one makes them unreadable for good
authenticators.key  32 random bytes: encrypts what authenticator apps share with us; a lost one means setting them up again
webhook.pem       signs messages of webhooks that are not signed with a secret; made when the first one is added
webhooks.key      32 random bytes: encrypts the secrets of webhooks
cookie.key        32 random bytes: checksums of session cookies, tokens of pages; a lost one only signs everybody out
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from inventory.errors import SetupError
from reports.envelope import Signer
from reports.errors import UnsafeKeyFile
from reports.keys import FileSigner, create_note_signer, load_note_signer, write_private_file
from reports.tlog import ED25519, ML_DSA_44, NoteSigner
from reports.trust_body import Role

from .key_sources import open_note_signer, open_signer

LOG_KEYS: Final[Mapping[str, int]] = {"log-ed25519": ED25519, "log-mldsa44": ML_DSA_44}
"""The log's keys, in the order in which they sign, and their algorithms."""

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

    def __init__(self, folder: Path, elsewhere: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._elsewhere = dict(elsewhere or {})
        self._signers: dict[str, Signer] = {}
        self._assigned: dict[str, Signer] = {}

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

    def assign(self, signers: Mapping[Role, Signer]) -> None:
        """Which key stands for a role from now on, as the trust root in force names it."""
        self._assigned = {str(role): signer for role, signer in signers.items()}

    def signer(self, name: str) -> Signer:
        """The key of a role as the trust root in force names it, or else the key of that name. Raises `SetupError`."""
        return self._assigned.get(name) or self.named(name)

    def named(self, name: str) -> Signer:
        """The key of a name, which must exist. Raises `SetupError`."""
        if name not in self._signers:
            path = self.folder / f"{name}.pem"
            if name in self._elsewhere:
                self._signers[name] = open_signer(self._elsewhere[name])
            elif path.exists():
                self._signers[name] = FileSigner.load(path)
            else:
                raise SetupError(
                    f"The key {path} is missing. Restore it from the backup; a new one would not be trusted."
                )
        return self._signers[name]

    def names(self, role: str) -> list[str]:
        """Names of the keys there are for a role: `acceptance`, `acceptance-v2` and so on."""
        pattern = re.compile(rf"{re.escape(role)}(-v[1-9][0-9]{{0,5}})?")
        here = {path.stem for path in self.folder.glob(f"{role}*.pem")} | set(self._elsewhere)
        return sorted((name for name in here if pattern.fullmatch(name)), key=lambda name: (len(name), name))

    def find(self, role: str, key_id: str) -> Signer:
        """The key of a role by its id. Raises `SetupError`."""
        for name in self.names(role):
            if self.named(name).key_id == key_id:
                return self.named(name)
        raise SetupError(
            f"The {role} key {key_id[:16]}… that the trust root names is not in {self.folder}; restore it from the backup."
        )

    def find_log_signers(self, origin: str, vkeys: Sequence[str]) -> tuple[NoteSigner, ...]:
        """The log's signers by their verifier keys, in that order. Raises `SetupError`."""
        here = {signer.vkey: signer for role in LOG_KEYS for signer in self._note_signers(role, origin)}
        if not set(vkeys) <= here.keys():
            raise SetupError("The log's keys are not those of the trust root; restore them from the backup.")
        return tuple(here[vkey] for vkey in vkeys)

    def _note_signers(self, role: str, origin: str) -> list[NoteSigner]:
        return [
            open_note_signer(self._elsewhere[name], origin)
            if name in self._elsewhere
            else load_note_signer(self.folder / f"{name}.pem", origin)
            for name in self.names(role)
        ]

    def note_signer(self, name: str, origin: str) -> NoteSigner:
        """A log key by its name, made first where there is none."""
        if name in self._elsewhere:
            return open_note_signer(self._elsewhere[name], origin)
        path = self.folder / f"{name}.pem"
        algorithm = next(algorithm for role, algorithm in LOG_KEYS.items() if name.startswith(role))
        return load_note_signer(path, origin) if path.exists() else create_note_signer(path, origin, algorithm)

    @cached_property
    def cookie_key(self) -> bytes:
        """32 random bytes that mark our cookies; losing them signs everybody out, and nothing else."""
        path = self.folder / "cookie.key"
        if not path.exists():
            with suppress(UnsafeKeyFile):  # another process was faster
                write_private_file(path, secrets.token_bytes(32))
        return path.read_bytes()

    @cached_property
    def authenticators(self) -> Custody:
        """What encrypts the secrets of authenticator apps; losing its key means that everybody sets theirs up again."""
        path = self.folder / "authenticators.key"
        if not path.exists():
            with suppress(UnsafeKeyFile):  # another process was faster
                write_private_file(path, secrets.token_bytes(32))
        return Custody(path.read_bytes())

    @cached_property
    def webhooks(self) -> Custody:
        """What encrypts the secrets of webhooks; losing its key means that every webhook is given a new one."""
        path = self.folder / "webhooks.key"
        if not path.exists():
            with suppress(UnsafeKeyFile):  # another process was faster
                write_private_file(path, secrets.token_bytes(32))
        return Custody(path.read_bytes())

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

    def create_signer(self, name: str, kind: str = "ed25519") -> Signer:
        """The key, made first where there is none: while an inventory is being initialised, or for a proposal."""
        if name not in self._elsewhere:
            FileSigner.load_or_create(self.folder / f"{name}.pem", "p256" if kind == "p256" else "ed25519")
        return self.named(name)
