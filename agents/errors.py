"""What can go wrong on a host, each with a stable code, who is at fault and what a person can do.

    AgentError
    ├─ Retry(after)                 nothing is wrong with what we sent: the same message later
    │   ├─ Unreachable              no answer: network, name, TLS, time-out
    │   ├─ ServerBusy               an answer that says "not now" (429, 5xx)
    │   └─ ReplyUnreadable          an answer that is not the contract's, or is too large
    ├─ Rejected                     the service understood and says no: repeating the same message does not help
    │   ├─ NotEnrolled              this key may not (not yet, or no longer) speak for a host
    │   ├─ Conflict                 somebody else was first, or the state is another
    │   ├─ SchemaRefused            the message does not fit the service's contract
    │   ├─ SignatureRefused         the request's signature was not accepted (clock, key or a changed request)
    │   └─ RequestRefused           any other refusal
    ├─ EvidenceRefused              what the service handed back does not prove what it must
    │   ├─ CheckpointRefused        not signed by the pinned log
    │   ├─ LogForked                signed, and contradicts what this host has seen before
    │   ├─ AcceptanceRefused        the acceptance of a record does not hold
    │   ├─ TrustRootRefused         not the pinned trust root
    │   └─ HaltRefused              a halt, or its lifting, that the service did not sign
    ├─ OrderRefused                 agents/refusals.py: one class a reason
    ├─ EnrolmentRefused             what the service answered to the enrolment cannot be pinned
    ├─ OutboxDamaged                a stored record cannot be read back; the file is kept aside
    ├─ StateDamaged                 another file of the agent's state cannot be read back
    ├─ StateUnwritable              the state cannot be written: no room, read-only, a failing disk
    ├─ StateNewer                   a newer agent wrote the state
    ├─ StateBusy                    another agent process owns the state directory
    ├─ ConfigInvalid                the configuration cannot be used
    ├─ BundleRefused                a bundle carried here by hand does not count on this host
    └─ CarrierPrivileged            the half with the network would run as root

No code is ever reused for another meaning. Codes and sentences are listed in `docs/errors.md`, compared by a test.
None of these says anything about a medium: device errors are the sanitizer's, and travel inside its `RunResult`.
"""

from __future__ import annotations

from typing import ClassVar


class AgentError(Exception):
    """Something on this host, or between it and the service, needs attention; subclasses say what."""

    code: ClassVar[str] = "agent-error"
    sentence: ClassVar[str] = "The agent could not go on."
    fault: ClassVar[str] = "the agent"
    advice: ClassVar[str] = "Report this with the agent's log."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return self.summarize()

    def summarize(self) -> str:
        """One line: the fixed sentence and the particulars."""
        return f"{self.sentence} {self.detail}".strip()

    def explain(self) -> str:
        """The line, who is at fault and what a person can do about it."""
        return f"{self.summarize()} At fault: {self.fault}. {self.advice}"


class Retry(AgentError):
    """The message was not dealt with; send it again later.

    Attributes:
        after: Seconds the service asked us to wait, or None where it did not say.
    """

    code = "retry"
    sentence = "The service did not deal with the message."
    fault = "the network or the service"
    advice = "Nothing: the agent tries again by itself, and loses nothing meanwhile."

    def __init__(self, detail: str = "", *, after: float | None = None) -> None:
        super().__init__(detail)
        self.after = after


class Unreachable(Retry):
    """No answer came: whether the service received the message is unknown."""

    code = "service-unreachable"
    sentence = "The service gave no answer."


class ServerBusy(Retry):
    """The service answered that it cannot deal with it now."""

    code = "service-busy"
    sentence = "The service cannot deal with the message now."
    fault = "the service"

    def __init__(self, status: int, detail: str = "", *, after: float | None = None) -> None:
        super().__init__(f"HTTP status {status}. {detail}".strip(), after=after)
        self.status = status


class ReplyUnreadable(Retry):
    """Something answered, but not in the words of the contract: a proxy, another service, or a defect."""

    code = "reply-unreadable"
    sentence = "The answer is not one the service would give."
    fault = "whatever answered at the service's address"
    advice = "Check the configured address, and what stands between this host and it."


class Rejected(AgentError):
    """The service understood the message and refused it.

    Attributes:
        status: HTTP status.
        problem: The service's own stable code (RFC 9457), or "" where it gave none.
    """

    code = "rejected"
    sentence = "The service refused the message."
    fault = "the message, or the service's state"
    advice = "Read the service's reason; the agent keeps what it wanted to deliver."

    def __init__(self, status: int, problem: str, detail: str = "") -> None:
        super().__init__(f"HTTP status {status} {problem}: {detail}".strip().rstrip(":"))
        self.status = status
        self.problem = problem
        self.reason = detail


class NotEnrolled(Rejected):
    """The service does not accept this host's key: unknown, not yet confirmed, or revoked."""

    code = "not-enrolled"
    sentence = "The service does not accept this host's key."
    fault = "the enrolment"
    advice = "Have an administrator confirm the fingerprint; if the key was revoked, enrol again with a new token."


class Conflict(Rejected):
    """Somebody else was first, or the order is in another state than the agent believed."""

    code = "service-conflict"
    sentence = "The service's state is another than the agent believed."
    fault = "nobody: two parties acted at once"


class SchemaRefused(Rejected):
    """The message does not fit the service's contract: two versions that do not go together, or a defect."""

    code = "schema-refused"
    sentence = "The service does not accept the message's form."
    fault = "the agent's or the service's version"
    advice = "Bring agent and service to versions that go together."


class SignatureRefused(Rejected):
    """The request's signature was not accepted: most often a clock is off, or something rewrote the request on the way."""

    code = "signature-refused"
    sentence = "The service does not accept the signature of the request."
    fault = "a clock, the key, or something between agent and service that rewrites requests"
    advice = "Compare both clocks; check that the configured address is the one the service knows itself by."


class RequestRefused(Rejected):
    """A refusal of another kind."""

    code = "request-refused"


class EvidenceRefused(AgentError):
    """What the service handed back does not prove what it must; nothing is believed or forgotten because of it."""

    code = "service-evidence-refused"
    sentence = "The service's evidence does not hold."
    fault = "the service"
    advice = "Tell the auditor; keep the agent's state directory as it is."


class CheckpointRefused(EvidenceRefused):
    """The checkpoint is not signed by every key of the pinned log, or is no checkpoint."""

    code = "checkpoint-refused"
    sentence = "The log's checkpoint is not the pinned log's."


class LogForked(EvidenceRefused):
    """The log signed two histories that cannot both be true, or gives no proof that the new one extends the old."""

    code = "log-forked"
    sentence = "The log contradicts what this host has seen of it before."
    advice = "The agent takes no orders until this is settled. Both checkpoints are kept under alarms/: give them to the auditor."

    def __init__(self, detail: str, *, proven: bool) -> None:
        super().__init__(detail)
        self.proven = proven
        """True where two signed checkpoints contradict each other; False where only the proof is missing or wrong."""


class AcceptanceRefused(EvidenceRefused):
    """The acceptance of a record is not signed by the service's key, or not in the log: the record stays in the outbox."""

    code = "acceptance-refused"
    sentence = "The acceptance of the record does not hold; the record is kept."


class TrustRootRefused(EvidenceRefused):
    """The trust root handed over is not the one this host pinned at enrolment."""

    code = "trust-root-refused"
    sentence = "This is not the pinned trust root."


class HaltRefused(EvidenceRefused):
    """A halt, or the lifting of one, is not the service's word for this host: what stood before stands."""

    code = "halt-refused"
    sentence = "This halt, or its lifting, is not the service's word."


class EnrolmentRefused(AgentError):
    """The service's answer to the enrolment cannot be pinned."""

    code = "enrolment-refused"
    sentence = "The enrolment cannot be completed."
    fault = "the service, or somebody between this host and it"
    advice = "Do not confirm anything in the console; compare address, certificate and digests with the administrator."


class OutboxDamaged(AgentError):
    """A stored record cannot be read back. It was moved aside, byte for byte, and is never deleted."""

    code = "outbox-damaged"
    sentence = "A record in the outbox cannot be read back."
    fault = "the disk beneath the state directory, or somebody who edited it"
    advice = "Check that disk. The file is kept aside; the gap in the agent's sequence shows that a record is missing."

    def __init__(self, kept_as: str, problem: str) -> None:
        super().__init__(f"{kept_as}: {problem}")
        self.kept_as = kept_as
        self.problem = problem


class StateDamaged(AgentError):
    """A file of the agent's state cannot be read back. Nothing is guessed in its place."""

    code = "state-damaged"
    sentence = "A file of the agent's state cannot be read back."
    fault = "the disk beneath the state directory, or somebody who edited it"
    advice = "Check that disk; restore the file, or enrol again."

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class StateUnwritable(AgentError):
    """What must be kept cannot be written: nothing is begun, and a run that writes stops at its next checkpoint."""

    code = "state-unwritable"
    sentence = "The agent's state cannot be written."
    fault = "the disk beneath the state directory"
    advice = "Make room, or have that file system checked and mounted for writing again; what waits goes on by itself."


class StateNewer(AgentError):
    """A newer agent wrote the state, in a form this one does not read. Nothing was changed, no medium was touched."""

    code = "state-newer"
    sentence = "The agent's state was written by a newer version."
    fault = "whoever went back to an older version"
    advice = "Install the newer version again. To go back for good, let it hand over every record; then enrol anew."


class StateBusy(AgentError):
    """Another agent process owns the state directory."""

    code = "state-busy"
    sentence = "Another agent process owns the state directory."
    fault = "whoever started a second agent"
    advice = "Stop the other process first (systemctl stop sanitrail-helper)."


class ConfigInvalid(AgentError):
    """The configuration cannot be used."""

    code = "config-invalid"
    sentence = "The agent's configuration cannot be used."
    fault = "whoever wrote the configuration"
    advice = "Correct the named setting."

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


class BundleRefused(AgentError):
    """A bundle that was carried here does not count on this host. Nothing was taken in, and no medium was touched."""

    code = "bundle-refused"
    sentence = "The bundle is not taken in."
    fault = "whoever made or carried the bundle"
    advice = "Carry the newest job bundle made for this very host; the console names the host on it."


class CarrierPrivileged(AgentError):
    """The carrier, which has the network, would run as root: then nothing would be separated."""

    code = "carrier-privileged"
    sentence = "The carrier must not run as root."
    fault = "whoever starts it"
    advice = "Start it as its own user (sanitrail-carrier.service does), or with --user."
