"""The product in the guest: loaded once, one forked process for each command.

Under emulation a Python process with the product in it takes seconds to start; a fork of one that has it takes none. What runs in
the fork is the command line's own entry point. Two things may be asked of it that no command line offers:

- `pace`: the engine's clock runs that many times faster, and its waiting is that much shorter, so that minutes of a slow drive
  pass in seconds. The drive's clock is paced likewise.
- `attached`: how a disk is attached (sata, sas, usb), by kernel name. Every emulated SCSI disk hangs on one virtual adapter, and
  the product rightly trusts a virtual path with less than a direct one.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

DOOR = "/run/lab-product"


def load() -> None:
    """Import all of it, so that no fork has to."""
    root = importlib.import_module("sanitizer")
    for found in pkgutil.walk_packages(root.__path__, "sanitizer."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def quicken(pace: float) -> None:
    """Make the engine's seconds shorter: its clock and its waiting are methods of one class."""
    system = importlib.import_module("sanitizer.system").HostSystem
    monotonic, began = system.monotonic, time.clock_gettime(time.CLOCK_BOOTTIME)
    system.monotonic = lambda self: began + (monotonic(self) - began) * pace
    system.wait = lambda _self, stop, seconds: stop.wait(seconds / pace)


def attach(attached: dict[str, str]) -> None:
    """Say of these disks that they are attached in this way."""
    reader = importlib.import_module("sanitizer.readings").__dict__
    facts: Any = next(value for value in reader.values() if isinstance(value, type) and hasattr(value, "transport"))
    before = facts.transport
    facts.transport = lambda self: attached.get(self.name) or before(self)
    driver = facts.driver
    facts.driver = lambda self: None if attached.get(self.name) else driver(self)


def command(request: dict[str, Any], out: Path) -> None:
    """In the fork: become the command."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(descriptor, 1)
    os.dup2(os.open(f"{out}.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    os.environ.update(request.get("environment", {}))
    if request.get("pace", 1) != 1:
        quicken(request["pace"])
    if request.get("attached"):
        attach(request["attached"])
    sys.argv = ["sanitizer", *request["arguments"]]
    try:
        importlib.import_module("sanitizer.cli").main(prog_name="sanitizer")
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    except BaseException:  # noqa: BLE001 - the trace is the answer
        importlib.import_module("traceback").print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def attend(channel: socket.socket, number: int) -> None:
    """In a fork of its own: run one command, watch its time, answer."""
    with channel, channel.makefile("rb") as stream:
        request: dict[str, Any] = json.loads(stream.readline())
        out = Path(f"/run/lab-command-{number}")
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            channel.close()
            command(request, out)
        status = waited_for(child, began + request["timeout"])
        answer = {"status": status, "out": encoded(out), "err": encoded(Path(f"{out}.err"))}
        channel.sendall(json.dumps(answer).encode() + b"\n")


def waited_for(child: int, end: float) -> int:
    """Its exit status; 124 when its time was up, 128 and the signal when one killed it."""
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    return 124


def encoded(path: Path) -> str:
    """A file's content, as JSON can carry it."""
    return base64.b64encode(path.read_bytes() if path.exists() else b"").decode()


def main() -> None:
    """Load, listen, fork."""
    load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{DOOR}.new")
        door.listen(16)
        Path(f"{DOOR}.new").rename(DOOR)
        number = 0
        while True:
            channel, _ = door.accept()
            number += 1
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                door.close()
                attend(channel, number)
                os._exit(0)
            channel.close()


if __name__ == "__main__":
    main()
