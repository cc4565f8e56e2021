"""The API's reference page, drawn by ourselves from the OpenAPI document: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flask import render_template
from markupsafe import Markup, escape

from .openapi import Document
from .problems import CATALOGUE, domain_codes

_MESSAGE = "#/components/schemas/"


def _name(schema: Document) -> str:
    return str(schema.get("$ref", "")).removeprefix(_MESSAGE)


def _link(name: str) -> Markup:
    return Markup('<a href="#message-{0}">{0}</a>').format(name) if name else Markup("")


def type_of(schema: Document) -> Markup:
    """A schema in a few words: a link to its message, a list, alternatives, or a plain type."""
    if "$ref" in schema:
        return _link(_name(schema))
    for combination in ("anyOf", "oneOf", "allOf"):
        if combination in schema:
            return Markup(" or ").join(type_of(part) for part in schema[combination])
    if "enum" in schema:
        return Markup(" | ").join(Markup("<code>{}</code>").format(value) for value in schema["enum"])
    if "const" in schema:
        return Markup("<code>{}</code>").format(schema["const"])
    if schema.get("type") == "array":
        return Markup("list of ") + type_of(schema.get("items", {}))
    return escape(" ".join(str(part) for part in (schema.get("type", "any"), schema.get("format")) if part))


def _first(content: Document) -> tuple[str, str]:
    """Media type and message name of a content object."""
    for media, entry in content.items():
        return media, _name(entry["schema"])
    return "", ""


def _who(operation: Document) -> str:
    if not operation["security"]:
        return "everybody"
    if "signature" in operation["security"][0]:
        return "an agent, by signature"
    return ", ".join(operation.get("x-roles", ())).replace("_", " ") or "anybody signed in"


def _operation(path: str, method: str, operation: Document) -> dict[str, Any]:
    responses = dict(operation["responses"])
    responses.pop("default")
    status = min(responses)
    media, reply = _first(responses[status].get("content", {}))
    _, body = _first(operation.get("requestBody", {}).get("content", {}))
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation["description"].split("\n\n"),
        "who": _who(operation),
        "body": body,
        "reply": reply,
        "media": media,
        "status": status,
        "parameters": [
            {**parameter, "where": parameter["in"], "description": parameter.get("description", "")}
            for parameter in operation["parameters"]
        ],
        "problems": [
            {"status": code, "text": answer["description"]} for code, answer in responses.items() if code != status
        ],
    }


def render(document: Document) -> str:
    """The page."""
    operations: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            operations[operation["tags"][0]].append(_operation(path, method, operation))
    return render_template(
        "api_reference.html",
        doc=document,
        operations=operations,
        problems={**domain_codes(), **CATALOGUE},
        type_of=type_of,
        link=_link,
    )
