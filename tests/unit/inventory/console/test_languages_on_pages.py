"""A document in the language somebody asks for, on console and interface: one choice for each language, nothing else is taken."""

from __future__ import annotations

import io

import pikepdf
import pytest
from werkzeug.test import TestResponse

from reports.canonical import sha256_hex

from .conftest import Site


def _language(answer: TestResponse) -> str:
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    with pikepdf.open(io.BytesIO(answer.data)) as document:
        return str(document.Root.Lang)


def _interface(site: Site, path: str) -> TestResponse:
    return site.client("vera").get(f"/api/v1{path}", base_url=site.base)


def test_the_page_of_a_certificate_offers_every_further_language(site: Site) -> None:
    number = site.story.numbers["certificate"]
    page = site.get("vera", f"/certificates/{number}").text
    for language, name in (("pt", "Português"), ("ms", "Bahasa Melayu")):
        assert f'href="/console/certificates/{number}/certificate.pdf?language={language}"' in page
        assert f'aria-label="{language.upper()}: Certificate, {name}"' in page
    assert "language=en" not in page


def test_console_and_interface_give_the_same_file(site: Site) -> None:
    path = f"/certificates/{site.story.numbers['certificate']}/certificate.pdf"
    console = site.get("vera", f"{path}?language=pt")
    interface = _interface(site, f"{path}?language=pt")
    assert _language(console) == _language(interface) == "pt"
    assert console.data == interface.data
    assert interface.headers["ETag"] == f'"{sha256_hex(interface.data)}"'
    assert _language(_interface(site, path)) == "en"
    assert _language(_interface(site, f"{path}?language=en")) == "en"


@pytest.mark.parametrize("asked", ["de", "", "PT", "../en", "pt-BR", "pt%00"])
def test_any_other_language_is_refused(site: Site, asked: str) -> None:
    path = f"/certificates/{site.story.numbers['certificate']}/certificate.pdf?language={asked}"
    assert site.get("vera", path).status_code == 422
    assert _interface(site, path).status_code == 422
