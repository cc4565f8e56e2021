"""What somebody can show beside a password: passkeys, an authenticator app, recovery codes, an identity elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from inventory.domain.roles import Permission
from inventory.domain.signin import RECOVERY_CODES, Way, as_typed, matching_step, new_recovery_code
from inventory.errors import SeparationOfDuty
from inventory.events import Tag
from inventory.models import Authenticator, Identity, Passkey, Person, RecoveryCode

from . import attempts
from ._scope import require_unlimited
from .context import Actor, Context, authorize, require_person
from .kernel import digest_of_secret, find, note, required
from .people import end_sessions, person_view
from .views import PersonView
from .views.signin import FactorsView, IdentityView, PasskeyView


@dataclass(frozen=True, kw_only=True)
class ResetFactors:
    """Somebody lost what they sign in with."""

    person: str
    reason: str


def has_factors(session: Session, person: str) -> bool:
    """Whether a password of this person's opens nothing without something else."""
    return bool(session.scalar(sa.select(factors_count(sa.literal(person)))))


def factors_count(person: sa.ColumnElement[str] | InstrumentedAttribute[str]) -> sa.ColumnElement[bool]:
    """The same as a part of a statement."""
    return sa.or_(
        sa.exists().where(Passkey.person == person, Passkey.removed.is_(None)),
        sa.exists().where(Authenticator.person == person, Authenticator.confirmed.is_not(None)),
    )


def passkeys_of(session: Session, person: str) -> tuple[Passkey, ...]:
    """The passkeys that count, oldest first."""
    present = sa.select(Passkey).where(Passkey.person == person, Passkey.removed.is_(None)).order_by(Passkey.id)
    return tuple(session.scalars(present))


def authenticator_of(session: Session, person: str, *, lock: bool = False) -> Authenticator | None:
    """The authenticator app that counts; `lock` until the transaction ends, so that no code is taken twice."""
    wanted = sa.select(Authenticator).where(Authenticator.person == person, Authenticator.confirmed.is_not(None))
    return session.scalar(wanted.with_for_update() if lock else wanted)


def check_code(session: Session, context: Context, person: Person, typed: str) -> Way | None:
    """Take a code of the app or a recovery code; either is good once.

    The transaction must be committed whatever comes out: a wrong code is counted.

    Returns:
        What the code makes of a password; None where it is wrong.

    Raises:
        TooManyAttempts: 429; carries `retry_after_seconds`.
    """
    counted = attempts.key("code", person.ref)
    attempts.limit(session, context, [counted], attempts.CODES_IN_WINDOW, attempts.CODE_WINDOW)
    code, recovery = as_typed(typed)
    way = None
    if code and _take_app_code(session, context, person, code):
        way = Way.PASSWORD_CODE
    elif recovery and _take_recovery_code(session, context, person, recovery):
        way = Way.PASSWORD_RECOVERY
    if way is None:
        attempts.count(session, context, [counted])
        note(session, context, Actor(person.ref, "person"), Tag.PERSON_CODE_REFUSED, "person", person.ref)
    else:
        attempts.forgive(session, counted)
    return way


def _take_app_code(session: Session, context: Context, person: Person, code: str) -> bool:
    app = authenticator_of(session, person.ref, lock=True)
    if app is None:
        return False
    step = matching_step(open_secret(context, app), code, context.now(), app.last_step)
    if step is None:
        return False
    app.last_step = step
    return True


def _take_recovery_code(session: Session, context: Context, person: Person, code: str) -> bool:
    taken = sa.update(RecoveryCode).where(
        RecoveryCode.code_sha256 == recovery_digest(person.ref, code),
        RecoveryCode.person == person.ref,
        RecoveryCode.used.is_(None),
    )
    done = session.execute(taken.values(used=context.now()).returning(RecoveryCode.code_sha256))
    if done.scalar_one_or_none() is None:
        return False
    left = recovery_codes_left(session, person.ref)
    actor = Actor(person.ref, "person")
    note(session, context, actor, Tag.RECOVERY_CODE_USED, "person", person.ref, details={"left": left})
    return True


def open_secret(context: Context, app: Authenticator) -> bytes:
    """What the app shares with us. Raises `SetupError` where `authenticators.key` is another one."""
    return context.secrets.authenticators.open(app.secret, f"authenticator {app.person}")


def recovery_digest(person: str, code: str) -> str:
    """What is stored of a recovery code, typed without hyphens."""
    return digest_of_secret(f"recovery\x00{person}\x00{code}")


def recovery_codes_left(session: Session, person: str) -> int:
    """How many are good still."""
    unused = sa.select(sa.func.count()).where(RecoveryCode.person == person, RecoveryCode.used.is_(None))
    return session.scalar(unused) or 0


def make_recovery_codes(session: Session, context: Context, actor: Actor) -> tuple[str, ...]:
    """Fresh recovery codes for oneself; earlier ones are good no more. Shown by this answer and never again."""
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.person == actor.ref, RecoveryCode.used.is_(None)))
    codes = tuple(new_recovery_code() for _ in range(RECOVERY_CODES))
    now = context.now()
    for code in codes:
        digest = recovery_digest(actor.ref, code.replace("-", ""))
        session.add(RecoveryCode(code_sha256=digest, person=actor.ref, created=now))
    note(session, context, actor, Tag.RECOVERY_CODES_MADE, "person", actor.ref)
    return codes


def mine(context: Context, actor: Actor) -> FactorsView:
    """What one can sign in with oneself."""
    require_person(actor, setup=True)
    with context.reading(actor) as session:
        return factors_view(session, find(session, Person, actor.ref, "person"))


def factors_view(session: Session, person: Person) -> FactorsView:
    """What somebody can sign in with; no secrets."""
    app = authenticator_of(session, person.ref)
    identities = sa.select(Identity).where(Identity.person == person.ref, Identity.removed.is_(None))
    return FactorsView(
        password=person.password_hash is not None,
        passkeys=tuple(passkey_view(row) for row in passkeys_of(session, person.ref)),
        authenticator=None if app is None else app.confirmed,
        recovery_codes=recovery_codes_left(session, person.ref),
        identities=tuple(
            IdentityView(id=row.id, issuer=row.issuer, created=row.created, last_used=row.last_used)
            for row in session.scalars(identities.order_by(Identity.id))
        ),
    )


def invited(context: Context, actor: Actor) -> frozenset[str]:
    """Whoever has nothing to sign in with yet: they hold a one-time link, or need one. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        nothing = (
            Person.password_hash.is_(None),
            ~sa.exists().where(Passkey.person == Person.ref, Passkey.removed.is_(None)),
            ~sa.exists().where(Identity.person == Person.ref, Identity.removed.is_(None)),
        )
        return frozenset(session.scalars(sa.select(Person.ref).where(*nothing)))


def passkey_view(row: Passkey) -> PasskeyView:
    """A passkey, without its credential."""
    return PasskeyView(id=row.id, label=row.label, created=row.created, last_used=row.last_used, synced=row.synced)


def reset(context: Context, actor: Actor, command: ResetFactors) -> PersonView:
    """Remove everything somebody signs in with beside the password, and end their sessions. Permission `people.manage`.

    A new one-time link lets them in afterwards. Nobody does it for themselves.

    Raises:
        NotFound, SeparationOfDuty.
    """
    authorize(actor, Permission.PEOPLE_MANAGE)
    require_unlimited(actor, "manage people")
    reason = required("reason", command.reason)
    with context.writing(actor) as session:
        person = find(session, Person, command.person, "person")
        if person.ref == actor.ref:
            raise SeparationOfDuty("reset the sign-in", "lost it")
        now = context.now()
        for passkey in passkeys_of(session, person.ref):
            passkey.removed = now
        session.execute(
            sa.update(Identity).where(Identity.person == person.ref, Identity.removed.is_(None)).values(removed=now)
        )
        session.execute(sa.delete(Authenticator).where(Authenticator.person == person.ref))
        session.execute(sa.delete(RecoveryCode).where(RecoveryCode.person == person.ref, RecoveryCode.used.is_(None)))
        end_sessions(session, context, person.ref)
        note(session, context, actor, Tag.PERSON_FACTORS_RESET, "person", person.ref, reason=reason)
        return person_view(session, person, directory=True)
