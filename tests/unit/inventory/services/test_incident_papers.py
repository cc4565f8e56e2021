"""The report of a missing medium on paper: the same facts as on the page, and nothing typed by people becomes markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from inventory import incident_paper
from inventory.domain.roles import Role
from inventory.errors import Conflict, Unavailable
from inventory.services import devices, incident_papers, queries
from inventory.services._sealing import organization
from inventory.services.views.exposure import IncidentView
from reports.errors import RenderingUnavailable
from reports.language import Language
from tests.support.inventory_world import World


def lost(world: World, reason: str = "Not on its shelf") -> str:
    device = world.device().id
    devices.report_missing(world.context, world.actor("custodian"), devices.ChangeState(device=device, reason=reason))
    return device


def test_it_says_what_the_page_says_and_that_nobody_signed_it(world: World) -> None:
    world.hold_data()
    world.unmount()
    found = queries.incident(world.context, world.actor("auditor"), lost(world, "<b>gone</b> & away"))
    text = incident_paper.page(found, organization(world.context), lambda ref: f"name of {ref}", world.context.now())
    assert "&lt;b&gt;gone&lt;/b&gt; &amp; away" in text
    assert "<b>gone" not in text
    for words in (
        found.sentence,
        "CRM production",
        found.label,
        f"name of {found.reported_by}",
        "Not a signed document",
    ):
        assert words.replace("'", "&#39;") in text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("pt", ("Incidente: falta um suporte", "desaparecido", "Documento não assinado")),
        ("ms", ("Apa yang berlaku", "hilang")),
    ],
)
def test_it_speaks_the_language_asked_for_and_leaves_what_people_wrote(
    world: World, language: Language, words: tuple[str, ...]
) -> None:
    world.hold_data()
    world.unmount()
    found = queries.incident(world.context, world.actor("auditor"), lost(world, "Gone since the move"))
    given = (found, organization(world.context), lambda ref: ref, world.context.now())
    text, english = incident_paper.page(*given, language), incident_paper.page(*given)
    assert f'<html lang="{language}">' in text
    assert "Gone since the move" in text
    for one in words:
        assert one in text
        assert one not in english
    cells = re.compile(r">([^<>]*[a-z]{2}[^<>]*)<")
    theirs = {
        found.reason,
        found.label,
        *(one.name for one in found.data_sets),
        world.context.settings.organisation.name,
    }
    alike = set(cells.findall(text)) & set(cells.findall(english))
    assert not {
        one
        for one in alike
        if not any(word and word in one for word in theirs) and not re.search(r"\d|@|Data set", one)
    }


@pytest.mark.parametrize(("language", "size"), [("pt", "tamanho desconhecido"), ("ms", "saiz tidak diketahui")])
def test_that_nobody_knows_how_large_it_is_is_said_in_the_language_too(
    world: World, language: Language, size: str
) -> None:
    given = (organization(world.context), lambda ref: ref, world.context.now(), language)
    found = queries.incident(world.context, world.actor("auditor"), lost(world))
    text = incident_paper.page(replace(found, label="MG08, X0A0B0C, size unknown"), *given)
    assert f"MG08, X0A0B0C, {size}" in text
    assert "size unknown" not in text
    assert found.label in incident_paper.page(found, *given), "a label with a size stands as it is"


def test_it_is_printed_and_names_people_only_to_readers_of_the_directory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = lost(world)
    assert incident_papers.incident_paper(world.context, world.actor("auditor"), device).startswith(b"%PDF-")
    named: list[str] = []

    def shown(
        found: IncidentView, _organization: object, name: Callable[[str], str], _now: object, language: Language
    ) -> bytes:
        named.append(name(found.reported_by))
        assert language == world.context.settings.documents.language
        return b""

    monkeypatch.setattr(incident_papers, "paper", shown)
    for login in ("auditor", "viewer"):
        incident_papers.incident_paper(world.context, world.actor(login), device)
    ref = world.actor("custodian").ref
    assert named[0] != ref
    assert named[1] == ref
    assert Role.AUDITOR in world.actor("auditor").roles


def test_nothing_is_printed_where_nothing_is_missing_or_nothing_can_be_printed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Conflict, match="never reported missing"):
        incident_papers.incident_paper(world.context, world.actor("auditor"), world.device().id)
    device = lost(world)

    def absent(*_: object) -> bytes:
        raise RenderingUnavailable("weasyprint")

    monkeypatch.setattr(incident_papers, "paper", absent)
    with pytest.raises(Unavailable, match="Pango"):
        incident_papers.incident_paper(world.context, world.actor("auditor"), device)
