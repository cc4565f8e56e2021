"""Every key there is, for people: who holds it, what it is for, where it counts."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.models import ApproverKey, Host
from reports.canonical import from_base64
from reports.keys import key_id
from reports.sealkey import load
from reports.tlog.notes import ALGORITHMS, VerifierKey
from reports.trust import TrustRoot

from . import _seal_keys
from .context import Context
from .setup import ROOT


@dataclass(frozen=True, kw_only=True)
class KeyRow:
    """One key."""

    group: str
    name: str
    key_id: str
    """Hexadecimal; of a log or witness key its hash, of an authority or certificate the SHA-256 of the certificate."""
    words: str


def every_key(context: Context) -> tuple[KeyRow, ...]:
    """Roots, the service's keys, the log's, witnesses, time authorities, seals, agents, approvers."""
    with context.reading() as session:
        keys = context.ledger.keyring.require(session)
        here = {
            context.secrets.named(name).key_id: name
            for role in (ROOT, "acceptance", "enrolment")
            for name in context.secrets.names(role)
        }
        return (
            *_roots(keys.trust, here),
            *_service(keys.trust, here),
            *_notes(keys.trust),
            *_authorities(keys.trust),
            *_seals(context, keys.trust),
            *_enrolled(session),
        )


def _roots(trust: TrustRoot, here: dict[str, str]) -> list[KeyRow]:
    group = f"Root keys ({trust.body.threshold} of {len(trust.root_keys)} must sign; trust root version {trust.body.version})"
    rows = [
        KeyRow(
            group=group, name="root key", key_id=found, words="held by this service" if found in here else "elsewhere"
        )
        for found in trust.root_keys
    ]
    rows += [
        KeyRow(
            group=group, name=f"{name}.pem", key_id=found, words="no root key any more: sanitrail keys retire-root-key"
        )
        for found, name in here.items()
        if name == ROOT and found not in trust.root_keys
    ]
    return rows


def _service(trust: TrustRoot, here: dict[str, str]) -> list[KeyRow]:
    rows = []
    for key in trust.body.keys:
        found = key_id(from_base64(key.spki))
        end = "on" if key.until_index is None else f"to below {key.until_index}"
        missing = "" if found in here or key.until_index is not None else "; MISSING HERE"
        words = f"{key.role}, counts from log index {key.from_index} {end}{missing}"
        rows.append(KeyRow(group="Keys of the service", name=key.name, key_id=found, words=words))
    named = {row.key_id for row in rows}
    rows += [
        KeyRow(
            group="Keys of the service", name=name, key_id=found, words="not in the trust root: waits for a proposal"
        )
        for found, name in here.items()
        if name != ROOT and found not in named
    ]
    return rows


def _notes(trust: TrustRoot) -> list[KeyRow]:
    groups: list[tuple[str, tuple[VerifierKey, ...]]] = [
        ("The log", trust.log_keys),
        (f"Witnesses (quorum {trust.quorum})", trust.witness_keys),
    ]
    return [
        KeyRow(group=group, name=key.name, key_id=key.key_hash.hex(), words=ALGORITHMS[key.algorithm])
        for group, keys in groups
        for key in keys
    ]


def _authorities(trust: TrustRoot) -> list[KeyRow]:
    return [
        KeyRow(
            group="Time-stamp authorities",
            name=one.name,
            key_id=key_id(from_base64(certificate)),
            words=f"policy {one.policy or 'any'}",
        )
        for one in trust.time_authorities
        for certificate in one.certificates
    ]


def _seals(context: Context, trust: TrustRoot) -> list[KeyRow]:
    role = "authority, pinned in the trust root" if trust.seal_authority else "seals, pinned in the trust root itself"
    pinned = KeyRow(group="Seals of PDFs", name="authority", key_id=key_id(trust.pdf_certificate), words=role)
    current = _seal_keys.seal_key(context.secrets, trust, context.now()).certificate
    rows = [pinned]
    for name in context.secrets.names(_seal_keys.SEAL):
        path = context.secrets.folder / f"{name}.crt"
        if path.exists():
            content = path.read_bytes()
            until = load(content).not_valid_after_utc
            words = f"{'seals now' if content == current else 'does not seal now'}; valid until {until:%Y-%m-%d}"
            rows.append(KeyRow(group="Seals of PDFs", name=name, key_id=key_id(content), words=words))
    return rows


def _enrolled(session: Session) -> list[KeyRow]:
    rows = []
    for host in session.scalars(sa.select(Host).order_by(Host.id)):
        words = _words(str(host.state), host.enrolled_index, host.revoked_below, host.until_index)
        rows.append(KeyRow(group="Agents", name=f"{host.id} {host.name}"[:34], key_id=host.key_id, words=words))
    for key in session.scalars(sa.select(ApproverKey).order_by(ApproverKey.person, ApproverKey.registered)):
        words = _words(str(key.state), key.enrolled_index, key.revoked_below, key.until_index)
        rows.append(KeyRow(group="Approvers", name=key.person, key_id=key.key_id, words=words))
    return rows


def _words(state: str, enrolled: int | None, below: int | None, until: int | None) -> str:
    found = state
    if enrolled is not None:
        found += f", enrolled at log index {enrolled}"
    if below is not None:
        found += f", revoked from index {below} on"
    if until is not None:
        found += f", ends at index {until}"
    return found
