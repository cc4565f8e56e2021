"""LUKS2 headers, read by the format's own description, by cryptsetup's output, and with bytes nobody vouches for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.luks2 import (
    BINARY_BYTES,
    checksum_holds,
    decode_binary,
    decode_metadata,
    magic_of,
    version_of,
)
from tests.support.capabilities import requires_tool
from tests.support.luks import cryptsetup, make_container
from tests.support.luks_made import METADATA, UUID, changed, header


def area(text: bytes) -> bytes:
    return text.ljust(12288, b"\0")


def test_fields_stand_where_the_format_says() -> None:
    found = decode_binary(header(sequence=77))
    assert (found.size, found.sequence, found.uuid, found.offset) == (16384, 77, UUID, 0)
    assert magic_of(header(second=True)) == "second"
    assert version_of(header(version=1)) == 1
    assert version_of(b"x" * 16) is None


def test_the_checksum_covers_every_byte_but_its_own_field() -> None:
    whole = header()
    assert checksum_holds(whole)
    for at in (0, 100, 447, 512, 4096, 16383):
        assert not checksum_holds(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]), at
    assert not checksum_holds(whole[:500] + b"\x01" + whole[501:])  # the field is padded with zeros
    assert not checksum_holds(whole[:-1])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"a":1,"a":2}',
        b"[" * 12000,
        b'{"keyslots":{},"segments":{},"tokens":{},"digests":{},"config":{"json_size":"-1","keyslots_size":"0"}}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_metadata_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedReply):
        decode_metadata(area(text))


def test_a_name_that_stands_twice_is_malformed() -> None:
    text = json.dumps(METADATA).replace('"tokens"', '"tokens": {}, "tokens"', 1)
    with pytest.raises(MalformedReply):
        decode_metadata(area(text.encode()))


@pytest.mark.parametrize("number", ["", "-5", "1.5", "0x10", " 7", "07", "9" * 4400, 32768, None, True])
def test_a_number_that_is_none_is_malformed(number: object) -> None:
    metadata = changed(lambda m: m["segments"]["0"].update(offset=number))
    with pytest.raises(MalformedReply):
        decode_metadata(area(json.dumps(metadata).encode()))


def test_text_without_an_end_is_malformed() -> None:
    with pytest.raises(MalformedReply):
        decode_metadata(json.dumps(METADATA).encode())


@given(st.binary(max_size=BINARY_BYTES + 64))
def test_any_bytes_are_a_header_or_malformed(data: bytes) -> None:
    for decode in (decode_binary, decode_metadata):
        try:
            decode(data)
        except MalformedReply:
            continue
    assert checksum_holds(data) in {True, False}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.just("16384"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.just("0"), inner, max_size=4),
    max_leaves=12,
)
PLACES = st.sampled_from(
    [
        "keyslots",
        "segments",
        "tokens",
        "digests",
        "config",
        "keyslots.0",
        "keyslots.0.area",
        "segments.0",
        "digests.0",
        "config.requirements",
        "segments.0.offset",
        "segments.0.size",
        "keyslots.0.key_size",
        "digests.0.keyslots",
    ]
)


@given(PLACES, JSON)
def test_any_value_at_any_place_is_read_or_malformed(place: str, value: object) -> None:
    def put(metadata: dict[str, object]) -> None:
        *way, last = place.split(".")
        inner: dict[str, object] = metadata
        for name in way:
            inner = inner[name]  # type: ignore[assignment]
        inner[last] = value

    text = json.dumps(changed(put)).encode()
    try:
        decode_metadata(area(text) if len(text) < 12288 else text + b"\0")
    except MalformedReply:
        return


@requires_tool("cryptsetup")
@pytest.mark.parametrize(
    "options", [(), ("--key-size", "256"), ("--luks2-metadata-size", "64k"), ("--label", "backup")]
)
def test_a_real_header_is_read_as_cryptsetup_reads_it(tmp_path: Path, options: tuple[str, ...]) -> None:
    path = make_container(tmp_path / "c.img", 24 << 20, *options)
    told = json.loads(cryptsetup("luksDump", "--dump-json-metadata", str(path)).stdout)
    raw = path.read_bytes()
    binary = decode_binary(raw[:BINARY_BYTES])
    whole = raw[: binary.size]
    assert checksum_holds(whole)
    assert checksum_holds(raw[binary.size : 2 * binary.size])
    found = decode_metadata(whole[BINARY_BYTES:])
    (slot,) = found.keyslots
    start = int(told["keyslots"]["0"]["area"]["offset"])
    assert slot.area == (start, start + int(told["keyslots"]["0"]["area"]["size"]))
    assert slot.key_bytes == told["keyslots"]["0"]["key_size"]
    assert found.segments[0].offset == int(told["segments"]["0"]["offset"])
    assert found.segments[0].encryption == told["segments"]["0"]["encryption"]
    dump = cryptsetup("luksDump", str(path)).stdout.decode()
    assert binary.uuid in dump
    assert f"Epoch:         \t{binary.sequence}\n" in dump
