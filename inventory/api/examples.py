"""Examples of messages, made from their schemas: what a reader sees and a form begins with. Pure.

Every example of a body is one that the service would read: a test holds each against its own message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
_MESSAGE: Final = "#/components/schemas/"
_DEEPEST: Final = 6

_BY_NAME: Final[Mapping[str, str]] = {
    "asset_tag": "AT-1001",
    "balance": "BL-00001",
    "case": "EC-2026-000001",
    "codes": "D-000001",
    "container": "CT-00001",
    "data_set": "DS-0001",
    "declared_device": "D-000002",
    "description": "What somebody else must know",
    "destination": "Shredder Ltd.",
    "device": "D-000001",
    "escrow": "CU-00001",
    "exception": "X-000001",
    "handover": "HV-00001",
    "hold": "HD-0001",
    "holding": "HO-000001",
    "host": "H-0001",
    "lease": "LS-000001",
    "list": "devices",
    "location": "L-0001",
    "login": "ada",
    "lot": "LT-00001",
    "model": "ST4000NM0035",
    "obligation": "OB-000001",
    "order": "O-2026-000001",
    "party": "PA-0001",
    "place": "L-0001",
    "question": "Q-000001",
    "reading": "RD-2026-000001",
    "reason": "Why, in a sentence",
    "resolution": "What was found out, in a sentence",
    "sample": "SM-00001",
    "seal": "SEAL-0001",
    "serial": "ZC1A0001",
    "site": "SI-0001",
    "statement": "What was seen, in a sentence",
    "table": "devices",
    "team": "TM-0001",
    "technique": "overwrite-zero",
    "token": "T-00001",
    "url": "https://example.org/hook",
    "vendor": "Seagate",
    "view": "V-0123456789abcdef",
    "waiver": "W-0001",
    "webhook": "WH-0001",
    "wwn": "0x5000c500a1b2c3d4",
}
"""What a text of this name may be; numbers of every kind look like these."""

_BY_PATTERN: Final[Mapping[str, str]] = {
    "^[0-9a-f]{64}$": "0" * 63 + "1",
    "^[0-9a-f]{32}$": "0" * 31 + "1",
    "^(?:[0-9a-f]{8})?$": "00000001",
    '^"[0-9]{1,18}"$': '"1"',
    "^[A-Za-z0-9_.:-]{8,128}$": "my-own-key-0001",
    "^[A-Za-z0-9+/]*={0,2}$": "AAEC",
    "^[A-Za-z0-9+/]+={0,2}$": "AAECAwQF",
    "^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$": "R-000001",
    "^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$": "Example",
    "^[a-z0-9]+(?:-[a-z0-9]+)*$": "example",
    "^[a-z0-9]+(?:-[a-z0-9]+)*(?:\\+[a-z0-9]+(?:-[a-z0-9]+)*)*$": "overwrite-zero",
    "^(x[0-9]{3}/){0,4}[0-9]{3}(\\.p/[1-9][0-9]{0,2})?$": "000",
    "^/[^\\x00]*$": "/srv/crm",
    "^https?://[!-~]+$": "https://example.org/hook",
    "^(\\*|[a-z][a-z-]*\\.([a-z][a-z-]*|\\*))$": "device.*",
}
"""A text of a form that only its own pattern knows."""


def resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """The schema itself where this only names one of the document's messages."""
    while "$ref" in schema:
        schema = schemas[str(schema["$ref"]).removeprefix(_MESSAGE)]
    return schema


def example(schema: Schema, schemas: Mapping[str, Schema], name: str = "", *, every: bool = False) -> Any:  # noqa: ANN401 - any JSON value
    """A value that fits the schema.

    Args:
        schema: of the OpenAPI document.
        schemas: the messages of the document.
        name: of the member it is for; a device reads as a device.
        every: with the members that may be left out, too.
    """
    return _made(schema, schemas, name, every, 0)


def _made(schema: Schema, schemas: Mapping[str, Schema], name: str, every: bool, depth: int) -> Any:  # noqa: ANN401, PLR0911 - any JSON value, a kind a line
    schema = resolved(schema, schemas)
    for combination in ("anyOf", "oneOf", "allOf"):
        choices = [one for one in schema.get(combination, ()) if one != {"type": "null"}]
        if choices:
            return _made(choices[0], schemas, name, every, depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, schemas, every, depth)
    if kind == "array":
        return _list(schema, schemas, name, every, depth)
    if kind == "string":
        return _text(schema, name)
    if kind == "boolean":
        return bool(schema.get("default", False))
    return _number(schema) if kind in {"integer", "number"} else None


def _object(schema: Schema, schemas: Mapping[str, Schema], every: bool, depth: int) -> dict[str, Any]:
    members = schema.get("properties", {})
    needed = set(schema.get("required", ()))
    if not members and isinstance(schema.get("additionalProperties"), Mapping) and depth < _DEEPEST:
        return {"name": _made(schema["additionalProperties"], schemas, "name", every, depth + 1)}
    return {
        member: _made(shape, schemas, member, every, depth + 1)
        for member, shape in members.items()
        if member in needed or (every and depth < _DEEPEST)
    }


def _list(schema: Schema, schemas: Mapping[str, Schema], name: str, every: bool, depth: int) -> list[Any]:
    if "prefixItems" in schema:
        return [_made(part, schemas, name, every, depth + 1) for part in schema["prefixItems"]]
    if depth >= _DEEPEST and not schema.get("minItems"):
        return []
    one = name if name in _BY_NAME else name.removesuffix("s")
    return [_made(schema.get("items", {}), schemas, one, every, depth + 1) for _ in range(schema.get("minItems") or 1)]


def _text(schema: Schema, name: str) -> str:
    if schema.get("format") == "date-time":
        return "2026-01-31T12:00:00Z"
    found = _BY_PATTERN.get(schema.get("pattern", ""))
    if found is None:
        found = _BY_NAME.get(name, f"Example {name.replace('_', ' ')}".strip())
    shortest, longest = int(schema.get("minLength", 0)), int(schema.get("maxLength", len(found)))
    return found[:longest].ljust(shortest, "x")


def _number(schema: Schema) -> int:
    default = schema.get("default")
    if isinstance(default, int):
        return default
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    high = schema.get("maximum", schema.get("exclusiveMaximum", 2) - 1)
    return int(min(max(1, low), high))
