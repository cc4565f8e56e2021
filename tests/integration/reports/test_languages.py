"""Printed in every language, with and without a brand: foreign judges read code, language and form; nothing runs off a page."""

from __future__ import annotations

import base64
import io
import re
import subprocess
from html import unescape
from pathlib import Path

import pikepdf
import pypdf
import pytest

from reports import pdf
from reports.brand import DOCUMENTS, PLAIN, Brand
from reports.claims import derive
from reports.documents import page_of
from reports.files import EvidenceFile
from reports.language import LANGUAGES, speaker
from reports.language.promises import promise_in
from reports.logo import read_logo
from reports.publish import publish
from reports.verify import verify
from tests.support.capabilities import requires_tool
from tests.support.documents import REMAINS, Destroyed, Processor, three_media, unproven
from tests.support.evidence import (
    CAPACITY,
    Story,
    World,
    certified,
    erasure_statement,
    good_record,
    with_part,
    with_pass,
)
from tests.support.purge_evidence import purge_record

from .test_pdf import MOMENT

WORLD = World()
LONG = good_record(
    vendor="EXAMPLE ENTERPRISE COMPANY OF LONG NAMES L.P.",
    model="MZ-QLB7T6HALA-00AAA-WITH-A-VERY-LONG-MODEL-NAME-REV-C",
    serial="S4X1NX0R123456S4X1NX0R123456S4X1NX0R1234",
    media="flash",
)


def _unsuccessful() -> EvidenceFile:
    record = with_part(
        good_record(), "run", state="failed", error_code="unwritable-region", error="some sectors refused"
    )
    record = with_pass(record, bytes_written=CAPACITY - 4096, unwritten=((4096, 8192),), failed_writes=9)
    return Story(WORLD, record).order().run().accept().unsuccessful()


def _lot(*, complete: bool) -> EvidenceFile:
    lot = three_media(World())
    if not complete:
        lot.left.append(unproven("D-9", "missing", "Nobody found it."))
    return lot.issue()


def _destruction() -> EvidenceFile:
    gone = Destroyed(World())
    gone.issue()
    return gone.file()


STORY = certified(WORLD)
FILES: dict[str, EvidenceFile] = {
    "certificate": STORY.bundle(),
    "long": certified(WORLD, LONG).bundle(),
    "purge": certified(WORLD, purge_record()).bundle(),
    "unsuccessful": _unsuccessful(),
    "statement": erasure_statement(WORLD, [STORY]),
    "lot": _lot(complete=True),
    "lot report": _lot(complete=False),
    "processor": Processor(three_media(World())).issue(),
    "destruction": _destruction(),
}
LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 50"><rect width="200" height="50" fill="#7a1f5c"/>'
    b'<path d="M60 36V14l20 22V14" fill="none" stroke="#fff" stroke-width="4" stroke-opacity="0.8"/></svg>'
)
NOTE = '</section><style>.exceptions { display: none }</style> Nothing was found. <script>alert("x")</script>'
BRAND = Brand(
    logo=read_logo(LOGO),
    accent="#7a1f5c",
    closings={(document, language): NOTE for document in DOCUMENTS for language in LANGUAGES},
    verify_at="https://media.example.org/verify",
    docs_at="https://media.example.org/documents/auditors",
)
BRANDS = {"plain": PLAIN, "brand": BRAND}
PRINTED: dict[tuple[str, str, str], bytes] = {}
EVERY = [
    *((name, language, "plain") for name in FILES for language in LANGUAGES),
    *((name, language, "brand") for name in ("certificate", "unsuccessful", "statement") for language in LANGUAGES),
]

every_page = pytest.mark.parametrize(("name", "language", "brand"), EVERY)


def _printed(name: str, language: str, brand: str = "plain") -> bytes:
    key = (name, language, brand)
    if key not in PRINTED:
        PRINTED[key] = pdf.render(FILES[name], language=language, brand=BRANDS[brand])
    return PRINTED[key]


def _pages(data: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(data)).pages]


def _words(text: str) -> str:
    """Without spaces, since a page may break a line anywhere in a long value."""
    return "".join(text.split())


@pytest.mark.reference_tool
@requires_tool("pdftoppm", "zbarimg")
@every_page
def test_the_code_on_the_first_page_is_read_by_a_foreign_reader(
    name: str, language: str, brand: str, tmp_path: Path
) -> None:
    (tmp_path / "d.pdf").write_bytes(_printed(name, language, brand))
    page = tmp_path / "page"
    command = ["pdftoppm", "-r", "150", "-gray", "-png", "-singlefile", "-f", "1", str(tmp_path / "d.pdf"), str(page)]
    subprocess.run(command, check=True)
    read = subprocess.run(
        ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", f"{page}.png"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert read.stdout.splitlines() == [BRANDS[brand].code(FILES[name].digest())]


@every_page
def test_the_digest_stands_beneath_the_code(name: str, language: str, brand: str) -> None:
    first, *_ = _pages(_printed(name, language, brand))
    assert FILES[name].digest() in _words(first)


@pytest.mark.reference_tool
@requires_tool("pdftotext")
@every_page
def test_nothing_runs_off_the_page(name: str, language: str, brand: str, tmp_path: Path) -> None:
    (tmp_path / "d.pdf").write_bytes(_printed(name, language, brand))
    told = subprocess.run(
        ["pdftotext", "-bbox", str(tmp_path / "d.pdf"), "-"], capture_output=True, text=True, check=True
    )
    found = re.findall(
        r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>', told.stdout
    )
    assert len(found) > 100
    watermark = set(speaker(language).say("unsuccessful.watermark").split())
    for left, top, right, bottom, word in found:
        if unescape(word) not in watermark and len(word) > 1:  # the watermark runs across the page, letter by letter
            assert float(left) > 50, word
            assert float(right) < 595 - 50, word
            assert float(top) > 25, word
            assert float(bottom) < 842 - 25, word


@every_page
def test_the_file_names_its_language_and_stays_an_archive_file(name: str, language: str, brand: str) -> None:
    with pikepdf.open(io.BytesIO(_printed(name, language, brand))) as document:
        assert str(document.Root.Lang) == language
        with document.open_metadata() as metadata:
            assert metadata.pdfa_status == "3U"
        for item in document.objects:
            if isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
                assert not {"/JS", "/JavaScript", "/Launch", "/URI"} & {str(key) for key in item}


@pytest.mark.reference_tool
@requires_tool("qpdf")
@every_page
def test_the_file_is_sound(name: str, language: str, brand: str, tmp_path: Path) -> None:
    (tmp_path / "d.pdf").write_bytes(_printed(name, language, brand))
    done = subprocess.run(["qpdf", "--check", str(tmp_path / "d.pdf")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_the_same_evidence_language_and_brand_print_the_same_bytes(name: str) -> None:
    again = pdf.render(FILES[name], language="pt", brand=BRAND)
    assert again == _printed(name, "pt", "brand")
    assert len({_printed(name, language) for language in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["certificate", "unsuccessful", "statement"])
def test_a_sealed_translation_is_genuine(name: str, language: str) -> None:
    sealed = publish(FILES[name], WORLD.seal, MOMENT, language=language, brand=BRAND)
    assert verify(sealed, WORLD.pin).genuine


@pytest.mark.parametrize("name", FILES)
def test_every_page_of_a_translation_says_that_the_english_evidence_decides(name: str) -> None:
    for language in ("pt", "ms"):
        said = speaker(language)
        pages = _pages(_printed(name, language))
        assert all(_words(said.say("common.translation-short")) in _words(page) for page in pages)
        assert _words(said.say("common.translation")) in _words(pages[-1])
    assert "translation" not in " ".join(_pages(_printed(name, "en"))).lower()


@pytest.mark.parametrize("name", FILES)
def test_the_last_page_says_pin_digest_and_how_to_check_in_its_language(name: str) -> None:
    for language in LANGUAGES:
        *_, last = _pages(_printed(name, language, "brand"))
        said = speaker(language)
        assert _words(said.say("common.check-pin")) in _words(last)
        _, view = page_of(FILES[name], said)
        assert _words(view["check"].pin) in _words(last)
        assert FILES[name].digest() in _words(last)
        assert "https://media.example.org/verify" in _words(last)
        assert "https://media.example.org/documents/auditors" in _words(last)


@pytest.mark.parametrize("language", LANGUAGES)
def test_exceptions_are_derived_anew_in_the_language_of_the_page(language: str) -> None:
    for record, name in ((LONG, "long"), (purge_record(), "purge")):
        said = derive(record, speaker(language))
        text = _words(" ".join(_pages(_printed(name, language))))
        first = _words(_pages(_printed(name, language))[0])
        assert said.exceptions
        assert all(_words(one) in first for one in said.exceptions)
        assert all(_words(claim.text) in text for claim in said.granted)
        assert said.verdict == derive(record).verdict


def _signed_words(value: object) -> str:
    """Everything that was signed, envelopes opened."""
    if isinstance(value, dict):
        payload = value.get("payload")
        opened = base64.b64decode(payload).decode() if isinstance(payload, str) else ""
        return " ".join([opened, *(_signed_words(one) for one in value.values())])
    if isinstance(value, list | tuple):
        return " ".join(_signed_words(one) for one in value)
    return str(value)


@pytest.mark.parametrize("language", ["pt", "ms"])
@pytest.mark.parametrize("name", FILES)
def test_no_english_is_left_in_a_translation_but_what_people_signed(name: str, language: str) -> None:
    text = " ".join(_pages(_printed(name, language))).lower()
    signed = _signed_words(FILES[name].to_dict()).lower()
    english = re.findall(r"\b(?:the|was|were|with|this|that|and|by|from) \w+", text)
    assert [words for words in english if words not in signed] == []


@every_page
def test_no_page_promises(name: str, language: str, brand: str) -> None:
    text = " ".join(_pages(_printed(name, language, brand))).replace(REMAINS.details, "")  # a person's words
    assert promise_in(text) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_brand_hides_and_replaces_nothing(language: str) -> None:
    said = speaker(language)
    for name in ("certificate", "unsuccessful", "statement"):
        first, *_ = (_words(page) for page in _pages(_printed(name, language, "brand")))
        plain, branded = (_words(" ".join(_pages(_printed(name, language, brand)))) for brand in BRANDS)
        assert _words(NOTE) in branded, "markup in a note is printed as the text it is"
        assert branded.index(_words(said.say("common.closing-title"))) < branded.index(_words(NOTE))
        _, view = page_of(FILES[name], said)
        must = [view["title"], view["number"], *(cell.value for cell in view.get("headline", ()))]
        must += [*view.get("exceptions", ()), *view.get("reasons", ()), view.get("alarm", "")]
        assert all(_words(one) in first for one in must)
        assert len(branded) > len(plain)


def test_a_huge_logo_keeps_to_its_box() -> None:
    huge = read_logo(LOGO.replace(b'viewBox="0 0 200 50"', b'viewBox="0 0 200 50" width="90000" height="22500"'))
    tall = read_logo(
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 100"><rect width="10" height="100"/></svg>'
    )
    for logo in (huge, tall):
        data = pdf.render(FILES["certificate"], brand=Brand(logo=logo))
        assert len(_pages(data)) == len(_pages(_printed("certificate", "en")))
        assert "Sanitized" in _pages(data)[0]
