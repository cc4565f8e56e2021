from __future__ import annotations

import hashlib
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer import content
from sanitizer.content import (
    CHUNK,
    SLACK,
    FixedSource,
    KeyedSource,
    calibrate,
    commitment,
    drawn_bytes,
    source_of,
    stream_key,
)
from sanitizer.errors import SelfTestFailed
from sanitizer.patterns import Fixed, Keyed
from tests.support.capabilities import requires_tool

KEY = bytes(range(32))


def filled(source: content.Source, length: int, offset: int) -> bytes:
    view = memoryview(bytearray(length + SLACK))
    source.fill(view, length, offset)
    return bytes(view[:length])


def in_pieces(source: content.Source, length: int, offset: int) -> bytes:
    view = memoryview(bytearray(CHUNK + SLACK))
    out = bytearray()
    for at, count in source.pieces(view, length, offset):
        assert at == len(out)
        out += view[:count]
    return bytes(out)


@requires_tool("openssl")
@pytest.mark.reference_tool
@pytest.mark.parametrize(("number", "chunk"), [(1, 0), (7, 3), (2, (1 << 32) + 5)])
@pytest.mark.parametrize("through_gcm", [True, False])
def test_openssl_makes_the_same_stream(number: int, chunk: int, through_gcm: bool) -> None:
    counter = number.to_bytes(4, "big") + chunk.to_bytes(8, "big") + (2).to_bytes(4, "big")
    judged = subprocess.run(
        ["openssl", "enc", "-aes-256-ctr", "-K", KEY.hex(), "-iv", counter.hex()],
        input=bytes(CHUNK),
        capture_output=True,
        check=True,
    ).stdout
    assert filled(KeyedSource(KEY, number, through_gcm=through_gcm), CHUNK, chunk * CHUNK) == judged


@settings(max_examples=40, deadline=None)
@given(
    offset=st.integers(0, 3 * CHUNK),
    length=st.integers(1, 2 * CHUNK),
    through_gcm=st.booleans(),
    source=st.sampled_from(["keyed", "zeros", "three"]),
)
def test_any_part_is_the_same_however_it_is_cut(offset: int, length: int, through_gcm: bool, source: str) -> None:
    sources: dict[str, content.Source] = {
        "keyed": KeyedSource(KEY, 1, through_gcm=through_gcm),
        "zeros": FixedSource(b"\0"),
        "three": FixedSource(b"\x92\x49\x24"),
    }
    made = sources[source]
    whole = filled(made, offset + length, 0)
    assert filled(made, length, offset) == whole[offset:]
    assert in_pieces(made, length, offset) == whole[offset:]


def test_passes_chunks_and_keys_all_differ() -> None:
    seen = {
        filled(KeyedSource(key, number, through_gcm=True), 64, chunk * CHUNK)
        for key in (KEY, bytes(32))
        for number in (0, 1, 2)
        for chunk in (0, 1, 1 << 33)
    }
    assert len(seen) == 18


def test_only_units_that_divide_a_chunk_are_constant() -> None:
    assert FixedSource(b"\0").constant
    assert FixedSource(b"\x01\x02\x03\x04").constant
    assert not FixedSource(b"\x92\x49\x24").constant
    assert not KeyedSource(KEY, 1, through_gcm=True).constant


def test_content_becomes_its_source() -> None:
    assert isinstance(source_of(Fixed(b"\xff"), KEY, 1, through_gcm=True), FixedSource)
    assert isinstance(source_of(Keyed(), KEY, 1, through_gcm=True), KeyedSource)


def test_the_key_belongs_to_one_run_and_one_medium() -> None:
    keys = {stream_key(master, print_) for master in (bytes(32), KEY) for print_ in ("a" * 64, "b" * 64)}
    assert len(keys) == 4
    assert all(len(key) == 32 for key in keys)
    assert drawn_bytes(KEY, "a" * 64) != stream_key(KEY, "a" * 64)[:16]
    assert commitment(KEY) == hashlib.sha256(KEY).hexdigest()


@pytest.mark.parametrize("broken", [True, False])
def test_a_cipher_with_a_wrong_answer_stops_everything(monkeypatch: pytest.MonkeyPatch, broken: bool) -> None:
    real = KeyedSource.fill

    def wrong(self: KeyedSource, view: memoryview, length: int, offset: int) -> None:
        real(self, view, length, offset)
        if self._through_gcm is broken:
            view[0] ^= 1

    monkeypatch.setattr(KeyedSource, "fill", wrong)
    with pytest.raises(SelfTestFailed) as caught:
        calibrate(lambda: 0.0, memoryview(bytearray(CHUNK + SLACK)))
    assert caught.value.path == ("GCM" if broken else "CTR")


@pytest.mark.parametrize("gcm_is_faster", [True, False])
def test_the_faster_way_is_taken(gcm_is_faster: bool) -> None:
    now = 0.0
    calls = 0

    def clock() -> float:
        nonlocal now, calls
        calls += 1
        # two readings a measurement, GCM and CTR in turn: 1 second for the one, 2 for the other
        gcm = (calls - 1) // 2 % 2 == 0
        if calls % 2 == 0:
            now += 1.0 if gcm is gcm_is_faster else 2.0
        return now

    assert calibrate(clock, memoryview(bytearray(CHUNK + SLACK))) is gcm_is_faster
