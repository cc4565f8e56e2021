"""Request bodies: strict JSON into a contract message, or a problem that says where it is wrong.

Stricter than the JSON most libraries accept, because two readers who disagree about a body are an attack: one media
type, UTF-8, no duplicate member, no NaN, bounded size and depth. The caller's input is never echoed.
"""

from __future__ import annotations

import re
from typing import TypeVar

from flask import Request
from pydantic import BaseModel, ValidationError

from inventory.contract.v1.problems import FieldError
from reports.canonical import MAX_DEPTH, parse_strict
from reports.errors import MalformedDocument

from .problems import ApiError

MAX_PERSON_BODY = 256 * 1024
MAX_AGENT_BODY = 8 * 1024 * 1024
"""Bytes; an observation of a host with thousands of devices, or a record with a long residual map."""

_RULES = (
    f"JSON in UTF-8 (RFC 8259) with no member named twice, no floating point number, NaN or Infinity, no integer beyond"
    f" 2^53, no U+0000 and at most {MAX_DEPTH} levels is read here."
)
_MAX_REPORTED = 50
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_SENTENCES = {"extra_forbidden": "This message has no such member.", "missing": "This member is required."}

M = TypeVar("M", bound=BaseModel)


def read_bytes(request: Request, limit: int) -> bytes:
    """The whole body, at most `limit` bytes.

    Raises:
        ApiError: `body-too-large` (413), whether announced or sent; `length-required` (411) where the server cannot
            tell where the body ends.
    """
    chunked = request.content_length is None and request.headers.get("Transfer-Encoding") is not None
    if chunked and not request.environ.get("wsgi.input_terminated"):
        raise ApiError("length-required")
    too_large = ApiError("body-too-large", detail=f"At most {limit} bytes are read here.")
    if (request.content_length or 0) > limit:
        raise too_large
    request.max_content_length = limit + 1  # werkzeug cuts a chunked body off at its limit without a word
    raw = request.get_data(cache=True, parse_form_data=False)
    if len(raw) > limit:
        raise too_large
    return raw


def check_media_type(request: Request) -> None:
    """Only `application/json`, with no other charset than UTF-8.

    Raises:
        ApiError: `unsupported-media-type` (415).
    """
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != "application/json" or charset not in {"utf-8", "utf8"}:
        raise ApiError("unsupported-media-type", detail="Send application/json in UTF-8.")


def check_json(raw: bytes) -> None:
    """Refuses what two JSON readers might read differently.

    Raises:
        ApiError: `malformed-json` (400); the sentence names the rules, never the text.
    """
    try:
        value = parse_strict(raw)
    except MalformedDocument:
        raise ApiError("malformed-json", detail=_RULES) from None
    if b"\\u0000" in raw and _holds_nul(value):
        raise ApiError("malformed-json", detail=_RULES)


def _holds_nul(value: object) -> bool:
    """Whether a string in it holds U+0000, which PostgreSQL cannot store and C programs read as an end."""
    if isinstance(value, dict):
        return any(_holds_nul(part) for member in value.items() for part in member)
    if isinstance(value, list):
        return any(_holds_nul(part) for part in value)
    return isinstance(value, str) and "\0" in value


def pointer(location: tuple[int | str, ...]) -> str:
    """RFC 6901 JSON pointer of a place pydantic names. The root is the empty pointer."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def field_errors(error: ValidationError) -> list[FieldError]:
    """What is wrong with a message, by place, without the caller's values.

    A member's name is the caller's text too; it is shown only where it looks like a name.
    """
    found = []
    for item in error.errors(include_url=False, include_input=False, include_context=False)[:_MAX_REPORTED]:
        location = tuple(part if isinstance(part, int) or _NAME.fullmatch(part) else "*" for part in item["loc"])
        message = _SENTENCES.get(item["type"], item["msg"])
        found.append(FieldError(pointer=pointer(location), message=message[:300]))
    return found


def parse(model: type[M], raw: bytes) -> M:
    """Reads one message from strict JSON.

    Raises:
        ApiError: `malformed-json` (400) or `invalid-body` (422) with a JSON pointer per finding.
    """
    check_json(raw)
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        raise ApiError("invalid-body", errors=field_errors(error)) from None
