"""Bundles whose order was approved by passkey: our verifier and the one in another language come to the same answer."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import pytest

from reports.canonical import canonical, parse_strict, to_base64
from reports.enrolled import EnrolledRole
from reports.envelope import sign
from reports.keys import FileSigner
from reports.statements import KeyEvent
from reports.verify import verify
from tests.support.capabilities import requires_tool
from tests.support.evidence import World, certified
from tests.support.second_judge import File, broken, judged
from tests.support.software_passkey import BE, UP, PasskeySigner

pytestmark = [pytest.mark.reference_tool, pytest.mark.xdist_group("independent-verifier"), requires_tool("node")]

WRONG: dict[str, dict[str, object]] = {
    "no user verification": {"flags": UP | BE},
    "another address": {"origin": "https://evil.example"},
    "another domain": {"rp_id": "evil.example"},
    "inside another page": {"cross_origin": True},
    "another order": {"challenge": b"\1" * 32},
    "a registration": {"type": "webauthn.create"},
    "odd authenticator data": {"flags": UP | 0x04 | 0x80},
}


def _world(passkey: PasskeySigner) -> World:
    return World(approvers=(passkey, FileSigner.generate("p256")))  # type: ignore[arg-type]  # signs like a key file


def test_an_approval_by_passkey_is_judged_alike(tmp_path: Path) -> None:
    files = []
    for name, wrong in {"": {}, "counting": {}, **WRONG}.items():
        passkey = PasskeySigner()
        passkey.passkey.counter = 41 if name == "counting" else 0
        world = _world(passkey)
        passkey.wrong = dict(wrong)  # from here on: the roster was signed as it should be
        data = certified(world).bundle().to_bytes()
        files.append(File(name or "good", data, world.pin, verify(data, world.pin)))
    said = judged(tmp_path, files)
    assert {file.name: file.failed for file in files} == {
        "good": "", "counting": "", **dict.fromkeys(WRONG, "approvals"),
    }  # fmt: skip
    assert {name: broken(one) for name, one in said.items()} == {
        "good": [], "counting": [], **{name: ["approvals"] for name in WRONG},
    }  # fmt: skip


class LooseWorld(World):
    """A service that enrols whatever it is given."""

    def key_event(
        self,
        event: Literal["enrol", "revoke"],
        role: EnrolledRole,
        ref: str,
        signer: FileSigner,
        valid_below: int | None = None,
    ) -> int:
        body = KeyEvent(
            event=event, role=role, ref=ref, spki=to_base64(signer.public_key_der), time="2026-11-01T10:00:00Z",
            valid_below=valid_below,
        )  # fmt: skip
        envelope = sign("key-event", body.to_dict(), self.enrolment)
        self.events.append((envelope, self.log.append("key-event", envelope)))
        return self.events[-1][1]


class LoosePasskey(PasskeySigner):
    """Its document says something else than it may."""

    changes: ClassVar[dict[str, object]] = {}

    @property
    def public_key_der(self) -> bytes:
        return canonical({**parse_strict(super().public_key_der), **self.changes})


LOOSE: tuple[dict[str, object], ...] = (
    {"origins": ["http://sanitrail.example.org"]},
    {"origins": ["https://evil.example"]},
    {"origins": ["https://sanitrail.example.org/"]},
    {"origins": []},
    {"origins": ["https://sanitrail.example.org:8443", "https://sanitrail.example.org"]},
    {"rp_id": "192.0.2.7", "origins": ["https://192.0.2.7"]},
    {"schema": "sanitrail/passkey/2"},
    {"note": "more than it should hold"},
)


def test_a_passkey_document_that_is_not_sensible_is_no_key_for_either(tmp_path: Path) -> None:
    files = []
    for changes in LOOSE:
        loose = type("Loose", (LoosePasskey,), {"changes": changes})()
        world = LooseWorld(approvers=(loose, FileSigner.generate("p256")))
        data = certified(world).bundle().to_bytes()
        files.append(File(repr(changes), data, world.pin, verify(data, world.pin)))
    said = judged(tmp_path, files)
    assert {file.name: file.failed for file in files} == {repr(changes): "keys" for changes in LOOSE}
    assert {name: broken(one) for name, one in said.items()} == {repr(changes): ["keys"] for changes in LOOSE}
