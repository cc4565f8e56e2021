"""The API explorer: every operation of the interface, what it asks and answers, who may, and a form to try it."""

from __future__ import annotations

from typing import Any, Final

from flask import current_app, redirect, request

from inventory.api import explained
from inventory.api.v1.service import DOCUMENT
from inventory.console.blueprint import Reply, page
from inventory.console.web import caller, here, show
from inventory.errors import NotFound

_LONGEST: Final = 128


def _document() -> dict[str, Any]:
    found: dict[str, Any] = current_app.extensions[DOCUMENT]
    return found


def _yours(brief: explained.Brief) -> bool:
    """Whether the reader has a role for it. Whoever needs no role needs to be signed in, and is."""
    return brief.who == "everybody" or (
        brief.who == "people" and bool({str(role) for role in caller().person.roles} & set(brief.roles))
    )


def _operation(group: str, operation: str) -> explained.Explained:
    found = explained.explained(_document(), group, operation)
    if found is None:
        raise NotFound("operation", f"{group}/{operation}")
    return found


def _group(key: str) -> explained.Group:
    found = next((one for one in explained.groups(_document()) if one.key == key), None)
    if found is None:
        raise NotFound("group of operations", key)
    return found


@page("/api")
def explorer() -> Reply:
    """Every group; with a text, the operations that have its words."""
    text = request.args.get("q", "").strip()[:_LONGEST]
    document = _document()
    return show(
        "explorer.html",
        groups=explained.groups(document),
        found=explained.found(document, text),
        text=text,
        yours=_yours,
    )


@page("/api/<group>")
def explorer_group(group: str) -> Reply:
    """The operations of one group."""
    return show("explorer-group.html", group=_group(group), yours=_yours)


@page("/api/<group>/<operation>")
def explorer_operation(group: str, operation: str) -> Reply:
    """One operation, with its form."""
    return _shown(_operation(group, operation), missing=False)


def _shown(found: explained.Explained, *, missing: bool) -> Reply:
    return show(
        "explorer-operation.html",
        422 if missing else 200,
        group=_group(found.brief.group),
        one=found,
        op=found.brief,
        yours=_yours(found.brief),
        command=explained.command(found, here().settings.external_url.rstrip("/")),
        given=request.args,
        missing=missing,
    )


@page("/api/<group>/<operation>/ask")
def explorer_ask(group: str, operation: str) -> Reply:
    """Without a script: straight to the address that reads, made of what was typed."""
    found = _operation(group, operation)
    if found.brief.changes:
        raise NotFound("operation that only reads", f"{group}/{operation}")
    given = {name: request.args.getlist(name) for name in request.args}
    address = explained.address(found, given)
    return _shown(found, missing=True) if address is None else redirect(address, 303)
