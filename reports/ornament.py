"""The line work of the documents, drawn as SVG: rosette, frame, hatching. Pure; the same input draws the same lines."""

from __future__ import annotations

import itertools
import math

PAGE_WIDTH = 210.0
"""ISO 216 A4, millimetres."""
PAGE_HEIGHT = 297.0


def _closed(points: list[tuple[float, float]]) -> str:
    """A smooth closed path through points (Catmull-Rom as cubic Béziers), so that few points draw a fine curve."""
    around = [points[-1], *points, points[0], points[1]]
    steps = [f"M{points[0][0]:.2f} {points[0][1]:.2f}"]
    for n in range(len(points)):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = around[n : n + 4]
        steps.append(
            f"C{x1 + (x2 - x0) / 6:.2f} {y1 + (y2 - y0) / 6:.2f} "
            f"{x2 - (x3 - x1) / 6:.2f} {y2 - (y3 - y1) / 6:.2f} {x2:.2f} {y2:.2f}"
        )
    return "".join(steps) + "Z"


def _ring(radius: float, swing: float, petals: int, phase: float, center: float) -> str:
    """One closed wave around a circle."""
    count = petals * 4
    points = []
    for n in range(count):
        angle = 2 * math.pi * n / count
        reach = radius + swing * math.cos(petals * angle + phase)
        points.append((center + reach * math.cos(angle), center + reach * math.sin(angle)))
    return _closed(points)


def rosette(color: str, *, line: float = 0.22) -> str:
    """A guilloche rosette in a box of 100 units: interlaced waves around rings, like the tracks of a platter."""
    rings = []
    for radius, swing, petals, strands in ((40.0, 8.0, 24, 6), (27.0, 6.5, 18, 6), (15.5, 5.0, 12, 4)):
        rings += [_ring(radius, swing, petals, 2 * math.pi * n / strands, 50.0) for n in range(strands)]
    waves = "".join(f'<path d="{ring}"/>' for ring in rings)
    circles = "".join(f'<circle cx="50" cy="50" r="{radius}"/>' for radius in (49.2, 48.6, 9.2))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<g fill="none" stroke="{color}" stroke-width="{line}">{waves}</g>'
        f'<g fill="none" stroke="{color}" stroke-width="{line * 2}">{circles}</g></svg>'
    )


def _strand(origin: tuple[float, float], length: float, waves: int, swing: float, *, up: bool, upright: bool) -> str:
    """A wave along the page from its crest or trough, one cubic Bézier each half wave."""
    half = length / waves / 2
    bend = half * 0.3642  # the handle that follows a half cosine best
    side = swing if up else -swing

    def at(along: float, aside: float) -> str:
        x, y = (aside, along) if upright else (along, aside)
        return f"{origin[0] + x:.2f} {origin[1] + y:.2f}"

    steps = ["M" + at(0.0, side)]
    for n in range(waves * 2):
        start, end = half * n, half * (n + 1)
        steps.append(f"C{at(start + bend, side)} {at(end - bend, -side)} {at(end, -side)}")
        side = -side
    return "".join(steps)


def frame(color: str, accent: str, *, inset: float = 8.0, band: float = 5.0) -> str:
    """A page-sized frame: a guilloche band between hairlines, rosettes in the corners. Units are millimetres."""
    left, top, right, bottom = inset, inset, PAGE_WIDTH - inset, PAGE_HEIGHT - inset
    corner = band * 1.5
    across, down = right - left - 2 * corner, bottom - top - 2 * corner
    strands: list[str] = []
    for swing, up in itertools.product((0.37, 0.26, 0.15), (True, False)):
        across_page = [(left + corner, level) for level in (top + band / 2, bottom - band / 2)]
        down_page = [(level, top + corner) for level in (left + band / 2, right - band / 2)]
        strands += [_strand(start, across, 34, band * swing, up=up, upright=False) for start in across_page]
        strands += [_strand(start, down, 51, band * swing, up=up, upright=True) for start in down_page]
    waves_drawn = "".join(f'<path d="{strand}"/>' for strand in strands)
    lines = "".join(
        f'<rect x="{left + d:.2f}" y="{top + d:.2f}" width="{right - left - 2 * d:.2f}" height="{bottom - top - 2 * d:.2f}" '
        f'stroke-width="{width}"/>'
        for d, width in ((0.0, 0.35), (0.9, 0.1), (band - 0.9, 0.1), (band, 0.35))
    )
    corners = "".join(
        f'<g transform="translate({x - corner / 2 - 0.6:.2f} {y - corner / 2 - 0.6:.2f}) scale({(corner + 1.2) / 100:.4f})">'
        f'<circle cx="50" cy="50" r="52" fill="#ffffff" stroke="none"/>{_small_rosette()}</g>'
        for x in (left + band / 2 + 0.4, right - band / 2 - 0.4)
        for y in (top + band / 2 + 0.4, bottom - band / 2 - 0.4)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 {PAGE_WIDTH:.0f} {PAGE_HEIGHT:.0f}">'
        f'<g fill="none" stroke="{color}">{lines}</g>'
        f'<g fill="none" stroke="{accent}" stroke-width="0.12">{waves_drawn}</g>'
        f'<g fill="none" stroke="{color}" stroke-width="1.3">{corners}</g></svg>'
    )


def _small_rosette() -> str:
    rings = [_ring(34.0, 13.0, 12, phase, 50.0) for phase in (0.0, math.pi / 2, math.pi, 3 * math.pi / 2)]
    return (
        "".join(f'<path d="{ring}"/>' for ring in rings)
        + '<circle cx="50" cy="50" r="49"/><circle cx="50" cy="50" r="17"/>'
    )


def plain_frame(color: str, *, inset: float = 8.0) -> str:
    """The following pages' frame: two hairlines. Units are millimetres."""
    lines = "".join(
        f'<rect x="{inset + d}" y="{inset + d}" width="{PAGE_WIDTH - 2 * (inset + d)}" height="{PAGE_HEIGHT - 2 * (inset + d)}" '
        f'stroke-width="{width}"/>'
        for d, width in ((0.0, 0.35), (0.9, 0.1))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 {PAGE_WIDTH:.0f} {PAGE_HEIGHT:.0f}">'
        f'<g fill="none" stroke="{color}">{lines}</g></svg>'
    )


def hatching(color: str) -> str:
    """A page-wide strip of diagonal stripes: nothing a certificate ever has."""
    stripes = "".join(f'<path d="M{x} 6L{x + 6} 0H{x + 10}L{x + 4} 6Z"/>' for x in range(-8, 212, 8))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="6mm" viewBox="0 0 210 6">'
        f'<g fill="{color}">{stripes}</g></svg>'
    )


def mark(color: str) -> str:
    """The small mark beside the issuer: a platter with its centre cut clean, in a box of 24 units."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
        f'<g fill="none" stroke="{color}" stroke-width="1.1"><circle cx="12" cy="12" r="10.6"/><circle cx="12" cy="12" r="7.4"/>'
        f'<circle cx="12" cy="12" r="2.2"/></g><path d="M12 12 21.4 7" stroke="{color}" stroke-width="1.1"/></svg>'
    )
