"""What the service says to an agent under its own signature, so that nobody in between can say it: payloads, nothing else.

    hold-answer   whether anything forbids one write now, to one question
    halt          a host's work is halted, or the halt is lifted

An agent believes these by the keys of its pinned trust root, not by the connection they came over. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from .parts import StrictPart

HOLD_ANSWER: Final = "sanitrail/hold-answer/1"
HALT: Final = "sanitrail/halt/1"

HaltAction = Literal["halt", "lift"]


@dataclass(frozen=True, kw_only=True)
class SignedHoldAnswer(StrictPart):
    """The payload of an envelope of kind `hold-answer`: an answer to one question, good for nothing else."""

    schema: Literal["sanitrail/hold-answer/1"] = HOLD_ANSWER
    order_sha256: str
    """Digest of the order's payload: an answer about one order never opens another."""
    lease: str
    token: int
    nonce: str
    """The question's: an older answer does not fit a later question."""
    clear: bool
    reasons: tuple[str, ...]
    time: str


@dataclass(frozen=True, kw_only=True)
class Halt(StrictPart):
    """The payload of an envelope of kind `halt`: for one agent, in a row of numbers without gaps."""

    schema: Literal["sanitrail/halt/1"] = HALT
    host: str
    agent_key: str
    """Key id of the one agent it is for."""
    number: int
    """Grows with every halt and every lifting of one host: an older one changes nothing."""
    action: HaltAction
    by: str
    """Who asked for it, by pseudonym."""
    reason: str
    time: str
