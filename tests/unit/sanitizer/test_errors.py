from __future__ import annotations

import dataclasses
import re

import pytest

from sanitizer import errors
from sanitizer.errors import ERRORS, Incomplete, Refused, SanitizerError, TransportError, VerificationError

ALL = sorted(ERRORS.values(), key=lambda kind: kind.code)


def _example(kind: type[SanitizerError]) -> SanitizerError:
    values = {"str": "x", "int": 1, "tuple[str, ...]": ("x",), "tuple[ByteRange, ...]": ((0, 512),)}
    needed = {
        f.name: values[str(f.type)]
        for f in dataclasses.fields(kind)
        if f.init and f.default is dataclasses.MISSING and str(f.type) in values
    }
    optional = {f.name: None for f in dataclasses.fields(kind) if f.init and f.default is dataclasses.MISSING}
    return kind(**{**optional, **needed})  # type: ignore[arg-type]  # made from the fields themselves


def test_codes_are_unique_and_printable() -> None:
    codes = [kind.code for kind in ALL]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_every_error_says_what_happened_what_is_true_and_what_to_do(kind: type[SanitizerError]) -> None:
    error = _example(kind)
    assert kind.sentence
    assert kind.remedy.endswith(".")
    assert kind.fault in {"operator", "host", "device", "tool"}
    assert error.summarize().startswith(kind.sentence)
    assert kind.remedy in error.explain()
    assert "The medium" in error.explain()
    assert str(error) == error.summarize()


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.code)
def test_every_error_belongs_to_one_family(kind: type[SanitizerError]) -> None:
    families = [f for f in (Refused, TransportError, Incomplete, VerificationError) if issubclass(kind, f)]
    assert len(families) == 1 or kind in {errors.SelfTestFailed, errors.CaptureUnusable}


@pytest.mark.parametrize("kind", [k for k in ALL if issubclass(k, Refused)], ids=lambda kind: kind.code)
def test_a_refusal_never_touched_the_medium_and_cannot_be_told_otherwise(kind: type[SanitizerError]) -> None:
    assert _example(kind).touched == "no"
    with pytest.raises(TypeError):
        kind(touched="yes")


@pytest.mark.parametrize(
    "kind", [k for k in ALL if issubclass(k, Incomplete | VerificationError)], ids=lambda kind: kind.code
)
def test_a_run_that_began_says_that_the_medium_may_be_changed(kind: type[SanitizerError]) -> None:
    assert _example(kind).touched in {"yes", "maybe"}


def test_the_tree_in_the_docstring_names_every_class() -> None:
    drawn = set(re.findall(r"\b[A-Z][A-Za-z]+\b", errors.__doc__ or ""))
    assert {kind.__name__ for kind in ALL} <= drawn


OBSTACLES = """system-device mounted-filesystem active-swap held-by-device raid-member lvm-member multipath-member
crypt-member read-only-device identity-unreadable identity-mismatch device-changed confirmation-missing clearance-spent
clearance-expired device-busy dormant-member facts-unknown zoned-device not-whole-device privilege-missing"""


def test_every_obstacle_has_a_class_of_its_own() -> None:
    assert set(OBSTACLES.split()) <= set(ERRORS)


def test_details_are_plain_values_of_the_class_alone() -> None:
    error = errors.MountedFilesystem(mount_points=("/a", "/b"), fingerprint="f" * 64)
    assert error.details() == {"mount_points": ["/a", "/b"]}
    assert error.summarize() == "A filesystem on this device is mounted (mount points: /a, /b)"


def test_a_long_list_is_shortened_in_the_sentence_and_whole_in_the_details() -> None:
    error = errors.MountedFilesystem(mount_points=tuple(f"/m{n}" for n in range(30)))
    assert error.summarize().endswith("and 22 more)")
    assert len(error.details()["mount_points"]) == 30  # type: ignore[arg-type]  # a list, by the test above
