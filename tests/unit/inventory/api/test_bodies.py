"""What is read as a body, and what is said about the rest."""

from __future__ import annotations

import json
from typing import Annotated

import pytest
from pydantic import Field

from inventory.api.bodies import parse
from inventory.api.problems import ApiError
from inventory.contract.v1.common import Instant, Message


class Inner(Message):
    number: Annotated[int, Field(ge=0)]


class Sample(Message):
    name: str
    when: Instant | None = None
    inner: tuple[Inner, ...] = ()
    table: dict[str, int] = Field(default_factory=dict)


def refusal(raw: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        parse(Sample, raw)
    return caught.value


def test_a_good_body_becomes_a_message() -> None:
    read = parse(Sample, b'{"name":"a","when":"2026-11-22T12:00:00Z","inner":[{"number":1}]}')
    assert read.inner[0].number == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"name":"a","name":"b"}',
        b'{"name":"a","table":{"x":1,"x":2}}',
        b'{"name":NaN}',
        b'{"name":Infinity}',
        b'{"name":"a","table":{"x":1.0}}',
        b'{"name":"a","table":{"x":1e3}}',
        b'{"name":"a","table":{"x":123456789012345678901234567890}}',
        b'\xef\xbb\xbf{"name":"a"}',
        b'{"name":"\xff"}',
        '{"name":"a"}'.encode("utf-16"),
        b'{"name":"\\ud800"}',
        b'{"name":"a\\u0000b"}',
        b'{"name":"a","table":{"\\u0000":1}}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'"' + b'\\"' * 200_000,
    ],
)
def test_what_two_readers_might_read_differently_is_malformed(raw: bytes) -> None:
    assert refusal(raw).code == "malformed-json"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": 1}, "/name"),
        ({"name": "a", "inner": [{"number": 1}, {"number": -1}]}, "/inner/1/number"),
        ({"name": "a", "inner": [{"number": "1"}]}, "/inner/0/number"),
        ({"name": "a", "inner": [{"number": True}]}, "/inner/0/number"),
        ({"name": "a", "when": "2026-11-22T12:00:00"}, "/when"),
        ({"name": "a", "surprise": 1}, "/surprise"),
        ([], ""),
        (None, ""),
    ],
)
def test_what_does_not_fit_is_pointed_at(body: object, pointer: str) -> None:
    error = refusal(json.dumps(body).encode())
    assert error.code == "invalid-body"
    assert pointer in [found.pointer for found in error.errors]


def test_the_callers_values_are_never_echoed() -> None:
    secret = "correct horse battery staple"
    error = refusal(
        json.dumps({"name": 5, "when": secret, "inner": secret, secret: 1, "table": {secret: secret}}).encode()
    )
    assert secret not in repr([found.model_dump() for found in error.errors]) + error.detail


def test_findings_are_bounded() -> None:
    many = {"name": "a", "table": {f"k{number}": "x" for number in range(5000)}}
    assert len(refusal(json.dumps(many).encode()).errors) <= 50
