"""Speaks to the service: every request signed, every failure one of `Retry` or `Rejected`, every reply read strictly.

How a request gets there is the link's: over the network, or through the carrier.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import ValidationError

from inventory.contract.v1 import endpoints
from inventory.contract.v1.agents import (
    EnrolmentReply,
    EnrolmentRequest,
    Heartbeat,
    HeartbeatReply,
    RecordAccepted,
    RecordSubmission,
)
from inventory.contract.v1.common import Message
from inventory.contract.v1.devices import Observation, ObservationAccepted
from inventory.contract.v1.escrows import EscrowDeposit, EscrowHeld, EscrowRelease
from inventory.contract.v1.log import ConsistencyProof, RosterChain, TrustRootChain
from inventory.contract.v1.orders import HoldAnswer, HoldQuestion, LeaseReply, Progress, ProgressReply
from inventory.contract.v1.problems import Problem
from inventory.contract.v1.readings import (
    ReadingLeaseReply,
    ReadingProgress,
    ReadingProgressReply,
    ReadingReceived,
    ReadingSubmission,
)
from reports.canonical import parse_strict
from reports.envelope import Signer
from reports.errors import MalformedDocument

from .clock import ClockWatch
from .config import check_server
from .errors import (
    AgentError,
    Conflict,
    NotEnrolled,
    Rejected,
    ReplyUnreadable,
    RequestRefused,
    SchemaRefused,
    ServerBusy,
    SignatureRefused,
    Unreachable,
)
from .link import MAX_REPLY, Link, NotReached, Reply, Request
from .signing import sign_request

_MAX_WAIT = 86_400.0
_HEADERS: Final = {
    "accept": "application/json, text/plain",
    "accept-encoding": "identity",
    "user-agent": "sanitrail-agent",
}
_PORTS: Final = {"http": 80, "https": 443}
_Message = TypeVar("_Message", bound=Message)

_BY_STATUS: Mapping[int, type[Rejected]] = {
    400: SchemaRefused,
    401: SignatureRefused,
    409: Conflict,
    410: Conflict,
    413: SchemaRefused,
    415: SchemaRefused,
    422: SchemaRefused,
}
_BUSY = frozenset({408, 425, 429})
_NOT_ENROLLED = frozenset({"not-signed-in", "agent-not-trusted"})
"""Problem codes of a key that is unknown, revoked (401), pending or rejected (403)."""


class Service(Protocol):
    """What the agent asks of the service. Each method raises `Retry` or `Rejected`, and nothing else that is not a bug."""

    def enrol(self, request: EnrolmentRequest) -> EnrolmentReply:
        """Present the one-time token."""

    def enrolment(self) -> EnrolmentReply:
        """How the enrolment stands."""

    def trust_roots(self) -> TrustRootChain:
        """Every version of the trust root."""

    def heartbeat(self, message: Heartbeat) -> HeartbeatReply:
        """Say that this agent is alive."""

    def observe(self, message: Observation) -> ObservationAccepted:
        """Say everything that is attached."""

    def lease(self) -> LeaseReply:
        """Ask for one order to execute."""

    def ask_hold(self, lease: str, question: HoldQuestion) -> HoldAnswer:
        """Ask whether anything forbids the first write now."""

    def progress(self, lease: str, message: Progress) -> ProgressReply:
        """Say how far a run is."""

    def submit(self, message: RecordSubmission) -> RecordAccepted:
        """Hand over a signed record."""

    def lease_reading(self) -> ReadingLeaseReply:
        """Ask for one verify-only order."""

    def reading_progress(self, reading: str, message: ReadingProgress) -> ReadingProgressReply:
        """Say how far a reading is."""

    def submit_reading(self, reading: str, message: ReadingSubmission) -> ReadingReceived:
        """Hand over a signed reading."""

    def deposit(self, message: EscrowDeposit) -> EscrowHeld:
        """Hand over a password before a drive is given it."""

    def release(self, escrow: str, message: EscrowRelease) -> EscrowHeld:
        """Say that a drive has no password any more."""

    def rosters(self, after_version: int) -> RosterChain:
        """Every roster after a version."""

    def checkpoint(self) -> str:
        """The newest checkpoint, as signed."""

    def consistency(self, old: int, new: int) -> ConsistencyProof:
        """That the log of `new` entries extends the one of `old`."""


class Client:
    """`Service` over a link. Thread-safe, as the link is."""

    def __init__(self, server: str, signer: Signer, watch: ClockWatch, link: Link) -> None:
        """Prepare to speak to `server`; nothing is sent yet.

        Args:
            server: Base address (checked as the setting is: https, or http to this machine).
            signer: The agent's key.
            watch: Told the service's time at each answer.
            link: The way there.
        """
        self._base = _as_requested(check_server(server))
        self._signer = signer
        self._watch = watch
        self._link = link

    def close(self) -> None:
        """Close the connections."""
        self._link.close()

    def enrol(self, request: EnrolmentRequest) -> EnrolmentReply:
        """POST /enrolments."""
        return self._exchange("POST", endpoints.ENROLMENTS, EnrolmentReply, body=request)

    def enrolment(self) -> EnrolmentReply:
        """GET /agent/enrolment."""
        return self._exchange("GET", endpoints.AGENT_ENROLMENT, EnrolmentReply)

    def trust_roots(self) -> TrustRootChain:
        """GET /log/trust-roots."""
        return self._exchange("GET", endpoints.LOG_TRUST_ROOTS, TrustRootChain)

    def heartbeat(self, message: Heartbeat) -> HeartbeatReply:
        """POST /agent/heartbeat."""
        reply = self._exchange("POST", endpoints.AGENT_HEARTBEAT, HeartbeatReply, body=message)
        self._watch.heard(reply.time)
        return reply

    def observe(self, message: Observation) -> ObservationAccepted:
        """PUT /agent/observation."""
        return self._exchange("PUT", endpoints.AGENT_OBSERVATION, ObservationAccepted, body=message)

    def lease(self) -> LeaseReply:
        """POST /agent/leases."""
        return self._exchange("POST", endpoints.AGENT_LEASES, LeaseReply, content=b"{}")

    def ask_hold(self, lease: str, question: HoldQuestion) -> HoldAnswer:
        """POST /agent/leases/{id}/holds."""
        return self._exchange("POST", endpoints.AGENT_HOLDS.format(lease=lease), HoldAnswer, body=question)

    def progress(self, lease: str, message: Progress) -> ProgressReply:
        """POST /agent/leases/{id}/progress."""
        return self._exchange("POST", endpoints.AGENT_PROGRESS.format(lease=lease), ProgressReply, body=message)

    def submit(self, message: RecordSubmission) -> RecordAccepted:
        """POST /agent/records."""
        return self._exchange("POST", endpoints.AGENT_RECORDS, RecordAccepted, body=message)

    def lease_reading(self) -> ReadingLeaseReply:
        """POST /agent/readings/leases."""
        return self._exchange("POST", endpoints.AGENT_READING_LEASES, ReadingLeaseReply, content=b"{}")

    def reading_progress(self, reading: str, message: ReadingProgress) -> ReadingProgressReply:
        """POST /agent/readings/{id}/progress."""
        target = endpoints.AGENT_READING_PROGRESS.format(reading=reading)
        return self._exchange("POST", target, ReadingProgressReply, body=message)

    def submit_reading(self, reading: str, message: ReadingSubmission) -> ReadingReceived:
        """POST /agent/readings/{id}/result."""
        target = endpoints.AGENT_READING_RESULT.format(reading=reading)
        return self._exchange("POST", target, ReadingReceived, body=message)

    def deposit(self, message: EscrowDeposit) -> EscrowHeld:
        """POST /agent/escrows."""
        return self._exchange("POST", endpoints.AGENT_ESCROWS, EscrowHeld, body=message)

    def release(self, escrow: str, message: EscrowRelease) -> EscrowHeld:
        """POST /agent/escrows/{id}/release."""
        return self._exchange("POST", endpoints.AGENT_ESCROW_RELEASE.format(escrow=escrow), EscrowHeld, body=message)

    def rosters(self, after_version: int) -> RosterChain:
        """GET /agent/roster?version=N."""
        return self._exchange("GET", f"{endpoints.AGENT_ROSTER}?version={after_version}", RosterChain)

    def checkpoint(self) -> str:
        """GET /log/checkpoint: text, as C2SP has it."""
        data = self._request("GET", endpoints.LOG_CHECKPOINT, None)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ReplyUnreadable("It is no text.") from error

    def consistency(self, old: int, new: int) -> ConsistencyProof:
        """GET /log/consistency?old=&new=."""
        proof = self._exchange("GET", f"{endpoints.LOG_CONSISTENCY}?old={old}&new={new}", ConsistencyProof)
        if (proof.old, proof.new) != (old, new):
            raise ReplyUnreadable("The proof is for other sizes than asked.")
        return proof

    def _exchange(
        self,
        method: str,
        target: str,
        reply: type[_Message],
        *,
        body: Message | None = None,
        content: bytes | None = None,
    ) -> _Message:
        if body is not None:
            content = body.model_dump_json(by_alias=True).encode()
        return _read(reply, self._request(method, target, content))

    def _request(self, method: str, target: str, content: bytes | None) -> bytes:
        headers = dict(_HEADERS) if content is None else {**_HEADERS, "content-type": "application/json"}
        request = Request(method, f"{self._base}{target}", headers, content)
        sign_request(request, content, self._signer, self._watch.clock.now())
        request.headers = {name.lower(): text for name, text in request.headers.items()}
        reply = self._send(request)
        if 200 <= reply.status < 300:
            return reply.body
        raise failure(reply.status, reply.headers, reply.body, self._watch)

    def _send(self, request: Request) -> Reply:
        try:
            reply = self._link.exchange(request)
        except NotReached as error:
            if error.kind == "too-large":
                raise ReplyUnreadable(str(error)) from error
            raise Unreachable(str(error)) from error
        if reply.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise ReplyUnreadable("It is encoded in a way nobody asked for.")
        self._note_time(reply)
        return reply

    def _note_time(self, reply: Reply) -> None:
        if reply.status < 500:  # beyond, it is often a proxy's clock
            moment = _http_date(reply.headers.get("date"))
            if moment is not None:
                self._watch.heard(moment)


def failure(status: int, headers: Mapping[str, str], data: bytes, watch: ClockWatch) -> AgentError:
    """What an answer that is no success means: exactly one of `Retry` and `Rejected`."""
    problem = _problem(data)
    detail = "" if problem is None else problem.detail[:300]
    code = "" if problem is None else problem.code[:60]
    if status in _BUSY or status >= 500:
        return ServerBusy(status, detail, after=_retry_after(headers.get("retry-after"), watch.clock.now()))
    if status < 400:
        return ReplyUnreadable(f"It is HTTP status {status}: redirects are not followed.")
    if problem is None and status != 413:  # that one a proxy gives for the service
        return ReplyUnreadable(f"It is HTTP status {status} without a problem document (RFC 9457).")
    if code in _NOT_ENROLLED:
        return NotEnrolled(status, code, detail)
    kind = _BY_STATUS.get(status, RequestRefused)
    if kind is SignatureRefused and (clocks := watch.reading().problem) is not None:
        detail = f"{detail} {clocks}".strip()
    return kind(status, code, detail)


def _read(model: type[_Message], data: bytes) -> _Message:
    try:
        parse_strict(data, "reply", max_bytes=MAX_REPLY)  # duplicate keys and the like, which pydantic lets pass
        return model.model_validate_json(data)
    except MalformedDocument as error:
        raise ReplyUnreadable(error.problem) from error
    except ValidationError as error:
        first: Any = error.errors(include_url=False, include_input=False)[0]
        raise ReplyUnreadable(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _problem(data: bytes) -> Problem | None:
    try:
        return Problem.model_validate_json(data)
    except ValidationError:
        return None


def _retry_after(value: str | None, now: dt.datetime) -> float | None:
    """RFC 9110, 10.2.3: seconds or a date; None where it is neither."""
    if value is None:
        return None
    if value.strip().isdigit():
        return min(float(value), _MAX_WAIT)
    moment = _http_date(value)
    return None if moment is None else min(max(0.0, (moment - now).total_seconds()), _MAX_WAIT)


def _http_date(value: str | None) -> dt.datetime | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _as_requested(base: str) -> str:
    """The address as HTTP has it: names in their ASCII form, no port that the scheme implies. What is signed is what is sent."""
    parts = urlsplit(base)
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name.encode("idna").decode("ascii") if not name.isascii() else name
    port = "" if parts.port in {None, _PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
