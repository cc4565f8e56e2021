"""Reading the kernel's tables of mounts and swap areas. Pure: text in, values out."""

from __future__ import annotations

import re

from .facts import Mount, SwapArea

_ESCAPE = re.compile(rb"\\([0-7]{3})")


def unescaped(text: str) -> str:
    """The text with the octal escapes of proc(5) undone (040 is a space); they stand for bytes, not characters."""
    raw = _ESCAPE.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """Every line of /proc/self/mountinfo, in the kernel's order.

    Raises:
        ValueError: a line does not have the fields proc(5) promises; the table is then unknown, not shorter.
    """
    mounts: list[Mount] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        fields = line.split(" ")
        dash = fields.index("-", 6)
        if len(fields) < dash + 4:
            raise ValueError(f"mountinfo line has too few fields: {line!r}")
        mounts.append(
            Mount(
                mount_id=int(fields[0]),
                parent_id=int(fields[1]),
                device_number=fields[2],
                root=unescaped(fields[3]),
                mount_point=unescaped(fields[4]),
                filesystem=fields[dash + 1],
                source=unescaped(fields[dash + 2]),
                options=tuple(unescaped(option) for option in fields[dash + 3].split(",")),
            )
        )
    return tuple(mounts)


def parse_swaps(text: str) -> tuple[SwapArea, ...]:
    """Every line of /proc/swaps; device numbers are added by whoever can look at the nodes.

    Raises:
        ValueError: a line is not as proc(5) promises.
    """
    areas: list[SwapArea] = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 5:
            raise ValueError(f"swaps line has too few fields: {line!r}")
        areas.append(SwapArea(path=unescaped(fields[0]), kind=fields[1], device_number=None))
    return tuple(areas)
