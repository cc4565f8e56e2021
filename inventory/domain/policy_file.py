"""A policy as a file that people keep, compare and review: TOML in and out. The document it holds is the same, byte for byte."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any, Final

from inventory.errors import Invalid

MOST_CHARACTERS: Final = 64_000
_TABLES: Final = ("rows", "methods")
_HEAD: Final = "# What each kind of data demands of its media. Check it with: sanitrail policy check FILE\n"


def read(text: str) -> dict[str, Any]:
    """The document in a file: TOML, or JSON as the API has it. Raises `Invalid`."""
    if not 0 < len(text) <= MOST_CHARACTERS:
        raise Invalid("document", f"A policy file has 1 to {MOST_CHARACTERS} characters.")
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError as error:
        raise Invalid("document", f"This is neither TOML nor JSON: {error}.") from error
    except RecursionError as error:
        raise Invalid("document", "This is nested too deeply for a policy.") from error
    if not isinstance(found, dict):
        raise Invalid("document", "A policy is one table.")
    return found


def write(document: Mapping[str, Any]) -> str:
    """A checked document as TOML, always the same text for the same document."""
    lines = [_HEAD.rstrip("\n")]
    lines += [f"{name} = {_value(value)}" for name, value in document.items() if name not in _TABLES]
    for table in _TABLES:
        for row in document.get(table, ()):
            lines += ["", f"[[{table}]]", *(f"{name} = {_value(value)}" for name, value in row.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:  # noqa: ANN401 - whatever a checked policy holds
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value)  # a checked policy has no character that TOML would write otherwise
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + " }"
    return "[" + ", ".join(_value(each) for each in value) + "]"
