"""How documents look and in which languages they come: settings, and what the printing part is given from them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from inventory.auth.addresses import is_loopback
from inventory.errors import SetupError
from reports.brand import ACCENT, Brand
from reports.errors import ReportError
from reports.language import LANGUAGES, Language
from reports.logo import MAX_BYTES, Logo, read_logo

_PAGE = r"^(https?://[A-Za-z0-9.:/\[\]_~%-]{1,200})?$"


class Documents(BaseModel):
    """How documents look and in which languages they come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: Language = "en"
    """Documents are printed in it unless another is asked for; what is signed is English in any."""
    also: tuple[Language, ...] = ()
    """Printed in these, too, as soon as a document is issued; any other language when it is first asked for."""
    logo: Path | None = None
    """SVG or PNG; read when the service starts."""
    accent: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")] = ACCENT
    """Colour of headings and line work, `#rrggbb`; must be legible on white."""
    closing: dict[str, dict[str, str]] = {}
    """A closing note, by document (certificate, unsuccessful, statement, lot, processor, destruction) and language."""
    verification_page: Annotated[str, Field(pattern=_PAGE)] | None = None
    """Address in the QR code; unset: `/verify` of `external_url`, where that is not this machine alone; empty: none."""
    instructions_page: Annotated[str, Field(pattern=_PAGE)] = ""
    """Address of the auditors' instructions, printed on the last page."""

    @field_validator("also", mode="before")
    @classmethod
    def _from_one_line(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @property
    def languages(self) -> tuple[Language, ...]:
        """Those printed without being asked for, each once; the first is the main one."""
        return tuple(dict.fromkeys((self.language, *self.also)))


def brand_of(documents: Documents, external_url: str) -> Brand:
    """What documents are printed with. The logo's file is read once.

    Raises:
        SetupError: a file, colour or text that documents cannot carry; says which and why.
    """
    closings = tuple((kind, language, text) for kind, by in documents.closing.items() for language, text in by.items())
    return _brand(
        documents.logo, documents.accent, closings, _verify_at(documents, external_url), documents.instructions_page
    )


@lru_cache(maxsize=8)
def _brand(
    logo: Path | None, accent: str, closings: tuple[tuple[str, str, str], ...], verify_at: str, docs_at: str
) -> Brand:
    try:
        return Brand(
            logo=None if logo is None else _logo(logo),
            accent=accent,
            closings={(kind, language): text for kind, language, text in closings},
            verify_at=verify_at,
            docs_at=docs_at,
        )
    except ReportError as error:
        raise SetupError(f"The settings of `documents` cannot be printed with. {error.summarize()}") from error


def _logo(path: Path) -> Logo:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SetupError(f"The logo {path} cannot be read: {error.strerror}. Correct `documents.logo`.") from error
    return read_logo(data)


def _verify_at(documents: Documents, external_url: str) -> str:
    if documents.verification_page is not None:
        return documents.verification_page
    host = urlsplit(external_url).hostname or ""
    return "" if is_loopback(host) else f"{external_url.rstrip('/')}/verify"


__all__ = ["LANGUAGES", "Documents", "brand_of"]
