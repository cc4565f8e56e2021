"""How a version of the trust root comes about: a proposal that travels to the offline root keys and back. Pure.

The service writes what it proposes; each holder of a root key is shown in plain words what changes, on a machine of their own,
and adds a signature; the service publishes it once enough root keys of the version in force and of the new one have signed.
Copies may be signed side by side and are put together again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from .canonical import canonical, from_base64, parse_canonical, parse_strict, to_base64
from .ceremony_words import changes
from .envelope import Envelope, Signer, envelope_digest, open_envelope, payload_type, sign_payload
from .errors import BrokenChain, MalformedDocument, UnknownKey
from .keys import VerifyingKey, fingerprint_words, verifying_keys
from .parts import StrictPart
from .trust import TrustRoot, check_body, open_chain
from .trust_body import SCHEMA, TrustRootBody, TrustRootBody1, Witnesses, pinned_certificate

FORMAT: Final = "sanitrail/trust-root-proposal/1"
_WHAT: Final = "proposal"


@dataclass(frozen=True, kw_only=True)
class ProposalSignature(StrictPart):
    """A root key's signature over the proposed version."""

    keyid: str
    sig: str
    """Base64."""


@dataclass(frozen=True, kw_only=True)
class Proposal(StrictPart):
    """The next version of a trust root on its way to being signed."""

    format: Literal["sanitrail/trust-root-proposal/1"] = FORMAT
    trust_roots: tuple[dict[str, Any], ...]
    """Envelopes of the versions so far, oldest first; none where a first version is proposed."""
    payload: str
    """Base64 of what is signed."""
    signatures: tuple[ProposalSignature, ...] = ()
    """Sorted by key id."""

    def to_bytes(self) -> bytes:
        """The file: canonical JSON and a newline."""
        return canonical(self.to_dict()) + b"\n"

    def body(self) -> TrustRootBody:
        """What is proposed. Raises `MalformedDocument`."""
        return TrustRootBody.from_dict(parse_strict(from_base64(self.payload, _WHAT), _WHAT), _WHAT)

    def before(self) -> TrustRoot | None:
        """The version in force, as far as the file says: whoever signs compares its pin with one they know."""
        if not self.trust_roots:
            return None
        return open_chain(self.trust_roots, envelope_digest(self.trust_roots[-1]))[-1]

    def envelope(self) -> Envelope:
        """The finished version. Raises `BrokenChain` while signatures are missing, `ReportError` where it does not hold."""
        found = self._envelope()
        open_chain([*self.trust_roots, found], envelope_digest(found))
        return found

    def _envelope(self) -> Envelope:
        if not self.signatures:
            raise BrokenChain("trust root", "nobody has signed it yet.")
        return {
            "payloadType": payload_type("trust-root"),
            "payload": self.payload,
            "signatures": [{"keyid": one.keyid, "sig": one.sig} for one in self.signatures],
        }

    def check(self) -> None:
        """Raise `ReportError` unless it follows the version before it and every signature is a good one by a root key."""
        body, before = self.body(), self.before()
        check_body(body, before)
        if canonical(body.to_dict()) != from_base64(self.payload, _WHAT):
            raise MalformedDocument(_WHAT, "what is to be signed is not in canonical form")
        if [one.keyid for one in self.signatures] != sorted(one.keyid for one in self.signatures):
            raise MalformedDocument(_WHAT, "its signatures are not in their order")
        if self.signatures:
            open_envelope(self._envelope(), _allowed(body, before), "trust-root", exact=True)


@dataclass(frozen=True)
class Progress:
    """Who has signed, and who still must."""

    signed: tuple[str, ...]
    """Key ids."""
    missing_before: int
    """Signatures still needed of root keys of the version in force."""
    missing_own: int
    """Of root keys of the proposed version. One signature may count for both."""
    may_sign: tuple[str, ...]
    """Ids of the root keys that have not signed."""

    @property
    def complete(self) -> bool:
        """Whether it can be published."""
        return not self.missing_before and not self.missing_own

    def words(self) -> list[str]:
        """For people, a line each."""
        found = [f"Signed by {fingerprint_words(key_id)}" for key_id in self.signed] or ["Nobody has signed yet."]
        if self.complete:
            return [*found, "Enough root keys have signed: it can be published."]
        for count, whose in ((self.missing_before, "the version in force"), (self.missing_own, "the proposed version")):
            if count:
                noun = "signature" if count == 1 else "signatures"
                found.append(f"Still needed: {count} {noun} by root keys of {whose}.")
        return [*found, *(f"May sign: {fingerprint_words(key_id)}" for key_id in self.may_sign)]


def proposal_of(trust_roots: Sequence[Mapping[str, Any]], body: TrustRootBody) -> Proposal:
    """An unsigned proposal. Raises `ReportError` where it would not follow the versions so far."""
    found = Proposal(trust_roots=tuple(dict(one) for one in trust_roots), payload=to_base64(canonical(body.to_dict())))
    found.check()
    return found


def read_proposal(data: bytes) -> Proposal:
    """Read a proposal's file. Raises `ReportError` for anything that is not whole, or was signed by anybody else."""
    text = data[:-1] if data.endswith(b"\n") else data
    found = Proposal.from_dict(parse_canonical(text, _WHAT), _WHAT)
    found.check()
    return found


def sign_proposal(proposal: Proposal, signer: Signer) -> Proposal:
    """The proposal with one more signature; the same proposal where this key has signed already.

    Raises:
        UnknownKey: the key is a root key of neither the version in force nor the proposed one.
    """
    if any(one.keyid == signer.key_id for one in proposal.signatures):
        return proposal
    if signer.key_id not in _allowed(proposal.body(), proposal.before()):
        raise UnknownKey(
            signer.key_id, f"Key {signer.key_id[:16]}… is a root key of neither version: it cannot sign this."
        )
    envelope = sign_payload("trust-root", from_base64(proposal.payload), signer)
    (made,) = envelope["signatures"]
    found = _with(proposal, (*proposal.signatures, ProposalSignature(keyid=made["keyid"], sig=made["sig"])))
    found.check()
    return found


def merge(first: Proposal, *others: Proposal) -> Proposal:
    """Copies of one proposal that were signed side by side, put together. Raises `MalformedDocument` where they differ."""
    signatures = {one.keyid: one for one in first.signatures}
    for other in others:
        if (other.payload, other.trust_roots) != (first.payload, first.trust_roots):
            raise MalformedDocument(_WHAT, "the files propose different versions")
        for one in other.signatures:
            signatures.setdefault(one.keyid, one)
    return _with(first, tuple(signatures.values()))


def progress(proposal: Proposal) -> Progress:
    """Who has signed, and who still must. The proposal has been checked: its signatures are good."""
    body, before = proposal.body(), proposal.before()
    signed = tuple(one.keyid for one in proposal.signatures)
    own = verifying_keys(*(from_base64(spki) for spki in body.root_keys))
    old = {} if before is None else before.root_keys
    needed = 0 if before is None else before.body.threshold
    return Progress(
        signed,
        max(0, needed - sum(key_id in old for key_id in signed)),
        max(0, body.threshold - sum(key_id in own for key_id in signed)),
        tuple(key_id for key_id in sorted({**old, **own}) if key_id not in signed),
    )


def words(proposal: Proposal) -> list[str]:
    """What a person who signs must know, a line each. Raises `ReportError`."""
    before = proposal.before()
    return changes(None if before is None else (before.body, before.pin), proposal.body())


def next_body(before: TrustRoot, issued: str, pdf_authority: bytes | None = None) -> TrustRootBody:
    """The version after this one, with nothing changed yet.

    Args:
        before: the version in force.
        issued: now, RFC 3339.
        pdf_authority: certificate of the authority of seals, DER; needed where the version in force is of the first schema.
    """
    old = before.body
    if isinstance(old, TrustRootBody):
        return replace(old, version=old.version + 1, previous=before.pin, issued=issued)
    if not isinstance(old, TrustRootBody1) or pdf_authority is None:
        raise MalformedDocument(_WHAT, "the second schema needs an authority of the seals")
    return TrustRootBody(
        schema=SCHEMA,
        version=old.version + 1,
        previous=before.pin,
        threshold=old.threshold,
        root_keys=old.root_keys,
        log=old.log,
        witnesses=Witnesses(),
        time_authorities=(),
        keys=old.keys,
        pdf_authority=pinned_certificate(pdf_authority),
        issued=issued,
    )


def _with(proposal: Proposal, signatures: tuple[ProposalSignature, ...]) -> Proposal:
    return replace(proposal, signatures=tuple(sorted(signatures, key=lambda one: one.keyid)))


def _allowed(body: TrustRootBody, before: TrustRoot | None) -> dict[str, VerifyingKey]:
    own = verifying_keys(*(from_base64(spki) for spki in body.root_keys))
    return own if before is None else {**before.root_keys, **own}
