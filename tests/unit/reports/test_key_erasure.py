"""Records of destroyed keys: what earns success, and that one altered fact takes it away."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from reports.errors import MalformedDocument
from reports.record import KeyErasure, SanitizationRecord
from reports.verdict import judge
from tests.support.evidence import CAPACITY, good_record, one_pass, with_part
from tests.support.purge_evidence import command

AREA = CAPACITY // 2
UUID = "8a1f4f9e-1d7b-4f0a-9a53-0f6f2b6f7c11"
SETTING = "luks-crypto-erase-is-purge"
FACTS = KeyErasure(
    container="luks2",
    uuid=UUID,
    cipher="aes-xts-plain64",
    key_bits=512,
    keyslots=2,
    area=(0, AREA),
    area_sha256_before="a" * 64,
    area_stored_bytes=AREA,
    ciphertext_regions=1000,
    ciphertext_bytes=CAPACITY - AREA,
    ciphertext_uniform_bytes=512,
    ciphertext_sha256_before="b" * 64,
    ciphertext_sha256_after="b" * 64,
    answers=("encrypted-before-first-use", "no-key-outside"),
    setting=None,
)


def _key_pass(number: int, pattern: str, **changes: Any) -> Any:  # noqa: ANN401 - any field of a pass
    key = "c" * 64 if pattern == "keyed-stream" else None
    return one_pass(number, **{"pattern": pattern, "key_sha256": key, "bytes_written": AREA, **changes})


PASSES = (_key_pass(1, "keyed-stream"), _key_pass(2, "zeros"))


def erased(media: str = "magnetic", requested: str = "clear", **facts: Any) -> SanitizationRecord:  # noqa: ANN401 - any field
    """A record of destroyed keys that shows success, with some facts changed."""
    record = with_part(
        good_record(media=media),
        "method",
        requested=requested,
        technique="luks-crypto-erase",
        pattern_set="keyed-stream-then-zeros",
        passes=PASSES,
        key_erasure=dataclasses.replace(FACTS, **facts),
    )
    return with_part(record, "verification", expected="zeros+ciphertext")


GOOD = erased()


def codes(record: SanitizationRecord) -> set[str]:
    return {reason.code for reason in judge(record).reasons}


@pytest.mark.parametrize("media", ["magnetic", "flash", "virtual", "unknown"])
def test_destroyed_keys_are_clear_on_every_medium(media: str) -> None:
    verdict = judge(erased(media))
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("sanitized", "clear", "full")
    assert "crypto-erase-only" in codes(erased(media))


def test_a_setting_makes_it_purge_on_magnetic_disks() -> None:
    record = erased(requested="purge", setting=SETTING)
    assert judge(record).method == "purge"
    assert codes(record) == {"crypto-erase-only", "classification-by-setting"}


@pytest.mark.parametrize("media", ["flash", "virtual", "unknown"])
def test_no_setting_makes_it_purge_elsewhere(media: str) -> None:
    verdict = judge(erased(media, requested="purge", setting=SETTING))
    assert (verdict.outcome, verdict.method) == ("unknown", "none")
    assert "setting-does-not-fit" in {reason.code for reason in verdict.reasons}


def test_on_flash_the_reader_is_told_that_a_copy_may_live_on() -> None:
    (told,) = [reason.text for reason in judge(erased("flash")).reasons if reason.code == "flash-medium"]
    assert "overwritten copy of the key may live on" in told


def passes(*changed: Any) -> SanitizationRecord:  # noqa: ANN401 - passes
    return with_part(GOOD, "method", passes=tuple(changed))


def checked(**changes: Any) -> SanitizationRecord:  # noqa: ANN401 - any field
    return with_part(GOOD, "verification", **changes)


ALTERED: list[tuple[str, SanitizationRecord, str]] = [
    ("no facts", with_part(GOOD, "method", key_erasure=None), "keys-unshown"),
    ("another container", erased(container="luks1"), "keys-unshown"),
    ("no name of it", erased(uuid="my disk"), "keys-unshown"),
    ("no key in it", erased(keyslots=0), "keys-unshown"),
    ("nobody vouched", erased(answers=()), "keys-unvouched"),
    ("half vouched", erased(answers=("no-key-outside",)), "keys-unvouched"),
    ("vouched for something else", erased(answers=(*FACTS.answers, "it-will-be-fine")), "keys-unvouched"),
    ("one word twice", erased(answers=("no-key-outside", "no-key-outside")), "keys-unvouched"),
    ("another cipher", erased(cipher="aes-cbc-essiv:sha256"), "keys-cipher"),
    ("a short key", erased(key_bits=128), "keys-cipher"),
    ("an area elsewhere", erased(area=(512, AREA)), "facts-contradict"),
    ("an area without end", erased(area=(0, CAPACITY)), "facts-contradict"),
    ("an empty area", erased(area=(0, 0)), "facts-contradict"),
    ("zeros only", passes(_key_pass(1, "zeros")), "keys-passes"),
    ("the stream last", passes(_key_pass(1, "zeros"), _key_pass(2, "keyed-stream")), "keys-passes"),
    ("another pattern set", with_part(GOOD, "method", pattern_set="canaries"), "keys-passes"),
    ("a pass cut short", passes(PASSES[0], _key_pass(2, "zeros", bytes_written=AREA - 512)), "keys-passes"),
    (
        "a key that refused to be overwritten",
        passes(PASSES[0], _key_pass(2, "zeros", bytes_written=AREA - 512, unwritten=((0, 512),), failed_writes=1)),
        "keys-passes",
    ),
    ("a pass that was not flushed", passes(PASSES[0], _key_pass(2, "zeros", flushed=False)), "pass-not-flushed"),
    ("a stream that did not come back", erased(area_stored_bytes=AREA - 512), "keys-not-stored"),
    ("another ciphertext", erased(ciphertext_sha256_after="d" * 64), "ciphertext-changed"),
    ("no look afterwards", erased(ciphertext_sha256_after=None), "ciphertext-changed"),
    ("a digest that is none", erased(area_sha256_before="?"), "digest-malformed"),
    ("less read before", erased(ciphertext_bytes=512), "keys-reading"),
    ("no region", erased(ciphertext_regions=0), "keys-reading"),
    ("more uniform than there is", erased(ciphertext_uniform_bytes=CAPACITY), "keys-reading"),
    ("a setting of something else", erased(setting="opal-revert-is-purge"), "setting-does-not-fit"),
    ("a header left", checked(residual=((0, 512),)), "residual"),
    ("ciphertext altered", checked(residual=((AREA, AREA + 512),)), "residual"),
    ("compared with something else", checked(expected="zeros"), "expected-content-differs"),
    ("through the cache", checked(direct_io=False), "verification-cached"),
    ("not read to the end", checked(completed=False), "verification-incomplete"),
    ("hidden areas not ruled out", with_part(GOOD, "device", hidden_capacity="unknown"), "hidden-capacity-unknown"),
    (
        "a command that belongs to no such run",
        with_part(GOOD, "method", commands=(command(technique="luks-crypto-erase"),)),
        "facts-contradict",
    ),
    (
        "facts of keys in another record",
        with_part(good_record(), "method", key_erasure=FACTS),
        "facts-contradict",
    ),
]


@pytest.mark.parametrize(("record", "code"), [row[1:] for row in ALTERED], ids=[row[0] for row in ALTERED])
def test_one_fact_altered_is_no_success(record: SanitizationRecord, code: str) -> None:
    verdict = judge(record)
    assert code in {reason.code for reason in verdict.blocking}
    assert verdict.outcome != "sanitized"
    assert verdict.method == "none"


def test_a_purge_that_was_asked_for_without_the_setting_is_not_reached() -> None:
    verdict = judge(erased(requested="purge"))
    assert (verdict.outcome, verdict.method) == ("partial", "clear")
    assert "luks-crypto-erase reaches clear" in verdict.reasons[0].text


def test_the_field_is_left_out_of_every_other_record() -> None:
    assert "key_erasure" not in good_record().to_dict()["method"]
    again = SanitizationRecord.from_dict(GOOD.to_dict())
    assert again == GOOD
    assert again.to_dict() == GOOD.to_dict()


def test_the_field_says_something_or_is_not_there() -> None:
    told = good_record().to_dict()
    told["method"]["key_erasure"] = None
    with pytest.raises(MalformedDocument):
        SanitizationRecord.from_dict(told)
