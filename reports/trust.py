"""Whom to believe: the trust root, version after version, from one pinned digest.

A trust root is one signed statement. The envelope digest of a version is a **pin**: 64 hexadecimal digits that a contract, a web
site and every certificate print, and the only thing a verifier must know beforehand. Everything else follows from it: the log's
keys, the witnesses, the keys that accept and enrol, the authority of the seals.

Versions form a chain. Each later one names the one before by digest, raises the version by one, and is signed by enough root keys
of the version before *and* of its own (TUF specification, 5.3.4: a new root must carry a threshold of the old and of the new
keys). What is said once about a key of the service is never unsaid: its place and name stay, its end may only come earlier.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509

from .canonical import from_base64, is_sha256, sha256_hex
from .envelope import Envelope, Signer, envelope_digest, open_envelope, sign, signer_ids, unverified_body
from .errors import BrokenChain, MalformedDocument, UnsupportedSchema
from .keys import VerifyingKey, verifying_keys
from .times import parse_instant
from .tlog.notes import ED25519, ED25519_COSIGNATURE, ML_DSA_44, VerifierKey, parse_vkey
from .trust_body import (
    SCHEMA,
    SCHEMA_1,
    AnyTrustRootBody,
    LogIdentity,
    PinnedCertificate,
    Role,
    RoleKey,
    TimeAuthority,
    TrustRootBody,
    TrustRootBody1,
    Witnesses,
)

MAX_VERSIONS: Final = 256
"""Versions in one chain; a bound on work, not on time: nobody changes a trust root daily."""
_ROLES: Final = frozenset({"acceptance", "enrolment"})
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,18})){1,32}")
_NAME_LIMIT: Final = 100


@dataclass(frozen=True)
class TrustRoot:
    """A version of the trust root that holds together and is signed by enough of its own root keys."""

    body: AnyTrustRootBody
    envelope: Envelope
    pin: str
    """Envelope digest."""
    root_keys: Mapping[str, VerifyingKey]
    """By key id."""
    log_keys: tuple[VerifierKey, ...]
    witness_keys: tuple[VerifierKey, ...]
    quorum: int
    """How many different witnesses make a checkpoint witnessed; 0 where there are none."""
    time_authorities: tuple[TimeAuthority, ...]
    pdf_certificate: bytes
    """DER: the authority of the seals (`seal_authority`), or in the first schema the sealing certificate itself."""

    @property
    def seal_authority(self) -> bool:
        """Whether `pdf_certificate` issues sealing certificates; otherwise it is the one that seals."""
        return isinstance(self.body, TrustRootBody)

    @property
    def previous(self) -> str | None:
        """Envelope digest of the version before; None in the first."""
        return self.body.previous if isinstance(self.body, TrustRootBody) else None

    def keys(self, role: Role, index: int) -> dict[str, VerifyingKey]:
        """The service's keys of a role that count at a log index, by key id."""
        ders = [
            from_base64(key.spki)
            for key in self.body.keys
            if key.role == role and key.from_index <= index and (key.until_index is None or index < key.until_index)
        ]
        return verifying_keys(*ders)


def build_trust_root(body: AnyTrustRootBody, *signers: Signer) -> Envelope:
    """Sign a first version with root keys. Raises as `open_trust_root` when the result would not hold together."""
    envelope = sign("trust-root", body.to_dict(), *signers)
    open_trust_root(envelope, envelope_digest(envelope))
    return envelope


def open_trust_root(envelope: Mapping[str, Any], pin: str) -> TrustRoot:
    """Check a first version of the trust root against its pin and itself.

    Raises:
        BrokenChain: it is not the pinned one, or fewer root keys signed than its threshold says.
        MalformedDocument: it contradicts itself.
        BadSignature, UnknownKey: a signature does not fit, or is by a key that is no root key.
    """
    return open_chain([envelope], pin)[0]


def open_chain(envelopes: Sequence[Mapping[str, Any]], pin: str) -> tuple[TrustRoot, ...]:
    """Check all versions of a trust root, from the first to the one in force.

    Args:
        envelopes: the versions, oldest first, none left out.
        pin: envelope digest of any one of them: what comes before it is bound by digests, what comes after by signatures.

    Raises:
        BrokenChain: no version is the pinned one, a version does not follow the one before, or too few root keys signed.
        MalformedDocument: a version contradicts itself.
        BadSignature, UnknownKey: a signature does not fit, or is by a key that is no root key of it or the one before.
    """
    if not is_sha256(pin):
        raise MalformedDocument("pin", "not 64 lower-case hexadecimal digits")
    if not 1 <= len(envelopes) <= MAX_VERSIONS:
        raise MalformedDocument("trust root", f"needs between 1 and {MAX_VERSIONS} versions")
    digests = [envelope_digest(envelope) for envelope in envelopes]
    if pin not in digests:
        found = digests[0] if len(digests) == 1 else f"one of {', '.join(digests)}"
        raise BrokenChain("trust root", f"its digest is {found}, the pin is {pin}: it is not the trust root you trust.")
    roots: list[TrustRoot] = []
    for envelope, digest in zip(envelopes, digests, strict=True):
        roots.append(_open_version(envelope, digest, roots[-1] if roots else None))
    return tuple(roots)


def open_successor(envelope: Mapping[str, Any], before: TrustRoot) -> TrustRoot:
    """Check that a version follows one that is trusted already. Raises as `open_chain`."""
    return _open_version(envelope, envelope_digest(envelope), before)


def read_body(envelope: Mapping[str, Any]) -> AnyTrustRootBody:
    """What a version says, whoever signed it: for drafts, and for finding the keys to check it with.

    Raises:
        UnsupportedSchema: of a schema that is not known here.
        MalformedDocument: not a trust root.
    """
    return _parse_body(unverified_body(envelope, "trust-root"))


def missing_signatures(
    envelope: Mapping[str, Any], body: AnyTrustRootBody, before: TrustRoot | None
) -> tuple[int, int]:
    """How many signatures an unfinished version still lacks: of root keys of the version before, and of its own.

    Signatures that do not fit, or are by keys of neither, do not count and are not complained about here.
    """
    message_keys = verifying_keys(*(from_base64(spki) for spki in body.root_keys))
    own = _good(envelope, message_keys)
    old = set() if before is None else _good(envelope, before.root_keys)
    needed = 0 if before is None else before.body.threshold
    return max(0, needed - len(old)), max(0, body.threshold - len(own))


def _good(envelope: Mapping[str, Any], keys: Mapping[str, VerifyingKey]) -> set[str]:
    if not keys.keys() & set(signer_ids(envelope)):
        return set()
    return set(open_envelope(envelope, keys, "trust-root")[1])


def check_body(body: AnyTrustRootBody, before: TrustRoot | None = None) -> None:
    """Whether a version holds together and follows the one before, signatures aside. Raises as `open_chain`."""
    roots = _distinct(body.root_keys, "trust-root.root_keys")
    if not 1 <= body.threshold <= len(roots):
        raise MalformedDocument("trust-root.threshold", "not between one and the number of root keys")
    _check_roles(body, roots)
    _log_keys(body.log)
    _pinned(body)
    if isinstance(body, TrustRootBody):
        _check_parts(body, roots)
    if before is not None:
        _check_follows(body, before, roots)
    elif body.version != 1 or (isinstance(body, TrustRootBody) and body.previous is not None):
        raise BrokenChain("trust root", f"version {body.version} is not the first: the versions before it are missing.")


def _parse_body(raw: dict[str, Any]) -> AnyTrustRootBody:
    schema = raw.get("schema")
    if schema == SCHEMA_1:
        return TrustRootBody1.from_dict(raw, "trust-root")
    if schema == SCHEMA:
        return TrustRootBody.from_dict(raw, "trust-root")
    raise UnsupportedSchema("trust-root.schema", str(schema))


def _open_version(envelope: Mapping[str, Any], digest: str, before: TrustRoot | None) -> TrustRoot:
    body = read_body(envelope)
    check_body(body, before)
    roots = _distinct(body.root_keys, "trust-root.root_keys")
    allowed = roots if before is None else {**before.root_keys, **roots}
    _, signed = open_envelope(envelope, allowed, "trust-root", exact=True)
    _demand(signed, roots, body.threshold, "its root keys signed")
    if before is not None:
        both = f"the root keys of version {before.body.version} signed version {body.version}"
        _demand(signed, before.root_keys, before.body.threshold, both)
    witnesses = body.witnesses if isinstance(body, TrustRootBody) else Witnesses()
    return TrustRoot(
        body=body,
        envelope=dict(envelope),
        pin=digest,
        root_keys=roots,
        log_keys=_log_keys(body.log),
        witness_keys=tuple(parse_vkey(vkey) for vkey in witnesses.vkeys),
        quorum=witnesses.quorum,
        time_authorities=body.time_authorities if isinstance(body, TrustRootBody) else (),
        pdf_certificate=_pinned(body),
    )


def _demand(signed: Sequence[str], keys: Mapping[str, VerifyingKey], threshold: int, who: str) -> None:
    count = sum(key_id in keys for key_id in signed)
    if count < threshold:
        raise BrokenChain("trust root", f"{count} of {who}, {threshold} must.")


def _distinct(spkis: Sequence[str], where: str) -> dict[str, VerifyingKey]:
    keys = verifying_keys(*(from_base64(spki, where) for spki in spkis))
    if len(keys) != len(spkis):
        raise MalformedDocument(where, "the same key twice")
    return keys


def _check_roles(body: AnyTrustRootBody, roots: Mapping[str, VerifyingKey]) -> None:
    """One key, one job: whoever steals one must not get two."""
    if body.version < 1:
        raise MalformedDocument("trust-root.version", "not positive")
    named = _distinct([key.spki for key in body.keys], "trust-root.keys")
    if named.keys() & roots.keys():
        raise MalformedDocument("trust-root.keys", "a root key has another role too")
    if {key.role for key in body.keys} != _ROLES:
        raise MalformedDocument("trust-root.keys", "needs a key to accept and a key to enrol")
    if isinstance(body, TrustRootBody) and {key.role for key in body.keys if key.until_index is None} != _ROLES:
        raise MalformedDocument("trust-root.keys", "a role has only keys that have ended")
    for key in body.keys:
        # A key stolen nobody knows when may count at no position at all; the first schema knew no such end.
        least = key.from_index if isinstance(body, TrustRootBody) else key.from_index + 1
        if key.from_index < 0 or (key.until_index is not None and key.until_index < least):
            raise MalformedDocument("trust-root.keys", "a key counts at no log position")


def _log_keys(log: LogIdentity) -> tuple[VerifierKey, ...]:
    keys = tuple(parse_vkey(vkey) for vkey in log.vkeys)
    if not keys or len(set(keys)) != len(keys) or any(key.name != log.origin for key in keys):
        raise MalformedDocument("trust-root.log", "needs distinct verifier keys, all named after the log's origin")
    return keys


def _pinned(body: AnyTrustRootBody) -> bytes:
    name = "pdf_authority" if isinstance(body, TrustRootBody) else "pdf_signer"
    pinned = body.pdf_authority if isinstance(body, TrustRootBody) else body.pdf_signer
    return _certificate_bytes(pinned, f"trust-root.{name}")


def _certificate_bytes(pinned: PinnedCertificate, where: str) -> bytes:
    certificate = from_base64(pinned.certificate, f"{where}.certificate")
    if sha256_hex(certificate) != pinned.sha256:
        raise MalformedDocument(where, "the digest is not the certificate's")
    return certificate


def _check_parts(body: TrustRootBody, roots: Mapping[str, VerifyingKey]) -> None:
    """What only the second schema has."""
    parse_instant(body.issued, "trust-root.issued")
    if not is_sha256(body.previous) and body.previous is not None:
        raise MalformedDocument("trust-root.previous", "not a digest")
    log_keys = _log_keys(body.log)
    if {key.algorithm for key in log_keys} - {ED25519, ML_DSA_44}:
        raise MalformedDocument("trust-root.log", "its keys are Ed25519 or ML-DSA-44")
    witnesses = tuple(parse_vkey(vkey) for vkey in body.witnesses.vkeys)
    names = {key.name for key in witnesses}
    if len(set(witnesses)) != len(witnesses) or body.log.origin in names:
        raise MalformedDocument("trust-root.witnesses", "the same key twice, or the log as its own witness")
    if {key.algorithm for key in witnesses} - {ED25519_COSIGNATURE, ML_DSA_44}:
        raise MalformedDocument("trust-root.witnesses", "witnesses sign Ed25519 cosignatures or ML-DSA-44")
    if not min(1, len(names)) <= body.witnesses.quorum <= len(names):
        raise MalformedDocument("trust-root.witnesses", "the quorum is not between one and the number of witnesses")
    spkis = [key.spki for key in roots.values()] + [from_base64(key.spki) for key in body.keys]
    raw = [spki[-32:] for spki in spkis] + [key.public for key in (*log_keys, *witnesses)]
    if len(set(raw)) != len(raw):
        raise MalformedDocument("trust-root", "one key has two roles")
    _check_authorities(body.time_authorities)
    _authority_certificate(_pinned(body), "trust-root.pdf_authority")


def _check_authorities(authorities: Sequence[TimeAuthority]) -> None:
    where = "trust-root.time_authorities"
    names = [one.name for one in authorities]
    if len(set(names)) != len(names):
        raise MalformedDocument(where, "the same name twice")
    for one in authorities:
        if not one.name.isprintable() or not 1 <= len(one.name) <= _NAME_LIMIT or not one.certificates:
            raise MalformedDocument(where, "each has a printable name and at least one certificate")
        if one.policy and not _OID.fullmatch(one.policy):
            raise MalformedDocument(where, "the policy is not an object identifier")
        for certificate in one.certificates:
            _parse_certificate(from_base64(certificate, where), where)


def _authority_certificate(der: bytes, where: str) -> None:
    certificate = _parse_certificate(der, where)
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound) as error:
        raise MalformedDocument(where, "not the certificate of an authority") from error
    if not constraints.ca:
        raise MalformedDocument(where, "not the certificate of an authority")


def _parse_certificate(der: bytes, where: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise MalformedDocument(where, "not a DER X.509 certificate") from error


def _check_follows(body: AnyTrustRootBody, before: TrustRoot, roots: Mapping[str, VerifyingKey]) -> None:
    old = before.body
    if not isinstance(body, TrustRootBody) or (body.version, body.previous) != (old.version + 1, before.pin):
        raise BrokenChain("trust root", f"version {body.version} does not follow version {old.version}.")
    if body.log.origin != old.log.origin:
        raise BrokenChain("trust root", f"version {body.version} names another log.")
    if isinstance(old, TrustRootBody) and parse_instant(body.issued) < parse_instant(old.issued):
        raise BrokenChain("trust root", f"version {body.version} was proposed before version {old.version}.")
    if verifying_keys(*(from_base64(key.spki) for key in body.keys)).keys() & before.root_keys.keys():
        raise BrokenChain("trust root", "a key that was a root key has another role.")
    if roots.keys() & verifying_keys(*(from_base64(key.spki) for key in old.keys)).keys():
        raise BrokenChain("trust root", "a root key had another role before.")
    _check_keys_follow({key.spki: key for key in body.keys}, old.keys)


def _check_keys_follow(present: Mapping[str, RoleKey], before: Sequence[RoleKey]) -> None:
    """Nothing that counted is left out, moved, or made to count longer; new keys begin no earlier than the ones before them."""
    newest = {role: max(key.from_index for key in before if key.role == role) for role in _ROLES}
    known = {key.spki for key in before}
    for old in before:
        new = present.get(old.spki)
        if new is None or (new.role, new.name, new.from_index) != (old.role, old.name, old.from_index):
            raise BrokenChain("trust root", f"the {old.role} key {old.name!r} was left out or changed.")
        if old.until_index is not None and (new.until_index is None or new.until_index > old.until_index):
            raise BrokenChain("trust root", f"the {old.role} key {old.name!r} was made to count longer than it did.")
    for key in present.values():
        if key.spki not in known and key.from_index < newest[key.role]:
            raise BrokenChain(
                "trust root", f"the new {key.role} key {key.name!r} reaches back behind the ones before it."
            )
