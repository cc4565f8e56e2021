"""Tables about anything but devices: what a row says, what is wrong with it, and that nothing is ever overwritten."""

from __future__ import annotations

import pytest

from inventory.domain.import_fields import FIELDS, KNOWN_TITLES, NEEDED, Field, Problem, Subject
from inventory.domain.import_mapping import Reader, guessed, mapping_from_text, mapping_of
from inventory.domain.import_outcomes import Outcome
from inventory.domain.import_subjects import KnownThing, Said, decide_belonging, decide_thing, roles_of
from inventory.domain.roles import Role
from inventory.errors import Invalid
from inventory.services.imports.register import ready_made


def read(subject: Subject, header: str, row: str) -> Said | tuple[Problem, ...]:
    titles = header.split("|")
    said = Reader(guessed(titles, subject), titles).read(row.split("|"))
    assert isinstance(said, (Said, tuple))
    return said


def codes(said: Said | tuple[Problem, ...]) -> list[str]:
    assert isinstance(said, tuple), said
    return sorted(one.code for one in said)


def facts(said: Said | tuple[Problem, ...]) -> dict[str, str]:
    assert isinstance(said, Said), said
    return {str(one): text for one, text in said.facts.items()}


def test_each_subject_has_a_ready_made_mapping_that_its_own_titles_fit() -> None:
    by_subject = {mapping.subject for mapping in ready_made().values()}
    assert by_subject == set(Subject)
    for mapping in ready_made().values():
        assert mapping_of(mapping.to_document()) == mapping
        assert set(mapping.columns) <= set(FIELDS[mapping.subject])


def test_a_mapping_of_devices_reads_and_is_written_as_before_there_were_others() -> None:
    assert "subject" not in ready_made()["generic"].to_document()
    assert ready_made()["places"].to_document()["subject"] == "places"


def test_titles_are_proposed_for_what_they_mean_there() -> None:
    assert set(KNOWN_TITLES) == set(Subject)
    for subject, wanted in NEEDED.items():
        first = [KNOWN_TITLES[subject][one][0] for one in FIELDS[subject]]
        assert set(wanted) <= set(guessed(first, subject).columns), subject


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('subject = "ships"\n[columns]\nname = "N"', "about one of"),
        ('subject = "places"\n[columns]\nname = "N"', "zone"),
        ('subject = "places"\n[columns]\nname = "N"\nserial = "S"', "no field 'serial'"),
        ('subject = "people"\n[columns]\nname = "N"', "login"),
        ('subject = 7\n[columns]\nname = "N"', "about one of"),
    ],
)
def test_a_mapping_that_could_not_name_its_things_is_refused(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        mapping_from_text(f'format = "sanitrail/import-mapping/1"\nname = "x"\n{text}')


def test_what_all_rows_have_may_be_fixed() -> None:
    text = 'format = "sanitrail/import-mapping/1"\nname = "x"\nsubject = "places"\n[columns]\nname = "N"\n[fixed]\nzone = "open"'
    said = Reader(mapping_from_text(text), ["N"]).read(["Ramp"])
    assert isinstance(said, Said)
    assert facts(said) == {"name": "Ramp", "zone": "open"}


def test_a_place_a_data_set_a_holding_and_a_host_are_read() -> None:
    assert facts(read(Subject.PLACES, "Place|Zone|Site", " Store  1 |SECURE|Porto")) == {
        "name": "Store 1", "zone": "secure", "site": "Porto",
    }  # fmt: skip
    assert facts(read(Subject.DATA_SETS, "Data set|Category|Owner|Retention", "CRM|High|Care|365")) == {
        "name": "CRM", "category": "high", "owner": "Care", "retention": "365", "encryption": "unknown",
    }  # fmt: skip
    held = read(Subject.HOLDINGS, "Device|Data set|Since|Until", "BC-1|CRM|2026-01-02|2026-01-03T10:00:00+02:00")
    assert facts(held) == {
        "device": "BC-1", "data_set": "CRM", "kind": "primary",
        "since": "2026-01-02T00:00:00+00:00", "until": "2026-01-03T08:00:00+00:00",
    }  # fmt: skip
    assert facts(read(Subject.HOSTS, "Host|Site|Team", "crm-db-01|Porto|")) == {"host": "crm-db-01", "site": "Porto"}


@pytest.mark.parametrize(
    ("subject", "header", "row", "wrong"),
    [
        (Subject.PLACES, "Place|Zone", "|open", ["missing"]),
        (Subject.PLACES, "Place|Zone", "Store|safe", ["word-unknown"]),
        (Subject.PLACES, "Place|Zone", "Sto\x00re|open", ["missing", "unprintable"]),
        (Subject.PLACES, "Place|Zone", f"{'x' * 201}|open", ["too-long"]),
        (Subject.DATA_SETS, "Data set|Category|Owner", "C/RM|high|Care", ["name"]),
        (Subject.DATA_SETS, "Data set|Category|Owner|Retention", "CRM|high|Care|-1", ["retention"]),
        (Subject.DATA_SETS, "Data set|Category|Owner|Retention", "CRM|high|Care|٣", ["retention"]),
        (Subject.DATA_SETS, "Data set|Category|Owner", "CRM||", ["missing", "missing"]),
        (Subject.HOLDINGS, "Device|Data set|Since", "BC-1|CRM|last year", ["moment-unreadable"]),
        (Subject.HOLDINGS, "Device|Data set|Since", "BC-1|CRM|2026-01-01T10:00:00", ["moment-unreadable"]),
        (Subject.HOLDINGS, "Device|Data set|Since|Until", "BC-1|CRM|2026-01-02|2026-01-01", ["backwards"]),
        (Subject.HOLDINGS, "Device|Data set|Since|Kind", "BC-1|CRM|2026-01-02|tape", ["word-unknown"]),
        (Subject.PEOPLE, "Login|Name", "A b|Ana", ["login"]),
        (Subject.PEOPLE, "Login|Name|Roles", "ana|Ana|king", ["role-unknown"]),
        (Subject.PEOPLE, "Login|Name|Roles", "ana|Ana|approver; administrator", ["roles-exclude"]),
        (Subject.PEOPLE, "Login|Name|Roles|Sites", "ana|Ana|administrator|Porto", ["unlimited"]),
    ],
)
def test_what_cannot_be_is_refused_with_every_reason(subject: Subject, header: str, row: str, wrong: list[str]) -> None:
    said = read(subject, header, row)
    if "unprintable" in wrong:
        wrong = ["unprintable"]
    assert codes(said) == wrong


def test_reasons_about_people_never_repeat_what_the_row_says() -> None:
    said = read(Subject.PEOPLE, "Login|Name|Roles|Contact", "Ana Reis!|Ana Reis|Ana Reis|ana@example.org")
    assert isinstance(said, tuple)
    assert not [one for one in said if "ana" in one.sentence.lower() or "reis" in one.sentence.lower()]
    known = KnownThing(number="p-1", facts={Field.NAME: "Ana Sousa"}, private=True)
    row = Said(subject=Subject.PEOPLE, facts={Field.LOGIN: "ana", Field.NAME: "Ana Reis"})
    verdict = decide_thing(row, known)
    assert verdict.outcome is Outcome.REFUSED
    assert "Ana" not in verdict.problems[0].sentence


def test_roles_are_read_as_people_write_them() -> None:
    said = read(Subject.PEOPLE, "Login|Name|Roles", "ANA|Ana|Privacy Officer; custodian")
    assert isinstance(said, Said)
    assert roles_of(said) == {Role.PRIVACY_OFFICER, Role.CUSTODIAN}
    assert said.key == "ana"


def test_a_row_adds_agrees_or_is_refused_and_never_overwrites() -> None:
    row = Said(subject=Subject.PLACES, facts={Field.NAME: "Store", Field.ZONE: "secure"})
    assert decide_thing(row, None).outcome is Outcome.NEW
    same = KnownThing(number="L-1", facts={Field.NAME: "Store", Field.ZONE: "secure", Field.ADDRESS: "Dock 1"})
    assert decide_thing(row, same).outcome is Outcome.SAME
    other = KnownThing(number="L-1", facts={Field.NAME: "Store", Field.ZONE: "open"})
    verdict = decide_thing(row, other)
    assert (verdict.outcome, [one.code for one in verdict.problems]) == (Outcome.REFUSED, ["differs"])


def test_where_a_host_belongs_is_said_once() -> None:
    row = Said(subject=Subject.HOSTS, facts={Field.SITE: "S-1", Field.TEAM: "T-1"})

    def outcome(**facts: str) -> Outcome:
        known = {Field(one): text for one, text in {"site": "", "team": "", **facts}.items()}
        return decide_belonging(row, KnownThing(number="h-1", facts=known)).outcome

    assert decide_belonging(row, None).outcome is Outcome.REFUSED
    assert outcome() is Outcome.ADOPT
    assert outcome(site="S-1") is Outcome.ADOPT
    assert outcome(site="S-1", team="T-1") is Outcome.SAME
    assert outcome(site="S-2") is Outcome.REFUSED
