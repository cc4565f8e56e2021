"""Passkeys that approve: registered by their owner like any approver key, bound to this service's domain and addresses.

They are others than the passkeys one signs in with: their own handle, their own ceremony. Neither does the other's work.
"""

from __future__ import annotations

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fido2.cose import CoseKey

from inventory.domain.roles import Permission
from inventory.domain.vocabulary import KeyState
from inventory.errors import Duplicate, EvidenceRefused
from inventory.events import Tag
from inventory.models import ApproverKey, Person
from reports.errors import MalformedDocument
from reports.keys import key_id
from reports.passkeys import passkey_document

from . import ceremonies
from .approvers import key_view, keys_in_roster
from .ceremonies import APPROVER_ALGORITHMS, ES256, Attestation, CreateOptions
from .context import Actor, Context, authorize, require_session
from .kernel import find, note
from .views import ApproverKeyView


def create_options(context: Context, actor: Actor) -> CreateOptions | None:
    """What to ask of an authenticator; None where this service's address allows no passkeys.

    Permission `approver_key.register`, in a session.
    """
    authorize(actor, Permission.APPROVER_KEY_REGISTER, reading=True)
    number = require_session(actor)
    with context.reading(actor) as session:
        person = find(session, Person, actor.ref, "person")
        mine = sa.select(ApproverKey.credential).where(
            ApproverKey.person == actor.ref,
            ApproverKey.credential.is_not(None),
            ApproverKey.state != KeyState.REVOKED,
        )
        present = [credential for credential in session.scalars(mine) if credential is not None]
        return ceremonies.create_options(
            context, "approver-key", number, user=(f"approves {person.ref}", f"{person.login} (approvals)"),
            exclude=present, algorithms=APPROVER_ALGORITHMS, discoverable=False,
        )  # fmt: skip


def register(context: Context, actor: Actor, answer: Attestation) -> ApproverKeyView:
    """Register a passkey of one's own to approve with; it waits for confirmation. Permission `approver_key.register`.

    Raises:
        NotSignedIn: the answer does not hold.
        Forbidden: there is no session.
        ConfirmationNeeded.
        EvidenceRefused: not a key that everybody can check.
        Duplicate: registered already, by anyone.
        Conflict: this service's address allows no passkeys.
    """
    authorize(actor, Permission.APPROVER_KEY_REGISTER)
    number = require_session(actor)
    with context.writing(actor) as session:
        made = ceremonies.created(session, context, answer, "approver-key", number, APPROVER_ALGORITHMS)
        domain, addresses = ceremonies.require_domain(context), ceremonies.origins(context)
        try:
            document = passkey_document(spki_of(made.public_key), domain, addresses)
        except (MalformedDocument, ValueError, KeyError, TypeError) as error:
            raise EvidenceRefused(
                "public_key", "This passkey has no key that agents and verifiers can check."
            ) from error
        known = sa.select(ApproverKey.key_id).where(ApproverKey.credential == made.credential_id)
        if session.get(ApproverKey, key_id(document)) is not None or session.scalar(known) is not None:
            raise Duplicate("key", "public key")
        row = ApproverKey(
            key_id=key_id(document), person=actor.ref, spki=document, state=KeyState.REGISTERED,
            registered=context.now(), credential=made.credential_id,
        )  # fmt: skip
        session.add(row)
        session.flush()
        details = {"passkey": True, "synced": made.synced}
        note(session, context, actor, Tag.APPROVER_KEY_REGISTERED, "approver-key", row.key_id, details=details)
        return key_view(row, keys_in_roster(session))


def spki_of(key: CoseKey) -> bytes:
    """A COSE key (RFC 9053, 2.1 and 2.2) as a DER SubjectPublicKeyInfo. Raises `ValueError`, `KeyError` or `TypeError`."""
    public: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    if key.ALGORITHM == ES256:
        x, y = (int.from_bytes(key[at], "big") for at in (-2, -3))
        if key[-1] != 1:
            raise ValueError("another curve than P-256")
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    else:
        if key[-1] != 6:
            raise ValueError("another curve than Ed25519")
        public = ed25519.Ed25519PublicKey.from_public_bytes(key[-2])
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
