"""No byte of a bundle can be altered, dropped or added: sampled here, every single one in the integration tests."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.statements import OpenObligation
from reports.verify import verify
from tests.support.evidence import Story, World, certified, erasure_statement, good_record, with_part

WORLD = World()
HONEST = certified(WORLD)
BUNDLE = HONEST.bundle().to_bytes()
FAILED = Story(WORLD, with_part(good_record(), "run", state="failed", error="x", error_code="x")).order().run().accept()
REPORT = FAILED.unsuccessful().to_bytes()
STATEMENT = erasure_statement(WORLD, [HONEST]).to_bytes()
FILES = {"bundle": BUNDLE, "report": REPORT, "statement": STATEMENT}


def _refused(data: bytes) -> bool:
    result = verify(data, WORLD.pin)
    return not result.genuine and not result.yes


def test_the_untouched_files_are_genuine() -> None:
    assert [verify(data, WORLD.pin).genuine for data in FILES.values()] == [True, True, True]
    assert [verify(data, WORLD.pin).yes for data in FILES.values()] == [True, False, True]


@pytest.mark.parametrize("name", FILES)
def test_flipped_bits_fail(name: str) -> None:
    data = FILES[name]
    rng = random.Random(name)  # noqa: S311 - repeatable places
    for place in range(rng.randrange(97), len(data), 97):
        altered = bytearray(data)
        altered[place] ^= 1 << rng.randrange(8)
        assert _refused(bytes(altered)), place


@pytest.mark.parametrize("name", FILES)
def test_cut_and_lengthened_files_fail(name: str) -> None:
    data = FILES[name]
    for place in range(0, len(data), 397):
        assert _refused(data[:place]), place
        assert _refused(data[:place] + data[place + 1 :]), place
        assert _refused(data[:place] + b" " + data[place:]), place
    for tail in (b"\n", b" ", b"\0", b"{}", data):
        assert _refused(data + tail)
    assert _refused(b"\xef\xbb\xbf" + data)


def test_the_same_document_spelled_otherwise_fails() -> None:
    value = json.loads(BUNDLE)
    for text in (json.dumps(value), json.dumps(value, indent=1), json.dumps(value, separators=(",", ":"))):
        assert text.encode() == BUNDLE or _refused(text.encode())
    assert _refused(BUNDLE.replace(b'"format"', b'"\\u0066ormat"', 1))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(BUNDLE) - 1), st.integers(1, 60), st.binary(max_size=60))
def test_replaced_stretches_fail(start: int, length: int, content: bytes) -> None:
    altered = BUNDLE[:start] + content + BUNDLE[start + length :]
    assert altered == BUNDLE or _refused(altered)


def test_a_statement_with_open_obligations_is_genuine_and_no_yes() -> None:
    still = OpenObligation(
        obligation="b-1", data_set="CRM backups", medium="tape 1", kind="medium-sanitized", why="Legal hold.", due=""
    )
    result = verify(erasure_statement(WORLD, [HONEST], still_open=(still,)).to_bytes(), WORLD.pin)
    assert result.genuine
    assert not result.yes
    assert any("Legal hold." in line for line in result.not_proven)
