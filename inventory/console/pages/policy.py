"""The policy in force: a table anybody can read, and what a new one would change before it takes force."""

from __future__ import annotations

from typing import Any

from flask import Response

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Form
from inventory.console.language.speaking import plural, words
from inventory.console.web import actor, form_status, go, here, perform, posted, received, show
from inventory.domain import policy_file
from inventory.domain.policy import FLOOR, Demand, Policy, parse
from inventory.domain.roles import Permission
from inventory.domain.techniques import DISPUTES
from inventory.domain.vocabulary import Method
from inventory.errors import Invalid, InventoryError
from inventory.services import policies, queries
from reports.drive_words import technique_words


@page("/policy")
def policy_page() -> Reply:
    """The table, its history."""
    current = policies.current_policy(here(), actor())
    return show(
        "policy.html",
        policy=current,
        versions=policies.list_policies(here(), actor()),
        rows=_rows(parse(current.document)),
        silent_days=parse(current.document).agent_silent_days,
        disputes=DISPUTES,
    )


@page("/policy/file")
def policy_as_file() -> Reply:
    """The version in force as a file to keep and compare."""
    response = Response(policies.policy_as_file(here(), actor()), mimetype="application/toml")
    response.headers["Content-Disposition"] = 'attachment; filename="policy.toml"'
    return response


def _rows(policy: Policy) -> list[dict[str, Any]]:
    return [
        {
            "category": str(case[0]),
            "reuse": case[1],
            "leaves_control": case[2],
            "method": str(policy.rows[case].method),
            "needs": _needs(policy.rows[case]),
            "if_destroyed": _destroyed(policy.rows[case]),
        }
        for case in FLOOR
    ]


def _needs(row: Demand) -> str:
    """What an order and its run need, in words."""
    if row.method is Method.DESTROY:
        return "Physical destruction"
    found = [words("{extent} read-back", extent=words(row.verification)), plural(row.approvals, "approval")]
    if row.approval_roles:
        among = ", ".join(words(role.replace("_", " ")) for role in row.approval_roles)
        found.append(words("among them {roles}", roles=among))
    found += [words("proof by canaries")] if row.canaries else []
    if row.sampling_percent:
        found.append(words("{percent}% read again by somebody else", percent=row.sampling_percent))
    for media, names in (row.techniques or {}).items():
        found.append(
            f"{words(media)}: {', '.join(words(technique_words(one)) for one in names) or words('no technique')}"
        )
    said = "; ".join(found)
    return said[0].upper() + said[1:]


def _destroyed(row: Demand) -> str:
    return f"{plural(row.witnesses, 'witness', 'witnesses')}, {plural(row.photographs, 'photograph')}"


def _document(typed: Form) -> dict[str, Any] | None:
    try:
        return policy_file.read(typed.value("document"))
    except Invalid as error:
        typed.fail("document", error.explain())
        return None


@form("/policy/new", Permission.POLICY_MANAGE)
def new_policy() -> Reply:
    """Preview a policy against the inventory, then put it in force."""
    typed = received()
    preview = None
    if posted():
        document, import_it = _document(typed), typed.value("step") == "import"
        why = typed.text("reason", "Say why.") if import_it else ""
        if document is not None and import_it:
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
        typed.values.setdefault("document", policies.policy_as_file(here(), actor(), following=True))
    labels = [
        queries.device(here(), actor(), device)
        for device in (preview.devices_no_longer_sufficient if preview else ())[:20]
    ]
    return show("new-policy.html", form_status(typed), form=typed, preview=preview, devices=labels)
