"""The policy in words: why a decision is what it is, and what a new version changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .policy_document import FLOOR, Demand, Policy, case_words
from .vocabulary import Category, Method

_FIELDS: Final[Mapping[str, str]] = {
    "verification": "read-back",
    "canaries": "proof by canaries",
    "approvals": "approvals",
    "approval_roles": "roles of approvers",
    "sampling_percent": "independent sample, percent",
    "witnesses": "witnesses of a destruction",
    "photographs": "photographs of a destruction",
}


def decision_sentence(
    method: Method,
    category: Category,
    data_set: str | None,
    destination: str,
    *,
    known: bool,
    leaves: bool,
    reuse: bool,
    damaged: bool,
) -> str:
    """Why, in one sentence that names the data set and where the medium goes."""
    if damaged:
        return f"{method.capitalize()}, because the medium is damaged and nothing written to it could be trusted."
    held = f"{data_set or 'what it held'} is {category}" if known else f"nobody has said what it held ({category})"
    if leaves:
        where = f"the medium leaves to {destination}" if destination else "the medium leaves our control"
    else:
        where = f"the medium stays ours, at {destination}" if destination else "the medium stays under our control"
    end = "" if reuse else ", not to be used again"
    return f"{method.capitalize()}, because {held} and {where}{end}."


def differences(old: Policy, new: Policy) -> tuple[str, ...]:
    """What changes from one version to another, row by row, in words."""
    lines = [
        f"{case_words(case)}: {old.rows[case].method} -> {new.rows[case].method}"
        for case in FLOOR
        if old.rows[case].method is not new.rows[case].method
    ]
    for field in ("unknown_contents", "damaged", "agent_silent_days"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            lines.append(f"{field.replace('_', ' ')}: {before} -> {after}")
    lines += _demand_differences(old, new)
    lines += [f"{word}: decided now" for word in new.settings if word not in old.settings]
    lines += [f"{word}: conservative again" for word in old.settings if word not in new.settings]
    return tuple(lines)


def _demand_differences(old: Policy, new: Policy) -> list[str]:
    """What orders and destructions need; said once where it changes alike in every row that is concerned."""
    lines: list[str] = []
    for field, label in _FIELDS.items():
        changed = {
            case: (_said(old.rows[case], field), _said(new.rows[case], field))
            for case in FLOOR
            if _concerns(field, old.rows[case], new.rows[case])
        }
        pairs = {pair for pair in changed.values() if pair[0] != pair[1]}
        if len(pairs) == 1 and all(pair in pairs for pair in changed.values()):
            before, after = next(iter(pairs))
            lines.append(f"{label}: {before} -> {after}")
        else:
            lines += [f"{case_words(case)}: {label} {a} -> {b}" for case, (a, b) in changed.items() if a != b]
    for case in FLOOR:
        lines += _technique_differences(case_words(case), old.rows[case], new.rows[case])
    return lines


def _concerns(field: str, old: Demand, new: Demand) -> bool:
    """Whether the field means anything in both rows: what only orders need says nothing where there can be none."""
    return field in {"witnesses", "photographs"} or Method.DESTROY not in {old.method, new.method}


def _said(demand: Demand, field: str) -> str:
    value = getattr(demand, field)
    if isinstance(value, tuple):
        return ", ".join(value) or "any"
    if isinstance(value, bool):
        return "demanded" if value else "not demanded"
    return str(value)


def _technique_differences(where: str, old: Demand, new: Demand) -> list[str]:
    before, after = old.techniques or {}, new.techniques or {}
    return [
        f"{where}, {media}: techniques {_listed(before.get(media))} -> {_listed(after.get(media))}"
        for media in dict.fromkeys([*before, *after])
        if before.get(media) != after.get(media)
    ]


def _listed(names: tuple[str, ...] | None) -> str:
    if names is None:
        return "all that reach it"
    return ", ".join(names) or "none"
