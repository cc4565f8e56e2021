"""Errors as HTTP."""

from __future__ import annotations

import re

import pytest
from flask import Flask, Response, abort
from werkzeug.exceptions import HTTPException, default_exceptions

from inventory import errors
from inventory.api import problems
from inventory.api.problems import ApiError
from inventory.contract.v1.problems import Problem
from inventory.errors import GateClosed, InventoryError, Reason

SECRET = "postgresql://user:hunter2@db"


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)

    @app.get("/api/v1/bug")
    def bug() -> Response:
        raise RuntimeError(SECRET)

    @app.get("/page/bug")
    def page_bug() -> Response:
        raise RuntimeError(SECRET)

    @app.get("/api/v1/gate")
    def gate() -> Response:
        raise GateClosed("DEV-1", "a vendor", [Reason("no-record", "No validated record.")])

    @app.get("/api/v1/status/<int:status>")
    def status(status: int) -> Response:
        abort(status)

    problems.install(app, lambda problem: Response(f"<p>{problem.title}</p>", problem.status, mimetype="text/html"))
    return app


def test_a_bug_leaks_nothing_but_an_incident_number(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    reply = app.test_client().get("/api/v1/bug")
    assert (reply.status_code, reply.mimetype) == (500, "application/problem+json")
    assert "hunter2" not in reply.text
    assert "RuntimeError" not in reply.text
    problem = Problem.model_validate(reply.json)
    incident = (problem.instance or "").removeprefix("urn:sanitrail:incident:")
    assert re.fullmatch("[0-9a-f]{12}", incident)
    assert incident in caplog.text
    assert "hunter2" in caplog.text


def test_outside_the_interface_the_console_draws_the_problem(app: Flask) -> None:
    reply = app.test_client().get("/page/bug")
    assert (reply.status_code, reply.mimetype) == (500, "text/html")
    assert "hunter2" not in reply.text


def test_a_page_that_cannot_be_drawn_becomes_a_plain_problem() -> None:
    app = Flask(__name__)

    def broken(problem: Problem) -> Response:
        raise ValueError(problem)

    problems.install(app, broken)
    reply = app.test_client().get("/nowhere")
    assert (reply.status_code, reply.mimetype) == (404, "application/problem+json")


def test_every_reason_of_the_gate_is_said(app: Flask) -> None:
    problem = Problem.model_validate(app.test_client().get("/api/v1/gate").json)
    assert (problem.status, problem.code, problem.type) == (409, "gate-closed", "urn:sanitrail:problem:gate-closed")
    assert [(item.pointer, item.message) for item in problem.errors] == [("no-record", "No validated record.")]


@pytest.mark.parametrize("status", sorted(code for code in default_exceptions if code >= 400))
def test_every_status_of_the_framework_becomes_a_problem_of_a_known_code(app: Flask, status: int) -> None:
    reply = app.test_client().get(f"/api/v1/status/{status}")
    problem = Problem.model_validate(reply.json)
    assert problem.code in problems.CATALOGUE
    assert reply.status_code == problem.status
    assert (problem.status >= 500) == (status >= 500)


def test_unmatched_addresses_and_methods_are_problems_too(app: Flask) -> None:
    client = app.test_client()
    assert Problem.model_validate(client.get("/api/v1/nowhere").json).code == "not-found"
    reply = client.post("/api/v1/bug")
    assert Problem.model_validate(reply.json).code == "method-not-allowed"
    assert "GET" in reply.headers["Allow"]


def test_a_redirecting_exception_of_the_framework_is_not_swallowed_as_a_failure(app: Flask) -> None:
    assert isinstance(ApiError("not-found"), Exception)
    assert not isinstance(ApiError("not-found"), HTTPException)


def test_codes_of_protocol_and_domain_never_mean_two_things() -> None:
    for code, (status, _) in problems.domain_codes().items():
        if code in problems.CATALOGUE:
            assert problems.CATALOGUE[code][0] == status, code


def test_every_domain_error_has_a_status_a_title_and_a_code_of_its_shape() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, InventoryError)]
    assert len(kinds) > 15
    for kind in kinds:
        assert re.fullmatch("[a-z]+(-[a-z]+)*", kind.code)
        assert 400 <= kind.status <= 599
        assert problems.domain_codes()[kind.code]
