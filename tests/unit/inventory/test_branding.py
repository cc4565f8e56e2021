"""Settings of documents: what cannot be printed is found at the start, and says which setting and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory import checks
from inventory.branding import Documents, brand_of
from inventory.errors import SetupError
from inventory.settings import Settings

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><path d="M0 0h9v9z"/></svg>'


def _settings(folder: Path, **documents: object) -> Settings:
    return Settings.model_validate({"data_dir": folder, "documents": documents})


def _refused(settings: Settings, match: str) -> None:
    with pytest.raises(SetupError, match=match):
        _ = settings.brand
    (found,) = [one for one in checks.run(settings, without=frozenset({"S06"})) if one.number == "S13"]
    assert found.severity == "refuse"
    assert found.hint


def test_without_settings_documents_are_plain_and_english(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert settings.documents.languages == ("en",)
    assert settings.brand.logo is None
    assert not [one for one in checks.run(settings, without=frozenset({"S06"})) if one.number == "S13"]


def test_settings_come_from_a_file_with_the_environment_over_it(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text(SVG, encoding="utf-8")
    file = tmp_path / "sanitrail.toml"
    file.write_text(
        f'data_dir = "{tmp_path}"\n[documents]\nlanguage = "en"\nlogo = "{tmp_path}/logo.svg"\naccent = "#0b3d91"\n'
        '[documents.closing.certificate]\npt = "Dúvidas: +351 200 000 000"\n',
        encoding="utf-8",
    )
    loaded = Settings.load(file, {"SANITRAIL_DOCUMENTS__LANGUAGE": "pt", "SANITRAIL_DOCUMENTS__ALSO": "ms, en pt"})
    assert loaded.documents.languages == ("pt", "ms", "en")
    brand = loaded.brand
    assert brand.logo is not None
    assert brand.accent == "#0b3d91"
    assert brand.closing("certificate", "pt") == ("Dúvidas: +351 200 000 000",)
    assert loaded.brand is brand, "the file is read once"


def test_a_missing_logo_is_said(tmp_path: Path) -> None:
    _refused(_settings(tmp_path, logo=tmp_path / "none.svg"), "none.svg cannot be read: No such file")


def test_a_logo_that_does_more_than_draw_is_said(tmp_path: Path) -> None:
    (tmp_path / "bad.svg").write_text(SVG.replace("<path", "<script/><path"), encoding="utf-8")
    _refused(_settings(tmp_path, logo=tmp_path / "bad.svg"), "documents.*logo: the SVG has <script>")


def test_a_huge_logo_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "huge.svg").open("wb") as file:
        file.truncate(1 << 34)
    _refused(_settings(tmp_path, logo=tmp_path / "huge.svg"), "bytes are more")


def test_a_colour_or_note_that_cannot_be_printed_is_said(tmp_path: Path) -> None:
    _refused(_settings(tmp_path, accent="#ffee00"), "accent: #ffee00 has a contrast")
    _refused(_settings(tmp_path, closing={"certificate": {"en": "certified"}}), "closing.certificate.en")
    _refused(_settings(tmp_path, closing={"invoice": {"en": "x"}}), "no such document")


@pytest.mark.parametrize(
    ("field", "value"),
    [("language", "de"), ("also", ["fr"]), ("accent", "blue"), ("verification_page", "ftp://x"), ("nothing", 1)],
)
def test_settings_that_do_not_make_sense_are_refused_by_name(field: str, value: object, tmp_path: Path) -> None:
    file = tmp_path / "sanitrail.toml"
    written = value if isinstance(value, int | list) else f'"{value}"'
    file.write_text(f'data_dir = "{tmp_path}"\n[documents]\n{field} = {written}\n'.replace("'", '"'), encoding="utf-8")
    with pytest.raises(SetupError, match=f"documents.{field}"):
        Settings.load(file, {})


@pytest.mark.parametrize(
    ("external", "page", "code"),
    [
        ("https://media.example.org", None, "https://media.example.org/verify?sha256=ab"),
        ("https://media.example.org/", None, "https://media.example.org/verify?sha256=ab"),
        ("http://127.0.0.1:8443", None, "sanitrail:sha256:ab"),
        ("https://localhost", None, "sanitrail:sha256:ab"),
        ("http://[::1]:80", None, "sanitrail:sha256:ab"),
        ("https://media.example.org", "", "sanitrail:sha256:ab"),
        ("http://127.0.0.1:8443", "https://check.example.org/here", "https://check.example.org/here?sha256=ab"),
    ],
)
def test_the_code_leads_to_the_public_page_and_never_to_this_machine_alone(
    external: str, page: str | None, code: str
) -> None:
    assert brand_of(Documents(verification_page=page), external).code("ab") == code
