"""Time-stamps taken by the service: real answers over loopback, lying servers, two authorities, files by hand; both databases."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from inventory import outward
from inventory.domain.vocabulary import ExceptionState
from inventory.errors import Conflict, NotFound
from inventory.models import ExceptionItem, LogEntry, Seal, TimeStamp
from inventory.services import certificates, time_stamps, upkeep
from inventory.services import setup as services_setup
from inventory.services._stamper import stamper_for
from inventory.services.views import OrderDetail
from inventory.settings import Settings, TimeAuthority
from reports.errors import BadStamp
from reports.renewals import read_renewals
from reports.verify import verify
from tests.support.capabilities import requires_tool
from tests.support.inventory_world import World, copied_world
from tests.support.time_authority import LocalAuthority
from tests.support.timed import set_authorities, timed, trust_authorities

pytestmark = [pytest.mark.reference_tool, requires_tool("openssl")]


def _pin(world: World) -> str:
    return services_setup.trust(world.context).pin


def _sanitized(world: World) -> OrderDetail:
    world.hold_data()
    world.unmount()
    return world.sanitized()


def _codes(world: World, subject: str) -> set[str]:
    with world.context.reading() as session:
        found = sa.select(ExceptionItem.code).where(
            ExceptionItem.subject == subject, ExceptionItem.state == ExceptionState.OPEN
        )
        return set(session.scalars(found))


def _stamps(world: World) -> list[TimeStamp]:
    with world.context.reading() as session:
        return list(session.scalars(sa.select(TimeStamp).order_by(TimeStamp.log_index)))


def _facts(data: bytes, pin: str) -> dict[str, str]:
    result = verify(data, pin)
    assert result.yes, result.conclusion
    return {fact.label: fact.value for fact in result.facts}


def test_a_certificate_is_bounded_in_time_from_both_sides(world: World, tmp_path: Path) -> None:
    with timed(world, tmp_path / "tsa", "Example Time"):
        (first,) = time_stamps.take(world.context)
        assert first.stamped == world.clock.now()
        world.clock.forward(minutes=10)
        order = _sanitized(world)
        world.clock.forward(minutes=10)
        issued = certificates.issue(world.context, world.actor("custodian"), order.id)
        with world.context.reading() as session:
            assert session.get(Seal, issued.number) is None, "its files wait for the stamp"
        report = upkeep.run(world.context)
        assert report.stamps == 1
        assert report.certificates_sealed == 1
        pin = _pin(world)
        pdf = certificates.pdf(world.context, world.actor("auditor"), issued.number)
        bundle = certificates.bundle(world.context, world.actor("auditor"), issued.number)
        for data in (pdf, bundle):
            facts = _facts(data, pin)
            assert "time-stamped by Example Time" in facts["Existed before"]
            assert "time-stamped by Example Time" in facts["Ordered after"]
        seal = next(check for check in verify(pdf, pin).checks if check.code == "seal")
        assert "by Example Time" in seal.detail
        assert "was not revoked" in seal.detail
    for row in _stamps(world):
        with world.context.reading() as session:
            entry = session.get_one(LogEntry, row.log_index)
            assert (entry.kind, entry.sha256) == ("time-stamp", row.sha256)


def test_two_authorities_stamp_the_same_checkpoint(world: World, tmp_path: Path) -> None:
    with timed(world, tmp_path / "tsa", "One", "Two") as (_, two):
        two.lie = "error-status"
        order = _sanitized(world)
        issued = certificates.issue(world.context, world.actor("custodian"), order.id)
        assert upkeep.run(world.context).stamps == 1
        with world.context.reading() as session:
            assert session.get(Seal, issued.number) is None, "it waits for the second"
        two.lie = ""
        world.clock.forward(minutes=1)
        assert upkeep.run(world.context).stamps == 1
        sizes = {row.authority: row.size for row in _stamps(world)}
        assert sizes["One"] == sizes["Two"]
        bundle = certificates.bundle(world.context, world.actor("auditor"), issued.number)
        result = verify(bundle, _pin(world))
        assert sum("stamped it" in line for line in result.proven) == 2


def test_files_do_not_wait_for_ever(world: World, tmp_path: Path) -> None:
    with timed(world, tmp_path / "tsa", "Example Time") as (server,):
        server.lie = "error-status"
        order = _sanitized(world)
        issued = certificates.issue(world.context, world.actor("custodian"), order.id)
        assert upkeep.run(world.context).certificates_sealed == 0
        world.clock.forward(seconds=world.context.settings.evidence_patience_seconds + 1)
        assert upkeep.run(world.context).certificates_sealed == 1
        pdf = certificates.pdf(world.context, world.actor("auditor"), issued.number)
        result = verify(pdf, _pin(world))
        assert result.yes
        assert any("issuer's own word" in line for line in result.not_proven)
        assert "by its own word" in next(check.detail for check in result.checks if check.code == "seal")


def test_after_the_wait_files_rest_on_the_checkpoint_that_has_most(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "One", "Two") as (_, two):
        two.lie = "error-status"
        order = _sanitized(world)
        issued = certificates.issue(world.context, world.actor("custodian"), order.id)
        assert upkeep.run(world.context).stamps == 1
        world.enrol_agent("another", [])
        world.clock.forward(seconds=world.context.settings.evidence_patience_seconds + 1)
        assert upkeep.run(world.context).certificates_sealed == 1
        bundle = certificates.bundle(world.context, world.actor("auditor"), issued.number)
        result = verify(bundle, _pin(world))
        assert sum("stamped it" in line for line in result.proven) == 1


LIES = ("other-bytes", "other-nonce", "no-nonce", "truncated", "garbage", "rejection", "empty")
SILENCES = ("error-status", "redirect", "huge")


@pytest.mark.parametrize("lie", [*LIES, *SILENCES])
def test_what_is_no_good_stamp_is_not_kept_and_is_told(lie: str, tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "Example Time") as (server,):
        server.lie = lie
        (said,) = time_stamps.take(world.context)
        assert said.stamped is None
        assert said.problem
        assert not _stamps(world)
        wrong = "time-authority-wrong" in _codes(world, "Example Time")
        assert wrong is (lie in LIES)
        server.lie = ""
        assert time_stamps.take(world.context) == (), "it is not asked again at once"
        world.clock.forward(minutes=1)
        (said,) = time_stamps.take(world.context)
        assert said.stamped is not None
        assert not _codes(world, "Example Time")


def test_pauses_grow_and_a_person_hears_of_silence_after_an_hour(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "Example Time") as (server,):
        server.lie = "error-status"
        asked = []
        for _ in range(60):
            time_stamps.take(world.context)
            asked.append(server.asked)
            world.clock.forward(minutes=1)
        assert asked[-1] < 12
        assert not _codes(world, "Example Time")
        for _ in range(70):
            time_stamps.take(world.context)
            world.clock.forward(minutes=1)
        assert "time-authority-silent" in _codes(world, "Example Time")


def test_an_answer_that_drips_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "_WHOLE_SECONDS", 1)
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "Example Time") as (server,):
        server.lie = "slow"
        (said,) = time_stamps.take(world.context)
        assert "no whole answer" in said.problem
        assert server.dripped < 300, "it was not waited for to the end"


def test_an_authority_that_the_trust_root_does_not_name_is_not_asked(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world:
        set_authorities(world, Nobody="http://127.0.0.1:9/")
        assert time_stamps.take(world.context, everybody=True) == ()


def test_an_authority_with_the_name_and_other_keys_is_refused(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "Example Time") as (server,):
        server.authority = LocalAuthority(tmp_path / "other", name="Example Time", clock=world.clock.now)
        (said,) = time_stamps.take(world.context)
        assert "anchor" in said.problem
        assert not _stamps(world)


def test_the_newest_checkpoint_is_stamped_daily_and_not_more(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "Example Time"):
        taken = 0
        for _ in range(3 * 24):
            taken += len(time_stamps.take(world.context))
            world.clock.forward(hours=1)
        assert taken == 3


def test_without_a_network_question_and_answer_travel_as_files(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world:
        clock = LocalAuthority(
            tmp_path / "tsa", name="Far Away", start=world.clock.now() - dt.timedelta(days=1), clock=world.clock.now
        )
        trust_authorities(world.context, clock)
        with pytest.raises(NotFound):
            time_stamps.request(world.context, "Nobody")
        size, question = time_stamps.request(world.context, "Far Away")
        answer = clock.reply(question)
        world.enrol_agent("another", [])
        taken = time_stamps.import_answer(world.context, answer)
        assert (taken.authority, taken.size) == ("Far Away", size)
        with pytest.raises(Conflict, match="already"):
            time_stamps.import_answer(world.context, answer)
        for bad in (b"", b"junk", answer[:-9], clock.reply(question.replace(question[30:40], bytes(10)))):
            with pytest.raises(Conflict):
                time_stamps.import_answer(world.context, bad)
        stranger = LocalAuthority(tmp_path / "stranger", name="Far Away", clock=world.clock.now)
        with pytest.raises(Conflict, match="anchor"):
            time_stamps.import_answer(world.context, stranger.reply(question))
        assert len(_stamps(world)) == 1


def test_a_reminder_comes_before_the_newest_stamp_is_a_year_old(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "Example Time"):
        time_stamps.take(world.context)
        set_authorities(world)
        assert not time_stamps.remind(world.context)
        world.clock.forward(days=330)
        assert not time_stamps.remind(world.context)
        world.clock.forward(days=10)
        assert time_stamps.remind(world.context)
        assert "time-stamps-due" in _codes(world, "log")


def test_stamping_again_settles_the_reminder_and_carries_old_files(world: World, tmp_path: Path) -> None:
    with timed(world, tmp_path / "tsa", "Example Time") as (server,):
        order = _sanitized(world)
        issued = certificates.issue(world.context, world.actor("custodian"), order.id)
        upkeep.run(world.context)
        old = certificates.pdf(world.context, world.actor("auditor"), issued.number)
        set_authorities(world)
        world.clock.forward(days=364)
        assert time_stamps.remind(world.context)
        set_authorities(world, **{"Example Time": server.url})
        (again,) = time_stamps.take(world.context, everybody=True)
        assert again.stamped == world.clock.now()
        assert not time_stamps.remind(world.context)
        assert "time-stamps-due" not in _codes(world, "log")
        pin = _pin(world)
        renewals = read_renewals(time_stamps.renewals(world.context), pin)
        result = verify(old, pin, renewals=renewals)
        assert result.yes, result.conclusion
        facts = {fact.label: fact.value for fact in result.facts}
        assert "2027" in facts["Stamped again"]


def test_a_log_that_nothing_was_logged_in_is_stamped_again_all_the_same(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "Example Time"):
        time_stamps.take(world.context, everybody=True)
        (again,) = time_stamps.take(world.context, everybody=True)
        assert again.stamped is not None


def test_renewals_need_a_stamp(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world, pytest.raises(Conflict, match="stamp"):
        time_stamps.renewals(world.context)


def test_the_seal_carries_the_list_that_the_authoritys_certificate_points_to(tmp_path: Path) -> None:
    """So that a viewer in ten years finds it: fetched, checked, kept for a day; one that is no good is left out."""
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "Example Time") as (server,):
        begin = world.clock.now() - dt.timedelta(days=30)
        at = server.url.replace("/tsa", "/list.crl")
        clock = LocalAuthority(tmp_path / "listed", name="Example Time", crl_at=at, start=begin, clock=world.clock.now)
        trust_authorities(world.context, clock)
        server.authority = clock
        stamper = stamper_for(world.context, (clock.entry(),))
        assert stamper is not None
        server.crl = b"no list"
        assert stamper.material().lists == ()
        stranger = LocalAuthority(tmp_path / "stranger", name="Example Time", start=begin)
        for wrong in (_list_of(stranger, world), _list_of(clock, world, days=-20)):
            server.crl = wrong
            world.clock.forward(days=1)
            assert stamper.material().lists == ()
        server.crl = _list_of(clock, world)
        world.clock.forward(days=1)
        assert stamper.material().lists == (server.crl,)
        assert len(stamper.material().certificates) == 2
        server.crl = b"gone"
        assert stamper.material().lists, "kept for a day"
        order = _sanitized(world)
        issued = certificates.issue(world.context, world.actor("custodian"), order.id)
        assert upkeep.run(world.context).certificates_sealed == 1
        pdf = certificates.pdf(world.context, world.actor("auditor"), issued.number)
        assert verify(pdf, _pin(world)).yes
        assert pdf.count(b"/CRLs") == 1


def test_a_new_stamping_certificate_is_learnt_by_the_next_attempt(tmp_path: Path) -> None:
    with copied_world(tmp_path / "copy") as world, timed(world, tmp_path / "tsa", "Example Time") as (server,):
        old = server.authority
        stamper = stamper_for(world.context, (old.entry(),))
        assert stamper is not None
        before = stamper.material()
        assert stamper.stamp(b"signature")
        old.renew()
        with pytest.raises(BadStamp, match="new certificate"):
            stamper.stamp(b"signature")
        assert stamper.material() != before
        assert stamper.stamp(b"signature")


def _list_of(clock: LocalAuthority, world: World, days: int = 0) -> bytes:
    moment = world.clock.now() + dt.timedelta(days=days)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(clock.root.subject)
        .last_update(moment - dt.timedelta(hours=1))
        .next_update(moment + dt.timedelta(days=10))
    )
    return builder.sign(clock.root_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_settings_name_an_authority_once(tmp_path: Path) -> None:
    one = TimeAuthority(name="A", url="http://a.example/")
    with pytest.raises(ValueError, match="twice"):
        Settings(data_dir=tmp_path, time_authorities=(one, one))
    with pytest.raises(ValueError, match="url"):
        TimeAuthority(name="A", url="ftp://a.example/")
