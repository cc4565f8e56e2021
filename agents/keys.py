"""The agent's own keys: one in force, former ones kept so that what they signed can still be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports.envelope import PublicKey
from reports.errors import UnsafeKeyFile
from reports.keys import FileSigner, fingerprint_words

from .errors import StateDamaged
from .state import StateDirectory


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
