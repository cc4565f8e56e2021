"""Many at once against a running service: readers who open one list after another, and agents who speak by the clock.

A small HTTP client of its own, because the machine is shared with the service: one request costs it a tenth of a millisecond.
What it sends is what browsers, scripts and agents send; agents' messages are signed as the agent signs them (RFC 9421).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import random
import secrets
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from reports.envelope import Signer

ANSWER_SECONDS = 30.0
"""Who waits longer has had no answer."""
TAG = "sanitrail-agent-1"


@dataclass
class Times:
    """Every answer's time in milliseconds, and what went wrong."""

    took: list[float] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    size: int = 0
    """Bytes of the largest answer."""

    @property
    def median(self) -> float:
        """Half of the answers came sooner."""
        return statistics.median(self.took) if self.took else float("nan")

    def share(self, part: float) -> float:
        """So many of the answers came within this time."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("nan")


class Wire:
    """One kept connection of one client."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.opened = 0

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body. A connection the service has closed meanwhile is opened again, once, as every client does."""
        fresh = self._streams is None
        try:
            return await asyncio.wait_for(self._once(request), ANSWER_SECONDS)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            if fresh:
                raise
            return await asyncio.wait_for(self._once(request), ANSWER_SECONDS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            with contextlib.suppress(Exception):
                self._streams[1].close()
        self._streams = None

    async def _once(self, request: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            self.opened += 1
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        if status in {204, 304}:
            return status, b""
        if (at := head.find(b"content-length:")) >= 0:
            return status, await reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))
        parts: list[bytes] = []
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
            part = await reader.readexactly(size + 2)
            if not size:
                return status, b"".join(parts)
            parts.append(part[:-2])


@dataclass(frozen=True)
class Where:
    """The service's processes, as a proxy in front of them would know them."""

    authority: str
    """The name it goes by."""
    ports: tuple[int, ...]
    processes: tuple[int, ...] = ()
    """Their numbers on this machine."""


# -- readers -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """One address, and what shows who asks for it."""

    path: str
    header: str


async def read_by_many(where: Where, page: Page, readers: int, seconds: float, pause: float) -> Times:
    """So many readers ask for one page; each asks again `pause` seconds after its answer, on the average."""
    found = Times()
    request = f"GET {page.path} HTTP/1.1\r\nHost: {where.authority}\r\n{page.header}\r\n\r\n".encode()
    end = time.monotonic() + seconds

    async def one(number: int) -> None:
        wire = Wire(where.ports[number % len(where.ports)])
        await asyncio.sleep(random.random() * pause)  # noqa: S311 - not a secret
        while time.monotonic() < end:
            began = time.perf_counter()
            try:
                status, body = await wire.ask(request)
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
                found.wrong[type(error).__name__] += 1
                continue
            found.took.append((time.perf_counter() - began) * 1000)
            found.size = max(found.size, len(body))
            if status != 200:
                found.wrong[str(status)] += 1
            rest = pause * (0.5 + random.random())  # noqa: S311 - as above
            if time.monotonic() + rest >= end:
                break
            await asyncio.sleep(rest)
        wire.close()

    await asyncio.gather(*(one(number) for number in range(readers)))
    return found


# -- agents ------------------------------------------------------------------------------------------------------------


@dataclass
class Spoken:
    """An agent as the load knows it."""

    signer: Signer
    host: str
    position: dict[str, object]
    """The newest checkpoint it has seen."""
    lease: str = ""
    """Of the run under way; empty: none."""
    order: str = ""
    done: int = 0


def signed(where: Where, agent: Spoken, path: str, message: object) -> bytes:
    """A request as the agent signs it."""
    body = json.dumps(message, separators=(",", ":")).encode()
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    parameters = (
        '("@method" "@authority" "@target-uri" "content-type" "content-digest")'
        f';created={int(time.time())};keyid="{agent.signer.key_id}";alg="ed25519";nonce="{secrets.token_hex(12)}";tag="{TAG}"'
    )
    base = (
        f'"@method": POST\n"@authority": {where.authority}\n"@target-uri": http://{where.authority}{path}\n'
        f'"content-type": application/json\n"content-digest": {digest}\n"@signature-params": {parameters}'
    )
    seal = base64.b64encode(agent.signer.sign(base.encode())).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {where.authority}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nContent-Digest: {digest}\r\n"
        f"Signature-Input: agent={parameters}\r\nSignature: agent=:{seal}:\r\n\r\n"
    )
    return head.encode() + body


def heartbeat(agent: Spoken) -> dict[str, object]:
    """What an agent says each half minute."""
    return {
        "agent_version": "0.1.0",
        "boot_id": "6f1c9c1e-0f0c-4b69-9d54-a1d2c3b4e5f6",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "running": [agent.order] if agent.order else [],
        "outbox": 0,
        "checkpoint": agent.position,
    }


def progress(agent: Spoken) -> dict[str, object]:
    """What it says of a run."""
    agent.done += 1_000_000_000
    return {
        "token": 1, "state": "executing", "pass_number": 1, "passes": 1, "bytes_done": agent.done,
        "bytes_total": 4_000_787_030_016, "bytes_per_second": 200_000_000, "seconds_left": 15_000, "errors": 0,
        "temperature": 38,
    }  # fmt: skip


def take_in(agent: Spoken, answer: bytes) -> None:
    """The newest checkpoint of a heartbeat's answer: the agent names it next time."""
    origin, size, root = json.loads(answer)["checkpoint"].split("\n")[:3]
    agent.position = {"origin": origin, "size": int(size), "root": root}


@dataclass
class Heard:
    """How the agents fared."""

    beats: Times = field(default_factory=Times)
    reports: Times = field(default_factory=Times)
    late: float = 0.0
    """Seconds by which the load itself fell behind its clock, at worst."""
    reconnected: int = 0


async def _by_the_clock(due: float, every: float, end: float, heard: Heard, act: Callable[[], Awaitable[None]]) -> None:
    """Act at `due` and then again and again, until the end; who is late does not catch up by hurrying."""
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        heard.late = max(heard.late, time.monotonic() - due)
        await act()
        due = max(due + every, time.monotonic() - every)


async def speak(
    where: Where, agents: Sequence[Spoken], beat_seconds: float, report_seconds: float, seconds: float
) -> Heard:
    """Every agent beats by the clock, and those with a run report it; each on a connection of its own, which is kept."""
    heard = Heard()
    began = time.monotonic()
    end = began + seconds
    wires: list[Wire] = []

    async def tell(wire: Wire, agent: Spoken, path: str, message: object, into: Times) -> bytes:
        started = time.perf_counter()
        try:
            status, answer = await wire.ask(signed(where, agent, path, message))
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            into.wrong[type(error).__name__] += 1
            return b""
        into.took.append((time.perf_counter() - started) * 1000)
        if status != 200:
            into.wrong[f"{status} {answer[:120].decode(errors='replace')}"] += 1
            return b""
        return answer

    async def beat(wire: Wire, agent: Spoken) -> None:
        answer = await tell(wire, agent, "/api/v1/agent/heartbeat", heartbeat(agent), heard.beats)
        if answer:
            take_in(agent, answer)

    async def report(wire: Wire, agent: Spoken) -> None:
        path = f"/api/v1/agent/leases/{agent.lease}/progress"
        answer = await tell(wire, agent, path, progress(agent), heard.reports)
        if answer and not json.loads(answer)["current"]:
            heard.reports.wrong["not current"] += 1

    tasks = []
    for number, agent in enumerate(agents):
        port = where.ports[number % len(where.ports)]
        wires.append(Wire(port))
        offset = beat_seconds * number / len(agents)
        tasks.append(_by_the_clock(began + offset, beat_seconds, end, heard, partial(beat, wires[-1], agent)))
        if agent.lease:
            wires.append(Wire(port))
            offset = report_seconds * random.random()  # noqa: S311 - not a secret
            tasks.append(_by_the_clock(began + offset, report_seconds, end, heard, partial(report, wires[-1], agent)))
    await asyncio.gather(*tasks)
    heard.reconnected = sum(max(0, wire.opened - 1) for wire in wires)
    for wire in wires:
        wire.close()
    return heard
