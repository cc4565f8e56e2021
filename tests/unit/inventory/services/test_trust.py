"""Keys enter by an administrator's comparison and the log; rosters by a quorum of the one before."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from inventory.contract.v1.agents import EnrolmentRequest
from inventory.contract.v1.orders import Roster as RosterMessage
from inventory.domain.vocabulary import HostState, KeyState
from inventory.errors import (
    AgentNotTrusted,
    Conflict,
    Duplicate,
    EvidenceRefused,
    Forbidden,
    Invalid,
    NotSignedIn,
    Replayed,
    SeparationOfDuty,
)
from inventory.models import LogEntry
from inventory.services import approvers, hosts, nonces, roster, setup
from inventory.services.kernel import load_envelope
from inventory.services.roster import ProposeRoster, SignRoster
from reports.canonical import from_base64, parse_strict, to_base64
from reports.enrolled import KeyDirectory
from reports.envelope import sign_payload
from reports.keys import FileSigner
from reports.trust import open_trust_root
from tests.support.console_agent import ConsoleAgent
from tests.support.inventory_world import World

# -- keys of approvers -------------------------------------------------------------------------------------------------------


def register(world: World, login: str = "approver1", kind: str = "p256") -> FileSigner:
    signer = FileSigner.generate("p256" if kind == "p256" else "ed25519")
    command = approvers.RegisterKey(public_key=to_base64(signer.public_key_der))
    approvers.register_key(world.context, world.actor(login), command)
    return signer


def test_a_registered_key_waits_for_an_administrator(world: World) -> None:
    signer = register(world)
    (row,) = [row for row in approvers.list_keys(world.context, world.actor("viewer")) if row.key_id == signer.key_id]
    assert (row.state, row.in_roster) == (KeyState.REGISTERED, False)
    command = ProposeRoster(key_ids=(signer.key_id,), quorum=1, minimum_approvals=1)
    with pytest.raises(Invalid, match="not a confirmed approver key"):
        roster.propose(world.context, world.actor("admin"), command)
    with pytest.raises(Forbidden):
        approvers.confirm_key(world.context, world.actor("approver1"), signer.key_id)
    assert approvers.confirm_key(world.context, world.actor("admin"), signer.key_id).state is KeyState.CONFIRMED
    with pytest.raises(Conflict):
        approvers.confirm_key(world.context, world.actor("admin"), signer.key_id)


def test_one_key_is_one_persons_and_no_machines(world: World) -> None:
    signer = register(world)
    command = approvers.RegisterKey(public_key=to_base64(signer.public_key_der))
    with pytest.raises(Duplicate):
        approvers.register_key(world.context, world.actor("approver2"), command)
    agents = approvers.RegisterKey(public_key=to_base64(world.agent.signer.public_key_der))
    with pytest.raises(Duplicate):
        approvers.register_key(world.context, world.actor("approver2"), agents)
    service = world.context.secrets.signer("acceptance").public_key_der
    with pytest.raises(Duplicate):
        approvers.register_key(
            world.context, world.actor("approver2"), approvers.RegisterKey(public_key=to_base64(service))
        )


@pytest.mark.parametrize("text", ["", "bm90IGEga2V5", "%%%", "QQ"])
def test_what_is_no_key_is_refused(world: World, text: str) -> None:
    with pytest.raises(EvidenceRefused):
        approvers.register_key(world.context, world.actor("approver1"), approvers.RegisterKey(public_key=text))


def test_only_approvers_register_keys(world: World) -> None:
    with pytest.raises(Forbidden):
        register(world, "operator")


def test_nobody_confirms_their_own_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = register(world)
    monkeypatch.setattr(approvers, "authorize", lambda *_: None)  # no role may do both; the rule stands by itself
    with pytest.raises(SeparationOfDuty):
        approvers.confirm_key(world.context, world.actor("approver1"), signer.key_id)


def test_every_key_event_of_the_log_is_one_the_verifier_accepts(world: World) -> None:
    signer = register(world, kind="ed25519")
    approvers.confirm_key(world.context, world.actor("admin"), signer.key_id)
    approvers.revoke_key(world.context, world.actor("approver1"), signer.key_id, "lost the laptop")
    trust = setup.trust(world.context)
    directory = KeyDirectory(open_trust_root(trust.envelope, trust.pin))
    with world.context.reading() as session:
        rows = session.execute(
            sa.select(LogEntry.sha256, LogEntry.idx).where(LogEntry.kind == "key-event").order_by(LogEntry.idx)
        )
        for digest, index in rows:
            directory.add(load_envelope(session, digest), index)
    known = {key.key.key_id: key for key in directory.all()}
    assert known[world.agent.signer.key_id].role == "agent"
    assert known[signer.key_id].valid_below is not None
    assert known[world.signers["approver1"].key_id].valid_below is None


def test_a_key_is_revoked_by_its_owner_or_an_administrator_once(world: World) -> None:
    key = world.signers["approver1"].key_id
    with pytest.raises(Forbidden):
        approvers.revoke_key(world.context, world.actor("approver2"), key, "envy")
    assert approvers.revoke_key(world.context, world.actor("admin"), key, "left us").state is KeyState.REVOKED
    with pytest.raises(Conflict):
        approvers.revoke_key(world.context, world.actor("approver1"), key, "again")


# -- rosters -----------------------------------------------------------------------------------------------------------------


def propose(world: World, *logins: str, quorum: int = 2, minimum: int = 2) -> Any:  # noqa: ANN401 - a view
    keys = tuple(world.signers[login].key_id for login in logins)
    command = ProposeRoster(key_ids=keys, quorum=quorum, minimum_approvals=minimum)
    return roster.propose(world.context, world.actor("admin"), command)


def signature(world: World, proposal: Any, login: str) -> SignRoster:  # noqa: ANN401 - a view
    envelope = sign_payload("roster", from_base64(proposal.payload), world.signers[login])
    return SignRoster(version=proposal.version, envelope=dict(envelope))


def test_the_next_roster_needs_a_quorum_of_the_one_before(world: World) -> None:
    signer = FileSigner.generate("p256")
    world.signers["all-hands"], old = signer, world.signers["all-hands"]
    approvers.register_key(
        world.context, world.actor("all-hands"), approvers.RegisterKey(public_key=to_base64(signer.public_key_der))
    )
    approvers.confirm_key(world.context, world.actor("admin"), signer.key_id)
    proposal = propose(world, "approver1", "all-hands")
    assert (proposal.version, proposal.signatures_needed) == (2, 2)
    with pytest.raises(EvidenceRefused):
        roster.sign(
            world.context, world.actor("all-hands"), signature(world, proposal, "all-hands")
        )  # a key not in roster 1
    roster.sign(world.context, world.actor("approver1"), signature(world, proposal, "approver1"))
    again = roster.sign(world.context, world.actor("approver1"), signature(world, proposal, "approver1"))
    assert again.state == "proposed", "one person twice is no quorum"
    world.signers["all-hands"] = old
    done = roster.sign(world.context, world.actor("all-hands"), signature(world, proposal, "all-hands"))
    assert done.state == "published"
    assert [row.state for row in roster.history(world.context, world.actor("viewer"))] == ["published", "superseded"]
    chain = roster.chain_since(world.context, world.agent.actor, 0)
    assert [parse_strict(from_base64(one["payload"]))["version"] for one in chain] == [1, 2]
    RosterMessage.model_validate(parse_strict(from_base64(chain[1]["payload"])))


def test_a_signature_over_other_bytes_is_refused(world: World) -> None:
    proposal = propose(world, "approver1", "approver2")
    other = sign_payload("roster", from_base64(proposal.payload) + b" ", world.signers["approver1"])
    command = SignRoster(version=proposal.version, envelope=dict(other))
    with pytest.raises(EvidenceRefused, match="another roster"):
        roster.sign(world.context, world.actor("approver1"), command)


def test_nobody_signs_with_anothers_key(world: World) -> None:
    proposal = propose(world, "approver1", "approver2")
    with pytest.raises(EvidenceRefused):
        roster.sign(world.context, world.actor("approver1"), signature(world, proposal, "approver2"))


def test_a_new_proposal_withdraws_the_open_one(world: World) -> None:
    first = propose(world, "approver1", "approver2")
    second = propose(world, "approver1", "both")
    assert first.version == second.version
    command = signature(world, first, "approver1")
    with pytest.raises(EvidenceRefused):
        roster.sign(world.context, world.actor("approver1"), command)
    third = propose(world, "approver1", "approver2")
    assert third.sha256 == first.sha256
    assert third.signatures == ()


@pytest.mark.parametrize(("quorum", "minimum"), [(0, 1), (3, 1), (1, 0), (1, 3)])
def test_numbers_that_can_never_be_met_are_refused(world: World, quorum: int, minimum: int) -> None:
    with pytest.raises(Invalid):
        propose(world, "approver1", "approver2", quorum=quorum, minimum=minimum)


def test_a_person_stands_in_a_roster_with_one_key(world: World) -> None:
    second = register(world, "approver1")
    approvers.confirm_key(world.context, world.actor("admin"), second.key_id)
    command = ProposeRoster(key_ids=(world.signers["approver1"].key_id, second.key_id), quorum=1, minimum_approvals=1)
    with pytest.raises(Invalid, match="two keys"):
        roster.propose(world.context, world.actor("admin"), command)


def test_a_revoked_key_elects_nobody(world: World) -> None:
    approvers.revoke_key(world.context, world.actor("approver1"), world.signers["approver1"].key_id, "stolen")
    proposal = propose(world, "approver2", "both")
    with pytest.raises(Forbidden):
        roster.sign(world.context, world.actor("approver1"), signature(world, proposal, "approver1"))


# -- hosts -------------------------------------------------------------------------------------------------------------------


def newcomer(world: World) -> tuple[ConsoleAgent, str]:
    token = hosts.create_enrolment_token(world.context, world.actor("admin"), hosts.CreateEnrolmentToken(note="new"))
    return ConsoleAgent(world.context, "crm-db-02", []), token.secret


def request(agent: ConsoleAgent, token: str) -> EnrolmentRequest:
    return EnrolmentRequest(
        token=token, public_key=to_base64(agent.signer.public_key_der), host_name=agent.name, machine_id_sha256="a" * 64,
        agent_version="0.1.0", kernel="6.1",
    )  # fmt: skip


def test_an_agent_is_pending_until_its_fingerprint_is_confirmed(world: World) -> None:
    agent, token = newcomer(world)
    reply = hosts.enrol(world.context, request(agent, token), agent.signer.key_id)
    assert reply.status == "pending"
    assert reply.roster is not None
    assert reply.trust_root_sha256 == setup.trust(world.context).pin
    with pytest.raises(AgentNotTrusted):
        hosts.actor_for_key(world.context, agent.signer.key_id)
    asking = hosts.pending_actor_for_key(world.context, agent.signer.key_id)
    assert hosts.enrolment_status(world.context, asking).status == "pending"
    with pytest.raises(EvidenceRefused, match="not the fingerprint"):
        hosts.confirm(world.context, world.actor("admin"), reply.host, world.agent.signer.key_id)
    hosts.confirm(world.context, world.actor("admin"), reply.host, reply.fingerprint.upper())
    assert hosts.actor_for_key(world.context, agent.signer.key_id).ref == reply.host
    with pytest.raises(Conflict):
        hosts.confirm(world.context, world.actor("admin"), reply.host, reply.fingerprint)


def test_a_lost_reply_costs_nothing_and_a_second_key_gets_nothing(world: World) -> None:
    agent, token = newcomer(world)
    first = hosts.enrol(world.context, request(agent, token), agent.signer.key_id)
    assert hosts.enrol(world.context, request(agent, token), agent.signer.key_id).host == first.host
    thief = ConsoleAgent(world.context, "evil", [])
    with pytest.raises(NotSignedIn):
        hosts.enrol(world.context, request(thief, token), thief.signer.key_id)


def test_the_key_that_signed_is_the_key_that_enrols(world: World) -> None:
    agent, token = newcomer(world)
    with pytest.raises(EvidenceRefused, match="another key"):
        hosts.enrol(world.context, request(agent, token), world.agent.signer.key_id)


def test_an_agents_key_may_be_of_the_kind_a_tpm_has(world: World) -> None:
    _, token = newcomer(world)
    p256 = FileSigner.generate("p256")
    other = ConsoleAgent(world.context, "x", [], signer=p256)
    assert hosts.enrol(world.context, request(other, token), p256.key_id).fingerprint.replace(" ", "") == p256.key_id


def test_an_enrolled_or_an_approvers_key_does_not_enrol_again(world: World) -> None:
    _, token = newcomer(world)
    with pytest.raises(Duplicate):
        hosts.enrol(world.context, request(world.agent, token), world.agent.signer.key_id)
    signer = register(world, kind="ed25519")
    other = ConsoleAgent(world.context, "x", [], signer=signer)
    with pytest.raises(Duplicate):
        hosts.enrol(world.context, request(other, token), signer.key_id)


def test_a_token_expires_and_a_made_up_one_is_nobodys(world: World) -> None:
    agent, token = newcomer(world)
    with pytest.raises(NotSignedIn):
        hosts.enrol(world.context, request(agent, "x" * 43), agent.signer.key_id)
    world.clock.forward(hours=25)
    with pytest.raises(NotSignedIn):
        hosts.enrol(world.context, request(agent, token), agent.signer.key_id)


def test_a_rejected_agent_learns_it_and_may_do_nothing(world: World) -> None:
    agent, token = newcomer(world)
    host = hosts.enrol(world.context, request(agent, token), agent.signer.key_id).host
    assert hosts.reject(world.context, world.actor("admin"), host, "unknown machine").state is HostState.REJECTED
    asking = hosts.pending_actor_for_key(world.context, agent.signer.key_id)
    assert hosts.enrolment_status(world.context, asking).status == "rejected"
    with pytest.raises(AgentNotTrusted):
        hosts.actor_for_key(world.context, agent.signer.key_id)


def test_only_an_administrator_lets_agents_in(world: World) -> None:
    with pytest.raises(Forbidden):
        hosts.create_enrolment_token(world.context, world.actor("operator"), hosts.CreateEnrolmentToken())
    with pytest.raises(Forbidden):
        hosts.revoke(world.context, world.actor("operator"), hosts.RevokeHost(host=world.agent.host, reason="no"))


def test_an_unknown_key_is_nobody(world: World) -> None:
    assert hosts.agent_key(world.context, "0" * 64) is None
    with pytest.raises(NotSignedIn):
        hosts.actor_for_key(world.context, "0" * 64)


def test_a_nonce_is_good_once_for_its_key(world: World) -> None:
    key, now = world.agent.signer.key_id, world.clock.now()
    nonces.spend(world.context, key, "n" * 16, now)
    nonces.spend(world.context, "1" * 64, "n" * 16, now)
    with pytest.raises(Replayed):
        nonces.spend(world.context, key, "n" * 16, now)
