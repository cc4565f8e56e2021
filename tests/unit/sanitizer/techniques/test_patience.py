"""How long is waited for a command that answers at its end."""

from __future__ import annotations

import pytest

from sanitizer.techniques.patience import MOST_MS, by_capacity_ms, by_estimate_ms
from sanitizer.wire.ata_words import EraseTime

MINUTE_MS = 60_000
HOURS_12_MS = 12 * 60 * MINUTE_MS


def test_twice_the_estimate_and_half_an_hour() -> None:
    assert by_estimate_ms(EraseTime(minutes=100, at_least=False), 10**12) == 230 * MINUTE_MS


@pytest.mark.parametrize(
    ("capacity_bytes", "least_ms"),
    [(0, HOURS_12_MS), (10**9, HOURS_12_MS), (3 * 10**12, 10**8), (3 * 10**12 + 1, 100_001_000)],
)
def test_without_an_estimate_the_capacity_at_30_megabytes_a_second_and_never_less_than_12_hours(
    capacity_bytes: int, least_ms: int
) -> None:
    assert by_estimate_ms(None, capacity_bytes) == by_capacity_ms(capacity_bytes) == least_ms


def test_a_lower_bound_never_shortens_the_wait() -> None:
    assert by_estimate_ms(EraseTime(minutes=508, at_least=True), 10**9) == (2 * 508 + 30) * MINUTE_MS
    assert by_estimate_ms(EraseTime(minutes=2, at_least=True), 10**9) == HOURS_12_MS


def test_no_wait_is_longer_than_the_kernel_counts() -> None:
    assert by_estimate_ms(EraseTime(minutes=65_532, at_least=False), 0) == MOST_MS
    assert by_capacity_ms(10**18) == MOST_MS
