"""What lives as long as a worker process is not looked through for garbage again and again."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from inventory import serving
from inventory.settings import Settings


def test_a_worker_sets_apart_what_it_has_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it listens, and after its templates; else a page waits for a fifth of a second now and then."""
    done: list[str] = []
    frozen, threshold = gc.get_freeze_count(), gc.get_threshold()

    class Opened:
        context = None

    class App:
        extensions = {"sanitrail": Opened()}  # noqa: RUF012 - one test's

    class Upkeep:
        def __init__(self, *_: object) -> None:
            done.append(f"upkeep, {gc.get_freeze_count() > frozen}")

        def start(self) -> None:
            """Nothing to keep up."""

    monkeypatch.setattr("inventory.app.create_app", lambda _settings: App())
    monkeypatch.setattr("inventory.auth.web.EXTENSION", "sanitrail")
    monkeypatch.setattr("inventory.console.make_ready", lambda _app: done.append("templates"))
    monkeypatch.setattr(serving, "Upkeep", Upkeep)
    try:
        serving.load(Settings(data_dir=tmp_path))
        assert done == ["templates", "upkeep, True"]
        assert gc.get_threshold()[0] > threshold[0]
        assert gc.isenabled(), "what pages leave behind is still found"
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
