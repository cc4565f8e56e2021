"""Draws docs/architecture.svg from the code itself: four packages, their rooms, and who imports whom.

Rooms are modules or sub-packages one level below a package, in the order of their dependencies; an arrow between packages stands
for at least one import. Measured from the syntax tree, so the picture cannot drift from the code.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "agents": ("host daemon: finds, obeys, signs, loses nothing", 0, 0),
    "inventory": ("service: what is owned, where, what it holds, what may leave", 1, 0),
    "sanitizer": ("engine: identify, plan, clear, sanitize, verify", 0, 1),
    "reports": ("evidence: record, log, verdict, certificate, verifier", 1, 1),
}
WIDTH, GAP, COLUMNS = 660, 110, 5
ROOM_W, ROOM_H = 118, 40


def _imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def _room(dotted: str) -> tuple[str, str] | None:
    """(package, room) of a dotted name of ours, or None."""
    parts = dotted.split(".")
    if parts[0] not in PACKAGES:
        return None
    return parts[0], parts[1] if len(parts) > 1 else "__init__"


def measure() -> tuple[dict[tuple[str, str], int], set[tuple[tuple[str, str], tuple[str, str]]]]:
    """Lines of each room, and the imports between rooms."""
    lines: dict[tuple[str, str], int] = {}
    arrows: set[tuple[tuple[str, str], tuple[str, str]]] = set()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            inner = path.relative_to(ROOT / package).parts
            if "versions" in inner:
                continue
            room = (package, inner[0].removesuffix(".py"))
            lines[room] = lines.get(room, 0) + len(path.read_text(encoding="utf-8").splitlines())
            arrows |= {(room, target) for name in _imports(path) if (target := _room(name)) and target != room}
    return {room: n for room, n in lines.items() if room[1] not in {"__init__", "__main__"}}, arrows


def _depths(package: str, rooms: list[str], arrows: set[tuple[tuple[str, str], tuple[str, str]]]) -> dict[str, int]:
    below = {room: {b for (p, a), (q, b) in arrows if p == q == package and a == room and b in rooms} for room in rooms}
    depth = dict.fromkeys(rooms, 0)
    for _ in rooms:  # longest path, bounded: a circle cannot loop for ever
        for room in rooms:
            depth[room] = min(len(rooms), max((depth[b] + 1 for b in below[room]), default=0))
    return depth


def draw() -> str:
    """The picture as SVG text."""
    lines, arrows = measure()
    most = max(sum(1 for p, _ in lines if p == package) for package in PACKAGES)
    tall = 90 + -(-most // COLUMNS) * (ROOM_H + 8)
    body = []
    for package, (words, column, row) in PACKAGES.items():
        x, y = 20 + column * (WIDTH + GAP), 20 + row * (tall + GAP)
        rooms = [room for (p, room) in lines if p == package]
        depth = _depths(package, rooms, arrows)
        total = sum(n for (p, _), n in lines.items() if p == package)
        body.append(f'<rect class="package" x="{x}" y="{y}" width="{WIDTH}" height="{tall}" rx="14"/>')
        body.append(f'<text class="name" x="{x + 20}" y="{y + 34}">{package}</text>')
        body.append(f'<text class="words" x="{x + 20}" y="{y + 56}">{escape(words)} · {total:,} lines</text>')
        for place, room in enumerate(sorted(rooms, key=lambda r: (-depth[r], r))):
            rx, ry = x + 16 + place % COLUMNS * (ROOM_W + 8), y + 74 + place // COLUMNS * (ROOM_H + 8)
            body.append(f'<rect class="room" x="{rx}" y="{ry}" width="{ROOM_W}" height="{ROOM_H}" rx="7"/>')
            body.append(f'<text class="room-name" x="{rx + 10}" y="{ry + 18}">{room}</text>')
            body.append(f'<text class="lines" x="{rx + 10}" y="{ry + 32}">{lines[package, room]:,} lines</text>')
    for source, target in sorted({(a[0], b[0]) for a, b in arrows if a[0] != b[0]}):
        body.append(
            _arrow(source, target, tall, "contract only" if (source, target) == ("agents", "inventory") else "")
        )
    width, height = 40 + 2 * WIDTH + GAP, 40 + 2 * tall + GAP
    return _SVG.format(width=width, height=height, body="\n".join(body))


def _arrow(source: str, target: str, tall: int, label: str) -> str:
    (_, c1, r1), (_, c2, r2) = PACKAGES[source], PACKAGES[target]
    middle_x, middle_y = 20 + WIDTH // 2, 20 + tall // 2
    step_x, step_y = WIDTH + GAP, tall + GAP
    if r1 == r2:
        y = middle_y + r1 * step_y
        ends = (20 + WIDTH + 8, y, 20 + step_x - 10, y)
    elif c1 == c2:
        x = middle_x + c1 * step_x
        ends = (x, 20 + tall + 8, x, 20 + step_y - 10)
    else:
        ends = (20 + WIDTH - 30, 20 + tall + 8, 20 + step_x + 30, 20 + step_y - 10)
    x1, y1, x2, y2 = ends
    text = (
        f'<text class="label" x="{(x1 + x2) // 2}" y="{y1 - 10}" text-anchor="middle">{label}</text>' if label else ""
    )
    return f'<line class="arrow" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" marker-end="url(#head)"/>{text}'


_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
aria-label="Packages of Sanitrail and their imports">
<defs><marker id="head" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse">
<path d="M0 0 10 5 0 10z" fill="#0f766e"/></marker></defs>
<style>
text{{font-family:system-ui,-apple-system,"Segoe UI",sans-serif;fill:#0f172a}}
.page{{fill:#ffffff}} .package{{fill:#f1f5f9;stroke:#cbd5e1}} .room{{fill:#ffffff;stroke:#cbd5e1}}
.name{{font-size:22px;font-weight:650}} .words{{font-size:13px;fill:#475569}} .room-name{{font-size:12px;font-weight:550}}
.lines{{font-size:10.5px;fill:#64748b}} .arrow{{stroke:#0f766e;stroke-width:3}} .label{{font-size:11px;fill:#0f766e}}
</style>
<rect class="page" width="{width}" height="{height}"/>
{body}
</svg>
"""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw(), encoding="utf-8")
