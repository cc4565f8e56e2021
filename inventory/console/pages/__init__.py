"""The pages, a module a noun."""

from __future__ import annotations

from importlib import import_module
from typing import Final

_MODULES: Final = (
    "account",
    "balances",
    "batches",
    "beginnings",
    "by_hand",
    "case_intake",
    "cases",
    "certificates",
    "containers",
    "corrections",
    "custody",
    "datasets",
    "device_acts",
    "devices",
    "disposal",
    "doorway",
    "duties",
    "evidence",
    "evidence_files",
    "exceptions",
    "explorer",
    "exports",
    "exposure",
    "halts",
    "handovers",
    "history",
    "holds",
    "home",
    "host_places",
    "hosts",
    "imports",
    "keys",
    "lists",
    "live",
    "lots",
    "many",
    "order_acts",
    "orders",
    "organisation",
    "packs",
    "papers",
    "paths",
    "people",
    "places",
    "policy",
    "policy_table",
    "presence",
    "questions",
    "queue",
    "queues",
    "readings",
    "roster",
    "samples",
    "scan",
    "search",
    "selection",
    "single_sign_on",
    "style",
    "verify",
    "webhooks",
)


def load() -> None:
    """Import every module, which registers its pages."""
    for name in _MODULES:
        import_module(f"{__name__}.{name}")
