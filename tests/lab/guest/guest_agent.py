"""The guest's side of the command channel: one JSON request a line in, one JSON answer a line out.

Standard library only: it runs before anything of ours is imported. Every request has a number and a time limit, and runs in a
thread of its own, so that a hung command neither holds up the next one nor is taken for its answer.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

PORT = "lab.agent"
CHUNK = 32 << 10
"""Larger writes to a virtio port are cut."""

_talking = threading.Lock()


def say(port: int, answer: dict[str, Any]) -> None:
    """One line, whole."""
    line = json.dumps(answer).encode() + b"\n"
    with _talking:
        while line:
            line = line[os.write(port, line[:CHUNK]) :]


def run(request: dict[str, Any]) -> dict[str, Any]:
    """A shell command; killed with everything it started when its time is up."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", request["command"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(timeout=request["timeout"])
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        # A process that hangs in the kernel does not die; its output is then not waited for.
        try:
            out, _ = process.communicate(timeout=2)
        except subprocess.TimeoutExpired:
            out = b""
        return {"status": 124, "out": _text(out)}
    return {"status": process.returncode, "out": _text(out)}


def product(request: dict[str, Any]) -> dict[str, Any]:
    """A command of the product, run by its own server (`guest_product.py`)."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(request["timeout"] + 5)
        channel.connect("/run/lab-product")
        channel.sendall(json.dumps(request).encode() + b"\n")
        with channel.makefile("rb") as stream:
            answer: dict[str, Any] = json.loads(stream.readline())
    return answer


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def serve(port: int, request: dict[str, Any]) -> None:
    """Answer one request, whatever happens."""
    began = time.monotonic()
    try:
        answer = (product if "arguments" in request else run)(request)
    except Exception as error:  # noqa: BLE001 - the other side is told, and decides
        answer = {"status": 125, "out": _text(repr(error).encode())}
    say(port, {"number": request["number"], "seconds": time.monotonic() - began, **answer})


def device() -> str:
    """The port's node, by the kernel's name for it: udev may not have seen it yet."""
    while True:
        for name in Path("/sys/class/virtio-ports").glob("*/name"):
            if name.read_text().strip() == PORT:
                return f"/dev/{name.parent.name}"
        time.sleep(0.05)


def main() -> None:
    """Wait for the port, greet, serve for ever."""
    port = os.open(device(), os.O_RDWR)
    say(port, {"number": 0, "status": 0, "out": "", "seconds": float(Path("/proc/uptime").read_text().split()[0])})
    waiting = b""
    while True:
        got = os.read(port, 1 << 16)
        if not got:  # nobody listens at the other end
            time.sleep(0.05)
            continue
        *lines, waiting = (waiting + got).split(b"\n")
        for line in lines:
            threading.Thread(target=serve, args=(port, json.loads(line)), daemon=True).start()


if __name__ == "__main__":
    main()
