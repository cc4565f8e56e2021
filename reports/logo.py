"""Reads an organisation's logo, SVG or PNG, and keeps of it only what draws. Anything else in the file is refused by name.

An SVG is rebuilt from a list of known elements and attributes: no script, style sheet, text, embedded picture or reference to
anything outside the file. A PNG is decoded and written anew, without its other contents. The same file gives the same bytes.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Final, Literal
from xml.etree import ElementTree as ET

from .errors import RenderingUnavailable, UnusableBrand

MAX_BYTES: Final = 256 * 1024
MAX_ELEMENTS: Final = 2_000
MAX_DEPTH: Final = 24
MAX_PIXELS: Final = 2_000
"""Of a PNG, along either side."""
MAX_ASPECT: Final = 12

_SVG: Final = "{http://www.w3.org/2000/svg}"
_XLINK: Final = "{http://www.w3.org/1999/xlink}href"
_SHAPES = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})
_GRADIENTS = frozenset({"linearGradient", "radialGradient"})
_ELEMENTS = _SHAPES | _GRADIENTS | {"svg", "g", "defs", "stop", "clipPath"}
_DROPPED = frozenset({"title", "desc", "metadata"})
_PRESENTATION = {
    *("clip-path", "clip-rule", "color", "display", "fill", "fill-opacity", "fill-rule", "opacity"),
    *("stop-color", "stop-opacity", "stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap"),
    *("stroke-linejoin", "stroke-miterlimit", "stroke-opacity", "stroke-width", "visibility"),
}
_ATTRIBUTES = _PRESENTATION | {
    *("id", "viewBox", "preserveAspectRatio", "transform", "d", "points", "x", "y", "width", "height"),
    *("cx", "cy", "r", "rx", "ry", "x1", "y1", "x2", "y2", "fx", "fy", "offset"),
    *("gradientUnits", "gradientTransform", "spreadMethod", "clipPathUnits"),
}
_HARMLESS = re.compile(r"class|version|role|baseProfile|enable-background|aria-[a-z]+|data-[a-z-]+|focusable")
_LOCAL = re.compile(r"#[A-Za-z_][\w.-]{0,80}")
_BOX = re.compile(r"\s*(-?[\d.]+)[\s,]+(-?[\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)\s*")
_LENGTH = re.compile(r"\s*([\d.]+)\s*(?:px|pt|mm|cm|in)?\s*")
_PNG_START = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Logo:
    """A logo that draws and does nothing else."""

    media: Literal["image/svg+xml", "image/png"]
    data: bytes


def read_logo(data: bytes) -> Logo:
    """A logo from the bytes of a file.

    Raises:
        UnusableBrand: it is too large, neither SVG nor PNG, or has something in it that does more than draw.
        RenderingUnavailable: Pillow cannot be loaded here (PNG only).
    """
    if len(data) > MAX_BYTES:
        raise _refused(f"{len(data):,} bytes are more than {MAX_BYTES:,}.")
    if data.startswith(_PNG_START):
        return Logo("image/png", _png(data))
    if b"<svg" in data[:4096] or b":svg" in data[:4096]:
        return Logo("image/svg+xml", _svg(data))
    raise _refused("the file is neither SVG nor PNG.")


def _refused(problem: str) -> UnusableBrand:
    return UnusableBrand("logo", problem)


def _png(data: bytes) -> bytes:
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))  # IHDR comes first (PNG, 5.6)
    if data[12:16] != b"IHDR" or not 0 < width <= MAX_PIXELS or not 0 < height <= MAX_PIXELS:
        raise _refused(f"a PNG may have up to {MAX_PIXELS:,} pixels along each side.")
    _in_proportion(width, height)
    try:
        from PIL import Image, ImageFile  # noqa: PLC0415 - absent from a bare verifier
    except ImportError as error:
        raise RenderingUnavailable("pillow") from error
    out = io.BytesIO()
    # Whoever prints has told Pillow, for the whole process, to take pictures that break off. A logo must be whole.
    forgiving, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            moving = getattr(picture, "n_frames", 1) != 1
            plain = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        plain.info.clear()  # profiles, texts, times
        plain.save(out, "PNG", optimize=False)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise _refused("the PNG cannot be read.") from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = forgiving
    if moving:
        raise _refused("the PNG moves.")
    return out.getvalue()


def _svg(data: bytes) -> bytes:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused("the SVG is not in UTF-8.") from error
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise _refused("the SVG has a document type declaration; save it as plain SVG.")
    declared = re.match(r"\s*<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)", text)
    if declared and declared.group(1).lower() not in {"utf-8", "us-ascii"}:
        raise _refused("the SVG is not in UTF-8.")
    try:
        root = ET.fromstring(text.encode())  # noqa: S314 - no document type, so no entities
    except (ET.ParseError, ValueError) as error:
        raise _refused("the SVG is not well-formed XML.") from error
    if root.tag != f"{_SVG}svg":
        raise _refused("the file's root is no <svg> of the namespace http://www.w3.org/2000/svg.")
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise _refused(f"the SVG has more than {MAX_ELEMENTS:,} elements.")
    _depth(root)
    clean = _kept(root)
    _sized(root, clean)
    _gradients_end(clean)
    ET.register_namespace("", _SVG[1:-1])
    written: bytes = ET.tostring(clean, encoding="utf-8")
    return written


def _depth(root: ET.Element) -> None:
    level, depth = list(root), 1
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _refused(f"the SVG nests more than {MAX_DEPTH} elements.")
        level = [child for one in level for child in one]


def _kept(element: ET.Element) -> ET.Element:
    """The element with what draws of it. Raises `UnusableBrand` for what does more."""
    name = element.tag.removeprefix(_SVG)
    if name not in _ELEMENTS:
        raise _refused(f"the SVG has <{_short(name)}>, which is not taken; convert text to paths and embed nothing.")
    kept = ET.Element(element.tag)
    for attribute, value in element.attrib.items():
        for one, told in _attributes(attribute, value, name):
            kept.set(one, told)
    for child in element:
        if not isinstance(child.tag, str) or child.tag.removeprefix(_SVG) in _DROPPED:
            continue
        if child.tag.startswith("{") and not child.tag.startswith(_SVG):
            continue  # an editor's own notes: what is not SVG does not draw
        kept.append(_kept(child))
    return kept


def _attributes(attribute: str, value: str, element: str) -> list[tuple[str, str]]:
    if attribute == "style":
        pairs = [part.partition(":") for part in value.split(";") if part.strip()]
        told = [(name.strip().lower(), text.strip()) for name, _, text in pairs]
        return [(name, _safe(name, text)) for name, text in told if name in _PRESENTATION]
    if attribute in {"href", _XLINK}:
        if element in _GRADIENTS and _LOCAL.fullmatch(value):
            return [("href", value)]
        raise _refused(f"the SVG refers to {_short(value)!r}; a logo may refer to nothing outside itself.")
    if attribute in _ATTRIBUTES:
        return [(attribute, _safe(attribute, value))]
    if attribute.startswith("{") or _HARMLESS.fullmatch(attribute):
        return []
    raise _refused(f"the SVG has the attribute {_short(attribute)!r}, which is not taken.")


def _safe(name: str, value: str) -> str:
    """A value that refers to nothing but parts of the same file."""
    inner = value.lower().replace(" ", "")
    if "\\" in value or "/*" in value or "@" in value or "javascript" in inner or "data:" in inner:
        raise _refused(f"the SVG's {name} has {_short(value)!r}, which is not taken.")
    if inner.count("url(") != len(re.findall(r"url\([\"']?#[a-z_][\w.-]{0,80}[\"']?\)", inner)):
        raise _refused(f"the SVG refers to {_short(value)!r}; a logo may refer to nothing outside itself.")
    return value


def _gradients_end(root: ET.Element) -> None:
    """A gradient may continue one other, which continues none: no chain, no circle."""
    continued = {one.get("id"): one.get("href") for one in root.iter() if one.tag.removeprefix(_SVG) in _GRADIENTS}
    for target in continued.values():
        if target is not None and continued.get(target[1:], "") is not None:
            raise _refused("the SVG has gradients that continue each other; save it as plain SVG.")


def _sized(root: ET.Element, clean: ET.Element) -> None:
    """Its own proportions, and no size of its own: the page gives it one."""
    box = _BOX.fullmatch(root.get("viewBox", ""))
    if box is None:
        sides = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
        if None in sides:
            raise _refused("the SVG has neither a viewBox nor a width and a height.")
        numbers = [_number(side.group(1)) for side in sides if side is not None]
        clean.set("viewBox", f"0 0 {numbers[0]:g} {numbers[1]:g}")
    else:
        numbers = [_number(box.group(3)), _number(box.group(4))]
    _in_proportion(*numbers)
    longest = 100 / max(numbers)
    clean.set("width", f"{numbers[0] * longest:.2f}")
    clean.set("height", f"{numbers[1] * longest:.2f}")
    for name in ("x", "y", "transform"):
        clean.attrib.pop(name, None)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise _refused("the SVG's size is no number.") from error


def _in_proportion(width: float, height: float) -> None:
    if not (width > 0 and height > 0 and max(width / height, height / width) <= MAX_ASPECT):
        raise _refused(f"one side is more than {MAX_ASPECT} times the other, or nothing at all.")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
