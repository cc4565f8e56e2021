"""Edits of genuine records of drives' own commands: no field, set to anything, makes the verdict better."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.record import CommandFacts, MalformedRecord, SanitizationRecord
from reports.verdict import COVERAGE_RANK, METHOD_RANK, judge
from tests.support.evidence import CAPACITY, with_part
from tests.support.purge_evidence import command, crypto_erase, purge_record, sampled_purge

from .test_drive_commands import ERASE, FORMAT_SETTING, GOOD, SANITIZE, ata, emmc, erased, only, scsi

VALUES: list[object] = [
    None, "", "yes", "no", "unknown", "success", "failed", "00", "84", "overwrite", "purge", "clear", "full", "none",
    "zeros", "keyed-stream", "no-canary", 0, 1, CAPACITY, True, False, (), ((0, 512),), FORMAT_SETTING,
]  # fmt: skip
RECORDS = [
    GOOD,
    sampled_purge(),
    purge_record(crypto_erase(1), command(2)),
    erased(),
    ata(),
    scsi(),
    emmc(ERASE, SANITIZE),
]


def _edits(record: SanitizationRecord) -> list[tuple[str, SanitizationRecord]]:
    """Every field of every part and command, set to every value of its kind."""
    found = []
    for part in ("device", "method", "verification", "run", "policy", "order", "host"):
        for field in dataclasses.fields(getattr(record, part)):
            found += [
                (f"{part}.{field.name}", with_part(record, part, **{field.name: value}))
                for value in _fitting(getattr(getattr(record, part), field.name), field.name)
            ]
    for n, one in enumerate(record.method.commands):
        for field in dataclasses.fields(CommandFacts):
            for value in _fitting(getattr(one, field.name), field.name):
                edited = dataclasses.replace(one, **{field.name: value})
                listed = (*record.method.commands[:n], edited, *record.method.commands[n + 1 :])
                found.append((f"commands[{n}].{field.name}", with_part(record, "method", commands=listed)))
    return found


def _fitting(value: object, field: str) -> list[Any]:
    if field == "extra":
        return [{"newer": 1}]
    kinds = (str, type(None)) if value is None else (type(value), type(None))
    return [other for other in VALUES if type(other) in kinds]


def _readable(record: SanitizationRecord) -> bool:
    """Whether a reader would take the edited record at all: None only where None may stand."""
    try:
        SanitizationRecord.from_dict(record.to_dict())
    except MalformedRecord:
        return False
    return True


@pytest.mark.parametrize("record", RECORDS, ids=["full", "sampled", "combined", "enhanced", "ata", "scsi", "emmc"])
def test_no_edited_field_makes_the_verdict_better(record: SanitizationRecord) -> None:
    honest = judge(record)
    edits = [(name, edited) for name, edited in _edits(record) if _readable(edited)]
    assert len(edits) > 300
    for name, edited in edits:
        verdict = judge(edited)
        assert METHOD_RANK[verdict.method] <= METHOD_RANK[honest.method], name
        assert COVERAGE_RANK[verdict.coverage] <= COVERAGE_RANK[honest.coverage], name


EVIDENCE = ["technique", "opcode", "sent", "accepted", "after", "reported"]


@pytest.mark.parametrize("field", EVIDENCE)
@given(value=st.text(max_size=20))
def test_no_invented_text_stands_in_for_evidence(field: str, value: str) -> None:
    edited = only(**{field: value})
    if getattr(edited.method.commands[0], field) != getattr(GOOD.method.commands[0], field):
        assert judge(edited).outcome != "sanitized"
