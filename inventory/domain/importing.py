"""What becomes of a row of a table from elsewhere. Pure.

A row never overwrites anything. It declares a device that nobody knew, declares one that an agent has seen already, agrees with
what is known, or is refused with every reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .import_fields import Field, problem, squeezed
from .import_mapping import Row
from .import_outcomes import Outcome, Verdict


@dataclass(frozen=True, kw_only=True)
class Known:
    """A device of the inventory that a row may be about."""

    device: str
    asset_tag: str | None
    declared: bool
    gone: bool
    """Final: released, destroyed, returned."""
    serials: tuple[str, ...]
    """As declared and as observed."""
    models: tuple[str, ...]
    vendors: tuple[str, ...]
    capacities: tuple[int, ...]
    media: tuple[str, ...]


def decide(row: Row, by_tag: Known | None, by_serial: Sequence[Known]) -> Verdict:
    """What becomes of a row, given what is known under its asset tag and under its serial number."""
    if by_tag is not None:
        return _against(row, by_tag)
    same = [one for one in by_serial if _may_be(row, one)]
    if len(same) > 1:
        numbers = ", ".join(one.device for one in same[:5])
        words = f"Serial number {row.serial} fits {numbers}; say in the inventory which of them it is."
        return _refused("ambiguous", Field.SERIAL, words)
    return _by_serial(row, same[0]) if same else Verdict(outcome=Outcome.NEW)


def _by_serial(row: Row, known: Known) -> Verdict:
    if known.declared:
        if row.asset_tag is not None and known.asset_tag != row.asset_tag:
            bears = f"bears the asset tag {known.asset_tag}" if known.asset_tag else "was declared without an asset tag"
            words = f"Serial number {row.serial} is device {known.device}, which {bears}."
            return _refused("other-asset-tag", Field.ASSET_TAG, words)
        return _against(row, known)
    if known.gone:
        return _refused("gone", Field.SERIAL, f"Serial number {row.serial} is device {known.device}, which left us.")
    return Verdict(outcome=Outcome.ADOPT, device=known.device)


def _may_be(row: Row, known: Known) -> bool:
    """The same serial number, and no other model."""
    if row.serial is None or squeezed(row.serial) not in {squeezed(one) for one in known.serials}:
        return False
    models = {squeezed(one) for one in known.models}
    return row.model is None or not models or squeezed(row.model) in models


def _against(row: Row, known: Known) -> Verdict:
    """A row about a device that is declared: it agrees, or it is refused; it never overwrites."""
    pairs = (
        (Field.SERIAL, row.serial, known.serials),
        (Field.MODEL, row.model, known.models),
        (Field.VENDOR, row.vendor, known.vendors),
        (Field.MEDIA, row.media, known.media),
    )
    differing = [
        problem(
            "differs", one, f"Device {known.device} has {' and '.join(has) or 'nothing'} here, the row says {said}."
        )
        for one, said, has in pairs
        if said is not None and squeezed(said) not in {squeezed(text) for text in has}
    ]
    if row.capacity_bytes is not None and not any(_near(row.capacity_bytes, has) for has in known.capacities):
        has = " and ".join(str(one) for one in known.capacities) or "nothing"
        words = f"Device {known.device} has {has} bytes here, the row says {row.capacity_bytes}."
        differing.append(problem("differs", Field.CAPACITY, words))
    if differing:
        return Verdict(outcome=Outcome.REFUSED, device=known.device, problems=tuple(differing))
    return Verdict(outcome=Outcome.SAME, device=known.device)


def _near(one: int, other: int) -> bool:
    return abs(one - other) * 100 <= max(one, other)


def _refused(code: str, one: Field, sentence: str) -> Verdict:
    return Verdict(outcome=Outcome.REFUSED, problems=(problem(code, one, sentence),))
