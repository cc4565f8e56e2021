"""Making an inventory, opening one, and letting the first administrator in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from inventory.clock import Clock, rfc3339
from inventory.db import Database, head_revision, revision, upgrade
from inventory.domain.policy import default_document, parse
from inventory.domain.roles import Role
from inventory.errors import NotFound, SetupError
from inventory.events import Tag
from inventory.keyring import ROLES, Keyring, keys_of, versions
from inventory.ledger import Ledger
from inventory.log_guard import LogGuard
from inventory.models import LogEntry, LogHead, Person, PolicyVersion
from inventory.secrets_store import LOG_KEYS, SecretStore
from inventory.settings import Settings
from reports.anchor import Anchor
from reports.canonical import to_base64
from reports.ceremony import progress, proposal_of, read_proposal
from reports.envelope import Envelope, envelope_digest
from reports.keys import write_private_file
from reports.sealkey import SealKey
from reports.trust import build_trust_root, check_body, open_chain
from reports.trust_body import LogIdentity, TrustRootBody, Witnesses, pinned_certificate, role_key

from . import _seal_keys
from .context import SYSTEM, Context
from .kernel import note, store_envelope
from .people import CreatePerson, add_person, make_link
from .views import OneTimeLinkView, TrustView

ROOT: Final = "root"
"""The root key that the service holds itself, until an offline root is in force."""

OFFLINE_ROOT: Final = "trust-root-1.proposal"
"""In the data directory, while the first version of an offline root is being signed."""


def initialise(settings: Settings, clock: Clock, *, signed: bytes | None = None) -> Context:
    """Make what is missing: data directory (0700), keys (0600), database schema, trust root at log index 0, default policy.

    Safe to call again: an initialised inventory is opened, its schema brought up to date, and nothing else changes.

    Args:
        settings: where, and how the log is called.
        clock: the time.
        signed: the first version of the trust root as offline root keys signed it (`propose_first`); None: the service makes a
            root key of its own, 1 of 1.

    Raises:
        SetupError: a key or the guard file is missing beside a log that has entries, the directory is readable by others, or a
            trust root that offline keys are to sign was begun.
        ReportError: the signed trust root does not hold.
    """
    secrets = _secrets(settings)
    upgrade(settings.url)
    database = Database(settings.url)
    try:
        with database.reading() as session:
            fresh = session.get(LogHead, 1) is None
        if fresh:
            envelope = (
                _own_root(settings, clock, secrets) if signed is None else _signed_root(settings, secrets, signed)
            )
            _begin(settings, clock, secrets, database, envelope)
        elif signed is not None:
            _refuse_another(database, signed)
    finally:
        database.close()
    return open_inventory(settings, clock)


def propose_first(settings: Settings, clock: Clock, root_keys: Sequence[bytes], threshold: int) -> bytes:
    """The first version of a trust root for offline root keys to sign; the same one each time it is asked for.

    Args:
        settings: where, and how the log is called.
        clock: the time.
        root_keys: DER SubjectPublicKeyInfos.
        threshold: how many of them must sign.

    Returns:
        The proposal's file, which is also kept in the data directory.

    Raises:
        SetupError: the log has begun, or another offline root was proposed before.
        ReportError: it would not hold.
    """
    secrets = _secrets(settings)
    upgrade(settings.url)
    database = Database(settings.url)
    try:
        with database.reading() as session:
            if session.get(LogHead, 1) is not None:
                raise SetupError("The log has begun: change its trust root with `sanitrail keys propose`.")
    finally:
        database.close()
    file = settings.data_dir / OFFLINE_ROOT
    spkis = tuple(to_base64(spki) for spki in root_keys)
    if not file.exists():
        body = _first_body(settings, clock, secrets, spkis, threshold)
        write_private_file(file, proposal_of((), body).to_bytes())
    proposal = read_proposal(file.read_bytes())
    found = proposal.body()
    if (set(found.root_keys), found.threshold) != (set(spkis), threshold):
        raise SetupError(f"Another offline root was proposed before; delete {file} if that one is given up.")
    return proposal.to_bytes()


def _secrets(settings: Settings) -> SecretStore:
    SecretStore(settings.data_dir).prepare()
    secrets = SecretStore(settings.data_dir / "secrets", settings.key_sources)
    secrets.prepare()
    return secrets


def open_inventory(settings: Settings, clock: Clock) -> Context:
    """Open an initialised inventory.

    Raises:
        SetupError: not initialised, schema of another version, keys missing.
        LogRefused: database and guard file contradict each other.
    """
    return _open(settings, clock)


def open_behind(settings: Settings, clock: Clock) -> Context:
    """As `open_inventory`, without asking the guard file: for `log_restore` alone, which asks it before it commits."""
    return _open(settings, clock, behind=True)


def _open(settings: Settings, clock: Clock, *, behind: bool = False) -> Context:
    if not settings.data_dir.is_dir():
        raise SetupError(f"There is no inventory in {settings.data_dir}; run `sanitrail init` first.")
    if settings.url.startswith("sqlite") and not _sqlite_file(settings.url).exists():
        raise SetupError(f"There is no database {_sqlite_file(settings.url)}; run `sanitrail init` first.")
    secrets = SecretStore(settings.data_dir / "secrets", settings.key_sources)
    secrets.prepare()
    database = Database(settings.url)
    try:
        _check_schema(database)
        ledger = _ledger(settings, clock, secrets)
        with database.reading() as session:
            if not behind:
                ledger.check(session)
            _check_trust(session, secrets, ledger, clock)
    except BaseException:
        database.close()
        raise
    return Context(database=database, clock=clock, settings=settings, secrets=secrets, ledger=ledger)


def first_administrator_link(context: Context) -> OneTimeLinkView | None:
    """The one-time link for the first administrator, for the server's own terminal; None once an administrator has a password."""
    with context.writing() as session:
        enabled = session.scalars(sa.select(Person).where(Person.enabled).order_by(Person.created, Person.ref)).all()
        administrators = [person for person in enabled if Role.ADMINISTRATOR in person.roles]
        if any(person.password_hash is not None for person in administrators):
            return None
        if administrators:
            first = administrators[0]
        else:
            command = CreatePerson(
                login="administrator",
                name="First administrator",
                title="",
                contact="",
                roles=frozenset({Role.ADMINISTRATOR}),
            )
            first = add_person(session, context, SYSTEM, command)
        return make_link(session, context, SYSTEM, first)


def recover_administrator_link(context: Context, login: str) -> OneTimeLinkView:
    """A link for an existing administrator, from the server's own terminal. Raises `NotFound`."""
    with context.writing() as session:
        person = session.scalar(sa.select(Person).where(Person.login == login.strip().lower(), Person.enabled))
        if person is None or Role.ADMINISTRATOR not in person.roles:
            raise NotFound("administrator", login)
        return make_link(session, context, SYSTEM, person)


def trust(context: Context) -> TrustView:
    """Trust root and pin."""
    with context.reading() as session:
        return trust_view(session)


def trust_view(session: Session) -> TrustView:
    """Trust root and pin, within a transaction that is under way. Raises `SetupError`."""
    envelopes = tuple(envelope for _, envelope in versions(session))
    roots = open_chain(envelopes, envelope_digest(envelopes[0]))
    newest = roots[-1]
    return TrustView(
        pin=roots[0].pin,
        envelope=envelopes[0],
        origin=newest.body.log.origin,
        vkeys=tuple(newest.body.log.vkeys),
        version=newest.body.version,
        pin_in_force=newest.pin,
        root_keys=len(newest.root_keys),
        threshold=newest.body.threshold,
        versions=envelopes,
    )


def seal_key(context: Context, anchor: Anchor | None = None) -> SealKey:
    """The key that seals PDFs now: under the trust root of the file's anchor, or else the one in force. Raises `SetupError`."""
    if anchor is None:
        with context.reading() as session:
            newest = context.ledger.keyring.require(session).trust
    else:
        newest = open_chain(anchor.trust_roots, envelope_digest(anchor.trust_roots[0]))[-1]
    return _seal_keys.seal_key(context.secrets, newest, context.now())


def _first_body(
    settings: Settings, clock: Clock, secrets: SecretStore, root_keys: tuple[str, ...], threshold: int
) -> TrustRootBody:
    """What the first version says; the service's keys are made as far as they are missing."""
    keys = {role: secrets.create_signer(role) for role in ROLES}
    signers = [secrets.note_signer(name, settings.log_origin) for name in LOG_KEYS]
    now = clock.now()
    authority = _seal_keys.create_authority(secrets, _seal_keys.AUTHORITY, settings.organisation.name, now)
    if not _seal_keys.finished(secrets):
        _seal_keys.issue(secrets, authority, settings.organisation.name, now)
    body = TrustRootBody(
        version=1,
        previous=None,
        threshold=threshold,
        root_keys=root_keys,
        log=LogIdentity(origin=settings.log_origin, vkeys=tuple(signer.vkey for signer in signers)),
        witnesses=Witnesses(),
        time_authorities=(),
        keys=tuple(role_key(role, keys[role], role) for role in ROLES),
        pdf_authority=pinned_certificate(authority),
        issued=rfc3339(now),
    )
    check_body(body)
    return body


def _own_root(settings: Settings, clock: Clock, secrets: SecretStore) -> Envelope:
    """The first version, signed by a root key of the service's own."""
    begun = settings.data_dir / OFFLINE_ROOT
    if begun.exists():
        raise SetupError(
            f"An offline root was proposed: finish with `sanitrail init --trust-root SIGNED`, or give it up by deleting {begun}."
        )
    root = secrets.create_signer(ROOT)
    return build_trust_root(_first_body(settings, clock, secrets, (to_base64(root.public_key_der),), 1), root)


def _signed_root(settings: Settings, secrets: SecretStore, signed: bytes) -> Envelope:
    """The first version as offline keys signed it: complete, and about the keys that are here."""
    proposal = read_proposal(signed)
    done = progress(proposal)
    if not done.complete:
        raise SetupError(" ".join(("The trust root is not finished yet.", *done.words())))
    envelope = proposal.envelope()
    root = open_chain([envelope], envelope_digest(envelope))[0]
    keys_of(secrets, (root,))
    if root.body.log.origin != settings.log_origin:
        raise SetupError(
            f"The trust root is of the log {root.body.log.origin}, the settings say {settings.log_origin}."
        )
    return envelope


def _refuse_another(database: Database, signed: bytes) -> None:
    """Finishing twice is harmless; beginning with another trust root is not possible."""
    with database.reading() as session:
        first = session.scalar(sa.select(LogEntry.sha256).where(LogEntry.idx == 0))
    if envelope_digest(read_proposal(signed).envelope()) != first:
        raise SetupError("The log has begun with another trust root; change it with `sanitrail keys propose`.")


def _begin(settings: Settings, clock: Clock, secrets: SecretStore, database: Database, envelope: Envelope) -> None:
    """The empty log, the trust root as its first entry, the default policy: all in one transaction."""
    ledger = _ledger(settings, clock, secrets)
    context = Context(database=database, clock=clock, settings=settings, secrets=secrets, ledger=ledger)
    with context.writing() as session:
        ledger.begin(session)
        session.flush()
        digest = store_envelope(session, context, "trust-root", envelope)
        ledger.append(session, "trust-root", digest, "trust root")
        policy = parse(default_document())
        session.add(
            PolicyVersion(
                sha256=policy.sha256,
                id=policy.id,
                document=policy.document,
                since=clock.now(),
                in_force=True,
                by=SYSTEM.ref,
                reason="The default: the decision flow of SP 800-88.",
            )
        )
        note(session, context, SYSTEM, Tag.SERVICE_INITIALISED, "service", settings.log_origin, evidence=[digest])
        note(session, context, SYSTEM, Tag.POLICY_IN_FORCE, "policy", policy.id, evidence=[policy.sha256])


def _ledger(settings: Settings, clock: Clock, secrets: SecretStore) -> Ledger:
    return Ledger(settings.log_origin, Keyring(secrets), LogGuard(secrets.guard_file, settings.log_origin), clock)


def _check_schema(database: Database) -> None:
    with database.engine.connect() as connection:
        found = revision(connection)
    if found is None:
        raise SetupError("The database is empty; run `sanitrail init` first.")
    if found != head_revision():
        raise SetupError(
            f"The database's schema is {found}, this program needs {head_revision()}; run `sanitrail init` to upgrade it."
        )


def _check_trust(session: Session, secrets: SecretStore, ledger: Ledger, clock: Clock) -> None:
    """The keys in hand must be the ones the trust root in force names: with others, nothing signed would be believed."""
    keys = ledger.keyring.require(session)
    _seal_keys.seal_key(secrets, keys.trust, clock.now())


def _sqlite_file(url: str) -> Path:
    return Path(make_url(url).database or "")
