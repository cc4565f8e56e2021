"""Versions of a trust root for tests: signed by the product's own code, by whichever keys the test names."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from reports.canonical import to_base64
from reports.envelope import Envelope, Signer, envelope_digest, sign
from reports.keys import FileSigner
from reports.sealkey import make_authority
from reports.tlog import ED25519_COSIGNATURE, ML_DSA_44, NoteSigner
from reports.trust import open_chain
from reports.trust_body import (
    LogIdentity,
    RoleKey,
    TrustRootBody,
    Witnesses,
    pinned_certificate,
    role_key,
)

ORIGIN = "log.example/one"
ISSUED = "2026-11-22T10:00:00Z"
AUTHORITY_KEY = FileSigner.generate("p256")
AUTHORITY = make_authority(AUTHORITY_KEY, "Example", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
ROOTS = [FileSigner.generate() for _ in range(3)]
LATER = [FileSigner.generate() for _ in range(3)]
"""Root keys that replace the first ones."""
ACCEPT, ENROL = FileSigner.generate(), FileSigner.generate("p256")
LOG = (NoteSigner.generate(ORIGIN), NoteSigner.generate(ORIGIN, ML_DSA_44))
WITNESSES = (
    NoteSigner.generate("witness.example/a", ED25519_COSIGNATURE),
    NoteSigner.generate("witness.example/a", ML_DSA_44),
    NoteSigner.generate("witness.example/b", ED25519_COSIGNATURE),
)


def spki(signer: Signer) -> str:
    """A key as bodies write it."""
    return to_base64(signer.public_key_der)


def spkis(signers: list[FileSigner]) -> tuple[str, ...]:
    """Keys as bodies write them."""
    return tuple(spki(signer) for signer in signers)


def first_body(**changes: Any) -> TrustRootBody:  # noqa: ANN401 - fields of the body
    """A first version: two of three root keys, no witness."""
    fields: dict[str, Any] = {
        "version": 1,
        "previous": None,
        "threshold": 2,
        "root_keys": spkis(ROOTS),
        "log": LogIdentity(origin=ORIGIN, vkeys=tuple(key.vkey for key in LOG)),
        "witnesses": Witnesses(),
        "time_authorities": (),
        "keys": (role_key("acceptance", ACCEPT, "acceptance"), role_key("enrolment", ENROL, "enrolment")),
        "pdf_authority": pinned_certificate(AUTHORITY),
        "issued": ISSUED,
    }
    return TrustRootBody(**(fields | changes))


def next_version(before: Envelope, body: TrustRootBody, *signers: Signer, **changes: Any) -> Envelope:  # noqa: ANN401
    """The version after an envelope: the same but for `changes`, signed by exactly these, checked by nobody."""
    fields: dict[str, Any] = {"version": body.version + 1, "previous": envelope_digest(before), **changes}
    return sign("trust-root", dataclasses.replace(body, **fields).to_dict(), *signers)


def first(*signers: Signer, **changes: Any) -> Envelope:  # noqa: ANN401
    """A first version, checked by nobody."""
    return sign("trust-root", first_body(**changes).to_dict(), *(signers or ROOTS[:2]))


def ended(key: RoleKey, until: int) -> RoleKey:
    """The key with an end."""
    return dataclasses.replace(key, until_index=until)


def opens(chain: list[Envelope]) -> bool:
    """Whether the chain holds under its first version's digest. Raises what `open_chain` raises."""
    return len(open_chain(chain, envelope_digest(chain[0]))) == len(chain)
