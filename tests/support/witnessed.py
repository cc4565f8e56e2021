"""A trust root that names witnesses: its next version, signed by the service's own root key and logged."""

from __future__ import annotations

import dataclasses
import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from inventory.services._anchor import opened_roots
from inventory.services.context import Context
from inventory.services.kernel import stamp, store_envelope
from reports.envelope import sign
from reports.tlog import VerifierKey
from reports.trust import TrustRoot, open_successor
from reports.trust_body import SCHEMA, TrustRootBody, Witnesses, pinned_certificate


def name_witnesses(context: Context, keys: tuple[VerifierKey, ...], quorum: int = 1) -> None:
    """From the next log entry on, these are the witnesses."""
    with context.writing() as session:
        before = opened_roots(session)[-1]
        witnesses = Witnesses(vkeys=tuple(key.vkey for key in keys), quorum=quorum)
        body = dataclasses.replace(_next(before, stamp(context.now())), witnesses=witnesses)
        envelope = sign("trust-root", body.to_dict(), context.secrets.signer("root"))
        open_successor(envelope, before)
        digest = store_envelope(session, context, "trust-root", envelope)
        context.ledger.append(session, "trust-root", digest, f"trust root {body.version}")


def _next(before: TrustRoot, issued: str) -> TrustRootBody:
    old = before.body
    if isinstance(old, TrustRootBody):
        return dataclasses.replace(old, version=old.version + 1, previous=before.pin, issued=issued)
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
        pdf_authority=pinned_certificate(_authority()),
        issued=issued,
    )


def _authority() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Seal authority")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)
