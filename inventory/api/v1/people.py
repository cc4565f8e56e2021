"""People, approvers' keys and the roster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Answer, Noun, people
from inventory.api.paging import Text
from inventory.contract.v1.common import Message, Sha256
from inventory.contract.v1.endpoints import PREFIX
from inventory.contract.v1.people import (
    ApproverKeyRegister,
    ApproverPasskeyMade,
    DirectoryUpdate,
    PersonCreate,
    Reason,
    RolesSet,
    RosterProposal,
    ScopeSet,
    SignedEnvelope,
)
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission, Role
from inventory.errors import (
    ConfirmationNeeded,
    Conflict,
    Duplicate,
    EvidenceRefused,
    Forbidden,
    Invalid,
    NotFound,
    NotSignedIn,
    SeparationOfDuty,
)
from inventory.services import approver_passkeys, approvers, organisation, roster
from inventory.services import people as service
from inventory.services.views import ApproverKeyView, OneTimeLinkView, PersonView, RosterView

from .signin import AskNewPasskey, attestation

noun = Noun(
    "people", "People by pseudonym, their roles, and the directory that can be erased without breaking a proof."
)
keys = Noun("approver-keys", "Approvers' public keys. The private ones never come here.")
rosters = Noun("roster", "Whose approvals agents believe; changed only by a quorum of the roster before.")

_MANAGE = people(Permission.PEOPLE_MANAGE)
RosterVersion = Annotated[int, Field(ge=1, le=1_000_000)]


@dataclass(frozen=True, kw_only=True)
class PersonCreated:
    """A new person and the way in."""

    person: PersonView
    link: OneTimeLinkView


class OfPerson(Message):
    """Narrows a list to one person."""

    person: Text | None = None


@noun.get("/people", "Everybody", READERS)
def list_people(call: Call) -> tuple[PersonView, ...]:
    """By login name. Names for roles that may read evidence, titles and contacts for those that may read the directory."""
    return service.list_people(call.context, call.actor)


@noun.post("/people", "Add a person", _MANAGE, creates=True, secret_reply=True, raises=(Invalid, Duplicate))
def create_person(call: Call, body: PersonCreate) -> Answer[PersonCreated]:
    """The answer holds the one-time link with which the person sets a password; it is shown once."""
    command = service.CreatePerson(
        login=body.login,
        name=body.name,
        title=body.title,
        contact=body.contact,
        roles=_roles(body.roles),
        everywhere=body.everywhere,
        sites=frozenset(body.sites),
        teams=frozenset(body.teams),
    )
    person, link = service.create_person(call.context, call.actor, command)
    return Answer(PersonCreated(person=person, link=link), location=f"{PREFIX}/people/{person.ref}")


@noun.get("/people/{ref}", "One person", READERS)
def get_person(call: Call, ref: Key) -> PersonView:
    """By pseudonym."""
    return service.person(call.context, call.actor, ref)


@noun.put("/people/{ref}/roles", "Set a person's roles", _MANAGE, updates=True, raises=(Conflict,))
def set_roles(call: Call, ref: Key, body: RolesSet) -> PersonView:
    """Roles that exclude each other are refused, and so is leaving no administrator."""
    command = service.SetRoles(person=ref, roles=_roles(body.roles), version=call.version)
    return service.set_roles(call.context, call.actor, command)


@noun.put("/people/{ref}/scope", "Set how far a person sees", _MANAGE, updates=True, raises=(Invalid,))
def set_scope(call: Call, ref: Key, body: ScopeSet) -> PersonView:
    """Everything by name, or what is at these sites and of these teams; counts from their next request on."""
    command = organisation.SetScope(
        person=ref,
        everywhere=body.everywhere,
        sites=frozenset(body.sites),
        teams=frozenset(body.teams),
        reason=body.reason,
        version=call.version,
    )
    return organisation.set_scope(call.context, call.actor, command)


@noun.put("/people/{ref}/directory", "Correct a directory entry", _MANAGE)
def update_directory(call: Call, ref: Key, body: DirectoryUpdate) -> PersonView:
    """Name, title and contact; proofs name the pseudonym only."""
    command = service.UpdateDirectory(person=ref, name=body.name, title=body.title, contact=body.contact)
    return service.update_directory(call.context, call.actor, command)


@noun.post("/people/{ref}/disabling", "Disable a person", _MANAGE, raises=(Conflict,))
def disable_person(call: Call, ref: Key) -> PersonView:
    """Every session and token of the person ends at once."""
    return service.set_enabled(call.context, call.actor, ref, enabled=False)


@noun.post("/people/{ref}/enabling", "Enable a person", _MANAGE)
def enable_person(call: Call, ref: Key) -> PersonView:
    """The person can sign in again."""
    return service.set_enabled(call.context, call.actor, ref, enabled=True)


@noun.post("/people/{ref}/links", "Make a new one-time link", _MANAGE, status=201, secret_reply=True)
def new_link(call: Call, ref: Key) -> OneTimeLinkView:
    """For somebody who lost their password; earlier unused links die."""
    return service.new_link(call.context, call.actor, ref)


@noun.post("/people/{ref}/erasure", "Erase a directory entry", _MANAGE, raises=(Conflict,))
def erase_directory(call: Call, ref: Key, body: Reason) -> PersonView:
    """Name, title and contact go; the pseudonym and every proof stay. The person must be disabled."""
    return service.erase_directory(call.context, call.actor, ref, body.reason)


@keys.get("/approver-keys", "Approvers' keys", READERS)
def list_approver_keys(call: Call, query: OfPerson) -> tuple[ApproverKeyView, ...]:
    """Waiting ones first."""
    return approvers.list_keys(call.context, call.actor, person=query.person)


@keys.post(
    "/approver-keys",
    "Register my key",
    people(Permission.APPROVER_KEY_REGISTER),
    creates=True,
    raises=(EvidenceRefused, Duplicate),
)
def register_approver_key(call: Call, body: ApproverKeyRegister) -> ApproverKeyView:
    """It waits until an administrator has compared fingerprints with you."""
    return approvers.register_key(call.context, call.actor, approvers.RegisterKey(public_key=body.public_key))


@keys.post(
    "/approver-keys/passkey-options", "Ask for a passkey to approve with", people(Permission.APPROVER_KEY_REGISTER)
)
def approver_passkey_options(call: Call) -> AskNewPasskey:
    """Only in a session: a passkey is made in a browser at this service's own address."""
    return AskNewPasskey(options=approver_passkeys.create_options(call.context, call.actor))


@keys.post(
    "/approver-keys/passkeys",
    "Register a passkey to approve with",
    people(Permission.APPROVER_KEY_REGISTER),
    status=201,
    raises=(NotSignedIn, ConfirmationNeeded, EvidenceRefused, Duplicate, Conflict),
)
def register_approver_passkey(call: Call, body: ApproverPasskeyMade) -> ApproverKeyView:
    """It waits until an administrator has compared fingerprints with you; the fingerprint covers its domain and addresses."""
    answer = attestation(body.client_data, body.attestation)
    return approver_passkeys.register(call.context, call.actor, answer)


@keys.post(
    "/approver-keys/{key_id}/confirmation",
    "Confirm a key",
    people(Permission.APPROVER_KEY_CONFIRM),
    raises=(Conflict, SeparationOfDuty),
)
def confirm_approver_key(call: Call, key_id: Sha256) -> ApproverKeyView:
    """After comparing fingerprints with its owner; a signed key event enters the log."""
    return approvers.confirm_key(call.context, call.actor, key_id)


@keys.post("/approver-keys/{key_id}/revocation", "Revoke a key", READERS, raises=(Conflict, Forbidden))
def revoke_approver_key(call: Call, key_id: Sha256, body: Reason) -> ApproverKeyView:
    """By its owner or an administrator. Renew the roster besides: agents trust the roster."""
    return approvers.revoke_key(call.context, call.actor, key_id, body.reason)


@rosters.get("/roster", "The published roster", READERS)
def get_roster(call: Call) -> RosterView:
    """404 until the first roster has been signed by its own members."""
    return _found(roster.current(call.context, call.actor), "roster", "published")


@rosters.get("/roster/proposal", "The open proposal", READERS)
def get_roster_proposal(call: Call) -> RosterView:
    """404 where none is open. `payload` is exactly what a signer signs."""
    return _found(roster.proposal(call.context, call.actor), "roster", "proposed")


@rosters.get("/roster/history", "Every roster", READERS)
def list_rosters(call: Call) -> tuple[RosterView, ...]:
    """Newest first."""
    return roster.history(call.context, call.actor)


@rosters.post(
    "/roster/proposals", "Propose a roster", people(Permission.ROSTER_PROPOSE), creates=True, raises=(Invalid,)
)
def propose_roster(call: Call, body: RosterProposal) -> RosterView:
    """An earlier unpublished proposal is withdrawn."""
    command = roster.ProposeRoster(key_ids=body.key_ids, quorum=body.quorum, minimum_approvals=body.minimum_approvals)
    return roster.propose(call.context, call.actor, command)


@rosters.post(
    "/roster/{version}/signatures",
    "Sign a proposed roster",
    people(Permission.ROSTER_SIGN),
    raises=(EvidenceRefused, Conflict),
)
def sign_roster(call: Call, version: RosterVersion, body: SignedEnvelope) -> RosterView:
    """A DSSE envelope over exactly the proposal's payload; at the quorum it is published and logged."""
    command = roster.SignRoster(version=version, envelope=body.envelope.model_dump(mode="json"))
    return roster.sign(call.context, call.actor, command)


def _roles(names: tuple[str, ...]) -> frozenset[Role]:
    return frozenset(Role(name) for name in names)


def _found(view: RosterView | None, kind: str, which: str) -> RosterView:
    if view is None:
        raise NotFound(kind, which)
    return view
