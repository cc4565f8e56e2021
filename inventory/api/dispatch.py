"""Runs an endpoint: who asks, may they, what do they say, has this been done already, and how the answer is written.

The order matters. Nobody's body is read before it is known who sends it (agents excepted: their signature covers it, so
it is read first, bounded), and a forged or repeated request never reaches a handler.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, request
from pydantic import BaseModel, TypeAdapter, ValidationError

from inventory.auth import agents as agent_auth
from inventory.auth import web
from inventory.contract.v1.agents import EnrolmentRequest
from inventory.errors import InventoryError, NotFound
from inventory.services import idempotency, named
from inventory.services.context import Actor, Context, authorize, require_full
from inventory.services.idempotency import StoredReply

from .bodies import MAX_AGENT_BODY, MAX_PERSON_BODY, check_media_type, field_errors, parse, read_bytes
from .endpoint import Answer, Endpoint, File
from .problems import ApiError

_IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_.:-]{8,128}")
_ETAG = re.compile(r'"([0-9]{1,18})"')
_NOBODY = Actor("nobody", "system")
"""Stands where an endpoint is public; it holds no role and is granted nothing."""


@dataclass(frozen=True)
class Call:
    """One request, as handlers see it."""

    context: Context
    actor: Actor
    endpoint: Endpoint
    if_match: int | None = None
    """The version the caller has read."""
    key_id: str | None = None
    """The key of an agent that introduces itself."""

    @property
    def version(self) -> int:
        """The version an update is based on; endpoints that update always have one."""
        if self.if_match is None:
            raise RuntimeError("an endpoint without `updates` has no version")
        return self.if_match


def view_function(endpoint: Endpoint) -> Callable[..., Response]:
    """The Flask view of an endpoint."""

    def view(**parts: str) -> Response:
        return _run(endpoint, parts)

    view.__name__ = endpoint.name
    view.__doc__ = endpoint.summary
    return view


def _run(endpoint: Endpoint, parts: dict[str, str]) -> Response:
    context = web.context()
    raw = b""
    key_id = None
    if endpoint.access.kind in {"agent", "enrolment"}:
        raw = _read(endpoint)
        actor, key_id = _agent(context, endpoint, raw)
    else:
        actor = _person(endpoint)
        named.require_seen(context, actor, parts)
        raw = _read(endpoint)
    arguments = _arguments(endpoint, parts, raw)
    call = Call(context, actor, endpoint, if_match=_if_match(endpoint), key_id=key_id)
    key = _idempotency_key(endpoint)
    if key is None:
        return _write(endpoint, endpoint.handler(call, **arguments))
    return _once(call, key, raw, arguments)


def _read(endpoint: Endpoint) -> bytes:
    if endpoint.options.uploads:
        return b""
    agent = endpoint.access.kind in {"agent", "enrolment"}
    limit = endpoint.options.body_limit or (MAX_AGENT_BODY if agent else MAX_PERSON_BODY)
    raw = read_bytes(request, limit)
    if endpoint.body is None and raw:
        raise ApiError("bad-request", detail="This address reads no body.")
    return raw


def _agent(context: Context, endpoint: Endpoint, raw: bytes) -> tuple[Actor, str | None]:
    if endpoint.access.kind == "enrolment":
        check_media_type(request)
        key_id = agent_auth.authenticate_newcomer(context, request, raw, parse(EnrolmentRequest, raw))
        return _NOBODY, key_id
    return agent_auth.authenticate(context, request, raw, pending=endpoint.access.pending), None


def _person(endpoint: Endpoint) -> Actor:
    access = endpoint.access
    if access.kind == "public":
        return _NOBODY
    actor = web.actor()
    if access.see is not None or access.do is not None:
        require_full(actor)
    if access.see is not None and not actor.may(access.see):
        raise NotFound("page", "here")
    if access.do is not None:
        authorize(actor, access.do, reading=endpoint.method == "GET")
    return actor


def _arguments(endpoint: Endpoint, parts: dict[str, str], raw: bytes) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, text in parts.items():
        try:
            arguments[name] = endpoint.parameters[name].validate_python(text)
        except ValidationError:
            raise ApiError("not-found") from None
    if endpoint.query is not None:
        arguments["query"] = _query(endpoint.query)
    elif request.args:
        raise ApiError("invalid-query", detail="This address takes no query.")
    if endpoint.body is not None:
        check_media_type(request)
        arguments["body"] = parse(endpoint.body, raw)
    return arguments


def _query(model: type[BaseModel]) -> BaseModel:
    given = request.args
    repeatable = {name for name, info in model.model_fields.items() if "frozenset" in str(info.annotation)}
    if any(len(given.getlist(name)) > 1 for name in given if name not in repeatable):
        raise ApiError("invalid-query", detail="A parameter is given twice.")
    if any(len(set(given.getlist(name))) != len(given.getlist(name)) for name in repeatable):
        raise ApiError("invalid-query", detail="A value of a parameter is given twice.")
    values = {name: given.getlist(name) if name in repeatable else given[name] for name in given}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ApiError("invalid-query", errors=field_errors(error)) from None


def _if_match(endpoint: Endpoint) -> int | None:
    if not endpoint.options.updates:
        return None
    header = request.headers.get("If-Match")
    if header is None:
        raise ApiError("if-match-required")
    found = _ETAG.fullmatch(header.strip())
    if found is None:
        raise ApiError(
            "invalid-header", detail='If-Match takes one ETag as it was sent: a number in quotes, such as "3".'
        )
    return int(found[1])


def _idempotency_key(endpoint: Endpoint) -> str | None:
    header = request.headers.get("Idempotency-Key")
    if header is None or not endpoint.options.creates:
        return None
    key = header.strip().strip('"')
    if _IDEMPOTENCY_KEY.fullmatch(key) is None:
        raise ApiError("invalid-header", detail="Idempotency-Key is 8 to 128 letters, digits or `_.:-`.")
    return key


def _once(call: Call, key: str, raw: bytes, arguments: dict[str, Any]) -> Response:
    """A create with an idempotency key: acts the first time, repeats the stored answer afterwards."""
    fingerprint = hashlib.sha256(f"{request.method} {request.full_path}\n".encode() + raw).hexdigest()
    stored = idempotency.claim(call.context, call.actor, key, fingerprint)
    if stored is not None:
        response = Response(stored.body, status=stored.status, content_type=stored.content_type)
        response.headers["Idempotency-Replayed"] = "true"
        return response
    try:
        response = _write(call.endpoint, call.endpoint.handler(call, **arguments))
    except (InventoryError, ApiError):
        idempotency.abandon(call.context, call.actor, key)  # refused before its transaction committed: nothing happened
        raise
    if not call.endpoint.options.secret_reply:
        reply = StoredReply(response.status_code, response.get_data(), response.content_type or "application/json")
        idempotency.complete(call.context, call.actor, key, reply)
    return response


def _write(endpoint: Endpoint, result: Any) -> Response:  # noqa: ANN401 - whatever the handler declared to return
    if isinstance(result, Response):
        return result
    if isinstance(result, File):
        return _file(result, endpoint.options.status)
    status, version, location = endpoint.options.status, None, None
    if isinstance(result, Answer):
        status, version, location = result.status or status, result.version, result.location
        result = result.body
    if result is None or endpoint.reply is None:
        return Response(status=status)
    response = Response(_json(endpoint.reply, result), status=status, mimetype=endpoint.options.media_type)
    if location is not None:
        response.headers["Location"] = location
    if version is None:
        version = getattr(result, "version", None) if endpoint.method != "POST" else None
    if version is not None:
        response.headers["ETag"] = f'"{version}"'
        if endpoint.method == "GET":
            response.make_conditional(request)
    return response


def _json(adapter: TypeAdapter[Any], value: object) -> bytes:
    return adapter.dump_json(value, by_alias=True)


def _file(result: File, status: int) -> Response:
    response = Response(result.content, status=status, content_type=result.media_type)
    if result.name is not None:
        response.headers.set("Content-Disposition", "attachment", filename=result.name)
    if result.cache is not None:
        response.headers["Cache-Control"] = result.cache
    if result.next is not None:
        response.headers["Sanitrail-Next"] = result.next
    if result.etag is not None:
        response.set_etag(result.etag)
        response.make_conditional(request)
    return response
