"""What we say recorded drives can do is never more than an independent reader says; and their words are told without falling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sanitizer import probing
from sanitizer.capability import AtaCapabilities, Capabilities, Tri
from sanitizer.cli.abilities import tell
from sanitizer.deriving import capabilities_of
from sanitizer.probing import Answers, Interface, Reply
from tests.support.capabilities import RECORDINGS, requires_recordings

pytestmark = [requires_recordings, pytest.mark.recordings]

_KINDS: dict[str, tuple[Interface, str]] = {
    "ata": ("ata", probing.IDENTIFY),
    "nvme": ("nvme", probing.CONTROLLER),
    "emmc": ("mmc", probing.EXT_CSD),
}
_READINGS = [(kind, path) for kind in _KINDS for path in sorted((RECORDINGS / kind).glob("*.expected.json"))]
each_recording = pytest.mark.parametrize(
    ("kind", "reading"),
    _READINGS or [("none", Path("none"))],  # one case without the folder, so that its absence is named
    ids=[f"{kind}-{path.name.removesuffix('.expected.json')}" for kind, path in _READINGS] or ["no-recordings"],
)


def _told(kind: str, reading: Path) -> tuple[Capabilities, dict[str, Any]]:
    said = json.loads(reading.read_text(encoding="utf-8"))
    interface, key = _KINDS[kind]
    reply = Reply(accepted=True, data=(reading.parent / said["file"]).read_bytes())
    found = capabilities_of(Answers(interface=interface, replies={key: reply}, namespace_id=1), path="direct")
    assert found is not None
    return found, said["expected"]


@each_recording
def test_recorded_drives_are_told_of_in_words(kind: str, reading: Path) -> None:
    found, _ = _told(kind, reading)
    assert all(name and value for name, value in tell(found))
    json.dumps(found.to_dict())


def _pairs(ata: AtaCapabilities, said: dict[str, Any]) -> list[tuple[str, Tri, bool | None]]:
    sanitize, security = said["sanitize"], said["security"]
    return [
        ("sanitize", ata.sanitize, sanitize["supported"]),
        ("crypto scramble", ata.crypto_scramble, sanitize["crypto_scramble_ext"]),
        ("block erase", ata.block_erase, sanitize["block_erase_ext"]),
        ("overwrite", ata.overwrite, sanitize["overwrite_ext"]),
        ("security", ata.security, security["supported"]),
        ("enabled", ata.security_enabled, security["enabled"]),
        ("locked", ata.security_locked, security["locked"]),
        ("frozen", ata.security_frozen, security["frozen"]),
        ("enhanced", ata.enhanced_erase, security["enhanced_erase_supported"]),
        ("rotational", ata.rotational, said["rotational"]),
    ]


@each_recording
def test_yes_and_no_are_those_of_the_independent_reader(kind: str, reading: Path) -> None:
    found, said = _told(kind, reading)
    if kind == "ata":
        assert found.ata is not None
        for name, ours, theirs in _pairs(found.ata, said):
            assert ours in {Tri.UNKNOWN, Tri.of(theirs)}, name
            if ours is Tri.UNKNOWN and theirs is not None:
                # unknown where the reply was altered on its way, or a fact rests on a feature set that is not known
                assert found.ata.sanitize is Tri.UNKNOWN or found.ata.security is not Tri.YES, name
    assert found.hidden.present is not Tri.YES or kind == "nvme"
