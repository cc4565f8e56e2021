"""What the inventory refuses, each with a stable code, a fixed sentence and typed fields.

    InventoryError
    ├─ NotFound 404            the object does not exist, or not for this person
    ├─ Invalid 422             the command cannot mean anything
    │   ├─ EvidenceRefused     a signature, envelope or digest does not hold
    │   ├─ IdempotencyKeyReused
    │   └─ TooCostlyToCheck    checking the file reached the limits first; nothing is said about it
    ├─ NotSignedIn 401         nobody is behind this session, token, link or key
    ├─ Forbidden 403           this person or agent may not do this
    │   ├─ SeparationOfDuty    allowed in general, but not on their own act
    │   ├─ AgentNotTrusted     the agent's key is pending, rejected or revoked
    │   ├─ SecondFactorNeeded  the session is half signed in
    │   └─ ConfirmationNeeded  the person must show again who they are
    ├─ Conflict 409            the world is not in the state the command needs
    │   ├─ IllegalTransition   (state, event) is not in the table
    │   ├─ EvidencePending     the files wait for witnesses or time-stamps
    │   ├─ StaleVersion        somebody else changed it first
    │   ├─ Duplicate           it exists already
    │   ├─ ConstraintRefused   the database's own rules refuse it
    │   ├─ GateClosed          the release gate refuses, with every reason
    │   ├─ OrderImpossible     no technique of this product can satisfy the policy
    │   ├─ Held                a legal or investigation hold stands in the way
    │   ├─ Replayed            a nonce or link was used before
    │   └─ IdempotencyInFlight
    ├─ TooManyAttempts 429     sign-in is limited
    └─ Unavailable 503         the service cannot act now, and nothing has changed
        ├─ StorageFailed       the database did not commit
        └─ LogRefused          signing would contradict what was signed before

Every error of this module is raised before its transaction commits: whoever sees one may rely on nothing having changed.
Exceptions travel inside the package; `inventory.api.problems` is the one place that turns them into HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

Fault = Literal["caller", "world", "service"]
"""Who can mend it: the one who asked, somebody who changes the world's state, or the one who runs the service."""


@dataclass(frozen=True)
class Reason:
    """One reason for a refusal, in plain words and with a stable code of its own."""

    code: str
    sentence: str


class InventoryError(Exception):
    """Base of everything the inventory refuses.

    Attributes:
        code: Stable, never reused.
        status: The HTTP status that means the same.
        fault: Who can mend it.
        reasons: Further reasons, where the refusal has several.
    """

    code: ClassVar[str] = "inventory-error"
    status: ClassVar[int] = 500
    fault: ClassVar[Fault] = "service"
    title: ClassVar[str] = "The inventory refused"

    def __init__(self, sentence: str, *, reasons: Sequence[Reason] = ()) -> None:
        self.sentence = sentence
        self.reasons = tuple(reasons)
        super().__init__(sentence)

    def summarize(self) -> str:
        """The refusal in one line."""
        return self.sentence

    def explain(self) -> str:
        """The refusal with every reason, one a line."""
        return "\n".join([self.sentence, *(f"- {reason.sentence} [{reason.code}]" for reason in self.reasons)])


class NotFound(InventoryError):
    """No such object, or not for this person."""

    code = "not-found"
    status = 404
    fault = "caller"
    title = "There is nothing here"

    def __init__(self, kind: str, reference: str) -> None:
        self.kind = kind
        self.reference = reference
        super().__init__(f"There is no {kind} {reference[:128]!r}.")


class Invalid(InventoryError):
    """A field of the command cannot mean anything."""

    code = "invalid"
    status = 422
    fault = "caller"
    title = "The command does not make sense"

    def __init__(self, field: str, sentence: str, *, reasons: Sequence[Reason] = ()) -> None:
        self.field = field
        super().__init__(sentence, reasons=reasons)


class EvidenceRefused(Invalid):
    """A signature, envelope or digest does not hold; nothing was stored."""

    code = "evidence-refused"
    title = "The evidence does not hold"


class NotSignedIn(InventoryError):
    """Nobody is behind this session, token, link or key. Deliberately says no more than that."""

    code = "not-signed-in"
    status = 401
    fault = "caller"
    title = "Sign in first"

    def __init__(self, what: Literal["session", "token", "link", "password", "key", "code", "passkey", "sso"]) -> None:
        self.what = what
        sentences = {
            "session": "The session is unknown, expired or ended; sign in again.",
            "token": "The token is unknown, expired or revoked.",
            "link": "The link is unknown, expired or was used before.",
            "password": "Login name or password is wrong.",
            "key": "No enrolled agent has this key.",
            "code": "The code is wrong, too old, or was used before.",
            "passkey": "This passkey lets nobody in here, or its answer came too late; try again.",
            "sso": "Nobody here belongs to that single sign-on account, or its answer is not to be believed.",
        }
        super().__init__(sentences[what])


class Forbidden(InventoryError):
    """This person or agent may not do this."""

    code = "forbidden"
    status = 403
    fault = "caller"
    title = "Your role does not allow this"

    def __init__(self, permission: str, sentence: str | None = None) -> None:
        self.permission = permission
        super().__init__(sentence or f"None of your roles grants {permission!r}.")


class SeparationOfDuty(Forbidden):
    """Nobody approves, validates or witnesses their own act."""

    code = "separation-of-duty"
    title = "Nobody decides about their own act"

    def __init__(self, act: str, earlier: str) -> None:
        self.act = act
        self.earlier = earlier
        super().__init__(act, f"Whoever {earlier} cannot {act} as well: somebody else must.")


class AgentNotTrusted(Forbidden):
    """The agent's key is pending, rejected or revoked."""

    code = "agent-not-trusted"
    title = "The agent's key is not trusted"

    def __init__(self, key_id: str, state: str) -> None:
        self.key_id = key_id
        self.state = state
        super().__init__("agent", f"The agent's key {key_id[:16]}… is {state}; only a confirmed key may do this.")


class SecondFactorNeeded(Forbidden):
    """The password alone was right: the session may show or set up the second factor, and nothing else."""

    code = "second-factor-needed"
    title = "You are half signed in"

    def __init__(self, standing: Literal["code", "setup"]) -> None:
        self.standing = standing
        sentences = {
            "code": "Show your second factor first: the code of your authenticator app, a recovery code, or a passkey.",
            "setup": "Set up a passkey or an authenticator app first; a password alone opens nothing here.",
        }
        super().__init__("sign-in", sentences[standing])


class ConfirmationNeeded(Forbidden):
    """An act like this wants somebody who has lately shown who they are, not a browser left open."""

    code = "confirmation-needed"
    title = "Show again who you are"

    def __init__(self) -> None:
        super().__init__(
            "sign-in", "Show again who you are, by passkey or password, then repeat this. Nothing was changed."
        )


class Conflict(InventoryError):
    """The world is not in the state the command needs."""

    code = "conflict"
    status = 409
    fault = "world"
    title = "The present state does not allow this"


class EvidencePending(Conflict):
    """The files of a document wait for witnesses or time-stamps; they are made by then at the latest."""

    code = "evidence-pending"
    title = "The files are not made yet"

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(
            "The document is signed and logged; its files wait for witnesses or time-stamps,"
            f" until {until:%Y-%m-%d %H:%M:%S} UTC at the latest."
        )


class IllegalTransition(Conflict):
    """The table has no such transition."""

    code = "illegal-transition"

    def __init__(self, subject: str, state: str, event: str) -> None:
        self.subject = subject
        self.state = state
        self.event = event
        super().__init__(
            f"{subject} is {state.replace('_', ' ')}; {event.replace('_', ' ')} is not possible from there."
        )


class StaleVersion(Conflict):
    """Somebody else changed the object since it was read."""

    code = "stale-version"
    status = 412
    title = "The object has changed since you read it"

    def __init__(self, subject: str, expected: int | None) -> None:
        self.subject = subject
        self.expected = expected
        super().__init__(f"{subject} has changed since you read it. Read it again, then decide again.")


class Duplicate(Conflict):
    """It exists already."""

    code = "duplicate"
    title = "It exists already"

    def __init__(self, kind: str, field: str, existing: str | None = None) -> None:
        self.kind = kind
        self.field = field
        self.existing = existing
        where = f" ({existing})" if existing else ""
        super().__init__(f"There is already a {kind} with this {field}{where}.")


class ConstraintRefused(Conflict):
    """The database's own last line of defence refused what the services had let through."""

    code = "constraint-refused"

    def __init__(self, constraint: str) -> None:
        self.constraint = constraint
        super().__init__("The database's own rules refuse this change; nothing of it took effect.")


class GateClosed(Conflict):
    """The gate: the medium may not go there, for each of these reasons. There is no override."""

    code = "gate-closed"
    title = "The gate is closed"

    def __init__(self, subject: str, destination: str, reasons: Sequence[Reason]) -> None:
        self.subject = subject
        self.destination = destination
        super().__init__(f"{subject} may not go to {destination}.", reasons=reasons)


class OrderImpossible(Conflict):
    """What policy requires is not within reach of what was ordered; never downgraded silently."""

    code = "order-impossible"
    title = "The order cannot achieve what the policy requires"

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__("This order could not end in a result the policy accepts.", reasons=reasons)


class Held(Conflict):
    """A legal or investigation hold stands in the way."""

    code = "held"
    title = "A hold stands in the way"

    def __init__(self, subject: str, reasons: Sequence[Reason]) -> None:
        self.subject = subject
        super().__init__(
            f"{subject} is under a hold and may be neither ordered, approved, leased nor released.", reasons=reasons
        )


class Replayed(Conflict):
    """A nonce, link or idempotency key was used before."""

    code = "replayed"
    title = "This was used before"


class IdempotencyKeyReused(Invalid):
    """The same idempotency key came with another request."""

    code = "idempotency-key-reused"
    title = "The idempotency key was used for another request"

    def __init__(self) -> None:
        super().__init__("Idempotency-Key", "This idempotency key was used for another request; choose a fresh one.")


class TooCostlyToCheck(Invalid):
    """Checking a file reached the service's limits of time or memory; nothing is said about the file."""

    code = "too-costly-to-check"
    title = "The file could not be checked within the limits"

    def __init__(self) -> None:
        super().__init__(
            "file",
            "Checking this file took more time or memory than this page may spend. Nothing is said about the file:"
            " check it offline with sanitrail-verify.",
        )


class IdempotencyInFlight(Conflict):
    """The first request with this key has no stored answer: it runs still, or its process died."""

    code = "idempotency-in-flight"
    title = "The first request with this key has no stored answer"

    def __init__(self) -> None:
        super().__init__(
            "The first request with this idempotency key runs still, or its answer was lost; look at the list first."
        )


class Unavailable(InventoryError):
    """The service cannot act now; nothing has changed, and trying again is harmless."""

    code = "unavailable"
    status = 503
    fault = "service"
    title = "The service cannot act now"


class StorageFailed(Unavailable):
    """The database did not commit (disk full, lock, connection): the whole change was rolled back."""

    code = "storage-failed"

    def __init__(self, cause: str) -> None:
        self.cause = cause
        super().__init__(
            "The database could not store the change; nothing of it took effect. Check the disk's free space and the"
            " database, then try again."
        )


class LogRefused(Unavailable):
    """Signing would contradict what this log has signed before (an old backup was restored, or two copies run)."""

    code = "log-refused"
    title = "The log refuses to sign"

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The log refuses to sign: {problem}. Nothing was changed. Restore the newest database, or see operations.md,"
            " 'The log refuses'."
        )


class SetupError(Unavailable):
    """The installation is incomplete or unsafe; the message says what to do."""

    code = "setup-error"
    title = "The installation is not ready"


class TooManyAttempts(InventoryError):
    """Sign-in attempts are limited per login name and per address."""

    code = "too-many-attempts"
    status = 429
    fault = "caller"
    title = "Too many attempts"

    def __init__(self, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"Too many sign-in attempts; try again in {retry_after_seconds} seconds.")
