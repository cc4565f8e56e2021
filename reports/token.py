"""Keys that never leave a token: a hardware security module, a smart card or a TPM 2.0, all through PKCS#11.

One way for all of them, since a TPM has its own PKCS#11 module (tpm2-pkcs11). A key is named as RFC 7512 names it:

    pkcs11:token=sanitrail;object=acceptance?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/sanitrail/pin

The PIN stands in a file that only its owner can read, never in the URI, which stands in settings and messages. Keys are made with
the token's own tools; what is found is used only if the token says that nobody can take it out. Needs the extra `token`.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import os
import stat
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .errors import MalformedDocument, TokenUnusable
from .keys import VerifyingKey, load_public_key
from .tlog.notes import ED25519, NoteSigner

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256 = bytes.fromhex("06082a8648ce3d030107")
"""DER of the curve's object identifier, 1.2.840.10045.3.1.7 (RFC 5480, 2.1.1.1): the value of CKA_EC_PARAMS."""
_ED25519 = (bytes.fromhex("06032b6570"), b"\x13\x0cedwards25519")
"""DER of 1.3.101.112 (RFC 8410, 3), and the older curve name of PKCS#11 3.0, 6.3.5."""
_TRIAL = b"sanitrail: is this the key it says it is?"
MAX_PIN = 256


@dataclass(frozen=True)
class TokenKey:
    """Where a key is (RFC 7512)."""

    module: Path
    token: str
    label: str
    pin_file: Path
    uri: str

    @classmethod
    def parse(cls, uri: str) -> Self:
        """Read a `pkcs11:` URI.

        Raises:
            TokenUnusable: a part is missing, unknown or stands there twice, or the PIN itself stands in it.
        """
        path, _, query = uri.removeprefix("pkcs11:").partition("?")
        pairs = [part.partition("=")[::2] for part in path.split(";") if part]
        found = [(name, unquote(value)) for name, value in pairs] + parse_qsl(query, keep_blank_values=True)
        parts = dict(found)
        shown = uri if "pin-value" not in parts else uri.partition("?")[0]
        if "pin-value" in parts:
            raise TokenUnusable(shown, "a PIN stands in its URI; put it into a file and name it by pin-source")
        wanted = {"token", "object", "module-path", "pin-source"}
        if not uri.startswith("pkcs11:") or len(parts) != len(found) or parts.keys() - {"type"} != wanted:
            raise TokenUnusable(shown, f"a token's key is named by exactly {', '.join(sorted(wanted))}")
        if parts.get("type", "private") != "private":
            raise TokenUnusable(shown, "it names no private key")
        module, pin = Path(parts["module-path"]), Path(parts["pin-source"].removeprefix("file:"))
        if not module.is_absolute() or not pin.is_absolute():
            raise TokenUnusable(shown, "module-path and pin-source are absolute paths")
        return cls(module, parts["token"], parts["object"], pin, uri)

    def pin(self) -> str:
        """The PIN. Raises `TokenUnusable` where others can read its file."""
        try:
            facts = self.pin_file.stat()
            if stat.S_IMODE(facts.st_mode) & 0o077 or facts.st_uid not in {os.geteuid(), 0}:
                raise TokenUnusable(self.uri, f"others may read {self.pin_file}; make it 0600 and your own")
            text = self.pin_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise TokenUnusable(self.uri, f"its PIN file cannot be read: {error}") from error
        if not 0 < len(pin := text.removesuffix("\n")) <= MAX_PIN:
            raise TokenUnusable(self.uri, f"{self.pin_file} holds no PIN")
        return pin


class _OpenToken:
    """A token this process is signed in to. PKCS#11 knows one login a process, so all keys of a token share its session."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.generation = 0
        self._session: Any = None
        self._pin = b""

    def session(self, where: TokenKey) -> Any:  # noqa: ANN401 - a package without types
        """The session, opened where there is none. Who does not know the PIN is refused, even where it is open already."""
        pin = where.pin()
        if self._session is None:
            token = _library().lib(str(where.module)).get_token(token_label=where.token)
            self._session = token.open(user_pin=pin)
            self._pin = hashlib.sha256(pin.encode()).digest()
            self.generation += 1
        elif not hmac.compare_digest(self._pin, hashlib.sha256(pin.encode()).digest()):
            raise TokenUnusable(where.uri, f"the PIN in {where.pin_file} is not its PIN")
        return self._session

    def forget(self, generation: int) -> None:
        """The session of this generation does not work any more."""
        if generation == self.generation and self._session is not None:
            with suppress(Exception):  # it may be gone already, and that is why
                self._session.close()
            self._session = None


_OPEN: dict[tuple[Path, str], _OpenToken] = {}


class TokenSigner:
    """Signs with an Ed25519 or P-256 key in a token; the same shape as `FileSigner`. Thread-safe.

    A session that was lost (the token was pulled, its daemon restarted) is opened once more; what still fails is an error, and
    never another key.
    """

    def __init__(self, uri: str) -> None:
        """Open the key.

        Raises:
            TokenUnusable: the token, the key or the PIN is not there, or the key is not of a kind that is used here.
        """
        self.where = TokenKey.parse(uri)
        self._token = _OPEN.setdefault((self.where.module, self.where.token), _OpenToken())
        with self._token.lock:
            self._generation, self._private, self._public = self._found()
        if not self._public.verify(self.sign(_TRIAL), _TRIAL):
            raise TokenUnusable(uri, "its public and its private key do not belong together")

    @property
    def public_key_der(self) -> bytes:
        """DER SubjectPublicKeyInfo."""
        return self._public.spki

    @property
    def key_id(self) -> str:
        """SHA-256, hexadecimal, of the DER SubjectPublicKeyInfo."""
        return self._public.key_id

    @property
    def verifying_key(self) -> VerifyingKey:
        """The public half."""
        return self._public

    def public_key(self) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey:
        """The public half as the library has it."""
        return self._public.key

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, or low-s ECDSA P-256 with SHA-256 in DER. Raises `TokenUnusable`."""
        failed = _library().exceptions.PKCS11Error
        with self._token.lock:
            try:
                return self._signed(message)
            except failed:
                self._token.forget(self._generation)
                self._generation, self._private, public = self._found()
            if public != self._public:
                raise TokenUnusable(self.where.uri, "another key stands there now")
            try:
                return self._signed(message)
            except failed as error:
                raise TokenUnusable(self.where.uri, f"it does not sign ({type(error).__name__})") from error

    def _signed(self, message: bytes) -> bytes:
        mechanism = _library().Mechanism
        if isinstance(self._public.key, ed25519.Ed25519PublicKey):
            return bytes(self._private.sign(message, mechanism=mechanism.EDDSA))
        # The digest is made here: a token need not know SHA-256 with ECDSA as one mechanism (a TPM does not).
        raw = bytes(self._private.sign(hashlib.sha256(message).digest(), mechanism=mechanism.ECDSA))
        r, s = int.from_bytes(raw[: len(raw) // 2]), int.from_bytes(raw[len(raw) // 2 :])
        return encode_dss_signature(r, min(s, _P256_ORDER - s))

    def _found(self) -> tuple[int, Any, VerifyingKey]:
        """The session's generation, the private key's handle and the public key."""
        pkcs11, where = _library(), self.where
        kind, attribute = pkcs11.ObjectClass, pkcs11.Attribute
        problems = {
            pkcs11.exceptions.NoSuchToken: f"there is no token {where.token!r}",
            pkcs11.exceptions.NoSuchKey: f"there is not exactly one key pair {where.label!r} in it",
            pkcs11.exceptions.MultipleObjectsReturned: f"there is not exactly one key pair {where.label!r} in it",
            pkcs11.exceptions.PinIncorrect: f"the PIN in {where.pin_file} is not its PIN",
        }
        try:
            session = self._token.session(where)
            private = session.get_key(object_class=kind.PRIVATE_KEY, label=where.label)
            public = session.get_key(object_class=kind.PUBLIC_KEY, label=where.label)
            stays = private[attribute.SENSITIVE] and not private[attribute.EXTRACTABLE]
            curve, point = bytes(public[attribute.EC_PARAMS]), bytes(public[attribute.EC_POINT])
        except (pkcs11.exceptions.PKCS11Error, RuntimeError, OSError) as error:
            known = problems.get(type(error), f"it cannot be opened ({type(error).__name__}: {error})")
            raise TokenUnusable(where.uri, known) from error
        if not stays:
            raise TokenUnusable(where.uri, "the key can be taken out of it, which is no better than a file")
        return self._token.generation, private, _public_key(where.uri, curve, point)


def token_note_signer(uri: str, name: str) -> NoteSigner:
    """An Ed25519 key of the log in a token. The log's ML-DSA-44 key stays in a file: no token here knows the algorithm yet.

    Raises:
        TokenUnusable: as `TokenSigner`; also for a key of another kind.
    """
    signer = TokenSigner(uri)
    if not isinstance(signer.public_key(), ed25519.Ed25519PublicKey):
        raise TokenUnusable(uri, "a log's key in a token is an Ed25519 key")
    return NoteSigner(name, ED25519, signer)


def _public_key(uri: str, curve: bytes, point: bytes) -> VerifyingKey:
    """The public key of CKA_EC_PARAMS and CKA_EC_POINT, with or without the octet string around the point."""
    inner = point[2:] if len(point) > 2 and point[0] == 4 and point[1] == len(point) - 2 else point
    key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
    try:
        if curve in _ED25519:
            key = ed25519.Ed25519PublicKey.from_public_bytes(inner)
        elif curve == _P256:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), inner)
        else:
            raise TokenUnusable(uri, "its key is neither Ed25519 nor P-256")
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return load_public_key(key.public_bytes(serialization.Encoding.DER, form))
    except (ValueError, MalformedDocument) as error:
        raise TokenUnusable(uri, "its public key cannot be read") from error


def _library() -> Any:  # noqa: ANN401 - a package without types
    try:
        return importlib.import_module("pkcs11")
    except ImportError as error:
        raise TokenUnusable("pkcs11:", "this installation lacks the package python-pkcs11 (extra `token`)") from error
