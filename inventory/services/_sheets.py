"""The sheet behind a closed balance: written while it is counted, read again as the file that anybody can count from."""

from __future__ import annotations

import zlib
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.balance import Item
from inventory.errors import Conflict
from inventory.models import Balance, BalanceLine, BalanceSheet
from reports.balance import BalanceLine as SignedLine
from reports.balance import EarlierStanding, SheetDevice, SheetDigest
from reports.bundle import Logged, logged
from reports.canonical import parse_canonical
from reports.files import BalanceFile

from ._anchor import anchor_at
from .context import Context
from .kernel import load_envelope

MOST: Final = 24 * 1024 * 1024
"""Bytes of a sheet that still goes into one file; about 150,000 devices. A longer one is left out, and the verifier says so."""


class SheetWriter:
    """Packs and digests the lines as they are counted, so that no list of them is ever in memory."""

    def __init__(self) -> None:
        self._digest = SheetDigest()
        self._packer = zlib.compressobj(6)
        self._packed = bytearray()
        self.size = 0
        """Bytes before packing."""

    def add(self, item: Item) -> None:
        """One more device of the sheet."""
        written = self._digest.add(line_of(item))
        self.size += len(written)
        self._packed += self._packer.compress(written)

    def packed(self) -> bytes:
        """Every line, deflated. Once, after the last."""
        return bytes(self._packed + self._packer.flush())

    def hexdigest(self) -> str:
        """Of every line so far."""
        return self._digest.hexdigest()


def line_of(item: Item) -> SheetDevice:
    """A device as the sheet has it."""
    before = item.before
    return SheetDevice(
        device=item.device,
        declared=item.declared,
        observed=item.observed,
        attached=item.attached,
        placed=item.placed,
        proven=item.proven,
        state=str(item.after.state),
        within=item.after.within,
        before=None
        if before is None
        else EarlierStanding(
            known=before.known, state="" if before.state is None else str(before.state), within=before.within
        ),
    )


def balance_file(session: Session, context: Context, row: Balance, size: int | None = None) -> BalanceFile:
    """A closed balance as a file, against the state of the log of this size, or the newest.

    Raises:
        Conflict: it is not closed.
    """
    if row.sha256 is None or row.log_index is None:
        raise Conflict(f"Balance {row.id} is not closed; only a closed one is signed.")
    if size is None:
        size = context.ledger.checkpoint(session)[0].size
    before = _before(session, row)

    def item(digest: str | None, index: int | None) -> Logged:
        proof = context.ledger.inclusion(session, int(index or 0), size)
        return logged(load_envelope(session, str(digest)), int(index or 0), proof)

    lines = session.scalars(
        sa.select(BalanceLine).where(BalanceLine.balance_id == row.id, BalanceLine.counting == row.counting)
    )
    signed = [SignedLine(device=one.device, code=one.code, exception=one.exception_id or "") for one in lines]
    return BalanceFile(
        anchor=anchor_at(session, context, size),
        statement=item(row.sha256, row.log_index),
        before=None if before is None else item(before.sha256, before.log_index),
        lines=tuple(sorted(signed, key=lambda one: (one.device, one.code, one.exception))),
        devices=_devices(session, row),
    )


def _before(session: Session, row: Balance) -> Balance | None:
    """The closed balance of the same scope that ended where this one begins."""
    if row.begin is None:
        return None
    return session.scalar(
        sa.select(Balance)
        .where(
            Balance.scope == row.scope,
            Balance.reference == row.reference,
            Balance.end == row.begin,
            Balance.log_index < row.log_index,
        )
        .order_by(Balance.id)
        .limit(1)
    )


def _devices(session: Session, row: Balance) -> tuple[SheetDevice, ...] | None:
    kept = session.get(BalanceSheet, row.id)
    if kept is None or kept.size > MOST:
        return None
    lines = zlib.decompress(kept.packed).splitlines()
    return tuple(SheetDevice.from_dict(parse_canonical(line, "sheet"), "sheet") for line in lines)
