"""Between two rounds of upkeep: what is being taken over goes on, and nothing turns round in circles."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory import serving
from inventory.services import upkeep
from inventory.services.context import Context
from tests.support.inventory_world import copied_world


@pytest.mark.parametrize(("further", "asked"), [([2, 1, 0], 3), ([0], 1)])
def test_it_goes_on_as_long_as_something_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, further: list[int], asked: int
) -> None:
    calls: list[float] = []

    def go_on(_context: Context, seconds: float) -> int:
        calls.append(seconds)
        left = further[len(calls) - 1]
        if not left:
            upkeeping._stop.set()
        return left

    with copied_world(tmp_path / "data") as world:
        monkeypatch.setattr(upkeep, "run", lambda _context: None)
        monkeypatch.setattr("inventory.serving.counting.warm", lambda _context: None)
        monkeypatch.setattr("inventory.serving.imports.go_on", go_on)
        upkeeping = serving.Upkeep(world.context, 3600)
        upkeeping._run()
    assert len(calls) == asked
    assert all(0 < seconds <= 60 for seconds in calls)
