"""Prints sheets of labels with QR codes as PDF. Renders and decides nothing; needs Pango, as documents do."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import Any

import segno

from inventory.domain.labels import Label, Sheet, address_of
from reports.errors import RenderingUnavailable
from reports.language import Language, speaker
from reports.typesetting import together

_STYLE = (
    "@page{size:210mm 297mm;margin:0}html,body{margin:0;font-family:'DejaVu Sans',sans-serif;color:#000}"
    ".page{position:relative;width:210mm;height:297mm;page-break-after:always;overflow:hidden}"
    ".label{position:absolute;overflow:hidden}"
    ".label img{position:absolute;left:2mm;top:2mm}.text{position:absolute;top:3mm;right:2mm;overflow:hidden}"
    ".n{font-weight:bold;white-space:nowrap}.t,.x{overflow-wrap:anywhere}"
)


def sheets(labels: Sequence[Label], sheet: Sheet, base: str, *, skip: int = 0, language: Language = "en") -> bytes:
    """Labels on as many A4 pages as they need.

    Args:
        labels: in order.
        sheet: how the paper is divided.
        base: address of the service, which the codes lead to.
        skip: labels at the beginning of the first page that are gone already.
        language: of the reader, which the labels are in.

    Raises:
        RenderingUnavailable: WeasyPrint cannot be loaded here.
    """
    return printed(page(labels, sheet, base, skip=skip, language=language))


def printed(content: str) -> bytes:
    """Pages as PDF; nothing is fetched from anywhere. Raises `RenderingUnavailable`."""
    try:
        import weasyprint  # noqa: PLC0415 - slow to load
    except (ImportError, OSError) as error:  # OSError: Pango is not installed
        raise RenderingUnavailable("weasyprint") from error
    found: bytes = weasyprint.HTML(string=together(content), url_fetcher=_only_data(weasyprint)).write_pdf()
    return found


def page(labels: Sequence[Label], sheet: Sheet, base: str, *, skip: int = 0, language: Language = "en") -> str:
    """The pages as HTML, which is what is tested cheaply."""
    pages: list[list[str]] = []
    for position, label in enumerate(labels, start=skip):
        number, index = divmod(position, sheet.labels)
        while len(pages) <= number:
            pages.append([])
        pages[number].append(_label(label, sheet, base, index))
    body = "".join(f'<div class="page">{"".join(one)}</div>' for one in pages)
    title = speaker(language).say("labels.title")
    return f"<!doctype html><html lang={language}><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>{body}</html>"


def _label(label: Label, sheet: Sheet, base: str, index: int) -> str:
    left, top = sheet.place(index)
    code = min(sheet.height - 40, sheet.width * 2 // 5)
    box = f"left:{_mm(left)};top:{_mm(top)};width:{_mm(sheet.width)};height:{_mm(sheet.height)}"
    size = max(6.0, min(11.0, sheet.height / 37))
    lines = (("n", label.number, size), ("t", label.title, size * 0.8), ("x", label.text, size * 0.65))
    text = "".join(
        f'<div class="{name}" style="font-size:{points:.1f}pt">{html.escape(words)}</div>'
        for name, words, points in lines
        if words
    )
    picture = f'<img alt="" style="width:{_mm(code)};height:{_mm(code)}" src="{_qr(address_of(base, label.number))}">'
    beside = f"left:{_mm(code + 35)};height:{_mm(sheet.height - 50)}"
    return f'<div class="label" style="{box}">{picture}<div class="text" style="{beside}">{text}</div></div>'


def _mm(tenths: int) -> str:
    return f"{tenths / 10:.1f}mm"


def _qr(text: str) -> str:
    """ISO/IEC 18004, error correction M, with its quiet zone: labels stand close together."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=4, xmldecl=False, nl=False)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()


def _only_data(weasyprint: Any) -> Any:  # noqa: ANN401 - WeasyPrint has no types
    return weasyprint.urls.URLFetcher(allowed_protocols=["data"], allow_redirects=False)
