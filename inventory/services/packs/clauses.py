"""What clauses ask, which part of a pack answers, and what is left to people. Lists; never judges whether a clause is met."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal

PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "devices": ("Devices, each accounted for or named as an exception", "tables/devices.csv"),
    "documents": ("Certificates of sanitization", "tables/documents.csv"),
    "unsuccessful": ("Reports of unsuccessful runs", "tables/documents.csv"),
    "destructions": ("Physical destructions", "tables/destructions.csv"),
    "statements": ("Statements of erasure and of processors", "tables/statements.csv"),
    "custody": ("Custody and life of each device", "tables/history.csv"),
    "records": ("Records of runs with verdict and validation", "tables/records.csv"),
    "exceptions": ("Exceptions", "tables/exceptions.csv"),
    "sampling": ("Sample for an independent check", "sampling.jsonl"),
    "policies": ("Policies and their versions", "tables/policies.csv"),
    "rosters": ("Rosters of approvers", "log/rosters.jsonl"),
    "keys": ("Key events", "log/key-events.jsonl"),
    "corrections": ("Corrections of documents", "log/corrections.jsonl"),
    "agents": ("Agents that made the records", "tables/agents.csv"),
    "vendors": ("Vendors and their undertakings", "tables/undertakings.csv"),
    "holds": ("Holds", "tables/holds.csv"),
    "lots": ("Closings of lots", "log/lot-closings.jsonl"),
    "handovers": ("Hand-overs, as both sides signed them off", "log/hand-overs.jsonl"),
    "samples": ("Samples drawn from lots, with what was found", "tables/samples.csv"),
    "readings": ("Media read again later", "log/readings.jsonl"),
    "balances": ("Closed balances", "tables/balances.csv"),
    "places": ("Places", "tables/places.csv"),
}
"""Part of a pack -> what it is, and where it stands."""

Checked = Literal["text", "summary"]
CHECKED_WORDS: Final[Mapping[str, str]] = {
    "text": "The clause's wording was compared.",
    "summary": "Known from public summaries only: compare with the text you hold.",
}


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One clause of one standard."""

    standard: str
    title: str
    checked: Checked
    clause: str
    asks: str
    evidence: tuple[str, ...]
    gap: str
    """What no program can answer; empty where nothing is known to be left."""
    who: str
    """Who must answer it."""


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """A clause held against one pack."""

    clause: Clause
    found: tuple[tuple[str, int], ...]
    """Part and how much of it the pack holds, where it holds any."""
    absent: tuple[str, ...]
    """Parts that would answer and of which this pack holds nothing."""


@cache
def clauses() -> tuple[Clause, ...]:
    """Every clause, in the order of the list."""
    content = tomllib.loads((files(__package__) / "clauses.toml").read_text(encoding="utf-8"))
    return tuple(
        Clause(
            standard=standard["id"],
            title=standard["title"],
            checked=standard["checked"],
            clause=one["clause"],
            asks=one["asks"],
            evidence=tuple(one["evidence"]),
            gap=one["gap"],
            who=one["who"],
        )
        for standard in content["standard"]
        for one in standard["clause"]
    )


def hold_against(counts: Mapping[str, int]) -> tuple[Mapped, ...]:
    """Every clause with what this pack holds for it, and what it does not."""
    return tuple(
        Mapped(
            clause=clause,
            found=tuple((part, counts[part]) for part in clause.evidence if counts.get(part)),
            absent=tuple(part for part in clause.evidence if not counts.get(part)),
        )
        for clause in clauses()
    )
