"""Records and strict statements: what is read, what is refused, what is kept."""

from __future__ import annotations

import copy
import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from reports import errors
from reports.canonical import canonical, parse_strict
from reports.errors import MalformedDocument, MalformedRecord, ReportError
from reports.parts import Part, StrictPart
from reports.record import SanitizationRecord
from reports.statements import Acceptance, Certificate, ErasureStatement, KeyEvent, UnsuccessfulRun, Validation
from reports.times import day_for_people, for_people, format_instant, parse_instant
from tests.support.evidence import World, certified, good_record

BODY = good_record().to_dict()


def test_a_record_reads_back_to_the_same_bytes() -> None:
    data = canonical(BODY)
    assert canonical(SanitizationRecord.from_dict(parse_strict(data)).to_dict()) == data


@pytest.mark.parametrize(
    "path", [(), ("order",), ("device",), ("method", "passes", 0), ("run", "segments", 0), ("verification",)]
)
def test_fields_of_a_newer_writer_are_kept_on_every_level(path: tuple[Any, ...]) -> None:
    body = copy.deepcopy(BODY)
    place: Any = body
    for name in path:
        place = place[name]
    place["newer"] = {"a": [1, "x", None]}
    assert SanitizationRecord.from_dict(body).to_dict() == body


@pytest.mark.parametrize("name", sorted(BODY))
def test_every_field_is_required(name: str) -> None:
    body = {key: value for key, value in BODY.items() if key != name}
    with pytest.raises(MalformedRecord, match="missing"):
        SanitizationRecord.from_dict(body)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("device", "capacity_bytes"), "500"),
        (("device", "capacity_bytes"), True),
        (("device", "capacity_bytes"), 2**53),
        (("device", "serial"), 5),
        (("device",), None),
        (("device",), []),
        (("method", "passes"), {}),
        (("method", "passes"), [1]),
        (("method", "passes", 0, "unwritten"), [[1]]),
        (("method", "passes", 0, "unwritten"), [[1, 2, 3]]),
        (("method", "passes", 0, "unwritten"), [["0", "1"]]),
        (("method", "passes", 0, "flushed"), 1),
        (("method", "commands"), ["x"]),
        (("run", "clock_synchronized"), "yes"),
        (("order", "approvals"), "ab"),
        (("schema",), "sanitrail/sanitization-record/2"),
        (("tool",), None),
    ],
)
def test_ill_typed_fields_are_refused_with_their_place(path: tuple[Any, ...], value: object) -> None:
    body = copy.deepcopy(BODY)
    place: Any = body
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(MalformedRecord) as refusal:
        SanitizationRecord.from_dict(body)
    assert str(path[0]) in refusal.value.where


@pytest.mark.parametrize("value", [None, [], "text", 5])
def test_only_objects_are_records(value: object) -> None:
    with pytest.raises(MalformedRecord):
        SanitizationRecord.from_dict(value)


STORY = certified(World())
STATEMENTS: dict[type[StrictPart], dict[str, Any]] = {
    Certificate: STORY.certificate.to_dict(),
    Acceptance: STORY.basis().acceptance.to_dict(),
    Validation: getattr(STORY.basis().validation, "to_dict", dict)(),
}


@pytest.mark.parametrize("kind", STATEMENTS, ids=lambda kind: kind.__name__)
def test_statements_read_back_and_refuse_anything_more_or_less(kind: type[StrictPart]) -> None:
    body = STATEMENTS[kind]
    assert kind.from_dict(body).to_dict() == body
    with pytest.raises(MalformedDocument, match="unknown field"):
        kind.from_dict({**body, "surplus": 1})
    for name in body:
        with pytest.raises(MalformedDocument, match="missing"):
            kind.from_dict({key: value for key, value in body.items() if key != name})


@pytest.mark.parametrize("kind", [Acceptance, Validation, Certificate, KeyEvent, ErasureStatement, UnsuccessfulRun])
def test_one_schema_never_passes_for_another(kind: type[StrictPart]) -> None:
    (default,) = [field.default for field in dataclasses.fields(kind) if field.name == "schema"]
    others = [body for other, body in STATEMENTS.items() if other is not kind]
    for body in others:
        assert body["schema"] != default
        with pytest.raises(MalformedDocument):
            kind.from_dict(body)


def test_a_word_outside_the_list_is_refused() -> None:
    body = copy.deepcopy(STATEMENTS[Validation])
    body["decision"] = "perhaps"
    with pytest.raises(MalformedDocument, match="approve, reject, escalate"):
        Validation.from_dict(body)


def test_an_annotation_without_a_reader_is_our_own_bug() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Wrong(Part):
        number: complex

    globals()["complex"] = complex
    with pytest.raises(TypeError, match="no reader"):
        Wrong.from_dict({"number": 1})


@pytest.mark.parametrize("text", ["2026-11-22T14:06:00Z", "2026-11-22T14:06:00.123456Z", "2024-02-29T00:00:00Z"])
def test_instants_are_utc_with_a_z(text: str) -> None:
    assert parse_instant(text).tzinfo == UTC


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-22", "2026-11-22T14:06Z", "2026-11-22T14:06:00", "2026-11-22T14:06:00+00:00", "2026-11-22t14:06:00z",
        "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-22T24:01:00Z", "2026-11-22T14:06:00Z\n",
        "\uff12026-11-22T14:06:00Z", None, 5,
    ],
)  # fmt: skip
def test_anything_else_is_no_instant(text: object) -> None:
    with pytest.raises(MalformedDocument):
        parse_instant(text)


def test_instants_are_written_to_the_second_in_utc() -> None:
    moment = datetime(2026, 11, 22, 22, 6, 0, 5, tzinfo=timezone(timedelta(hours=8)))
    assert format_instant(moment) == "2026-11-22T14:06:00Z"
    with pytest.raises(ValueError, match="naive"):
        format_instant(datetime(2026, 11, 22))  # noqa: DTZ001 - the point of the test


def test_people_read_days_in_words() -> None:
    assert for_people("2026-11-02T04:06:00Z") == "2 November 2026, 04:06:00 UTC"
    assert day_for_people("2026-11-22T14:06:00Z") == "22 November 2026"


ERRORS = [
    errors.MalformedDocument("place", "problem"),
    errors.MalformedRecord("place", "problem"),
    errors.UnsupportedSchema("place", "x" * 500),
    errors.UnknownKey("ab" * 32),
    errors.BadSignature("ab" * 32),
    errors.KeyNotValid("ab" * 32, "agent", 5, "revoked"),
    errors.BrokenChain("link", "they differ."),
    errors.BadSeal("altered."),
    errors.ClaimRefused("purge", ("Overwriting reaches Clear.",)),
    errors.BadStamp("over other bytes."),
    errors.UnsafeKeyFile("/k.pem", "mode 0644"),
    errors.TokenUnusable("pkcs11:token=a;object=b", "there is no token 'a'"),
    errors.UnknownLanguage("klingon", ("en", "pt")),
    errors.UnusableBrand("logo", "no picture."),
    errors.RenderingUnavailable("weasyprint"),
    errors.PrintingFailed("it ended."),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_errors_say_what_who_and_what_to_do(error: ReportError) -> None:
    assert error.summarize().startswith(error.sentence)
    assert error.fault in error.explain()
    assert error.advice in error.explain()
    assert len(error.summarize()) < 300
    assert str(error) == error.summarize()


def test_every_error_has_a_code_of_its_own() -> None:
    classes = {type(error) for error in ERRORS} | {ReportError}
    assert len({kind.code for kind in classes}) == len(classes)
    defined = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, ReportError)}
    assert defined == classes
