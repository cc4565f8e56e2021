"""Which parts of a medium are read back. Pure; the seed goes into the result, so that anybody can repeat the choice.

Representative sampling after SP 800-88 Rev. 1, 4.7.3 (the rule auditors still ask for; Rev. 2, 4.5.1 leaves the amount
open):

* the addressable blocks are divided into at least 1,000 equal subsections (their sizes differ by one block at most);
* in each subsection at least two non-overlapping pseudorandom samples are read, each of at least 5 % of the subsection;
* the first and the last addressable block are read as well.

A medium too small for a 5 % sample of whole blocks in each of 1,000 subsections is read in full, and the result says
full.

Draws: SHA-256 over `seed, 0x00, subsection (8 bytes, big endian), draw (4 bytes, big endian)`; its first eight bytes
as an integer, taken modulo the number of choices, and drawn again while it lies in the uneven remainder.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import ByteRange

SUBSECTIONS = 1000
SAMPLE_PERCENT = 5
SAMPLES_EACH = 2
_SMALLEST_SUBSECTION = 100 // SAMPLE_PERCENT  # blocks, so that 5 % is one whole block


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The regions to read, ascending by start."""

    kind: str
    """full or representative: what will be done, which may be more than what was asked."""
    seed: str | None
    regions: tuple[ByteRange, ...]

    @property
    def total_bytes(self) -> int:
        """Bytes to read."""
        return sum(end - start for start, end in self.regions)

    @property
    def sha256(self) -> str:
        """Digest of the choice: SHA-256 over one ASCII line `start-end` and newline a region."""
        return regions_sha256(self.regions)


def regions_sha256(regions: Iterable[ByteRange]) -> str:
    """SHA-256 over one ASCII line `start-end` and newline a region, in the order given."""
    digest = hashlib.sha256()
    for start, end in regions:
        digest.update(f"{start}-{end}\n".encode("ascii"))
    return digest.hexdigest()


def full(size_bytes: int) -> Selection:
    """All of it, as one region."""
    return Selection(kind="full", seed=None, regions=((0, size_bytes),))


def _draw(seed: bytes, subsection: int, draw: int, choices: int) -> tuple[int, int]:
    """One number below `choices`, evenly drawn, and the next draw's number."""
    limit = (1 << 64) // choices * choices
    while True:
        data = seed + b"\0" + subsection.to_bytes(8, "big") + draw.to_bytes(4, "big")
        draw += 1
        value = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
        if value < limit:
            return value % choices, draw


def representative(size_bytes: int, block_bytes: int, seed: str) -> Selection:
    """The sample of a medium of `size_bytes`, in whole blocks of `block_bytes`.

    Args:
        size_bytes: Addressable size, a whole number of blocks.
        block_bytes: The unit of choice: the logical block.
        seed: Not empty; every run must use another one (Rev. 1, 4.7.3: new locations each time).
    """
    if not seed:
        raise ValueError("a sample needs a seed")
    blocks = size_bytes // block_bytes
    if blocks < SUBSECTIONS * _SMALLEST_SUBSECTION:
        return full(size_bytes)
    raw = seed.encode()
    chosen: list[ByteRange] = [(0, 1), (blocks - 1, blocks)]
    for section in range(SUBSECTIONS):
        start = blocks * section // SUBSECTIONS
        length = blocks * (section + 1) // SUBSECTIONS - start
        sample = -(-length * SAMPLE_PERCENT // 100)
        # Two non-overlapping samples: two positions in what is left when both are cut out, the later one moved on.
        room = length - SAMPLES_EACH * sample + 1
        one, draw = _draw(raw, section, 0, room)
        other, _ = _draw(raw, section, draw, room)
        low, high = min(one, other), max(one, other) + sample
        chosen += [(start + low, start + low + sample), (start + high, start + high + sample)]
    regions = tuple((first * block_bytes, until * block_bytes) for first, until in sorted(chosen))
    return Selection(kind="representative", seed=seed, regions=regions)


def select(verification: str, size_bytes: int, block_bytes: int, seed: str) -> Selection | None:
    """What a plan's verification asks to be read; None for none."""
    if verification == "none":
        return None
    if verification == "representative":
        return representative(size_bytes, block_bytes, seed)
    return full(size_bytes)


def spread(size_bytes: int, block_bytes: int, count: int, seed: str) -> tuple[int, ...]:
    """Offsets of up to `count` distinct whole blocks, ascending: first, last, around powers of two, the rest drawn.

    Powers of two are where a false capacity wraps round.
    """
    blocks = size_bytes // block_bytes
    chosen = {0, blocks - 1}
    power = 1
    while power < blocks and len(chosen) < count:
        chosen.update((power, max(0, power - 1)))
        power *= 2
    draw = 0
    while len(chosen) < min(count, blocks):
        block, draw = _draw(seed.encode() + b"\0spread", 0, draw, blocks)
        chosen.add(block)
    return tuple(sorted(block * block_bytes for block in chosen))


def spread_over(regions: Sequence[ByteRange], block_bytes: int, count: int, seed: str) -> tuple[int, ...]:
    """Offsets of about `count` whole blocks inside these regions, ascending."""
    if len(regions) == 1 and regions[0][0] == 0:
        return spread(regions[0][1], block_bytes, count, seed)
    starts = ((-(-start // block_bytes) * block_bytes, end) for start, end in regions)
    inside = sorted({start for start, end in starts if start + block_bytes <= end})
    return tuple(inside[:: max(1, len(inside) // count)])


def wrap_pairs(size_bytes: int, unit_bytes: int) -> tuple[int, ...]:
    """Offsets among which every wrap of addresses by a whole number of units brings two together.

    Baby steps and giant steps: the first `b` units, every `b`-th unit, and the last `b` units. Any distance `d` is a
    giant step minus a baby step, or one of the last units, so if block `x + d` lands on block `x`, two of these offsets
    collide. About three times the square root of the number of units.
    """
    units = size_bytes // unit_bytes
    step = max(1, math.isqrt(units))
    chosen = {*range(min(step, units)), *range(0, units, step), *range(max(0, units - step), units)}
    return tuple(sorted(unit * unit_bytes for unit in chosen))
