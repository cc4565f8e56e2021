"""The OpenAPI 3.1 document, made from the declared endpoints and the contract's messages; nothing is written twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from inventory.contract.v1.problems import Problem

from .descriptions import describe
from .endpoint import Access, Endpoint, Noun, template
from .problems import CATALOGUE, MEDIA_TYPE, status_of

VERSION = "3.1.1"
_REF = "#/components/schemas/{model}"
Document = dict[str, Any]
Models = Mapping[tuple[str, JsonSchemaMode], dict[str, Any]]

_SECURITY: dict[str, Document] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A scoped API token, made by its owner and shown once.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sanitrail",
        "description": "A browser session (`__Host-sanitrail` over TLS). Requests that change anything also carry the"
        " session's token in `X-CSRF-Token` and come from this origin.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "HTTP Message Signature (RFC 9421), Ed25519 or ECDSA P-256, tag `sanitrail-agent-1`, over @method,"
        " @authority, @target-uri and, with a body, content-type and content-digest; `created` within 60 s, `nonce` used once.",
    },
}

_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the version you have read.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,18}"$'},
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A key of your own: repeating the same request with it has no second effect.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{8,128}$"},
}


def _security(access: Access) -> list[dict[str, list[str]]]:
    if access.kind == "person":
        return [{"token": []}, {"session": []}]
    if access.kind == "public":
        return []
    return [{"signature": []}]


def _access_codes(endpoint: Endpoint) -> set[str]:
    access = endpoint.access
    if access.kind == "public":
        return set()
    if access.kind == "person":
        codes = {"not-signed-in"}
        codes |= set() if access.see is None else {"not-found"}
        codes |= set() if access.do is None else {"forbidden"}
        return codes if endpoint.method == "GET" else codes | {"csrf-refused"}
    codes = {"not-signed-in", "signature-refused", "replayed", "body-too-large", "length-required"}
    return codes | {"agent-not-trusted"} if access.kind == "agent" else codes


def protocol_codes(endpoint: Endpoint) -> set[str]:
    """Codes the protocol layer itself may answer at this endpoint."""
    codes = _access_codes(endpoint)
    options = endpoint.options
    if endpoint.body is not None:
        codes |= {"malformed-json", "invalid-body", "body-too-large", "unsupported-media-type", "length-required"}
    if options.uploads:
        codes |= {
            "length-required",
            "body-too-large",
            "too-slow",
            "unsupported-media-type",
            "too-many-requests",
            "busy",
        }
        codes |= {"bad-request"}
    if endpoint.query is not None:
        codes |= {"invalid-query"}
    if endpoint.parameters:
        codes |= {"not-found"}
    if options.updates:
        codes |= {"if-match-required", "stale-version", "invalid-header"}
    if options.creates:
        codes |= {"idempotency-in-flight", "idempotency-key-reused", "invalid-header"}
    return codes


def _responses(endpoint: Endpoint, models: Models) -> Document:
    options = endpoint.options
    success: Document = {"description": "Done." if endpoint.reply is None else "The answer."}
    if endpoint.reply is not None:
        success["content"] = {options.media_type: {"schema": models[endpoint.name, "serialization"]}}
    elif options.status != 204:
        kind = "object" if options.media_type == "application/json" else "string"
        success["content"] = {options.media_type: {"schema": {"type": kind}}}
    responses: Document = {str(options.status): success}
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in sorted(protocol_codes(endpoint) | {error.code for error in options.raises}):
        by_status[status_of(code)].append(code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = {
            "description": "; ".join(f"`{code}`" for code in codes),
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
        }
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    return responses


def _without_null(shape: Document) -> Document:
    """A query says nothing by leaving a parameter out; it has no null."""
    choices = [choice for choice in shape.pop("anyOf", []) if choice != {"type": "null"}]
    if shape.get("default", ...) is None:
        del shape["default"]
    if len(choices) == 1:
        return {**choices[0], **shape}
    return {**shape, "anyOf": choices} if choices else shape


def _parameters(endpoint: Endpoint, queries: Document) -> list[Document]:
    found: list[Document] = [
        {"name": name, "in": "path", "required": True, "schema": adapter.json_schema()}
        for name, adapter in endpoint.parameters.items()
    ]
    if endpoint.query is not None:
        schema = queries[endpoint.query.__name__]
        required = set(schema.get("required", ()))
        for name, property_schema in schema["properties"].items():
            shape = _without_null(dict(property_schema))
            description = shape.pop("description", None)
            parameter: Document = {"name": name, "in": "query", "required": name in required, "schema": shape}
            if description:
                parameter["description"] = description
            found.append(parameter)
    if endpoint.options.updates:
        found.append(_IF_MATCH)
    if endpoint.options.creates:
        found.append(_IDEMPOTENCY_KEY)
    return found


def _operation(endpoint: Endpoint, models: Models, queries: Document) -> Document:
    operation: Document = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": endpoint.description,
        "tags": [endpoint.noun],
        "security": _security(endpoint.access),
        "parameters": _parameters(endpoint, queries),
        "responses": _responses(endpoint, models),
    }
    if endpoint.access.kind == "person":
        operation["x-roles"] = sorted(endpoint.access.roles())
        operation["x-permission"] = endpoint.access.do or endpoint.access.see
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": models[endpoint.name, "validation"]}},
        }
    if endpoint.options.uploads:
        file = {"schema": {"type": "string", "format": "binary"}}
        operation["requestBody"] = {"required": True, "content": dict.fromkeys(endpoint.options.uploads, file)}
    return operation


def _models(endpoints: Iterable[Endpoint]) -> tuple[Models, Document]:
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [("", "serialization", TypeAdapter(Problem))]
    for endpoint in endpoints:
        if endpoint.body is not None:
            wanted.append((endpoint.name, "validation", TypeAdapter(endpoint.body)))
        if endpoint.query is not None:
            wanted.append((f"{endpoint.name}?", "validation", TypeAdapter(endpoint.query)))
        if endpoint.reply is not None:
            wanted.append((endpoint.name, "serialization", endpoint.reply))
    mapping, definitions = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    schemas: Document = definitions["$defs"]
    describe(schemas)
    return mapping, schemas


def document(nouns: Iterable[Noun], *, version: str, url: str) -> Document:
    """The whole document.

    Args:
        nouns: Every declared noun.
        version: The product's version.
        url: Where this service is known to be.
    """
    nouns = list(nouns)
    endpoints = [endpoint for noun in nouns for endpoint in noun.endpoints]
    models, schemas = _models(endpoints)
    names = {endpoint.query.__name__ for endpoint in endpoints if endpoint.query is not None}
    queries = {name: schemas.pop(name) for name in names}
    paths: dict[str, Document] = defaultdict(dict)
    for endpoint in endpoints:
        paths[template(endpoint.path)][endpoint.method.lower()] = _operation(endpoint, models, queries)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Sanitrail inventory",
            "version": version,
            "summary": "Devices, holdings, orders, records and the evidence that data is gone.",
            "description": "Errors are RFC 9457 problem documents with a stable `code`: "
            + ", ".join(f"`{code}`" for code in sorted(CATALOGUE)),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": url}],
        "tags": [{"name": noun.name, "description": noun.description} for noun in nouns],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": _SECURITY,
            "responses": {
                "Problem": {
                    "description": "Anything else that went wrong.",
                    "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
                }
            },
        },
    }
