"""Keys of agents and approvers that are replaced, end, or are revoked back to an index; what that puts in doubt."""

from __future__ import annotations

import pytest

from inventory.errors import AgentNotTrusted, Conflict, Duplicate, EvidenceRefused, Invalid, NotFound
from inventory.services import approvers, certificates, key_changes, key_list, setup
from inventory.services.roster import approvers_in_force
from reports.bundle import DestructionBundle, read_file
from reports.canonical import to_base64
from reports.keys import FileSigner
from reports.verify_run import RunChecks
from reports.verify_steps import run_steps
from tests.support.inventory_world import World


def _failed(world: World, number: str) -> list[str]:
    bundle = read_file(certificates.bundle(world.context, world.actor("auditor"), number))
    assert isinstance(bundle, DestructionBundle)
    checks, _ = run_steps(RunChecks(bundle, setup.trust(world.context).pin).steps())
    return [check.detail for check in checks if check.state == "failed"]


def _certified(world: World) -> str:
    """The number of a certificate of a sanitized device."""
    return certificates.issue(world.context, world.actor("validator"), world.sanitized().id).number


def _size(world: World) -> int:
    with world.context.reading() as session:
        return world.context.ledger.size(session)


def test_an_agents_revocation_back_to_an_index_lists_and_disowns_what_was_accepted_since(residue: World) -> None:
    world, key = residue, residue.agent.signer.key_id
    number = _certified(world)
    (row,) = key_changes.affected(world.context, key[:16])
    assert (row.what, row.certificate) == ("record", number)
    assert key_changes.affected(world.context, key, below=row.log_index) == (row,)
    assert key_changes.affected(world.context, key, below=row.log_index + 1) == ()
    key_changes.revoke(world.context, key, "stolen", valid_below=row.log_index)
    assert "record-disowned" in world.codes()
    assert [one.log_index for one in key_changes.affected(world.context, key)] == [row.log_index]
    with pytest.raises(Conflict, match="revoked"):
        key_changes.revoke(world.context, key, "stolen", valid_below=0)


@pytest.mark.parametrize(("offset", "disowned"), [(0, True), (1, False), (None, False)])
def test_an_approvers_revocation_counts_from_its_index_on(residue: World, offset: int | None, disowned: bool) -> None:
    world = residue
    order = world.sanitized()
    key = next(iter(world.signers.values())).key_id
    (row,) = key_changes.affected(world.context, key)
    key_changes.revoke(world.context, key, "lost", valid_below=None if offset is None else row.log_index + offset)
    assert ("record-disowned" in world.codes()) == disowned
    if disowned:
        with pytest.raises(Conflict, match="the key of its approver"):
            certificates.issue(world.context, world.actor("validator"), order.id)
    else:
        number = certificates.issue(world.context, world.actor("validator"), order.id).number
        assert _failed(world, number) == []


def test_an_undated_theft_puts_everything_in_doubt(residue: World) -> None:
    order = residue.sanitized()
    key_changes.revoke(residue.context, residue.agent.signer.key_id, "stolen, nobody knows when", valid_below=0)
    with pytest.raises(Conflict, match="does not count"):
        certificates.issue(residue.context, residue.actor("validator"), order.id)


def test_an_index_beyond_the_log_is_refused(residue: World) -> None:
    with pytest.raises(Invalid):
        key_changes.revoke(residue.context, residue.agent.signer.key_id, "why", valid_below=10_000)
    with pytest.raises(Invalid, match="lies ahead"):
        key_changes.expire(residue.context, residue.agent.signer.key_id, _size(residue), "why")


def test_a_key_that_has_ended_is_not_let_in(residue: World) -> None:
    world, key = residue, residue.agent.signer.key_id
    end = _size(world) + 3
    key_changes.expire(world.context, key, end, "the host is given back")
    with pytest.raises(Conflict, match="already"):
        key_changes.expire(world.context, key, end, "again")
    assert _size(world) == end - 2
    world.agent.beat()
    for name in ("a", "b"):
        world.enrol_agent(name, [])
    assert _size(world) == end
    with pytest.raises(AgentNotTrusted, match="ended"):
        world.agent.beat()


def test_an_approvers_key_that_has_ended_counts_no_more(residue: World) -> None:
    key = next(iter(residue.signers.values())).key_id
    key_changes.expire(residue.context, key, _size(residue) + 2, "leaves the company")
    with residue.context.reading() as session:
        assert key in approvers_in_force(session)
    residue.enrol_agent("more", [])
    with residue.context.reading() as session:
        assert key not in approvers_in_force(session)


def test_an_agents_new_key_takes_the_place_of_the_old_one(residue: World) -> None:
    """What the old one signed still counts; the evidence of a run under the new one holds the whole story of the host's keys."""
    world, old, new = residue, residue.agent.signer, FileSigner.generate()
    for fingerprint in ("0" * 64, old.key_id):
        with pytest.raises(EvidenceRefused):
            key_changes.replace_agent_key(world.context, world.agent.host, new.public_key_der, fingerprint, "yearly")
    for _ in range(2):  # cut off and done again
        made = key_changes.replace_agent_key(world.context, world.agent.host, new.public_key_der, new.key_id, "yearly")
        assert made == new.key_id
    with pytest.raises(Exception, match="No enrolled agent"):
        world.agent.beat()
    world.agent.signer = new
    world.agent.beat()
    assert _failed(world, _certified(world)) == []


def test_a_key_with_open_orders_is_not_replaced(residue: World) -> None:
    residue.approved()
    new = FileSigner.generate()
    with pytest.raises(Conflict, match="open"):
        key_changes.replace_agent_key(residue.context, residue.agent.host, new.public_key_der, new.key_id, "yearly")


def test_one_key_one_job(residue: World) -> None:
    taken = next(iter(residue.signers.values()))
    service = residue.context.secrets.signer("acceptance")
    for key in (taken.public_key_der, service.public_key_der):
        fingerprint = FileSigner.generate().key_id
        with pytest.raises(EvidenceRefused):
            key_changes.replace_agent_key(residue.context, residue.agent.host, key, fingerprint, "yearly")
    with pytest.raises(Duplicate):
        key_changes.replace_agent_key(residue.context, residue.agent.host, taken.public_key_der, taken.key_id, "yearly")


def test_an_approvers_new_key_takes_the_place_of_the_old_one(residue: World) -> None:
    world = residue
    login = next(iter(world.signers))
    old, new = world.signers[login], FileSigner.generate("p256")
    command = approvers.RegisterKey(public_key=to_base64(new.public_key_der))
    approvers.register_key(world.context, world.actor(login), command)
    key_changes.replace_approver_key(world.context, old.key_id, new.key_id, "new token")
    with pytest.raises(Conflict, match="not waiting"):
        key_changes.replace_approver_key(world.context, old.key_id, new.key_id, "again")
    with world.context.reading() as session:
        assert old.key_id not in approvers_in_force(session)
    others = [name for name in world.signers if name != login]
    world.signers[login] = new
    world.publish_roster(*world.signers, signed_by=tuple(others[:2]))
    assert _failed(world, _certified(world)) == []


def test_keys_are_named_by_the_beginning_of_their_id(residue: World) -> None:
    for text, error in (("abc", Invalid), ("zzzzzzzz", Invalid), ("0" * 20, NotFound)):
        with pytest.raises(error):
            key_changes.affected(residue.context, text)


def test_what_a_key_of_the_service_signed_is_listed_by_its_role(residue: World) -> None:
    _certified(residue)
    accepting = key_changes.affected(residue.context, residue.context.secrets.signer("acceptance").key_id, below=3)
    assert {"acceptance", "validation", "certificate"} <= {row.subject.split()[0] for row in accepting}
    assert all(row.log_index >= 3 for row in accepting)
    enrolling = key_changes.affected(residue.context, residue.context.secrets.signer("enrolment").key_id)
    assert {row.subject.split()[0] for row in enrolling} == {"key-event"}


def test_every_key_is_listed(residue: World) -> None:
    groups = {row.group.split(" (")[0] for row in key_list.every_key(residue.context)}
    assert groups == {"Root keys", "Keys of the service", "The log", "Seals of PDFs", "Agents", "Approvers"}
