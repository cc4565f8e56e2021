"""Peers are found by name and version; a missing one is named, and each is called as its version wants it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import peers, shell
from benchmarks.peers import Peers, Tool
from tests.support.benchmark_samples import device

OLD = Tool("nwipe", "/usr/sbin/nwipe", "0.33", frozenset({"isaac", "isaac64"}))
NEW = Tool("nwipe", "/opt/nwipe", "0.42", frozenset({"noPDF", "manual", "splitmix64", "chacha20", "isaac64"}))
DEVICES = (device(0), device(1))


def _fake(folder: Path, name: str, version: str, usage: str = "") -> Path:
    tool = folder / name
    tool.write_text(
        f'#!/bin/sh\ncase "$1" in -V|--version) echo "{name} version {version}";; *) echo "{usage}";; esac\n'
    )
    tool.chmod(0o755)
    return tool


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A search path that holds only what a test puts there (and a shell for its scripts)."""
    monkeypatch.setattr(shell, "SEARCH_PATH", str(tmp_path))
    return tmp_path


def test_every_peer_that_is_missing_is_named(tools: Path) -> None:
    _fake(tools, "dd", "9.1")
    found = peers.find_peers()
    assert [tool.label for tool in found.found] == ["dd 9.1"]
    assert {name for name, _ in found.missing} == {"shred", "cmp", "fio", "nwipe"}
    assert all("Debian package" in reason for _, reason in found.missing)


def test_a_tool_that_tells_no_version_is_missing(tools: Path) -> None:
    _fake(tools, "fio", "unknown")
    assert ("fio", f"{tools}/fio tells no version") in peers.find_peers().missing


def test_a_second_build_of_nwipe_is_measured_too_and_the_newest_is_the_one_for_goals(tools: Path) -> None:
    _fake(tools, "nwipe", "0.33")
    other = tools / "built"
    other.mkdir()
    found = peers.find_peers([_fake(other, "nwipe", "0.42", "auto|manual splitmix64 noPDF")])
    assert [tool.version for tool in found.all("nwipe")] == ["0.33", "0.42"]
    newest = found.get("nwipe")
    assert newest is not None
    assert newest.version == "0.42"
    assert {"manual", "splitmix64", "noPDF"} <= newest.options


def test_the_same_build_twice_is_measured_once(tools: Path) -> None:
    path = _fake(tools, "nwipe", "0.42")
    assert len(peers.find_peers([path]).found) == 1


def test_versions_are_compared_as_numbers() -> None:
    tools = tuple(Tool("nwipe", f"/{version}", version) for version in ("0.9", "0.42", "0.10"))
    newest = Peers(tools, ()).get("nwipe")
    assert newest is not None
    assert newest.version == "0.42"


def test_nwipe_with_direct_io_and_without_are_different_peers() -> None:
    assert peers.nwipe(OLD, "zero", verify=False).key == "nwipe-old-zero"
    assert peers.nwipe(NEW, "zero", verify=False).key == "nwipe-zero"
    assert "page cache" in peers.nwipe(OLD, "zero", verify=False).note


def test_nwipe_measures_no_streams_of_its_own_while_it_is_measured() -> None:
    assert "--prng=default" in peers.nwipe(NEW, "zero", verify=False).stages(DEVICES)[0][0]
    assert not any(word.startswith("--prng") for word in peers.nwipe(OLD, "zero", verify=False).stages(DEVICES)[0][0])


def test_only_streams_a_version_has_are_asked_of_it() -> None:
    assert [case.key for case in peers.nwipe_streams(OLD, verify=False)] == ["nwipe-old-isaac64"]
    assert [case.key for case in peers.nwipe_streams(NEW, verify=True)] == [
        "nwipe-splitmix64", "nwipe-chacha20", "nwipe-isaac64",
    ]  # fmt: skip


def test_a_verifying_job_must_read_everything_back() -> None:
    fio = Tool("fio", "/fio", "3.33")
    verifying = [peers.nwipe(NEW, "zero", verify=True), peers.fio(fio, "zero-verify"), peers.fio(fio, "random-verify")]
    assert all(case.reads == 1 for case in verifying)
    assert peers.fio(fio, "zero").reads == 0


@pytest.mark.parametrize("job", ["zero", "random", "zero-verify", "random-verify"])
def test_fio_goes_round_the_page_cache_and_names_every_device(job: str) -> None:
    (command,) = peers.fio(Tool("fio", "/fio", "3.33"), job).stages(DEVICES)[0]
    assert "--direct=1" in command
    assert [word for word in command if word.startswith("--filename=")] == [
        "--filename=/dev/loop90",
        "--filename=/dev/loop91",
    ]


def test_tools_for_one_device_run_once_for_each_at_the_same_time() -> None:
    (stage,) = peers.shred(Tool("shred", "/shred", "9.1"), random=True).stages(DEVICES)
    assert stage == [("/shred", "-n1", "/dev/loop90"), ("/shred", "-n1", "/dev/loop91")]


def test_dd_ends_at_the_device_s_last_block_and_flushes() -> None:
    (command, _) = peers.dd(Tool("dd", "/dd", "9.1"), "zero").stages(DEVICES)[0]
    assert {"count=16", "oflag=direct", "conv=fdatasync", "of=/dev/loop90"} <= set(command)


def test_dd_and_cmp_follow_each_other() -> None:
    stages = peers.dd_cmp(Tool("dd", "/dd", "9.1"), Tool("cmp", "/cmp", "3.8")).stages(DEVICES[:1])
    assert [stage[0][0] for stage in stages] == ["/dd", "/cmp"]
