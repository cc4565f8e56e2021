"""One declared endpoint: who may call it, what it reads, what it answers. Routing and OpenAPI both come from here.

A handler is an ordinary typed function; its annotations are the contract:

    @orders.post("/orders", "Request an order", people(do=Permission.ORDER_REQUEST), creates=True)
    def request_order(call: Call, body: OrderRequest) -> Answer[OrderView]: ...

`call` is the request, `body` a message read as strict JSON, `query` a message read from the query string, every other
parameter a part of the path. What it returns is the answer: a message, a view of the services, a `File`, or nothing.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from flask import Response
from pydantic import BaseModel, TypeAdapter

from inventory.contract.v1.endpoints import PREFIX
from inventory.domain.roles import Permission, Role, may
from inventory.errors import InventoryError

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
T = TypeVar("T")
Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """Who may call an endpoint.

    `see` is what one needs to know that the object exists; without it the answer is 404. `do` is what one needs to do
    this; without it the answer is 403.
    """

    kind: Literal["public", "person", "agent", "enrolment"]
    see: Permission | None = None
    do: Permission | None = None
    pending: bool = False
    """Whether an agent whose key nobody has confirmed yet may call this."""

    def roles(self) -> frozenset[Role]:
        """The roles that may call a person's endpoint."""
        return frozenset(
            role
            for role in Role
            if (self.see is None or may([role], self.see)) and (self.do is None or may([role], self.do))
        )


def people(do: Permission | None = None, see: Permission | None = Permission.READ) -> Access:
    """Signed-in people who hold a permission; reading alone needs no other than `see`."""
    return Access("person", see=see, do=do)


PUBLIC = Access("public")
AGENT = Access("agent")
NEW_AGENT = Access("agent", pending=True)
"""An agent in any state but revoked; only for asking how its enrolment stands."""
ENROLMENT = Access("enrolment")
READERS = people()
SIGNED_IN = people(see=None)
"""Anybody who is signed in, even without a role: their own session, password and name."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """An answer with more than a message: its version (the ETag) and where the new object is."""

    body: T
    version: int | None = None
    location: str | None = None
    status: int | None = None


@dataclass(frozen=True)
class File:
    """An answer that is no JSON message: a PDF, a signed file, a stream of lines."""

    content: bytes
    media_type: str
    name: str | None = None
    """Suggested file name; given, a browser saves it."""
    etag: str | None = None
    cache: str | None = None
    """Cache-Control, where others than the reader may keep the answer."""
    next: str | None = None
    """Where a list goes on; stands in the header `Sanitrail-Next`."""


@dataclass(frozen=True)
class Options:
    """What the protocol layer does around a handler."""

    status: int = 200
    creates: bool = False
    """Takes an Idempotency-Key."""
    updates: bool = False
    """Demands If-Match with the version the caller has read."""
    reply: Any = None
    """The answer's type, where the handler must write the response itself (cookies)."""
    secret_reply: bool = False
    """The answer holds a secret shown once: it is never stored, so a repeated key gets no answer twice."""
    media_type: str = "application/json"
    body_limit: int = 0
    """Bytes; 0 is the default for people or agents."""
    uploads: tuple[str, ...] = ()
    """Reads its own body by `api.uploads`: a file of one of these media types."""
    raises: tuple[type[InventoryError], ...] = ()
    """Refusals of the domain this endpoint may answer, beside those of the protocol."""


@dataclass(frozen=True)
class Endpoint:
    """Everything the router and the document generator need to know of one address and method."""

    method: Method
    path: str
    name: str
    summary: str
    description: str
    noun: str
    access: Access
    options: Options
    handler: Callable[..., Any]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    reply: TypeAdapter[Any] | None
    parameters: dict[str, TypeAdapter[Any]] = field(default_factory=dict)


_PART = re.compile(r"\{([a-z0-9_]+)(?::([a-z]+))?\}")


def flask_rule(path: str) -> str:
    """`/tile/{tile:path}` as Flask writes it: `/tile/<path:tile>`."""
    return _PART.sub(lambda part: f"<{part[2] + ':' if part[2] else ''}{part[1]}>", path)


def template(path: str) -> str:
    """`/tile/{tile:path}` as OpenAPI writes it: `/tile/{tile}`."""
    return _PART.sub(lambda part: f"{{{part[1]}}}", path)


def _reply_of(annotation: Any) -> TypeAdapter[Any] | None:  # noqa: ANN401 - any annotation may stand there
    """How to write the answer: a message of the contract or a view of the services; None for a file or nothing."""
    if get_origin(annotation) is Answer:
        (annotation,) = get_args(annotation)
    if annotation in {None, type(None), File, Response}:
        return None
    return TypeAdapter(annotation)


@dataclass
class Noun:
    """The endpoints about one kind of thing; becomes one blueprint and one tag of the document."""

    name: str
    description: str
    prefix: str = PREFIX
    endpoints: list[Endpoint] = field(default_factory=list)

    def _declare(
        self, method: Method, path: str, summary: str, access: Access, options: Options
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            hints = get_type_hints(handler, include_extras=True)
            reply = _reply_of(options.reply or hints["return"])
            del hints["return"]
            hints.pop("call", None)
            self.endpoints.append(
                Endpoint(
                    method=method,
                    path=f"{self.prefix}{path}",
                    name=handler.__name__,
                    summary=summary,
                    description=inspect.getdoc(handler) or "",
                    noun=self.name,
                    access=access,
                    options=options,
                    handler=handler,
                    body=hints.pop("body", None),
                    query=hints.pop("query", None),
                    reply=reply,
                    parameters={name: TypeAdapter(hint) for name, hint in hints.items()},
                )
            )
            return handler

        return register

    def get(self, path: str, summary: str, access: Access, **options: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 - Options' fields
        """Declares a reading endpoint; see `Options` for what else can be said."""
        return self._declare("GET", path, summary, access, Options(**options))

    def post(self, path: str, summary: str, access: Access, **options: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 - as get
        """Declares an acting or creating endpoint; one that creates answers 201 unless told otherwise."""
        options.setdefault("status", 201 if options.get("creates") else 200)
        return self._declare("POST", path, summary, access, Options(**options))

    def put(self, path: str, summary: str, access: Access, **options: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 - as get
        """Declares a replacing endpoint."""
        return self._declare("PUT", path, summary, access, Options(**options))

    def patch(self, path: str, summary: str, access: Access, **options: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 - as get
        """Declares an updating endpoint."""
        return self._declare("PATCH", path, summary, access, Options(**options))

    def delete(self, path: str, summary: str, access: Access, **options: Any) -> Callable[[Handler], Handler]:  # noqa: ANN401 - as get
        """Declares an ending endpoint; answers 204 without a body."""
        options.setdefault("status", 204)
        return self._declare("DELETE", path, summary, access, Options(**options))
