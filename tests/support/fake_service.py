"""The service as an agent sees it: the contract implemented for real, in memory, with every way of failing.

Signatures, nonces, leases, tokens, records and the log are real (the product's own code in `reports`, the service's own request
verification). What is fake is only that nothing is stored. Each exchange can fail before or after its effect, which is
what an agent must survive: a lost request and a lost answer look the same from its side.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx2
from pydantic import ValidationError

from inventory.auth.signatures import SignatureRefused, SignedMessage, verify
from inventory.contract.v1.agents import EnrolmentRequest, Heartbeat, RecordSubmission
from inventory.contract.v1.common import Message
from inventory.contract.v1.devices import Observation
from inventory.contract.v1.escrows import EscrowDeposit, EscrowRelease
from inventory.contract.v1.orders import HoldQuestion, Progress
from reports.canonical import from_base64, to_base64
from reports.envelope import Envelope, envelope_digest, open_envelope, payload_digest, sign, unverified_body
from reports.errors import ReportError
from reports.keys import FileSigner, VerifyingKey, fingerprint_words, load_public_key
from reports.statements import Acceptance, AcceptedDevice, AcceptedHost
from tests.support.evidence import ALL_YES, APPROVERS, REQUESTER, World

Fault = Literal["before", "after"]
POLICY = ("default-1", "ab" * 32)


class Refuse(Exception):
    """The service says no."""

    def __init__(self, status: int, code: str, detail: str = "No.", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.headers = status, code, detail, dict(headers or {})


@dataclass
class Order:
    """An order and where it stands."""

    envelope: Envelope
    approvals: list[Envelope]
    agent_key: str
    device: str
    state: str = "approved"
    token: int = 0
    lease: str = ""
    lease_expires: dt.datetime = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    reasons: list[tuple[str, str]] = field(default_factory=list)
    records: list[Envelope] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(unverified_body(self.envelope, "order")["id"])


@dataclass
class Host:
    """An agent's key and how its enrolment stands."""

    key: VerifyingKey
    ref: str
    status: Literal["pending", "confirmed", "rejected", "revoked"] = "confirmed"


class FakeService:
    """One service. Its public attributes are the test's to change."""

    def __init__(self, world: World | None = None, now: Callable[[], dt.datetime] | None = None) -> None:
        self.world = world or World()
        self.clock = now or (lambda: dt.datetime.now(dt.UTC))
        self.offset = dt.timedelta()
        """How far this service's clock is off."""
        self.base = "http://127.0.0.1:1"
        self.hosts: dict[str, Host] = {}
        self.tokens: dict[str, str | None] = {}
        """One-time tokens, and the key id that used each."""
        self.orders: list[Order] = []
        self.holds: list[str] = []
        self.stop_requested = False
        self.paths: list[dict[str, str]] = []
        self.lease_seconds = 3600.0
        self.heartbeats: list[Heartbeat] = []
        self.observations: list[Observation] = []
        self.progress: list[Progress] = []
        self.accepted: dict[str, dict[str, Any]] = {}
        """Acceptance by record digest."""
        self.custodies: list[dict[str, str]] = []
        """Passwords kept: id, secret (base64), state, run."""
        self.custody_taken = True
        self.requests: list[str] = []
        self.away = False
        self.fault: Callable[[str], Fault | None] = lambda _name: None
        """Asked at each exchange by name."""
        self.alter: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda _name, reply: reply
        """A dishonest service changes its replies here."""
        self.around: Callable[[str, Callable[[], Any]], Any] = lambda _name, effect: effect()
        """A test counts exchanges as steps here."""
        self._nonces: set[tuple[str, str]] = set()
        self._lock = threading.RLock()

    # --- what tests set up ------------------------------------------------------------------------------------------

    def now(self) -> dt.datetime:
        """This service's clock."""
        return self.clock() + self.offset

    def new_token(self) -> str:
        """Leave for one agent."""
        token = secrets.token_urlsafe(24)
        self.tokens[token] = None
        return token

    def know(self, signer: FileSigner, ref: str = "H-0001") -> Host:
        """An agent whose fingerprint was confirmed before."""
        host = Host(signer.verifying_key, ref)
        self.hosts[signer.key_id] = host
        return host

    def order(
        self,
        agent_key: str,
        device: str,
        *,
        plan: Mapping[str, Any] | None = None,
        sealed: Mapping[str, Any] | None = None,
        approvals: list[Envelope] | None = None,
    ) -> Order:
        """An order that both approvers have signed; `plan` and `sealed` change what is sealed."""
        envelope = sign("order", self.order_body(agent_key, device, plan=plan, sealed=sealed), self.world.acceptance)
        signed = self.approvals(envelope) if approvals is None else approvals
        order = Order(envelope, signed, agent_key, device)
        self.orders.append(order)
        return order

    def order_body(
        self,
        agent_key: str,
        device: str,
        *,
        plan: Mapping[str, Any] | None = None,
        sealed: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The payload of an honest order."""
        from reports.canonical import digest_of  # noqa: PLC0415 - used here only

        planned: dict[str, Any] = {
            "method": "clear",
            "technique": "overwrite",
            "pattern_set": "zeros",
            "verification": "full",
            "acknowledged_signatures": [],
            **(plan or {}),
        }
        after = self.world.log.checkpoint
        return {
            "schema": "sanitrail/order/1",
            "id": f"O-{len(self.orders) + 1:04d}",
            "kind": "sanitize",
            "agent_key": agent_key,
            "device": device,
            "device_label": "Example medium",
            "plan": planned,
            "plan_sha256": digest_of(planned),
            "policy_id": POLICY[0],
            "policy_sha256": POLICY[1],
            "required_method": "clear",
            "required_verification": "full",
            "approvals_required": 2,
            "requested_by": REQUESTER.ref,
            "reason": "Retired",
            "created": _text(self.now()),
            "expires": _text(self.now() + dt.timedelta(hours=8)),
            "nonce": secrets.token_hex(16),
            "after": {"origin": after.origin, "size": after.size, "root": to_base64(after.root)},
            **(sealed or {}),
        }

    def approvals(self, order: Envelope, *, changes: Mapping[str, Any] | None = None) -> list[Envelope]:
        """Both approvers' signatures over an order."""
        return [
            self.approval(order, who.ref, signer, changes=changes)
            for who, signer in zip(APPROVERS, self.world.approvers, strict=True)
        ]

    def approval(
        self, order: Envelope, ref: str, signer: FileSigner, *, changes: Mapping[str, Any] | None = None
    ) -> Envelope:
        """One person's approval."""
        body = {
            "schema": "sanitrail/approval/1",
            "decision": "approve",
            "order_id": unverified_body(order, "order")["id"],
            "order_sha256": payload_digest(order),
            "approver": ref,
            "shown": "Clear Example medium",
            "time": _text(self.now()),
            **(changes or {}),
        }
        return sign("approval", body, signer)

    # --- ways in ----------------------------------------------------------------------------------------------------

    def transport(self) -> httpx2.MockTransport:
        """For a client in the same process."""

        def answer(request: httpx2.Request) -> httpx2.Response:
            headers = {name.lower(): value for name, value in request.headers.items()}
            try:
                status, extra, body = self.handle(request.method, str(request.url), headers, request.content)
            except ConnectionError as error:
                raise httpx2.ReadError(str(error), request=request) from error
            return httpx2.Response(status, headers=extra, stream=httpx2.ByteStream(body))

        return httpx2.MockTransport(answer)

    def serve(self) -> ThreadingHTTPServer:
        """On a loopback port, for an agent in another process; `shutdown()` and `server_close()` end it."""
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    status, extra, data = service.handle(self.command, f"{service.base}{self.path}", headers, body)
                except ConnectionError:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = _do  # noqa: N815 - the base class's names

            def log_message(self, *_args: object) -> None:
                """Quiet."""

            def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the base class's signature
                return dt.datetime.strftime(service.now(), "%a, %d %b %Y %H:%M:%S GMT")

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.base = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    def handle(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """One exchange. Raises `ConnectionError` where the connection breaks."""
        parts = urlsplit(url)
        name = f"{method} {parts.path.removeprefix('/api/v1')}"
        fault = self.fault(name)
        if self.away or fault == "before":
            raise ConnectionError(f"{name}: lost on the way")
        answer: tuple[int, dict[str, str], bytes] = self.around(
            name, lambda: self._answer(name, method, url, headers, body)
        )
        if fault == "after":
            raise ConnectionError(f"{name}: the answer is lost")
        return answer

    def _answer(
        self, name: str, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        date = {"date": self.now().strftime("%a, %d %b %Y %H:%M:%S GMT")}
        try:
            with self._lock:
                self.requests.append(name)
                found = self._route(name, method, url, headers, body)
        except (ValidationError, ReportError) as error:
            found = Refuse(422, "invalid-body", str(error)[:200])
        except Refuse as error:
            found = error
        if isinstance(found, Refuse):
            problem = {
                "type": f"urn:sanitrail:problem:{found.code}",
                "title": "Refused",
                "status": found.status,
                "detail": found.detail,
                "code": found.code,
            }
            kind = {"content-type": "application/problem+json"}
            return found.status, {**date, **kind, **found.headers}, json.dumps(problem).encode()
        if isinstance(found, str):
            return 200, {**date, "content-type": "text/plain"}, found.encode()
        return 200, {**date, "content-type": "application/json"}, json.dumps(self.alter(name, found)).encode()

    # --- the contract -----------------------------------------------------------------------------------------------

    def _route(
        self, name: str, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, Any] | str | Refuse:
        parts = urlsplit(url)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/api/v1")
        public: dict[str, Callable[[], dict[str, Any] | str]] = {
            "GET /log/trust-roots": lambda: {"trust_roots": self.world.trust_roots},
            "GET /log/checkpoint": self.world.log.note,
            "GET /log/consistency": lambda: self._consistency(int(query["old"]), int(query["new"])),
        }
        if name in public:
            return public[name]()
        if name == "POST /enrolments":
            return self._enrol(method, url, headers, body)
        host = self._who(method, url, headers, body, pending=name == "GET /agent/enrolment")
        plain: dict[str, Callable[[], dict[str, Any]]] = {
            "GET /agent/enrolment": lambda: self._enrolment(host),
            "POST /agent/heartbeat": lambda: self._heartbeat(host, Heartbeat.model_validate_json(body)),
            "PUT /agent/observation": lambda: self._observe(Observation.model_validate_json(body)),
            "POST /agent/leases": lambda: self._lease(host),
            "POST /agent/readings/leases": lambda: {"lease": None},
            "POST /agent/escrows": lambda: self._deposit(EscrowDeposit.model_validate_json(body)),
            "POST /agent/records": lambda: self._record(host, RecordSubmission.model_validate_json(body)),
            "GET /agent/roster": lambda: {"rosters": [e for e, _ in self.world.rosters[int(query["version"]) :]]},
        }
        if name in plain:
            return plain[name]()
        _, _, kind, lease, what = (*path.split("/"), "", "")[:5]
        if kind == "escrows":
            return self._release(lease, EscrowRelease.model_validate_json(body))
        return self._about_lease(host, lease, what, body)

    def _about_lease(self, host: Host, lease: str, what: str, body: bytes) -> dict[str, Any] | Refuse:
        order = next((o for o in self.orders if o.lease == lease and o.agent_key == host.key.key_id), None)
        if order is None or what not in {"holds", "progress"}:
            return Refuse(404, "not-found", "No such lease of this agent.")
        if what == "holds":
            return self._hold(order, HoldQuestion.model_validate_json(body))
        return self._progress(order, Progress.model_validate_json(body))

    def _who(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, pending: bool) -> Host:
        def lookup(key_id: str, /) -> Any:  # noqa: ANN401 - an Ed25519 key or None
            host = self.hosts.get(key_id)
            return None if host is None or host.status == "revoked" else host.key.key

        key_id, nonce = self._verified(method, url, headers, body, lookup)
        if (key_id, nonce) in self._nonces:
            raise Refuse(409, "replayed", "This request was received before.")
        self._nonces.add((key_id, nonce))
        host = self.hosts[key_id]
        if host.status != "confirmed" and not pending:
            raise Refuse(403, "agent-not-trusted", f"The key is {host.status}.")
        return host

    def _verified(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        lookup: Any,  # noqa: ANN401
    ) -> tuple[str, str]:
        message = SignedMessage(method=method, url=url, headers=dict(headers), body=body)
        try:
            found = verify(message, lookup, self.now)
        except SignatureRefused as error:
            claimed = headers.get("signature-input", "")
            known = any(key in claimed for key, host in self.hosts.items() if host.status != "revoked")
            if not known and lookup.__name__ == "lookup":
                raise Refuse(401, "not-signed-in", "The key is unknown or revoked.") from error
            raise Refuse(401, "signature-refused", error.reason) from error
        return found.key_id, found.nonce

    def _enrol(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        request = EnrolmentRequest.model_validate_json(body)
        key = load_public_key(from_base64(request.public_key))

        def own(key_id: str, /) -> Any:  # noqa: ANN401
            return key.key if key_id == key.key_id else None

        self._verified(method, url, headers, body, own)
        used_by = self.tokens.get(request.token, "")
        if used_by not in {None, key.key_id}:
            raise Refuse(401, "not-signed-in", "The token is unknown or was used.")
        self.tokens[request.token] = key.key_id
        host = self.hosts.setdefault(key.key_id, Host(key, f"H-{len(self.hosts) + 1:04d}", "pending"))
        return self._enrolment(host)

    def _enrolment(self, host: Host) -> dict[str, Any]:
        log = self.world.log
        return {
            "status": "rejected" if host.status == "revoked" else host.status,
            "host": host.ref,
            "fingerprint": fingerprint_words(host.key.key_id),
            "log_origin": log.checkpoint.origin,
            "log_keys": [signer.vkey for signer in log.signers],
            "trust_root_sha256": self.world.pin,
            "roster": self.world.rosters[-1][0] if self.world.rosters else None,
            "checkpoint": log.note(),
        }

    def _consistency(self, old: int, new: int) -> dict[str, Any]:
        from reports.tlog import TileHashes, consistency_proof  # noqa: PLC0415 - used here only

        log = self.world.log
        if not 0 <= old <= new <= log.frontier.size:
            raise Refuse(422, "invalid", "No such sizes.")
        hashes = consistency_proof(TileHashes(log), old, new)
        return {"old": old, "new": new, "hashes": [to_base64(item) for item in hashes]}

    def _heartbeat(self, host: Host, message: Heartbeat) -> dict[str, Any]:
        self.heartbeats.append(message)
        size = message.checkpoint.size if message.checkpoint else 0
        log = self.world.log
        return {
            "interval_seconds": 1,
            "time": self.now().isoformat(),
            "roster_version": len(self.world.rosters),
            "paths": self.paths,
            "work_waiting": self._next(host) is not None,
            "checkpoint": log.note(),
            "trust_root_sha256": envelope_digest(self.world.trust_roots[-1]),
            "consistency": self._consistency(min(size, log.frontier.size), log.frontier.size)["hashes"],
        }

    def _observe(self, message: Observation) -> dict[str, Any]:
        self.observations.append(message)
        known = [device.identity.fingerprint for device in message.devices if device.identity]
        return {"devices": {fingerprint: f"D-{n:04d}" for n, fingerprint in enumerate(known, 1)}}

    def _deposit(self, message: EscrowDeposit) -> dict[str, Any]:
        if not self.custody_taken:
            raise Refuse(409, "conflict", "The order is not under way.")
        known = next((one for one in self.custodies if one["secret"] == message.secret), None)
        new = known is None
        if known is None:
            secret = hashlib.sha256(from_base64(message.secret)).hexdigest()
            known = {"id": f"E-{len(self.custodies) + 1:04d}", "secret": message.secret, "sha256": secret}
            self.custodies.append({**known, "state": "held", "run": message.run})
        return {"id": known["id"], "sha256": known["sha256"], "state": "held", "new": new}

    def _release(self, custody: str, message: EscrowRelease) -> dict[str, Any]:
        found = next(one for one in self.custodies if one["id"] == custody)
        assert found["run"] == message.run
        found["state"] = "released"
        return {"id": custody, "sha256": found["sha256"], "state": "released", "new": False}

    def _next(self, host: Host) -> Order | None:
        for order in self.orders:
            mine = order.agent_key == host.key.key_id
            free = order.state == "approved" or (order.state == "leased" and order.lease_expires <= self.now())
            if mine and free:
                return order
        return None

    def _lease(self, host: Host) -> dict[str, Any]:
        order = self._next(host)
        return {"lease": None if order is None else self.lease_of(order)}

    def lease_of(self, order: Order) -> dict[str, Any]:
        """Lease an order (again): a new token."""
        order.token += 1
        order.lease = f"L-{self.orders.index(order) + 1:04d}-{order.token}"
        order.state = "leased"
        order.lease_expires = self.now() + dt.timedelta(seconds=self.lease_seconds)
        return {
            "id": order.lease,
            "token": order.token,
            "expires": order.lease_expires.isoformat(),
            "order": order.envelope,
            "approvals": order.approvals,
            "path_hint": "/dev/sim",
        }

    def _hold(self, order: Order, question: HoldQuestion) -> dict[str, Any]:
        reasons = list(self.holds)
        if question.token != order.token:
            reasons.append("The lease was lost.")
        told = {"nonce": question.nonce, "clear": not reasons, "reasons": reasons}
        bound = {
            "schema": "sanitrail/hold-answer/1",
            "order_sha256": payload_digest(order.envelope),
            "lease": order.lease,
            "token": question.token,
            "time": _text(self.now()),
        }
        return {**told, "statement": sign("hold-answer", {**told, **bound}, self.world.acceptance)}

    def _progress(self, order: Order, message: Progress) -> dict[str, Any]:
        self.progress.append(message)
        current = message.token == order.token and order.state == "leased"
        if current and message.reason_code is not None:
            order.reasons.append((message.reason_code, message.reason or ""))
        if current and message.state == "refused":
            order.state = "refused"
        if current:
            order.lease_expires = self.now() + dt.timedelta(seconds=self.lease_seconds)
        return {"current": current, "stop_requested": self.stop_requested}

    def _record(self, host: Host, message: RecordSubmission) -> dict[str, Any]:
        envelope = message.record.model_dump()
        digest = envelope_digest(envelope)
        known = self.accepted.get(digest)
        if known is None:
            body, _ = open_envelope(envelope, {host.key.key_id: host.key}, "sanitization-record", exact=True)
            order = next(o for o in self.orders if payload_digest(o.envelope) == body["order"]["sha256"])
            known = self._accept(host, order, envelope, body)
            self.accepted[digest] = known
            order.records.append(envelope)
            if message.token == order.token:
                order.state = "recorded"
            new = True
        else:
            new = False
        log = self.world.log
        return {
            "record_sha256": digest,
            "acceptance": known["acceptance"],
            "index": known["index"],
            "proof": [to_base64(item) for item in log.inclusion(known["index"])],
            "checkpoint": log.note(),
            "new": new,
        }

    def _accept(self, host: Host, order: Order, envelope: Envelope, body: Mapping[str, Any]) -> dict[str, Any]:
        statement = Acceptance(
            order_sha256=envelope_digest(order.envelope),
            record_sha256=envelope_digest(envelope),
            approvals=tuple(envelope_digest(one) for one in order.approvals),
            checks=ALL_YES,
            device=AcceptedDevice(id="D-0001", asset_tag="", fingerprint=body["device"]["fingerprint"]),
            host=AcceptedHost(id=host.ref, name=body["host"]["name"], agent_key=host.key.key_id),
            received=_text(self.now()),
        )
        acceptance = sign("acceptance", statement.to_dict(), self.world.acceptance)
        return {"acceptance": acceptance, "index": self.world.log.append("acceptance", acceptance)}


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def body_of(message: Message) -> bytes:
    """A message as it goes out."""
    return message.model_dump_json(by_alias=True).encode()
