"""The agent's own keys: one in force, former ones kept so that what they signed can still be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reports.envelope import PublicKey
from reports.errors import ReportError, UnsafeKeyFile
from reports.keys import FileSigner, fingerprint_words, load_public_key
from reports.token import TokenSigner

from .errors import StateDamaged
from .state import StateDirectory

NEXT: Final = "next.pem"
"""The key that is to replace the present one."""


URI_FILE: Final = "key.uri"
"""Where the present key is, if it lives in a token: one line, a `pkcs11:` URI. It stands before a key file."""

AgentSigner = FileSigner | TokenSigner


@dataclass(frozen=True)
class AgentKeys:
    """The key in force and the public halves of all."""

    signer: AgentSigner
    public: Mapping[str, PublicKey]
    """By key id, former ones included."""

    @property
    def fingerprint(self) -> str:
        """The key in force as both sides show it to people."""
        return fingerprint_words(self.signer.key_id)


def load(state: StateDirectory) -> AgentKeys | None:
    """The keys, or None where there is none yet.

    Raises:
        StateDamaged: A key file cannot be read, others could read it, or the token with the key is not there.
    """
    token, file = state.path(URI_FILE), state.key_file
    if not token.exists() and not file.exists():
        return None
    try:
        signer: AgentSigner = (
            TokenSigner(token.read_text(encoding="utf-8").strip()) if token.exists() else FileSigner.load(file)
        )
        former = [FileSigner.load(path).verifying_key for path in sorted(state.root.glob("former-*.pem"))]
        former += [load_public_key(path.read_bytes()) for path in sorted(state.root.glob("former-*.der"))]
    except (ReportError, OSError, UnicodeDecodeError) as error:
        raise StateDamaged(str(token if token.exists() else file), str(error)) from error
    return AgentKeys(signer, {key.key_id: key for key in (signer.verifying_key, *former)})


def load_or_create(state: StateDirectory, *, renew: bool = False, uri: str | None = None) -> AgentKeys:
    """The keys; a fresh Ed25519 key where there is none, or where `renew` puts the old one aside.

    Args:
        state: Where they are kept.
        renew: Whether the present key is put aside, if there is one.
        uri: The new key is the one in a token (`pkcs11:`), instead of one made here.

    Raises:
        StateDamaged: As `load`.
        TokenUnusable: The key in the token cannot be used; nothing was changed.
        OSError: The new key cannot be stored.
    """
    known = load(state)
    chosen = None if uri is None else TokenSigner(uri)
    if known is not None and (not renew or (chosen is not None and chosen.key_id == known.signer.key_id)):
        return known
    if known is not None:
        _put_aside(state, known)
    if chosen is None:
        FileSigner.create(state.key_file)
    else:
        state.disk.write_file(state.path(URI_FILE), f"{uri}\n".encode())
    fresh = load(state)
    if fresh is None:
        raise StateDamaged(str(state.key_file), "the key just made is not there")
    return fresh


def _put_aside(state: StateDirectory, known: AgentKeys) -> None:
    """Keep what is needed to read what the key signed. Cut off in between, it is done once more."""
    name = f"former-{known.signer.key_id[:16]}"
    if isinstance(known.signer, FileSigner):
        state.disk.move(state.key_file, state.path(f"{name}.pem"))
    else:
        state.disk.write_file(state.path(f"{name}.der"), known.signer.public_key_der)
        state.disk.remove(state.path(URI_FILE))


def prepare_next(state: StateDirectory) -> Path:
    """Make the key that is to replace the present one, once. Returns the file of its public half, which may travel."""
    from reports.root_keys import public_pem  # noqa: PLC0415 - ASN.1 is no business of a process that stays

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
        _put_aside(state, known)
    state.disk.move(state.path(NEXT), state.key_file)
