"""The self-test of a build: passed by this one, and not passed by one that has lost any of the ways it finds a fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sanitizer import api, overwrite, stretch
from sanitizer.firmware import CommandStretch
from sanitizer.markers import Markers
from sanitizer.medium import Medium
from sanitizer.readback import SourceReader, Verifier
from sanitizer.selftest import CASES, SelfTest, build_digest, run_self_test
from sanitizer.selftest.scratch import SIZE, Fault, OpenScratch, ScratchDisk, ScratchSystem
from sanitizer.transport.base import OpenDevice


def test_this_build_finds_every_planted_fault_exactly_where_it_is_and_none_in_a_sound_device() -> None:
    found = run_self_test("a tool")
    assert found.missed == ()
    assert [case.fault for case in found.cases] == [case.fault for case in CASES]
    assert found.build_sha256 == build_digest()
    assert len(found.build_sha256) == 64
    assert SelfTest.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_the_faults_the_issue_names_are_among_them() -> None:
    assert {"none", "bad-sector", "lying-write", "stale-read", "short-device"} <= {case.fault for case in CASES}


def test_a_scratch_device_implements_the_interface_of_a_real_one() -> None:
    assert isinstance(OpenScratch(ScratchDisk(Fault())), OpenDevice)


def test_nothing_on_this_host_is_looked_at_or_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> Any:  # noqa: ANN401 - stands for anything
        raise AssertionError("a real device")

    for name in ("sanitizer.transport.block.BlockDevice.open_exclusive", "sanitizer.inspector.Inspector.inspect"):
        monkeypatch.setattr(name, never)
    monkeypatch.setattr(api, "list_devices", never)
    assert run_self_test("a tool").passed


def test_a_path_that_is_no_scratch_device_is_not_opened() -> None:
    system = ScratchSystem(ScratchDisk(Fault()))
    for opening in (system.claim, system.open_reading):
        with pytest.raises(Exception, match="no device"):
            opening("/dev/sda")


def _no_differences(_self: object, _offset: int, _length: int) -> Iterator[tuple[int, int]]:
    return iter(())


def _all_read(self: Verifier) -> None:
    self.found.completed = True


BROKEN: list[tuple[str, object, str, Any, set[str]]] = [
    (
        "nothing is compared",
        SourceReader,
        "differing",
        _no_differences,
        {"lying-write", "stale-read", "cached-read"},
    ),
    ("nothing is read back", Verifier, "run", _all_read, {"unreadable-sector", "lying-write", "stale-read"}),
    ("the host's cache stays", Medium, "drop_cache", lambda _self: None, {"cached-read"}),
    ("a flush that fails is passed over", Medium, "flush", lambda _self: None, {"lost-flush"}),
    ("nobody asks for the size", Medium, "check", lambda _self: None, {"shrinking-device"}),
    (
        "markers are not read",
        Markers,
        "_read",
        lambda _self, _worker: None,
        {"short-device"},
    ),
    (
        "failed writes are forgotten",
        overwrite.PassWriter,
        "_note_failure",
        lambda _self, _start, _end: None,
        {"bad-sector"},
    ),
    ("the end is always good", stretch.Stretch, "_finding", lambda _self: None, {"bad-sector", "lying-write"}),
    ("a drive's word is enough", CommandStretch, "_finding", lambda _self: None, {"idle-command"}),
]


@pytest.mark.parametrize(("part", "name", "broken", "missed"), [row[1:] for row in BROKEN], ids=[r[0] for r in BROKEN])
def test_a_build_that_has_lost_a_way_of_finding_faults_does_not_pass(
    monkeypatch: pytest.MonkeyPatch,
    part: object,
    name: str,
    broken: Any,  # noqa: ANN401 - in place of any method
    missed: set[str],
) -> None:
    monkeypatch.setattr(part, name, broken)
    found = run_self_test("a tool")
    assert not found.passed
    assert missed <= set(found.missed)


def test_a_defect_of_the_engine_is_a_missed_fault_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Verifier, "run", broken)
    found = run_self_test("a tool", CASES[:1])
    assert found.cases[0].error_code == "defect:ZeroDivisionError"
    assert not found.passed


def test_an_alarm_about_a_sound_device_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def everything_differs(_self: object, offset: int, length: int) -> Iterator[tuple[int, int]]:
        yield offset, offset + length

    monkeypatch.setattr(SourceReader, "differing", everything_differs)
    assert "none" in run_self_test("a tool", CASES[:1]).missed


def test_a_scratch_device_is_full_of_old_data_and_every_one_is_another() -> None:
    one, other = ScratchDisk(Fault()), ScratchDisk(Fault())
    assert len(one.stored) == SIZE
    assert b"\0" not in bytes(one.stored)
    assert one.identity.fingerprint != other.identity.fingerprint
