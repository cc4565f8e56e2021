"""The sanitizer's words, the record's and the contract's are the same words; and both sides mean the same addresses."""

from __future__ import annotations

import dataclasses
import re
import typing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sanitizer
from agents import client as agent_client
from agents import local_rules, orders, signing
from agents.reporter import STATES
from inventory.app import create_app
from inventory.auth import signatures
from inventory.contract.v1 import devices, endpoints
from inventory.contract.v1 import orders as contract
from inventory.contract.v1.common import Method, Verification
from reports import orders as readers
from reports import record
from reports.canonical import digest_of
from reports.findings.codes import COVERAGES, ENDINGS, KINDS, MEDIA, METHODS
from reports.findings.codes import STATES as RECORD_STATES
from reports.findings.techniques import DRIVE, SETTINGS
from sanitizer import run as engine_run
from sanitizer.planning import ANSWERS, DISPUTES, SCOPES
from sanitizer.planning import METHODS as ENGINE_METHODS
from sanitizer.planning import VERIFICATIONS as ENGINE_VERIFICATIONS
from sanitizer.techniques import base as techniques
from sanitizer.techniques.base import CommandFacts
from tests.support.http_world import HttpWorld


def fields(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)} - {"extra"}


# --- what the sanitizer returns is what a record holds -----------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "DeviceFacts",
        "HealthAnswer",
        "HealthReading",
        "KeyErasure",
        "MethodFacts",
        "PassFacts",
        "VerificationFacts",
        "RunFacts",
        "Segment",
    ],
)
def test_results_and_records_have_the_same_fields(name: str) -> None:
    kept_by_the_agent = {"capacity_proof"} if name == "DeviceFacts" else set()
    assert fields(getattr(engine_run, name)) == fields(getattr(record, name)) - kept_by_the_agent


def test_commands_are_the_same_facts_on_both_sides() -> None:
    assert fields(CommandFacts) == fields(record.CommandFacts)


def test_a_device_command_has_the_same_fields_in_a_result_and_in_a_record() -> None:
    assert fields(techniques.CommandFacts) == fields(record.CommandFacts)


def test_every_end_state_of_the_engine_is_one_a_record_can_hold() -> None:
    assert {str(state) for state in engine_run.ENDED} | {"interrupted"} == set(RECORD_STATES)


def test_every_kind_of_device_is_known_everywhere() -> None:
    kinds = set(typing.get_args(devices.DeviceIdentity.model_fields["kind"].annotation))
    assert kinds == set(KINDS)


def test_every_medium_is_known_everywhere() -> None:
    assert set(typing.get_args(devices.ObservedDevice.model_fields["media"].annotation)) == set(MEDIA)


def test_methods_and_verifications_are_the_same_words_in_the_same_order() -> None:
    assert typing.get_args(Method) == ENGINE_METHODS == orders._METHODS
    assert set(METHODS) < set(ENGINE_METHODS)
    assert typing.get_args(Verification) == ENGINE_VERIFICATIONS == orders._VERIFICATIONS
    assert set(COVERAGES) == set(ENGINE_VERIFICATIONS)


def test_stretches_end_in_words_a_record_knows() -> None:
    assert set(ENDINGS) == {"completed", "stopped", "crashed", "failed"}


def test_progress_speaks_the_same_words() -> None:
    added_by_the_agent = {"token", "reason_code", "reason", "temperature"}
    assert fields(sanitizer.Progress) - {"run_id"} == set(contract.Progress.model_fields) - added_by_the_agent
    assert typing.get_args(contract.Progress.model_fields["state"].annotation) == STATES
    told = {str(state) for state in sanitizer.RunState} - {"planned", "marking"}
    assert told == set(STATES)


def test_the_identity_is_told_as_the_sanitizer_has_it() -> None:
    ours = set(devices.DeviceIdentity.model_fields)
    assert ours - {"fingerprint"} <= fields(sanitizer.DeviceIdentity)
    assert fields(sanitizer.DeviceIdentity) - ours == {"physical_block_bytes"}


# --- the plan ---------------------------------------------------------------------------------------------------------


def test_a_plan_is_asked_for_in_the_same_words() -> None:
    assert fields(sanitizer.PlanRequest) == set(contract.PlanRequest.model_fields)


REF = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,40}", fullmatch=True)


@given(
    method=st.sampled_from(ENGINE_METHODS),
    pattern_set=REF,
    verification=st.sampled_from(ENGINE_VERIFICATIONS),
    acknowledged=st.lists(REF, max_size=4),
    technique=st.sampled_from(["overwrite", "auto", *sorted(DRIVE), "overwrite+ata-security-erase-enhanced"]),
    later=st.fixed_dictionaries(
        {},
        optional={
            "firmware_pattern": st.sampled_from(["", "00000000", "deadbeef"]),
            "no_deallocate": st.booleans(),
            "settings": st.lists(st.sampled_from(sorted(SETTINGS)), max_size=5),
            "acknowledged_scope": st.lists(st.sampled_from(sorted(SCOPES)), max_size=4),
            "answers": st.lists(st.sampled_from(sorted(ANSWERS)), max_size=2),
        },
    ),
)
def test_the_sealed_digest_of_a_plan_is_the_engines(
    method: str,
    pattern_set: str,
    verification: str,
    acknowledged: list[str],
    technique: str,
    later: dict[str, typing.Any],
) -> None:
    """RFC 8785 on our side, plain sorted JSON on the engine's: equal for everything an order can say."""
    sealed = contract.PlanRequest.model_validate(
        {
            "method": method,
            "technique": technique,
            "pattern_set": pattern_set,
            "verification": verification,
            "acknowledged_signatures": acknowledged,
            **later,
        }
    )
    asked = sanitizer.PlanRequest.from_dict(sealed.model_dump())
    told = sealed.model_dump(mode="json")
    assert asked.digest == digest_of(told)
    assert readers.Plan.from_dict(told).to_dict() == told


def test_the_digest_of_an_older_plan_stays_what_it_was() -> None:
    """Computed once over the five fields the first version had."""
    older = {
        "method": "clear",
        "technique": "overwrite",
        "pattern_set": "zeros",
        "verification": "full",
        "acknowledged_signatures": [],
    }
    assert sanitizer.PlanRequest.from_dict(older).digest == digest_of(older)
    assert contract.PlanRequest.model_validate(older).model_dump(mode="json") == older


def test_words_of_a_plan_are_the_same_everywhere() -> None:
    assert set(DISPUTES) == set(SETTINGS)


@pytest.mark.parametrize("name", sorted(sanitizer.PATTERN_SETS))
def test_every_pattern_set_can_be_named_in_an_order(name: str) -> None:
    contract.PlanRequest(method="clear", technique="overwrite", pattern_set=name, verification="full")


# --- orders, approvals, rosters: the agent's messages and the verifier's readers ---------------------------------------


@pytest.mark.parametrize(
    ("message", "reader"),
    [
        (contract.SealedOrder, readers.Order),
        (contract.Approval, readers.Approval),
        (contract.Roster, readers.Roster),
        (contract.RosterPerson, readers.RosterPerson),
        (contract.PlanRequest, readers.Plan),
    ],
)
def test_what_agents_check_is_what_the_verifier_reads(message: typing.Any, reader: type) -> None:  # noqa: ANN401 - a pydantic model
    names = {field.alias or name for name, field in message.model_fields.items()}
    assert names == fields(reader)


# --- requests ---------------------------------------------------------------------------------------------------------


def test_both_sides_cover_and_tag_requests_alike() -> None:
    assert signing.TAG == signatures.TAG
    assert signing.COVERED == signatures.COVERED
    assert signing.COVERED_WITH_BODY == signatures.COVERED_WITH_BODY


def test_every_address_an_agent_uses_is_one_the_service_serves(tmp_path: Path) -> None:
    world = HttpWorld(tmp_path)
    try:
        app = create_app(world.settings, clock=world.clock, context=world.context)
        served = {
            (method, re.sub(r"<[^>]*>", "{}", rule.rule))
            for rule in app.url_map.iter_rules()
            for method in rule.methods or ()
        }
    finally:
        world.close()
    used = {
        ("POST", endpoints.ENROLMENTS),
        ("GET", endpoints.AGENT_ENROLMENT),
        ("POST", endpoints.AGENT_HEARTBEAT),
        ("PUT", endpoints.AGENT_OBSERVATION),
        ("POST", endpoints.AGENT_LEASES),
        ("POST", re.sub(r"\{\w+\}", "{}", endpoints.AGENT_HOLDS)),
        ("POST", re.sub(r"\{\w+\}", "{}", endpoints.AGENT_PROGRESS)),
        ("POST", endpoints.AGENT_RECORDS),
        ("POST", endpoints.AGENT_READING_LEASES),
        ("POST", re.sub(r"\{\w+\}", "{}", endpoints.AGENT_READING_PROGRESS)),
        ("POST", re.sub(r"\{\w+\}", "{}", endpoints.AGENT_READING_RESULT)),
        ("POST", endpoints.AGENT_ESCROWS),
        ("POST", re.sub(r"\{\w+\}", "{}", endpoints.AGENT_ESCROW_RELEASE)),
        ("GET", endpoints.AGENT_ROSTER),
        ("GET", endpoints.LOG_CHECKPOINT),
        ("GET", endpoints.LOG_CONSISTENCY),
        ("GET", endpoints.LOG_TRUST_ROOTS),
    }
    assert used <= served
    assert len(used) == sum(name.isupper() and name != "PREFIX" for name in vars(endpoints))


def test_the_client_has_a_method_for_each_address() -> None:
    methods = [name for name in vars(agent_client.Service) if not name.startswith("_")]
    assert len(methods) == 17


def test_local_rules_know_the_contracts_methods() -> None:
    example = local_rules.parse('allowed_methods = ["clear", "purge", "destroy"]\nmax_devices_per_hour = 1')
    assert example.allowed_methods == typing.get_args(Method)
