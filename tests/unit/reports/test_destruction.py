"""Physical destruction: people's words, kept apart from what a machine knows; nothing missing becomes a certificate."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from reports import destruction
from reports.canonical import canonical
from reports.destruction import Decision, issue, report
from reports.envelope import envelope_digest, sign, unverified_body
from reports.errors import BrokenChain, ClaimRefused
from reports.files import DestructionFile, Identity
from reports.keys import FileSigner
from reports.language.speaker import ENGLISH
from reports.personal import read_signatures
from reports.verify import verify
from reports.verify_steps import Verification
from tests.support.documents import Destroyed, destruction_facts, personal
from tests.support.evidence import APPROVERS, REQUESTER, VALIDATOR, Story, World, good_record, person, with_part


def _caught(result: Verification, step: str) -> None:
    assert not result.yes
    assert not result.genuine
    assert [check.code for check in result.checks if check.state == "failed"] == [step]
    assert result.conclusion.startswith("NO: do not rely on this file.")
    assert result.codes


def _verify(world: World, file: DestructionFile) -> Verification:
    return verify(file.to_bytes(), world.pin)


def _accepted(world: World, **device: object) -> Story:
    return Story(world, good_record(**device)).order().run().accept()


def test_an_attested_destruction_is_certified_and_says_whose_word_it_is() -> None:
    world = World()
    result = _verify(world, Destroyed(world).issue())
    assert result.yes
    assert "It is their word" in result.conclusion
    assert any("signed, with a key of their own, to have witnessed it" in text for text in result.proven)
    assert any("states to have destroyed the medium" in text for text in result.not_proven)
    assert not any("states to have" in text for text in result.proven)


def test_an_agents_record_of_the_identity_is_a_machines_word() -> None:
    world = World()
    result = _verify(world, Destroyed(world, identity=_accepted(world)).issue())
    assert result.yes
    assert any(text.startswith("Before, the agent of a host signed a record") for text in result.proven)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"medium_fingerprint": ""}, "never identified"),
        ({"medium_serial": ""}, "never identified"),
        ({"medium_observed": ""}, "never identified"),
        ({"serial_read": " "}, "Nobody read the serial number"),
        ({"serial_read": "OTHER"}, "was OTHER"),
        ({"technique": "drill"}, "none that the standard names"),
        ({"technique": "degauss-then-destroy", "medium_media": "flash"}, "Degaussing does nothing"),
        ({"technique": "degauss-then-destroy", "medium_media": "unknown"}, "Degaussing does nothing"),
        ({"equipment": " "}, "equipment"),
        ({"place": ""}, "place"),
        ({"photographs": ()}, "No photograph"),
        ({"photographs": ("x",)}, "No photograph"),
        ({"recorded": "2026-11-22T15:59:00Z"}, "after it was recorded"),
        ({"performed": "2026-11-22T16:12:00Z", "recorded": "2026-11-22T16:13:00Z"}, "before it was performed"),
        ({"operator": person("p-operator", "")}, "operator is not named"),
        ({"operator": APPROVERS[0]}, "not three people"),
    ],
)
def test_what_is_missing_is_refused_and_reported_as_no_certificate(changes: dict[str, Any], words: str) -> None:
    world = World()
    story = Destroyed(world, destruction_facts(**changes))
    with pytest.raises(ClaimRefused, match=words):
        issue(story.facts, read_signatures(story.sign()), story.particulars())
    assert report(story.facts, read_signatures(story.sign()), story.particulars()).missing
    result = _verify(world, story.issue())
    assert result.genuine
    assert not result.yes
    assert result.conclusion.startswith("NO CERTIFICATE")
    assert any(words in text for text in result.not_proven)


def test_degaussing_a_magnetic_medium_before_its_destruction_is_allowed() -> None:
    world = World()
    assert _verify(world, Destroyed(world, destruction_facts(technique="degauss-then-destroy")).issue()).yes


def test_a_report_is_not_made_of_what_deserves_a_certificate() -> None:
    story = Destroyed(World())
    with pytest.raises(ClaimRefused):
        report(story.facts, read_signatures(story.sign()), story.particulars())


@pytest.mark.parametrize("keep", [0, 1])
def test_without_both_signatures_there_is_no_certificate(keep: int) -> None:
    world = World()
    story = Destroyed(world)
    story.signatures = story.sign()[:keep]
    assert not story.compose().certified
    result = _verify(world, story.issue())
    assert (result.genuine, result.yes) == (True, False)


@pytest.mark.parametrize(
    "decision",
    [
        Decision(
            decision="reject",
            validator=VALIDATOR,
            reason="The photographs show another drive.",
            time="2026-11-22T16:30:00Z",
        ),
        Decision(decision="none", validator=None, reason="", time=""),
        Decision(decision="approve", validator=REQUESTER, reason="It was me.", time="2026-11-22T16:30:00Z"),
        Decision(decision="approve", validator=APPROVERS[0], reason="I saw it.", time="2026-11-22T16:30:00Z"),
    ],
)
def test_nobody_who_took_part_decides_and_without_approval_there_is_no_certificate(decision: Decision) -> None:
    assert not Destroyed(World(), decision=decision).compose().certified


def test_exceptions_are_told() -> None:
    facts = destruction_facts(technique="shred", particle_size_mm=None, medium_media="unknown", medium_asset_tag="")
    found = [ENGLISH.tell(one) for one in destruction.exceptions(facts)]
    assert len(found) == 4
    assert "the category here is moderate" in found[0]
    assert destruction.exceptions(destruction_facts(technique="shred", category="low")) == ()


def _resigned(story: Destroyed, change: Callable[[dict[str, Any]], object]) -> Verification:
    """The service itself signs and logs an altered document."""
    body = story.compose().to_dict()
    change(body)
    return _verify(story.world, story.issue(body))


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["facts"].update(serial_read="OTHER"),
        lambda body: body["facts"].update(technique="melt"),
        lambda body: body["facts"]["medium"].update(serial="OTHER"),
        lambda body: body["facts"].update(photographs=["9" * 64]),
        lambda body: body.update(exceptions=["Nothing at all."]),
        lambda body: body["decision"].update(decision="reject"),
        lambda body: body.update(witness=body["countersigner"], countersigner=body["witness"]),
        lambda body: body.update(witness=None),
        lambda body: body.update(issued="soon"),
    ],
)
def test_a_document_that_says_something_else_than_what_people_signed_is_refused(
    change: Callable[[dict[str, Any]], object],
) -> None:
    _caught(_resigned(Destroyed(World()), change), "content")


def test_the_service_cannot_call_complete_what_lacks_a_signature() -> None:
    story = Destroyed(World())
    story.signatures = story.sign()[:1]
    _caught(_resigned(story, lambda body: body.update(missing=[])), "content")


def test_a_signature_that_the_document_does_not_name_is_refused() -> None:
    story = Destroyed(World())
    _caught(_resigned(story, lambda body: body["signatures"].reverse()), "signatures")


@pytest.mark.parametrize("thief", ["stranger", "enrolled", "service"])
def test_nobody_signs_for_somebody_else(thief: str) -> None:
    world = World()
    stranger = FileSigner.generate("p256")
    if thief == "enrolled":
        world.enrol("approver", APPROVERS[1].ref, stranger)  # an administrator enrols a key that no roster holds
    signer = world.acceptance if thief == "service" else stranger
    story = Destroyed(world)
    story.signatures = [
        story.sign()[0],
        personal(world, "countersigner", APPROVERS[1], story.facts.id, story.facts.digest(), signer),
    ]
    _caught(_verify(world, story.issue()), "signatures")


def test_one_person_is_not_two() -> None:
    world = World()
    story = Destroyed(world, countersigner=APPROVERS[0])
    honest = Destroyed(world, story.facts).compose().to_dict()
    first = story.sign()[0]
    second = personal(world, "countersigner", APPROVERS[0], story.facts.id, story.facts.digest())
    story.signatures = [first, second]
    with pytest.raises(BrokenChain, match="two roles"):
        story.compose()
    body = {
        **honest,
        "signatures": [envelope_digest(first), envelope_digest(second)],
        "countersigner": APPROVERS[0].to_dict(),
    }
    _caught(_verify(world, story.issue(body)), "content")


def test_a_signature_moved_from_another_destruction_is_refused() -> None:
    world = World()
    other = Destroyed(world, destruction_facts(id="DR-00008"))
    story = Destroyed(world)
    honest = story.compose().to_dict()
    story.signatures = other.sign()
    body = {**honest, "signatures": [envelope_digest(one) for one in story.signatures]}
    _caught(_verify(world, story.issue(body)), "content")


def test_a_witness_is_no_second_person_by_changing_the_role() -> None:
    world = World()
    story = Destroyed(world)
    honest = story.compose().to_dict()
    first = story.sign()[0]
    again = personal(world, "witness", APPROVERS[1], story.facts.id, story.facts.digest())
    story.signatures = [first, again]
    body = {**honest, "signatures": [envelope_digest(one) for one in story.signatures]}
    _caught(_verify(world, story.issue(body)), "content")


@pytest.mark.parametrize("valid_below", [None, 2])
def test_a_key_revoked_before_the_document_counts_no_more(valid_below: int | None) -> None:
    world = World()
    story = Destroyed(world)
    story.sign()
    world.key_event("revoke", "approver", APPROVERS[0].ref, world.approvers[0], valid_below)
    _caught(_verify(world, story.issue()), "signatures")


def test_a_key_stolen_later_does_not_hurt() -> None:
    world = World()
    story = Destroyed(world)
    story.issue()
    world.key_event("revoke", "approver", APPROVERS[0].ref, world.approvers[0])
    assert _verify(world, story.file()).yes


def test_a_roster_younger_than_the_document_appoints_nobody() -> None:
    world = World()
    story = Destroyed(world)
    story.issue()
    world.add_roster()
    _caught(_verify(world, story.file()), "roster")


def test_signatures_without_a_roster_are_refused() -> None:
    world = World()
    file = Destroyed(world).issue()
    _caught(_verify(world, dataclasses.replace(file, roster=None)), "roster")


def test_a_record_of_another_medium_is_no_identity() -> None:
    world = World()
    _caught(_verify(world, Destroyed(world, identity=_accepted(world, serial="OTHER")).issue()), "identity")


def test_a_record_nobody_accepted_is_no_identity() -> None:
    world = World()
    story = Destroyed(world, identity=_accepted(world))
    file = story.issue()
    other = _accepted(world, firmware="NEWER")
    assert file.identity is not None
    swapped = Identity(record=other.record_envelope, acceptance=file.identity.acceptance)
    _caught(_verify(world, dataclasses.replace(story.file(), identity=swapped)), "identity")


def test_a_record_signed_by_the_service_is_no_identity() -> None:
    world = World()
    shown = Story(world).order().run()
    shown.record_envelope = sign("sanitization-record", shown.record.to_dict(), world.acceptance)
    _caught(_verify(world, Destroyed(world, identity=shown.accept()).issue()), "identity")


def test_a_record_that_did_not_match_the_inventory_is_no_identity() -> None:
    world = World()
    shown = Story(world).order().run()
    shown.checks = dataclasses.replace(shown.checks, identity_matches_inventory="no")
    _caught(_verify(world, Destroyed(world, identity=shown.accept()).issue()), "identity")


def test_a_record_that_is_left_out_is_missed() -> None:
    world = World()
    file = Destroyed(world, identity=_accepted(world)).issue()
    _caught(_verify(world, dataclasses.replace(file, identity=None)), "identity")


def test_a_document_signed_by_anybody_else_or_not_in_the_log_is_refused() -> None:
    world = World()
    story = Destroyed(world)
    file = story.issue()
    forged = sign("statement", story.compose().to_dict(), world.enrolment)
    index = world.log.append("statement", forged)
    _caught(_verify(world, dataclasses.replace(story.file(), statement=world.logged(forged, index))), "statement")
    absent = sign("statement", {**story.compose().to_dict(), "number": "DC-9"}, world.acceptance)
    statement = dataclasses.replace(file.statement, envelope=absent)
    _caught(_verify(world, dataclasses.replace(file, statement=statement)), "statement")


def test_a_certificate_of_another_kind_does_not_stand_for_one() -> None:
    world = World()
    story = Destroyed(world)
    _caught(
        _verify(world, story.issue({**story.compose().to_dict(), "schema": "sanitrail/lot-certificate/1"})), "statement"
    )


def test_the_wrong_pin_says_no() -> None:
    world = World()
    assert not verify(Destroyed(world).issue().to_bytes(), World().pin).genuine


def test_every_field_of_the_file_counts() -> None:
    world = World()
    good = Destroyed(world, identity=_accepted(world)).issue().to_dict()
    for name, value in good.items():
        emptied: Any = None if isinstance(value, (dict, str)) else []
        assert emptied == value or not verify(canonical({**good, name: emptied}), world.pin).genuine, name
        assert not verify(canonical({k: v for k, v in good.items() if k != name}), world.pin).genuine, name
    assert not verify(canonical({**good, "more": 1}), world.pin).genuine


def test_a_failed_run_shows_the_identity_too() -> None:
    world = World()
    record = with_part(good_record(), "run", state="failed", error="x", error_code="x")
    shown = Story(world, record).order().run().accept()
    assert _verify(world, Destroyed(world, identity=shown).issue()).yes


def test_what_people_signed_is_what_stands_there() -> None:
    story = Destroyed(World())
    body = unverified_body(story.sign()[0], "personal-signature")
    assert body["sha256"] == story.facts.digest()
    assert body["subject"] == story.facts.id


@pytest.mark.parametrize("part", ["both", "acceptance"])
def test_a_record_that_the_document_does_not_name_is_no_identity(part: str) -> None:
    """Genuine, accepted, of this very medium, and still another one than the document rests on."""
    world = World()
    other = (
        Story(world, with_part(good_record(), "run", state="failed", error="x", error_code="x")).order().run().accept()
    )
    story = Destroyed(world, identity=_accepted(world))
    file = story.issue()
    assert file.identity is not None
    shown = Identity(
        record=other.record_envelope if part == "both" else file.identity.record,
        acceptance=world.logged(other.acceptance, other.accepted_at),
    )
    _caught(_verify(world, dataclasses.replace(file, identity=shown)), "identity")


def test_a_record_accepted_after_the_document_is_no_identity() -> None:
    world = World()
    shown = Story(world).order().run()
    story = Destroyed(world, identity=shown)
    body = story.compose().to_dict()
    story.envelope = sign("statement", body, world.acceptance)
    story.index = world.log.append("statement", story.envelope)
    shown.accept()
    _caught(_verify(world, story.file()), "identity")


def test_a_record_that_names_another_agent_than_signed_it_is_no_identity() -> None:
    world = World()
    shown = Story(world).order().run()
    lie = with_part(shown.record, "host", agent_key="9" * 64)
    shown.record_envelope = sign("sanitization-record", lie.to_dict(), world.agent)
    _caught(_verify(world, Destroyed(world, identity=shown.accept()).issue()), "identity")


@pytest.mark.parametrize("field", ["fingerprint", "serial"])
def test_fingerprint_and_serial_number_are_each_those_of_the_record(field: str) -> None:
    world = World()
    value = "9" * 64 if field == "fingerprint" else "WD-OTHER"
    changes: dict[str, Any] = {f"medium_{field}": value}
    facts = destruction_facts(**changes, **({"serial_read": value} if field == "serial" else {}))
    _caught(_verify(world, Destroyed(world, facts, identity=_accepted(world)).issue()), "identity")


def test_a_record_signed_after_its_agents_key_was_revoked_is_no_identity() -> None:
    world = World()
    shown = Story(world).order().run()
    world.key_event("revoke", "agent", "h-crm-db-01", world.agent)
    _caught(_verify(world, Destroyed(world, identity=shown.accept()).issue()), "identity")
