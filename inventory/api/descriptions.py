"""Field descriptions for the OpenAPI document, read from the strings beneath the fields; so nothing is said twice.

Python keeps a class's docstring but not its attributes'. The source is read once, when the document is first made.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_PACKAGES = ("inventory.contract.v1", "inventory.services.views", "inventory.api.v1")


def _modules() -> Iterator[ModuleType]:
    yield importlib.import_module("inventory.api.paging")
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for found in pkgutil.iter_modules(package.__path__, prefix=f"{name}."):
            yield importlib.import_module(found.name)


def _of_class(node: ast.ClassDef) -> dict[str, str]:
    said: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            said[field.target.id] = " ".join(below.value.value.split())
    return said


@functools.cache
def _said() -> dict[str, dict[str, str]]:
    """Class name -> field -> description; a subclass knows its bases' fields."""
    found: dict[str, dict[str, str]] = {}
    for module in _modules():
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                inherited: dict[str, str] = {}
                for base in node.bases:
                    inherited |= found.get(base.id, {}) if isinstance(base, ast.Name) else {}
                found[node.name] = inherited | _of_class(node)
    return found


def describe(schemas: dict[str, Any]) -> None:
    """Fills in what the fields of the components mean, in place."""
    said = _said()
    for name, schema in schemas.items():
        for field, shape in schema.get("properties", {}).items():
            text = said.get(name.removesuffix("-Input").removesuffix("-Output").split("_")[0], {}).get(field)
            if text and "description" not in shape:
                shape["description"] = text
            shape.pop("title", None)
