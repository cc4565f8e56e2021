"""Leaves to write that were carried to a host, in a record; and envelopes as numbered texts."""

from __future__ import annotations

import dataclasses

import pytest

from reports.by_hand_words import by_hand_words
from reports.envelope import sign
from reports.errors import MalformedDocument
from reports.findings import examine
from reports.keys import FileSigner
from reports.numbered import PartRefused, Row, gather, numbers, parts_of, unpack
from reports.record import HandedPermit, SanitizationRecord
from reports.verdict import judge
from tests.support.evidence import good_record

PLAIN = good_record()
PERMIT = HandedPermit(
    bundle="a" * 64, asked="2026-11-22T08:00:00Z", permitted="2026-11-22T13:30:00Z", age_seconds=19_800
)


def carrying(*permits: HandedPermit) -> SanitizationRecord:
    return dataclasses.replace(PLAIN, order=dataclasses.replace(PLAIN.order, by_hand=permits))


def test_a_record_without_a_carried_leave_is_what_it_was_byte_for_byte() -> None:
    assert "by_hand" not in PLAIN.to_dict()["order"]
    assert SanitizationRecord.from_dict(PLAIN.to_dict()) == PLAIN
    assert by_hand_words(PLAIN) == ""


def test_a_carried_leave_is_read_back_changes_no_conclusion_and_says_its_age() -> None:
    record = carrying(PERMIT)
    assert SanitizationRecord.from_dict(record.to_dict()) == record
    assert judge(record).outcome == judge(PLAIN).outcome
    assert "5 h 30 min later" in by_hand_words(record)


@pytest.mark.parametrize("nothing", [[], None])
def test_where_the_field_stands_it_says_something(nothing: object) -> None:
    document = PLAIN.to_dict()
    document["order"] = {**document["order"], "by_hand": nothing}
    with pytest.raises(MalformedDocument):
        SanitizationRecord.from_dict(document)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"age_seconds": 60}, "times-unusable"),
        ({"asked": "yesterday"}, "times-unusable"),
        ({"bundle": "short"}, "digest-malformed"),
    ],
)
def test_a_leave_that_contradicts_itself_is_found(change: dict[str, object], code: str) -> None:
    record = carrying(dataclasses.replace(PERMIT, **change))  # type: ignore[arg-type]
    assert code in {finding.code for finding in examine(record)}
    assert judge(record).outcome == "unknown"


SIGNER = FileSigner.generate()
INNER = sign("order", {"reason": "x" * 300, "name": "Conceição", "list": [1, None, True]}, SIGNER)
OUTER = sign("job-bundle", {"jobs": [{"order": INNER, "number": n} for n in range(6)]}, SIGNER)


def test_parts_come_in_any_order_and_twice_and_give_back_every_byte() -> None:
    texts = parts_of(OUTER, 40)
    assert len(texts) > 5
    row = gather(reversed(texts))
    row.add(texts[0])
    assert row.envelope() == OUTER


def test_missing_parts_are_named_and_nothing_is_given_back() -> None:
    texts = parts_of(OUTER, 40)
    row = gather([*texts[:1], *texts[4:]])
    assert numbers(row.missing) == "2-4"
    with pytest.raises(MalformedDocument, match="2-4"):
        row.envelope()
    with pytest.raises(MalformedDocument, match="all of them"):
        Row().envelope()


def test_a_misread_part_one_of_another_row_and_one_that_lies_are_refused_and_the_others_stay() -> None:
    texts = parts_of(OUTER, 40)
    row = gather(texts[:2])
    damaged = texts[2][:-1] + ("0" if texts[2][-1] != "0" else "1")
    for wrong in (damaged, parts_of(INNER, 40)[0], "SANITRAIL:1:nonsense", ""):
        with pytest.raises(PartRefused):
            row.add(wrong)
    assert set(row.parts) == {1, 2}


def test_texts_hold_no_sign_that_forms_and_people_lose() -> None:
    assert not any(sign in text for text in parts_of(OUTER) for sign in " \t%")


def test_what_is_packed_to_burst_is_refused() -> None:
    import zlib  # noqa: PLC0415 - here only

    with pytest.raises(MalformedDocument):
        unpack(zlib.compress(b"[" + b"0," * (5 << 20) + b"0]", 9))
