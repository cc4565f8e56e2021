"""The real service as a process of its own on an ephemeral loopback port."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 30
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def environment(data_dir: Path, port: int, **settings: str) -> dict[str, str]:
    """What the process is told; nothing else of ours leaks in."""
    url = f"http://127.0.0.1:{port}"
    told = {
        "DATA_DIR": str(data_dir),
        "PORT": str(port),
        "EXTERNAL_URL": url,
        **{k.upper(): v for k, v in settings.items()},
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SANITRAIL_")}
    return {**kept, "PYTHONPATH": str(ROOT), **{f"SANITRAIL_{name}": value for name, value in told.items()}}


def run_cli(*arguments: str, env: dict[str, str], text: str = "") -> subprocess.CompletedProcess[str]:
    """One `sanitrail` command to its end."""
    command = [sys.executable, "-m", "inventory.cli", *arguments]
    return subprocess.run(
        command, env=env, input=text, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT
    )


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes


@dataclass
class Service:
    """A running service."""

    process: subprocess.Popen[bytes]
    port: int
    output: Path
    tls: ssl.SSLContext | None = None

    def get(self, path: str) -> tuple[int, bytes]:
        """One GET: status and body."""
        answer = self.ask("GET", path)
        return answer.status, answer.body

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """One request over a connection of its own."""
        connection = (
            HTTPConnection("127.0.0.1", self.port, timeout=20)
            if self.tls is None
            else HTTPSConnection("localhost", self.port, timeout=20, context=self.tls)
        )
        with closing(connection):
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return Answer(reply.status, reply.headers, reply.read())

    def wait_until_ready(self) -> None:
        """Asks until the service is ready; fails with its own words where it died."""
        deadline = time.monotonic() + START_SECONDS
        pause = threading.Event()
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except (OSError, HTTPException):
                pause.wait(0.05)
        raise AssertionError(f"the service did not start:\n{self.output.read_text()}")


@contextmanager
def serving(data_dir: Path, port: int, *, tls: ssl.SSLContext | None = None, **settings: str) -> Iterator[Service]:
    """Serves until the block ends; the process is stopped by its own id, politely first."""
    output = data_dir.parent / f"service-{port}.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "inventory.cli", "serve"],
            env=environment(data_dir, port, **settings),
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
    service = Service(process, port, output, tls)
    try:
        service.wait_until_ready()
        yield service
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
