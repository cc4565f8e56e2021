"""Documents in further languages: printed and sealed once, on request or by upkeep, over the same evidence."""

from __future__ import annotations

import copy
import dataclasses
import io

import pikepdf
import pypdf
import pytest
import sqlalchemy as sa

from inventory.branding import Documents
from inventory.errors import ConstraintRefused, Forbidden, NotFound, SetupError, Unavailable
from inventory.events import Tag
from inventory.models import Event, Seal, SealedTranslation
from inventory.services import certificates, setup, translations, upkeep
from reports.canonical import sha256_hex
from reports.errors import PrintingFailed
from reports.language import LANGUAGES, speaker
from reports.press import Press
from reports.verify import verify
from tests.support.inventory_world import World, failed_record

from .test_cases import whole


def _with(world: World, **documents: object) -> World:
    settings = world.context.settings.model_copy(update={"documents": Documents.model_validate(documents)})
    other = copy.copy(world)
    other.context = dataclasses.replace(world.context, settings=settings)
    return other


def _certified(world: World) -> str:
    world.hold_data()
    world.unmount()
    return certificates.issue(world.context, world.actor("validator"), world.sanitized().id).number


def _text(data: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def _language(data: bytes) -> str:
    with pikepdf.open(io.BytesIO(data)) as document:
        return str(document.Root.Lang)


def _kept(world: World) -> list[tuple[str, str]]:
    with world.context.reading() as session:
        rows = session.execute(sa.select(SealedTranslation.number, SealedTranslation.language))
        return sorted((number, language) for number, language in rows)


def test_a_translation_is_made_once_and_genuine(world: World) -> None:
    number = _certified(world)
    auditor, pin = world.actor("auditor"), setup.trust(world.context).pin
    first = certificates.pdf(world.context, auditor, number, "pt")
    assert _language(first) == "pt"
    assert speaker("pt").say("certificate.title") in _text(first)
    assert verify(first, pin).yes
    assert certificates.pdf(world.context, auditor, number, "pt") == first
    assert _kept(world) == [(number, "pt")]
    plain = certificates.pdf(world.context, auditor, number)
    assert _language(plain) == "en"
    assert certificates.pdf(world.context, auditor, number, "en") == plain
    assert verify(plain, pin).facts == verify(first, pin).facts


def test_its_digest_is_noted(world: World) -> None:
    number = _certified(world)
    pdf = certificates.pdf(world.context, world.actor("auditor"), number, "ms")
    with world.context.reading() as session:
        (event,) = session.scalars(sa.select(Event).where(Event.tag == str(Tag.DOCUMENT_TRANSLATED)))
        assert event.evidence == [sha256_hex(pdf)]
        assert event.subject == number
        assert event.details == {"language": "ms"}


def test_the_main_language_is_the_settings_and_stays_what_it_was(world: World) -> None:
    portuguese = _with(world, language="pt", also=("ms",))
    number = _certified(portuguese)
    auditor = portuguese.actor("auditor")
    made = certificates.pdf(portuguese.context, auditor, number)
    assert _language(made) == "pt"
    # The settings change; what was sealed does not.
    assert certificates.pdf(world.context, auditor, number) == made
    assert certificates.pdf(world.context, auditor, number, "pt") == made
    assert _language(certificates.pdf(world.context, auditor, number, "en")) == "en"


def test_upkeep_prints_the_further_languages_that_are_set(world: World) -> None:
    several = _with(world, also=LANGUAGES)
    number = _certified(several)
    assert _kept(several) == []
    upkeep.run(several.context)
    assert _kept(several) == [(number, "ms"), (number, "pt")]
    upkeep.run(several.context)
    assert len(_kept(several)) == 2
    upkeep.run(world.context)
    assert len(_kept(world)) == 2


def test_one_round_makes_only_so_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    several = _with(world, also=LANGUAGES)
    _certified(several)
    monkeypatch.setattr(translations, "ROUND", 1)
    upkeep.run(several.context)
    assert len(_kept(several)) == 1


def test_reports_and_statements_are_translated_too(world: World) -> None:
    _, number = whole(world)
    assert certificates.pdf(world.context, world.actor("auditor"), number, "ms").startswith(b"%PDF-")


def test_a_failure_report_is_translated(residue: World) -> None:
    order = residue.approved()
    lease = residue.agent.take()
    residue.ask(lease)
    residue.hand_over(lease, failed_record(residue.finished(lease)))
    told = _text(certificates.failure_report(residue.context, residue.actor("auditor"), order.id, "pt"))
    assert speaker("pt").say("unsuccessful.title") in " ".join(told.split())


def test_who_may_not_read_evidence_gets_no_translation(world: World) -> None:
    number = _certified(world)
    with pytest.raises(Forbidden):
        certificates.pdf(world.context, world.actor("viewer"), number, "pt")
    assert _kept(world) == []


def test_what_has_no_files_has_no_translation(world: World) -> None:
    with pytest.raises(NotFound):
        translations.pdf_in(world.context, "C-2026-999999", "pt")


def test_a_document_is_printed_with_the_brand_of_the_settings(world: World) -> None:
    branded = _with(world, accent="#0b3d91", closing={"certificate": {"pt": "Telefone +351 200 000 000"}})
    number = _certified(branded)
    auditor = branded.actor("auditor")
    assert "Telefone" in _text(certificates.pdf(branded.context, auditor, number, "pt"))
    assert "Telefone" not in _text(certificates.pdf(branded.context, auditor, number))


def test_a_brand_that_cannot_be_printed_stops_no_evidence(world: World) -> None:
    """The service refuses to start with it; should it come later, certificate and log stay, and only the files wait."""
    broken = _with(world, accent="#ffff00")
    with pytest.raises(SetupError):
        _certified(broken)
    assert upkeep.run(broken.context).certificates_sealed == 0
    assert upkeep.run(world.context).certificates_sealed == 1


def test_a_translation_is_never_changed(world: World) -> None:
    number = _certified(world)
    certificates.pdf(world.context, world.actor("auditor"), number, "pt")
    for statement in (
        sa.update(SealedTranslation).values(pdf=b"x"),
        sa.delete(SealedTranslation).where(SealedTranslation.number == number),
        sa.update(Seal).values(language="pt"),
    ):
        with pytest.raises(ConstraintRefused), world.context.writing() as session:
            session.execute(statement)


def test_a_printing_process_that_dies_is_told_and_the_next_request_prints(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, auditor = _certified(world), world.actor("auditor")

    def dies(*_: object, **__: object) -> bytes:
        raise PrintingFailed("The printing process ended before the document was finished.")

    with monkeypatch.context() as patch:
        patch.setattr(Press, "render", dies)
        with pytest.raises(Unavailable, match="printed"):
            certificates.pdf(world.context, auditor, number, "pt")
    assert _kept(world) == []
    assert _language(certificates.pdf(world.context, auditor, number, "pt")) == "pt"
