"""Custody of drives' passwords: proven to be held, released by the agent alone, revealed to the right role with a reason."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.contract.v1.escrows import EscrowDeposit, EscrowHeld, EscrowRelease
from inventory.contract.v1.orders import Lease
from inventory.errors import AgentNotTrusted, Conflict, Forbidden, Invalid, NotFound, SetupError
from inventory.models import Escrow
from inventory.services import custody, hosts
from inventory.services.views import EscrowView
from reports.canonical import to_base64
from tests.support.inventory_world import DISK, OTHER_DISK, World, failed_record

pytestmark = pytest.mark.usefixtures("residue")

SECRET = b"unlock-me-0123456789abcdefghijkl"


@pytest.fixture
def lease(residue: World) -> Lease:
    """The agent has begun."""
    residue.approved()
    taken = residue.agent.take()
    assert residue.ask(taken).clear
    return taken


def message(world: World, **changes: Any) -> EscrowDeposit:  # noqa: ANN401 - fields of the message
    secret = changes.pop("plain", SECRET)
    fields = {
        "order": world.device().order,
        "run": "run-1",
        "device": DISK.facts.fingerprint,
        "kind": "ata-user-password",
        "secret": to_base64(secret),
        "sha256": hashlib.sha256(secret).hexdigest(),
        "recovery": "SECURITY UNLOCK, then SECURITY DISABLE PASSWORD, both with this user password.",
        **changes,
    }
    return EscrowDeposit.model_validate(fields)


def deposit(world: World, **changes: Any) -> EscrowHeld:  # noqa: ANN401 - fields of the message
    return custody.deposit(world.context, world.agent.actor, message(world, **changes))


def kept(world: World) -> tuple[EscrowView, ...]:
    return world.device().escrows


def revealed(world: World, escrow: str, by: str = "operator", reason: str = "the drive is locked") -> bytes:
    found = custody.reveal(world.context, world.actor(by), custody.Reveal(escrow=escrow, reason=reason))
    return bytes.fromhex(found.secret_hex)


@pytest.mark.usefixtures("lease")
def test_the_agent_is_told_the_digest_of_what_can_be_given_back(world: World) -> None:
    held = deposit(world)
    assert (held.sha256, held.state, held.new) == (hashlib.sha256(SECRET).hexdigest(), "held", True)
    assert revealed(world, held.id) == SECRET


@pytest.mark.usefixtures("lease")
def test_the_same_deposit_again_is_the_same_custody(world: World) -> None:
    first, again = deposit(world), deposit(world)
    assert (again.id, again.new) == (first.id, False)
    assert deposit(world, plain=b"another secret").id != first.id
    assert deposit(world, run="run-2").id != first.id
    assert len(kept(world)) == 3


@pytest.mark.usefixtures("lease")
def test_the_database_never_holds_the_secret(world: World) -> None:
    deposit(world)
    with world.context.reading() as session:
        row = session.scalars(sa.select(Escrow)).one()
        assert SECRET not in row.sealed
        assert to_base64(SECRET).encode() not in row.sealed
    for event in world.tags(kept(world)[0].id):
        assert "unlock" not in event


@pytest.mark.usefixtures("lease")
def test_a_ciphertext_moved_to_another_row_opens_nothing(world: World) -> None:
    one, other = deposit(world), deposit(world, run="run-2")
    with world.context.writing() as session:
        rows = {row.id: row for row in session.scalars(sa.select(Escrow))}
        rows[one.id].sealed = rows[other.id].sealed
    with pytest.raises(SetupError):
        revealed(world, one.id)


@pytest.mark.usefixtures("lease")
def test_a_lost_custody_key_is_never_replaced_while_something_is_in_custody(world: World) -> None:
    deposit(world)
    (world.context.secrets.folder / "custody.key").unlink()
    with pytest.raises(SetupError, match="Restore it from the backup"):
        deposit(world, run="run-2")
    assert len(kept(world)) == 1


@pytest.mark.usefixtures("lease")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sha256": "0" * 64}, Invalid),
        ({"secret": "AAA"}, None),
        ({"secret": "AAAB"}, Invalid),
        ({"order": "O-2026-999999"}, NotFound),
        ({"device": OTHER_DISK.facts.fingerprint}, Conflict),
    ],
)
def test_what_does_not_fit_is_not_taken(world: World, changes: dict[str, Any], error: type[Exception] | None) -> None:
    with pytest.raises(error or ValueError):
        deposit(world, **changes)
    assert kept(world) == ()


def test_nothing_is_taken_for_an_order_that_is_not_under_way(world: World) -> None:
    order = world.approved()
    with pytest.raises(Conflict, match="nothing is taken into custody"):
        deposit(world, order=order.id)


@pytest.mark.usefixtures("lease")
def test_another_host_deposits_and_releases_nothing(world: World) -> None:
    held = deposit(world)
    stranger = world.enrol_agent("other-host", [])
    with pytest.raises(NotFound):
        custody.deposit(world.context, stranger.actor, message(world))
    release = EscrowRelease(run="run-1", reason="no password any more")
    with pytest.raises(NotFound):
        custody.release(world.context, stranger.actor, held.id, release)


@pytest.mark.usefixtures("lease")
def test_a_revoked_agent_is_not_believed(world: World) -> None:
    held, actor = deposit(world), world.agent.actor
    hosts.revoke(world.context, world.actor("admin"), hosts.RevokeHost(host=world.agent.host, reason="stolen"))
    with pytest.raises(AgentNotTrusted):
        custody.release(world.context, actor, held.id, EscrowRelease(run="run-1", reason="believe me"))


@pytest.mark.usefixtures("lease")
def test_the_agent_releases_and_the_secret_stays_for_the_case_that_it_was_wrong(world: World) -> None:
    held = deposit(world)
    with pytest.raises(Conflict, match="another run"):
        custody.release(world.context, world.agent.actor, held.id, EscrowRelease(run="run-2", reason="it is gone"))
    release = EscrowRelease(run="run-1", reason="IDENTIFY DEVICE says that security is disabled")
    for _ in range(2):
        assert custody.release(world.context, world.agent.actor, held.id, release).state == "released"
    assert world.tags(held.id) == ["escrow.deposited", "escrow.released"]
    assert revealed(world, held.id) == SECRET
    assert kept(world)[0].state == "released"
    assert deposit(world).state == "held"


@pytest.mark.usefixtures("lease")
@pytest.mark.parametrize("login", ["viewer", "custodian", "approver1", "validator", "auditor", "admin"])
def test_only_operators_see_a_password(world: World, login: str) -> None:
    held = deposit(world)
    with pytest.raises(Forbidden):
        revealed(world, held.id, login)
    assert "escrow.revealed" not in world.tags(held.id)


@pytest.mark.usefixtures("lease")
def test_every_reveal_is_an_event_with_its_reason(world: World) -> None:
    held = deposit(world)
    with pytest.raises(Invalid):
        revealed(world, held.id, reason=" ")
    for reason in ("first look", "second look"):
        revealed(world, held.id, reason=reason)
    assert world.tags(held.id) == ["escrow.deposited", "escrow.revealed", "escrow.revealed"]
    assert kept(world)[0].state == "revealed"


def test_a_drive_is_locked_by_us_once_nobody_is_at_work_on_it(world: World, lease: Lease) -> None:
    held = deposit(world)
    assert not kept(world)[0].locks
    world.hand_over(lease, failed_record(world.finished(lease)))
    assert kept(world)[0].locks
    custody.release(
        world.context, world.agent.actor, held.id, EscrowRelease(run="run-1", reason="unlocked and disabled")
    )
    assert not kept(world)[0].locks
