"""Witnesses as another organisation runs them: real processes on loopback, and the requests logs send them."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reports.tlog import ED25519, ML_DSA_44, NoteSigner, TileHashes, VerifierKey, consistency_proof, parse_vkey
from reports.tlog.witnessing import ADD_CHECKPOINT, Submission
from tests.support.evidence import ORIGIN, MemoryLog
from witness.memory import Memory

ROOT = Path(__file__).resolve().parents[2]
NAME = "witness.example.net"
NOBODY = (NoteSigner.generate("nobody.example", ML_DSA_44).verifier,)
"""Keys of a witness that never answers."""


@dataclass
class Witness:
    """A running witness."""

    url: str
    directory: Path
    keys: tuple[VerifierKey, ...]
    process: subprocess.Popen[str]

    def post(self, body: bytes, path: str = ADD_CHECKPOINT) -> tuple[int, bytes, str]:
        """Status, body and media type of an answer."""
        request = urllib.request.Request(f"{self.url}{path}", data=body, method="POST")  # noqa: S310 - loopback
        return _answer(request)

    def get(self, path: str) -> tuple[int, bytes, str]:
        """As `post`."""
        return _answer(urllib.request.Request(f"{self.url}{path}"))  # noqa: S310 - loopback


def _answer(request: urllib.request.Request) -> tuple[int, bytes, str]:
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310 - loopback
            return reply.status, reply.read(), reply.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers["Content-Type"]


def prepare(directory: Path, *vkeys: str, name: str = NAME) -> tuple[VerifierKey, ...]:
    """A witness's directory that knows one log; its keys."""
    memory = Memory.create(directory, name)
    if vkeys:
        memory.add_log(vkeys)
    return tuple(parse_vkey(signer.vkey) for signer in memory.signers())


@contextmanager
def serving(directory: Path, *command: str) -> Iterator[Witness]:
    """The witness as a process of its own. `command` runs it otherwise than `python -m witness`."""
    words = command or (sys.executable, "-m", "witness")
    process = subprocess.Popen(
        [*words, "serve", str(directory), "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert " answers at http://" in line, line
        keys = tuple(parse_vkey(signer.vkey) for signer in Memory(directory).signers())
        yield Witness(line.rsplit(" ", 1)[1].strip(), directory, keys, process)
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def make_log(entries: int = 0) -> MemoryLog:
    """A log with both kinds of keys and some entries."""
    log = MemoryLog([NoteSigner.generate(ORIGIN, ED25519), NoteSigner.generate(ORIGIN, ML_DSA_44)])
    for number in range(entries):
        log.append_entry(b"entry %d" % number)
    return log


def submission(log: MemoryLog, old: int) -> Submission:
    """What the log sends a witness that has seen `old` entries."""
    proof = () if old == 0 else consistency_proof(TileHashes(log), old, log.checkpoint.size)
    return Submission(old, proof, log.note())
