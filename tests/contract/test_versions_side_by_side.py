"""Which versions of service and agent understand each other: the messages of earlier versions, as they were, and what may change.

`tests/frozen/messages/VERSION.json` says of each message what it held when that version was current. Whoever speaks older words
is read; whoever hears newer ones says so, and nothing is written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agents.client import _read
from agents.errors import ReplyUnreadable
from inventory.contract.v1 import agents, devices, escrows, orders, readings
from inventory.contract.v1.common import Message

FROZEN = Path(__file__).parents[1] / "frozen" / "messages"
VERSIONS = sorted(path.stem for path in FROZEN.glob("*.json"))
SAID_BY_AGENTS: tuple[type[Message], ...] = (
    agents.EnrolmentRequest, agents.Heartbeat, agents.RecordSubmission, devices.Observation, orders.HoldQuestion,
    orders.Progress, readings.ReadingProgress, readings.ReadingSubmission, escrows.EscrowDeposit, escrows.EscrowRelease,
)  # fmt: skip
SAID_TO_AGENTS: tuple[type[Message], ...] = (
    agents.EnrolmentReply, agents.HeartbeatReply, agents.RecordAccepted, devices.ObservationAccepted, orders.LeaseReply,
    orders.HoldAnswer, orders.ProgressReply, readings.ReadingLeaseReply, readings.ReadingProgressReply,
    readings.ReadingReceived, escrows.EscrowHeld,
)  # fmt: skip


def parts(message: type[Message]) -> dict[str, dict[str, list[str]]]:
    """Every object of a message: its fields, and those without which it is not read."""
    schema = message.model_json_schema()
    found = {**schema.get("$defs", {}), message.__name__: schema}
    return {
        name: {"fields": sorted(one.get("properties", {})), "required": sorted(one.get("required", []))}
        for name, one in found.items()
        if one.get("type") == "object"
    }


def then(version: str, message: type[Message]) -> dict[str, dict[str, list[str]]]:
    found: dict[str, Any] = json.loads((FROZEN / f"{version}.json").read_text(encoding="utf-8"))
    parts_then: dict[str, dict[str, list[str]]] = found[message.__name__]
    return parts_then


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("message", SAID_BY_AGENTS, ids=lambda one: one.__name__)
def test_what_an_agent_of_then_says_is_read_today(version: str, message: type[Message]) -> None:
    now = parts(message)
    for name, old in then(version, message).items():
        assert set(old["fields"]) <= set(now[name]["fields"]), "it says something that nobody reads any more"
        assert set(now[name]["required"]) <= set(old["required"]), "today asks for what an older agent does not say"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("message", SAID_TO_AGENTS, ids=lambda one: one.__name__)
def test_what_the_service_says_today_is_read_by_an_agent_of_then(version: str, message: type[Message]) -> None:
    now = parts(message)
    for name, old in then(version, message).items():
        assert set(now[name]["fields"]) <= set(old["fields"]), "an older agent refuses what it does not know"
        assert set(old["required"]) <= set(now[name]["required"]), "an older agent waits for something"


def test_an_answer_with_a_word_the_agent_does_not_know_is_no_answer() -> None:
    said = {"current": True, "stop_requested": False}
    assert _read(orders.ProgressReply, json.dumps(said).encode()).current
    with pytest.raises(ReplyUnreadable, match="never"):
        _read(orders.ProgressReply, json.dumps({**said, "never": 1}).encode())


def test_an_answer_about_holds_without_the_services_signature_is_no_answer() -> None:
    """As services gave it before it was signed: the agent does not begin."""
    said = {"nonce": "0" * 32, "clear": True, "reasons": []}
    with pytest.raises(ReplyUnreadable, match="statement"):
        _read(orders.HoldAnswer, json.dumps(said).encode())


def test_a_message_with_a_word_the_service_does_not_know_is_refused() -> None:
    with pytest.raises(ValidationError):
        orders.HoldQuestion.model_validate({"token": 1, "nonce": "0" * 32, "quick": True})
