"""The figures about evidence: a log filled for measuring is a log, a bar knows its direction, nothing is left out silently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.evidence import Figure, append, fill, table
from benchmarks.papers import papers
from inventory.clock import SystemClock
from inventory.services.setup import initialise
from inventory.settings import Settings
from reports.tlog import leaf_hash, log_entry, verify_inclusion
from reports.verify import verify


def test_a_filled_log_is_one_that_goes_on_and_proves(tmp_path: Path) -> None:
    context = initialise(Settings(data_dir=tmp_path / "data"), SystemClock())
    try:
        fill(context, 1000)
        append(context, 1)
        with context.writing() as session:
            index = context.ledger.append(session, "acceptance", "ab" * 32, "the last")
        with context.reading() as session:
            checkpoint, _, _ = context.ledger.checkpoint(session)
            proof = context.ledger.inclusion(session, index, checkpoint.size)
        assert checkpoint.size == index + 1 == 1003
        verify_inclusion(leaf_hash(log_entry("acceptance", "ab" * 32)), index, checkpoint.size, proof, checkpoint.root)
    finally:
        context.database.close()


def test_a_proof_reads_each_tile_once(tmp_path: Path) -> None:
    context = initialise(Settings(data_dir=tmp_path / "data"), SystemClock())
    asked: list[tuple[object, ...]] = []

    def note(*told: Any) -> None:  # noqa: ANN401 - what SQLAlchemy tells of a statement
        if "log_tile" in told[2]:
            asked.append(tuple(told[3]))

    try:
        fill(context, 1000)
        sa.event.listen(context.database.engine, "before_cursor_execute", note)
        with context.reading() as session:
            proof = context.ledger.inclusion(session, 999, 1001)
        assert len(proof) > len(asked) == len(set(asked)) > 0
    finally:
        context.database.close()


def test_the_papers_are_real_and_each_has_signatures_of_its_own() -> None:
    made = papers(2)
    assert all(verify(bundle, made.pin).yes for bundle in made.bundles)
    assert made.bundles[0] != made.bundles[1]
    assert [len(checks) for checks in made.signatures] == [9, 9]
    made.check_signatures(1)


@pytest.mark.parametrize(
    ("more", "value", "met"), [(True, 6, True), (True, 5, False), (False, 5, True), (False, 6, False)]
)
def test_a_bar_knows_its_direction(*, more: bool, value: float, met: bool) -> None:
    assert Figure("x", value, "/s", 6 if more else 5, more, "", 0.0).met is met


def test_what_was_not_measured_is_named() -> None:
    text = table([Figure("x", 1, "/s", 2, more_is_better=True, peer="bare", peer_value=4)], ["PostgreSQL: no server"])
    assert "not measured: PostgreSQL: no server" in text
    assert "NOT MET" in text
    assert "0.25" in text
