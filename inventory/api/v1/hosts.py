"""Hosts and their agents' keys, as administrators decide about them."""

from __future__ import annotations

from datetime import timedelta

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Noun, people
from inventory.api.paging import Paging
from inventory.contract.v1.common import Message
from inventory.contract.v1.people import EnrolmentTokenCreate, HostConfirmation, HostRevocation, Reason
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import HostState
from inventory.errors import Conflict, EvidenceRefused, Invalid
from inventory.services import halts, hosts, queries
from inventory.services.views import EnrolmentTokenView, HostDetail, HostPlaceView, HostRow, Page

noun = Noun("hosts", "Hosts where agents run: enrolment, confirmation by fingerprint, revocation.")

_MANAGE = people(Permission.HOST_MANAGE)
_STOP = people(Permission.ORDER_STOP)


class HostQuery(Paging):
    """Which hosts."""

    state: HostState | None = None


@noun.get("/hosts", "Hosts", READERS)
def list_hosts(call: Call, query: HostQuery) -> Page[HostRow]:
    """By number."""
    return queries.list_hosts(call.context, call.actor, state=query.state, after=query.after, limit=query.limit)


@noun.get("/hosts/{host}", "One host", READERS)
def get_host(call: Call, host: Key) -> HostDetail:
    """With its agent's key and last contact."""
    return queries.host(call.context, call.actor, host)


class PlaceQuery(Message):
    """Which places."""

    gone: bool = False
    """Whether places that are no longer there are told, too."""


@noun.get("/hosts/{host}/places", "Where data lies on a host", READERS)
def list_host_places(call: Call, host: Key, query: PlaceQuery) -> tuple[HostPlaceView, ...]:
    """Declared paths, running databases, swap areas and memory dumps, each with the way down and how each step is known."""
    return queries.host_places(call.context, call.actor, host, gone=query.gone)


@noun.post("/enrolment-tokens", "Make an enrolment token", _MANAGE, creates=True, secret_reply=True)
def create_enrolment_token(call: Call, body: EnrolmentTokenCreate) -> EnrolmentTokenView:
    """Leave for one new agent to introduce itself; the secret is shown once."""
    command = hosts.CreateEnrolmentToken(note=body.note, lifetime=timedelta(seconds=body.lifetime_seconds))
    return hosts.create_enrolment_token(call.context, call.actor, command)


@noun.post("/hosts/{host}/confirmation", "Confirm a host", _MANAGE, raises=(Conflict, EvidenceRefused))
def confirm_host(call: Call, host: Key, body: HostConfirmation) -> HostDetail:
    """The fingerprint is compared with the key's; a signed key event enters the log."""
    return hosts.confirm(call.context, call.actor, host, body.fingerprint)


@noun.post("/hosts/{host}/rejection", "Turn a host away", _MANAGE, raises=(Conflict,))
def reject_host(call: Call, host: Key, body: Reason) -> HostDetail:
    """It may not do anything."""
    return hosts.reject(call.context, call.actor, host, body.reason)


@noun.post("/hosts/{host}/revocation", "Revoke a host's key", _MANAGE, raises=(Conflict, Invalid))
def revoke_host(call: Call, host: Key, body: HostRevocation) -> HostDetail:
    """Its leases end and its open orders are cancelled; a signed key event enters the log."""
    command = hosts.RevokeHost(host=host, reason=body.reason, valid_below=body.valid_below)
    return hosts.revoke(call.context, call.actor, command)


class HaltedHosts(Message):
    """What was halted."""

    hosts: tuple[Key, ...]
    """Those that were not halted before."""


@noun.post("/hosts/{host}/halt", "Halt all work on a host", _STOP, raises=(Conflict,))
def halt_host(call: Call, host: Key, body: Reason) -> HostDetail:
    """Nothing is begun there; runs end at their next block and can be resumed. A drive's own command goes on, and is named."""
    return halts.halt(call.context, call.actor, host, body.reason)


@noun.post("/hosts/{host}/halt/lifting", "Lift a host's halt", _STOP, raises=(Conflict,))
def lift_host_halt(call: Call, host: Key, body: Reason) -> HostDetail:
    """Work goes on where it stood. A halt made at the host itself is lifted there."""
    return halts.lift(call.context, call.actor, host, body.reason)


@noun.post("/halts", "Halt all work everywhere", _STOP)
def halt_everything(call: Call, body: Reason) -> HaltedHosts:
    """The big red stop: every host you see."""
    return HaltedHosts(hosts=halts.halt_all(call.context, call.actor, body.reason))
