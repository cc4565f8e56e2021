"""Whom to believe: the trust root, and the keys that were enrolled under it.

The trust root is one signed statement. Its envelope digest is the **pin**: 64 hexadecimal digits that a contract, a web site and
every certificate print, and the only thing a verifier must know beforehand. Everything else follows from it: the log's keys, the
keys that accept and enrol, the certificate that seals PDFs. Keys of agents and approvers enter and leave by logged key
events; the log index is the time axis, so that a key stolen later does not hurt older records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from .canonical import from_base64, is_sha256, sha256_hex, to_base64
from .envelope import Envelope, Signer, envelope_digest, open_envelope, sign, unverified_body
from .errors import BrokenChain, KeyNotValid, MalformedDocument, UnknownKey
from .keys import VerifyingKey, load_public_key, verifying_keys
from .parts import StrictPart
from .statements import KeyEvent
from .times import parse_instant
from .tlog.notes import VerifierKey, parse_vkey

SCHEMA: Final = "sanitrail/trust-root/1"
Role = Literal["acceptance", "enrolment"]
EnrolledRole = Literal["agent", "approver"]


@dataclass(frozen=True, kw_only=True)
class LogIdentity(StrictPart):
    """The log: its name and its verifier keys, all of which sign every checkpoint."""

    origin: str
    vkeys: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RoleKey(StrictPart):
    """A key of the service and the log positions at which it counts: `from_index <= index < until_index`."""

    role: Role
    spki: str
    """Base64 of the DER SubjectPublicKeyInfo."""
    name: str
    from_index: int
    until_index: int | None


@dataclass(frozen=True, kw_only=True)
class PdfSigner(StrictPart):
    """The certificate under which PDFs are sealed."""

    certificate: str
    """Base64 of the DER X.509 certificate."""
    sha256: str
    """SHA-256 of the DER bytes, as viewers display it."""


@dataclass(frozen=True, kw_only=True)
class TrustRootBody(StrictPart):
    """The payload of a trust root envelope."""

    schema: Literal["sanitrail/trust-root/1"] = SCHEMA
    version: int
    threshold: int
    """How many of the root keys must have signed."""
    root_keys: tuple[str, ...]
    """Base64 of DER SubjectPublicKeyInfos."""
    log: LogIdentity
    keys: tuple[RoleKey, ...]
    pdf_signer: PdfSigner


@dataclass(frozen=True)
class TrustRoot:
    """A trust root that holds together and is signed by enough of its root keys."""

    body: TrustRootBody
    envelope: Envelope
    pin: str
    """Envelope digest."""
    log_keys: tuple[VerifierKey, ...]
    pdf_certificate: bytes
    """DER."""

    def keys(self, role: Role, index: int) -> dict[str, VerifyingKey]:
        """The service's keys of a role that count at a log index, by key id."""
        ders = [
            from_base64(key.spki)
            for key in self.body.keys
            if key.role == role and key.from_index <= index and (key.until_index is None or index < key.until_index)
        ]
        return verifying_keys(*ders)


def build_trust_root(body: TrustRootBody, *signers: Signer) -> Envelope:
    """Sign a trust root with root keys. Raises as `open_trust_root` when the result would not hold together."""
    envelope = sign("trust-root", body.to_dict(), *signers)
    open_trust_root(envelope, envelope_digest(envelope))
    return envelope


def open_trust_root(envelope: Mapping[str, Any], pin: str) -> TrustRoot:
    """Check a trust root against its pin and itself.

    Raises:
        BrokenChain: it is not the pinned one, or fewer root keys signed than its threshold says.
        MalformedDocument: it contradicts itself.
        BadSignature, UnknownKey: a signature does not fit, or is by a key that is no root key.
    """
    if not is_sha256(pin):
        raise MalformedDocument("pin", "not 64 lower-case hexadecimal digits")
    found = envelope_digest(envelope)
    if found != pin:
        raise BrokenChain("trust root", f"its digest is {found}, the pin is {pin}: it is not the trust root you trust.")
    body = TrustRootBody.from_dict(unverified_body(envelope, "trust-root"), "trust-root")
    roots = _distinct(body.root_keys, "trust-root.root_keys")
    if not 1 <= body.threshold <= len(roots):
        raise MalformedDocument("trust-root.threshold", "not between one and the number of root keys")
    _, signed = open_envelope(envelope, roots, "trust-root", exact=True)
    if len(signed) < body.threshold:
        raise BrokenChain("trust root", f"{len(signed)} of its root keys signed, {body.threshold} must.")
    _check_roles(body, roots)
    certificate = from_base64(body.pdf_signer.certificate, "trust-root.pdf_signer.certificate")
    if sha256_hex(certificate) != body.pdf_signer.sha256:
        raise MalformedDocument("trust-root.pdf_signer", "the digest is not the certificate's")
    return TrustRoot(body, dict(envelope), pin, _log_keys(body.log), certificate)


def _distinct(spkis: Sequence[str], where: str) -> dict[str, VerifyingKey]:
    keys = verifying_keys(*(from_base64(spki, where) for spki in spkis))
    if len(keys) != len(spkis):
        raise MalformedDocument(where, "the same key twice")
    return keys


def _check_roles(body: TrustRootBody, roots: Mapping[str, VerifyingKey]) -> None:
    """One key, one job: whoever steals one must not get two."""
    if body.version < 1:
        raise MalformedDocument("trust-root.version", "not positive")
    named = _distinct([key.spki for key in body.keys], "trust-root.keys")
    if named.keys() & roots.keys():
        raise MalformedDocument("trust-root.keys", "a root key has another role too")
    if {key.role for key in body.keys} != {"acceptance", "enrolment"}:
        raise MalformedDocument("trust-root.keys", "needs a key to accept and a key to enrol")
    for key in body.keys:
        if key.from_index < 0 or (key.until_index is not None and key.until_index <= key.from_index):
            raise MalformedDocument("trust-root.keys", "a key counts at no log position")


def _log_keys(log: LogIdentity) -> tuple[VerifierKey, ...]:
    keys = tuple(parse_vkey(vkey) for vkey in log.vkeys)
    if not keys or len(set(keys)) != len(keys) or any(key.name != log.origin for key in keys):
        raise MalformedDocument("trust-root.log", "needs distinct verifier keys, all named after the log's origin")
    return keys


@dataclass(frozen=True)
class EnrolledKey:
    """A key of an agent or approver and the log positions at which its statements count."""

    key: VerifyingKey
    role: EnrolledRole
    ref: str
    enrolled_at: int
    valid_below: int | None
    """Set once revoked."""

    def check(self, role: EnrolledRole, index: int) -> Self:
        """Raise `KeyNotValid` unless a statement in this role, accepted at this log index, counts."""
        problem = ""
        if self.role != role:
            problem = f"it is enrolled as {self.role}"
        elif index <= self.enrolled_at:
            problem = f"it was enrolled only at index {self.enrolled_at}"
        elif self.valid_below is not None and index >= self.valid_below:
            problem = f"it is revoked from index {self.valid_below} on"
        if problem:
            raise KeyNotValid(self.key.key_id, role, index, problem)
        return self


class KeyDirectory:
    """The keys that key events brought into force and took out of it, in the order of the log."""

    def __init__(self, trust: TrustRoot) -> None:
        self._trust = trust
        self._keys: dict[str, EnrolledKey] = {}
        self._last = 0

    def add(self, envelope: Mapping[str, Any], index: int) -> KeyEvent:
        """Take in the key event logged at `index`; events come in log order.

        Raises:
            BadSignature, UnknownKey: not signed by an enrolment key that counts at `index`.
            BrokenChain: out of order, a key enrolled twice, or a revocation of a key that is not enrolled.
        """
        body, _ = open_envelope(envelope, self._trust.keys("enrolment", index), "key-event", exact=True)
        event = KeyEvent.from_dict(body, "key-event")
        parse_instant(event.time, "key-event.time")
        key = load_public_key(from_base64(event.spki, "key-event.spki"))
        if index <= self._last:
            raise BrokenChain("key events", "they are not in the order of the log.")
        self._last = index
        known = self._keys.get(key.key_id)
        if event.event == "enrol":
            if known is not None or event.valid_below is not None:
                raise BrokenChain("key events", f"key {key.key_id[:16]}… is enrolled twice, or within limits.")
            self._keys[key.key_id] = EnrolledKey(key, event.role, event.ref, index, None)
            return event
        below = index if event.valid_below is None else event.valid_below
        if known is None or (known.role, known.ref) != (event.role, event.ref) or not 0 <= below <= index:
            raise BrokenChain("key events", f"key {key.key_id[:16]}… is revoked, but not as it was enrolled.")
        earlier = below if known.valid_below is None else min(below, known.valid_below)
        self._keys[key.key_id] = EnrolledKey(key, known.role, known.ref, known.enrolled_at, earlier)
        return event

    def find(self, key_id: str, role: EnrolledRole, index: int) -> EnrolledKey:
        """The key, if a statement in this role accepted at this index counts. Raises `UnknownKey` or `KeyNotValid`."""
        known = self._keys.get(key_id)
        if known is None:
            raise UnknownKey(key_id, f"Key {key_id[:16]}… ({role}) was never enrolled.")
        return known.check(role, index)

    def all(self) -> tuple[EnrolledKey, ...]:
        """Every key ever enrolled, revoked ones included."""
        return tuple(self._keys.values())


def role_key(role: Role, signer: Signer, name: str, from_index: int = 0) -> RoleKey:
    """Entry of a trust root for one of the service's keys."""
    return RoleKey(role=role, spki=to_base64(signer.public_key_der), name=name, from_index=from_index, until_index=None)


def pdf_signer(certificate_der: bytes) -> PdfSigner:
    """Entry of a trust root for the certificate that seals PDFs."""
    return PdfSigner(certificate=to_base64(certificate_der), sha256=sha256_hex(certificate_der))


def key_event(
    event: Literal["enrol", "revoke"],
    role: EnrolledRole,
    ref: str,
    spki_der: bytes,
    time: str,
    *,
    valid_below: int | None = None,
) -> KeyEvent:
    """The body of a key event for a key given as DER SubjectPublicKeyInfo (checked to be a usable one)."""
    load_public_key(spki_der)
    return KeyEvent(event=event, role=role, ref=ref, spki=to_base64(spki_der), time=time, valid_below=valid_below)
