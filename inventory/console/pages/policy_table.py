"""The policy's table edited row by row, and what it would change, before it takes force."""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form
from inventory.console.forms import Form, Option
from inventory.console.views.policy_table import document_of, fill, rows
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show
from inventory.domain import policy_file
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import Category, Method
from inventory.errors import Invalid, InventoryError
from inventory.services import policies, queries
from inventory.services.policies import PolicyPreview

_CATEGORIES = tuple(Option(str(word), str(word).capitalize()) for word in Category)
_METHODS = tuple(Option(str(word), str(word).capitalize()) for word in Method)
_READ_BACK = (Option("representative", "A sample"), Option("full", "Every block"))


@form("/policy/table", Permission.POLICY_MANAGE)
def policy_table() -> Reply:
    """Choose what each row asks for; look at what it would change; put in force exactly what was looked at."""
    base = policy_file.read(policies.policy_as_file(here(), actor(), following=True))
    typed = received() if posted() else Form.starting()
    preview: PolicyPreview | None = None
    document: dict[str, Any] | None = None
    if posted():
        document = document_of(typed, base)
        try:
            preview = policies.preview_policy(here(), actor(), document)
        except InventoryError as error:
            typed.refused(error)
        if preview is not None and typed.value("step") == "import":
            done = _put_in_force(typed, document, preview)
            if done is not None:
                return done
    else:
        fill(typed, base)
    labels = [
        queries.device(here(), actor(), device)
        for device in (preview.devices_no_longer_sufficient if preview else ())[:20]
    ]
    return show(
        "policy-table.html", form_status(typed), form=typed, rows=rows(), preview=preview, devices=labels,
        categories=_CATEGORIES, methods=_METHODS, read_back=_READ_BACK,
        text=policy_file.write(document) if document is not None and preview is not None else "",
    )  # fmt: skip


def _put_in_force(typed: Form, document: dict[str, Any], preview: PolicyPreview) -> AnyResponse | None:
    if typed.value("seen") != preview.sha256:
        typed.refused(Invalid("seen", "This is not what you looked at. Look at it again, then put it in force."))
        return None
    why = typed.text("reason", "Say why.")
    command = policies.ImportPolicy(document=document, reason=why)

    def deed() -> AnyResponse:
        policies.import_policy(here(), actor(), command)
        return go("policy", said="policy-imported")

    return perform(typed, deed)
