"""A medium read again by the real agent for the real service: what it finds can close the gate, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents import discovery
from inventory.domain.readings import ReadingState
from inventory.domain.vocabulary import DeviceState
from inventory.services import queries, readings
from inventory.services.queries import readings as reading_queries
from inventory.services.views import DeviceDetail
from inventory.services.views.readings import ReadingDetail
from tests.contract.test_agent_against_service import Site, TimedSystem, made_site
from tests.support.simulated_drive import SimulatedDrive


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A host whose drive was sanitized and validated."""
    monkeypatch.setattr(discovery, "udev_disks", set)
    with made_site(tmp_path, lambda clock: TimedSystem(SimulatedDrive(), clock)) as made:
        made.observe()
        order = made.approved_order()
        made.beat()
        made.lease()
        assert made.work() == []
        made.deliver()
        made.world.validate(order.id)
        made.system.drive.spent_writes.clear()
        yield made


def ask(site: Site) -> ReadingDetail:
    """A verify-only order of the drive."""
    command = readings.RequestReading(device=device(site).id, verification="full", reason="a second look")
    return readings.request_reading(site.world.context, site.world.actor("operator"), command)


def device(site: Site) -> DeviceDetail:
    """The drive, as the service knows it."""
    return queries.device(site.world.context, site.world.actor("auditor"), str(site.inspection.fingerprint))


def found(site: Site, order: ReadingDetail) -> ReadingDetail:
    """How the order stands, after the agent did all it could."""
    assert site.agent.readings.work(wanted=site.beat().work_waiting)
    site.agent.readings.wait()
    site.agent.readings.work(wanted=False)
    assert site.system.drive.spent_writes == [], "a verify-only order writes nothing"
    return reading_queries.reading(site.world.context, site.world.actor("auditor"), order.id)


def test_what_still_stands_there_is_confirmed(site: Site) -> None:
    order = ask(site)
    answer = found(site, order)
    assert (answer.state, answer.reasons) == (ReadingState.CONFIRMED, ())
    assert answer.reading is not None
    assert answer.reading["verification"]["bytes_read"] == site.system.drive.size
    assert device(site).state is DeviceState.SANITIZED
    assert list((site.settings.state_dir / "readings").iterdir()) == []
    assert site.beat().work_waiting is False


def test_other_content_takes_the_records_standing_away(site: Site) -> None:
    site.system.drive.current[4096:4104] = b"leftover"
    answer = found(site, ask(site))
    assert answer.state is ReadingState.CONTRADICTED
    assert device(site).state is DeviceState.FAILED
    assert "no-validated-record" in {reason.code for reason in device(site).gate_reuse_inside.reasons}


def test_a_block_that_cannot_be_read_confirms_nothing(site: Site) -> None:
    site.system.drive.bad_reads.add(3)
    answer = found(site, ask(site))
    assert answer.state is ReadingState.INCONCLUSIVE
    assert device(site).state is DeviceState.SANITIZED


def test_another_medium_in_its_place_is_told(site: Site) -> None:
    order = ask(site)
    site.system.drive.serial = "SIM-9999"
    answer = found(site, order)
    assert answer.state is ReadingState.INCONCLUSIVE
    assert "refused" in answer.reasons[0]


def test_a_signed_reading_waits_for_a_service_that_is_away(site: Site) -> None:
    order = ask(site)
    assert site.agent.readings.work(wanted=True)
    site.agent.readings.wait()
    site.wire.cut = True
    with pytest.raises(Exception, match="no answer"):
        site.agent.readings.work(wanted=False)
    assert len(list((site.settings.state_dir / "readings").iterdir())) == 1
    site.wire.cut = False
    assert site.agent.readings.work(wanted=False)
    detail = reading_queries.reading(site.world.context, site.world.actor("auditor"), order.id)
    assert detail.state is ReadingState.CONFIRMED


def test_an_order_the_service_did_not_sign_is_not_carried_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    order = ask(site)
    lease = site.client.lease_reading()
    assert lease.lease is not None
    payload = lease.lease.order.payload
    forged = lease.lease.order.model_copy(update={"payload": payload[:-8] + "AAAAAAA="})
    reply = lease.model_copy(update={"lease": lease.lease.model_copy(update={"order": forged})})
    monkeypatch.setattr(site.client, "lease_reading", lambda: reply)
    assert site.agent.readings.work(wanted=True)
    site.agent.readings.wait()
    assert list((site.settings.state_dir / "readings").iterdir()) == []
    detail = reading_queries.reading(site.world.context, site.world.actor("auditor"), order.id)
    assert detail.state is ReadingState.LEASED


def test_a_reading_ends_when_the_host_is_halted_and_none_is_begun_until_it_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ask(site)
    own, read = site.agent.readings, site.engine.verify

    def halted_meanwhile(*words: Any, **options: Any) -> Any:  # noqa: ANN401 - as verify
        own.halt()
        return read(*words, **options)

    monkeypatch.setattr(site.engine, "verify", halted_meanwhile)
    assert own.work(wanted=site.beat().work_waiting)
    own.wait()
    assert list((site.settings.state_dir / "readings").iterdir()) == [], (
        "nothing is said of what was not read to its end"
    )
    asked: list[str] = []
    monkeypatch.setattr(site.client, "lease_reading", lambda: asked.append("asked"))
    assert not own.work(wanted=True)
    assert not asked
    monkeypatch.undo()
    own.go_on()
    site.world.clock.forward(hours=2)
    site.watch.heard(site.world.clock.now())
    assert found(site, order).state is ReadingState.CONFIRMED
