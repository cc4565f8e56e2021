"""The OpenAPI document as somebody reads it: groups of operations, what each asks and answers, and who may. Pure.

Everything is taken from the served document, so that a reader sees exactly what a program would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode

from .examples import Schema, example, resolved

Who = Literal["everybody", "people", "agents"]
_DEEPEST: Final = 4
_DEEPEST_ANSWERED: Final = 1
"""An answer is shown by its example, too; a page stays light."""
_MOST_FOUND: Final = 60
_WORDS = re.compile(r"[a-z0-9]+")
_PLACE = re.compile(r"\{([a-z0-9_]+)\}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member of a message, or one parameter."""

    name: str
    depth: int
    """0 for a member of the message itself, 1 for a member of one of its members."""
    kind: str
    required: bool
    text: str
    where: str = "body"
    """`path`, `query` or `header` for a parameter."""
    choices: tuple[str, ...] = ()
    given: str = ""
    """What holds where nothing is said."""
    example: str = ""
    several: bool = False


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What may come back: the answer, or a refusal by its codes."""

    status: str
    media: str
    text: str
    members: tuple[Member, ...] = ()
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class Brief:
    """An operation in one line."""

    name: str
    group: str
    method: str
    path: str
    title: str
    who: Who
    roles: tuple[str, ...]
    text: str

    @property
    def changes(self) -> bool:
        """Whether it may change something: whatever is no GET."""
        return self.method != "GET"


@dataclass(frozen=True, kw_only=True)
class Explained:
    """An operation with everything it asks and answers."""

    brief: Brief
    permission: str
    parameters: tuple[Member, ...]
    media: tuple[str, ...]
    """Of what it reads; empty: no body."""
    members: tuple[Member, ...]
    body: str
    """An example; empty where it reads a file or nothing."""
    answer: Reply
    refusals: tuple[Reply, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Operations about one kind of thing."""

    key: str
    title: str
    text: str
    operations: tuple[Brief, ...]


def key_of(tag: str) -> str:
    """A tag as a part of an address."""
    return "-".join(_WORDS.findall(tag.lower()))


def groups(document: Mapping[str, Any]) -> tuple[Group, ...]:
    """Every group, in the document's order."""
    briefs = [_brief(path, method, operation) for path, method, operation in _operations(document)]
    return tuple(
        Group(
            key=key_of(tag["name"]),
            title=tag["name"][:1].upper() + tag["name"][1:],
            text=tag["description"],
            operations=tuple(brief for brief in briefs if brief.group == key_of(tag["name"])),
        )
        for tag in document["tags"]
    )


def found(document: Mapping[str, Any], text: str) -> tuple[Brief, ...]:
    """The operations that have every word of the text in what names and describes them; those named so come first."""
    wanted = _WORDS.findall(text.lower())
    if not wanted:
        return ()
    ranked = []
    for path, method, operation in _operations(document):
        named = f"{method} {path} {operation['operationId']} {operation['summary']} {operation['tags'][0]}".lower()
        told = f"{named} {operation['description']}".lower()
        if all(word in told for word in wanted):
            ranked.append((sum(word not in named for word in wanted), path, method, operation))
    ranked.sort(key=lambda one: one[:3])
    return tuple(_brief(path, method, operation) for _, path, method, operation in ranked[:_MOST_FOUND])


def explained(document: Mapping[str, Any], group: str, name: str) -> Explained | None:
    """One operation; None where the group has none of this name."""
    schemas = document["components"]["schemas"]
    for path, method, operation in _operations(document):
        if operation["operationId"] == name and key_of(operation["tags"][0]) == group:
            return _explained(_brief(path, method, operation), operation, schemas)
    return None


def address(operation: Explained, given: Mapping[str, Sequence[str]]) -> str | None:
    """The address to ask, with what was given for its places and its query; None where something needed is missing.

    Nothing given can lead elsewhere: the path is the declared one, and each value fills one place of it.
    """
    path = operation.brief.path
    query: list[tuple[str, str]] = []
    for parameter in operation.parameters:
        values = [value for value in given.get(f"{parameter.where}.{parameter.name}", ()) if value]
        if parameter.where == "path":
            value = values[0] if values else ""
            if _CONTROLS.search(value) or not value or set(value.split("/")) & {"", ".", ".."}:
                return None
            path = path.replace(f"{{{parameter.name}}}", quote(value, safe="/" if parameter.name == "tile" else ""))
        elif parameter.where == "query":
            if parameter.required and not values:
                return None
            query += [(parameter.name, value) for value in values]
    return f"{path}?{urlencode(query)}" if query else path


def command(operation: Explained, base: str) -> str:
    """The same from a command line."""
    brief = operation.brief
    example_of = {parameter.name: parameter.example for parameter in operation.parameters}
    path = _PLACE.sub(lambda place: quote(example_of.get(place[1], ""), safe="/"), brief.path)
    asked = [(one.name, one.example) for one in operation.parameters if one.where == "query" and one.required]
    url = f"{base}{path}" + (f"?{urlencode(asked)}" if asked else "")
    parts = ["curl", *(("-X", brief.method) if brief.changes else ()), f"'{url}'"]
    lines = [" ".join(parts)]
    if brief.who == "people":
        lines.append('-H "Authorization: Bearer $SANITRAIL_CLIENT_TOKEN"')
    lines += [
        f"-H '{one.name}: {one.example}'" for one in operation.parameters if one.where == "header" and one.required
    ]
    if operation.media:
        lines.append(f"-H 'Content-Type: {operation.media[0]}'")
        lines.append("--data @body.json" if operation.body else "--data-binary @file")
    return " \\\n  ".join(lines)


# -- the document ------------------------------------------------------------------------------------------------------


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _brief(path: str, method: str, operation: Mapping[str, Any]) -> Brief:
    return Brief(
        name=operation["operationId"],
        group=key_of(operation["tags"][0]),
        method=method,
        path=path,
        title=operation["summary"],
        who=_who(operation),
        roles=tuple(operation.get("x-roles", ())),
        text=operation["description"],
    )


def _who(operation: Mapping[str, Any]) -> Who:
    if not operation["security"]:
        return "everybody"
    return "agents" if "signature" in operation["security"][0] else "people"


def _explained(brief: Brief, operation: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Explained:
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema is not None and resolved(schema, schemas).get("format") == "binary":
        schema = None  # a file that happens to be JSON
    responses = {status: reply for status, reply in operation["responses"].items() if status != "default"}
    status = min(responses)
    return Explained(
        brief=brief,
        permission=str(operation.get("x-permission") or ""),
        parameters=tuple(_parameter(one, schemas) for one in operation["parameters"]),
        media=tuple(content),
        members=_members(schema, schemas) if schema else (),
        body=_written(example(schema, schemas)) if schema else "",
        answer=_answer(status, responses[status], schemas),
        refusals=tuple(
            Reply(status=code, media="application/problem+json", text=str(reply["description"]).replace("`", ""))
            for code, reply in responses.items()
            if code != status
        ),
    )


def _answer(status: str, reply: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Reply:
    content: Mapping[str, Any] = reply.get("content", {})
    media = next(iter(content), "")
    schema: Schema = content[media]["schema"] if media else {}
    told = media == "application/json" and ("$ref" in schema or "items" in schema or "properties" in schema)
    return Reply(
        status=status,
        media=media,
        text=str(reply["description"]),
        members=_members(schema, schemas, _DEEPEST_ANSWERED) if told else (),
        example=_written(example(schema, schemas, every=True)) if told else "",
    )


def _parameter(one: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Member:
    schema = one["schema"]
    shape = resolved(schema, schemas)
    several = shape.get("type") == "array"
    inner = resolved(shape.get("items", {}), schemas) if several else shape
    return Member(
        name=one["name"],
        depth=0,
        kind=kind_of(schema, schemas),
        required=bool(one.get("required")),
        text=str(one.get("description", "")),
        where=one["in"],
        choices=_choices(inner),
        given=_given(schema),
        example=_plain(example(inner, schemas, one["name"])),
        several=several,
    )


def _choices(schema: Schema) -> tuple[str, ...]:
    if schema.get("type") == "boolean":
        return ("true", "false")
    return tuple(str(value) for value in schema.get("enum", ()))


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _written(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _given(schema: Schema) -> str:
    value = schema.get("default")
    return "" if value in (None, "", []) else _plain(value)


# -- messages ----------------------------------------------------------------------------------------------------------


def _members(schema: Schema, schemas: Mapping[str, Schema], deepest: int = _DEEPEST) -> tuple[Member, ...]:
    return tuple(row for row in _walk(schema, schemas, 0, ()) if row.depth < deepest)


def _walk(schema: Schema, schemas: Mapping[str, Schema], depth: int, above: tuple[str, ...]) -> Iterator[Member]:
    """The members of a message and of the messages in it, once each on a way down."""
    named = _inner(schema, schemas)
    if named is None or named[0] in above or depth >= _DEEPEST:
        return
    name, message = named
    needed = set(message.get("required", ()))
    for member, shape in message.get("properties", {}).items():
        yield Member(
            name=member,
            depth=depth,
            kind=kind_of(shape, schemas),
            required=member in needed,
            text=str(shape.get("description") or ""),
            choices=_choices_within(shape, schemas),
            given=_given(shape),
        )
        yield from _walk(shape, schemas, depth + 1, (*above, name))


def _inner(schema: Schema, schemas: Mapping[str, Schema]) -> tuple[str, Schema] | None:
    """The message a schema is, is a list of, or is one of."""
    if "$ref" in schema:
        shape = resolved(schema, schemas)
        return (str(schema["$ref"]), shape) if "properties" in shape else _inner(shape, schemas)
    if "properties" in schema:
        return "", schema
    parts = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    for part in (schema.get("items"), schema.get("additionalProperties"), *parts):
        if isinstance(part, Mapping):
            inner = _inner(part, schemas)
            if inner is not None:
                return inner
    return None


def _choices_within(schema: Schema, schemas: Mapping[str, Schema]) -> tuple[str, ...]:
    shape = resolved(schema, schemas)
    for part in (*shape.get("anyOf", ()), shape.get("items")):
        if isinstance(part, Mapping) and (words := resolved(part, schemas).get("enum")):
            return tuple(str(word) for word in words)
    return tuple(str(word) for word in shape.get("enum", ()))


def kind_of(schema: Schema, schemas: Mapping[str, Schema]) -> str:
    """A schema in a few words of JSON: `string, 1 to 64 characters`, `list of object`."""
    shape = resolved(schema, schemas)
    for combination in ("anyOf", "oneOf", "allOf"):
        if combination in shape:
            return " or ".join(dict.fromkeys(kind_of(part, schemas) for part in shape[combination]))
    if "const" in shape:
        return f"always {_plain(shape['const'])}"
    kind = str(shape.get("type", "any"))
    if kind == "array":
        return f"list of {kind_of(shape.get('items', {}), schemas)}"
    if kind == "object" and isinstance(shape.get("additionalProperties"), Mapping) and "properties" not in shape:
        return f"object of {kind_of(shape['additionalProperties'], schemas)}"
    if "enum" in shape:
        return "one of"
    return ", ".join(part for part in (kind, str(shape.get("format", "")), _limits(shape)) if part)


def _limits(shape: Schema) -> str:
    low, high = shape.get("minLength"), shape.get("maxLength")
    if high is not None:
        return f"{low or 0} to {high} characters"
    low, high = shape.get("minimum"), shape.get("maximum")
    if high is not None:
        return f"{low or 0} to {high}"
    return f"{low} or more" if low else ""
