"""Prints evidence files as PDF/A-3u. The only module that knows WeasyPrint; it renders and decides nothing.

The same file gives the same bytes: identifier and dates come from the evidence, nothing from the clock, and no network or
file is read but our own templates. Needs the extra `server`, Pango, and the fonts of Debian's `fonts-ebgaramond`, `fonts-
lato` and `fonts-dejavu-core` (with the last alone it prints in DejaVu).
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import documents, ornament
from .bundle import ATTACHMENT_NAMES, DestructionBundle, ErasureStatementFile, EvidenceFile, UnsuccessfulRunBundle
from .errors import RenderingUnavailable
from .times import parse_instant

if TYPE_CHECKING:
    import jinja2

PDF_VARIANT = "pdf/a-3u"
_TEMPLATES = Path(__file__).resolve().parent / "templates"
_INK, _ACCENT, _PALE, _RED = "#16263a", "#0e5a63", "#7fa3a8", "#9c2b1f"


def render(file: EvidenceFile) -> bytes:
    """The file as a PDF with the file itself attached.

    Raises:
        RenderingUnavailable: WeasyPrint, Jinja2 or segno cannot be loaded here.
        MalformedDocument: the evidence cannot be read (it should have been verified before).
    """
    if isinstance(file, DestructionBundle):
        return _print("certificate.html", documents.certificate_view(file), file)
    if isinstance(file, UnsuccessfulRunBundle):
        return _print("unsuccessful.html", documents.unsuccessful_view(file), file)
    return _print("statement.html", documents.statement_view(file), file)


def _print(template: str, view: dict[str, Any], file: EvidenceFile) -> bytes:
    try:
        import weasyprint  # noqa: PLC0415 - slow to load, and absent from a bare verifier
    except (ImportError, OSError) as error:  # OSError: Pango is not installed
        raise RenderingUnavailable("weasyprint") from error
    environment = _environment()
    html = environment.get_template(template).render(**view, **_drawings(file, view["check"]["digest_plain"]))
    moment = parse_instant(view["issued_exact"])
    attachment = weasyprint.Attachment(
        string=file.to_bytes(),
        name=ATTACHMENT_NAMES[file.format],
        description="Signed evidence of this document",
        relationship="Source",
        created=moment,
        modified=moment,
    )
    document = weasyprint.HTML(string=html, url_fetcher=_nothing_from_outside(weasyprint), media_type="print")
    printed: bytes = document.write_pdf(
        pdf_variant=PDF_VARIANT,
        pdf_identifier=view["check"]["digest_plain"][:32].encode(),
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
    return environment


def _css_text(text: str) -> str:
    """Text inside a CSS string: everything but letters and digits of ASCII is written as an escape."""
    return "".join(char if char.isascii() and char.isalnum() else f"\\{ord(char):06x} " for char in text)


@lru_cache(maxsize=8)
def _data_url(draw: Callable[..., str], *colors: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(draw(*colors).encode()).decode()


def _drawings(file: EvidenceFile, digest: str) -> dict[str, Any]:
    import markupsafe  # noqa: PLC0415 - comes with Jinja2

    inline = markupsafe.Markup  # our own SVG, no input in it but a hexadecimal digest
    drawn: dict[str, Any] = {"qr": inline(_qr(digest)), "mark": inline(ornament.mark(_ACCENT))}
    if isinstance(file, DestructionBundle):
        drawn["frame"] = _data_url(ornament.frame, _INK, _PALE)
        drawn["plain_frame"] = _data_url(ornament.plain_frame, _INK)
        drawn["rosette"] = inline(ornament.rosette(_ACCENT))
    elif isinstance(file, UnsuccessfulRunBundle):
        drawn["hatching"] = _data_url(ornament.hatching, _RED)
    elif isinstance(file, ErasureStatementFile):
        drawn["plain_frame"] = _data_url(ornament.plain_frame, _INK)
        drawn["rosette"] = inline(ornament.rosette(_ACCENT))
    return drawn


def _qr(digest: str) -> str:
    """The digest of the evidence as a QR code."""
    try:
        import segno  # noqa: PLC0415 - absent from a bare verifier
    except ImportError as error:
        raise RenderingUnavailable("segno") from error
    out = io.BytesIO()
    code = segno.make(f"urn:sanitrail:evidence:sha256:{digest}", error="m", micro=False)
    code.save(out, kind="svg", border=0, dark=_INK, light=None, xmldecl=False, svgns=True, omitsize=True, nl=False)
    return out.getvalue().decode()
