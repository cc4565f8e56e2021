"""What was read is named, and so is what was not; labels are printed for what one sees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from inventory.domain.labels import Label
from inventory.domain.lots import ContainerKind, LotPurpose
from inventory.errors import Invalid, NotFound, Unavailable
from inventory.services import scanning
from reports.errors import RenderingUnavailable
from reports.language import LANGUAGES, Language, speaker
from tests.support.inventory_world import copied_world
from tests.support.travelling import Travelling


@pytest.fixture(scope="module")
def travel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Travelling]:
    with copied_world(tmp_path_factory.mktemp("scanning") / "data") as world:
        yield Travelling(world)


def read(travel: Travelling, *codes: str, **compared: str) -> scanning.ScanResult:
    return scanning.look_up(travel.context, travel.sender, scanning.LookUp(codes=codes, **compared))


def test_number_tag_and_serial_number_lead_to_the_same_device(travel: Travelling) -> None:
    (number,) = travel.unused()
    tag = travel.tag(number)
    found = read(travel, number, tag, tag.replace("AT-", "S/"), f"https://x.example/console/scan?code={number}")
    assert [(one.kind, one.number) for one in found.codes] == [("device", number)] * 3
    assert [one.times for one in found.codes] == [2, 1, 1]


def test_what_was_not_read_of_a_lot_is_named_and_so_is_what_does_not_belong(travel: Travelling) -> None:
    lot = travel.lot(2)
    (stranger,) = travel.unused()
    there, gone = (member.device for member in lot.members)
    found = read(travel, there, stranger, "nonsense", lot=lot.id)
    assert [one.number for one in found.absent] == [gone]
    assert {one.code: one.expected for one in found.codes} == {there: True, stranger: False, "nonsense": None}
    assert [one.kind for one in found.codes] == ["device", "device", "unknown"]


def test_a_container_and_a_place_are_counted_alike(travel: Travelling) -> None:
    inside, beside = travel.unused(2, at=travel.workshop)
    assert beside in {one.number for one in read(travel, inside, location=travel.workshop).absent}
    box = travel.box(devices=(inside,), seals=("S-1",))
    assert read(travel, inside, container=box.id).absent == ()
    (found,) = read(travel, box.id).codes
    assert (found.kind, found.state) == ("container", "devices in it: 1, sealed S-1")


def test_it_is_compared_with_one_thing_that_exists(travel: Travelling) -> None:
    with pytest.raises(Invalid):
        read(travel, "x", lot="LT-00001", location=travel.store)
    with pytest.raises(NotFound):
        read(travel, "x", lot="LT-99999")


def test_labels_are_a_pdf_of_everything_named(travel: Travelling, monkeypatch: pytest.MonkeyPatch) -> None:
    lot = travel.lot(2)
    made: list[tuple[str, ...]] = []

    def note(labels: list[Label], *_more: object, **_named: object) -> bytes:
        made.append(tuple(one.number for one in labels))
        return b"%PDF"

    monkeypatch.setattr(scanning, "sheets", note)
    command = scanning.PrintLabels(lots=(lot.id,), contents=True, devices=(lot.members[0].device,))
    assert scanning.labels(travel.context, travel.sender, command) == b"%PDF"
    assert made == [(lot.id, *(member.device for member in lot.members))]


@pytest.mark.parametrize("fields", [{}, {"sheet": "a5"}, {"skip": 24}, {"skip": -1}])
def test_what_cannot_be_printed_is_refused(travel: Travelling, fields: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        scanning.labels(travel.context, travel.sender, scanning.PrintLabels(**fields))  # type: ignore[arg-type]  # on purpose


def test_without_a_printer_of_pdfs_it_says_so(travel: Travelling, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_anything: object, **_named: object) -> bytes:
        raise RenderingUnavailable("weasyprint")

    monkeypatch.setattr(scanning, "sheets", missing)
    with pytest.raises(Unavailable, match="cannot be printed"):
        scanning.labels(travel.context, travel.sender, scanning.PrintLabels(devices=travel.unused()))


def test_what_a_lot_is_for_and_what_a_container_is_are_printed_in_the_readers_words(
    travel: Travelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    lot, box = travel.lot(1), travel.box()
    printed: list[list[str]] = []

    def note(labels: list[Label], *_more: object, **named: object) -> bytes:
        printed.append([str(named["language"]), *(one.text for one in labels)])
        return b"%PDF"

    monkeypatch.setattr(scanning, "sheets", note)
    for language in (None, "pt", "ms"):
        command = scanning.PrintLabels(lots=(lot.id,), containers=(box.id,), language=language)
        scanning.labels(travel.context, travel.sender, command)
    assert printed == [["en", "Transfer", "Box"], ["pt", "Transferência", "Caixa"], ["ms", "Pemindahan", "Kotak"]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_lot_and_container_has_words_on_a_label(language: Language) -> None:
    voice = speaker(language)
    for word in (*(f"lot-{one}" for one in LotPurpose), *(f"container-{one}" for one in ContainerKind)):
        assert voice.say(f"labels.{word}")[0].isupper()
