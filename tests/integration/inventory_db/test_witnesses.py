"""Our log and its witnesses: real witness processes on loopback, both databases."""

from __future__ import annotations

import dataclasses
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from inventory import outward
from inventory.domain.vocabulary import ExceptionState
from inventory.errors import LogRefused, SetupError
from inventory.models import LogCosignature
from inventory.services import queries, setup, transparency, upkeep, witnesses
from inventory.services._anchor import anchor_at
from inventory.settings import Settings, Witness
from reports.anchor import open_anchor
from reports.tlog import Checkpoint, sign_checkpoint
from reports.tlog.witnessing import Submission
from tests.support import witnesses as others
from tests.support.inventory_world import World, copied_world
from tests.support.witnessed import name_witnesses


def with_witnesses(world: World, **urls: str) -> None:
    """Put witnesses into the settings: name with dots written as `_`, and address."""
    said = tuple(Witness(name=name.replace("_", "."), url=url) for name, url in urls.items())
    settings = world.context.settings.model_copy(update={"witnesses": said})
    object.__setattr__(world, "context", dataclasses.replace(world.context, settings=settings))


@contextmanager
def witnessed(world: World, folder: Path, name: str = others.NAME) -> Iterator[others.Witness]:
    """A running witness of this world's log that settings and trust root name."""
    keys = others.prepare(folder / name, *world.context.ledger.vkeys, name=name)
    name_witnesses(world.context, keys)
    with others.serving(folder / name) as running:
        with_witnesses(world, **{name.replace(".", "_"): running.url})
        yield running


def grow(world: World) -> int:
    world.enrol_agent(f"host-{transparency.checkpoint(world.context).size}", [])
    return transparency.checkpoint(world.context).size


def is_witnessed(world: World) -> bool:
    """Whether a verifier finds the newest checkpoint witnessed."""
    with world.context.reading() as session:
        size = world.context.ledger.checkpoint(session)[0].size
        anchor = anchor_at(session, world.context, size)
    return open_anchor(anchor, transparency.trust(world.context).pin).witnessed


def problems(world: World) -> list[str]:
    return [one.problem for one in witnesses.list_witnesses(world.context, world.actor("auditor"))]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[World]:
    with copied_world(tmp_path / "data") as copy:
        yield copy


def test_every_new_state_is_cosigned_and_an_auditor_sees_it(world: World, tmp_path: Path) -> None:
    with witnessed(world, tmp_path):
        assert not is_witnessed(world)
        assert upkeep.run(world.context).cosignatures == 1
        assert is_witnessed(world)
        assert upkeep.run(world.context).cosignatures == 0, "nothing new, nobody is asked"
        grow(world)
        assert not is_witnessed(world)
        assert witnesses.ask_all(world.context) == 1
        assert is_witnessed(world)
        assert problems(world) == [""]


def test_asking_grows_no_log(company: World, tmp_path: Path) -> None:
    with witnessed(company, tmp_path):
        before = transparency.checkpoint(company.context).size
        witnesses.ask_all(company.context)
        assert transparency.checkpoint(company.context).size == before


def test_a_quorum_is_different_witnesses(company: World, tmp_path: Path) -> None:
    names = ("one.example.net", "two.example.org")
    keys = tuple(key for n in names for key in others.prepare(tmp_path / n, *company.context.ledger.vkeys, name=n))
    name_witnesses(company.context, keys, quorum=2)
    with others.serving(tmp_path / names[0]) as first:
        with_witnesses(company, one_example_net=first.url, two_example_org="http://127.0.0.1:1/")
        witnesses.ask_all(company.context)
        assert not is_witnessed(company)
        with others.serving(tmp_path / names[1]) as second:
            with_witnesses(company, one_example_net=first.url, two_example_org=second.url)
            company.clock.forward(hours=1)
            witnesses.ask_all(company.context)
            assert is_witnessed(company)


def test_one_that_the_trust_root_does_not_name_is_not_asked(company: World, tmp_path: Path) -> None:
    others.prepare(tmp_path / "w", *company.context.ledger.vkeys)
    with others.serving(tmp_path / "w") as running:
        with_witnesses(company, witness_example_net=running.url)
        assert witnesses.ask_all(company.context) == 0
        assert "trust root does not name it" in problems(company)[0]


def test_one_that_lost_our_answer_is_asked_from_where_it_is(company: World, tmp_path: Path) -> None:
    """It cosigned and remembered, and we never heard of it: it tells its size, and the log goes on from there."""
    with witnessed(company, tmp_path):
        with company.context.reading() as session:
            (task,) = witnesses._tasks(session, company.context)
        assert witnesses._ask(company.context, task, outward.post).lines
        grow(company)
        assert witnesses.ask_all(company.context) == 1
        assert is_witnessed(company)


def test_a_witness_that_has_seen_another_history_is_an_alarm(company: World, tmp_path: Path) -> None:
    """The log's own keys signed another history for the witness: ours is no extension of it."""
    with witnessed(company, tmp_path) as running:
        fork = Checkpoint(company.context.ledger.origin, 2, b"another history".rjust(32))
        note = sign_checkpoint(fork, company.context.ledger.signers, 0)
        assert running.post(Submission(0, (), note).to_bytes())[0] == 200
        assert witnesses.ask_all(company.context) == 0
        assert "witness-refused" in company.codes()
        assert "another history" in problems(company)[0]
        assert not is_witnessed(company)


def test_a_witness_that_has_seen_more_stops_the_signing(company: World, tmp_path: Path) -> None:
    """Database and guard file came from the same old backup: only the witness knows."""
    with witnessed(company, tmp_path):
        old = tmp_path / "old"
        shutil.copytree(company.folder, old)
        grow(company)
        witnesses.ask_all(company.context)
        settings = company.context.settings.model_copy(update={"data_dir": old})
        restored = setup.open_inventory(settings, company.clock)
        try:
            with pytest.raises(LogRefused, match="old backup"):
                witnesses.refuse_if_behind(restored)
            witnesses.ask_all(restored)
            object.__setattr__(company, "context", restored)
            assert "witness-ahead" in company.codes()
            with pytest.raises(LogRefused, match="old backup"):
                grow(company)
        finally:
            restored.database.close()


def test_a_database_that_is_up_to_date_may_start(company: World, tmp_path: Path) -> None:
    with witnessed(company, tmp_path):
        witnesses.ask_all(company.context)
        witnesses.refuse_if_behind(company.context)
        grow(company)
        witnesses.refuse_if_behind(company.context)
    witnesses.refuse_if_behind(company.context)


def test_silence_is_tried_again_with_growing_pauses_and_told_after_an_hour(company: World) -> None:
    name_witnesses(company.context, others.NOBODY)
    with_witnesses(company, nobody_example="http://127.0.0.1:1/")
    asked = []

    def post(url: str, body: bytes, media_type: str) -> outward.Reply:
        del body, media_type
        asked.append(url)
        raise outward.Unreached("no route")

    for _ in range(60):
        witnesses.ask_all(company.context, post)
        company.clock.forward(minutes=1)
    assert 5 < len(asked) < 12
    assert "witness-silent" not in company.codes()
    for _ in range(60):
        witnesses.ask_all(company.context, post)
        company.clock.forward(minutes=1)
    assert "witness-silent" in company.codes()


def answering(status: int, body: bytes) -> witnesses.Post:
    def post(url: str, sent: bytes, media_type: str) -> outward.Reply:
        del url, sent, media_type
        return outward.Reply(status, body)

    return post


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"nonsense"),
        (200, b"\xff"),
        (404, b"who?"),
        (403, b""),
        (500, b"\x1b[2J"),
        (409, b"x"),
        (204, b""),
    ],
)
def test_whatever_else_is_answered_counts_for_nothing(company: World, status: int, body: bytes) -> None:
    name_witnesses(company.context, others.NOBODY)
    with_witnesses(company, nobody_example="http://127.0.0.1:1/")
    assert witnesses.ask_all(company.context, answering(status, body)) == 0
    assert problems(company)[0].isprintable()
    assert problems(company)[0]
    assert not is_witnessed(company)
    assert not company.codes() & {"witness-refused", "witness-ahead"}
    with company.context.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(LogCosignature)) == 0


def test_one_that_tells_another_size_each_time_does_not_keep_us(company: World) -> None:
    name_witnesses(company.context, others.NOBODY)
    with_witnesses(company, nobody_example="http://127.0.0.1:1/")
    sizes = iter([b"1\n", b"2\n", b"3\n"])

    def post(url: str, sent: bytes, media_type: str) -> outward.Reply:
        del url, sent, media_type
        return outward.Reply(409, next(sizes))

    assert witnesses.ask_all(company.context, post) == 0
    assert "another size each time" in problems(company)[0]


def test_an_alarm_settles_once_the_witness_signs(company: World, tmp_path: Path) -> None:
    with witnessed(company, tmp_path):
        witnesses.ask_all(company.context, answering(422, b"no"))
        assert "witness-refused" in company.codes()
        company.clock.forward(hours=2)
        witnesses.ask_all(company.context)
        assert "witness-refused" not in company.codes()
        found = queries.list_exceptions(company.context, company.actor("auditor"), state=ExceptionState.RESOLVED)
        assert found.items[0].resolution == "It has cosigned the newest checkpoint."


def test_an_answer_that_leads_elsewhere_or_never_ends_is_none() -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/elsewhere":
                self.send_response(302)
                self.send_header("Location", "/here")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", "200000")
            self.end_headers()
            self.wfile.write(b"x" * 200_000)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Quiet."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        assert outward.post(f"{base}/elsewhere", b"x", "text/plain").status == 302
        with pytest.raises(outward.Unreached, match="longer"):
            outward.post(f"{base}/endless", b"x", "text/plain")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "said",
    [
        [{"name": "a b", "url": "https://x.example"}],
        [{"name": "a", "url": "ftp://x.example"}],
        [{"name": "a", "url": "https://x.example"}, {"name": "a", "url": "https://y.example"}],
        [{"name": "a", "url": "https://x.example", "extra": 1}],
    ],
)
def test_settings_that_name_no_witness_are_refused(said: list[dict[str, object]], tmp_path: Path) -> None:
    file = tmp_path / "sanitrail.toml"
    lines = [f"data_dir = '{tmp_path}'"]
    for one in said:
        lines += ["[[witnesses]]", *(f"{key} = {value!r}" for key, value in one.items())]
    file.write_text("\n".join(lines))
    with pytest.raises(SetupError, match="witnesses"):
        Settings.load(file, {})
