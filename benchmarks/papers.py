"""The papers of a made-up company, for measuring: one trust root, one log, each bundle with the checkpoint of its day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from reports.bundle import DestructionBundle
from reports.canonical import from_base64
from reports.envelope import pre_authentication_encoding
from reports.pdf import render
from reports.publish import publish
from tests.support.evidence import Story, World, good_record

MOMENT = dt.datetime(2026, 11, 22, 15, 0, tzinfo=dt.UTC)

Check = Callable[[], object]
"""One bare verification by the library."""


@dataclass(frozen=True)
class Papers:
    """What was made."""

    world: World
    files: tuple[DestructionBundle, ...]
    bundles: tuple[bytes, ...]
    signatures: tuple[tuple[Check, ...], ...]
    """The signatures that each bundle shares with no other."""

    @property
    def pin(self) -> str:
        """The one that all of them lead to."""
        return self.world.pin

    def check_signatures(self, number: int) -> None:
        """What nobody who verifies a bundle can do without."""
        for check in self.signatures[number % len(self.signatures)]:
            check()

    def certificate(self, number: int) -> bytes:
        """Verified, printed, sealed, verified again."""
        return publish(self.files[number % len(self.files)], self.world.seal, MOMENT)

    def page(self, number: int) -> bytes:
        """The pages alone."""
        return render(self.files[number % len(self.files)])


def papers(count: int) -> Papers:
    """So many bundles of one company."""
    world, files = World(), []
    for number in range(count):
        story = Story(world, record=good_record(serial=f"BENCH{number:06d}"))
        files.append(story.order().run().accept().validate().certify().bundle())
    keys = _public_keys(world)
    bundles = tuple(file.to_bytes() for file in files)
    return Papers(world, tuple(files), bundles, tuple(_own_signatures(file, world, keys) for file in files))


def _public_keys(world: World) -> dict[str, Any]:
    signers = (world.acceptance, world.agent, *world.approvers)
    return {one.key_id: serialization.load_der_public_key(one.public_key_der) for one in signers}


def _own_signatures(file: DestructionBundle, world: World, keys: dict[str, Any]) -> tuple[Check, ...]:
    logged = (file.acceptance, file.validation, file.certificate)
    envelopes = [file.order, *file.approvals, file.record, *(one.envelope for one in logged)]
    checks: list[Check] = []
    for envelope in envelopes:
        message = pre_authentication_encoding(envelope["payloadType"], from_base64(envelope["payload"]))
        checks += [_check(keys[one["keyid"]], from_base64(one["sig"]), message) for one in envelope["signatures"]]
    note = file.anchor.checkpoint.encode()
    for signer in world.log.signers:
        key = signer.private_key
        checks.append(_check(key.public_key(), key.sign(note), note))
    return tuple(checks)


def _check(key: Any, signature: bytes, message: bytes) -> Check:  # noqa: ANN401 - one of three kinds of key
    if isinstance(key, ec.EllipticCurvePublicKey):
        algorithm = ec.ECDSA(hashes.SHA256())
        return lambda: key.verify(signature, message, algorithm)
    return lambda: key.verify(signature, message)
