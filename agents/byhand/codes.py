"""Bundles as codes: on a terminal, as pictures, and read back from files, texts and pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import segno

from agents.durable import read_file
from agents.errors import BundleRefused
from reports.canonical import parse_strict
from reports.errors import MalformedDocument
from reports.numbered import PART_BYTES, Row, is_part, numbers, parts_of, split_texts

_LARGEST_FILE = 8 << 20
_SMALLEST_PART = 40
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
_QUIET = 4
"""Modules of empty space around a code (ISO/IEC 18004, 9.1)."""


class NoPictureReader(BundleRefused):
    """Pictures cannot be read here: the decoder is not installed."""

    code = "no-picture-reader"
    sentence = "Codes in pictures cannot be read on this host."
    fault = "nobody: the reader is an extra"
    advice = "Install the extra `scan` of the package, or scan with the console and carry the file."


def read_files(paths: Sequence[Path]) -> dict[str, Any]:
    """The envelope in a file, or in the parts that several files hold together, in any order.

    Raises:
        BundleRefused: Not a bundle, or parts are missing; it names them.
    """
    row = Row()
    for path in paths:
        found = _texts(path)
        if isinstance(found, dict):
            if len(paths) > 1:
                raise BundleRefused(f"{path} is a whole bundle; take in one at a time.")
            return found
        for text in found:
            try:
                row.add(text)
            except MalformedDocument as error:
                raise BundleRefused(f"{path}: {error.problem}") from error
    if not row.complete:
        of = f"of {row.of}: missing {numbers(row.missing)}" if row.of else "none was found"
        raise BundleRefused(f"Parts {of}.")
    try:
        return row.envelope()
    except MalformedDocument as error:
        raise BundleRefused(error.problem) from error


def write_file(path: Path, envelope: Mapping[str, Any]) -> None:
    """A bundle as a file. Raises `OSError`; a file that is there is replaced only whole."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(json.dumps(envelope, sort_keys=True, indent=1) + "\n", "utf-8")
    temporary.replace(path)


def pictures(envelope: Mapping[str, Any]) -> list[bytes]:
    """PNG pictures, one a part."""
    found = []
    for part in parts_of(envelope):
        out = io.BytesIO()
        _code(part).save(out, kind="png", scale=6, border=_QUIET)
        found.append(out.getvalue())
    return found


def on_terminal(envelope: Mapping[str, Any], columns: int, rows: int) -> list[str]:
    """Texts that show the codes on a terminal of this size, one a part.

    Raises:
        BundleRefused: It is too small for any code.
    """
    room = min(columns, 2 * (rows - 3)) - 2 * _QUIET
    size = PART_BYTES
    while size >= _SMALLEST_PART:
        try:
            codes = [_code(part) for part in parts_of(envelope, size)]
        except MalformedDocument:
            break
        if max(code.symbol_size(border=0)[0] for code in codes) <= room:
            return [_drawn(code) for code in codes]
        size = size * 3 // 4
    raise BundleRefused(f"A terminal of {columns} by {rows} is too small for codes; write pictures or a file.")


def _code(text: str) -> Any:  # noqa: ANN401 - segno has no types
    return segno.make(text, error="m", micro=False, boost_error=False)


def _drawn(code: Any) -> str:  # noqa: ANN401 - segno has no types
    out = io.StringIO()
    code.terminal(out, border=_QUIET, compact=True)
    return out.getvalue()


def _texts(path: Path) -> dict[str, Any] | tuple[str, ...]:
    if path.suffix.lower() in _PICTURES:
        return tuple(_in_picture(path))
    try:
        content = read_file(path, _LARGEST_FILE)
    except ValueError as error:
        raise BundleRefused(f"{path}: {error}") from error
    if content.lstrip()[:1] == b"{":
        try:
            document = parse_strict(content, "bundle", max_bytes=_LARGEST_FILE)
        except MalformedDocument as error:
            raise BundleRefused(f"{path}: {error.problem}") from error
        return dict(document)
    try:
        return split_texts(content.decode("ascii"))
    except UnicodeDecodeError:
        raise BundleRefused(f"{path} is neither a bundle nor a list of parts.") from None


def _in_picture(path: Path) -> Iterable[str]:
    try:
        import zxingcpp  # noqa: PLC0415 - an extra
        from PIL import Image  # noqa: PLC0415 - comes with it
    except ImportError:
        raise NoPictureReader(str(path)) from None
    try:
        with Image.open(path) as picture:
            # Of this one kind: in the noise of a code a reader may see the bars of a shop's article number.
            found = zxingcpp.read_barcodes(
                picture.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
            )
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise BundleRefused(f"{path}: {error}") from error
    if not found:
        raise BundleRefused(f"{path}: no code was found in this picture; take it again, sharper and straight on.")
    # A photograph of a bench shows labels of devices too; they are codes, and no parts.
    texts = [one.text for one in found if is_part(one.text)]
    if not texts:
        raise BundleRefused(f"{path}: the code in this picture is no part of a bundle.")
    return texts
