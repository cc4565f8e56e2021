"""Issuing: what claims do not grant is refused, and no caller can be lenient."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports import certificate, claims
from reports.envelope import unverified_body
from reports.errors import BrokenChain, ClaimRefused, ReportError
from reports.language import ENGLISH
from reports.record import SanitizationRecord
from reports.statements import AcceptanceChecks, Certificate, UnsuccessfulRun, VerdictWords
from tests.support.evidence import (
    ALL_YES,
    APPROVERS,
    CAPACITY,
    REQUESTER,
    VALIDATOR,
    Story,
    World,
    certified,
    good_record,
    one_pass,
    particulars,
    person,
    with_part,
    with_pass,
)

WORLD = World()
FORBIDDEN = ("compliant", "compliance", "certified", "certifies", "unrecoverable", "guarantee", "dod")


def _story(record: SanitizationRecord | None = None, **order: Any) -> Story:  # noqa: ANN401 - fields of the order
    return Story(WORLD, record or good_record(), order_changes=order).order().run().accept()


def test_a_good_run_gets_its_certificate() -> None:
    story = certified(WORLD)
    found = story.certificate
    assert (found.sanitization.method, found.sanitization.technique) == ("clear", "overwrite")
    assert (found.medium.serial, found.medium.asset_tag) == ("WD-WCC6Y3TN7F2K", "AT-004711")
    assert found.exceptions == ()
    certificate.check(story.basis(), found)


UNSUCCESSFUL = {
    "failed": with_part(good_record(), "run", state="failed", error_code="x", error="x"),
    "interrupted": with_part(good_record(), "run", state="interrupted"),
    "residual": with_part(good_record(), "verification", residual=((0, 512),)),
    "unwritten": with_pass(good_record(), bytes_written=CAPACITY - 512, unwritten=((0, 512),)),
    "not verified": with_part(good_record(), "verification", kind="none"),
    "identity changed": with_part(good_record(), "run", identity_fingerprint_after="9" * 64),
    "hidden areas": good_record(hidden_capacity="yes"),
    "unknown word": with_part(good_record(), "run", touched="partly"),
    "newer field": with_part(good_record(), "run", extra={"aborted": True}),
    "policy wants purge": with_part(good_record(), "policy", required_method="purge"),
}


@pytest.mark.parametrize("record", UNSUCCESSFUL.values(), ids=UNSUCCESSFUL.keys())
def test_what_is_not_sanitized_gets_no_certificate_but_a_report(record: SanitizationRecord) -> None:
    plan = {"verification": "full"}
    story = _story(record, plan=plan).validate()
    with pytest.raises(ClaimRefused) as refusal:
        certificate.issue(story.basis(), particulars())
    assert refusal.value.missing
    report = Story.unsuccessful(story)
    assert report.report.envelope["payloadType"].endswith(".statement.v1+json")


@pytest.mark.parametrize("decision", ["reject", "escalate"])
def test_without_approval_by_the_validator_there_is_no_certificate(decision: str) -> None:
    story = _story()
    story.decision = decision
    story.validate()
    with pytest.raises(ClaimRefused, match=decision):
        certificate.issue(story.basis(), particulars())


def test_without_any_validation_there_is_no_certificate() -> None:
    with pytest.raises(BrokenChain, match="nobody has validated"):
        certificate.issue(_story().basis(validated=False), particulars())


@pytest.mark.parametrize(
    "field", [field.name for field in dataclasses.fields(AcceptanceChecks) if field.name != "extra"]
)
@pytest.mark.parametrize("answer", ["no", "unknown"])
def test_a_doubt_at_acceptance_means_no_certificate(field: str, answer: Any) -> None:  # noqa: ANN401 - a literal
    story = Story(WORLD, checks=dataclasses.replace(ALL_YES, **{field: answer})).order().run().accept().validate()
    with pytest.raises(BrokenChain, match=field):
        certificate.issue(story.basis(), particulars())
    assert any(field.replace("_", " ") in reason for reason in _reasons(story))


def _reasons(story: Story) -> tuple[str, ...]:
    report = story.unsuccessful().report.envelope
    return UnsuccessfulRun.from_dict(unverified_body(report, "statement")).reasons


def _people(**changes: Any) -> Callable[[], certificate.Particulars]:  # noqa: ANN401 - people
    base = particulars().people
    return lambda: particulars(people=dataclasses.replace(base, **changes))


@pytest.mark.parametrize(
    "make",
    [
        _people(requested_by=person("p-other", "Somebody Else")),
        _people(performed_by=person("p-other", "Somebody Else")),
        _people(approved_by=APPROVERS[:1]),
        _people(approved_by=tuple(reversed(APPROVERS))),
        _people(validated_by=person("p-validator", "Another Name")),
        _people(verified_by=person("", " ")),
        _people(requested_by=dataclasses.replace(REQUESTER, name="")),
        lambda: particulars(number=" "),
        lambda: particulars(issued="yesterday"),
    ],
)
def test_people_and_facts_that_the_evidence_does_not_carry_are_refused(
    make: Callable[[], certificate.Particulars],
) -> None:
    story = _story().validate()
    with pytest.raises(ReportError):
        certificate.issue(story.basis(), make())


@pytest.mark.parametrize(
    "validator", [REQUESTER, *APPROVERS, person("", "Nobody")], ids=lambda who: who.ref or "unnamed"
)
def test_nobody_validates_their_own_act(validator: Any) -> None:  # noqa: ANN401 - a person
    story = _story().validate(validator=validator)
    people = dataclasses.replace(particulars().people, validated_by=validator)
    with pytest.raises(BrokenChain, match="validator has requested or approved"):
        certificate.issue(story.basis(), particulars(people=people))


def test_a_validation_of_another_verdict_is_refused() -> None:
    story = _story().validate(verdict=VerdictWords(outcome="sanitized", method="purge", coverage="full"))
    with pytest.raises(BrokenChain, match="verdict"):
        certificate.issue(story.basis(), particulars())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", ""),
        ("exceptions", ()),
        ("exceptions", ("All is well.",)),
        ("record_sha256", "0" * 64),
        ("validation_sha256", "0" * 64),
    ],
)
def test_an_altered_certificate_does_not_follow_from_its_evidence(field: str, value: Any) -> None:  # noqa: ANN401 - any field
    story = certified(WORLD, good_record(media="flash"))
    altered = dataclasses.replace(story.certificate, **{field: value})
    with pytest.raises(ReportError):
        certificate.check(story.basis(), altered)


@pytest.mark.parametrize(
    "alter",
    [
        lambda c: dataclasses.replace(c, medium=dataclasses.replace(c.medium, serial="OTHER")),
        lambda c: dataclasses.replace(c, medium=dataclasses.replace(c.medium, asset_tag="OTHER")),
        lambda c: dataclasses.replace(c, sanitization=dataclasses.replace(c.sanitization, method="purge")),
        lambda c: dataclasses.replace(c, sanitization=dataclasses.replace(c.sanitization, tool="other")),
        lambda c: dataclasses.replace(c, sanitization=dataclasses.replace(c.sanitization, verification="Full, twice")),
    ],
)
def test_a_certificate_cannot_say_more_than_its_evidence(alter: Callable[[Certificate], Certificate]) -> None:
    story = certified(WORLD)
    with pytest.raises(BrokenChain, match="does not follow"):
        certificate.check(story.basis(), alter(story.certificate))


def test_waivers_follow_the_exceptions() -> None:
    story = certified(WORLD, good_record(media="flash"), waivers=("Waiver W-1.",))
    assert story.certificate.exceptions[-1] == "Waiver W-1."
    assert len(story.certificate.exceptions) == 2
    certificate.check(story.basis(), story.certificate)


def test_a_successful_run_gets_no_report_of_failure() -> None:
    story = _story().validate()
    with pytest.raises(ClaimRefused, match="Nothing in the evidence"):
        story.unsuccessful(validated=True)


def test_a_rejected_run_gets_a_report_that_names_the_decision() -> None:
    story = _story()
    story.decision = "reject"
    story.validate()
    report = story.unsuccessful(validated=True)
    assert report.validation is not None


@pytest.mark.parametrize("code", ["purge", "verified-representative"])
def test_claims_without_evidence_are_refused_with_what_is_missing(code: claims.ClaimCode) -> None:
    with pytest.raises(ClaimRefused) as refusal:
        claims.grant(good_record(), code)
    assert refusal.value.claim == code
    assert refusal.value.missing


def test_nothing_follows_from_missing_evidence() -> None:
    record = with_part(good_record(), "method", passes=())
    said = claims.derive(record)
    assert said.granted == ()
    assert {refusal.code for refusal in said.refused} == {
        "clear", "purge", "verified-full", "verified-representative", "same-medium"
    }  # fmt: skip


def test_every_claim_points_at_fields_that_exist_and_quotes_a_clause() -> None:
    for record in (
        good_record(),
        with_part(good_record(), "method", pattern_set="x", passes=(one_pass(), one_pass(2))),
    ):
        for claim in claims.derive(record).granted:
            assert "800-88" in claim.clause
            assert claim.evidence
            assert all("." in evidence.field for evidence in claim.evidence)


def test_no_sentence_promises_what_no_record_can_show() -> None:
    sources = Path(claims.__file__).parent
    said = claims.derive(good_record(media="flash"))
    texts = (
        [claim.text for claim in said.granted]
        + list(said.exceptions)
        + list(said.not_covered)
        + [ENGLISH.say("claims.means-clear")]
    )
    pages = [template.read_text(encoding="utf-8") for template in sorted((sources / "templates").glob("*.html"))]
    texts += [
        re.sub(r"{[{%].*?[%}]}", "", page) for page in pages
    ]  # their sentences are the catalogs' (`test_language`)
    for text in texts:
        for word in FORBIDDEN:
            assert word not in text.lower(), f"{word} in {text[:80]}"


def test_the_person_who_validated_is_the_one_printed() -> None:
    assert certified(WORLD).certificate.people.validated_by == VALIDATOR
