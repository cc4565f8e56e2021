"""Two real service processes on one PostgreSQL: one log, each create once, each lease once, upkeep's work once."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from inventory.clock import SystemClock
from inventory.domain.roles import Role
from inventory.events import Tag
from inventory.models import Event, ExceptionItem, HostContact, Lease, LogCheckpoint, LogEntry
from inventory.services import sessions, setup
from inventory.services.context import Context
from reports.tlog import Frontier, leaf_hash, verify_consistency
from tests.support.inventory_world import World, make_world
from tests.support.live_service import Answer, Service, free_port, serving
from tests.support.signed_requests import AgentKey, Outgoing

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]


@dataclass
class Two:
    """Both, and somebody who may add places."""

    services: tuple[Service, Service]
    world: World
    context: Context
    token: str

    def post(self, which: int, name: str, key: str | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        body = json.dumps({"name": name, "zone": "secure"}).encode()
        return self.services[which].ask("POST", "/api/v1/locations", body, headers)

    def signed(self, which: int, path: str, body: Any = None) -> Outgoing:  # noqa: ANN401 - any JSON
        """A request of the world's agent to one of the two."""
        key = AgentKey.__new__(AgentKey)
        key.private, key.key_id = self.world.agent.signer._private, self.world.agent.signer.key_id  # type: ignore[assignment]  # Ed25519
        content = b"" if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.services[which].port}{path}"
        headers = {} if body is None else {"content-type": "application/json"}
        return key.sign(Outgoing("POST", url, headers, content), created=datetime.now(tz=UTC))

    def send(self, which: int, request: Outgoing) -> Answer:
        """To either of them, by the name it was signed for: what a proxy in front of both would do."""
        _, _, name, path = request.url.split("/", 3)
        return self.services[which].ask(request.method, f"/{path}", request.body, {**request.headers, "Host": name})


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Two]:
    server = sa.make_url(str(request.getfixturevalue("postgres_server"))).set(drivername="postgresql+psycopg")
    name = f"two_{secrets.token_hex(4)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    url = server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    folder: Path = tmp_path_factory.mktemp("two") / "data"
    world = make_world(folder, url)
    world.close()
    context = setup.open_inventory(world.context.settings, SystemClock())
    actor = world.actor("custodian")
    _, token = sessions.create_token(
        context, actor, sessions.CreateToken(name="both", roles=frozenset({Role.CUSTODIAN}))
    )
    _silence(context)
    with ExitStack() as stack:
        ports = (free_port(), free_port())
        running = [
            stack.enter_context(
                serving(
                    folder,
                    ports[n],
                    also_known_as=f"http://127.0.0.1:{ports[1 - n]}",
                    database_url=url,
                    upkeep_seconds="1",
                    second_factor="offered",
                )
            )
            for n in range(2)
        ]
        yield Two((running[0], running[1]), world, context, token)
    context.database.close()
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def _silence(context: Context) -> None:
    """The one host was last heard long ago: something for upkeep to notice, once."""
    with context.writing() as session:
        session.scalars(sa.select(HostContact)).one().last_contact = datetime.now(tz=UTC) - timedelta(days=30)


def test_both_write_at_once_and_the_log_is_one(two: Two) -> None:
    """Every hand-over of custody enters the log: devices declared through both, all at the same time."""

    def declare(number: int) -> int:
        headers = {"Authorization": f"Bearer {two.token}", "Content-Type": "application/json"}
        body = json.dumps({"asset_tag": f"TWO-{number:03d}", "serial": f"TWO{number}"}).encode()
        return two.services[number % 2].ask("POST", "/api/v1/devices", body, headers).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(declare, range(24))) == {201}
    with two.context.reading() as session:
        entries = session.scalars(sa.select(LogEntry).order_by(LogEntry.idx)).all()
        assert [one.idx for one in entries] == list(range(len(entries)))
        frontier, _ = Frontier().extend(leaf_hash(one.entry) for one in entries)
        checkpoints = session.scalars(sa.select(LogCheckpoint).order_by(LogCheckpoint.size)).all()
        assert frontier.root() == checkpoints[-1].root
        for old, new in itertools.pairwise(checkpoints):
            proof = two.context.ledger.consistency(session, old.size, new.size)
            verify_consistency(old.size, new.size, old.root, new.root, proof)


def test_one_key_sent_to_both_at_once_acts_once(two: Two) -> None:
    for attempt in range(4):
        key, name = f"same-key-{attempt}", f"Room {attempt}"
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda n, k=key, m=name: two.post(n % 2, m, k), range(6)))
        statuses = sorted(one.status for one in answers)
        assert set(statuses) <= {201, 409}, [one.body for one in answers]
        made = {json.loads(one.body)["id"] for one in answers if one.status == 201}
        assert len(made) == 1
        again = two.post(attempt % 2, name, key)
        assert (again.status, again.headers["Idempotency-Replayed"]) == (201, "true")
        assert {json.loads(again.body)["id"]} == made


def test_a_signed_request_is_good_at_one_of_them_once(two: Two) -> None:
    """Neither process remembers what the other has seen; the database does."""
    beat = {
        "agent_version": "0.1.0", "boot_id": "b", "time": datetime.now(tz=UTC).isoformat(), "running": [], "outbox": 0,
        "checkpoint": None,
    }  # fmt: skip
    for _ in range(3):  # from the second time on both know the key, and hear it before the framework
        sent = two.signed(0, "/api/v1/agent/heartbeat", beat)
        with ThreadPoolExecutor(4) as pool:
            answers = [one.status for one in pool.map(lambda n, word=sent: two.send(n % 2, word), range(4))]
        assert sorted(answers) == [200, 409, 409, 409]


def test_upkeep_of_both_notices_what_is_late_once(two: Two) -> None:
    """Both have run several rounds by now: one event, one exception."""
    with two.context.reading() as session:
        told = session.scalars(sa.select(Event).where(Event.tag == str(Tag.HOST_SILENT))).all()
        raised = session.scalars(sa.select(ExceptionItem).where(ExceptionItem.code == "host-silent")).all()
        leases = session.scalar(sa.select(sa.func.count()).select_from(Lease))
    assert len(told) == 1
    assert len(raised) == 1
    assert leases == 0
