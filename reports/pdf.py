"""Prints evidence files as PDF/A-3u. The only module that knows WeasyPrint; it renders and decides nothing.

The same file in the same language with the same brand gives the same bytes: identifier and dates come from the evidence, nothing
from the clock, and no network or file is read but our own templates and catalogs. Needs the extra `server`, Pango, and the fonts
of Debian's `fonts-ebgaramond`, `fonts-lato` and `fonts-dejavu-core` (with the last alone it prints in DejaVu).
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import documents, ornament
from .brand import PLAIN, Brand
from .errors import RenderingUnavailable
from .files import EvidenceFile
from .language import ENGLISH, Speaker, speaker
from .times import parse_instant
from .typesetting import together

if TYPE_CHECKING:
    import jinja2

PDF_VARIANT = "pdf/a-3u"
_TEMPLATES = Path(__file__).resolve().parent / "templates"
_INK, _PALE, _RED = "#16263a", "#7fa3a8", "#9c2b1f"


def render(file: EvidenceFile, *, language: str = "en", brand: Brand = PLAIN) -> bytes:
    """The file as a PDF with the file itself attached.

    Args:
        file: the evidence; it should have been verified before.
        language: of the page. What is attached is the same in every language.
        brand: the organisation's additions.

    Raises:
        RenderingUnavailable: WeasyPrint, Jinja2 or segno cannot be loaded here.
        MalformedDocument: the evidence cannot be read.
        UnknownLanguage: no catalogs.
    """
    said = speaker(language)
    template, view = documents.page_of(file, said)
    try:
        import weasyprint  # noqa: PLC0415 - slow to load, and absent from a bare verifier
    except (ImportError, OSError) as error:  # OSError: Pango is not installed
        raise RenderingUnavailable("weasyprint") from error
    digest = view["check"].digest
    words = _words(said) | _branded(brand, view["document"], said.language)
    html = together(_environment().get_template(template).render(**view, **words, **_drawings(brand, digest)))
    moment = parse_instant(view["issued_exact"])
    attachment = weasyprint.Attachment(
        string=file.to_bytes(),
        name=view["attachment"],
        description="Signed evidence of this document",
        relationship="Source",
        created=moment,
        modified=moment,
    )
    document = weasyprint.HTML(string=html, url_fetcher=_nothing_from_outside(weasyprint), media_type="print")
    printed: bytes = document.write_pdf(
        pdf_variant=PDF_VARIANT,
        pdf_identifier=hashlib.sha256(f"{digest} {said.language}".encode()).hexdigest()[:32].encode(),
        attachments=[attachment],
        custom_metadata=False,
    )
    return printed


def _nothing_from_outside(weasyprint: Any) -> Any:  # noqa: ANN401 - WeasyPrint has no types
    """Documents contain their drawings as `data:`; any other address is refused."""
    return weasyprint.urls.URLFetcher(allowed_protocols=["data"], allow_redirects=False)


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    try:
        import jinja2  # noqa: PLC0415 - absent from a bare verifier
    except ImportError as error:
        raise RenderingUnavailable("jinja2") from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["css"] = _css_text
    environment.filters["grouped"] = lambda text: " ".join(text[at : at + 4] for at in range(0, len(text), 4))
    return environment


def _css_text(text: str) -> str:
    """Text inside a CSS string: everything but letters and digits of ASCII is written as an escape."""
    return "".join(char if char.isascii() and char.isalnum() else f"\\{ord(char):06x} " for char in text)


def _words(said: Speaker) -> dict[str, Any]:
    """How templates speak: `say`, `word`, `count`; `marked` sets what stands in backticks as program text."""
    import markupsafe  # noqa: PLC0415 - comes with Jinja2

    def marked(key: str, **values: object) -> markupsafe.Markup:
        escaped = str(markupsafe.escape(said.say(key, **values)))
        return markupsafe.Markup(re.sub(r"`([^`]*)`", r'<span class="mono">\1</span>', escaped))  # noqa: S704 - escaped above

    translated = "" if said.language == ENGLISH.language else f"{said.say('common.translation-short')} · "
    first, between, last = re.split("[\x01\x02]", said.say("common.page", page="\x01", pages="\x02"))
    counters = (
        f'"{_css_text(translated + first)}" counter(page) "{_css_text(between)}" counter(pages) "{_css_text(last)}"'
    )
    return {
        "language": said.language,
        "say": said.say,
        "word": said.word,
        "count": said.count,
        "marked": marked,
        "page_count": markupsafe.Markup(counters),  # noqa: S704 - our own words, escaped for CSS
    }


def _branded(brand: Brand, document: str, language: str) -> dict[str, Any]:
    """The organisation's additions, as templates print them."""
    logo = brand.logo and f"data:{brand.logo.media};base64,{base64.b64encode(brand.logo.data).decode()}"
    return {
        "logo": logo,
        "accent": brand.accent,
        "closing": brand.closing(document, language),
        "verify_at": brand.verify_at,
        "docs_at": brand.docs_at,
    }


@lru_cache(maxsize=16)
def _data_url(draw: Callable[..., str], *colors: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(draw(*colors).encode()).decode()


def _drawings(brand: Brand, digest: str) -> dict[str, Any]:
    """Line work of all documents; each template takes what it wants."""
    import markupsafe  # noqa: PLC0415 - comes with Jinja2

    inline = markupsafe.Markup  # our own SVG; what goes into it was checked to be a colour or an address
    return {
        "qr": inline(_qr(brand.code(digest))),
        "mark": inline(ornament.mark(brand.accent)),
        "rosette": inline(ornament.rosette(brand.accent)),
        "frame": _data_url(ornament.frame, _INK, _PALE),
        "plain_frame": _data_url(ornament.plain_frame, _INK),
        "hatching": _data_url(ornament.hatching, _RED),
    }


def _qr(text: str) -> str:
    """A text as a QR code: ISO/IEC 18004, error correction M."""
    try:
        import segno  # noqa: PLC0415 - absent from a bare verifier
    except ImportError as error:
        raise RenderingUnavailable("segno") from error
    out = io.BytesIO()
    code = segno.make(text, error="m", micro=False, boost_error=False)
    code.save(out, kind="svg", border=0, dark=_INK, light=None, xmldecl=False, svgns=True, omitsize=True, nl=False)
    return out.getvalue().decode()
