"""The one place where errors become HTTP: RFC 9457 problem documents with stable codes.

A domain error carries its own code and sentence; an error of the protocol is an `ApiError` with a code of `CATALOGUE`.
What nobody expected becomes a 500 with an incident number: the number stands in the log beside the traceback, and
nothing else of it leaves the process.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from inventory.contract.v1.problems import FieldError, Problem
from inventory.errors import Invalid, InventoryError, TooManyAttempts

MEDIA_TYPE: Final = "application/problem+json"
BLUEPRINTS: Final = "api_"
"""How the names of the interface's blueprints begin."""

log = logging.getLogger("inventory.api")

CATALOGUE: Final[Mapping[str, tuple[int, str]]] = {
    "malformed-json": (400, "The body is not strict JSON"),
    "bad-request": (400, "The request is malformed"),
    "not-signed-in": (401, "Sign in, or send a token"),
    "signature-refused": (401, "The request's signature is not accepted"),
    "csrf-refused": (403, "The request did not come from this console"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This address does not know that method"),
    "too-slow": (408, "The body came too slowly"),
    "idempotency-in-flight": (409, "The first request with this key took effect; its answer is not stored"),
    "length-required": (411, "The body's length must be stated"),
    "body-too-large": (413, "The body is larger than this address reads"),
    "uri-too-long": (414, "The address is too long"),
    "unsupported-media-type": (415, "The body's media type is not accepted"),
    "misdirected": (421, "This service does not go by that name"),
    "invalid-body": (422, "The body does not fit the message"),
    "invalid-query": (422, "The query does not fit the address"),
    "invalid-header": (422, "A header does not fit"),
    "idempotency-key-reused": (422, "The idempotency key was used for another request"),
    "if-match-required": (428, "State the version you have read, in If-Match"),
    "too-many-requests": (429, "Too many requests"),
    "headers-too-large": (431, "The headers are larger than this service reads"),
    "internal-error": (500, "The service failed"),
    "busy": (503, "The service is busy"),
    "not-ready": (503, "The service is not ready"),
}
"""Code -> (status, title) of everything the protocol layer says by itself. Codes are never reused."""


def domain_codes() -> dict[str, tuple[int, str]]:
    """Code -> (status, title) of every refusal of the domain."""
    found: dict[str, tuple[int, str]] = {}
    waiting: list[type[InventoryError]] = [InventoryError]
    while waiting:
        error = waiting.pop()
        found.setdefault(error.code, (error.status, error.title))
        waiting.extend(error.__subclasses__())
    return found


def status_of(code: str) -> int:
    """The HTTP status of any code this service knows.

    Raises:
        KeyError: a code nobody declared.
    """
    return (CATALOGUE.get(code) or domain_codes()[code])[0]


class ApiError(Exception):
    """A request the protocol layer itself refuses.

    Attributes:
        code: A key of `CATALOGUE`.
        detail: What is wrong here; a fixed sentence, never the caller's text.
        errors: Findings by place.
        headers: Extra response headers, such as `Retry-After`.
    """

    def __init__(
        self,
        code: str,
        *,
        detail: str = "",
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.code = code
        self.status, self.title = CATALOGUE[code]
        self.detail = detail or f"{self.title}."
        self.errors = list(errors)
        self.headers = dict(headers or {})
        super().__init__(f"{code}: {self.detail}")


_RETRY_SOON: Final[Mapping[str, str]] = {"Retry-After": "5"}

_BY_STATUS: Final[Mapping[int, str]] = {
    400: "bad-request",
    401: "not-signed-in",
    403: "csrf-refused",
    404: "not-found",
    405: "method-not-allowed",
    411: "length-required",
    413: "body-too-large",
    414: "uri-too-long",
    415: "unsupported-media-type",
    422: "invalid-body",
    428: "if-match-required",
    429: "too-many-requests",
    431: "headers-too-large",
    503: "busy",
}
"""Which code stands for an exception of the web framework."""


Answered = tuple[Problem, Mapping[str, str]]
"""A problem and the headers that belong to it."""


def uri(code: str) -> str:
    """The stable `type` of a problem."""
    return f"urn:sanitrail:problem:{code}"


def of_api_error(error: ApiError) -> Answered:
    """The document and headers of a refusal of the protocol layer."""
    problem = Problem(
        type=uri(error.code),
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        errors=error.errors,
    )
    return problem, dict(error.headers)


def of_domain_error(error: InventoryError) -> Answered:
    """The document of a refusal of the domain: its own code and sentence, and every reason it gives."""
    errors = [FieldError(pointer=reason.code, message=reason.sentence[:500]) for reason in error.reasons]
    if isinstance(error, Invalid):
        errors.insert(0, FieldError(pointer=f"/{error.field}" if error.field else "", message=error.sentence[:500]))
    problem = Problem(
        type=uri(error.code),
        title=error.title,
        status=error.status,
        detail=error.summarize(),
        code=error.code,
        errors=errors,
    )
    if isinstance(error, TooManyAttempts):
        return problem, {"Retry-After": str(error.retry_after_seconds)}
    return problem, _RETRY_SOON if error.status == 503 else {}


def of_http_exception(error: HTTPException) -> Answered:
    """The document of an exception of the web framework; its own text is not passed on."""
    code = _BY_STATUS.get(error.code or 500, "bad-request" if (error.code or 500) < 500 else "internal-error")
    problem, _ = of_api_error(ApiError(code))
    return problem, {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}


def of_unexpected(error: BaseException) -> Answered:
    """The document of a failure nobody foresaw: a number to look up in the log, and nothing else."""
    incident = secrets.token_hex(6)
    log.error("incident %s: %s %s", incident, request.method, request.path, exc_info=error)
    problem, headers = of_api_error(
        ApiError(
            "internal-error", detail=f"Nothing more is said here. In the service's log this is incident {incident}."
        )
    )
    return problem.model_copy(update={"instance": f"urn:sanitrail:incident:{incident}"}), headers


def problem_of(error: BaseException) -> Answered:
    """The one mapping from whatever was raised to a problem document and its headers."""
    if isinstance(error, ApiError):
        return of_api_error(error)
    if isinstance(error, InventoryError):
        return of_domain_error(error)
    if isinstance(error, HTTPException):
        return of_http_exception(error)
    return of_unexpected(error)


def response_of(problem: Problem, headers: Mapping[str, str]) -> Response:
    """The HTTP answer that carries a problem."""
    response = Response(problem.model_dump_json(exclude_none=True), status=problem.status, mimetype=MEDIA_TYPE)
    response.headers.update(headers)
    return response


def _asked_by_a_program() -> bool:
    """Whether the address belongs to the interface: no page is drawn for it."""
    return request.path.startswith("/api/") or (request.blueprint or "").startswith(BLUEPRINTS)


HtmlRenderer = Callable[[Problem], Response]


def install(app: Flask, html: HtmlRenderer | None) -> None:
    """Registers the handlers on the application, where unmatched addresses arrive too.

    Args:
        app: The application.
        html: How the console shows a problem; what is not below `/api/` goes there.
    """

    def handle(error: Exception) -> Response:
        problem, headers = problem_of(error)
        if problem.status == 401:
            headers = {"WWW-Authenticate": 'Bearer realm="sanitrail"', **headers}
        if html is None or _asked_by_a_program():
            return response_of(problem, headers)
        try:
            response = html(problem)
        except Exception:
            log.exception("the page of a problem could not be drawn")
            return response_of(problem, headers)
        response.headers.update(headers)
        return response

    app.register_error_handler(Exception, handle)
