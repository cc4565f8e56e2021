"""A document is voided or superseded, never deleted; whoever holds it can ask, and nobody else learns anything."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from inventory.errors import Conflict, Forbidden, Invalid, NotFound
from inventory.models import Certificate, Seal
from inventory.services import cases, certificates, corrections, setup
from inventory.services.corrections import Action, Correct
from inventory.services.kernel import load_envelope
from inventory.services.views import CertificateView, CorrectionView
from reports.envelope import open_envelope
from reports.statements import Correction
from reports.trust import open_trust_root
from tests.support.inventory_world import OTHER_DISK, World, failed_record

REASON = "The asset tag on it is of another device."


@pytest.fixture
def certificate(world: World, monkeypatch: pytest.MonkeyPatch) -> CertificateView:
    """A certificate; its files do not matter here."""
    monkeypatch.setattr(certificates, "seal", lambda *_: None)
    world.hold_data()
    world.unmount()
    order = world.sanitized()
    return certificates.issue(world.context, world.actor("validator"), order.id)


def correct(
    world: World,
    document: str,
    action: Action = "void",
    replacement: str = "",
    by: str = "validator",
    reason: str = REASON,
) -> CorrectionView:
    command = Correct(document=document, action=action, reason=reason, replacement=replacement)
    return corrections.correct(world.context, world.actor(by), command)


def another(world: World) -> CertificateView:
    world.agent.observe(("CRM production", "/srv/crm", (OTHER_DISK,), ()))
    world.unmount()
    order = world.sanitized(OTHER_DISK)
    return certificates.issue(world.context, world.actor("validator"), order.id)


def test_a_correction_is_signed_and_logged(world: World, certificate: CertificateView) -> None:
    made = correct(world, certificate.number)
    trust = setup.trust(world.context)
    root = open_trust_root(trust.envelope, trust.pin)
    with world.context.reading() as session:
        envelope = load_envelope(session, made.sha256)
    body, _ = open_envelope(envelope, root.keys("acceptance", made.log_index), "correction", exact=True)
    said = Correction.from_dict(body)
    assert (said.document, said.document_sha256, said.document_index) == (
        certificate.number,
        certificate.sha256,
        certificate.log_index,
    )
    assert (said.action, said.reason, said.replacement_sha256) == ("void", REASON, None)
    assert said.corrected_by == world.actor("validator").ref


def test_nothing_is_deleted(world: World, certificate: CertificateView) -> None:
    correct(world, certificate.number)
    assert (
        certificates.certificate(world.context, world.actor("auditor"), certificate.number).number == certificate.number
    )
    with world.context.reading() as session:
        assert session.scalars(sa.select(Certificate.number)).all() == [certificate.number]


def test_whoever_holds_the_document_may_ask_and_is_told(world: World, certificate: CertificateView) -> None:
    before = corrections.standing(world.context, certificate.sha256)
    assert (before.standing, before.corrections, before.log_index) == ("in force", (), certificate.log_index)
    made = correct(world, certificate.sha256)
    after = corrections.standing(world.context, certificate.sha256)
    assert after.standing == "void"
    assert after.corrections[0]["index"] == made.log_index


def test_a_digest_that_is_no_documents_tells_nothing(world: World, certificate: CertificateView) -> None:
    made = correct(world, certificate.number)
    for digest in ("0" * 64, certificate.record, made.sha256):
        with pytest.raises(NotFound):
            corrections.standing(world.context, digest)


def test_superseding_names_the_other_document(world: World, certificate: CertificateView) -> None:
    other = another(world)
    made = correct(world, certificate.number, "supersede", other.number)
    assert made.replacement == other.number
    assert corrections.standing(world.context, certificate.sha256).standing == "superseded"
    assert corrections.standing(world.context, other.sha256).standing == "in force"
    correct(world, certificate.number, "void")
    assert corrections.standing(world.context, certificate.sha256).standing == "void"


@pytest.mark.parametrize(
    ("action", "replacement", "reason"),
    [
        ("void", "SC-2026-000009", REASON),
        ("supersede", "", REASON),
        ("supersede", "itself", REASON),
        ("void", "", "short"),
        ("void", "", "   "),
        ("void", "", "x" * 501),
        ("shred", "", REASON),
    ],
)
def test_what_makes_no_sense_is_refused(
    world: World, certificate: CertificateView, action: Action, replacement: str, reason: str
) -> None:
    with pytest.raises(Invalid):
        correct(world, certificate.number, action, replacement.replace("itself", certificate.number), reason=reason)
    assert corrections.standing(world.context, certificate.sha256).standing == "in force"


def test_void_is_final(world: World, certificate: CertificateView) -> None:
    other = another(world)
    correct(world, certificate.number)
    with pytest.raises(Conflict, match="void already"):
        correct(world, certificate.number)
    with pytest.raises(Conflict, match="void already"):
        correct(world, certificate.number, "supersede", other.number)
    with pytest.raises(Conflict, match="corrected itself"):
        correct(world, other.number, "supersede", certificate.number)


def test_a_document_nobody_issued_is_not_corrected(world: World, certificate: CertificateView) -> None:
    assert certificate
    for named in ("SC-2026-000009", "0" * 64, "", world.device().id):
        with pytest.raises(NotFound):
            correct(world, named)


@pytest.mark.parametrize("by", ["viewer", "custodian", "operator", "approver1", "auditor", "admin"])
def test_only_validators_and_privacy_officers_correct(world: World, certificate: CertificateView, by: str) -> None:
    with pytest.raises(Forbidden):
        correct(world, certificate.number, by=by)


def test_no_statement_rests_on_a_voided_certificate(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "seal", lambda *_: None)
    world.hold_data()
    command = cases.OpenCase(reference="C-4711", data_sets=("CRM production",), withdrawn=world.clock.now())
    case = cases.open_case(world.context, world.actor("privacy"), command)
    world.unmount()
    order = world.sanitized()
    number = certificates.issue(world.context, world.actor("validator"), order.id).number
    with world.context.writing() as session:
        session.add(
            Seal(number=number, bundle=b"{}", bundle_sha256="0" * 64, pdf=b"", pdf_sha256="0" * 64, at=case.due)
        )
    correct(world, number)
    with pytest.raises(Conflict, match="voided"):
        cases.issue_statement(world.context, world.actor("privacy"), case.id)


def test_every_kind_of_document_leads_to_the_page_about_it(world: World, certificate: CertificateView) -> None:
    auditor = world.actor("auditor")
    found = corrections.place_of(world.context, auditor, certificate.number)
    assert (found.kind, found.about, found.sha256) == ("certificate", certificate.order, certificate.sha256)
    world.agent.observe(("CRM production", "/srv/crm", (OTHER_DISK,), ()))
    world.unmount()
    order = world.approved(OTHER_DISK)
    lease = world.agent.take()
    assert world.ask(lease).clear
    world.hand_over(lease, failed_record(world.finished(lease)))
    assert corrections.report_of(world.context, auditor, order.id) is None
    with pytest.raises(Conflict, match="have not been made yet"):
        certificates.failure_report(
            world.context, auditor, order.id
        )  # signed and logged; nothing is printed in this file
    report = corrections.report_of(world.context, auditor, order.id)
    assert report is not None
    found = corrections.place_of(world.context, auditor, report)
    assert (found.kind, found.about) == ("failure", order.id)
    assert corrections.report_of(world.context, auditor, certificate.order) is None
    assert correct(world, report).document == report
    with pytest.raises(NotFound):
        corrections.place_of(world.context, auditor, "SC-9999-000001")
