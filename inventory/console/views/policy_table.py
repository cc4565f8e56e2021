"""The policy's table as a form: twelve rows to choose in, and the document they make. Pure; what is allowed the domain checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from inventory.console.forms import Form
from inventory.domain.policy import FLOOR, Case, case_words
from inventory.domain.vocabulary import Method

_METHODS: Final = (Method.CLEAR, Method.PURGE, Method.DESTROY)
_FIRST: Final = {
    "verification": "full",
    "canaries": False,
    "approvals": 2,
    "approval_roles": [],
    "sampling_percent": 0,
    "witnesses": 1,
    "photographs": 1,
}
"""What a row begins with where the row before it asked for none of it."""


@dataclass(frozen=True)
class EditedRow:
    """One case, and what may be asked for in it."""

    key: str
    """In the names of its fields."""
    words: str
    methods: tuple[str, ...]
    """From the least the decision flow asks for upwards."""
    floor: str


def rows() -> tuple[EditedRow, ...]:
    """The twelve cases in the order of the table."""
    return tuple(
        EditedRow(_key(case), case_words(case), tuple(str(one) for one in _at_least(floor)), str(floor))
        for case, floor in FLOOR.items()
    )


def _at_least(floor: Method) -> Sequence[Method]:
    return _METHODS[_METHODS.index(floor) :]


def _key(case: Case) -> str:
    return f"{case[0]}-{int(case[1])}{int(case[2])}"


def fill(form: Form, document: Mapping[str, Any]) -> None:
    """Put a document of the second schema into the fields."""
    for name in ("unknown_contents", "damaged", "agent_silent_days"):
        form.values.setdefault(name, str(document[name]))
    for row in document["rows"]:
        key = _key((row["category"], row["reuse"], row["leaves_control"]))
        for name, first in _FIRST.items():
            if name == "approval_roles":
                continue
            value = row.get(name, first)
            if name != "canaries":
                form.values.setdefault(f"{key}.{name}", str(value))
            elif value:
                form.values.setdefault(f"{key}.{name}", "yes")
        form.values.setdefault(f"{key}.method", str(row["method"]))


def document_of(form: Form, base: Mapping[str, Any]) -> dict[str, Any]:
    """The document the fields say; techniques, roles of approvers and settings stay as the base has them.

    What is no number is left for the domain to refuse, with the field it belongs to.
    """
    made = {name: value for name, value in base.items() if name != "rows"}
    for name in ("unknown_contents", "damaged"):
        made[name] = form.value(name)
    made["agent_silent_days"] = _number(form.value("agent_silent_days"))
    before = {(row["category"], row["reuse"], row["leaves_control"]): row for row in base["rows"]}
    made["rows"] = [_row(form, case, before[str(case[0]), case[1], case[2]]) for case in FLOOR]
    return made


def _row(form: Form, case: Case, before: Mapping[str, Any]) -> dict[str, Any]:
    key, method = _key(case), form.value(f"{_key(case)}.method")
    row: dict[str, Any] = {
        "category": str(case[0]),
        "reuse": case[1],
        "leaves_control": case[2],
        "method": method,
        "witnesses": _number(form.value(f"{key}.witnesses")),
        "photographs": _number(form.value(f"{key}.photographs")),
    }
    if method == Method.DESTROY:
        return row
    row |= {
        "verification": form.value(f"{key}.verification"),
        "canaries": form.has(f"{key}.canaries", "yes"),
        "approvals": _number(form.value(f"{key}.approvals")),
        "approval_roles": list(before.get("approval_roles", [])),
        "sampling_percent": _number(form.value(f"{key}.sampling_percent")),
    }
    if before.get("method") == method and "techniques" in before:
        row["techniques"] = before["techniques"]
    return row


def _number(text: str) -> int | str:
    trimmed = text.strip()
    return int(trimmed) if trimmed.isascii() and trimmed.isdigit() and len(trimmed) < 7 else trimmed
