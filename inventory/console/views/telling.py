"""What a person is told of an event's details, beside its title.

The history keeps details for programs as well: which state led to which, tokens, digests, numbers of rows. What the title says
already, and what only a program asks for, is left out here; nothing is left out of the history itself, nor of its exports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from inventory.console import formatting
from inventory.console.language.speaking import sentence_case, size, utc, words
from inventory.domain.exceptions import TITLES, ExceptionCode
from inventory.domain.vocabulary import HoldingSource, ObligationKind
from inventory.events import Tag
from inventory.services.views import EventView

from .signed import in_own_language

Names = Callable[[str], str]
"""A pseudonym, or a number of ours -> what this reader calls it; whatever has no name comes back."""

UNTOLD: Final = frozenset(
    {
        "closing", "code", "container", "counting", "event", "from", "handover", "lease", "link", "obligation", "reference",
        "scope", "sha256", "to", "token", "undertaking",
    }
)  # fmt: skip
"""Said by the title, by the reason, or by a link beside them; or asked for by programs alone."""
_ONLY: Final[Mapping[Tag, tuple[str, ...]]] = {
    Tag.BALANCE_DRAWN: ("differences", "open"),
    Tag.BALANCE_CLOSED: ("differences",),
    Tag.CERTIFICATE_ISSUED: (),
    Tag.DEVICE_BOUND: ("asset_tag", "how"),
    Tag.ESCROW_DEPOSITED: (),
    Tag.ESCROW_RELEASED: (),
    Tag.ESCROW_REVEALED: (),
    Tag.RECORD_VALIDATED: (),
    Tag.EXCEPTION_ASSIGNED: ("owner",),
    Tag.EXCEPTION_RESOLVED: ("code",),
}
"""Events of which only these details are told."""
CALLED: Final[Mapping[str, str]] = {
    "bytes": "Size",
    "coverage": "Read back",
    "custody": "Signed statement about this step",
    "location": "Place",
    "number": "Bundle",
    "owner": "Answers for it",
    "slot": "Bay",
    "tags": "Events",
}
"""Details that are called otherwise than by their name."""
_ALONE: Final = frozenset({"code", "explanation", "label", "outcome", "source", "way"})
"""Details whose value needs no name before it."""
_OURS: Final = frozenset({"explanation", "label"})
_WORDS: Final = frozenset(
    {
        "action", "answer", "category", "category_before", "coverage", "decision", "encryption", "finding", "kind", "method",
        "outcome", "purpose", "required_method", "role", "state", "subject", "way", "zone",
    }
)  # fmt: skip
"""Details whose value is a word of our vocabulary; every other value is somebody's, and stands as it is."""
_OWED: Final[Mapping[str, str]] = {
    ObligationKind.LOGICAL_DELETION: "Rows deleted",
    ObligationKind.BACKUP_GONE: "Backup expired or destroyed",
    ObligationKind.MEDIUM_SANITIZED: "Medium sanitized",
}
KNOWN_FROM: Final[Mapping[str, str]] = {
    HoldingSource.RESOLVED: "found by the agent",
    HoldingSource.DECLARED: "stated by a person",
    HoldingSource.INHERITED: "concluded from where the medium was",
}
"""How a holding came to be known."""
_PHRASES: Final[Mapping[str, Mapping[str, str]]] = {
    "names": {"full": "In full", "pseudonyms": "By reference only"},
    "source": KNOWN_FROM,
}
"""Details whose words are said by a phrase, as their own pages say it."""
_WORDED_BY_US: Final = frozenset(
    {Tag.AUDIT_PACK_REQUESTED, Tag.AUDIT_PACK_BEGUN, Tag.AUDIT_PACK_EXPORTED, Tag.BALANCE_DRAWN}
)
"""Acts of people that name their scope in our words instead of a reason."""
_OBLIGATIONS: Final = frozenset({Tag.CASE_OBLIGATION_ADDED, Tag.CASE_OBLIGATION_CLOSED})
_PLACED: Final = frozenset({"location", "party"})
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")
_NUMBER: Final = re.compile(r"p-[a-z0-9]+|[A-Z]{1,2}-(?:\d{4}-)?\d+")


def numbers(event: EventView) -> set[str]:
    """The numbers an event names, for whoever looks up what they are called."""
    named = (event.actor, event.subject, event.host, event.device, *event.details.values())
    return {value for value in named if isinstance(value, str) and _NUMBER.fullmatch(value)}


def told(event: EventView, names: Names) -> str:
    """Why, and the details; nothing where the title says it all."""
    parts = [_reason(event).rstrip("."), "; ".join(_details(event, names))]
    if event.tag == Tag.EXCEPTION_RESOLVED:
        parts.reverse()  # which one, then how it ended
    return ". ".join(part for part in parts if part)


def _reason(event: EventView) -> str:
    """A sentence of ours where no person acted; what a person wrote stands as it is.

    What an approver signed is long, the same for each of them, and a link below.
    """
    if event.tag == Tag.ORDER_APPROVAL_GIVEN:
        return ""
    if event.tag == Tag.PAPER_SIGNED:
        return in_own_language(event.reason) or event.reason
    ours = not event.actor.startswith("p-") or event.tag in _WORDED_BY_US
    return words(event.reason) if ours else event.reason


def _details(event: EventView, names: Names) -> list[str]:
    if event.tag in _OBLIGATIONS:
        return [words(_OWED[event.details["kind"]])]
    return [_detail(name, value, names) for name, value in event.details.items() if _is_told(event, name, value)]


def _is_told(event: EventView, name: str, value: object) -> bool:
    """Whether a person is told it: one plain value that is no evidence, for its proof is a link below."""
    if value in ("", *event.evidence) or isinstance(value, bool) or not isinstance(value, (str, int)):
        return False
    if event.tag in _ONLY:
        return name in _ONLY[Tag(event.tag)]
    return name not in UNTOLD and not (name in _PLACED and _stays(name, event.details))


def _stays(name: str, details: Mapping[str, Any]) -> bool:
    """Whether the event changed nothing about it."""
    before = details.get("before")
    return isinstance(before, Mapping) and before.get(name, details[name]) == details[name]


def _detail(name: str, value: str | int, names: Names) -> str:
    said = _said(name, value, names)
    return said if name in _ALONE else f"{words(CALLED.get(name) or formatting.sentence_case(name))}: {said}"


def _said(name: str, value: str | int, names: Names) -> str:
    """A value as people read it: words of our vocabulary and a policy's explanation are ours, others stand as they are.

    Whatever has a number is called by the name this reader may know.
    """
    if isinstance(value, int):
        return size(value) if name in {"bytes", "size"} else str(value)
    if name in _WORDS or name in _OURS:
        return words(value) if name in _OURS else sentence_case(value)
    if value in (phrases := _PHRASES.get(name, {})):
        return words(phrases[value])
    if name == "code" and value in set(ExceptionCode):
        return words(TITLES[ExceptionCode(value)])
    return utc(datetime.fromisoformat(value)) if _MOMENT.fullmatch(value) else names(value)
