"""Whatever the bytes are, the verifier answers: no crash, no yes."""

from __future__ import annotations

import copy
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.canonical import canonical
from reports.errors import ReportError
from reports.sealcheck import check_seal, extract_evidence
from reports.verify import verify
from tests.support.evidence import World, certified

WORLD = World()
BODY = certified(WORLD).bundle().to_dict()
BUNDLE = canonical(BODY)

SCALARS: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8) | st.just([]) | st.just({})
)


@settings(max_examples=150)
@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    for start in (b"", b"%PDF-1.7\n", b'{"format":"sanitrail/destruction-bundle/2",'):
        assert not verify(start + data, WORLD.pin).genuine


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"sanitrail"',
        b"{}",
        b'{"format":null}',
        b'{"format":[]}',
        b'{"format":"sanitrail/destruction-bundle/3"}',
        b'{"format":"sanitrail/destruction-bundle/1"}',
        b"[" * 1_000_000,
        b"{" * 1_000_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"1" * 1_000_000,
        b'"' + b"a" * 40_000_000 + b'"',
        b"%PDF-" + b"0" * 70_000_000,
        b"%PDF-1.7\n" + b"/ByteRange [0 1 2 3]" * 1000,
        b"%PDF-1.7\n" + b"/Type /EmbeddedFile" * 100_000,
    ],
    ids=lambda data: f"{data[:24]!r}…{len(data)}",
)
def test_known_nuisances(data: bytes) -> None:
    result = verify(data, WORLD.pin)
    assert not result.genuine
    assert result.codes
    json.dumps(result.to_dict())


def _pdf(content: bytes, extra: bytes = b"") -> bytes:
    packed = zlib.compress(content)
    return (
        b"%%PDF-1.7\n1 0 obj\n<</Type /EmbeddedFile/Filter /FlateDecode/Length %d>>\nstream\n%b\nendstream\nendobj\n%b"
        % (len(packed), packed, extra)
    )


def test_a_pdf_without_a_seal_is_no_document_even_with_good_evidence() -> None:
    result = verify(_pdf(BUNDLE), WORLD.pin)
    assert not result.genuine
    assert result.checks[1].code == "seal"
    assert "exactly one seal" in result.conclusion


@pytest.mark.parametrize(
    "data",
    [
        _pdf(b"\0" * 100_000_000),
        _pdf(b"x") + _pdf(b"x"),
        _pdf(b"x").replace(b"endstream", b"endstreem"),
        _pdf(b"x").replace(b"stream\nx", b"stream\ny"),
        b"%PDF-1.7\n<</Type /EmbeddedFile/Filter /FlateDecode/Length 5>>\nstream\nabcde\nendstream",
    ],
    ids=["bomb", "two files", "cut off", "spoilt", "not packed"],
)
def test_attachments_are_unpacked_within_bounds(data: bytes) -> None:
    assert not verify(data, WORLD.pin).genuine


@pytest.mark.parametrize("pin", ["", "abc", "g" * 64, "0" * 63, "0" * 65, "0" * 64])
def test_a_pin_that_is_none_or_another_is_never_a_yes(pin: str) -> None:
    assert not verify(BUNDLE, pin).yes


def test_a_pin_may_be_written_as_it_is_printed() -> None:
    spaced = " ".join(WORLD.pin[n : n + 4] for n in range(0, 64, 4)).upper()
    assert verify(BUNDLE, spaced).yes


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - any JSON value
    found = [path] if path else []
    if isinstance(value, dict):
        for name, inner in value.items():
            found += _places(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += _places(inner, (*path, number))
    return found


PLACES = _places(BODY)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), SCALARS)
def test_any_part_replaced_by_anything(path: tuple[Any, ...], value: object) -> None:
    body = copy.deepcopy(BODY)
    place = _holder(body, path)
    if place[path[-1]] == value:
        return
    place[path[-1]] = value
    assert not verify(canonical(body), WORLD.pin).genuine


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PLACES))
def test_any_part_left_out_or_added(path: tuple[Any, ...]) -> None:
    shorter, longer = copy.deepcopy(BODY), copy.deepcopy(BODY)
    del _holder(shorter, path)[path[-1]]
    place = _holder(longer, path)
    if isinstance(place, dict):
        place["surplus"] = 1
    else:
        place.append(place[0])
    for body in (shorter, longer):
        assert not verify(canonical(body), WORLD.pin).genuine


def _holder(body: Any, path: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any JSON value
    for name in path[:-1]:
        body = body[name]
    return body


@given(st.binary(max_size=400))
def test_the_seal_check_answers_for_any_bytes(data: bytes) -> None:
    contents = data.hex().encode()
    first = len(b"%PDF-1.7 /ByteRange [0 0000 0000 0000]/Contents ")
    shape = b"%%PDF-1.7 /ByteRange [0 %04d %04d %04d]/Contents <%b>end"
    pdf = shape % (first, first + len(contents) + 2, 3, contents)
    for candidate in (data, pdf, pdf.replace(b" 00", b" ", 3)):
        with pytest.raises(ReportError):
            check_seal(candidate, WORLD.seal.certificate)
        with pytest.raises(ReportError):
            extract_evidence(candidate)
