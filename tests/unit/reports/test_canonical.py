"""Canonical JSON out, strict JSON in."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from reports.canonical import (
    MAX_DEPTH,
    canonical,
    digest_of,
    from_base64,
    is_sha256,
    parse_canonical,
    parse_strict,
    sha256_hex,
    to_base64,
)
from reports.errors import MalformedDocument

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_what_is_written_reads_back_the_same(value: object) -> None:
    data = canonical(value)
    assert parse_canonical(data) == value
    assert canonical(parse_strict(data)) == data


def test_rfc_8785_orders_keys_by_utf_16_and_escapes_as_little_as_it_may() -> None:
    # RFC 8785, 3.2.3: the example of property sorting
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7}
    assert list(json.loads(canonical(value))) == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert canonical({"text": 'é"\\\n\x01/'}) == '{"text":"é\\"\\\\\\n\\u0001/"}'.encode()


@pytest.mark.parametrize(
    "value", [1.0, {"a": [0.5]}, float("nan"), 2**53, -(2**53), "\ud800", {1: 2}, {"a": b"x"}, object()]
)
def test_it_refuses_to_write_what_parsers_disagree_on(value: object) -> None:
    with pytest.raises(MalformedDocument):
        canonical(value)


def test_it_refuses_to_write_endless_nesting() -> None:
    value: list[Any] = []
    for _ in range(MAX_DEPTH + 2):
        value = [value]
    with pytest.raises(MalformedDocument, match="nested"):
        canonical(value)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":1,"\\u0061":2}', "twice"),
        (b'{"a":{"b":1,"b":1}}', "twice"),
        (b"1.0", "floating"),
        (b"1e2", "floating"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "NaN"),
        (b"-Infinity", "NaN"),
        (b"9007199254740992", "integer"),
        (b"-9007199254740992", "integer"),
        (b"1" * 5000, "integer"),
        (b'"\\ud800"', "not JSON"),
        (b'{"\\udc00":1}', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'"\xff"', "not JSON"),
        (b"", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'"a\nb"', "not JSON"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
    ],
)
def test_it_refuses_to_read_what_parsers_disagree_on(data: bytes, problem: str) -> None:
    with pytest.raises(MalformedDocument, match=problem):
        parse_strict(data)


def test_brackets_inside_strings_are_no_nesting() -> None:
    text = "[{" * 1000 + '\\"' + "]"
    assert parse_strict(json.dumps([text]).encode()) == [text]


def test_it_refuses_documents_over_the_limit() -> None:
    with pytest.raises(MalformedDocument, match="larger than 4 bytes"):
        parse_strict(b"[1,2]", max_bytes=4)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "data", [b'"' + b'\\"' * 2_000_000, b'"\\' * 1_000_000], ids=["escaped quotes", "open strings"]
)
def test_hostile_strings_cost_linear_time(data: bytes) -> None:
    with pytest.raises(MalformedDocument):  # quadratic work would take hours
        parse_strict(data)


@pytest.mark.parametrize(
    "data", [b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":1}\n', b'{"a":"\\u00e9"}', b"-0", b'{"a":"\\/"}']
)
def test_another_spelling_of_the_same_document_is_refused(data: bytes) -> None:
    parse_strict(data)
    with pytest.raises(MalformedDocument, match="canonical form"):
        parse_canonical(data)


@given(st.binary(max_size=200))
def test_base64_reads_back(data: bytes) -> None:
    assert from_base64(to_base64(data)) == data


@pytest.mark.parametrize(
    "text", ["QQ", "QQ=", "QR==", "QQ==\n", "QQ ==", "Q_-=", "QUI", "QUJ=", None, 7, "====", "QQ==QQ=="]
)
def test_base64_has_one_spelling(text: object) -> None:
    with pytest.raises(MalformedDocument):
        from_base64(text)


def test_digests_are_lower_case_hexadecimal_sha256() -> None:
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest_of({}) == sha256_hex(b"{}")
    assert is_sha256("0" * 64)
    assert not any(is_sha256(text) for text in ("0" * 63, "A" * 64, "0" * 64 + "\n", None, 1))


@given(JSON_VALUES)
def test_the_fast_way_writes_what_the_library_writes(value: Any) -> None:  # noqa: ANN401 - any JSON value
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value", [{"\U00010000": 1, "\uffff": 2}, {"\u00e9": 1, "z": 2, "\u2028": 3}, '\x7f\x1f"\\/\b', ["\u2028\u00e9"]]
)
def test_keys_and_characters_where_orders_and_escapes_could_differ(value: Any) -> None:  # noqa: ANN401 - any JSON value
    assert canonical(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [{1: "x"}, {"a": 1.0}, {"\u00e9": 1.0}, ["x", 2**53], b"x", {"a": {"b": object()}}, "\ud800", {"\ud800": 1}],
)
def test_what_the_library_refuses_the_fast_way_refuses(value: object) -> None:
    with pytest.raises(MalformedDocument):
        canonical(value)
