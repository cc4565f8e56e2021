"""The policy in force: a table anybody can read, and what a new one would change before it takes force."""

from __future__ import annotations

import json
from typing import Any

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Form
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show
from inventory.domain.roles import Permission
from inventory.domain.techniques import DISPUTES
from inventory.errors import InventoryError
from inventory.services import policies, queries

_LIMIT = 64_000
_COLUMNS = ("category", "reuse", "leaves_control", "method")


@page("/policy")
def policy_page() -> Reply:
    """The table, its history."""
    current = policies.current_policy(here(), actor())
    return show(
        "policy.html",
        policy=current,
        versions=policies.list_policies(here(), actor()),
        rows=_rows(current.document),
        disputes=DISPUTES,
    )


def _rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: row.get(name) for name in _COLUMNS} for row in document.get("methods", []) if isinstance(row, dict)]


def _document(typed: Form) -> dict[str, Any] | None:
    text = typed.value("document")
    try:
        value = json.loads(text) if 0 < len(text) <= _LIMIT else None
    except ValueError as error:
        typed.fail("document", f"This is not JSON: {error}.")
        return None
    if not isinstance(value, dict):
        typed.fail("document", "A policy is one JSON object.")
        return None
    return value


@form("/policy/new", Permission.POLICY_MANAGE)
def new_policy() -> Reply:
    """Preview a policy against the inventory, then put it in force."""
    typed = received()
    preview = None
    if posted():
        document = _document(typed)
        if document is not None and typed.value("step") == "import":
            why = typed.text("reason", "Say why; it stands in the history for good.")
            command = policies.ImportPolicy(document=document, reason=why)

            def deed() -> Any:  # noqa: ANN401 - a redirect
                policies.import_policy(here(), actor(), command)
                return go("policy", said="policy-imported")

            done = perform(typed, deed)
            if done is not None:
                return done
        if document is not None:
            try:
                preview = policies.preview_policy(here(), actor(), document)
            except InventoryError as error:
                typed.refused(error)
    else:
        current = policies.current_policy(here(), actor())
        typed.values.setdefault("document", json.dumps(current.document, indent=2, ensure_ascii=False))
    labels = [
        queries.device(here(), actor(), device) for device in (preview.devices_no_longer_sufficient if preview else ())
    ]
    return show("new-policy.html", form_status(typed), form=typed, preview=preview, devices=labels)
