"""The host's own last word: what is never touched, what is allowed, and when."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from agents import local_rules, refusals
from agents.local_rules import EXAMPLE, MediumFacts, Window, parse

MEDIUM = MediumFacts(
    fingerprint="ab" * 32,
    serial="WD-123",
    wwn="naa.5001",
    model="EX-500",
    slot="pci-0000:00:17.0-ata-1",
    transport="sata",
    names=frozenset({"/dev/sda", "/dev/disk/by-id/ata-EX-500_WD-123"}),
)
SILENT = MediumFacts(fingerprint="ab" * 32, serial=None, wwn=None, model=None, slot=None, transport=None, names=None)
BASE = 'allowed_methods = ["clear"]\nmax_devices_per_hour = 2\n'


def rules(text: str = "") -> local_rules.LocalRules:
    return parse(BASE + text)


def test_the_example_is_a_rules_file() -> None:
    assert parse(EXAMPLE).allowed_methods == ("clear",)


def test_a_commented_example_entry_is_one_too() -> None:
    everything = parse(re.sub(r"(?m)^#(?! )", "", EXAMPLE))
    assert everything.allowed_techniques == ("overwrite", "nvme-sanitize-*")
    assert everything.forbidden_techniques == ("ata-security-*",)
    assert len(everything.never_touch) == 2
    assert len(everything.maintenance_window) == 1


@pytest.mark.parametrize(
    "entry",
    [
        'serial = "WD-123"',
        'serial = "wd-*"',
        'wwn = "naa.5001"',
        'model = "EX-*"',
        'slot = "pci-*ata-1"',
        'transport = "sata"',
        'path = "/dev/sda"',
        'path = "/dev/disk/by-id/ata-EX-*"',
        'fingerprint = "' + "ab" * 32 + '"',
        'serial = "WD-123"\nmodel = "EX-500"',
    ],
)
def test_a_named_medium_is_never_touched(entry: str) -> None:
    with pytest.raises(refusals.NeverTouch):
        rules(f"[[never_touch]]\n{entry}").permit_medium(MEDIUM)


@pytest.mark.parametrize(
    "entry",
    [
        'serial = "WD-124"',
        'path = "/dev/sdb"',
        'serial = "WD-123"\nmodel = "OTHER"',
        'fingerprint = "' + "cd" * 32 + '"',
    ],
)
def test_another_medium_is_not_meant(entry: str) -> None:
    rules(f"[[never_touch]]\n{entry}").permit_medium(MEDIUM)


@pytest.mark.parametrize("entry", ['serial = "WD-124"', 'wwn = "x"', 'model = "x"', 'slot = "x"', 'path = "/dev/sdb"'])
def test_a_fact_the_medium_does_not_report_could_be_the_one(entry: str) -> None:
    with pytest.raises(refusals.NeverTouchUnknown):
        rules(f"[[never_touch]]\n{entry}").permit_medium(SILENT)


def test_another_fact_can_exclude_what_is_unknown() -> None:
    rules('[[never_touch]]\nserial = "WD-124"\nfingerprint = "' + "cd" * 32 + '"').permit_medium(SILENT)


def test_a_method_that_is_not_named_is_not_allowed() -> None:
    rules().permit_method("clear")
    with pytest.raises(refusals.MethodForbiddenHere):
        rules().permit_method("purge")
    with pytest.raises(refusals.MethodForbiddenHere):
        parse("allowed_methods = []\nmax_devices_per_hour = 1").permit_method("clear")


NOW = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.UTC)


def ago(minutes: float) -> dt.datetime:
    return NOW - dt.timedelta(minutes=minutes)


def test_the_hourly_limit_counts_this_hour() -> None:
    rules().permit_start(NOW, [ago(59), ago(61)])
    with pytest.raises(refusals.TooManyDevices):
        rules().permit_start(NOW, [ago(1), ago(59)])


def test_a_clock_set_back_does_not_reset_the_limit() -> None:
    with pytest.raises(refusals.TooManyDevices):
        rules().permit_start(NOW, [ago(-600), ago(-6000)])


def test_a_limit_of_nothing_allows_nothing() -> None:
    with pytest.raises(refusals.TooManyDevices):
        parse('allowed_methods = ["clear"]\nmax_devices_per_hour = 0').permit_start(NOW, [])


def window(**fields: object) -> Window:
    return Window.model_validate(fields)


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-20T21:59:59+00:00", False),
        ("2026-11-20T22:00:00+00:00", True),  # a Friday
        ("2026-11-21T04:59:59+00:00", True),  # Friday's window, on Saturday
        ("2026-11-21T05:00:00+00:00", False),
        ("2026-11-21T22:00:00+00:00", False),  # Saturday has none
        ("2026-11-22T01:00:00+00:00", False),
    ],
)
def test_a_window_past_midnight_belongs_to_the_day_it_begins_on(moment: str, inside: bool) -> None:
    late = window(**{"days": ["fri"], "from": "22:00", "to": "05:00"})
    assert late.contains(dt.datetime.fromisoformat(moment)) is inside


def test_a_window_has_its_own_time_zone() -> None:
    evening = window(**{"from": "20:00", "to": "21:00", "timezone": "Asia/Kuala_Lumpur"})
    assert evening.contains(dt.datetime(2026, 11, 22, 12, 30, tzinfo=dt.UTC))
    assert not evening.contains(dt.datetime(2026, 11, 22, 20, 30, tzinfo=dt.UTC))


def test_outside_every_window_nothing_begins() -> None:
    text = '[[maintenance_window]]\ndays = ["mon"]\nfrom = "00:00"\nto = "01:00"'
    with pytest.raises(refusals.OutsideMaintenanceWindow):
        rules(text).permit_start(NOW, [])


@pytest.mark.parametrize(
    "text",
    [
        "max_devices_per_hour = 1",
        'allowed_methods = ["clear"]',
        'allowed_methods = ["wipe"]\nmax_devices_per_hour = 1',
        BASE + "max_device_per_hour = 3",
        BASE + "minimum_approvals = 0",
        BASE + "[[never_touch]]\nreason = 'nothing named'",
        BASE + "[[never_touch]]\nserail = 'typo'",
        BASE + "[[never_touch]]\nserial = ''",
        BASE + '[[maintenance_window]]\nfrom = "01:00"\nto = "01:00"',
        BASE + '[[maintenance_window]]\nfrom = 1\nto = "01:00"',
        BASE + '[[maintenance_window]]\nfrom = "22:00"\nto = "01:00"\ntimezone = "Atlantis"',
        BASE + '[[maintenance_window]]\nfrom = "22:00"\nto = "01:00"\ndays = []',
        "not toml at all [",
        "",
    ],
)
def test_rules_that_are_not_understood_are_no_rules(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


# --- techniques -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ordered", "permitted"),
    [
        ("", "nvme-sanitize-block-erase", True),
        ('allowed_techniques = ["overwrite"]', "overwrite", True),
        ('allowed_techniques = ["overwrite"]', "ata-security-erase", False),
        ('allowed_techniques = ["nvme-sanitize-*"]', "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase", True),
        (
            'allowed_techniques = ["nvme-sanitize-block-erase"]',
            "nvme-sanitize-crypto-erase+nvme-sanitize-block-erase",
            False,
        ),
        ('allowed_techniques = ["*-sanitize-*"]', "overwrite+ata-sanitize-block-erase", False),
        ("allowed_techniques = []", "overwrite", False),
        ('forbidden_techniques = ["ata-security-*"]', "ata-security-erase-enhanced", False),
        ('forbidden_techniques = ["ata-security-*"]', "overwrite+ata-security-erase", False),
        ('forbidden_techniques = ["ata-security-*"]', "ata-sanitize-block-erase", True),
        ('allowed_techniques = ["*"]\nforbidden_techniques = ["overwrite"]', "overwrite", False),
        ('allowed_techniques = ["overwrite"]', "Overwrite", False),
    ],
)
def test_every_step_must_be_allowed_and_none_forbidden(text: str, ordered: str, permitted: bool) -> None:
    found = rules(text)
    if permitted:
        found.permit_techniques(ordered.split("+"))
    else:
        with pytest.raises(refusals.TechniqueForbiddenHere):
            found.permit_techniques(ordered.split("+"))


@pytest.mark.parametrize("word", ["allowed_techniques", "forbidden_techniques"])
@pytest.mark.parametrize("name", ["overwite", "nvme-sanitise-*", "", "auto"])
def test_a_name_of_no_technique_is_a_mistake_and_no_rule(word: str, name: str) -> None:
    with pytest.raises(ValueError, match=word):
        rules(f'{word} = ["{name}"]')
