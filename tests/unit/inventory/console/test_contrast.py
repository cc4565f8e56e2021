"""WCAG 2.2, 1.4.3 and 1.4.11: measured on the tokens themselves, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import inventory.console

TOKENS = (Path(inventory.console.__file__).parent / "static" / "css" / "tokens.css").read_text()
PAIRS = dict(re.findall(r"--([a-z0-9-]+): (light-dark\(#[0-9a-f]{6}, #[0-9a-f]{6}\));", TOKENS))

TEXT_ON = [
    *[
        (ink, ground)
        for ink in ("ink", "ink-2", "ink-3", "accent", "accent-strong")
        for ground in ("page", "surface", "raised", "hover")
    ],
    *[(ink, "sunken") for ink in ("ink", "ink-2")],
    *[(tone, f"{tone}-soft") for tone in ("ok", "warn", "bad", "busy", "residue", "quiet")],
    *[("ink", f"{tone}-soft") for tone in ("ok", "warn", "bad", "busy", "residue", "quiet")],
    *[("ink-2", f"{tone}-soft") for tone in ("ok", "warn", "bad", "busy", "quiet")],
    *[(tone, ground) for tone in ("ok", "warn", "bad") for ground in ("page", "surface")],
    ("accent-strong", "accent-soft"),
    ("ink", "accent-soft"),
    ("ink-2", "accent-soft"),
]
SHAPE_ON = [
    ("control-line", "surface"),
    ("control-line", "page"),
    ("focus", "page"),
    ("focus", "surface"),
    ("accent", "quiet-line"),
]


def colours(name: str) -> tuple[str, str]:
    light, dark = re.findall(r"#[0-9a-f]{6}", PAIRS[name])
    return light, dark


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself_knows_black_on_white() -> None:
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0


@pytest.mark.parametrize(("ink", "ground"), TEXT_ON)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_is_readable_on_its_ground(ink: str, ground: str, theme: int) -> None:
    assert contrast(colours(ink)[theme], colours(ground)[theme]) >= 4.5


@pytest.mark.parametrize(("shape", "ground"), SHAPE_ON)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_controls_stand_out_from_their_ground(shape: str, ground: str, theme: int) -> None:
    assert contrast(colours(shape)[theme], colours(ground)[theme]) >= 3.0


@pytest.mark.parametrize("fill", ["accent-fill", "accent-fill-hover", "bad-fill", "bad-fill-hover"])
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_white_text_is_readable_on_filled_buttons(fill: str, theme: int) -> None:
    assert contrast("#ffffff", colours(fill)[theme]) >= 4.5
