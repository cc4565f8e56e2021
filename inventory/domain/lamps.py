"""Which lamp of a bay shines. Pure. A lamp says no more than the wall: what is not known is dark."""

from __future__ import annotations

from typing import Literal

from .vocabulary import DeviceState

Sign = Literal["pull", "failed"]


def lamp_of(device: DeviceState, *, ordered: bool, held: bool) -> Sign | None:
    """`pull`: sanitized, and a person has validated it. `failed`: it did not succeed. None: leave it where it is.

    Args:
        device: Its state.
        ordered: Whether an order or a verify-only order about it is open.
        held: Whether a hold stands on it.
    """
    if ordered or held:
        return None
    if device is DeviceState.SANITIZED:
        return "pull"
    return "failed" if device is DeviceState.FAILED else None
