"""Logos: what draws is kept, anything else is refused by name."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageFile, PngImagePlugin

from reports.errors import UnusableBrand
from reports.logo import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, MAX_PIXELS, read_logo

SVG = 'xmlns="http://www.w3.org/2000/svg"'


def _svg(inside: str = '<path d="M0 0h10v10z" fill="#123456"/>', attributes: str = 'viewBox="0 0 20 10"') -> bytes:
    return f"<svg {SVG} {attributes}>{inside}</svg>".encode()


def _png(width: int = 8, height: int = 4, mode: str = "RGBA", **saving: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG", **saving)
    return out.getvalue()


def _refused(data: bytes, match: str) -> None:
    with pytest.raises(UnusableBrand, match=match):
        read_logo(data)


def test_what_draws_is_kept() -> None:
    inside = (
        '<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient>'
        '<linearGradient id="b" href="#a" x1="0"/></defs>'
        '<g transform="rotate(3)"><rect width="4" height="4" fill="url(#b)" style="stroke: #000; stroke-width: 2"/></g>'
    )
    kept = read_logo(_svg(inside))
    assert kept.media == "image/svg+xml"
    for part in (b"linearGradient", b'href="#a"', b"url(#b)", b'stroke-width="2"', b'transform="rotate(3)"'):
        assert part in kept.data


def test_what_editors_note_for_themselves_is_left_out() -> None:
    noted = (
        '<title>Logo</title><desc>x</desc><metadata><rdf xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#">y</rdf></metadata>'
        '<n:named xmlns:n="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" pagecolor="#fff"/><!-- made by hand -->'
        '<path d="M0 0h1v1z" class="st0" data-name="p" n:type="arc" xmlns:n="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"/>'
    )
    kept = read_logo(_svg(noted)).data
    assert b"<path" in kept
    for word in (b"title", b"metadata", b"sodipodi", b"made by hand", b"class", b"data-name"):
        assert word not in kept


@pytest.mark.parametrize(
    "element",
    ["script", "foreignObject", "image", "use", "a", "animate", "set", "style", "text", "filter", "mask", "pattern", "symbol",
     "iframe", "switch", "marker", "feImage"],
)  # fmt: skip
def test_an_element_that_does_more_than_draw_is_refused_by_name(element: str) -> None:
    _refused(_svg(f"<{element}/>"), f"<{element}>")


@pytest.mark.parametrize(
    "inside",
    [
        '<rect onclick="alert(1)" width="1" height="1"/>',
        '<rect onload="alert(1)"/>',
        '<rect fill="url(https://evil.example/x)"/>',
        '<rect fill="url(//evil.example/x)"/>',
        '<rect fill="url(#a) url(http://evil.example)"/>',
        '<rect fill="url(data:image/png;base64,AAAA)"/>',
        '<rect style="fill: url(file:///etc/passwd)"/>',
        '<rect style="fill: u\\72l(x)"/>',
        '<rect style="fill: /**/red"/>',
        '<linearGradient href="https://evil.example/#a"/>',
        '<linearGradient xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="other.svg#a"/>',
        '<rect href="#a"/>',
        '<linearGradient id="a" href="#b"/><linearGradient id="b" href="#a"/>',
        '<linearGradient id="a" href="#a"/>',
        '<rect src="x.png"/>',
        '<rect fill="javascript:alert(1)"/>',
    ],
)
def test_a_reference_to_anything_else_is_refused(inside: str) -> None:
    _refused(_svg(inside), "refers to|not taken|continue each other")


def test_a_style_keeps_only_what_paints() -> None:
    kept = read_logo(_svg('<rect width="1" height="1" style="fill:#112233;position:fixed;-inkscape-font:x"/>')).data
    assert b'fill="#112233"' in kept
    assert b"position" not in kept


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE svg [<!ENTITY x "y">]>' + _svg(),
        b'<!doctype svg SYSTEM "http://evil.example/x.dtd">' + _svg(),
        b'<?xml version="1.0" encoding="utf-16"?>' + _svg(),
        _svg().decode().encode("utf-16"),
        _svg().replace(b"</svg>", b""),
        _svg().replace(SVG.encode(), b""),
        f"<html {SVG}><svg/></html>".encode(),
        b"<svg",
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + bytes(60),
        _png(64, 64, "RGB")[:60],
    ],
)
def test_what_is_no_plain_svg_or_png_is_refused(data: bytes) -> None:
    _refused(data, "(?i)svg|png")


def test_a_picture_that_breaks_off_is_refused_also_where_something_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as importing the printer does
    _refused(_png(64, 64, "RGB")[:60], "(?i)png")
    assert ImageFile.LOAD_TRUNCATED_IMAGES


def test_what_is_huge_is_refused() -> None:
    _refused(_svg() + b" " * MAX_BYTES, "bytes are more")
    _refused(_svg("<g/>" * (MAX_ELEMENTS + 1)), "elements")
    _refused(_svg("<g>" * MAX_DEPTH + "</g>" * MAX_DEPTH), "nests")
    _refused(_png(MAX_PIXELS + 1, 10), "pixels")


def test_a_small_file_that_claims_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    header = struct.pack(">IIBBBBB", 200_000, 200_000, 8, 6, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + bytes(100)
    _refused(bomb, "pixels")


@pytest.mark.parametrize("box", ["0 0 1300 100", "0 0 1 13", "0 0 0 10", "0 0 10 0"])
def test_a_strip_or_nothing_is_refused(box: str) -> None:
    _refused(_svg(attributes=f'viewBox="{box}"'), "side")


def test_a_size_is_needed_and_replaced_by_the_pages_own() -> None:
    _refused(_svg(attributes=""), "viewBox")
    _refused(_svg(attributes='width="100%" height="100%"'), "viewBox")
    kept = read_logo(_svg(attributes='width="9000mm" height="4500mm"')).data
    assert b'viewBox="0 0 9000 4500"' in kept
    assert b'width="100.00"' in kept
    assert b'height="50.00"' in kept


def test_a_png_is_written_anew_without_what_else_it_said() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "made at home")
    kept = read_logo(_png(pnginfo=told, icc_profile=b"profile"))
    assert kept.media == "image/png"
    with Image.open(io.BytesIO(kept.data)) as picture:
        assert picture.size == (8, 4)
    assert b"made at home" not in kept.data
    assert b"iCCP" not in kept.data


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_read(mode: str) -> None:
    assert read_logo(_png(mode=mode)).media == "image/png"


def test_a_moving_png_is_refused() -> None:
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    _refused(out.getvalue(), "moves")


def test_the_same_file_gives_the_same_bytes() -> None:
    assert read_logo(_svg()) == read_logo(_svg())
    assert read_logo(_png()) == read_logo(_png())
    assert read_logo(read_logo(_svg()).data) == read_logo(_svg())
