"""What a browser and an authenticator are asked, and what their answers are worth (W3C Web Authentication, level 3).

A challenge is random, says when it was made, and bears a checksum of ours over its purpose and whom it was made for: nothing is
stored until it is answered, and then it is spent. User verification is always demanded, so a passkey is two factors.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialRpEntity,
    RegistrationResponse,
    UserVerificationRequirement,
)
from sqlalchemy.orm import Session

from inventory.domain.signin import origins_of, relying_party
from inventory.errors import Conflict, NotSignedIn
from inventory.models import Nonce
from reports.canonical import to_base64

from .context import Context

Purpose = Literal["sign-in", "confirm", "register", "welcome", "approver-key"]

ES256: Final = -7
EDDSA: Final = -8
RS256: Final = -257
SIGN_IN_ALGORITHMS: Final = (ES256, EDDSA, RS256)
APPROVER_ALGORITHMS: Final = (ES256, EDDSA)
"""What everybody who checks an approval can check."""
_LIFE: Final = timedelta(minutes=10)
_RANDOM, _MOMENT, _CHECKSUM = 16, 8, 24
_LONGEST: Final = 16_384
"""Bytes of any one part of an answer; more is cut off, and then fits nothing."""
_BROKEN: Final = (
    ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, RecursionError, OverflowError,
    MemoryError, struct.error, UnsupportedAlgorithm,
)  # fmt: skip
"""What the library's parsers raise on bytes that are no answer."""


@dataclass(frozen=True, kw_only=True)
class CreateOptions:
    """What a page hands to `navigator.credentials.create`; bytes in base64."""

    challenge: str
    rp_id: str
    rp_name: str
    user_id: str
    user_name: str
    exclude: tuple[str, ...]
    """Ids of credentials the person has already."""
    algorithms: tuple[int, ...]
    """COSE numbers, best first."""
    discoverable: bool
    """Whether the authenticator must keep it, so that no login name is needed."""


@dataclass(frozen=True, kw_only=True)
class RequestOptions:
    """What a page hands to `navigator.credentials.get`; bytes in base64."""

    challenge: str
    rp_id: str
    allow: tuple[str, ...]
    """Ids of the credentials that will do; empty: any the authenticator has for us."""


@dataclass(frozen=True, kw_only=True)
class Attestation:
    """The answer to `CreateOptions`."""

    client_data: bytes
    attestation: bytes


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """The answer to `RequestOptions`."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes


@dataclass(frozen=True)
class Created:
    """A credential as its authenticator described it."""

    data: bytes
    """Attested credential data."""
    credential_id: bytes
    public_key: CoseKey
    sign_count: int
    synced: bool


def domain_of(context: Context) -> str | None:
    """The domain passkeys are bound to; None where this service's address allows none."""
    return relying_party(context.settings.external_url, context.settings.passkey_domain)


def require_domain(context: Context) -> str:
    """As `domain_of`. Raises `Conflict` where there is none."""
    domain = domain_of(context)
    if domain is None:
        raise Conflict(
            "Passkeys need an address with a name, over https; this service's external_url has none."
            " Use an authenticator app instead."
        )
    return domain


def origins(context: Context) -> tuple[str, ...]:
    """Our addresses from which a passkey may be used."""
    return origins_of((context.settings.external_url, *context.settings.also_known_as), require_domain(context))


def request_options(context: Context, purpose: Purpose, who: str, allow: Sequence[bytes] = ()) -> RequestOptions | None:
    """What to ask an authenticator; None where this service has no domain for passkeys."""
    domain = domain_of(context)
    if domain is None:
        return None
    challenge = to_base64(_challenge(context, purpose, who))
    return RequestOptions(challenge=challenge, rp_id=domain, allow=tuple(to_base64(one) for one in allow))


def create_options(
    context: Context,
    purpose: Purpose,
    who: str,
    *,
    user: tuple[str, str],
    exclude: Sequence[bytes],
    algorithms: tuple[int, ...] = SIGN_IN_ALGORITHMS,
    discoverable: bool = True,
) -> CreateOptions | None:
    """What to ask for a new credential; None where this service has no domain for passkeys.

    Args:
        context: of the service.
        purpose: what the credential is for.
        who: whom the challenge is made for.
        user: handle and name under which the authenticator keeps it; one is kept per handle.
        exclude: ids of credentials the person has already.
        algorithms: COSE numbers.
        discoverable: whether it can be found without its id.
    """
    domain = domain_of(context)
    if domain is None:
        return None
    handle, name = user
    return CreateOptions(
        challenge=to_base64(_challenge(context, purpose, who)),
        rp_id=domain,
        rp_name=context.settings.organisation.name,
        user_id=to_base64(handle.encode()),
        user_name=name,
        exclude=tuple(to_base64(one) for one in exclude),
        algorithms=algorithms,
        discoverable=discoverable,
    )


def created(
    session: Session, context: Context, answer: Attestation, purpose: Purpose, who: str, algorithms: tuple[int, ...]
) -> Created:
    """Check a new credential, and spend its challenge. Which make of authenticator it is, is not asked.

    Raises:
        NotSignedIn: it answers something else, from elsewhere, too late, unverified, or with an algorithm that was not asked for.
        Conflict: this service has no domain for passkeys.
    """
    server = _server(context)
    try:
        response = AuthenticatorAttestationResponse(
            client_data=CollectedClientData(answer.client_data[:_LONGEST]),
            attestation_object=AttestationObject(answer.attestation[:_LONGEST]),
        )
        challenge = response.client_data.challenge
        found = server.register_complete(
            _state(challenge), RegistrationResponse(raw_id=_credential_id(response), response=response)
        )
        credential = found.credential_data
    except _BROKEN as error:
        raise NotSignedIn("passkey") from error
    same_origin = not response.client_data.cross_origin
    if credential is None or not same_origin or credential.public_key.ALGORITHM not in algorithms:
        raise NotSignedIn("passkey")
    _spend(session, context, challenge, purpose, who)
    return Created(
        bytes(credential), credential.credential_id, credential.public_key, found.counter, found.is_backup_eligible()
    )


def asserted(
    session: Session, context: Context, answer: Assertion, credential: bytes, purpose: Purpose, who: str
) -> int:
    """Check that the holder of a credential answered our challenge, and spend it. Returns the authenticator's counter.

    Raises:
        NotSignedIn: it answers something else, from elsewhere, too late or unverified; or the signature does not fit.
        Conflict: this service has no domain for passkeys.
    """
    server = _server(context)
    try:
        response = AuthenticatorAssertionResponse(
            client_data=CollectedClientData(answer.client_data[:_LONGEST]),
            authenticator_data=AuthenticatorData(answer.authenticator_data[:_LONGEST]),
            signature=answer.signature,
        )
        challenge = response.client_data.challenge
        reply = AuthenticationResponse(raw_id=answer.credential_id, response=response)
        server.authenticate_complete(_state(challenge), [AttestedCredentialData(credential)], reply)
        counter = response.authenticator_data.counter
    except _BROKEN as error:
        raise NotSignedIn("passkey") from error
    if response.client_data.cross_origin:
        raise NotSignedIn("passkey")
    _spend(session, context, challenge, purpose, who)
    return counter


def _credential_id(response: AuthenticatorAttestationResponse) -> bytes:
    data: AuthenticatorData = response.attestation_object.auth_data
    if data.credential_data is None:
        raise ValueError("no credential")
    return data.credential_data.credential_id


def _server(context: Context) -> Fido2Server:
    known = origins(context)
    entity = PublicKeyCredentialRpEntity(name=context.settings.organisation.name, id=require_domain(context))
    return Fido2Server(entity, verify_origin=lambda origin: origin in known)


def _state(challenge: bytes) -> dict[str, object]:
    return {"challenge": websafe_encode(challenge), "user_verification": UserVerificationRequirement.REQUIRED}


def _checksum(context: Context, purpose: Purpose, who: str, body: bytes) -> bytes:
    said = b"\x00".join((b"challenge", purpose.encode(), who.encode(), body))
    return hmac.new(context.secrets.cookie_key, said, hashlib.sha256).digest()[:_CHECKSUM]


def _challenge(context: Context, purpose: Purpose, who: str) -> bytes:
    body = secrets.token_bytes(_RANDOM) + int(context.now().timestamp()).to_bytes(_MOMENT, "big")
    return body + _checksum(context, purpose, who, body)


def _spend(session: Session, context: Context, challenge: bytes, purpose: Purpose, who: str) -> None:
    body, checksum = challenge[: _RANDOM + _MOMENT], challenge[_RANDOM + _MOMENT :]
    if not hmac.compare_digest(checksum, _checksum(context, purpose, who, body)):
        raise NotSignedIn("passkey")
    made = datetime.fromtimestamp(int.from_bytes(body[_RANDOM:], "big"), tz=UTC)
    if not timedelta(seconds=-1) <= context.now() - made <= _LIFE:
        raise NotSignedIn("passkey")
    kind = hashlib.sha256(f"challenge\x00{purpose}".encode()).hexdigest()
    digest = hashlib.sha256(challenge).hexdigest()
    if session.get(Nonce, (kind, digest)) is not None:
        raise NotSignedIn("passkey")
    session.add(Nonce(key_id=kind, nonce=digest, expires=made + 2 * _LIFE))
    session.flush()
