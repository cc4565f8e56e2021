"""What a way in is worth, when a code fits, and where passkeys belong: decisions without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.roles import GRANTS, Permission, Role
from inventory.domain.signin import (
    DANGEROUS,
    SECOND_FACTORS,
    STEP_SECONDS,
    Standing,
    Way,
    as_typed,
    enrolment_address,
    is_recent,
    matching_step,
    new_recovery_code,
    one_time_code,
    origins_of,
    relying_party,
    standing,
)

RFC_SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 22, 12, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // STEP_SECONDS


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    assert one_time_code(RFC_SECRET, seconds // STEP_SECONDS) == code


@given(st.binary(min_size=16, max_size=32), st.integers(0, 2**33))
def test_codes_are_those_of_another_implementation(secret: bytes, seconds: int) -> None:
    other = TOTP(secret, 6, SHA1(), STEP_SECONDS)  # noqa: S303 - what every authenticator app computes
    assert one_time_code(secret, seconds // STEP_SECONDS) == other.generate(seconds).decode()


@pytest.mark.parametrize(("drift", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_telephone_may_be_one_step_off_and_no_more(drift: int, fits: bool) -> None:
    found = matching_step(RFC_SECRET, one_time_code(RFC_SECRET, STEP + drift), NOW, None)
    assert found == (STEP + drift if fits else None)


@pytest.mark.parametrize("last", [STEP, STEP + 1, STEP + 100])
def test_no_code_is_good_twice_nor_an_older_one_after_it(last: int) -> None:
    assert matching_step(RFC_SECRET, one_time_code(RFC_SECRET, STEP), NOW, last) is None


def test_a_code_after_an_earlier_one_is_good() -> None:
    assert matching_step(RFC_SECRET, one_time_code(RFC_SECRET, STEP), NOW, STEP - 1) == STEP


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("factors", [True, False])
@pytest.mark.parametrize("demanded", [True, False])
def test_what_a_session_is_worth(way: Way, factors: bool, demanded: bool) -> None:
    worth = standing(way, factors=factors, demanded=demanded)
    if way in {Way.PASSWORD, Way.LINK}:
        assert worth is (Standing.CODE if factors else Standing.SETUP if demanded else Standing.FULL)
    else:
        assert worth is Standing.FULL
    assert {Way.PASSWORD, Way.LINK} == set(Way) - SECOND_FACTORS


def test_presence_is_recent_for_a_while_and_never_from_the_future() -> None:
    window = timedelta(minutes=15)
    assert is_recent(NOW, NOW, window)
    assert is_recent(NOW - timedelta(minutes=14, seconds=59), NOW, window)
    assert not is_recent(NOW - window, NOW, window)
    assert not is_recent(NOW + timedelta(seconds=1), NOW, window)


def test_what_decides_about_people_keys_and_media_is_dangerous() -> None:
    assert {
        Permission.PEOPLE_MANAGE,
        Permission.ORDER_APPROVE,
        Permission.WAIVER,
        Permission.POLICY_MANAGE,
    } <= DANGEROUS
    assert Permission.READ not in DANGEROUS
    assert not DANGEROUS & GRANTS[Role.VIEWER]
    assert not DANGEROUS & GRANTS[Role.AUDITOR]


def test_a_recovery_code_is_read_however_it_is_typed() -> None:
    code = new_recovery_code()
    plain = code.replace("-", "")
    assert as_typed(code) == as_typed(f" {plain.upper()} ") == as_typed(code.replace("-", " ")) == ("", plain)
    assert as_typed("123 456") == ("123456", "")
    assert (
        as_typed("12345")
        == as_typed("")
        == as_typed("hunter2")
        == as_typed("\uff11\uff12\uff13\uff14\uff15\uff16")
        == ("", "")
    )
    assert len({new_recovery_code() for _ in range(100)}) == 100


def test_the_picture_for_the_app_holds_what_it_needs_and_nothing_slips_in() -> None:
    address = enrolment_address("JBSWY3DP", "ana&x=1", "A/B: Ltd?")
    assert address == (
        "otpauth://totp/A%2FB%3A%20Ltd%3F%3Aana%26x%3D1?secret=JBSWY3DP&issuer=A%2FB%3A%20Ltd%3F&digits=6&period=30"
    )


@pytest.mark.parametrize(
    ("address", "chosen", "domain"),
    [
        ("https://sanitrail.example.org", "", "sanitrail.example.org"),
        ("https://sanitrail.example.org:8443", "example.org", "example.org"),
        ("http://localhost:8443", "", "localhost"),
        ("http://sanitrail.example.org", "", None),
        ("https://192.0.2.7", "", None),
        ("http://127.0.0.1:8443", "", None),
        ("https://[2001:db8::1]", "", None),
        ("https://sanitrail.example.org", "other.example", None),
        ("https://evilexample.org", "example.org", None),
    ],
)
def test_passkeys_belong_to_a_name_over_tls(address: str, chosen: str, domain: str | None) -> None:
    assert relying_party(address, chosen) == domain


def test_origins_are_our_own_addresses_of_that_domain_as_browsers_write_them() -> None:
    ours = ("https://a.example.org:443", "https://b.example.org:8443", "https://example.com", "https://xexample.org")
    assert origins_of(ours, "example.org") == ("https://a.example.org", "https://b.example.org:8443")
