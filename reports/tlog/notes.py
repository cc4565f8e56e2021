"""C2SP signed notes: a text and the lines that sign it.

Three algorithms: Ed25519 (type 1, every public log has one), Ed25519 cosignature (type 4, witnesses), ML-DSA-44
cosignature (type 6, FIPS 204; the one that still stands when elliptic curves have fallen). A verifier key (`vkey`)
names signer, algorithm and key.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from reports.canonical import from_base64, to_base64
from reports.errors import BadSignature, MalformedDocument, UnknownKey

ED25519 = 1
ED25519_COSIGNATURE = 4
ML_DSA_44 = 6
ALGORITHMS = {ED25519: "Ed25519", ED25519_COSIGNATURE: "Ed25519 cosignature", ML_DSA_44: "ML-DSA-44"}
MAX_NOTE = 200_000
"""Largest note in characters."""
MAX_LINES = 64
_PUBLIC_BYTES = {ED25519: 32, ED25519_COSIGNATURE: 32, ML_DSA_44: 1312}
_DASH = "\u2014"
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,255}")
_LINE = re.compile(rf"{_DASH} ([^\s+]{{1,255}}) ([A-Za-z0-9+/]+={{0,2}})")


def _key_hash(name: str, algorithm: int, public: bytes) -> bytes:
    """c2sp.org/signed-note: the first four bytes of SHA-256(name || 0x0A || type || key)."""
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


@dataclass(frozen=True)
class VerifierKey:
    """A note signer's public half."""

    name: str
    algorithm: int
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """Four bytes that lead from a signature line to this key."""
        return _key_hash(self.name, self.algorithm, self.public)

    @property
    def vkey(self) -> str:
        """`<name>+<hash>+<base64 of type and key>`."""
        return f"{self.name}+{self.key_hash.hex()}+{to_base64(bytes([self.algorithm]) + self.public)}"

    @property
    def label(self) -> str:
        """For people: who signs and how."""
        return f"{self.name} ({ALGORITHMS[self.algorithm]})"

    @lru_cache(maxsize=256)  # noqa: B019 - a key is a value of a few bytes; files of one folder share their checkpoint
    def check(self, signature: bytes, text: str) -> int | None:
        """Check a signature (without the key hash). Returns the time it states in Unix seconds, where it states one.

        Raises:
            BadSignature: it does not fit.
        """
        stamp: int | None = None
        message = text.encode()
        try:
            if self.algorithm != ED25519:
                (stamp,) = struct.unpack(">Q", signature[:8].rjust(8, b"\0"))
                signature = signature[8:]
                message = _cosigned_message(self.algorithm, self.name, stamp, text)
            if self.algorithm == ML_DSA_44:
                mldsa.MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, message)
            else:
                ed25519.Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise BadSignature(self.key_hash.hex(), f"Checkpoint signature of {self.label}.") from error
        return stamp


def parse_vkey(vkey: str) -> VerifierKey:
    """Read a verifier key.

    Raises:
        MalformedDocument: not a verifier key of an algorithm used here, or its hash does not fit.
    """
    name, _, rest = vkey.partition("+")
    given, _, encoded = rest.partition("+")
    raw = from_base64(encoded, "vkey")
    if not _NAME.fullmatch(name) or not raw or len(raw) - 1 != _PUBLIC_BYTES.get(raw[0]):
        raise MalformedDocument("vkey", "not a verifier key of a known algorithm")
    key = VerifierKey(name, raw[0], raw[1:])
    if given != key.key_hash.hex():
        raise MalformedDocument("vkey", "its hash does not fit its key")
    return key


def _cosigned_message(algorithm: int, name: str, stamp: int, text: str) -> bytes:
    """c2sp.org/tlog-cosignature: what a timestamped signature covers."""
    if algorithm == ED25519_COSIGNATURE:
        return f"cosignature/v1\ntime {stamp}\n{text}".encode()
    lines = text.split("\n")
    if len(lines) < 4 or not lines[1].isascii() or not lines[1].isdigit() or len(lines[1]) > 16:
        raise ValueError("only a checkpoint can be cosigned")
    origin, size, root = lines[:3]

    def short(value: str) -> bytes:
        raw = value.encode()
        return bytes([len(raw)]) + raw  # ValueError beyond 255 bytes

    start_and_end = struct.pack(">QQ", 0, int(size))
    return (
        b"subtree/v1\n\x00" + short(name) + struct.pack(">Q", stamp) + short(origin) + start_and_end + from_base64(root)
    )


def fresh_key(algorithm: int) -> ed25519.Ed25519PrivateKey | mldsa.MLDSA44PrivateKey:
    """A private key for one of `ALGORITHMS`."""
    return mldsa.MLDSA44PrivateKey.generate() if algorithm == ML_DSA_44 else ed25519.Ed25519PrivateKey.generate()


class NoteKey(Protocol):
    """What signs, wherever it lives: the library's own private keys have this shape, and so has a key in a token."""

    def sign(self, message: bytes, /) -> bytes:
        """The raw signature."""

    def public_key(self) -> Any:  # noqa: ANN401 - one of the library's public keys
        """Its public half."""


class NoteSigner:
    """A log's or witness's private key."""

    def __init__(self, name: str, algorithm: int, private: NoteKey) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a note signer's name: {name!r}")
        if isinstance(private, mldsa.MLDSA44PrivateKey) != (algorithm == ML_DSA_44) or algorithm not in ALGORITHMS:
            raise ValueError("the key does not fit the algorithm")
        self.private_key = private
        public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.verifier = VerifierKey(name, algorithm, public)

    @classmethod
    def generate(cls, name: str, algorithm: int = ED25519) -> Self:
        """A fresh key, in memory only."""
        return cls(name, algorithm, fresh_key(algorithm))

    @property
    def vkey(self) -> str:
        """The public half as text."""
        return self.verifier.vkey

    def line(self, text: str, time: int) -> str:
        """The signature line over `text`; `time` in Unix seconds is stated by the cosignature types."""
        key = self.verifier
        if key.algorithm == ED25519:
            signature = self.private_key.sign(text.encode())
        else:
            message = _cosigned_message(key.algorithm, key.name, time, text)
            signature = struct.pack(">Q", time) + self.private_key.sign(message)
        return f"{_DASH} {key.name} {to_base64(key.key_hash + signature)}\n"


@dataclass(frozen=True)
class NoteSignature:
    """A good signature of a known key."""

    key: VerifierKey
    time: int | None
    """Unix seconds the signer states; None for plain Ed25519."""


def sign_note(text: str, signers: Sequence[NoteSigner], time: int) -> str:
    """The text, an empty line, and one line for each signer, in the order given."""
    if not text.endswith("\n") or not signers:
        raise ValueError("a note ends with a newline and has a signer")
    return text + "\n" + "".join(signer.line(text, time) for signer in signers)


def open_note(note: str, keys: Sequence[VerifierKey], *, exact: bool = False) -> tuple[str, tuple[NoteSignature, ...]]:
    """Check a note's signatures.

    Args:
        note: the whole note.
        keys: the known keys; lines of others are left out of account.
        exact: the signature lines must be those of `keys`, all of them, in that order, and nothing else.

    Returns:
        The text, and the good signatures (at least one).

    Raises:
        MalformedDocument: not a signed note.
        BadSignature: a known key's line does not fit the text.
        UnknownKey: no known key signed, or (`exact`) the lines are not exactly those of the known keys.
    """
    text, separator, block = note.rpartition("\n\n")
    if len(note) > MAX_NOTE or not separator or not block.endswith("\n"):
        raise MalformedDocument("note", "not a signed note")
    text += "\n"
    if any(ord(char) < 0x20 and char != "\n" for char in text):
        raise MalformedDocument("note", "control characters")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_LINES:
        raise MalformedDocument("note", f"more than {MAX_LINES} signature lines")
    good: list[NoteSignature] = []
    for line in lines:
        match = _LINE.fullmatch(line)
        raw = from_base64(match[2], "note signature") if match else b""
        if match is None or len(raw) < 5:
            raise MalformedDocument("note", "not a signature line")
        found = [key for key in keys if key.name == match[1] and key.key_hash == raw[:4]]
        if any(signature.key in found for signature in good):
            raise MalformedDocument("note", "the same key signed twice")
        good.extend(NoteSignature(key, key.check(raw[4:], text)) for key in found)
    if not good:
        raise UnknownKey("", "No known key signed this checkpoint.")
    if exact and ([signature.key for signature in good] != list(keys) or len(lines) != len(keys)):
        raise UnknownKey("", "The checkpoint is not signed by exactly the log's keys.")
    return text, tuple(good)
