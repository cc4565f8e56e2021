"""A carrier is believed in nothing: whatever it does, the helper has an answer of the service or none."""

from __future__ import annotations

import os
import pwd
import random
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from agents import assembly, errand, exchange
from agents import carrier as carrying
from agents.carried import Carried, Carriers, CarrierUser, NotCarried, carrier_user
from agents.carrier import Carrier
from agents.channel import receive
from agents.client import Client
from agents.clock import ClockWatch, SystemClock
from agents.config import Settings
from agents.errors import CarrierPrivileged, ConfigInvalid, Unreachable
from agents.exchange import Ask, Failed, Told
from agents.notify import Notifier
from reports.keys import FileSigner
from tests.support.agent_process import ROOT
from tests.support.agent_world import AgentWorld

ME = CarrierUser(os.getuid(), os.getgid())
ASK = Ask(1, "GET", "https://sanitrail.example.org/api/v1/log/checkpoint", (), 2000)
HONEST = exchange.encode_answer(Told(1, 200, (("content-type", "text/plain"),)), b"yes")


@contextmanager
def hostile(reply: Callable[[bytes], bytes | None], carriers: Carriers | None = None) -> Iterator[Carriers]:
    """Carriers with one connection, whose other side answers whatever `reply` says to what it was asked; None: nothing."""
    pool = carriers or Carriers(Path("/nonexistent"), ME, 0.02)
    mine, theirs = socket.socketpair()

    def answer() -> None:
        with theirs:
            try:
                head, _ = receive(theirs, exchange.MAX_ASK_BODY, None)
                data = reply(head)
                if data is not None:
                    theirs.sendall(data)
                    theirs.recv(1)
            except OSError:
                return

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    assert pool.take(mine)
    try:
        yield pool
    finally:
        pool.close()
        mine.close()
        thread.join(30)


def test_an_answer_in_form_is_handed_on() -> None:
    with hostile(lambda _: HONEST) as pool:
        assert pool.exchange(ASK, b"", 1.0) == (Told(1, 200, (("content-type", "text/plain"),)), b"yes")


@pytest.mark.parametrize(
    "reply",
    [
        lambda _: None,
        lambda _: b"",
        lambda _: b"\xff" * 64,
        lambda _: exchange.PREFIX.pack(exchange.MAX_HEAD, exchange.MAX_TOLD_BODY + 1),
        lambda _: HONEST[:-2],
        lambda _: exchange.encode_answer(Told(2, 200, ()), b"of another request"),
        lambda _: exchange.encode_answer(Failed(1, "connect", ""), b"with a body"),
        lambda head: exchange.PREFIX.pack(len(head), 0) + head,
    ],
    ids=["gone", "silent", "noise", "too-long", "cut", "another", "failure-with-body", "echo"],
)
def test_whatever_else_it_says_is_no_answer(reply: Callable[[bytes], bytes | None]) -> None:
    quick = Ask(1, "GET", ASK.url, (), 50)
    with hostile(reply) as pool, pytest.raises(NotCarried):
        pool.exchange(quick, b"", 1.0)


def test_noise_of_many_kinds_is_no_answer_and_stops_nothing() -> None:
    """The byte fuzzer of the interface: honest frames with bytes changed, cut out and put in, by a fixed seed."""
    chance = random.Random(88)  # noqa: S311 - repeatable noise
    pool = Carriers(Path("/nonexistent"), ME, 0.02)
    for _ in range(150):
        noise = bytearray(HONEST)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(noise))
            noise[at : at + chance.randint(0, 2)] = chance.randbytes(chance.randint(0, 3))
        data = bytes(noise)
        with hostile(lambda _, data=data: data, pool):  # type: ignore[misc]
            try:
                answer, _ = pool.exchange(Ask(1, "GET", ASK.url, (), 20), b"", 1.0)
            except NotCarried:
                continue
            assert isinstance(answer, Told | Failed)


def test_a_connection_that_speaks_unasked_is_not_used() -> None:
    pool = Carriers(Path("/nonexistent"), ME, 0.02)
    mine, theirs = socket.socketpair()
    theirs.sendall(HONEST)  # an answer prepared for a question that was not asked yet
    assert pool.take(mine)
    with theirs, pytest.raises(NotCarried, match="no carrier"):
        pool.exchange(ASK, b"", 0.05)


def test_another_user_is_turned_away() -> None:
    pool = Carriers(Path("/nonexistent"), CarrierUser(os.getuid() + 1, os.getgid()))
    mine, theirs = socket.socketpair()
    with theirs:
        assert not pool.take(mine)
        assert theirs.recv(1) == b"", "its connection is closed"


def test_connections_without_end_do_not_fill_the_helper() -> None:
    pool = Carriers(Path("/nonexistent"), ME, 0.02)
    pairs = [socket.socketpair() for _ in range(40)]
    kept = [pool.take(mine) for mine, _ in pairs]
    for _, theirs in pairs:
        theirs.close()
    assert sum(kept) == 16
    pool.close()


@pytest.mark.parametrize("name", ["root", "nobody-by-this-name"])
def test_the_carrier_is_a_user_of_its_own(name: str) -> None:
    with pytest.raises(ConfigInvalid):
        carrier_user(name)


def test_giving_up_root_is_for_good_and_root_never_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    carrying.become("nobody", lambda uid, gid: became.append((uid, gid)))
    expected = carrier_user("nobody")
    assert became == [(expected.uid, expected.gid)]
    with pytest.raises(CarrierPrivileged):
        carrying.require_unprivileged()


# --- both halves, with the service behind them ------------------------------------------------------------------------


@contextmanager
def both_halves(transport: httpx2.BaseTransport) -> Iterator[Carriers]:
    with tempfile.TemporaryDirectory(prefix="sanitrail-") as folder:
        address = Path(folder, "carrier.sock")
        carriers = Carriers(address, ME)
        carriers.listen()
        carrier = Carrier(address, connect_timeout=5.0, transport=transport, helper_uid=os.getuid())
        thread = threading.Thread(target=carrier.run, daemon=True)
        thread.start()
        try:
            yield carriers
        finally:
            carrier.stop()
            carriers.close()
            thread.join(30)


def client_through(world: AgentWorld, carriers: Carriers) -> Client:
    watch = assembly.open_watch(world.settings, world.clock)
    link = Carried(carriers, connect_timeout=5.0, reply_timeout=20.0)
    return Client(world.service.base, world.signer, watch, link)


def test_a_signed_request_reaches_the_service_unchanged_and_its_answer_comes_back(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    world.order()
    with both_halves(world.service.transport()) as carriers:
        client = client_through(world, carriers)
        lease = client.lease().lease
        assert lease is not None
        assert client.rosters(0).rosters
        assert any(line.startswith("POST") for line in world.service.requests)


def test_a_service_that_is_away_is_away_for_the_helper_too(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    world.service.away = True
    with both_halves(world.service.transport()) as carriers, pytest.raises(Unreachable):
        client_through(world, carriers).checkpoint()


def test_once_closed_nobody_waits_for_another_connection() -> None:
    """What waited on would take one more connection, which nobody closes."""
    with tempfile.TemporaryDirectory(prefix="sanitrail-") as folder:
        before = set(threading.enumerate())
        carriers = Carriers(Path(folder, "s"), ME)
        carriers.listen()
        (accepting,) = set(threading.enumerate()) - before
        carriers.close()
        accepting.join(10)
        assert not accepting.is_alive()


def test_without_a_carrier_the_service_is_unreachable(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    link = Carried(Carriers(Path("/nonexistent"), ME, 0.02), connect_timeout=0.05, reply_timeout=0.05)
    quick = Client(world.service.base, world.signer, ClockWatch(SystemClock(), 120.0), link)
    with pytest.raises(Unreachable, match="no carrier"):
        quick.checkpoint()


# --- a command's own carrier ------------------------------------------------------------------------------------------


@pytest.fixture
def sent_out(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The carriers that commands start."""
    started: list[subprocess.Popen[bytes]] = []
    begin = errand._send_out

    def noted(settings: Settings, stream: socket.socket) -> subprocess.Popen[bytes]:
        started.append(begin(settings, stream))
        return started[-1]

    monkeypatch.setattr(errand, "_send_out", noted)
    return started


@pytest.mark.skipif(os.geteuid() != 0, reason="capability missing: root, who must not speak to a network")
def test_a_command_of_roots_speaks_through_a_process_without_rights_that_ends_with_it(
    tmp_path: Path, sent_out: list[subprocess.Popen[bytes]]
) -> None:
    world = AgentWorld(tmp_path)
    server = world.service.serve()
    settings = Settings(server=world.service.base, state_dir=world.settings.state_dir)
    try:
        with errand.way(settings) as link:
            watch = assembly.open_watch(settings, world.clock)
            assert Client(world.service.base, world.signer, watch, link).rosters(0).rosters
            (child,) = sent_out
            status = Path(f"/proc/{child.pid}/status").read_text().splitlines()
            facts = dict(line.split(":\t", 1) for line in status if ":\t" in line)
            assert {int(number) for number in facts["Uid"].split()} == {pwd.getpwnam(errand.user_of(settings)).pw_uid}
            assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == 0
    finally:
        server.shutdown()
        server.server_close()
    assert child.returncode is not None


def test_a_command_uses_the_carriers_user_or_nobody_and_never_root() -> None:
    assert errand.user_of(Settings(carrier_user="daemon")) == "daemon"
    assert errand.user_of(Settings()) in {"sanitrail-carrier", "nobody"}
    for name in ("root", "no-user-by-this-name"):
        with pytest.raises(ConfigInvalid):
            errand.user_of(Settings(carrier_user=name))


def test_a_carrier_that_cannot_start_is_a_service_out_of_reach(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("capability missing: root, who must not speak to a network")
    settings = Settings(server="https://127.0.0.1:9", ca_file=tmp_path / "missing.pem")
    key = FileSigner.generate()
    with errand.way(settings) as link, pytest.raises(Unreachable):
        Client(settings.server, key, ClockWatch(SystemClock(), 120.0), link).lease()
    assert "No such file" in capfd.readouterr().err


def test_a_hijacked_carrier_cannot_answer_the_hold_question(tmp_path: Path) -> None:
    world = AgentWorld(tmp_path)
    world.service.holds.append("Hold AZ-1: Litigation.")

    def lies(name: str, reply: dict[str, object]) -> dict[str, object]:
        return {**reply, "clear": True, "reasons": []} if name.endswith("/holds") else reply

    world.service.alter = lies
    order = world.order()
    world.settle()
    (record,) = order.records
    assert record is not None
    (body,) = world.records()
    assert (body["run"]["state"], body["run"]["touched"]) == ("refused", "no")
    assert world.system.drive.writes == 0


def test_the_process_that_carries_loads_nothing_that_reads_messages_keys_or_devices() -> None:
    heavy = ("pydantic", "cryptography", "sanitizer", "inventory", "psutil", "pyudev", "click")
    look = f"import sys, agents.carrier; print(sorted(set(sys.modules) & set({heavy})))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_whoever_watches_hears_again_and_again_that_it_lives(tmp_path: Path) -> None:
    told = tmp_path / "n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as watching:
        watching.bind(str(told))
        watching.settimeout(60)
        carrier = Carrier(tmp_path / "nobody", connect_timeout=1.0)
        running = threading.Thread(target=carrier.run, args=(Notifier(str(told), 0.03),))
        running.start()
        try:
            assert [watching.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        finally:
            carrier.stop()
            running.join(60)
