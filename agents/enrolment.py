"""How a host becomes known, and what it believes from then on.

    1. `propose`   presents the one-time token, signed by the key it registers; fetches the trust root; checks that what came
                   back holds together. Nothing is stored but the key.
    2. a person    compares two digests, trust root and roster, with what the organisation publishes and the approvers agreed on
    3. `accept`    stores the pins. From here on nothing the service says can change them but by their own rules.
    4. an administrator confirms the host's fingerprint in the console; until then the service gives it nothing to do.

The comparison in step 2 is the whole security of what follows: a host that pins what an attacker offers obeys that attacker.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from inventory.contract.v1.agents import EnrolmentReply, EnrolmentRequest
from reports.canonical import is_sha256, to_base64

from . import pins as pinning
from . import rosters
from .client import Service
from .errors import AgentError, Conflict, EnrolmentRefused, NotEnrolled, StateDamaged
from .keys import AgentKeys
from .pins import Pins, PinStore
from .recording import Host
from .rosters import PinnedRoster
from .sequence import Sequence
from .state import StateDirectory

FILE = "enrolment.json"
SCHEMA = "sanitrail-agent/enrolment/1"
Status = Literal["pending", "confirmed", "rejected"]


@dataclass(frozen=True)
class Enrolment:
    """With which service this host is enrolled, and how that stands."""

    server: str
    host: str
    status: Status
    key_id: str


@dataclass(frozen=True)
class Proposal:
    """What the service offers, checked as far as a machine can."""

    server: str
    reply: EnrolmentReply
    pins: Pins
    """Without a roster: that is pinned only when its digest was compared."""
    roster: PinnedRoster | None
    keys: AgentKeys


def propose(service: Service, server: str, token: str, keys: AgentKeys, host: Host) -> Proposal:
    """Step 1.

    Raises:
        Retry, Rejected: The service did not take it.
        EnrolmentRefused: What came back does not hold together.
        EvidenceRefused: Trust root or checkpoint do not hold.
        RosterRefused: The roster does not.
    """
    reply = _introduce(service, token, keys, host)
    if reply.fingerprint.replace(" ", "").lower() != keys.signer.key_id:
        raise EnrolmentRefused(f"The service registered another key: {reply.fingerprint}.")
    trust_roots = [envelope.model_dump() for envelope in service.trust_roots().trust_roots]
    pins = pinning.make(trust_roots, reply.trust_root_sha256, None, reply.checkpoint)
    if pins.trust.body.log.origin != reply.log_origin or set(pins.trust.body.log.vkeys) != set(reply.log_keys):
        raise EnrolmentRefused("The log in its reply is not the log of its trust root.")
    roster = None if reply.roster is None else rosters.read(reply.roster.model_dump())
    if roster is not None and roster.roster.version == 1:
        rosters.first(roster.envelope)
    return Proposal(server, reply, pins, roster, keys)


def _introduce(service: Service, token: str, keys: AgentKeys, host: Host) -> EnrolmentReply:
    request = EnrolmentRequest(
        token=token,
        public_key=to_base64(keys.signer.public_key_der),
        host_name=host.name,
        machine_id_sha256=host.machine_id_sha256,
        agent_version=host.agent_version,
        kernel=host.kernel,
    )
    try:
        return service.enrol(request)
    except (NotEnrolled, Conflict):  # the token may have been used by this very key, and the answer lost
        try:
            return service.enrolment()
        except AgentError:
            pass
        raise


def compare(proposal: Proposal, trust_root: str, roster: str | None) -> Pins:
    """Step 2, for digests given beforehand: the pins, if they are what was expected.

    Args:
        proposal: From `propose`.
        trust_root: The expected pin, of any version of the trust root.
        roster: The expected roster's digest; None pins no roster, and the host obeys nobody until `pin-roster`.

    Raises:
        EnrolmentRefused: A digest is another.
    """
    for name, text in (("trust root", trust_root), ("roster", roster)):
        if text is not None and not is_sha256(text):
            raise EnrolmentRefused(f"The expected digest of the {name} is not 64 lower-case hexadecimal digits.")
    versions = [root.pin for root in proposal.pins.roots]
    if trust_root not in versions:
        raise EnrolmentRefused(f"Expected trust root {trust_root}, the service's is {' or '.join(versions)}.")
    if roster is None:
        return proposal.pins
    if proposal.roster is None or proposal.roster.sha256 != roster:
        found = "none" if proposal.roster is None else proposal.roster.sha256
        raise EnrolmentRefused(f"Expected roster {roster}, the service's is {found}.")
    return dataclasses.replace(proposal.pins, roster=proposal.roster)


def accept(state: StateDirectory, pin_store: PinStore, proposal: Proposal, pins: Pins) -> Enrolment:
    """Step 3: store what is believed from now on. Raises `OSError` for a full disk; enrolling again is harmless."""
    Sequence(state).begin()
    pin_store.replace(pins)
    found = Enrolment(proposal.server, proposal.reply.host, proposal.reply.status, proposal.keys.signer.key_id)
    save(state, found)
    return found


def save(state: StateDirectory, enrolment: Enrolment) -> None:
    """Store how the enrolment stands."""
    state.write(FILE, SCHEMA, vars(enrolment))


def load(state: StateDirectory) -> Enrolment | None:
    """How the enrolment stands, None before the first. Raises `StateDamaged`."""
    document = state.read(FILE, SCHEMA)
    if document is None:
        return None
    try:
        found = {name: document[name] for name in ("server", "host", "status", "key_id")}
    except KeyError as error:
        raise StateDamaged(str(state.path(FILE)), f"missing {error}") from error
    if found["status"] not in {"pending", "confirmed", "rejected"}:
        raise StateDamaged(str(state.path(FILE)), "unknown status")
    return Enrolment(**found)
