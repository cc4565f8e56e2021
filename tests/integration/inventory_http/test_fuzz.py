"""Schemathesis reads the service's own document and asks what nobody meant to ask.

Nothing may be a failure of the service, and no answer may be one the document does not describe.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from inventory.api.endpoint import Endpoint, template
from inventory.api.install import endpoints
from inventory.domain.roles import Role
from tests.support.http_world import HttpWorld

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "6"))
"""For each address, each kind of data; a wider hunt sets the number higher."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
REJECTED = [*CHECKS, negative_data_rejection]
"""What the document forbids is not accepted."""
HOST = "127.0.0.1:8443"


@dataclass
class Fuzzed:
    """A world with something in it, and its document as schemathesis reads it."""

    world: HttpWorld
    schema: schemathesis.BaseSchema
    tokens: tuple[str, ...]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    world = HttpWorld(tmp_path_factory.mktemp("fuzzed"))
    worker = world.person(Role.CUSTODIAN, Role.OPERATOR, Role.APPROVER, Role.VALIDATOR, Role.PRIVACY_OFFICER)
    for path, body in (
        ("/locations", {"name": "Store", "zone": "secure"}),
        ("/devices", {"asset_tag": "AT-1", "serial": "S1", "model": "M", "capacity_bytes": 1 << 30}),
        ("/data-sets", {"name": "CRM", "category": "moderate", "owner": "Sales"}),
        ("/parties", {"name": "Shredder Ltd", "kind": "vendor"}),
    ):
        made = world.call("POST", path, body, who=worker)
        assert made.status_code == 201, made.text
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", world.app, headers={"Host": HOST})
    yield Fuzzed(world, schema, (worker.token, world.administrator.token, world.person(Role.AUDITOR).token))
    world.close()


def takes_something(endpoint: Endpoint) -> bool:
    """Whether there is anything to get wrong."""
    return bool(endpoint.body or endpoint.query or endpoint.parameters)


QUESTIONS = [
    pytest.param(endpoint, mode, id=f"{endpoint.name}-{mode.value}")
    for endpoint in endpoints()
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or takes_something(endpoint)
]


@pytest.mark.parametrize(("endpoint", "mode"), QUESTIONS)
def test_no_request_is_a_failure_of_the_service(fuzzed: Fuzzed, endpoint: Endpoint, mode: GenerationMode) -> None:
    operation = fuzzed.schema[template(endpoint.path)][endpoint.method]
    granted = iter(range(1_000_000))

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        token = fuzzed.tokens[next(granted) % len(fuzzed.tokens)]
        response = case.call(headers={"Host": HOST, "Authorization": f"Bearer {token}"})
        accepted = response.status_code < 400  # every refusal is one, also of what is too large
        case.validate_response(response, checks=REJECTED if accepted and mode is GenerationMode.NEGATIVE else CHECKS)

    ask()
