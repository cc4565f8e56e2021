"""Making an inventory, opening one, and letting the first administrator in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from inventory.clock import Clock
from inventory.db import Database, head_revision, revision, upgrade
from inventory.domain.policy import default_document, parse
from inventory.domain.roles import Role
from inventory.errors import NotFound, SetupError
from inventory.events import Tag
from inventory.ledger import Ledger
from inventory.log_guard import LogGuard
from inventory.models import LogEntry, LogHead, Person, PolicyVersion
from inventory.secrets_store import SecretStore
from inventory.settings import Settings
from reports.canonical import to_base64
from reports.keys import write_private_file
from reports.sealkey import SealKey, make_certificate
from reports.trust import build_trust_root, open_trust_root
from reports.trust_body import LogIdentity, TrustRootBody1, pinned_certificate, role_key

from .context import SYSTEM, Context
from .kernel import load_envelope, note, store_envelope
from .people import CreatePerson, add_person, make_link
from .views import OneTimeLinkView, TrustView

SIGNERS: Final[Mapping[str, str]] = {"root": "ed25519", "enrolment": "ed25519", "acceptance": "ed25519", "pdf": "p256"}
"""The service's own keys and their algorithms."""

PDF_CERTIFICATE: Final = "pdf.crt"
"""DER, beside its key."""


def initialise(settings: Settings, clock: Clock) -> Context:
    """Make what is missing: data directory (0700), keys (0600), database schema, trust root at log index 0, default policy.

    Safe to call again: an initialised inventory is opened, its schema brought up to date, and nothing else changes.

    Raises:
        SetupError: a key or the guard file is missing beside a log that has entries, or the directory is readable by others.
    """
    SecretStore(settings.data_dir).prepare()
    secrets = SecretStore(settings.data_dir / "secrets")
    secrets.prepare()
    upgrade(settings.url)
    database = Database(settings.url)
    try:
        with database.reading() as session:
            fresh = session.get(LogHead, 1) is None
        if fresh:
            _begin(settings, clock, secrets, database)
    finally:
        database.close()
    return open_inventory(settings, clock)


def open_inventory(settings: Settings, clock: Clock) -> Context:
    """Open an initialised inventory.

    Raises:
        SetupError: not initialised, schema of another version, keys missing.
        LogRefused: database and guard file contradict each other.
    """
    if not settings.data_dir.is_dir():
        raise SetupError(f"There is no inventory in {settings.data_dir}; run `sanitrail init` first.")
    if settings.url.startswith("sqlite") and not _sqlite_file(settings.url).exists():
        raise SetupError(f"There is no database {_sqlite_file(settings.url)}; run `sanitrail init` first.")
    secrets = SecretStore(settings.data_dir / "secrets")
    secrets.prepare()
    database = Database(settings.url)
    try:
        _check_schema(database)
        for name in SIGNERS:
            secrets.signer(name)
        ledger = _ledger(settings, clock, secrets)
        with database.reading() as session:
            ledger.check(session)
            _check_trust(session, secrets, ledger)
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
        return trust_view(session, context)


def trust_view(session: Session, context: Context) -> TrustView:
    """Trust root and pin, within a transaction that is under way."""
    pin = session.scalar(sa.select(LogEntry.sha256).where(LogEntry.idx == 0))
    if pin is None:
        raise SetupError("The log has no trust root: initialise the inventory first.")
    return TrustView(
        pin=pin, envelope=load_envelope(session, pin), origin=context.ledger.origin, vkeys=context.ledger.vkeys
    )


def seal_key(context: Context) -> SealKey:
    """The key that seals PDFs, with its pinned certificate. Raises `SetupError`."""
    return _seal_key(context.secrets)


def _begin(settings: Settings, clock: Clock, secrets: SecretStore, database: Database) -> None:
    """Keys, the empty log, the trust root as its first entry, the default policy: all in one transaction."""
    keys = {name: secrets.create_signer(name, kind) for name, kind in SIGNERS.items()}
    signers = secrets.log_signers(settings.log_origin, create=True)
    certificate_file = secrets.folder / PDF_CERTIFICATE
    if not certificate_file.exists():
        not_before = clock.now() - timedelta(days=1)
        write_private_file(certificate_file, make_certificate(keys["pdf"], settings.organisation.name, not_before))
    ledger = Ledger(settings.log_origin, signers, LogGuard(secrets.guard_file, settings.log_origin), clock)
    context = Context(database=database, clock=clock, settings=settings, secrets=secrets, ledger=ledger)
    body = TrustRootBody1(
        version=1,
        threshold=1,
        root_keys=(to_base64(keys["root"].public_key_der),),
        log=LogIdentity(origin=settings.log_origin, vkeys=ledger.vkeys),
        keys=(
            role_key("acceptance", keys["acceptance"], "acceptance"),
            role_key("enrolment", keys["enrolment"], "enrolment"),
        ),
        pdf_signer=pinned_certificate(_seal_key(secrets).certificate),
    )
    envelope = build_trust_root(body, keys["root"])
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
    signers = secrets.log_signers(settings.log_origin)
    return Ledger(settings.log_origin, signers, LogGuard(secrets.guard_file, settings.log_origin), clock)


def _seal_key(secrets: SecretStore) -> SealKey:
    path = secrets.folder / PDF_CERTIFICATE
    if not path.exists():
        raise SetupError(f"The certificate {path} is missing. Restore it from the backup: the trust root pins it.")
    return SealKey.check(secrets.signer("pdf"), path.read_bytes())


def _check_schema(database: Database) -> None:
    with database.engine.connect() as connection:
        found = revision(connection)
    if found is None:
        raise SetupError("The database is empty; run `sanitrail init` first.")
    if found != head_revision():
        raise SetupError(
            f"The database's schema is {found}, this program needs {head_revision()}; run `sanitrail init` to upgrade it."
        )


def _check_trust(session: Session, secrets: SecretStore, ledger: Ledger) -> None:
    """The keys in hand must be the ones the pinned trust root names: with others, nothing signed would be believed."""
    pin = session.scalar(sa.select(LogEntry.sha256).where(LogEntry.idx == 0))
    if pin is None:
        raise SetupError("The log has no trust root: the database is damaged.")
    root = open_trust_root(load_envelope(session, pin), pin)
    if tuple(root.body.log.vkeys) != ledger.vkeys:
        raise SetupError("The log's keys are not those of the trust root; restore them from the backup.")
    for name in ("acceptance", "enrolment"):
        if secrets.signer(name).key_id not in root.keys(name, 1):
            raise SetupError(f"The key {name}.pem is not the one the trust root names; restore it from the backup.")
    if _seal_key(secrets).certificate != root.pdf_certificate:
        raise SetupError(
            "The certificate that seals PDFs is not the one the trust root pins; restore it from the backup."
        )


def _sqlite_file(url: str) -> Path:
    return Path(make_url(url).database or "")
