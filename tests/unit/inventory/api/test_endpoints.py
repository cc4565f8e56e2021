"""The declarations themselves: every address says who may call it, and the document says the same."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import get_args

import pytest
from openapi_spec_validator import validate

from inventory.api.endpoint import Endpoint, template
from inventory.api.install import document, endpoints
from inventory.api.problems import CATALOGUE, domain_codes
from inventory.api.v1 import NOUNS
from inventory.contract.v1 import endpoints as addresses
from inventory.contract.v1 import vocabulary as words
from inventory.domain import vocabulary
from inventory.domain.roles import Permission, Role

ALL = endpoints()
DOCUMENT = document("https://sanitrail.example.org")
PUBLIC = {
    "sign_in", "use_link",
    "passkey_options", "sign_in_with_passkey", "welcome_options", "welcome_with_passkey",
    "get_checkpoint", "get_consistency", "get_inclusion", "get_trust_root", "get_trust_roots", "get_trust", "get_tile",
    "get_entry_bundle", "get_logged_trust_root", "get_logged_key_event", "get_logged_correction", "get_document_standing",
    "get_trust_root_file", "healthz", "readyz", "get_version", "openapi_document", "reference_page",
    "verify_file", "get_standing", "open_downstream", "answer_downstream",
}  # fmt: skip
"""The whole list of what a stranger may ask; a new one must be added here on purpose."""
NO_PERMISSION_NEEDED = {
    "who_am_i", "sign_out", "change_password", "list_sessions", "end_session",
    "list_tokens", "create_token", "revoke_token",
    "show_second_factor", "confirmation_options", "confirm", "confirm_with_passkey", "my_factors",
    "new_passkey_options", "register_passkey", "remove_passkey",
    "begin_authenticator", "confirm_authenticator", "remove_authenticator", "new_recovery_codes",
    "unlink_identity",
}  # fmt: skip
"""What concerns only oneself."""


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")
    json.dumps(DOCUMENT)


def test_exactly_the_known_addresses_are_public() -> None:
    assert {endpoint.name for endpoint in ALL if endpoint.access.kind == "public"} == PUBLIC


def test_every_other_address_of_a_person_needs_a_permission() -> None:
    bare = {
        endpoint.name
        for endpoint in ALL
        if endpoint.access.kind == "person" and endpoint.access.see is None and endpoint.access.do is None
    }
    assert bare == NO_PERMISSION_NEEDED


@pytest.mark.parametrize("endpoint", ALL, ids=lambda endpoint: endpoint.name)
def test_the_document_describes_the_endpoint(endpoint: Endpoint) -> None:
    operation = DOCUMENT["paths"][template(endpoint.path)][endpoint.method.lower()]
    assert operation["operationId"] == endpoint.name
    assert operation["summary"]
    assert operation["description"]
    assert bool(operation["security"]) == (endpoint.access.kind != "public")
    named = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
    assert named == set(endpoint.parameters)
    assert all(f"{{{name}}}" in template(endpoint.path) for name in named)


@pytest.mark.parametrize("endpoint", ALL, ids=lambda endpoint: endpoint.name)
def test_what_changes_something_is_no_get(endpoint: Endpoint) -> None:
    assert endpoint.method == "GET" or endpoint.access.kind != "public" or endpoint.name in {
        "sign_in", "use_link", "verify_file", "sign_in_with_passkey", "welcome_options", "welcome_with_passkey",
        "open_downstream", "answer_downstream",
    }  # fmt: skip
    if endpoint.method == "GET":
        assert endpoint.body is None
        assert not endpoint.options.creates
        assert not endpoint.options.updates


def test_names_and_addresses_are_unique() -> None:
    assert len({endpoint.name for endpoint in ALL}) == len(ALL)
    assert len({(endpoint.method, template(endpoint.path)) for endpoint in ALL}) == len(ALL)
    assert len({noun.name for noun in NOUNS}) == len(NOUNS)


def test_every_permission_is_asked_for_somewhere() -> None:
    """A permission nobody asks for would be a promise nobody keeps; reading names is a matter of what is shown."""
    asked = {endpoint.access.do for endpoint in ALL} | {endpoint.access.see for endpoint in ALL}
    assert set(Permission) - asked == {Permission.READ_DIRECTORY}


def test_agents_addresses_are_those_of_the_contract() -> None:
    declared = {template(endpoint.path) for endpoint in ALL}
    written = {value for name, value in vars(addresses).items() if name.isupper() and name != "PREFIX"}
    assert written <= declared
    ours = {template(endpoint.path) for endpoint in ALL if endpoint.access.kind in {"agent", "enrolment"}}
    assert ours <= written


def test_every_code_in_the_document_is_known() -> None:
    known = set(CATALOGUE) | set(domain_codes())
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")):
                    assert {code.strip("`") for code in response["description"].split("; ")} <= known


def test_field_descriptions_come_from_the_code() -> None:
    device = DOCUMENT["components"]["schemas"]["DeviceDetail"]["properties"]
    assert device["label"]["description"] == "Model, serial and capacity in words."


@pytest.mark.parametrize(
    ("literal", "kind"),
    [
        (words.RoleName, Role),
        (words.ZoneName, vocabulary.Zone),
        (words.PartyKindName, vocabulary.PartyKind),
        (words.HoldingKindName, vocabulary.HoldingKind),
        (words.DecisionName, vocabulary.ValidationDecision),
    ],
)
def test_the_contracts_words_are_the_domains(literal: object, kind: type[StrEnum]) -> None:
    assert set(get_args(literal)) == {member.value for member in kind}
