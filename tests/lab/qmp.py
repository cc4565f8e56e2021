"""The machine's management socket (QMP): hot-plug, and nothing that could hang a test for ever."""

from __future__ import annotations

import json
import socket
from typing import Any


class QmpError(Exception):
    """The machine did not do it."""


class Qmp:
    """One connection, one question at a time."""

    def __init__(self, channel: socket.socket, timeout: float = 30) -> None:
        self._socket = channel
        self._socket.settimeout(timeout)
        self._stream = self._socket.makefile("rb")
        self._stream.readline()  # its greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 - whatever JSON it answers
        """Ask; events that come between are passed over. Raises `QmpError`."""
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while line := self._stream.readline():
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise QmpError(f"{command}: {answer['error']['desc']}")
        raise QmpError(f"{command}: the machine is gone")

    def close(self) -> None:
        """Let go."""
        self._stream.close()
        self._socket.close()
