"""The agent's package under a real systemd, on a Debian of its own: what only an init system and a package manager can show.

One machine, one run on one disk. In the middle of it both halves hang until systemd's watchdog ends them, then a newer version is
installed over the one that runs, then the older one over that; the run goes on each time, and is one run with one record.

The watchdog is set to the shortest time that a machine without a processor of its own keeps to; half of the minutes are its.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reports.envelope import payload_digest, unverified_body
from tests.support.fake_service import FakeService, Order
from tools import package_deb

from . import debian
from .emulated import Emulated, sata
from .rig import Rig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

MIB = 96
SLOW = 0.5
"""Seconds added to each write of the disk, so that a run has a middle."""
PATIENCE = 300.0
WATCHDOG = 60
HALVES = ("sanitrail-helper.service", "sanitrail-carrier.service")
EXPOSURE = {"sanitrail-helper.service": 3.2, "sanitrail-carrier.service": 1.4}
"""At most, in the measure of systemd-analyze: 0 is closed in, 10 is open."""
NEWER = "99.0"


@dataclass
class Host:
    """The machine, its disk and its service."""

    rig: Rig
    disk: Emulated
    service: FakeService
    exposure: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    hung: dict[str, str] = field(default_factory=dict)
    """By half: what the journal says of its end."""
    versions: list[str] = field(default_factory=list)
    """As systemd's processes had them, one after another."""
    own_memory: dict[str, int] = field(default_factory=dict)
    """Bytes that nobody else has and the host cannot take back, right after the first look at everything attached."""
    order: Order | None = None
    writes: int = 0
    pause: float = SLOW

    def __post_init__(self) -> None:
        write = self.disk.medium.write

        def slowly(lba: int, data: bytes) -> None:
            self.writes += 1
            time.sleep(self.pause)
            write(lba, data)

        self.disk.medium.write = slowly  # type: ignore[method-assign]

    def run(self, command: str) -> str:
        return self.rig.vm.run(command, PATIENCE).checked().out

    def shown(self, unit: str, name: str) -> str:
        return self.run(f"systemctl show -P {name} {unit}").strip()

    def settled(self) -> None:
        """Both halves are up and ready, as systemd sees it."""
        self.until(lambda: all(self.shown(unit, "ActiveState") == "active" for unit in HALVES), "both halves are up")

    def until(self, true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > end:
                journal = self.rig.vm.run("journalctl --no-pager -n 60").out
                raise AssertionError(f"it did not happen: {what}\n{journal}")
            time.sleep(0.2)

    def goes_on(self) -> None:
        """The run writes, after whatever happened to the agent."""
        before = self.writes
        self.until(lambda: self.writes > before, "the run goes on")

    def version(self) -> None:
        """The one that runs, by its heartbeat."""
        seen = len(self.service.heartbeats)
        self.until(lambda: len(self.service.heartbeats) > seen, "a heartbeat")
        self.versions.append(self.service.heartbeats[-1].agent_version)


@pytest.fixture(scope="module")
def packages(lab: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The package as it is built, and the same as a newer version."""
    folder = tmp_path_factory.mktemp("deb")
    built = package_deb.build(folder / "built")
    return built, _newer(built, folder)


def _newer(package: Path, folder: Path) -> Path:
    """The same program under a number of its own, which is what a package manager and a record tell versions by."""
    root, made = folder / "root", folder / f"{package_deb.NAME}_{NEWER}.deb"
    subprocess.run(["dpkg-deb", "-R", str(package), str(root)], check=True)
    (told,) = (root / package_deb.LIBRARY).glob("sanitrail-*.dist-info")
    for file in (root / "DEBIAN/control", told / "METADATA"):
        file.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {NEWER}", file.read_text("utf-8")), "utf-8")
    told.rename(told.with_name(f"sanitrail-{NEWER}.dist-info"))
    line = ["dpkg-deb", "--root-owner-group", "--build", "-Zgzip", "-z1", str(root), str(made)]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(root)
    return made


@pytest.fixture(scope="module")
def host(packages: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The whole story."""
    service = FakeService()
    server = service.serve()
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # halves that end leave connections behind
    with Rig(tmp_path_factory.mktemp("systemd"), bays=1, root=debian.root(), first="systemd.sh") as rig:
        found = Host(rig, sata("LAB-SYSTEMD", mib=MIB), service)
        try:
            rig.share.mkdir(parents=True)
            older, newer = (Path(shutil.copy(package, rig.share)).name for package in packages)
            rig.boot()
            found.disk.plug(rig)
            _installed(found, older)
            _enrolled(found)
            _under_way(found)
            _hangs(found)
            _replaced(found, newer)
            _replaced(found, older)
            found.pause = 0.0
            assert found.order is not None
            order = found.order
            found.until(lambda: order.state == "recorded", "a record")
            yield found
        finally:
            server.shutdown()
            server.server_close()


def _installed(host: Host, package: str) -> None:
    """By dpkg, which finds every dependency. Settings: where the service is, and a watchdog this machine keeps to."""
    host.run(f"dpkg -i /lab/{package}")
    port = host.service.base.rpartition(":")[2]
    # The agent speaks plain HTTP to its own machine only: systemd's own proxy carries it to the test.
    words = {
        "proxy.socket": f"[Socket]\nListenStream=127.0.0.1:{port}\n",
        "proxy.service": f"[Service]\nExecStart=/lib/systemd/systemd-socket-proxyd 10.0.2.2:{port}\n",
        **{f"{half}.d/lab.conf": f"[Service]\nWatchdogSec={WATCHDOG}\nRestartSec=1\n" for half in HALVES},
    }
    for name, text in words.items():
        place = f"/etc/systemd/system/{name}"
        host.run(f"mkdir -p $(dirname {place}) && printf %s {shlex.quote(text)} > {place}")
    settings = {"server": host.service.base, "survey": False, "outbox_retry_limit": 1.0}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    host.run(f"printf %s {shlex.quote(text)} > /etc/sanitrail/agent.toml")
    host.run("systemctl daemon-reload && systemctl start proxy.socket")


def _enrolled(host: Host) -> None:
    world = host.service.world
    pins = f"--trust-root {world.pin} --roster {payload_digest(world.rosters[-1][0])}"
    token = shlex.quote(host.service.new_token())
    answer = json.loads(host.run(f"printf %s {token} | sanitrail-agent enrol --token-file - {pins} --json"))
    host.service.hosts[answer["key_id"]].status = "confirmed"
    host.run(f"systemctl start {' '.join(HALVES)}")  # returns when both have said that they are ready
    host.kinds = {half: f"{host.shown(half, 'Type')} {host.shown(half, 'ActiveState')}" for half in HALVES}
    for half in HALVES:
        said = host.run(f"systemd-analyze security --no-pager {half} | tail -1")
        host.exposure[half] = float(re.findall(r"exposure level for \S+: ([0-9.]+)", said)[0])


def _under_way(host: Host) -> None:
    service = host.service
    seen: Callable[[], list[Any]] = lambda: [  # noqa: E731 - asked again and again
        one.identity
        for observation in service.observations
        for one in observation.devices
        if one.identity is not None and one.identity.serial == host.disk.serial
    ]
    host.until(lambda: bool(seen()), "the disk is seen")
    for half in HALVES:
        told = host.run(f"cat /proc/{host.shown(half, 'MainPID')}/status")
        host.own_memory[half] = 1024 * int(re.findall(r"(?m)^RssAnon:\s+(\d+) kB", told)[0])
    host.version()
    (key,) = service.hosts
    host.order = service.order(key, seen()[0].fingerprint, plan={"verification": "full", "pattern_set": "zeros"})
    host.goes_on()


def _hangs(host: Host) -> None:
    """Both halves stop where they are, and nothing but systemd knows."""
    before = {half: host.shown(half, "MainPID") for half in HALVES}
    host.run(f"systemctl kill --kill-who=main --signal=STOP {' '.join(HALVES)}")
    host.until(
        lambda: all(host.shown(half, "MainPID") not in {before[half], "0"} for half in HALVES), "both begin anew"
    )
    host.settled()
    for half in HALVES:
        host.hung[half] = host.run(f"journalctl --no-pager -o cat -u {half} _PID=1")
    host.goes_on()


def _replaced(host: Host, package: str) -> None:
    host.run(f"dpkg -i /lab/{package}")
    host.settled()
    host.version()
    host.goes_on()


def test_both_halves_say_that_they_are_ready(host: Host) -> None:
    assert host.kinds == dict.fromkeys(HALVES, "notify active")


@pytest.mark.parametrize("half", HALVES)
def test_a_half_that_hangs_is_ended_and_started_anew(host: Host, half: str) -> None:
    assert "Watchdog timeout" in host.hung[half]


def test_each_version_runs_in_its_turn(host: Host) -> None:
    assert host.versions == [package_deb.version(), NEWER, package_deb.version()]


def test_the_run_goes_on_through_all_of_it_and_is_one(host: Host) -> None:
    assert host.order is not None
    (record,) = host.order.records
    run = unverified_body(record, "sanitization-record")["run"]
    assert run["state"] == "succeeded"
    assert [segment["ended_by"] for segment in run["segments"]] == ["crashed", "stopped", "stopped", "completed"]
    assert host.disk.old() == 0


def test_systemd_sees_them_closed_in_as_they_run(host: Host) -> None:
    assert all(score <= EXPOSURE[half] for half, score in host.exposure.items()), host.exposure


def test_both_are_small_right_after_their_first_look(host: Host) -> None:
    assert sum(host.own_memory.values()) < 60_000_000, host.own_memory
