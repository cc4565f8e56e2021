from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from inventory.console import formatting
from reports.keys import fingerprint_words

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (999_499, "999 kB"),
        (999_999, "1.00 MB"),
        (4_000_787_030_016, "4.00 TB"),
        (64 * 1024 * 1024, "67.1 MB"),
        (2**53, "9.01 PB"),
        (None, "unknown size"),
    ],
)
def test_sizes_are_decimal_as_disks_are_sold_and_have_three_digits(count: int | None, text: str) -> None:
    assert formatting.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "not yet known"),
        (0, "0 s"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (1800, "30 min"),
        (7140, "1 h 59 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_an_unknown_remaining_time_is_said_to_be_unknown(seconds: int | None, text: str) -> None:
    assert formatting.duration(seconds) == (text if seconds is None else text.replace(" ", formatting.NO_BREAK))


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=40), "13 October 2026"),
        (-timedelta(hours=3), "in 3 hours"),
        (-timedelta(seconds=5), "in 5 seconds"),
    ],
)
def test_times_are_told_relative_until_they_are_a_month_away(delta: timedelta, text: str) -> None:
    assert formatting.ago(NOW - delta, NOW) == text


def test_every_shown_time_is_utc_whatever_offset_it_came_with() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=8)))
    assert formatting.iso(there) == "2026-11-22T12:00:00Z"
    assert formatting.utc(there) == "22 Nov 2026, 12:00"
    assert formatting.utc_exact(there).endswith("12:00:00 UTC")


def test_a_fingerprint_is_shown_in_the_same_groups_as_on_the_host() -> None:
    digest = "0123456789abcdef" * 4
    assert " ".join(formatting.groups(digest)) == fingerprint_words(digest)
    assert formatting.groups(fingerprint_words(digest)) == formatting.groups(digest)


@pytest.mark.parametrize(
    ("name", "text"),
    [("Ann Okafor", "AO"), ("p:7f3a", "P7"), ("", "?"), ("X", "X"), ("...", "?"), ("Vera de Vries-Berg", "VB")],
)
def test_initials_never_fail(name: str, text: str) -> None:
    assert formatting.initials(name) == text


def test_reasons_of_an_agent_become_sentences_of_their_own() -> None:
    assert [formatting.finished(text) for text in ("the drive is locked", "The drive is locked.", "")] == [
        "The drive is locked.",
        "The drive is locked.",
        "",
    ]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/141.0.0.0 Safari/537.36", "Chrome 141, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141.0 Safari/537.36 Edg/141.0.1", "Edge 141, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.1 Mobile/15E148 Safari/604.1", "Safari 18, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140, Windows"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_session_names_its_browser_as_people_do(label: str, said: str) -> None:
    assert formatting.browser(label) == said


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Run `sanitizer unlock` on it.", "Run <code>sanitizer unlock</code> on it."),
        ("`<b>` & more", "<code>&lt;b&gt;</code> &amp; more"),
        ("one ` alone <i>", "one ` alone &lt;i&gt;"),
        ("nothing to type", "nothing to type"),
    ],
)
def test_what_is_to_be_typed_stands_out_and_nothing_else_becomes_markup(text: str, shown: str) -> None:
    assert str(formatting.coded(text)) == shown
