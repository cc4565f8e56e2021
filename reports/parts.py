"""Frozen dataclasses to and from plain JSON values, by their annotations.

`Part` keeps the unknown fields of a newer writer; `StrictPart` refuses them, for statements of which every field must be
understood. Standard library only.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self, TypeVar

from .errors import MalformedDocument

Derived = TypeVar("Derived")
_Reader = Callable[[object, str], Any]
"""Reads a value of one annotated type; `MalformedDocument` names the place when it does not fit."""


def _reader(hint: object) -> _Reader:
    """How a value of this annotation is read."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        (only,) = [option for option in arguments if option is not type(None)]
        return _or_none(_reader(only)) if type(None) in arguments else _reader(only)
    if origin is Literal:
        return _one_of(arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _list_of(_reader(arguments[0]))
    if origin is tuple:
        return _items(tuple(_reader(argument) for argument in arguments))
    return _plain_reader(hint, origin)


def _plain_reader(hint: object, origin: object) -> _Reader:
    if isinstance(hint, type) and issubclass(hint, Part):
        return hint.from_dict
    if hint is bool or hint is str:
        return _exactly(hint)
    if hint is int:
        return _integer
    if origin is dict:
        return _object
    raise TypeError(f"no reader for {hint!r}")  # our own annotation is wrong: a bug


def _or_none(inner: _Reader) -> _Reader:
    return lambda value, where: None if value is None else inner(value, where)


def _one_of(words: tuple[str, ...]) -> _Reader:
    def read(value: object, where: str) -> object:
        if not isinstance(value, str) or value not in words:
            raise MalformedDocument(where, f"none of {', '.join(words)}")
        return value

    return read


def _list_of(inner: _Reader) -> _Reader:
    def read(value: object, where: str) -> tuple[object, ...]:
        if not isinstance(value, (list, tuple)):
            raise MalformedDocument(where, "expected a list")
        return tuple([inner(item, f"{where}[{n}]") for n, item in enumerate(value)])

    return read


def _items(inner: tuple[_Reader, ...]) -> _Reader:
    def read(value: object, where: str) -> tuple[object, ...]:
        if not isinstance(value, (list, tuple)):
            raise MalformedDocument(where, "expected a list")
        if len(value) != len(inner):
            raise MalformedDocument(where, f"expected {len(inner)} items")
        return tuple([one(item, f"{where}[{n}]") for n, (one, item) in enumerate(zip(inner, value, strict=True))])

    return read


def _exactly(kind: type) -> _Reader:
    def read(value: object, where: str) -> object:
        if type(value) is not kind:
            raise MalformedDocument(where, f"expected {kind.__name__}")
        return value

    return read


def _integer(value: object, where: str) -> int:
    if type(value) is not int or not -(2**53) < value < 2**53:
        raise MalformedDocument(where, "expected an integer below 2^53")
    return value


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedDocument(where, "expected an object")
    return dict(value)


def _encode(value: object) -> object:
    if isinstance(value, Part):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


class _Shape(NamedTuple):
    """What the annotations of a class say."""

    readers: dict[str, _Reader]
    levels: tuple[str, ...]
    """Fields that hold further levels."""


_SHAPES: dict[type[Part], _Shape] = {}
"""Resolving annotations is slow and their number is fixed; a benign race writes the same value twice."""


def _shape(cls: type[Part]) -> _Shape:
    if cls not in _SHAPES:
        hints = typing.get_type_hints(cls)
        names = [f.name for f in dataclasses.fields(cls) if f.name != "extra"]
        levels = tuple(name for name in names if _holds_parts(hints[name]))
        _SHAPES[cls] = _Shape({name: _reader(hints[name]) for name in names}, levels)
    return _SHAPES[cls]


def _holds_parts(hint: object) -> bool:
    return (isinstance(hint, type) and issubclass(hint, Part)) or any(map(_holds_parts, typing.get_args(hint)))


@dataclass(frozen=True, kw_only=True)
class Part:
    """One level of a document: fixed fields plus whatever a newer writer added."""

    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    def derived(self, name: str, compute: Callable[[Self], Derived]) -> Derived:
        """What follows from this object and nothing else: computed once, since the object never changes."""
        known: dict[str, Any] = self.__dict__.setdefault("_derived", {})
        if name not in known:
            known[name] = compute(self)
        found: Derived = known[name]
        return found

    def levels(self) -> Iterator[tuple[str, Any]]:
        """The fields of this level that hold further levels, by name."""
        for name in _shape(type(self)).levels:
            yield name, getattr(self, name)

    def to_dict(self) -> dict[str, Any]:
        """The level as plain JSON values, unknown fields included."""
        own = {name: _encode(getattr(self, name)) for name in _shape(type(self)).readers}
        return {**self.extra, **own}

    @classmethod
    def from_dict(cls, value: object, where: str = "document") -> Self:
        """Read a level; every known field is required.

        Raises:
            MalformedDocument: it names the place of the first thing that does not fit.
        """
        if not isinstance(value, dict):
            raise MalformedDocument(where, "expected an object")
        readers = _shape(cls).readers
        missing = sorted(readers.keys() - value.keys())
        if missing:
            raise MalformedDocument(where, f"missing {', '.join(missing)}")
        read: dict[str, Any] = {name: one(value[name], f"{where}.{name}") for name, one in readers.items()}
        unknown = {k: v for k, v in value.items() if k not in readers} if len(value) > len(readers) else {}
        return cls(**read, extra=cls._keep(unknown, where))

    @classmethod
    def _keep(cls, unknown: dict[str, Any], where: str) -> dict[str, Any]:  # noqa: ARG003 - the strict reader names the place
        return unknown


@dataclass(frozen=True, kw_only=True)
class StrictPart(Part):
    """One level of a statement of which nothing may be left unread."""

    @classmethod
    def _keep(cls, unknown: dict[str, Any], where: str) -> dict[str, Any]:
        if unknown:
            names = ", ".join(sorted(str(name)[:40] for name in unknown)[:5])
            raise MalformedDocument(where, f"unknown field {names}")
        return {}
