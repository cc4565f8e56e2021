"""The service as a process: it starts, answers, survives bad connections, stops when told, and refuses unsafe starts."""

from __future__ import annotations

import json
import signal
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from inventory.api.bodies import MAX_PERSON_BODY
from tests.support.live_service import STOP_SECONDS, Service, environment, free_port, run_cli, serving
from tests.support.tls import tls_files


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    made = run_cli("init", "--json", env=environment(folder, 1))
    assert made.returncode == 0, made.stderr
    assert len(json.loads(made.stdout)["pin"]) == 64
    return folder


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service") / "data"
    assert run_cli("init", env=environment(folder, 1)).returncode == 0
    with serving(folder, free_port()) as running:
        yield running


def test_it_answers_prints_the_first_link_and_stops_on_sigterm(data_dir: Path) -> None:
    port = free_port()
    with serving(data_dir, port) as service:
        assert service.get("/healthz")[0] == 200
        assert service.get("/api/v1/devices")[0] == 401
        link = next(line.strip() for line in service.output.read_text().splitlines() if "/welcome/" in line)
        assert service.get(link.removeprefix(f"http://127.0.0.1:{port}"))[0] == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(STOP_SECONDS) == 0
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_many_ask_at_once_while_idle_connections_are_held_open(service: Service) -> None:
    held = [socket.create_connection(("127.0.0.1", service.port), timeout=5) for _ in range(60)]
    try:
        for number, connection in enumerate(held):
            if number % 2:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: service.get("/readyz")[0], range(40)))
        assert set(answers) == {200}
    finally:
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00" * 2000,
        b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
)
def test_a_mangled_request_harms_nobody_else(service: Service, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        answer = b""
        with suppress(OSError):  # the service may hang up at any point of this
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answer += chunk
    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))
    assert service.get("/healthz")[0] == 200


def test_a_chunked_body_is_read_within_its_limit(service: Service) -> None:
    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}

    def ask(content: bytes) -> int:
        chunked = b"".join(
            b"%x\r\n%b\r\n" % (len(content[at : at + 60_000]), content[at : at + 60_000])
            for at in range(0, len(content), 60_000)
        )
        return service.ask("POST", "/api/v1/session", chunked + b"0\r\n\r\n", headers).status

    assert ask(b'{"login":"nobody","password":"not this one"}') == 401
    assert ask(b'{"login":"' + b"x" * MAX_PERSON_BODY + b'"}') == 413
    with suppress(OSError):  # a server that has answered may close on a client that goes on sending
        assert ask(b'{"login":"' + b"x" * 9_000_000 + b'"}') == 413
    assert service.get("/healthz")[0] == 200


def test_it_serves_over_tls_and_says_so(data_dir: Path, tmp_path: Path) -> None:
    port = free_port()
    files = tls_files(tmp_path)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    told = {name: str(path) for name, path in files.items()}
    with serving(data_dir, port, tls=context, external_url=f"https://localhost:{port}", **told) as service:
        reply = service.ask("GET", "/api/v1/log/trust")
        assert reply.status == 200
        assert reply.headers["Strict-Transport-Security"]
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname = False
        old.verify_mode = ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, pytest.raises(ssl.SSLError):
            old.wrap_socket(plain)


def test_two_services_on_one_port_are_refused(data_dir: Path, service: Service) -> None:
    second = run_cli("serve", env=environment(data_dir, service.port))
    assert second.returncode == 3
    assert "S06 REFUSED" in second.stderr


def test_plain_http_beyond_this_machine_is_refused_with_a_hint(data_dir: Path) -> None:
    refused = run_cli("serve", "--listen", "0.0.0.0", env=environment(data_dir, free_port()))  # noqa: S104 - it must refuse
    assert refused.returncode == 3
    assert "S02 REFUSED" in refused.stderr
    assert "tls_certificate" in refused.stderr


def test_without_an_inventory_it_says_what_to_do(tmp_path: Path) -> None:
    refused = run_cli("serve", env=environment(tmp_path / "nothing", free_port()))
    assert refused.returncode == 3
    assert "sanitrail init" in refused.stderr
