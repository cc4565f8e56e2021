"""What the service states when a balance is closed: an envelope of kind `statement`, a schema of its own.

The second version also signs the sheet itself, one line a device, so that anybody can count it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from .canonical import canonical, sha256_hex
from .errors import UnsupportedSchema
from .parts import StrictPart
from .statements import Organization

BALANCE: Final = "sanitrail/balance/1"
COUNTED: Final = "sanitrail/balance/2"


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


@dataclass(frozen=True, kw_only=True)
class CountedBalance(BalanceStatement):
    """A balance that signs its sheet as well."""

    schema: Literal["sanitrail/balance/2"] = COUNTED  # type: ignore[assignment]  # a version of its own
    devices_sha256: str
    """Of the sheet (`SheetDigest`), as many lines as the count `total` says."""


@dataclass(frozen=True, kw_only=True)
class EarlierStanding(StrictPart):
    """How a device stood when the period began."""

    known: bool
    """On the books, in whatever state."""
    state: str
    """Empty where it was not known."""
    within: bool
    """It belonged to the scope."""


@dataclass(frozen=True, kw_only=True)
class SheetDevice(StrictPart):
    """One line of the sheet: what the books said of a device, from which every number of the balance follows."""

    device: str
    declared: bool
    observed: bool
    attached: bool
    """To any host of the issuer, at the end."""
    placed: bool
    """Somebody said where it is, at the end."""
    proven: bool
    """Of one that is gone for good: evidence stands behind that."""
    state: str
    within: bool
    """It belonged to the scope at the end; of one that is gone for good: when it went."""
    before: EarlierStanding | None
    """None without a period."""


class SheetDigest:
    """SHA-256 over the canonical form of each line and a newline, in the order of the devices' numbers."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, line: SheetDevice) -> bytes:
        """One more line; returns its bytes."""
        written = canonical(line.to_dict()) + b"\n"
        self._hash.update(written)
        return written

    def hexdigest(self) -> str:
        """Of all lines so far."""
        return self._hash.hexdigest()


def balance_from_dict(body: dict[str, object], where: str = "balance") -> BalanceStatement:
    """The statement of a closing, of either version.

    Raises:
        UnsupportedSchema: of neither.
        MalformedDocument: it does not keep to the one it names.
    """
    schema = body.get("schema")
    if schema == COUNTED:
        return CountedBalance.from_dict(body, where)
    if schema == BALANCE:
        return BalanceStatement.from_dict(body, where)
    raise UnsupportedSchema(where, str(schema)[:64])


def digest_of_lines(lines: Iterable[BalanceLine]) -> str:
    """What `differences_sha256` is of."""
    ordered = sorted(lines, key=lambda line: (line.device, line.code, line.exception))
    return sha256_hex(canonical([line.to_dict() for line in ordered]))
