"""The agent's own keys: one in force, former ones kept so that what they signed can still be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reports.envelope import PublicKey
from reports.errors import UnsafeKeyFile
from reports.keys import FileSigner, fingerprint_words
from reports.root_keys import public_pem

from .errors import StateDamaged
from .state import StateDirectory

NEXT: Final = "next.pem"
"""The key that is to replace the present one."""


@dataclass(frozen=True)
class AgentKeys:
    """The key in force and the public halves of all."""

    signer: FileSigner
    public: Mapping[str, PublicKey]
    """By key id, former ones included."""

    @property
    def fingerprint(self) -> str:
        """The key in force as both sides show it to people."""
        return fingerprint_words(self.signer.key_id)


def load(state: StateDirectory) -> AgentKeys | None:
    """The keys, or None where there is none yet.

    Raises:
        StateDamaged: A key file cannot be read, or others could read it.
    """
    if not state.key_file.exists():
        return None
    try:
        signer = FileSigner.load(state.key_file)
        former = [FileSigner.load(path) for path in sorted(state.root.glob("former-*.pem"))]
    except (UnsafeKeyFile, OSError) as error:
        raise StateDamaged(str(state.key_file), str(error)) from error
    return AgentKeys(signer, {key.key_id: key.verifying_key for key in (signer, *former)})


def load_or_create(state: StateDirectory, *, renew: bool = False) -> AgentKeys:
    """The keys; a fresh Ed25519 key where there is none, or where `renew` puts the old one aside.

    Raises:
        StateDamaged: As `load`.
        OSError: The new key cannot be stored.
    """
    known = load(state)
    if known is not None and not renew:
        return known
    if known is not None:
        state.disk.move(state.key_file, state.path(f"former-{known.signer.key_id[:16]}.pem"))
    FileSigner.create(state.key_file)
    fresh = load(state)
    if fresh is None:
        raise StateDamaged(str(state.key_file), "the key just made is not there")
    return fresh


def prepare_next(state: StateDirectory) -> Path:
    """Make the key that is to replace the present one, once. Returns the file of its public half, which may travel."""
    path = state.path(NEXT)
    FileSigner.load_or_create(path)
    public = path.with_suffix(".pub")
    state.disk.write_file(public, public_pem(FileSigner.load(path).public_key_der))
    return public


def load_next(state: StateDirectory) -> AgentKeys:
    """The keys as they will be once the next one is in force. Raises `StateDamaged`."""
    try:
        signer = FileSigner.load(state.path(NEXT))
    except (UnsafeKeyFile, OSError) as error:
        raise StateDamaged(str(state.path(NEXT)), str(error)) from error
    known = load(state)
    return AgentKeys(signer, {**({} if known is None else known.public), signer.key_id: signer.verifying_key})


def take_next(state: StateDirectory) -> None:
    """Put the next key in the place of the present one, which is kept as a former one. Cut off between the two, it goes on."""
    known = load(state)
    if known is not None:
        state.disk.move(state.key_file, state.path(f"former-{known.signer.key_id[:16]}.pem"))
    state.disk.move(state.path(NEXT), state.key_file)
