"""The verdict: one altered field each, and what it does to the outcome."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.findings import FINDINGS, content_of, pattern_set_name
from reports.record import SanitizationRecord, SelfTest
from reports.verdict import COVERAGE_RANK, METHOD_RANK, judge
from tests.support.evidence import CAPACITY, NONCE, device_facts, good_record, one_pass, with_part, with_pass
from tests.unit.reports.test_drive_commands import ALTERED as ALTERED_BY_DRIVE
from tests.unit.reports.test_drive_commands import CAUTIONS as CAUTIONS_BY_DRIVE
from tests.unit.reports.test_health import worse
from tests.unit.reports.test_key_erasure import ALTERED as ALTERED_KEYS

GOOD = good_record()
OTHER = "9" * 64
SAMPLED: dict[str, Any] = {
    "kind": "representative",
    "seed": NONCE,
    "regions": 2002,
    "bytes_read": CAPACITY // 10 + 512,
    "regions_sha256": "a" * 64,
}


def _segments(*endings: str) -> tuple[Any, ...]:
    (one,) = GOOD.run.segments
    times = [one.started, *(f"2026-11-22T{9 + n}:30:00Z" for n in range(1, len(endings))), one.finished]
    return tuple(
        dataclasses.replace(one, started=times[n], finished=times[n + 1], ended_by=ending)
        for n, ending in enumerate(endings)
    )


def _failed(record: SanitizationRecord = GOOD, **more: Any) -> SanitizationRecord:  # noqa: ANN401 - fields of the run
    run = {
        "state": "failed",
        "error_code": "unwritable-region",
        "error": "some",
        "segments": _segments("failed"),
        **more,
    }
    return with_part(record, "run", **run)


def _sampled(**more: object) -> SanitizationRecord:
    record = with_part(GOOD, "policy", required_verification="representative")
    return with_part(record, "verification", **{**SAMPLED, **more})


def _extra(part: str) -> SanitizationRecord:
    if part == "passes":
        return with_pass(GOOD, extra={"newer": 1})
    if part == "segments":
        return with_part(GOOD, "run", segments=(dataclasses.replace(GOOD.run.segments[0], extra={"newer": 1}),))
    return with_part(GOOD, part, extra={"newer": 1})


def test_a_good_record_is_sanitized_clear_and_fully_verified() -> None:
    verdict = judge(GOOD)
    assert (verdict.outcome, verdict.method, verdict.coverage, verdict.reasons) == ("sanitized", "clear", "full", ())
    assert verdict.reaches("clear", "full")
    assert not verdict.reaches("purge", "full")
    assert not verdict.reaches("destroy", "none")
    assert not verdict.reaches("something new", "full")
    assert not verdict.reaches("clear", "something new")


def test_a_representative_sample_is_sanitized_with_a_caution() -> None:
    verdict = judge(_sampled())
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("sanitized", "clear", "representative")
    assert [reason.code for reason in verdict.cautions] == ["representative-only"]
    assert not verdict.reaches("clear", "full")
    assert verdict.reaches("clear", "representative")


# (what is altered, code it must be called, outcome it must lead to)
ALTERED: list[tuple[str, SanitizationRecord, str, str]] = [
    # words outside the vocabulary, in every place that has one
    ("schema", with_part(GOOD, "", schema="sanitrail/sanitization-record/2"), "unknown-word", "unknown"),
    ("kind", good_record(kind="tape"), "unknown-word", "unknown"),
    ("media", good_record(media="core memory"), "unknown-word", "unknown"),
    ("hidden", good_record(hidden_capacity="perhaps"), "unknown-word", "unknown"),
    ("requested", with_part(GOOD, "method", requested="nuke"), "unknown-word", "unknown"),
    ("destroy requested", with_part(GOOD, "method", requested="destroy"), "unknown-word", "unknown"),
    ("technique", with_part(GOOD, "method", technique="nvme-format"), "unknown-word", "unknown"),
    ("pattern", with_pass(GOOD, pattern="random"), "unknown-word", "unknown"),
    ("upper-case pattern", with_pass(GOOD, pattern="fixed:FF"), "unknown-word", "unknown"),
    ("verification kind", with_part(GOOD, "verification", kind="quick"), "unknown-word", "unknown"),
    ("state", with_part(GOOD, "run", state="done"), "unknown-word", "unknown"),
    ("touched", with_part(GOOD, "run", touched="partly"), "unknown-word", "unknown"),
    ("ending", with_part(GOOD, "run", segments=_segments("ended")), "unknown-word", "unknown"),
    ("policy method", with_part(GOOD, "policy", required_method="shred"), "unknown-word", "unknown"),
    ("policy verification", with_part(GOOD, "policy", required_verification="quick"), "unknown-word", "unknown"),
    # fields of a newer writer, on every level
    *[
        (f"newer field in {part or 'record'}", _extra(part), "unknown-field", "unknown")
        for part in ("", "order", "device", "method", "verification", "run", "host", "policy", "passes", "segments")
    ],
    # digests, names, counters
    ("order digest", with_part(GOOD, "order", sha256="A" * 64), "digest-malformed", "unknown"),
    ("plan digest", with_part(GOOD, "method", plan_sha256=""), "digest-malformed", "unknown"),
    ("agent key", with_part(GOOD, "host", agent_key="x"), "digest-malformed", "unknown"),
    ("machine", with_part(GOOD, "host", machine_id_sha256="x"), "digest-malformed", "unknown"),
    ("policy digest", with_part(GOOD, "policy", sha256="x"), "digest-malformed", "unknown"),
    ("approval digest", with_part(GOOD, "order", approvals=("b" * 64, "x")), "digest-malformed", "unknown"),
    ("previous", with_part(GOOD, "", previous="x"), "digest-malformed", "unknown"),
    ("sample digest", _sampled(regions_sha256="x"), "digest-malformed", "unknown"),
    ("key commitment", with_pass(GOOD, pattern="keyed-stream", key_sha256="x"), "digest-malformed", "unknown"),
    ("nonce", with_part(GOOD, "order", nonce="1234"), "digest-malformed", "unknown"),
    ("approval twice", with_part(GOOD, "order", approvals=("b" * 64,) * 2), "approvals-repeated", "unknown"),
    ("tool", with_part(GOOD, "", tool=" "), "field-empty", "unknown"),
    ("operator", with_part(GOOD, "", operator_ref=""), "field-empty", "unknown"),
    ("record id", with_part(GOOD, "", record_id=""), "field-empty", "unknown"),
    ("order id", with_part(GOOD, "order", id=""), "field-empty", "unknown"),
    ("log origin", with_part(GOOD, "order", after_origin=""), "field-empty", "unknown"),
    ("log root", with_part(GOOD, "order", after_root=""), "field-empty", "unknown"),
    ("host name", with_part(GOOD, "host", name=""), "field-empty", "unknown"),
    ("agent version", with_part(GOOD, "host", agent_version=""), "field-empty", "unknown"),
    ("policy id", with_part(GOOD, "policy", id=""), "field-empty", "unknown"),
    ("sequence", with_part(GOOD, "host", sequence=-1), "facts-contradict", "unknown"),
    ("log size", with_part(GOOD, "order", after_size=-1), "facts-contradict", "unknown"),
    # the medium
    ("capacity 0", good_record(capacity_bytes=0), "capacity-unusable", "unknown"),
    ("odd capacity", good_record(capacity_bytes=CAPACITY + 1), "capacity-unusable", "unknown"),
    ("block 0", good_record(logical_block_bytes=0), "capacity-unusable", "unknown"),
    ("physical block 0", good_record(physical_block_bytes=0), "capacity-unusable", "unknown"),
    ("no identity", good_record(serial=None, wwn=None), "device-not-identified", "unknown"),
    ("blank identity", good_record(serial="", wwn=""), "device-not-identified", "unknown"),
    *[
        (f"another {field}", with_part(GOOD, "device", **{field: value}), "fingerprint-does-not-fit", "unknown")
        for field, value in [
            ("kind", "scsi"),
            ("vendor", "Other"),
            ("model", "Other"),
            ("serial", "Other"),
            ("wwn", "Other"),
            ("eui64", "1"),
            ("nguid", "1"),
            ("capacity_bytes", CAPACITY + 512),
            ("logical_block_bytes", 256),
            ("fingerprint", OTHER),
        ]
    ],
    ("hidden areas", good_record(hidden_capacity="yes"), "hidden-capacity", "partial"),
    ("hidden areas not ruled out", good_record(hidden_capacity="unknown"), "hidden-capacity-unknown", "unknown"),
    # times
    ("start", with_part(GOOD, "run", started="2026-11-22 09:02"), "times-unusable", "unknown"),
    ("offset", with_part(GOOD, "run", finished="2026-11-22T13:41:57+08:00"), "times-unusable", "unknown"),
    ("no such day", with_part(GOOD, "run", finished="2026-02-30T13:41:57Z"), "times-unusable", "unknown"),
    ("backwards", with_part(GOOD, "run", started="2026-11-23T00:00:00Z"), "times-unusable", "unknown"),
    (
        "negative stretch",
        with_part(GOOD, "run", segments=(dataclasses.replace(GOOD.run.segments[0], monotonic_ms=-1),)),
        "times-unusable",
        "unknown",
    ),
    # the run by its own account
    ("refused", with_part(GOOD, "run", state="refused", touched="no"), "facts-contradict", "unknown"),
    (
        "interrupted",
        with_part(GOOD, "run", state="interrupted", segments=_segments("stopped")),
        "run-interrupted",
        "interrupted",
    ),
    ("failed", _failed(), "run-failed", "failed"),
    ("maybe touched", with_part(GOOD, "run", touched="maybe"), "touched-unknown", "unknown"),
    ("not touched", with_part(GOOD, "run", touched="no"), "facts-contradict", "unknown"),
    ("error code", with_part(GOOD, "run", error_code="residual"), "error-recorded", "unknown"),
    ("error", with_part(GOOD, "run", error="something"), "error-recorded", "unknown"),
    ("no stretch", with_part(GOOD, "run", segments=()), "facts-contradict", "unknown"),
    ("stopped at the end", with_part(GOOD, "run", segments=_segments("stopped")), "facts-contradict", "unknown"),
    (
        "crashed at the end",
        with_part(GOOD, "run", segments=_segments("completed", "crashed")),
        "facts-contradict",
        "unknown",
    ),
    ("failed before", with_part(GOOD, "run", segments=_segments("failed", "completed")), "facts-contradict", "unknown"),
    ("identity unread", with_part(GOOD, "run", identity_fingerprint_after=None), "identity-unread-after", "unknown"),
    ("identity changed", with_part(GOOD, "run", identity_fingerprint_after=OTHER), "identity-changed", "failed"),
    # the passes
    ("no pass", with_part(GOOD, "method", passes=()), "no-pass", "unknown"),
    ("pass numbers", with_part(GOOD, "method", passes=(one_pass(2),)), "facts-contradict", "unknown"),
    ("key of zeros", with_pass(GOOD, key_sha256="a" * 64), "pattern-uncommitted", "unknown"),
    ("stream without key", with_pass(GOOD, pattern="keyed-stream"), "pattern-uncommitted", "unknown"),
    ("pass of another pattern", with_pass(GOOD, pattern="fixed:55"), "facts-contradict", "unknown"),
    ("short pass", with_pass(GOOD, bytes_written=CAPACITY - 512), "pass-incomplete", "failed"),
    ("nothing written", with_pass(GOOD, bytes_written=0), "pass-incomplete", "failed"),
    ("long pass", with_pass(GOOD, bytes_written=CAPACITY + 512), "facts-contradict", "unknown"),
    ("negative pass", with_pass(GOOD, bytes_written=-1), "facts-contradict", "unknown"),
    ("negative failures", with_pass(GOOD, failed_writes=-1), "facts-contradict", "unknown"),
    ("unwritten", with_pass(GOOD, bytes_written=CAPACITY - 512, unwritten=((0, 512),)), "unwritten", "partial"),
    ("unwritten beyond", with_pass(GOOD, unwritten=((CAPACITY, CAPACITY + 512),)), "facts-contradict", "unknown"),
    ("unwritten backwards", with_pass(GOOD, unwritten=((512, 0),)), "facts-contradict", "unknown"),
    ("unwritten unsorted", with_pass(GOOD, unwritten=((1024, 1536), (0, 512))), "facts-contradict", "unknown"),
    ("unwritten overlapping", with_pass(GOOD, unwritten=((0, 1024), (512, 1536))), "facts-contradict", "unknown"),
    ("unwritten but all written", with_pass(GOOD, unwritten=((0, 512),)), "facts-contradict", "unknown"),
    ("not flushed", with_pass(GOOD, flushed=False), "pass-not-flushed", "unknown"),
    # the verification
    ("not verified", with_part(GOOD, "verification", kind="none"), "not-verified", "unknown"),
    ("cached", with_part(GOOD, "verification", direct_io=False), "verification-cached", "unknown"),
    ("not completed", with_part(GOOD, "verification", completed=False), "verification-incomplete", "unknown"),
    ("no region", with_part(GOOD, "verification", regions=0), "verification-incomplete", "unknown"),
    ("nothing read", with_part(GOOD, "verification", bytes_read=0), "verification-incomplete", "unknown"),
    ("short read", with_part(GOOD, "verification", bytes_read=CAPACITY - 1), "verification-incomplete", "unknown"),
    ("long read", with_part(GOOD, "verification", bytes_read=CAPACITY + 1), "verification-incomplete", "unknown"),
    ("other content", with_part(GOOD, "verification", expected="fixed:ff"), "expected-content-differs", "unknown"),
    ("residual", with_part(GOOD, "verification", residual=((0, 512),)), "residual", "failed"),
    ("residual nonsense", with_part(GOOD, "verification", residual=((5, 5),)), "facts-contradict", "unknown"),
    ("unreadable", with_part(GOOD, "verification", unreadable=((0, 512),)), "unreadable", "partial"),
    ("unreadable nonsense", with_part(GOOD, "verification", unreadable=((-1, 5),)), "facts-contradict", "unknown"),
    ("few samples", _sampled(regions=1999), "sample-too-small", "unknown"),
    ("small samples", _sampled(bytes_read=CAPACITY // 10 - 512), "sample-too-small", "unknown"),
    ("sample uncommitted", _sampled(regions_sha256=None), "sample-not-committed", "unknown"),
    ("seed of the host", _sampled(seed="f" * 32), "seed-not-from-order", "unknown"),
    ("no seed", _sampled(seed=None), "seed-not-from-order", "unknown"),
    # enough for nobody
    (
        "weaker than policy",
        with_part(_sampled(), "policy", required_verification="full"),
        "verification-below-policy",
        "partial",
    ),
    ("policy wants purge", with_part(GOOD, "policy", required_method="purge"), "method-below-policy", "partial"),
    ("policy wants destroy", with_part(GOOD, "policy", required_method="destroy"), "method-below-policy", "partial"),
    ("purge requested", with_part(GOOD, "method", requested="purge"), "method-below-request", "partial"),
]


@pytest.mark.parametrize(("record", "code", "outcome"), [row[1:] for row in ALTERED], ids=[row[0] for row in ALTERED])
def test_one_altered_field_takes_success_away(record: SanitizationRecord, code: str, outcome: str) -> None:
    verdict = judge(record)
    assert code in {reason.code for reason in verdict.blocking}
    assert verdict.outcome == outcome
    assert not verdict.reaches("clear", "none")
    if code not in {"verification-below-policy", "method-below-policy", "method-below-request"}:
        assert (verdict.method, verdict.coverage) == ("none", "none")


CAUTIONS: list[tuple[str, SanitizationRecord, str]] = [
    ("flash", good_record(media="flash"), "flash-medium"),
    ("virtual", good_record(media="virtual", kind="loop"), "virtual-medium"),
    ("media unknown", good_record(media="unknown"), "media-unknown"),
    ("retried writes", with_pass(GOOD, failed_writes=3), "writes-retried"),
    ("clock unknown", with_part(GOOD, "run", clock_synchronized=None), "clock-unsynchronized"),
    (
        "clock wrong",
        with_part(GOOD, "run", clock_synchronized=False, started="2027-01-01T00:00:00Z"),
        "clock-unsynchronized",
    ),
    ("resumed", with_part(GOOD, "run", segments=_segments("crashed", "stopped", "completed")), "run-resumed"),
    (
        "legacy set",
        with_part(
            GOOD,
            "method",
            pattern_set="dod-scrub (as implemented by scrub dod)",
            passes=(one_pass(1, pattern="keyed-stream", key_sha256="a" * 64), one_pass(2), one_pass(3)),
        ),
        "pattern-set-is-clear",
    ),
]


@pytest.mark.parametrize(("record", "code"), [row[1:] for row in CAUTIONS], ids=[row[0] for row in CAUTIONS])
def test_what_a_reader_must_know_does_not_take_success_away(record: SanitizationRecord, code: str) -> None:
    verdict = judge(record)
    assert [reason.code for reason in verdict.reasons] == [code]
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("sanitized", "clear", "full")


def test_an_honest_refusal_is_refused() -> None:
    record = with_part(GOOD, "run", state="refused", touched="no", error_code="device-in-use", segments=())
    record = with_part(record, "method", passes=())
    verdict = judge(with_part(record, "verification", kind="none", completed=False, regions=0, bytes_read=0))
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("refused", "none", "none")


def test_named_regions_that_failed_make_it_partial_and_their_residue_no_worse() -> None:
    record = _failed(with_pass(GOOD, bytes_written=CAPACITY - 4096, unwritten=((4096, 8192),), failed_writes=9))
    assert judge(with_part(record, "verification", residual=((4096, 8192),))).outcome == "partial"
    assert judge(with_part(record, "verification", residual=((4096, 8704),))).outcome == "failed"
    assert judge(with_part(record, "verification", completed=False)).outcome == "failed"


def test_a_policy_that_wants_more_takes_nothing_away_from_what_was_done() -> None:
    verdict = judge(with_part(GOOD, "policy", required_method="purge"))
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("partial", "clear", "full")


def test_every_reason_is_listed_the_heaviest_first() -> None:
    record = with_part(good_record(media="flash", hidden_capacity="yes"), "verification", direct_io=False)
    assert [reason.effect for reason in judge(record).reasons] == ["unknown", "partial", "caution"]


@pytest.mark.parametrize("method", ["clear", "purge", "destroy"])
def test_overwriting_never_reaches_purge(method: str) -> None:
    record = with_part(GOOD, "method", passes=tuple(one_pass(n + 1) for n in range(35)), pattern_set="gutmann-scrub")
    verdict = judge(with_part(record, "policy", required_method=method))
    assert METHOD_RANK[verdict.method] <= METHOD_RANK["clear"]


def test_every_code_that_can_be_found_is_named_and_every_named_one_can_be_found() -> None:
    rows = [row[1] for row in (*ALTERED, *ALTERED_BY_DRIVE)] + [row[1] for row in ALTERED_KEYS]
    rows += [row[1] for row in (*CAUTIONS, *CAUTIONS_BY_DRIVE)] + [_sampled()]
    rows.append(with_part(with_part(GOOD, "run", state="refused", touched="no"), "method", passes=()))
    nothing_tried = SelfTest(taken="2026-11-22T08:00:00Z", build_sha256=OTHER, tool="a tool", cases=())
    rows.append(dataclasses.replace(GOOD, self_tests=(nothing_tried,)))
    rows += [worse(prediction="failing"), worse(pending=1)]
    found = {reason.code for record in rows for reason in judge(record).reasons}
    assert found == set(FINDINGS)


@pytest.mark.parametrize(
    "reason", [r for row in ALTERED + [(*c, "") for c in CAUTIONS] for r in judge(row[1]).reasons][:200]
)
def test_reasons_are_sentences_that_name_their_fields(reason: Any) -> None:  # noqa: ANN401 - a named tuple
    assert reason.text[0].isupper() or reason.text[0].isdigit()
    assert reason.text.endswith(".")
    assert reason.fields


@pytest.mark.parametrize(
    ("pattern", "content"),
    [
        ("zeros", "00"),
        ("ones", "ff"),
        ("fixed:ff", "ff"),
        ("fixed:ffff", "ff"),
        ("fixed:ff00ff00", "ff00"),
        ("keyed-stream",) * 2,
    ],
)
def test_patterns_are_compared_by_what_they_put_on_the_medium(pattern: str, content: str) -> None:
    assert content_of(pattern) == content


def test_the_name_of_a_set_is_what_stands_before_its_model() -> None:
    assert pattern_set_name("dod-scrub (as implemented by scrub dod)") == "dod-scrub"
    assert pattern_set_name("zeros") == "zeros"


def test_a_set_called_ones_may_list_its_byte() -> None:
    record = with_part(GOOD, "method", pattern_set="ones", passes=(one_pass(pattern="fixed:ff"),))
    assert judge(with_part(record, "verification", expected="ones")).outcome == "sanitized"


WORDS = st.sampled_from(["", "sanitized", "succeeded", "yes", "full", "purge", "unknown", "none"])


@given(state=WORDS, touched=WORDS, kind=WORDS, technique=WORDS, hidden=WORDS, media=WORDS)
def test_no_mixture_of_words_makes_success_but_the_known_one(
    state: str, touched: str, kind: str, technique: str, hidden: str, media: str
) -> None:
    record = good_record(hidden_capacity=hidden, media=media)
    record = with_part(record, "run", state=state, touched=touched)
    record = with_part(record, "verification", kind=kind)
    record = with_part(record, "method", technique=technique)
    assert judge(record).outcome != "sanitized"


def test_ranks_know_every_word_of_the_verdict() -> None:
    assert set(COVERAGE_RANK) == {"none", "representative", "full"}
    assert set(METHOD_RANK) == {"none", "clear", "purge", "destroy"}


def test_the_fingerprint_rule_is_stable() -> None:
    # computed once by hand with sha256sum over the canonical text; evidence of years hangs on it
    assert device_facts().fingerprint == "15d52f5838be04681ea110fa2c33f6adef6bf08c358552a70c00d706cc8e5827"


def test_a_verdict_is_judged_once_for_each_record_and_never_taken_over_by_another() -> None:
    record = GOOD
    assert judge(record) is judge(record)
    changed = dataclasses.replace(record, run=dataclasses.replace(record.run, state="failed"))
    assert judge(changed) != judge(record)
