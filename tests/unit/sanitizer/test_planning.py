from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import NoTechnique
from sanitizer.patterns import MAX_UNIT, PATTERN_SETS, Drawn, Fixed, Keyed, pattern_set, settled
from sanitizer.planning import PlanRequest, plan
from tests.support.simulated_drive import SimulatedDrive, SimulatedSystem

INSPECTION = SimulatedSystem(SimulatedDrive()).inspect()


def test_a_clear_by_overwriting_is_planned() -> None:
    planned = plan(PlanRequest(pattern_set="dod-scrub"), INSPECTION)
    assert planned.passes == 3
    assert planned.digest == planned.request.digest
    assert "as implemented by scrub dod" in planned.describe()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"method": "purge"}, "overwrite: reaches clear, never purge"),
        ({"method": "destroy"}, "overwrite: reaches clear, never destroy"),
        ({"method": "shred"}, "shred: not a method"),
        ({"technique": "block-erase"}, "block-erase: not a technique"),
        ({"verification": "quick"}, "quick: not a kind of verification"),
        ({"pattern_set": "dod"}, "no pattern set 'dod'"),
    ],
)
def test_what_cannot_be_reached_is_refused_with_the_reason(change: dict[str, str], reason: str) -> None:
    with pytest.raises(NoTechnique) as caught:
        plan(PlanRequest(**change), INSPECTION)  # type: ignore[arg-type]  # all are strings
    assert any(reason in each for each in caught.value.reasons)


@pytest.mark.parametrize(("zoned", "words"), [(True, "writes in zones"), (None, "unknown")])
def test_a_zoned_or_perhaps_zoned_device_has_no_technique(zoned: bool | None, words: str) -> None:
    with pytest.raises(NoTechnique, match=words):
        plan(PlanRequest(), dataclasses.replace(INSPECTION, zoned=zoned))


def test_a_device_without_identity_has_no_technique() -> None:
    with pytest.raises(NoTechnique, match="no readable identity"):
        plan(PlanRequest(), dataclasses.replace(INSPECTION, identity=None))


def test_a_capacity_that_direct_io_cannot_reach_has_no_technique() -> None:
    assert INSPECTION.identity is not None
    odd = dataclasses.replace(INSPECTION.identity, capacity_bytes=64 * 1024 + 512, logical_block_bytes=4096)
    with pytest.raises(NoTechnique, match="whole number of blocks"):
        plan(PlanRequest(), dataclasses.replace(INSPECTION, identity=odd))


@settings(deadline=None)
@given(
    st.builds(
        PlanRequest,
        pattern_set=st.text(max_size=20),
        acknowledged_signatures=st.lists(st.text(max_size=9), max_size=3).map(tuple),
    )
)
def test_the_digest_is_that_of_sorted_compact_json(request: PlanRequest) -> None:
    text = json.dumps(request.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert request.digest == hashlib.sha256(text.encode()).hexdigest()
    assert PlanRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


@pytest.mark.parametrize(
    ("request_", "digest"),
    [
        (PlanRequest(), "9161cdee394a3ea60a0cd7dc0d142922b357c61e64f497e881fce7b846667704"),
        (
            PlanRequest(
                pattern_set="dod-scrub",
                verification="representative",
                acknowledged_signatures=("lvm2-member", "zfs-member"),
            ),
            "2f207ea0f0a3cf693404d1b1eea213b7d1662a54d5dba2dcfb3c7ecaf4da3225",
        ),
    ],
)
def test_the_digest_of_an_older_request_stays_what_it_was(request_: PlanRequest, digest: str) -> None:
    """Frozen before the drives' own techniques were known: orders sealed then are still to be checked."""
    assert request_.digest == digest
    assert set(request_.to_dict()) == {"method", "technique", "pattern_set", "verification", "acknowledged_signatures"}


@pytest.mark.parametrize(
    "change",
    [
        {"firmware_pattern": "00ff00ff"},
        {"no_deallocate": True},
        {"settings": ("opal-revert-is-purge",)},
        {"acknowledged_scope": ("unallocated",)},
        {"answers": ("no-key-outside",)},
    ],
)
def test_every_later_word_is_sealed_once_it_says_something(change: dict[str, object]) -> None:
    request = PlanRequest(**change)  # type: ignore[arg-type]  # fields of their own types
    assert set(change) < set(request.to_dict())
    assert request.digest != PlanRequest().digest
    assert PlanRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


def test_an_unknown_field_of_a_request_is_no_request() -> None:
    with pytest.raises(TypeError):
        PlanRequest.from_dict({**PlanRequest().to_dict(), "force": True})


@pytest.mark.parametrize("name", sorted(PATTERN_SETS))
def test_every_set_that_mirrors_another_tool_says_so_in_its_label(name: str) -> None:
    own = {"zeros", "ones", "keyed-stream", "keyed-stream-then-zeros"}
    known = PATTERN_SETS[name]
    assert (known.mirrors is None) == (name in own)
    assert known.passes
    if known.mirrors:
        assert known.label == f"{name} (as implemented by {known.mirrors})"


def test_the_gutmann_set_has_its_35_passes_in_the_original_order() -> None:
    passes = PATTERN_SETS["gutmann-scrub"].passes
    assert len(passes) == 35
    assert [isinstance(p, Keyed) for p in passes] == [True] * 4 + [False] * 27 + [True] * 4
    units = [p.unit.hex() for p in passes if isinstance(p, Fixed)]
    assert units[:5] == ["55", "aa", "924924", "492492", "249249"]
    assert units[5:21] == [f"{v:x}{v:x}" for v in range(16)]
    assert units[21:] == ["924924", "492492", "249249", "6db6db", "b6db6d", "db6db6"]


@pytest.mark.parametrize(
    ("name", "unit"), [("fixed:00", b"\0"), ("fixed:a5", b"\xa5"), ("fixed:924924", b"\x92\x49\x24"), ("ones", b"\xff")]
)
def test_fixed_patterns_by_name(name: str, unit: bytes) -> None:
    known = pattern_set(name)
    assert known is not None
    assert known.passes == (Fixed(unit),)


@pytest.mark.parametrize(
    "name", ["fixed:", "fixed:0", "fixed:GG", "fixed:AA", "fixed:" + "00" * (MAX_UNIT + 1), "", "nonsense"]
)
def test_a_malformed_pattern_is_no_pattern(name: str) -> None:
    assert pattern_set(name) is None


def test_a_drawn_byte_and_its_complement_come_from_the_runs_key() -> None:
    assert settled(Drawn(1), b"\x00\xa7") == Fixed(b"\xa7")
    assert settled(Drawn(1, complement=True), b"\x00\xa7") == Fixed(b"\x58")
    assert settled(Keyed(), b"") == Keyed()
    assert Fixed(b"\xa7").label == "fixed:a7"
    assert Fixed(b"\0\0").label == "zeros"
