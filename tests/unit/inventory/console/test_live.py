"""Live regions: a stream sends a whole picture when it has changed, and nothing to who may not see it any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from inventory.console.language import speaking
from inventory.console.streaming import EACH, PACE, Pace, Seats
from inventory.console.views.running import figures
from inventory.contract.v1.orders import Progress
from inventory.domain.roles import Role
from inventory.domain.vocabulary import OrderState
from inventory.services import leases, people, queries
from inventory.services.context import Actor

from .conftest import Site

QUICK = Pace(look=0.0, draw=1000.0, beat=1000.0, end=1000.0)
STREAM = {"Accept": "text/event-stream"}


@contextmanager
def paced(site: Site, pace: Pace) -> Iterator[None]:
    before = site.app.config.get("SANITRAIL_PACE", PACE)
    site.app.config["SANITRAIL_PACE"] = pace
    try:
        yield
    finally:
        site.app.config["SANITRAIL_PACE"] = before


class Line:
    """One stream, read event by event."""

    def __init__(self, site: Site, login: str, path: str, **headers: str) -> None:
        self.answer = site.client(login).get(
            f"/console{path}", base_url=site.base, headers={**STREAM, **headers}, buffered=False
        )
        self.iterator = self.answer.iter_encoded()

    def next(self) -> dict[str, str]:
        """The next event that says something."""
        for chunk in self.iterator:
            for block in chunk.decode().split("\n\n"):
                found: dict[str, str] = {}
                for line in block.split("\n"):
                    name, _, value = line.partition(": ")
                    if name:
                        found[name] = f"{found[name]}\n{value}" if name in found else value
                if "event" in found:
                    return found
        raise AssertionError("the stream has ended")

    def close(self) -> None:
        self.answer.close()


@contextmanager
def listening(site: Site, login: str, path: str, **headers: str) -> Iterator[Line]:
    line = Line(site, login, path, **headers)
    try:
        yield line
    finally:
        line.close()


def running(site: Site) -> str:
    return f"/orders/{site.story.numbers['running']}/live"


def ended(site: Site) -> str:
    """A run whose picture does not change with the hour."""
    return f"/orders/{site.story.numbers['validated']}/live"


def test_the_first_thing_told_is_the_whole_picture_with_a_name(site: Site) -> None:
    with paced(site, QUICK), listening(site, "omar", running(site)) as line:
        assert line.answer.content_type.startswith("text/event-stream")
        assert line.answer.headers["X-Accel-Buffering"] == "no"
        assert "no-transform" in line.answer.headers["Cache-Control"]
        first = line.next()
        assert first["event"] == "picture"
        assert len(first["id"]) == 32
        assert 'id="run"' in first["data"]
        assert "Executing" in first["data"]


def test_who_comes_back_with_the_newest_picture_is_told_nothing_until_it_changes(site: Site) -> None:
    with paced(site, QUICK), listening(site, "omar", ended(site)) as line:
        known = line.next()["id"]
    with paced(site, Pace(look=0.0, draw=1000.0, beat=0.0, end=1000.0)):
        with listening(site, "omar", ended(site), **{"Last-Event-ID": known}) as line:
            assert line.next()["event"] == "beat"
        with listening(site, "omar", f"{ended(site)}?last={known}") as line:
            assert line.next()["event"] == "beat"
        with listening(site, "omar", ended(site), **{"Last-Event-ID": "another"}) as line:
            assert line.next()["event"] == "picture"


def test_what_the_agent_reports_through_another_process_is_told(site: Site) -> None:
    agent = site.world.agents[0]
    lease_id, token = lease_of(site)
    with paced(site, QUICK), listening(site, "omar", running(site)) as line:
        before = line.next()
        report(site, agent.actor, lease_id, token, temperature=61)
        after = line.next()
        assert after["event"] == "picture"
        assert after["id"] != before["id"]
        assert "61\u00a0°C" in after["data"]


def test_a_session_that_has_ended_ends_the_stream(site: Site) -> None:
    client = site.world.client(site.app, "aud")
    site.clients["aud-live"] = client
    with paced(site, QUICK), listening(site, "aud-live", running(site)) as line:
        assert line.next()["event"] == "picture"
        page = client.get("/console/style", base_url=site.base).text
        token = page.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]
        client.post(
            "/console/sign-out",
            data={"csrf_token": token},
            base_url=site.base,
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        last = line.next()
        assert (last["event"], last["data"]) == ("ended", "not-signed-in")
        with pytest.raises(AssertionError, match="ended"):
            line.next()


def test_a_role_that_was_taken_away_ends_the_stream(site: Site) -> None:
    someone = site.world.people["aud"]
    ines = site.world.actor("ines")
    client = site.world.client(site.app, "aud")
    site.clients["aud-roles"] = client
    try:
        with paced(site, QUICK), listening(site, "aud-roles", running(site)) as line:
            assert line.next()["event"] == "picture"
            people.set_roles(site.world.context, ines, people.SetRoles(person=someone.ref, roles=frozenset()))
            assert line.next()["event"] == "ended"
    finally:
        people.set_roles(site.world.context, ines, people.SetRoles(person=someone.ref, roles=frozenset({Role.AUDITOR})))


def test_a_stream_of_what_does_not_exist_is_refused_before_it_begins(site: Site) -> None:
    answer = site.client("omar").get("/console/orders/O-999999/live", base_url=site.base, headers=STREAM)
    assert answer.status_code == 404


def test_without_asking_for_a_stream_one_gets_the_picture_and_then_nothing_new(site: Site) -> None:
    client = site.client("vic")
    first = client.get(f"/console{running(site)}", base_url=site.base)
    assert first.status_code == 200
    assert 'id="run"' in first.text
    again = client.get(f"/console{running(site)}", base_url=site.base, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code in {200, 304}


def test_seats_are_few_for_each_person_and_for_all_and_are_given_back() -> None:
    seats = Seats()
    assert all(seats.take("p:1", 5) for _ in range(EACH))
    assert not seats.take("p:1", 5)
    assert seats.take("p:2", 5)
    assert seats.take("p:2", 5)
    assert not seats.take("p:3", 5)
    seats.give_back("p:1")
    assert seats.take("p:3", 5)
    assert seats.taken == 5


def test_who_gets_no_seat_is_told_to_ask_instead_and_a_closed_stream_gives_its_seat_back(site: Site) -> None:
    with paced(site, QUICK):
        lines = [Line(site, "vera", running(site)) for _ in range(EACH)]
        for line in lines:
            assert line.next()["event"] == "picture"
        with listening(site, "vera", running(site)) as line:
            assert line.next()["event"] == "full"
        for line in lines:
            line.close()
        with listening(site, "vera", running(site)) as line:
            assert line.next()["event"] == "picture"


def test_a_stream_ends_by_itself_so_that_it_holds_no_thread_for_ever(site: Site) -> None:
    with (
        paced(site, Pace(look=0.0, draw=1000.0, beat=1000.0, end=0.0)),
        listening(site, "omar", running(site)) as line,
        pytest.raises(AssertionError, match="ended"),
    ):
        line.next()


def test_the_wall_shows_each_bay_of_a_host_with_its_word(site: Site) -> None:
    host = site.world.agents[0].host
    site.world.agents[0].beat()
    site.world.clock.offset += timedelta(minutes=6)
    try:
        page = site.get("vic", f"/wall?host={host}").text
        assert "bay-is-pull" not in page, "another medium may be in the bay by now"
        assert "<b>crm-db-01</b> was last heard of" in page
    finally:
        site.world.clock.offset -= timedelta(minutes=6)
    page = site.get("vic", f"/wall?host={host}").text
    assert "wall-unheard" not in page
    assert page.count('class="bay ') == 7, "each medium in it, with a slot or without"
    assert "bay-is-pull" in page
    assert "bay-is-approving" in page
    assert 'data-theme="dark"' in page


def test_the_wall_of_all_shows_the_open_orders_only(site: Site) -> None:
    page = site.get("vic", "/wall").text
    assert "bay-is-pull" not in page
    assert "bay-is-approving" in page


def test_a_rate_is_written_as_the_readers_language_writes_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    told = SimpleNamespace(bytes_per_second=53_000_000, seconds_left=60, reported=now, temperature=40)
    row = SimpleNamespace(progress=told, state=OrderState.EXECUTING)
    for tongue, written in (("en", "53.0 MB/s"), ("pt", "53,0 MB/s"), ("ms", "53.0 MB/s")):
        monkeypatch.setattr(speaking, "tongue", lambda tongue=tongue: tongue)
        shown = figures(row, now)  # type: ignore[arg-type]  # what the figures ask of an order
        assert shown is not None
        assert shown.rate == written


def lease_of(site: Site) -> tuple[str, int]:
    lease = queries.order(site.world.context, site.world.actor("omar"), site.story.numbers["running"]).lease
    assert lease is not None
    return lease.id, lease.token


def report(site: Site, agent: Actor, lease: str, token: int, *, temperature: int) -> None:
    message = Progress(
        token=token,
        state="executing",
        pass_number=1,
        passes=1,
        bytes_done=1_300_000_000_000,
        bytes_total=2_000_398_934_016,
        bytes_per_second=200_000_000,
        seconds_left=3500,
        errors=0,
        temperature=temperature,
    )
    leases.report_progress(site.world.context, agent, lease, message)
