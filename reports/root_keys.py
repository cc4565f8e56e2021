"""Root keys on an offline machine: Ed25519 in a file that only a passphrase opens.

PKCS#8 with PBES2 (RFC 8018, 6.2): PBKDF2 with HMAC-SHA-256 and a million rounds, AES-256-CBC. `openssl pkey -in FILE` reads it,
so that nobody needs this program in ten years. The public half stands beside it in a file that may go anywhere.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

from asn1crypto import algos, core, keys, pem
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from .errors import MalformedDocument, UnsafeKeyFile
from .keys import FileSigner, load_public_key, write_private_file

ROUNDS: Final = 1_000_000
"""About half a second for the owner; as much for each guess of a thief (SP 800-132, 5.2)."""
LEAST_PASSPHRASE: Final = 14
"""Characters: four or five words drawn by dice."""
_SALT: Final = 16
_BLOCK: Final = 16


def create(path: Path, passphrase: str) -> FileSigner:
    """A fresh root key in a new file, and its public half beside it as `.pub`.

    Raises:
        UnsafeKeyFile: a file of that name exists, or the passphrase is too short.
    """
    if len(passphrase) < LEAST_PASSPHRASE:
        raise UnsafeKeyFile(str(path), f"the passphrase has fewer than {LEAST_PASSPHRASE} characters")
    if path.exists():
        raise UnsafeKeyFile(str(path), "there is a file of this name already")
    private = ed25519.Ed25519PrivateKey.generate()
    write_private_file(path, _encrypted(private, passphrase))
    return publish(path, passphrase)


def publish(path: Path, passphrase: str) -> FileSigner:
    """Write the public half again, where it is missing. Raises `UnsafeKeyFile` as `load`."""
    signer = load(path, passphrase)
    public = public_path(path)
    if not public.exists():
        write_private_file(public, public_pem(signer.public_key_der))
        public.chmod(0o644)
    return signer


def public_path(path: Path) -> Path:
    """Where the public half of a key file stands."""
    return path.with_name(f"{path.name.removesuffix('.key')}.pub")


def public_pem(spki_der: bytes) -> bytes:
    """The public half as PEM."""
    return load_public_key(spki_der).key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def read_public(data: bytes) -> bytes:
    """DER SubjectPublicKeyInfo of a `.pub` file. Raises `MalformedDocument`, also for anything but an Ed25519 key."""
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise MalformedDocument("root key", "not a public key in PEM") from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise MalformedDocument("root key", "not an Ed25519 key")
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def load(path: Path, passphrase: str) -> FileSigner:
    """Open a root key. Raises `UnsafeKeyFile`: missing, open to others, another kind of key, or the wrong passphrase."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise UnsafeKeyFile(str(path), error.strerror or "cannot be opened") from error
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise UnsafeKeyFile(str(path), "others may read it")
        content = file.read(64 * 1024)
    try:
        private = serialization.load_pem_private_key(content, passphrase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnsafeKeyFile(str(path), "not a root key, or the passphrase is another") from error
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise UnsafeKeyFile(str(path), "not an Ed25519 key")
    return FileSigner(private)


def _encrypted(private: ed25519.Ed25519PrivateKey, passphrase: str) -> bytes:
    plain = private.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    salt, start = secrets.token_bytes(_SALT), secrets.token_bytes(_BLOCK)
    key = PBKDF2HMAC(hashes.SHA256(), 32, salt, ROUNDS).derive(passphrase.encode())
    padder = padding.PKCS7(8 * _BLOCK).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    data = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    derivation = algos.Pbkdf2Params(
        {
            "salt": algos.Pbkdf2Salt("specified", core.OctetString(salt)),
            "iteration_count": ROUNDS,
            "key_length": 32,
            "prf": {"algorithm": "sha256", "parameters": core.Null()},
        }
    )
    scheme = {
        "algorithm": "pbes2",
        "parameters": {
            "key_derivation_func": {"algorithm": "pbkdf2", "parameters": derivation},
            "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": core.OctetString(start)},
        },
    }
    info = keys.EncryptedPrivateKeyInfo({"encryption_algorithm": scheme, "encrypted_data": data})
    armored: bytes = pem.armor("ENCRYPTED PRIVATE KEY", info.dump())
    return armored
