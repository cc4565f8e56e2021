"""What a record keeps of the self-tests of the builds that did its work. Facts; `findings.selftest` judges them."""

from __future__ import annotations

from dataclasses import dataclass

from .parts import Part


@dataclass(frozen=True, kw_only=True)
class SelfTestCase(Part):
    """A fault that was planted in a scratch device, and how the run on it ended; `sanitizer.selftest` has the same fields."""

    fault: str
    """Its name (`findings.selftest`); `none` is a sound device."""
    planted: tuple[tuple[int, int], ...]
    """Byte ranges of the fault; none for a fault of the whole device."""
    state: str
    error_code: str | None
    found: tuple[tuple[int, int], ...]
    """Byte ranges that the run named as unwritten, unreadable or left over."""


@dataclass(frozen=True, kw_only=True)
class SelfTest(Part):
    """What a build that took part in the run found on scratch devices with known faults, before it did."""

    taken: str
    """When, by the host's clock."""
    build_sha256: str
    """Digest of the code that was tested."""
    tool: str
    cases: tuple[SelfTestCase, ...]
