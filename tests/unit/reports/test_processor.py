"""A processor's statement (Art. 28(3)(g) GDPR): what is open is said first; nothing is complete by leaving something out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from reports import processor
from reports.canonical import canonical
from reports.envelope import sign
from reports.errors import BrokenChain, ClaimRefused, MalformedDocument
from reports.files import ProcessorFile
from reports.keys import FileSigner
from reports.processor import DoneByWord, OpenMatter, ProcessorFacts, Retained, SubProcessor
from reports.verify import verify
from reports.verify_steps import Verification
from tests.support.documents import CONTROLLER, Lot, Processor, personal, three_media, unproven
from tests.support.evidence import APPROVERS, REQUESTER, World, person

KEPT = Retained(
    data_set="CRM production", what="Invoices of 2020 on tape 9", law="Section 147 AO (Germany)",
    until="2031-01-01T00:00:00Z",
)  # fmt: skip
HANDED_BACK = DoneByWord(
    kind="returned", data_set="CRM production", text="Handed over on an encrypted disk.", receipt_sha256="4" * 64,
    by=REQUESTER, time="2026-11-05T09:30:00Z",
)  # fmt: skip
TOGETHER = dataclasses.replace(HANDED_BACK, data_set="CRM backups")


def _story(**changes: Any) -> Processor:  # noqa: ANN401 - fields of the input
    return Processor(three_media(World()), changes)


def _verify(story: Processor, file: ProcessorFile | None = None) -> Verification:
    return verify((file or story.issue()).to_bytes(), story.lot.world.pin)


def _caught(result: Verification, step: str) -> None:
    assert not result.yes
    assert not result.genuine
    assert [check.code for check in result.checks if check.state == "failed"] == [step]
    assert result.conclusion.startswith("NO: do not rely on this file.")
    assert result.codes


def test_a_statement_with_nothing_open_is_complete_and_signed_by_a_person() -> None:
    result = _verify(_story())
    assert result.yes
    assert result.kind == "processor-statement"
    assert "Mei Ling Tan signed exactly these facts with a key of their own." in result.proven
    assert any("This is Nurul Aisyah binti Rahman's word" in text for text in result.not_proven)


def test_what_the_law_requires_to_keep_is_an_exception_that_is_told() -> None:
    result = _verify(_story(retained=(KEPT,)))
    assert result.yes
    assert result.conclusion.endswith("By its own word, 1 copy is kept because the law requires it.")
    assert any("Section 147 AO" in text for text in result.not_proven)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"retained": (dataclasses.replace(KEPT, law=" "),)}, "CRM production"),
        ({"retained": (dataclasses.replace(KEPT, until="2026-11-22T18:00:00Z"),)}, "CRM production"),
        ({"choice": "return"}, "CRM production"),
        ({"choice": "return", "done": (HANDED_BACK,)}, "CRM backups"),
        ({"data_sets": ("CRM production", "CRM backups", "CRM archive")}, "CRM archive"),
        (
            {"sub_processors": (SubProcessor(name="T", role="", complete="unknown", evidence="", evidence_sha256=""),)},
            "T",
        ),
        (
            {
                "sub_processors": (
                    SubProcessor(name="T", role="", complete="no", evidence="9", evidence_sha256="3" * 64),
                )
            },
            "T",
        ),
        ({"sub_processors": (SubProcessor(name="T", role="", complete="yes", evidence="9", evidence_sha256=""),)}, "T"),
        ({"open": (OpenMatter(where="tape 7", what="Find it.", why="It is lost."),)}, "tape 7"),
        (
            {"agreement": processor.Agreement(reference="DPA-9", concluded="", ended="2027-01-01T00:00:00Z")},
            "DPA-9",
        ),
    ],
)
def test_what_is_open_makes_it_incomplete(changes: dict[str, Any], where: str) -> None:
    story = _story(**changes)
    assert where in {one.where for one in story.compose().open}
    result = _verify(story)
    assert (result.genuine, result.yes) == (True, False)
    assert result.conclusion.startswith("NOT COMPLETE")
    assert any(text.startswith(f"Still open: {where}") for text in result.not_proven)


@pytest.mark.parametrize("outcome", ["open", "missing", "failed", "waived", "returned", "retained"])
def test_a_medium_that_nothing_proves_leaves_it_open(outcome: str) -> None:
    story = _story()
    story.lot.left = [unproven("D-9", outcome, "It lies in a bank.", ("CRM production (replica)",))]
    result = _verify(story)
    assert (result.genuine, result.yes) == (True, False)


def test_returned_and_retained_media_need_somebodys_word_or_a_law() -> None:
    story = _story(choice="return", done=(HANDED_BACK, TOGETHER), retained=(KEPT,))
    story.lot.left = [
        unproven("D-8", "returned", "Handed over.", ("CRM production (primary)",)),
        unproven("D-9", "retained", "In the archive.", ("CRM production (backup)",)),
    ]
    assert story.compose().complete
    assert _verify(story).yes


def test_nothing_at_all_is_not_complete() -> None:
    world = World()
    facts = Processor(Lot(world, []), {"done": (), "data_sets": ("CRM production",)}).compose()
    assert not facts.complete


@pytest.mark.parametrize(
    "changes",
    [
        {"controller": dataclasses.replace(CONTROLLER, name=" ")},
        {"processor": dataclasses.replace(CONTROLLER, name="")},
        {"agreement": processor.Agreement(reference=" ", concluded="", ended="2026-10-31T22:00:00Z")},
        {"responsible": person("p", "")},
        {"data_sets": ()},
        {"data_sets": ("CRM production", "CRM production")},
    ],
)
def test_a_statement_that_names_nobody_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ClaimRefused):
        _story(**changes).compose()


@pytest.mark.parametrize(
    "changes",
    [
        {"prepared": "soon"},
        {"retained": (dataclasses.replace(KEPT, until="never"),)},
        {"done": (dataclasses.replace(HANDED_BACK, receipt_sha256="x"),)},
        {"done": (dataclasses.replace(HANDED_BACK, data_set="Something else"),)},
    ],
)
def test_times_digests_and_data_sets_must_be_what_they_say(changes: dict[str, Any]) -> None:
    with pytest.raises((MalformedDocument, BrokenChain)):
        _story(**changes).compose()


def _altered(story: Processor, change: Callable[[dict[str, Any]], object]) -> Verification:
    """The responsible person and the service together sign altered facts."""
    body = story.compose().to_dict()
    change(body)
    return _verify(story, story.issue(ProcessorFacts.from_dict(body)))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(open=[], complete=True),
        lambda body: body.update(complete=True),
        lambda body: body["counts"].update(missing=0),
        lambda body: body.update(exceptions=["none"]),
        lambda body: body.update(sub_processors=[]) or body.update(open=[]),
        lambda body: body["open"].reverse(),
        lambda body: body["open"].pop(0),
    ],
)
def test_even_both_together_cannot_leave_out_what_is_open(change: Callable[[dict[str, Any]], object]) -> None:
    story = _story(sub_processors=(SubProcessor(name="T", role="", complete="no", evidence="", evidence_sha256=""),))
    story.lot.left = [unproven("D-9", "missing", "Nobody knows.", ("CRM production (replica)",))]
    _caught(_altered(story, change), "content")


def test_a_signature_over_other_facts_is_refused() -> None:
    story = _story()
    other = Processor(story.lot, {"retained": (KEPT,)})
    _caught(_verify(story, story.issue(signatures=[other.sign(other.compose())])), "signature")


@pytest.mark.parametrize("count", [0, 2])
def test_exactly_one_signature_counts(count: int) -> None:
    story = _story()
    facts = story.compose()
    _caught(
        _verify(story, story.issue(signatures=[story.sign(facts), story.sign(facts, said="again")][:count])),
        "signature",
    )


def test_somebody_elses_signature_is_refused() -> None:
    story = _story()
    facts = story.compose()
    world = story.lot.world
    late: dict[str, Any] = {"time": "2026-11-22T18:20:00Z"}
    other = personal(world, "responsible", APPROVERS[0], facts.number, facts.digest(), **late)
    _caught(_verify(story, story.issue(signatures=[other])), "signature")
    thief = personal(
        world, "responsible", APPROVERS[1], facts.number, facts.digest(), FileSigner.generate("p256"), **late
    )
    _caught(_verify(story, story.issue(signatures=[thief])), "signature")
    service = personal(world, "responsible", APPROVERS[1], facts.number, facts.digest(), world.acceptance, **late)
    _caught(_verify(story, story.issue(signatures=[service])), "signature")


@pytest.mark.parametrize("time", ["2026-11-22T17:59:00Z", "2026-11-22T18:31:00Z", "soon"])
def test_it_is_signed_between_its_preparation_and_its_issue(time: str) -> None:
    story = _story()
    _caught(_verify(story, story.issue(signatures=[story.sign(story.compose(), time=time)])), "signature")


@pytest.mark.parametrize(
    "body",
    [
        {"number": "PS-9"},
        {"issued": "2026-11-22T18:10:00Z"},
        {"organization": CONTROLLER.to_dict()},
        {"signatures": []},
    ],
)
def test_the_service_adds_nothing_of_its_own(body: dict[str, Any]) -> None:
    story = _story()
    _caught(_verify(story, story.issue(**body)), "signature")


def test_a_revoked_key_or_a_person_nobody_appointed_does_not_sign() -> None:
    story = _story()
    facts = story.compose()
    signed = [story.sign(facts)]
    story.lot.world.key_event("revoke", "approver", APPROVERS[1].ref, story.lot.world.approvers[1])
    _caught(_verify(story, story.issue(facts, signed)), "signature")


def test_another_list_of_media_is_noticed() -> None:
    story = _story()
    file = story.issue()
    _caught(_verify(story, dataclasses.replace(file, annex=file.annex[:2])), "annex")
    _caught(_verify(story, dataclasses.replace(file, members=file.members[:2])), "certificates")


def test_a_line_that_lies_is_noticed() -> None:
    story = _story()
    line, file = story.lot.media[0]
    story.lot.media[0] = (dataclasses.replace(line, serial="OTHER"), file)
    _caught(_verify(story), "certificates")


def test_a_statement_signed_by_anybody_else_is_refused() -> None:
    story = _story()
    story.issue()
    world = story.lot.world
    body = processor.ProcessorStatement(
        number="PS-2026-000002", issued="2026-11-22T18:30:00Z", organization=story.given().processor,
        facts=story.compose(), signatures=("0" * 64,),
    ).to_dict()  # fmt: skip
    story.envelope = sign("statement", body, world.enrolment)
    story.index = world.log.append("statement", story.envelope)
    _caught(_verify(story, story.file()), "statement")


def test_evidence_beside_must_be_given_for_a_yes() -> None:
    story = _story()
    story.lot.evidence = "beside"
    file = story.issue()
    assert not _verify(story, file).yes
    assert verify(file.to_bytes(), story.lot.world.pin, story.lot.beside).yes


def test_every_field_of_the_file_counts() -> None:
    story = _story()
    good = story.issue().to_dict()
    pin = story.lot.world.pin
    for name, value in good.items():
        emptied: Any = None if isinstance(value, (dict, str)) else []
        assert emptied == value or not verify(canonical({**good, name: emptied}), pin).genuine, name
        assert not verify(canonical({k: v for k, v in good.items() if k != name}), pin).genuine, name


def test_a_roster_younger_than_the_statement_appoints_nobody() -> None:
    story = _story()
    story.issue()
    story.lot.world.add_roster()
    _caught(_verify(story, story.file()), "signature")
