"""What the service states when a balance is closed: an envelope of kind `statement`, a schema of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from .canonical import canonical, sha256_hex
from .parts import StrictPart
from .statements import Organization

BALANCE: Final = "sanitrail/balance/1"


@dataclass(frozen=True, kw_only=True)
class BalanceCount(StrictPart):
    """One number of the sheet."""

    name: str
    devices: int


@dataclass(frozen=True, kw_only=True)
class BalanceLine(StrictPart):
    """A difference that a person has answered."""

    device: str
    code: str
    exception: str
    """Number of the exception that was raised about it and resolved."""


@dataclass(frozen=True, kw_only=True)
class BalanceStatement(StrictPart):
    """A balance was closed: what was counted, and that each difference had its answer."""

    schema: Literal["sanitrail/balance/1"] = BALANCE
    number: str
    organization: Organization
    scope: str
    """host, lot, place, site or everything."""
    reference: str
    words: str
    begin: str
    """Empty without a period."""
    end: str
    """Not included."""
    counts: tuple[BalanceCount, ...]
    differences: int
    """All of them answered."""
    differences_sha256: str
    """Of the canonical list of `BalanceLine`, in the order of device and code."""
    closed_by: str
    """Pseudonym."""
    reason: str
    time: str


def digest_of_lines(lines: Iterable[BalanceLine]) -> str:
    """What `differences_sha256` is of."""
    ordered = sorted(lines, key=lambda line: (line.device, line.code, line.exception))
    return sha256_hex(canonical([line.to_dict() for line in ordered]))
