"""The ceremonies of the trust root, as far as the service takes part: propose, publish, rotate, retire, list.

A version is proposed as a file, signed by root keys elsewhere, and published here: that is one transaction, in which the version
enters the log and the checkpoint over it is signed by the keys it names. Before it nothing has changed, after it everything has;
whatever was cut off is mended by doing the same again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from sqlalchemy.orm import Session

from inventory.clock import rfc3339
from inventory.errors import Conflict, Invalid, SetupError
from inventory.events import Tag
from inventory.keyring import ROLES, KeysInForce, keys_of, versions
from inventory.secrets_store import LOG_KEYS
from reports.canonical import to_base64
from reports.ceremony import (
    Progress,
    Proposal,
    merge,
    next_body,
    progress,
    proposal_of,
    read_proposal,
    sign_proposal,
    words,
)
from reports.envelope import Signer, envelope_digest
from reports.tlog import parse_vkey
from reports.trust import TrustRoot, open_successor
from reports.trust_body import Role, RoleKey, TimeAuthority, TrustRootBody, Witnesses, pinned_certificate, role_key

from . import _seal_keys
from .context import SYSTEM, Context
from .kernel import note, store_envelope
from .setup import ROOT

Rotated = Literal["log", "acceptance", "enrolment", "seal-authority"]
ROTATED: Final[tuple[Rotated, ...]] = ("log", "acceptance", "enrolment", "seal-authority")
OVERLAP: Final = 10_000
"""Log entries for which a replaced key still counts: the time a proposal may travel among root keys."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What the next version is to change."""

    root_keys: tuple[bytes, ...] | None = None
    """All root keys of the next version, DER SubjectPublicKeyInfos; None: as they are."""
    threshold: int | None = None
    rotate: frozenset[Rotated] = frozenset()
    stolen: Mapping[Role, int] = field(default_factory=dict)
    """Replace the role's key, and let nothing count that the old one signed from this log index on."""
    overlap: int = OVERLAP
    add_witnesses: tuple[str, ...] = ()
    """Verifier keys."""
    remove_witnesses: frozenset[str] = frozenset()
    """Names."""
    quorum: int | None = None
    """None: as it is, or 1 with the first witness, 0 without one."""
    set_authorities: tuple[TimeAuthority, ...] = ()
    """Added, or put in the place of the one of that name."""
    remove_authorities: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A proposal and what it says."""

    proposal: Proposal
    words: tuple[str, ...]
    progress: Progress


@dataclass(frozen=True, kw_only=True)
class Published:
    """A version that is in force."""

    version: int
    pin: str
    """Its envelope digest."""
    already: bool
    """It was in force before this call."""
    root_key_held: bool
    """The service still holds a root key that no longer is one (`retire_root_key`)."""


def propose(context: Context, changes: Changes) -> Proposed:
    """The next version of the trust root. New keys of the service are made; nothing counts before it is published.

    Where the service itself holds a root key, it signs at once.

    Raises:
        Invalid: the changes contradict themselves or the version in force.
        ReportError: the result would not hold together.
    """
    with context.writing() as session:
        keys = context.ledger.keyring.require(session)
        size = context.ledger.size(session)
        envelopes = [envelope for _, envelope in versions(session)]
    body = _changed(context, keys, changes, size)
    proposal = proposal_of(envelopes, body)
    own = _own_root(context)
    if own is not None and own.key_id in progress(proposal).may_sign:
        proposal = sign_proposal(proposal, own)
    return describe(proposal)


def describe(proposal: Proposal) -> Proposed:
    """What a proposal says, and who has signed it. Raises `ReportError`."""
    return Proposed(proposal=proposal, words=tuple(words(proposal)), progress=progress(proposal))


def publish(context: Context, files: Sequence[bytes]) -> Published:
    """Put a signed version into force: it enters the log, and from its own entry on the keys it names sign.

    Safe to repeat: a version that is in force already is left as it is.

    Args:
        context: of the service.
        files: the signed proposal, or several copies signed side by side.

    Raises:
        Conflict: another version was published meanwhile, or the overlap of a rotated key is used up: propose anew.
        SetupError: a key that the version names is not here.
        ReportError: it lacks signatures, or does not hold.
    """
    if not files:
        raise Invalid("files", "Name at least one signed proposal.")
    first, *others = (read_proposal(data) for data in files)
    proposal = merge(first, *others)
    done = progress(proposal)
    if not done.complete:
        raise Conflict(" ".join(("It cannot be published yet.", *done.words())))
    envelope = proposal.envelope()
    pin = envelope_digest(envelope)
    with context.writing() as session:
        keys = context.ledger.keyring.require(session)
        if keys.trust.pin == pin:
            return _published(context, keys.trust, already=True)
        if proposal.body().previous != keys.trust.pin:
            raise Conflict(
                f"Version {keys.trust.body.version} is in force (pin {keys.trust.pin[:16]}…); this file follows another one."
                " Propose anew and have it signed again."
            )
        trust = open_successor(envelope, keys.trust)
        _refuse_overdue(session, context, trust)
        keys_of(context.secrets, (*keys.roots, trust))
        _prepare_seal(context, trust)
        digest = store_envelope(session, context, "trust-root", envelope)
        index = context.ledger.append(session, "trust-root", digest, f"trust root {trust.body.version}")
        note(
            session, context, SYSTEM, Tag.TRUST_ROOT_PUBLISHED, "service", context.ledger.origin,
            details={"version": trust.body.version, "log_index": index}, evidence=[digest],
        )  # fmt: skip
        return _published(context, trust, already=False)


def rotate_seal(context: Context, *, revoke: str | None = None) -> str:
    """A new sealing key and certificate; needs no new trust root.

    Args:
        context: of the service.
        revoke: name of a sealing certificate to put on the authority's list (its key was stolen).

    Returns:
        The new key's name.

    Raises:
        Conflict: the trust root is of the first schema, which pins the certificate itself.
        SetupError: there is none of that name.
    """
    with context.writing() as session:
        trust = context.ledger.keyring.require(session).trust
        if not trust.seal_authority:
            raise Conflict(
                "The trust root in force pins the sealing certificate itself; propose a version with --rotate seal-authority."
            )
        now = context.now()
        name = _seal_keys.issue(context.secrets, trust.pdf_certificate, context.settings.organisation.name, now)
        if revoke is not None:
            _seal_keys.revoke(context.secrets, trust.pdf_certificate, revoke, now)
        note(
            session, context, SYSTEM, Tag.SEAL_ROTATED, "service", context.ledger.origin,
            details={"key": name, "revoked": revoke},
        )  # fmt: skip
        return name


def retire_root_key(context: Context) -> bool:
    """Delete the root key that the service holds, once it is no root key any more. Returns whether there was one.

    Raises:
        Conflict: the trust root in force still names it.
    """
    with context.writing() as session:
        trust = context.ledger.keyring.require(session).trust
        own = _own_root(context)
        if own is None:
            return False
        if own.key_id in trust.root_keys:
            raise Conflict(
                f"Version {trust.body.version} of the trust root, which is in force, still names this root key. Publish a version"
                " with offline root keys first."
            )
        note(
            session,
            context,
            SYSTEM,
            Tag.ROOT_KEY_RETIRED,
            "service",
            context.ledger.origin,
            details={"key": own.key_id},
        )
    path = context.secrets.folder / f"{ROOT}.pem"
    path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


def _published(context: Context, trust: TrustRoot, *, already: bool) -> Published:
    own = _own_root(context)
    held = own is not None and own.key_id not in trust.root_keys
    return Published(version=trust.body.version, pin=trust.pin, already=already, root_key_held=held)


def _own_root(context: Context) -> Signer | None:
    """The root key in the service's own hands, if there is one."""
    return context.secrets.named(ROOT) if ROOT in context.secrets.names(ROOT) else None


def _changed(context: Context, keys: KeysInForce, changes: Changes, size: int) -> TrustRootBody:
    """The version in force with the changes made."""
    now, organization = context.now(), context.settings.organisation.name
    version = keys.trust.body.version + 1
    authority: bytes | None = None
    if "seal-authority" in changes.rotate or not keys.trust.seal_authority:
        name = f"{_seal_keys.AUTHORITY}-v{version}"
        authority = _seal_keys.create_authority(context.secrets, name, organization, now)
    body = next_body(keys.trust, rfc3339(now), authority)
    if authority is not None:
        body = replace(body, pdf_authority=pinned_certificate(authority))
    if changes.root_keys is not None:
        body = replace(body, root_keys=tuple(to_base64(spki) for spki in changes.root_keys))
    if changes.threshold is not None:
        body = replace(body, threshold=changes.threshold)
    if "log" in changes.rotate:
        signers = [context.secrets.note_signer(f"{name}-v{version}", body.log.origin) for name in LOG_KEYS]
        body = replace(body, log=replace(body.log, vkeys=tuple(signer.vkey for signer in signers)))
    for role in ROLES:
        if role in changes.rotate or role in changes.stolen:
            body = replace(body, keys=_rotated(context, body.keys, role, version, size, changes))
    return replace(
        body,
        witnesses=_witnesses(body.witnesses, changes),
        time_authorities=_authorities(body.time_authorities, changes),
    )


def _rotated(
    context: Context, keys: Sequence[RoleKey], role: Role, version: int, size: int, changes: Changes
) -> tuple[RoleKey, ...]:
    """The keys of the service with a new one for a role, and an end for the one before."""
    name = f"{role}-v{version}"
    until = changes.stolen.get(role, size + changes.overlap)
    if role in changes.stolen and not 0 <= until <= size:
        raise Invalid("stolen", f"The log has {size} entries; name an index from 0 to {size}.")
    found = [
        replace(key, until_index=max(until, key.from_index)) if key.role == role and key.until_index is None else key
        for key in keys
    ]
    return (*found, role_key(role, context.secrets.create_signer(name), name, size))


def _witnesses(before: Witnesses, changes: Changes) -> Witnesses:
    kept = [vkey for vkey in before.vkeys if parse_vkey(vkey).name not in changes.remove_witnesses]
    unknown = changes.remove_witnesses - {parse_vkey(vkey).name for vkey in before.vkeys}
    if unknown:
        raise Invalid("remove-witness", f"The trust root names no witness {', '.join(sorted(unknown))}.")
    vkeys = tuple(dict.fromkeys((*kept, *changes.add_witnesses)))
    names = {parse_vkey(vkey).name for vkey in vkeys}
    quorum = min(max(before.quorum, 1), len(names)) if changes.quorum is None else changes.quorum
    return Witnesses(vkeys=vkeys, quorum=quorum)


def _authorities(before: Sequence[TimeAuthority], changes: Changes) -> tuple[TimeAuthority, ...]:
    unknown = changes.remove_authorities - {one.name for one in before}
    if unknown:
        raise Invalid("remove-time-authority", f"The trust root names no time authority {', '.join(sorted(unknown))}.")
    kept = {one.name: one for one in before if one.name not in changes.remove_authorities}
    return tuple((kept | {one.name: one for one in changes.set_authorities}).values())


def _refuse_overdue(session: Session, context: Context, trust: TrustRoot) -> None:
    """A planned end must still lie ahead: what the old key signed since must not stop counting by the way."""
    size = context.ledger.size(session)
    begins = {role: max(key.from_index for key in trust.body.keys if key.role == role) for role in ROLES}
    for key in trust.body.keys:
        if (
            key.until_index is not None
            and begins[key.role] < key.until_index <= size
            and _in_use(session, context, key)
        ):
            raise Conflict(
                f"The {key.role} key {key.name} was to count until log entry {key.until_index}, and the log has {size} entries:"
                " the proposal travelled too long. Propose anew, with a larger --overlap."
            )


def _in_use(session: Session, context: Context, key: RoleKey) -> bool:
    """Whether this key has no end yet in the version in force."""
    now = context.ledger.keyring.require(session).trust.body.keys
    return any(one.spki == key.spki and one.until_index is None for one in now)


def _prepare_seal(context: Context, trust: TrustRoot) -> None:
    """A sealing certificate of the version's authority, before the version is in force: afterwards nothing must be missing."""
    try:
        _seal_keys.seal_key(context.secrets, trust, context.now())
    except SetupError:
        _seal_keys.issue(context.secrets, trust.pdf_certificate, context.settings.organisation.name, context.now())
