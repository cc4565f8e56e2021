"""Audit packs of lots and destructions, of a log with time-stamps, on both databases."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inventory.services import audit_packs, exceptions, queries, setup, upkeep
from inventory.services.audit_packs import RequestPack
from reports.canonical import canonical
from reports.pack.verify import verify_pack
from reports.verify_steps import Verification
from tests.support.capabilities import requires_tool
from tests.support.destroying import certified, destroyed, destruction_certificate, lot_of
from tests.support.inventory_world import OTHER_DISK, World, copied_world
from tests.support.pack_cheats import Members, members_of, resealed, with_account
from tests.support.timed import timed

pytestmark = [pytest.mark.reference_tool, requires_tool("openssl")]


def _settled(world: World, device: str) -> None:
    page = queries.list_exceptions(world.context, world.actor("auditor"), device=device, limit=200)
    for item in page.items:
        command = exceptions.ResolveException(exception=item.id, resolution="Declared since, as everybody knows.")
        exceptions.resolve(world.context, world.actor("custodian"), command)


def _lot(world: World) -> str:
    """One medium sanitized, one destroyed, nothing open about either; the lot's number."""
    world.hold_data()
    world.unmount()
    first = certified(world)
    upkeep.run(world.context)
    destruction_certificate(world, destroyed(world))
    world.clock.forward(minutes=2)
    upkeep.run(world.context)
    gone = world.device(OTHER_DISK).id
    for device in (first, gone):
        _settled(world, device)
    lot = lot_of(world, first, gone)
    assert lot.complete
    world.clock.forward(minutes=2)
    upkeep.run(world.context)
    return lot.number


def _pack(world: World, lot: str) -> bytes:
    auditor = world.actor("auditor")
    number = audit_packs.request(world.context, auditor, RequestPack(scope="lot", reference=lot)).number
    return b"".join(audit_packs.stream(world.context, auditor, number).parts)


def _judge(world: World, pack: bytes) -> Verification:
    return verify_pack(io.BytesIO(pack), setup.trust(world.context).pin)


def _failed(found: Verification) -> str:
    return next((check.code for check in found.checks if check.state == "failed"), "")


def test_a_pack_of_a_lot_accounts_for_what_was_sanitized_and_what_was_destroyed(world: World, tmp_path: Path) -> None:
    with timed(world, tmp_path / "tsa", "Example Time"):
        upkeep.run(world.context)
        pack = _pack(world, _lot(world))
    found = _judge(world, pack)
    assert found.yes, found.conclusion
    facts = {fact.label: fact.value for fact in found.facts}
    assert (facts["Devices: sanitized"], facts["Devices: destroyed"]) == ("1", "1")
    kinds = {label for label in facts if label.startswith("Documents: ")}
    assert kinds == {"Documents: certificate", "Documents: destruction", "Documents: lot"}
    assert "Time stamp: " in next(check.detail for check in found.checks if check.code == "log")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401 - a generator
    folder = tmp_path_factory.mktemp("lot")
    with copied_world(folder / "data") as world:
        with timed(world, folder / "tsa", "Example Time"):
            upkeep.run(world.context)
            pack = _pack(world, _lot(world))
        yield world, pack


def _stamps(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], Members]:
    def changed(members: Members) -> Members:
        lines = [json.loads(line) for line in members["log/time-stamps.jsonl"].splitlines()]
        change(lines[0])
        content = b"".join(canonical(line) + b"\n" for line in lines)
        return {**members, "log/time-stamps.jsonl": content}

    return changed


def _without(word: str) -> Callable[[Members], Members]:
    return lambda members: {name: content for name, content in members.items() if word not in name}


LIES: dict[str, tuple[str, Callable[[Members], Members]]] = {
    "time-stamp at another place": ("log", _stamps(lambda line: line.update(index=line["index"] - 1))),
    "time-stamp of an authority nobody named": ("log", _stamps(lambda line: line.update(authority="Nobody"))),
    "time-stamp that is none": ("log", _stamps(lambda line: line.update(token="AAAA"))),
    "time-stamp as another kind": ("log", _stamps(lambda line: line.update(kind="key-event"))),
    "destruction's document left out": ("accounts", _without("DC-")),
    "destroyed medium called sanitized": (
        "accounts", lambda members: with_account(members, "D-000002", lambda told: told.update(account="sanitized")),
    ),
    "sanitized medium called destroyed": (
        "accounts", lambda members: with_account(members, "D-000001", lambda told: told.update(account="destroyed")),
    ),
    "destruction of another medium": (
        "accounts",
        lambda members: with_account(members, "D-000002", lambda told: told["device"].update(fingerprint="ab" * 32)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_destructions_or_time_under_the_services_own_signature_is_a_no(
    shared: tuple[World, bytes], name: str
) -> None:
    world, pack = shared
    step, lie = LIES[name]
    found = _judge(world, resealed(world, lie(members_of(pack))))
    assert (found.genuine, found.yes) == (False, False)
    assert _failed(found) == step, found.conclusion
