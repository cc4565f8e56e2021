"""forward.py PORT: what a program of the guest says to this port of its own loopback, the lab's host hears on the same port.

Standard library only. The agent speaks plain http to its own machine alone; the guest's network leads to the host as 10.0.2.2.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading

HOST = "10.0.2.2"


def pump(here: socket.socket, there: socket.socket) -> None:
    """One direction, to its end."""
    with contextlib.suppress(OSError):
        while data := here.recv(1 << 16):
            there.sendall(data)
        there.shutdown(socket.SHUT_WR)


def joined(near: socket.socket, port: int) -> None:
    """One connection; where nobody answers, it ends."""
    with near, contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=10) as far:
        far.settimeout(None)
        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join()


def main() -> None:
    """Listen for ever."""
    port = int(sys.argv[1])
    with socket.create_server(("127.0.0.1", port)) as door:
        while True:
            near, _ = door.accept()
            threading.Thread(target=joined, args=(near, port), daemon=True).start()


if __name__ == "__main__":
    main()
