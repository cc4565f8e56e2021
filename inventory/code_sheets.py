"""Draws numbered texts as QR codes: on sheets of paper, and as pictures in a page. Renders and decides nothing."""

from __future__ import annotations

import html
from collections.abc import Sequence

import segno

from .labelling import printed

_STYLE = (
    "@page{size:210mm 297mm;margin:12mm;@bottom-right{content:counter(page) '/' counter(pages);font-size:8pt}}"
    "html,body{margin:0;font-family:'DejaVu Sans',sans-serif;color:#000;font-size:9pt}h1{font-size:12pt;margin:0 0 4mm}"
    ".c{display:inline-block;width:88mm;margin:0 3mm 5mm 0;text-align:center;break-inside:avoid}.c img{width:88mm;height:88mm}"
)


def picture(text: str) -> str:
    """One code as the address of a picture (ISO/IEC 18004, error correction M, with its quiet zone)."""
    return str(_code(text).svg_data_uri(border=4, dark="#000", light="#fff"))


def small_picture(text: str) -> str:
    """As `picture`, a point for each module: a tenth of the bytes, for a page that holds many and enlarges them itself."""
    return str(_code(text).png_data_uri(scale=1, border=4, dark="#000", light="#fff"))


def _code(text: str) -> segno.QRCode:
    return segno.make(text, error="m", micro=False, boost_error=False)


def sheet(title: str, lines: Sequence[str], texts: Sequence[str], language: str = "en") -> bytes:
    """Codes on as many A4 pages as they need, six on a page. Raises `RenderingUnavailable`."""
    said = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    codes = "".join(
        f'<div class="c"><img alt="" src="{picture(text)}"><div>{number} / {len(texts)}</div></div>'
        for number, text in enumerate(texts, 1)
    )
    return printed(
        f"<!doctype html><html lang={language}><meta charset=utf-8><title>{html.escape(title)}</title><style>{_STYLE}</style>"
        f"<h1>{html.escape(title)}</h1>{said}{codes}</html>"
    )
