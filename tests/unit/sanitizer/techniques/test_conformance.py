"""What every technique must be and do, whatever it sends."""

from __future__ import annotations

import dataclasses

import pytest

from reports.findings.techniques import DRIVE, level_of
from sanitizer.capability import Capabilities, SanitizePhase
from sanitizer.errors import NoTechnique, TransportError
from sanitizer.planning import DISPUTES, KEYS
from sanitizer.techniques import TECHNIQUES, technique
from sanitizer.techniques.base import Parameters, Technique
from sanitizer.transport.commands import Ports

from .doubles import GIB, UNKNOWN, Log, able, able_for, good_ports, hands, standing, unknown

COMMANDED = {name: each for name, each in TECHNIQUES.items() if name != KEYS}
"""Those that are commands of the drive; the one that is not has tests of its own (`test_luks.py`)."""
EACH = pytest.mark.parametrize("each", COMMANDED.values(), ids=COMMANDED.keys())
MEDIA = ("magnetic", "flash", "virtual", "unknown")
SETTINGS = tuple(DISPUTES)


@EACH
def test_it_has_a_name_of_the_vocabulary_and_words_for_people(each: Technique) -> None:
    assert each.name in DRIVE
    assert technique(each.name) is each
    assert each.title
    assert each.clause


@EACH
def test_a_drive_that_has_all_it_needs_is_not_refused(each: Technique) -> None:
    assert each.refusals(able_for(each.name), Parameters()) == ()


@EACH
def test_a_drive_that_gave_no_such_answer_is_refused(each: Technique) -> None:
    (reason,) = each.refusals(able(), Parameters())
    assert "nothing is known" in reason


@EACH
def test_a_drive_of_which_nothing_is_known_is_refused(each: Technique) -> None:
    known = able_for(each.name)
    family = each.name.split("-", maxsplit=1)[0]
    lost = dataclasses.replace(known, **{family: unknown(getattr(known, family))})
    assert any("unknown" in reason for reason in each.refusals(lost, Parameters()))


@EACH
def test_reasons_are_sentences_for_people_and_each_stands_once(each: Technique) -> None:
    known = able_for(each.name)
    family = each.name.split("-", maxsplit=1)[0]
    lost = dataclasses.replace(
        known, **{family: unknown(getattr(known, family))}, standing=standing(SanitizePhase.UNKNOWN), path="unknown"
    )
    reasons = each.refusals(lost, Parameters(no_deallocate=True))
    assert len(set(reasons)) == len(reasons)
    assert all(reason and not reason.endswith(".") and UNKNOWN.__class__.__name__ not in reason for reason in reasons)


@pytest.mark.parametrize(
    "each", [each for each in TECHNIQUES.values() if each.name.startswith(("ata", "scsi", "nvme"))]
)
def test_a_drive_at_work_on_a_sanitize_operation_is_refused(each: Technique) -> None:
    busy = dataclasses.replace(able_for(each.name), standing=standing(SanitizePhase.IN_PROGRESS))
    assert any("in progress" in reason for reason in each.refusals(busy, Parameters()))


@EACH
@pytest.mark.parametrize("media", MEDIA)
def test_the_level_is_the_one_a_verdict_on_the_record_would_give(each: Technique, media: str) -> None:
    known = able_for(each.name)
    assert each.reach(known, media, Parameters()).level == level_of(each.name, media)
    for word in SETTINGS:
        raised = each.reach(known, media, Parameters(settings=(word,)))
        assert raised.level == level_of(each.name, media, (word,))
        assert (raised.setting == word) == (raised.level != level_of(each.name, media))


@EACH
@pytest.mark.parametrize("media", MEDIA)
def test_every_level_gives_its_reason_and_its_clause(each: Technique, media: str) -> None:
    reach = each.reach(able_for(each.name), media, Parameters())
    assert reach.reason
    assert reach.clause.startswith("NIST SP 800-88")
    assert reach.setting is None


@EACH
def test_what_is_expected_afterwards_is_what_a_verdict_allows(each: Technique) -> None:
    words = {"zeros": "zeros", "uniform": "uniform", "pattern": "pattern", "undefined": ""}
    known = able_for(each.name)
    for parameters in (Parameters(), Parameters(no_deallocate=True)):
        after = words[each.aftermath(known, parameters)]
        assert after in DRIVE[each.name].content


@EACH
def test_every_command_is_written_down_and_then_cleared_right_before_it_goes_out(each: Technique) -> None:
    log = Log()
    sent = each.start(hands(log, good_ports(log), able_for(each.name), secret=b"P" * 32))
    assert sent
    cleared = False
    for number, event in enumerate(log.events):
        if event == "prove":
            assert log.events[number - 1] == "note:command-sending"
            cleared = True
        elif _destroys(event):
            assert cleared, f"{event} went out without a proof"
            cleared = False


def _destroys(event: str) -> bool:
    """Whether an event is a command that destroys: not a question, and not what only prepares."""
    kind, _, raw = event.partition(":")
    if kind == "scsi":
        first, feature, ata = raw[:2], raw[8:10], raw[28:30]
        asks = ata == "b4" and feature == "00"  # SANITIZE STATUS EXT
        return first in {"48", "04"} or (first == "85" and ata in {"b4", "f1", "f4"} and not asks)
    if kind == "nvme":
        return raw[:2] in {"80", "84"}  # Security Send carries a session too, and is looked at in test_opal.py
    return kind == "mmc" and not raw.startswith("13")


@EACH
def test_what_is_written_down_is_what_was_sent(each: Technique) -> None:
    log = Log()
    sent = each.start(hands(log, good_ports(log), able_for(each.name), secret=b"P" * 32))
    noted = [fields["sent"] for kind, fields in log.notes if kind == "command-sending"]
    assert set(noted) <= {one.sent.hex() for one in sent}
    assert all(one.sent and one.command and one.answer for one in sent)


@EACH
def test_a_clearance_that_does_not_hold_any_more_keeps_the_first_command_back(each: Technique) -> None:
    log = Log()
    with pytest.raises(Exception, match="not the device"):
        each.start(hands(log, good_ports(log), able_for(each.name), secret=b"P" * 32, doubt_after=0))
    assert not [event for event in log.events if _destroys(event)]


@EACH
def test_a_device_without_the_interface_is_refused_before_anything_is_sent(each: Technique) -> None:
    log = Log()
    with pytest.raises(NoTechnique, match="takes no"):
        each.start(hands(log, Ports(), able_for(each.name), secret=b"P" * 32))
    assert "prove" not in log.events


@EACH
def test_nothing_is_left_to_recover_on_a_drive_in_service(each: Technique) -> None:
    log = Log()
    assert each.recover(hands(log, good_ports(log), able_for(each.name))) == ()
    assert not [event for event in log.events if _destroys(event)]


@EACH
def test_estimates_are_whole_seconds_or_none(each: Technique) -> None:
    estimate = each.estimate_seconds(able_for(each.name), GIB)
    assert estimate is None or (isinstance(estimate, int) and estimate > 0)
    assert each.estimate_seconds(able(), GIB) is None


class _Silent:
    """A port on which no answer comes."""

    namespace_id = 7

    def scsi(self, *_: object, **__: object) -> None:
        raise TransportError(touched="maybe")

    admin = mmc = scsi


@EACH
def test_an_answer_that_does_not_come_is_raised_and_never_made_up(each: Technique) -> None:
    silent = _Silent()
    log = Log()
    ports = Ports(scsi=silent, nvme=silent, mmc=silent)  # type: ignore[arg-type]  # raises whatever it is asked
    with pytest.raises(TransportError):
        each.start(hands(log, ports, able_for(each.name), secret=b"P" * 32))
    with pytest.raises(TransportError):
        each.standing(ports)


def test_the_capabilities_of_one_interface_are_no_others() -> None:
    assert isinstance(able_for("nvme-format-crypto"), Capabilities)
    for each in TECHNIQUES.values():
        for other in ("ata", "scsi", "nvme", "mmc", "opal"):
            if not each.name.startswith(other):
                assert each.refusals(able_for(other + "-x"), Parameters())
