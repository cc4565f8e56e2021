"""Lots, processors' statements and certified destructions: what the services let nobody skip, and files that verify."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from datetime import timedelta
from typing import Any, get_args, get_type_hints

import pytest
import sqlalchemy as sa

from inventory.clock import rfc3339
from inventory.domain.lots import LotPurpose
from inventory.domain.roles import Role
from inventory.domain.scopes import EVERYTHING
from inventory.domain.vocabulary import ValidationDecision
from inventory.errors import Conflict, Duplicate, EvidenceRefused, Forbidden, Invalid, NotFound, SeparationOfDuty
from inventory.models import Paper, PersonalSignature
from inventory.services import (
    certificates,
    corrections,
    destruction,
    destruction_papers,
    holds,
    lot_register,
    lots,
    papers,
    processors,
    transparency,
    upkeep,
)
from inventory.services.context import Actor
from inventory.services.views import FactsToSign, PaperView
from reports.envelope import sign
from reports.keys import FileSigner
from reports.statements import Destination
from reports.verify import verify
from reports.verify_steps import Verification
from tests.support.inventory_world import DISK, OTHER_DISK, World

PHOTO = "a" * 64


def _pin(world: World) -> str:
    return transparency.trust(world.context).pin


def _verified(world: World, number: str) -> Verification:
    auditor = world.actor("auditor")
    result = verify(papers.file(world.context, auditor, number), _pin(world))
    printed = verify(papers.pdf(world.context, auditor, number), _pin(world))
    assert (printed.genuine, printed.yes) == (result.genuine, result.yes)
    assert result.genuine, result.conclusion
    return result


def _sanitized(world: World, disk: Any = DISK) -> str:  # noqa: ANN401 - a disk
    if not world.device(disk).holdings:  # what it held is known, so that overwriting may suffice
        world.hold_data(disk, name=f"Data of {disk.serial}")
        world.unmount(f"Data of {disk.serial}")
    order = world.sanitized(disk)
    certificates.issue(world.context, world.actor("operator"), order.id)
    return world.device(disk).id


def _record(world: World, disk: Any = OTHER_DISK, **changes: Any) -> str:  # noqa: ANN401 - a disk, fields
    device = world.device(disk)
    if str(device.state) == "in_service":
        world.change("retire", disk)
    fields: dict[str, Any] = {
        "device": device.id,
        "method": "disintegrate",
        "machine": "Disintegrator X-2000, calibrated 2026-09-01",
        "facility": "Secure yard 1",
        "performed": world.clock.now(),
        "particle_size_mm": 2,
        "evidence": (PHOTO,),
        "serial_read": disk.serial.lower(),
        **changes,
    }
    row = destruction.record_destruction(
        world.context,
        world.actor("operator"),
        destruction.RecordDestruction(**{"kept_elsewhere": "the works", **fields}),
    )
    world.clock.forward(minutes=1)
    return row.id


def _envelope(
    world: World,
    login: str,
    ready: FactsToSign,
    key: FileSigner | None = None,
    **changes: Any,  # noqa: ANN401 - fields
) -> dict[str, Any]:
    body = {**ready.body, "time": rfc3339(world.clock.now()), **changes}
    return dict(sign("personal-signature", body, key or world.signers[login]))


def _sign(world: World, login: str, number: str, role: Any) -> None:  # noqa: ANN401 - a role
    ready = destruction_papers.ready_to_sign(world.context, world.actor(login), number, role)
    destruction_papers.sign(world.context, world.actor(login), number, role, _envelope(world, login, ready))


def _destroyed(world: World, disk: Any = OTHER_DISK, **changes: Any) -> str:  # noqa: ANN401 - a disk, fields
    """Recorded, witnessed, signed twice, approved."""
    number = _record(world, disk, **changes)
    destruction.witness_destruction(world.context, world.actor("all-hands"), number, "I stood beside the machine.")
    _sign(world, "all-hands", number, "witness")
    _sign(world, "approver1", number, "countersigner")
    _decide(world, number)
    return number


def _decide(world: World, number: str, decision: ValidationDecision = ValidationDecision.APPROVE) -> None:
    command = destruction.DecideDestruction(destruction=number, decision=decision, reason="as the photographs show")
    destruction.decide_destruction(world.context, world.actor("validator"), command)


def _certify(world: World, number: str) -> PaperView:
    command = destruction_papers.CertifyDestruction(destruction=number, destination="recycling")
    return destruction_papers.certify(world.context, world.actor("operator"), command)


def _lot(world: World, *devices: str, **more: Any) -> PaperView:  # noqa: ANN401 - fields
    return lots.issue(world.context, world.actor("operator"), lots.IssueLot(name="Pallet 17", devices=devices, **more))


def test_a_lot_of_proven_media_is_certified_and_verifies_alone(world: World) -> None:
    first = _sanitized(world)
    gone = world.device(OTHER_DISK).id
    _certify(world, _destroyed(world))
    paper = _lot(world, first, gone, reference="Order 4711", destination="recycling")
    assert paper.complete
    assert paper.number.startswith("LC-")
    result = _verified(world, paper.number)
    assert result.yes
    assert "all 2 media were sanitized (1) or destroyed (1)" in result.conclusion


def test_a_lot_with_one_medium_unproven_is_a_report(world: World) -> None:
    first = _sanitized(world)
    paper = _lot(world, first, world.device(OTHER_DISK).id)
    assert not paper.complete
    assert paper.number.startswith("LF-")
    result = _verified(world, paper.number)
    assert not result.yes
    assert any("It is in service." in text for text in result.not_proven)


@pytest.mark.parametrize(
    ("event", "outcome"), [("report_missing", "missing"), ("quarantine", "open"), ("retire", "open")]
)
def test_lost_and_waiting_media_are_told_as_such(world: World, event: str, outcome: str) -> None:
    world.change(event)
    lines = papers.paper(world.context, world.actor("auditor"), _lot(world, world.device().id).number).facts["counts"]
    assert lines[outcome] == 1


def test_a_medium_used_again_after_its_certificate_is_not_proven(world: World) -> None:
    device = _sanitized(world)
    world.change("return_to_service")
    paper = _lot(world, device)
    assert not paper.complete


def test_a_certificate_that_was_voided_proves_nothing(world: World) -> None:
    device = _sanitized(world)
    number = world.device().certificates[0]
    command = corrections.Correct(document=number, action="void", reason="it names the wrong customer")
    actor = Actor(world.actor("validator").ref, "person", frozenset(Role), scope=EVERYTHING)
    corrections.correct(world.context, actor, command)
    assert not _lot(world, device).complete


def test_a_destruction_without_a_certificate_leaves_the_lot_open(world: World) -> None:
    number = _record(world)
    destruction.witness_destruction(world.context, world.actor("all-hands"), number, "I stood beside the machine.")
    _decide(world, number)
    assert not _lot(world, world.device(OTHER_DISK).id).complete


def test_the_list_of_a_lot_is_frozen(world: World) -> None:
    first = _sanitized(world)
    paper = _lot(world, first, world.device(OTHER_DISK).id)
    _certify(world, _destroyed(world))
    again = papers.paper(world.context, world.actor("auditor"), paper.number)
    assert (again.complete, again.media, again.sha256) == (False, 2, paper.sha256)
    _verified(world, paper.number)


@pytest.mark.parametrize("devices", [(), ("", " "), ("D-000001", "D-000001")])
def test_a_lot_names_each_device_once_and_at_least_one(world: World, devices: tuple[str, ...]) -> None:
    with pytest.raises(Invalid):
        _lot(world, *devices)


def test_a_lot_of_unknown_devices_or_without_a_name_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        _lot(world, "D-999999")
    with pytest.raises(Invalid):
        lots.issue(world.context, world.actor("operator"), lots.IssueLot(name=" ", devices=(world.device().id,)))
    with pytest.raises(Invalid):
        _lot(world, world.device().id, destination="the moon")


def test_a_lot_needs_the_permission(world: World) -> None:
    command = lots.IssueLot(name="Pallet", devices=(world.device().id,))
    with pytest.raises(Forbidden):
        lots.issue(world.context, world.actor("viewer"), command)
    with pytest.raises(Forbidden):
        papers.list_papers(world.context, world.actor("viewer"))


def test_destinations_are_those_of_documents() -> None:
    assert get_args(get_type_hints(Destination)["kind"]) == lots.DESTINATIONS


def test_a_folder_holds_the_document_and_the_evidence_of_each_medium(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond some size the evidence lies beside; together they verify, alone they do not."""
    monkeypatch.setattr("inventory.services._papers.EMBEDDED_BYTES", 1000)
    first = _sanitized(world)
    paper = _lot(world, first)
    auditor = world.actor("auditor")
    alone = verify(papers.file(world.context, auditor, paper.number), _pin(world))
    assert (alone.genuine, alone.yes) == (True, False)
    archive = zipfile.ZipFile(io.BytesIO(papers.folder(world.context, auditor, paper.number)))
    names = archive.namelist()
    assert names[:2] == [f"{paper.number}/{paper.number}.pdf", f"{paper.number}/lot-certificate.json"]
    given = {hash_of(archive.read(name)): archive.read(name) for name in names[2:]}
    assert verify(archive.read(names[1]), _pin(world), given.get).yes


def hash_of(content: bytes) -> str:
    """SHA-256."""
    from reports.canonical import sha256_hex  # noqa: PLC0415 - one caller

    return sha256_hex(content)


def test_a_certificate_of_destruction_bears_two_signatures_and_verifies(world: World) -> None:
    number = _destroyed(world)
    paper = _certify(world, number)
    assert paper.number.startswith("DC-")
    assert _certify(world, number).number == paper.number
    result = _verified(world, paper.number)
    assert result.yes
    assert any("All-Hands Example signed, with a key of their own" in text for text in result.proven)


def test_an_agents_record_of_the_medium_stands_in_its_certificate_of_destruction(world: World) -> None:
    _sanitized(world, OTHER_DISK)
    paper = _certify(world, _destroyed(world))
    assert paper.facts["record_sha256"] is not None
    result = _verified(world, paper.number)
    assert any(text.startswith("Before, the agent of a host signed a record") for text in result.proven)


@pytest.mark.parametrize("left_out", ["witness", "countersigner", "decision"])
def test_without_a_signature_or_decision_there_is_a_report_and_no_certificate(world: World, left_out: str) -> None:
    number = _record(world)
    destruction.witness_destruction(world.context, world.actor("all-hands"), number, "I stood beside the machine.")
    if left_out != "witness":
        _sign(world, "all-hands", number, "witness")
    if left_out != "countersigner":
        _sign(world, "approver1", number, "countersigner")
    if left_out != "decision":
        _decide(world, number)
    with pytest.raises(Conflict) as refused:
        _certify(world, number)
    assert len(refused.value.reasons) == 1
    command = destruction_papers.CertifyDestruction(destruction=number)
    paper = destruction_papers.report(world.context, world.actor("operator"), command)
    assert paper.number.startswith("DF-")
    assert not _verified(world, paper.number).yes


def test_a_report_is_refused_where_nothing_is_missing(world: World) -> None:
    command = destruction_papers.CertifyDestruction(destruction=_destroyed(world))
    with pytest.raises(Conflict):
        destruction_papers.report(world.context, world.actor("operator"), command)


def test_a_medium_no_agent_ever_identified_cannot_have_a_certificate(world: World) -> None:
    number = _destroyed(world)
    with world.context.writing() as session:
        session.execute(
            sa.text("UPDATE destruction SET facts = NULL WHERE id = :id").bindparams(id=number)
        )  # as a row from before, or one made by hand
    assert destruction_papers.missing(world.context, world.actor("auditor"), number)
    with pytest.raises(Conflict):
        _certify(world, number)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"serial_read": ""}, "Nobody read the serial number"),
        ({"serial_read": "OTHER"}, "was OTHER"),
        ({"method": "degauss-then-destroy"}, ""),
    ],
)
def test_what_was_recorded_decides_whether_it_is_certified(world: World, changes: dict[str, Any], words: str) -> None:
    number = _destroyed(world, **changes)
    found = destruction_papers.missing(world.context, world.actor("auditor"), number)
    assert any(words in text for text in found) if words else found == ()


def test_operator_witness_and_second_person_are_three(world: World) -> None:
    number = _record(world)
    with pytest.raises(Conflict, match="no witness"):
        destruction_papers.ready_to_sign(world.context, world.actor("all-hands"), number, "witness")
    destruction.witness_destruction(world.context, world.actor("all-hands"), number, "I stood beside the machine.")
    with pytest.raises(SeparationOfDuty):
        destruction_papers.ready_to_sign(world.context, world.actor("approver1"), number, "witness")
    with pytest.raises(SeparationOfDuty):
        destruction_papers.ready_to_sign(world.context, world.actor("all-hands"), number, "countersigner")
    with pytest.raises(Forbidden):
        destruction_papers.ready_to_sign(world.context, world.actor("operator"), number, "countersigner")
    operator = dataclasses.replace(world.actor("operator"), roles=frozenset({Role.APPROVER}))
    with pytest.raises(SeparationOfDuty):
        destruction_papers.ready_to_sign(world.context, operator, number, "countersigner")


def test_a_signature_counts_once(world: World) -> None:
    number = _record(world)
    destruction.witness_destruction(world.context, world.actor("all-hands"), number, "I stood beside the machine.")
    _sign(world, "approver1", number, "countersigner")
    with pytest.raises(Duplicate):
        _sign(world, "approver1", number, "countersigner")
    with pytest.raises(Conflict):
        _sign(world, "approver2", number, "countersigner")


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 64},
        {"role": "witness"},
        {"subject": "DR-99999"},
        {"signer": "p-somebody"},
        {"shown": "Nothing of importance."},
        {"said": "I saw it all."},
        {"time": "2020-01-01T00:00:00Z"},
        {"time": "soon"},
        {"more": 1},
    ],
)
def test_only_what_was_shown_can_be_signed(world: World, changes: dict[str, Any]) -> None:
    number = _record(world)
    destruction.witness_destruction(world.context, world.actor("all-hands"), number, "I stood beside the machine.")
    actor = world.actor("approver1")
    ready = destruction_papers.ready_to_sign(world.context, actor, number, "countersigner")
    with pytest.raises(EvidenceRefused):
        destruction_papers.sign(
            world.context, actor, number, "countersigner", _envelope(world, "approver1", ready, **changes)
        )
    for stranger in (FileSigner.generate("p256"), world.signers["approver2"]):
        with pytest.raises(EvidenceRefused):
            destruction_papers.sign(
                world.context, actor, number, "countersigner", _envelope(world, "approver1", ready, stranger)
            )
    with world.context.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PersonalSignature)) == 0


def _prepared(world: World, **changes: Any) -> PaperView:  # noqa: ANN401 - fields
    now = world.clock.now()
    fields: dict[str, Any] = {
        "controller": "Example Bank AG",
        "controller_address": "Frankfurt",
        "controller_contact": "",
        "agreement": "DPA-2024/118",
        "concluded": None,
        "ended": now - timedelta(days=1),
        "choice": "delete",
        "data_sets": ("CRM production",),
        "responsible": world.actor("approver1").ref,
        **changes,
    }
    return processors.prepare(world.context, world.actor("privacy"), processors.PrepareStatement(**fields))


def _sign_statement(world: World, number: str, login: str = "approver1") -> PaperView:
    ready = processors.ready_to_sign(world.context, world.actor(login), number)
    return processors.sign(world.context, world.actor(login), number, _envelope(world, login, ready))


def test_a_processors_statement_over_proven_media_is_complete_once_signed(world: World) -> None:
    world.hold_data()
    world.unmount()
    _sanitized(world)
    paper = _prepared(world)
    assert (paper.complete, paper.waiting, paper.media) == (True, True, 1)
    with pytest.raises(Conflict, match="waits for the signature"):
        papers.pdf(world.context, world.actor("auditor"), paper.number)
    signed = _sign_statement(world, paper.number)
    assert not signed.waiting
    result = _verified(world, paper.number)
    assert result.yes
    with pytest.raises(Conflict, match="signed and issued"):
        _sign_statement(world, paper.number)


def test_live_data_leaves_the_statement_open(world: World) -> None:
    world.hold_data()
    paper = _prepared(world)
    assert not paper.complete
    _sign_statement(world, paper.number)
    result = _verified(world, paper.number)
    assert not result.yes
    assert result.conclusion.startswith("NOT COMPLETE")


def test_returned_and_retained_media_are_told_with_whose_word_it_is(world: World) -> None:
    world.hold_data()
    now = world.clock.now()
    device = world.device().id
    handed = processors.DoneInput(
        kind="returned", data_set="CRM production", text="Handed over on its own disk.", time=now, devices=(device,)
    )
    assert _prepared(world, choice="return", done=(handed,)).complete
    kept = processors.RetainedInput(
        data_set="CRM production", what="Invoices of 2020", law="Section 147 AO", until=now + timedelta(days=900),
        devices=(device,),
    )  # fmt: skip
    assert _prepared(world, retained=(kept,)).complete
    lawless = dataclasses.replace(kept, law="")
    assert not _prepared(world, retained=(lawless,)).complete


def test_a_device_that_never_held_the_data_is_not_spoken_of(world: World) -> None:
    world.hold_data()
    done = processors.DoneInput(
        kind="returned", data_set="CRM production", text="Handed over on its own disk.", time=world.clock.now(),
        devices=(world.device(OTHER_DISK).id,),
    )  # fmt: skip
    with pytest.raises(Invalid):
        _prepared(world, done=(done,))


@pytest.mark.parametrize(
    "changes",
    [
        {"controller": " "},
        {"agreement": ""},
        {"data_sets": ()},
        {"sub_processors": (processors.SubProcessorInput(name="T", evidence_sha256="x"),)},
    ],
)
def test_a_statement_that_says_too_little_is_not_prepared(world: World, changes: dict[str, Any]) -> None:
    world.hold_data()
    with pytest.raises(Invalid):
        _prepared(world, **changes)
    with world.context.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Paper)) == 0


def test_a_sub_processor_that_says_nothing_leaves_it_open(world: World) -> None:
    world.hold_data()
    world.unmount()
    _sanitized(world)
    assert not _prepared(world, sub_processors=(processors.SubProcessorInput(name="Tapes Ltd"),)).complete


def test_a_hold_or_a_path_nobody_could_follow_leaves_it_open(world: World) -> None:
    data_set = world.hold_data()
    world.unmount()
    _sanitized(world)
    assert _prepared(world).complete
    hold = holds.PlaceHold(
        kind="legal", data_set=data_set, device=None, reference="Case 17", reason="a court asked for it"
    )
    placed = holds.place_hold(world.context, world.actor("privacy"), hold)
    paper = _prepared(world)
    assert [one["where"] for one in paper.facts["open"]] == ["CRM production"]
    kept = processors.RetainedInput(
        data_set="CRM production",
        what="All of it",
        law="Order of the court",
        until=world.clock.now() + timedelta(days=9),
    )
    assert _prepared(world, retained=(kept,)).complete
    holds.lift_hold(world.context, world.actor("privacy"), placed.id, "the court is done")
    world.clock.forward(minutes=1)
    world.agent.observe(("CRM production", "/srv/crm", (), ("loop0: no such device",)))
    assert any("/srv/crm" in one["where"] for one in _prepared(world).facts["open"])


@pytest.mark.parametrize("what", ["device", "lot"])
def test_a_hold_on_what_is_not_proven_is_named_as_people_name_it(world: World, what: str) -> None:
    world.hold_data()
    device = world.device()
    lot = lot_register.OpenLot(name="Rack 7", purpose=LotPurpose.SANITIZATION, devices=(device.id,))
    subject = {"device": device.id, "lot": lot_register.open_lot(world.context, world.actor("custodian"), lot).id}[what]
    hold = holds.PlaceHold(kind="legal", reference="Case 17", reason="a court asked for it", **{what: subject})
    holds.place_hold(world.context, world.actor("privacy"), hold)
    assert (
        _prepared(world).facts["open"][-1]["where"] == {"device": device.asset_tag or device.id, "lot": subject}[what]
    )


def test_only_the_responsible_person_signs_and_only_what_was_shown(world: World) -> None:
    world.hold_data()
    paper = _prepared(world)
    with pytest.raises(Forbidden):
        _sign_statement(world, paper.number, "approver2")
    ready = processors.ready_to_sign(world.context, world.actor("approver1"), paper.number)
    with pytest.raises(EvidenceRefused):
        processors.sign(
            world.context, world.actor("approver1"), paper.number, _envelope(world, "approver1", ready, sha256="0" * 64)
        )
    with pytest.raises(Conflict):
        processors.ready_to_sign(world.context, world.actor("approver1"), _lot(world, world.device().id).number)


def test_somebody_without_a_key_in_the_roster_cannot_be_made_to_sign(world: World) -> None:
    world.hold_data()
    paper = _prepared(world, responsible=world.actor("privacy").ref)
    privacy = dataclasses.replace(world.actor("privacy"), roles=frozenset({Role.APPROVER}))
    with pytest.raises(Forbidden):
        processors.ready_to_sign(world.context, privacy, paper.number)


def test_upkeep_makes_the_files_that_are_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("inventory.services.papers.seal_if_possible", lambda *_: None)
        paper = _lot(world, world.device().id)
    auditor = world.actor("auditor")
    with pytest.raises(Conflict, match="have not been made"):
        papers.pdf(world.context, auditor, paper.number)
    upkeep.run(world.context)
    assert _verified(world, paper.number).genuine


def test_lists_are_newest_first_and_paged(world: World) -> None:
    numbers = []
    for _ in range(3):
        world.clock.forward(minutes=1)
        numbers.append(_lot(world, world.device().id).number)
    auditor = world.actor("auditor")
    first = papers.list_papers(world.context, auditor, kind="lot", limit=2)
    assert [one.number for one in first.items] == numbers[:0:-1]
    second = papers.list_papers(world.context, auditor, after=first.next, limit=2)
    assert [one.number for one in second.items] == numbers[:1]
    assert not papers.list_papers(world.context, auditor, kind="processor").items
