"""No byte string crashes a decoder or an explanation: a value comes back, or `MalformedReply`, and nothing else."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer import wire
from sanitizer.wire import MalformedReply
from sanitizer.wire.explain import (
    Answer,
    Explanation,
    NvmeForm,
    ScsiForm,
    explain_ata,
    explain_emmc,
    explain_nvme,
    explain_nvme_sanitize,
    explain_scsi,
    explain_sense,
)
from sanitizer.wire.fields import Buffer

from . import hand_made as made

DECODERS: dict[str, Callable[[Buffer], object]] = {
    name: getattr(wire, name)
    for name in wire.__all__
    if name.startswith("decode_") and name != "decode_sanitize_status"  # takes registers, not bytes
}
EXPLAINERS: dict[str, Callable[[bytes], Explanation]] = {
    "ata": explain_ata,
    "emmc": explain_emmc,
    "nvme-sanitize": explain_nvme_sanitize,
    **{f"nvme {form}": lambda data, form=form: explain_nvme(data, form) for form in NvmeForm},  # type: ignore[misc]  # mypy cannot infer lambdas with defaults
    **{f"scsi {form}": lambda data, form=form: explain_scsi(data, form) for form in ScsiForm},  # type: ignore[misc]  # as above
    **{f"sense {answer}": lambda data, answer=answer: explain_sense(data, answer) for answer in Answer},  # type: ignore[misc]  # as above
}
REPLIES = [
    made.identify(),
    made.controller(),
    made.namespace(),
    made.sanitize_log(0x0101),
    made.inquiry(),
    made.vpd(0x00, b"\x00\x80\x83\xb1\xb2"),
    made.vpd(0x80, b"  HANDMADE0001"),
    made.vpd(0x83, made.designator(3, bytes(8)) + made.designator(8, b"naa.5\0", code_set=3, association=2)),
    made.vpd(0xB1, bytes(60)),
    made.vpd(0xB2, bytes(4)),
    made.fixed_sense(2, 0x04, 0x1B, {15: b"\x80\x40\x00"}),
    made.descriptor_sense(1, 0x00, 0x1D, made.ata_return(count=0x4000), bytes([0x0A, 6, 2, 4, 0x1B, 0, 1, 2])),
    made.ext_csd(),
    bytes([0, 0x83, 0, 2, 0x48, 0x1F, 0, 10]) + bytes(10),
    bytes([0, 0, 0, 8, 0x48, 0, 0, 2, 0, 1, 0, 10]),
]
LENGTHS = [0, 1, 2, 4, 5, 8, 18, 36, 96, 252, 511, 512, 513, 1024, 1025, 4095, 4096, 4097, 65535, 65540, 70000]


def _noise(length: int, seed: int, fill: int | None) -> bytes:
    if fill is not None:
        return bytes([fill]) * length
    return random.Random(seed).randbytes(length)  # noqa: S311 - noise for a test, no secret


NOISE = st.builds(
    _noise,
    st.one_of(st.sampled_from(LENGTHS), st.integers(0, 600)),
    st.integers(0, 2**32),
    st.one_of(st.none(), st.sampled_from([0x00, 0xFF, 0x70, 0x72, 0x80, 0x83, 0x20])),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A reply of some kind, with a few bytes altered, then cut off or prolonged."""
    data = bytearray(draw(st.one_of(st.sampled_from(REPLIES), NOISE)))
    for at, value in draw(st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), max_size=12)):
        if data:
            data[at % len(data)] = value
    if draw(st.booleans()):
        return bytes(data[: draw(st.integers(0, len(data)))])
    return bytes(data) + draw(st.binary(max_size=16))


def _holds_control_characters(text: str) -> bool:
    return any(not char.isprintable() for char in text)


def _sound(explanation: Explanation) -> None:
    """Both halves can be shown anywhere: plain JSON, and text without anything a terminal would obey."""
    assert json.loads(json.dumps(explanation.keys)) == explanation.keys
    for group in explanation.groups:
        assert group.rows
        for row in group.rows:
            assert not any(_holds_control_characters(text) for text in row), row


@pytest.mark.parametrize("name", DECODERS)
@settings(max_examples=150, deadline=None)
@given(data=damaged())
def test_decoders_return_or_call_it_malformed(name: str, data: bytes) -> None:
    try:
        first = DECODERS[name](data)
    except MalformedReply:
        return
    assert DECODERS[name](bytearray(data)) == first == DECODERS[name](memoryview(data))
    hash(first)


@pytest.mark.parametrize("name", EXPLAINERS)
@settings(max_examples=150, deadline=None)
@given(data=damaged())
def test_explanations_are_sound_or_call_it_malformed(name: str, data: bytes) -> None:
    try:
        explanation = EXPLAINERS[name](data)
    except MalformedReply:
        return
    _sound(explanation)


@pytest.mark.parametrize("fill", [0x00, 0x20, 0x5C, 0x7F, 0x80, 0xFF])
@pytest.mark.parametrize("length", LENGTHS)
def test_constant_bytes_of_any_length_are_survived(fill: int, length: int) -> None:
    for explain in EXPLAINERS.values():
        try:
            _sound(explain(bytes([fill]) * length))
        except MalformedReply:
            continue


@pytest.mark.parametrize("reply", [reply for reply in REPLIES if len(reply) <= 512], ids=lambda reply: f"{len(reply)}")
def test_every_beginning_of_a_reply_is_survived(reply: bytes) -> None:
    for length in range(len(reply)):
        for explain in EXPLAINERS.values():
            try:
                _sound(explain(reply[:length]))
            except MalformedReply:
                continue


def test_every_value_of_every_byte_of_sense_data_is_survived() -> None:
    for reply in (made.fixed_sense(1, 0, 0x1D, length=24), made.descriptor_sense(1, 0, 0x1D, made.ata_return())):
        for at in range(len(reply)):
            for value in range(256):
                altered = bytearray(reply)
                altered[at] = value
                for answer in Answer:
                    try:
                        _sound(explain_sense(altered, answer))
                    except MalformedReply:
                        continue
