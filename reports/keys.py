"""Keys in files, key ids, fingerprints.

A key id is the SHA-256 of the DER SubjectPublicKeyInfo: the key names itself, and its algorithm follows from it.
Private keys live in PKCS#8 PEM files that only their owner can read (0600) and that are created whole or not at all.
ECDSA signatures are made deterministic (RFC 6979) and with the lower of the two possible `s`; FileSigner's verifier
side accepts either, since browsers make both.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from .canonical import sha256_hex
from .errors import MalformedDocument, UnsafeKeyFile
from .tlog.notes import ED25519, ML_DSA_44, NoteSigner, fresh_key

KeyKind = Literal["ed25519", "p256"]
_PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def key_id(spki_der: bytes) -> str:
    """SHA-256, hexadecimal, of the DER SubjectPublicKeyInfo."""
    return sha256_hex(spki_der)


def fingerprint_words(key: str) -> str:
    """A key id as both sides show it to a person: 16 groups of four hexadecimal digits."""
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


@dataclass(frozen=True)
class VerifyingKey:
    """A public key that verifies by exactly one algorithm."""

    spki: bytes
    """DER SubjectPublicKeyInfo."""
    key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey

    @property
    def key_id(self) -> str:
        """SHA-256, hexadecimal, of the DER SubjectPublicKeyInfo."""
        return key_id(self.spki)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` is this key's over `message` (Ed25519, or ECDSA P-256 SHA-256 in DER)."""
        if len(message) > _REMEMBERED_BYTES:
            return _fits(self.key, signature, message)
        return _remembered(self.spki, signature, message)


_REMEMBERED_BYTES = 16_384


def _fits(key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        else:
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=512)
def _remembered(spki: bytes, signature: bytes, message: bytes) -> bool:
    """Whoever checks a folder meets the same trust root, key events and roster in every file: the same bytes are checked once."""
    return _fits(load_public_key(spki).key, signature, message)


@lru_cache(maxsize=1024)
def load_public_key(spki_der: bytes) -> VerifyingKey:
    """Read a public key.

    Raises:
        MalformedDocument: not a DER SubjectPublicKeyInfo of an Ed25519 or P-256 key, or not its one DER form.
    """
    try:
        key = serialization.load_der_public_key(spki_der)
    except (ValueError, UnsupportedAlgorithm, TypeError) as error:
        raise MalformedDocument("public key", "not a DER SubjectPublicKeyInfo") from error
    if not isinstance(key, ed25519.Ed25519PublicKey) and not (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)
    ):
        raise MalformedDocument("public key", "neither Ed25519 nor P-256")
    if _spki(key) != spki_der:
        raise MalformedDocument("public key", "not in its one DER form (or a compressed point)")
    return VerifyingKey(spki_der, key)


def verifying_keys(*spki_ders: bytes) -> dict[str, VerifyingKey]:
    """Public keys by key id, as `open_envelope` wants them."""
    keys = [load_public_key(der) for der in spki_ders]
    return {key.key_id: key for key in keys}


class FileSigner:
    """Signs with an Ed25519 or P-256 private key held in memory and kept in a 0600 PEM file."""

    def __init__(self, private: _PrivateKey) -> None:
        if isinstance(private, ec.EllipticCurvePrivateKey) and not isinstance(private.curve, ec.SECP256R1):
            raise MalformedDocument("private key", "neither Ed25519 nor P-256")
        self._private = private
        self._spki = _spki(private.public_key())

    @classmethod
    def generate(cls, kind: KeyKind = "ed25519") -> Self:
        """A fresh key in memory only; `save` keeps it."""
        return cls(
            ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else ec.generate_private_key(ec.SECP256R1())
        )

    @classmethod
    def create(cls, path: Path, kind: KeyKind = "ed25519") -> Self:
        """A fresh key in a new file. Raises `UnsafeKeyFile` when the file exists: a key is never overwritten."""
        signer = cls.generate(kind)
        signer.save(path)
        return signer

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the key. Raises `UnsafeKeyFile` when others can read the file or it holds another kind of key."""
        private = _load_private(path)
        if not isinstance(private, (ed25519.Ed25519PrivateKey, ec.EllipticCurvePrivateKey)):
            raise UnsafeKeyFile(str(path), "neither an Ed25519 nor a P-256 key")
        return cls(private)

    @classmethod
    def load_or_create(cls, path: Path, kind: KeyKind = "ed25519") -> Self:
        """The key in the file, made first where there is no file."""
        return cls.load(path) if path.exists() else cls.create(path, kind)

    def save(self, path: Path) -> None:
        """Write a new 0600 PEM file, whole or not at all."""
        write_private_file(path, private_pem(self._private))

    @property
    def private_key(self) -> _PrivateKey:
        """The key itself, for the transport's signatures and the PDF seal, which have their own libraries."""
        return self._private

    @property
    def public_key_der(self) -> bytes:
        """DER SubjectPublicKeyInfo."""
        return self._spki

    @property
    def key_id(self) -> str:
        """SHA-256, hexadecimal, of the DER SubjectPublicKeyInfo."""
        return key_id(self._spki)

    @property
    def verifying_key(self) -> VerifyingKey:
        """The public half."""
        return load_public_key(self._spki)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, or deterministic low-s ECDSA P-256 with SHA-256 in DER."""
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(message)
        r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
        return encode_dss_signature(r, min(s, _P256_ORDER - s))


def is_low_s(signature: bytes) -> bool:
    """Whether an ECDSA P-256 signature uses the lower of the two possible `s`."""
    try:
        return decode_dss_signature(signature)[1] <= _P256_ORDER // 2
    except ValueError:
        return False


def load_note_signer(path: Path, name: str) -> NoteSigner:
    """A log or witness key from its PEM file: Ed25519 becomes note type 1, ML-DSA-44 type 6 (c2sp.org/signed-note)."""
    private = _load_private(path)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return NoteSigner(name, ED25519, private)
    if isinstance(private, mldsa.MLDSA44PrivateKey):
        return NoteSigner(name, ML_DSA_44, private)
    raise UnsafeKeyFile(str(path), "neither an Ed25519 nor an ML-DSA-44 key")


def create_note_signer(path: Path, name: str, algorithm: int = ED25519) -> NoteSigner:
    """A fresh log or witness key in a new 0600 file."""
    private = fresh_key(algorithm)
    write_private_file(path, private_pem(private))
    return NoteSigner(name, algorithm, private)


def private_pem(private: _PrivateKey | mldsa.MLDSA44PrivateKey) -> bytes:
    """PKCS#8 PEM, unencrypted: the file's mode and the host protect it."""
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private_file(path: Path, content: bytes) -> None:
    """Create a 0600 file that is complete and on disk, or not there at all.

    Raises:
        UnsafeKeyFile: a file of that name exists already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask says
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike rename, fails when the name is taken
    except FileExistsError as error:
        raise UnsafeKeyFile(str(path), "there is a file of this name already") from error
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _load_private(path: Path) -> object:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or stat.S_IMODE(facts.st_mode) & 0o077:
            raise UnsafeKeyFile(str(path), f"mode {stat.S_IMODE(facts.st_mode):04o}: others may read it")
        if facts.st_uid not in {os.geteuid(), 0}:
            raise UnsafeKeyFile(str(path), f"owned by user {facts.st_uid}")
        content = file.read(64 * 1024)
    try:
        return serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnsafeKeyFile(str(path), "not an unencrypted PKCS#8 PEM key") from error


def _spki(key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
