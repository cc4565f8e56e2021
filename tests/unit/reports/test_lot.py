"""A lot: how many of how many, each with its own certificate; nothing is complete that is not, and nothing is counted twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reports import lot
from reports.canonical import canonical
from reports.documents.lot import lot_view
from reports.envelope import sign, unverified_body
from reports.errors import BrokenChain, ClaimRefused, MalformedDocument
from reports.files import LotFile, read_file
from reports.language.speaker import LANGUAGES, speaker
from reports.media import MediumLine, grouped_exceptions, sound
from reports.verify import verify
from reports.verify_media import Beside, nothing_beside
from reports.verify_steps import Verification
from tests.support.documents import Lot, medium_of, resealed_annex, three_media, unproven
from tests.support.evidence import Story, World, certified, good_record, person, with_part


def _verify(world: World, file: LotFile, beside: Beside = nothing_beside) -> Verification:
    return verify(file.to_bytes(), world.pin, beside)


def _caught(result: Verification, step: str) -> None:
    assert not result.yes
    assert not result.genuine
    assert [check.code for check in result.checks if check.state == "failed"] == [step]
    assert result.conclusion.startswith("NO: do not rely on this file.")
    assert result.codes


def _composed(some: Lot) -> dict[str, Any]:
    return lot.compose(some.facts(), some.lines, some.exceptions()).to_dict()


def test_a_lot_whose_every_medium_is_proven_is_certified() -> None:
    world = World()
    result = _verify(world, three_media(world).issue())
    assert result.yes
    assert result.kind == "lot"
    assert "all 3 media were sanitized (2) or destroyed (1)" in result.conclusion
    assert [fact.value for fact in result.facts if fact.label == "Checked in full"] == ["3"]


@pytest.mark.parametrize("outcome", ["failed", "missing", "waived", "open"])
def test_one_medium_without_proof_makes_it_a_report(outcome: str) -> None:
    world = World()
    some = three_media(world)
    some.left = [unproven("D-9", outcome, "Nobody knows where it is.")]
    result = _verify(world, some.issue())
    assert (result.genuine, result.yes) == (True, False)
    assert result.conclusion.startswith("NOT COMPLETE")
    assert f"AT-D-9 S-D-9, {outcome}: Nobody knows where it is." in result.not_proven


def test_nothing_but_unproven_media_is_a_report_too() -> None:
    world = World()
    result = _verify(world, Lot(world, [], [unproven("D-1")]).issue())
    assert (result.genuine, result.yes) == (True, False)


def test_evidence_that_lies_beside_must_be_given_for_a_yes() -> None:
    world = World()
    some = three_media(world)
    some.evidence = "beside"
    file = some.issue()
    alone = _verify(world, file)
    assert (alone.genuine, alone.yes) == (True, False)
    assert alone.conclusion.startswith("NOT CHECKED IN FULL")
    assert any("the certificates are the issuer's word" in text for text in alone.not_proven)
    partly = _verify(world, file, lambda digest: some.beside(digest) if digest == some.lines[0].bundle_sha256 else None)
    assert not partly.yes
    assert "evidence of 2 was not given" in partly.conclusion
    assert _verify(world, file, some.beside).yes


def test_evidence_beside_that_is_another_file_is_refused() -> None:
    world = World()
    some = three_media(world)
    some.evidence = "beside"
    file = some.issue()
    other = some.media[1][1].to_bytes()
    _caught(_verify(world, file, lambda _: other), "media")
    _caught(_verify(world, file, lambda _: b"{}"), "media")


def test_evidence_may_not_be_taken_out_or_put_in() -> None:
    world = World()
    some = three_media(world)
    file = some.issue()
    taken = tuple(dataclasses.replace(one, bundle=None) for one in file.members)
    _caught(_verify(world, dataclasses.replace(file, members=taken), some.beside), "media")
    some.evidence = "beside"
    out = some.issue()
    put = tuple(
        dataclasses.replace(one, bundle=medium.to_dict())
        for one, (_, medium) in zip(out.members, some.media, strict=True)
    )
    _caught(_verify(world, dataclasses.replace(out, members=put), some.beside), "media")


def test_evidence_that_does_not_hold_spoils_the_lot() -> None:
    world = World()
    some = three_media(world)
    line, file = some.media[0]
    body = file.to_dict()
    body["approvals"] = body["approvals"][:1]
    from reports.bundle import DestructionBundle2  # noqa: PLC0415 - one caller

    broken = DestructionBundle2.from_dict(body)
    some.media[0] = (dataclasses.replace(line, bundle_sha256=broken.digest()), broken)
    _caught(_verify(world, some.issue()), "media")


def test_a_failed_run_is_no_evidence() -> None:
    world = World()
    some = three_media(world)
    failed = Story(world, with_part(good_record(), "run", state="failed", error="x", error_code="x"))
    report = failed.order().run().accept().unsuccessful()
    line, _ = some.media[0]
    file = some.issue()
    members = (dataclasses.replace(file.members[0], bundle=report.to_dict()), *file.members[1:])
    assert line.bundle_sha256 != report.digest()
    _caught(_verify(world, dataclasses.replace(file, members=members)), "media")


@pytest.mark.parametrize(
    "change",
    [
        {"serial": "OTHER"},
        {"manufacturer": "OTHER"},
        {"asset_tag": "OTHER"},
        {"fingerprint": "0" * 64},
        {"method": "purge"},
        {"technique": "nvme-sanitize-crypto-erase"},
        {"verification": "Representative sampling"},
        {"document": "SC-9"},
        {"issued": "2026-11-23T14:06:00Z"},
        {"document_sha256": "0" * 64},
        {"exceptions": 5},
        {"outcome": "destroyed", "method": "destroy"},
    ],
)
def test_a_line_that_says_something_else_than_its_certificate_is_refused(change: dict[str, Any]) -> None:
    """The service itself signs an annex that tells a lie about one medium."""
    world = World()
    some = three_media(world)
    line, file = some.media[0]
    some.media[0] = (dataclasses.replace(line, **change), file)
    _caught(_verify(world, some.issue()), "certificates")


def test_a_line_that_names_other_evidence_is_refused() -> None:
    world = World()
    some = three_media(world)
    line, file = some.media[0]
    some.media[0] = (dataclasses.replace(line, bundle_sha256="0" * 64), file)
    _caught(_verify(world, some.issue()), "media")


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(complete=True),
        lambda body: body["counts"].update(sanitized=3, open=0),
        lambda body: body["counts"].update(total=3),
        lambda body: body.update(exceptions=["1 medium: nothing"]),
        lambda body: body.update(issued="soon"),
        lambda body: body.update(lot=" "),
    ],
)
def test_a_document_that_says_more_than_its_media_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    world = World()
    some = three_media(world)
    some.left = [unproven("D-9")]
    body = _composed(some)
    change(body)
    _caught(_verify(world, some.issue(body)), "content")


def test_a_medium_left_out_of_the_list_or_added_to_it_is_noticed() -> None:
    world = World()
    some = three_media(world)
    some.left = [unproven("D-9")]
    file = some.issue()
    _caught(_verify(world, dataclasses.replace(file, annex=file.annex[:3])), "annex")
    _caught(_verify(world, dataclasses.replace(file, annex=(*file.annex, unproven("D-10")))), "annex")
    _caught(_verify(world, dataclasses.replace(file, annex=(*file.annex[1:], file.annex[0]))), "annex")


def test_members_are_those_of_the_lines_in_their_order() -> None:
    world = World()
    file = three_media(world).issue()
    _caught(_verify(world, dataclasses.replace(file, members=file.members[:2])), "certificates")
    _caught(_verify(world, dataclasses.replace(file, members=(*file.members, file.members[0]))), "certificates")
    swapped = (file.members[1], file.members[0], file.members[2])
    _caught(_verify(world, dataclasses.replace(file, members=swapped)), "certificates")


def test_one_medium_is_not_counted_twice() -> None:
    """An insider signs an annex with the same certificate under two numbers."""
    world = World()
    some = three_media(world)
    line, file = some.media[0]
    body = _composed(some)
    some.media.append((dataclasses.replace(line, device="D-77"), file))
    body = resealed_annex(body, some.lines) | {"counts": {**body["counts"], "total": 4, "sanitized": 3}}
    _caught(_verify(world, some.issue(body)), "content")


def test_a_certificate_younger_than_the_lot_is_refused() -> None:
    world = World()
    some = three_media(world)
    honest = _composed(some)
    envelope = sign("statement", honest, world.acceptance)
    early = world.log.append("statement", envelope)
    late = certified(world, good_record(serial="LATE"), number="SC-LATE")
    some.media[0] = medium_of(late, "D-1", ("CRM production (primary)",))
    some.envelope, some.index = sign("statement", _composed(some), world.acceptance), early
    _caught(_verify(world, some.file()), "statement")  # its own place in the log cannot be feigned
    some.issue()
    after = some.index
    later = certified(world, good_record(serial="LATER"), number="SC-LATER")
    some.media[1] = medium_of(later, "D-2", ("CRM production (primary)",))
    body = _composed(some)
    assert later.certified_at > after
    assert _verify(world, some.issue(body)).yes


def test_evidence_of_another_history_is_refused() -> None:
    world = World()
    file = three_media(world).issue()
    members = (dataclasses.replace(file.members[0], consistency=file.members[1].consistency[:1]), *file.members[1:])
    _caught(_verify(world, dataclasses.replace(file, members=members)), "media")


def test_a_certificate_of_another_log_is_refused() -> None:
    world, other = World(), World()
    some = three_media(world)
    some.media[0] = medium_of(certified(other, good_record(serial="FOREIGN")), "D-1")
    file = some.issue()
    _caught(_verify(world, file), "certificates")


def test_a_lot_signed_by_anybody_else_is_refused() -> None:
    world = World()
    some = three_media(world)
    some.issue()
    some.envelope = sign("statement", _composed(some), world.enrolment)
    some.index = world.log.append("statement", some.envelope)
    _caught(_verify(world, some.file()), "statement")


def test_every_field_of_the_file_counts() -> None:
    world = World()
    good = three_media(world).issue().to_dict()
    for name, value in good.items():
        emptied: Any = None if isinstance(value, (dict, str)) else []
        assert not verify(canonical({**good, name: emptied}), world.pin).genuine, name
        assert not verify(canonical({k: v for k, v in good.items() if k != name}), world.pin).genuine, name
    assert not verify(canonical({**good, "more": 1}), world.pin).genuine


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (unproven("D-1"), unproven("D-1")),
        (unproven(""),),
        (unproven("D-1", "returned"),),
        (unproven("D-1", "sanitized", ""),),
        (unproven("D-1", reason=" "),),
        (dataclasses.replace(unproven("D-1"), bundle_sha256="0" * 64),),
    ],
)
def test_lines_that_make_no_sense_are_refused(lines: tuple[MediumLine, ...]) -> None:
    with pytest.raises((BrokenChain, MalformedDocument)):
        sound(lines, lot.OUTCOMES)


def test_a_lot_without_a_name_or_anybody_responsible_is_refused() -> None:
    world = World()
    some = three_media(world)
    for change in ({"lot": " "}, {"responsible": person("p", "")}):
        with pytest.raises(ClaimRefused):
            lot.compose(dataclasses.replace(some.facts(), **change), some.lines, some.exceptions())


def test_the_same_exception_of_many_certificates_is_said_once() -> None:
    assert grouped_exceptions([("a", "b"), ("b",), ()]) == ("2 media: b", "1 medium: a")


def test_a_certificate_that_was_logged_after_the_lot_is_refused() -> None:
    """An insider signs the lot first, over a certificate that is logged only afterwards."""
    world = World()
    story = Story(world).order().run().accept().validate().certify()
    line, file = medium_of(story, "D-1")
    some = Lot(world, [(line, file)])
    body = _composed(some)
    some.issue(body)
    story.certified_at = world.log.append("certificate", story.certificate_envelope)
    some.media = [(line, story.bundle())]
    _caught(_verify(world, some.file()), "certificates")


def test_the_evidence_of_another_medium_is_no_evidence_of_this_one() -> None:
    world = World()
    some = three_media(world)
    (line, file), (_, other) = some.media[:2]
    some.media = [(dataclasses.replace(line, bundle_sha256=other.digest()), file)]
    made = some.issue()
    members = (dataclasses.replace(made.members[0], bundle=other.to_dict()),)
    _caught(_verify(world, dataclasses.replace(made, members=members)), "media")


def test_evidence_under_another_second_version_of_the_trust_root_is_refused() -> None:
    """Root keys that sign two versions with one number: each file holds alone, and both do not stand on one trust root."""
    world = World()
    world.new_version()
    some = Lot(world, [medium_of(certified(world), "D-1")])
    assert _verify(world, some.issue()).yes
    del world.trust_roots[1]
    world.new_version(issued="2026-11-22T17:00:00Z")
    file = some.issue()
    assert file.anchor.trust_roots[1] != some.media[0][1].anchor.trust_roots[1]
    _caught(_verify(world, file), "media")


def test_the_certificate_stands_where_its_own_evidence_says() -> None:
    """The same certificate logged twice: list and evidence must mean the same entry."""
    world = World()
    story = certified(world)
    some = Lot(world, [medium_of(story, "D-1")])
    file = some.issue()
    again = world.log.append("certificate", story.certificate_envelope)
    some.index = world.log.append("statement", some.envelope)
    moved = some.file()
    member = dataclasses.replace(moved.members[0], document=world.logged(story.certificate_envelope, again))
    assert file.members[0].document.index != again
    _caught(_verify(world, dataclasses.replace(moved, members=(member,))), "media")


def test_a_lot_in_another_language_says_exceptions_and_what_was_held_in_it() -> None:
    file = read_file((Path(__file__).parents[2] / "frozen" / "2026-12" / "lot.json").read_bytes())
    assert isinstance(file, LotFile)
    said = {language: lot_view(file, speaker(language)) for language in LANGUAGES}
    signed = unverified_body(file.statement.envelope, "statement")["exceptions"]
    assert said["en"]["exceptions"] == signed
    texts = {text.split(": ", 1)[1] for language in LANGUAGES for text in said[language]["exceptions"]}
    assert len(texts) == len(signed) * len(LANGUAGES)
    assert {said[language]["annex"][0].held for language in LANGUAGES} == {
        "CRM production (primary)",
        "CRM production (principal)",
        "CRM production (utama)",
    }


def test_exceptions_of_evidence_that_lies_beside_stand_as_they_were_signed() -> None:
    file = read_file((Path(__file__).parents[2] / "frozen" / "2026-12" / "lot-beside.json").read_bytes())
    assert isinstance(file, LotFile)
    for line in lot_view(file, speaker("ms"))["exceptions"]:
        assert any(line.endswith(signed.split(": ", 1)[1]) for signed in lot_view(file)["exceptions"])
