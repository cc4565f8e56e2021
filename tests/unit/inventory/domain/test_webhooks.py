"""Which events are taken, where messages may go, what an answer is worth."""

from __future__ import annotations

import ipaddress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.webhooks import (
    LONGEST_WAIT,
    PAUSES,
    DeliveryState,
    address_objection,
    patterns_objection,
    takes,
    target_objection,
    target_of,
    verdict,
)

TAGS = ("device.sanitized", "device.released", "case.opened", "audit-pack.exported")


@pytest.mark.parametrize(
    ("patterns", "taken"),
    [
        (["*"], set(TAGS)),
        (["device.*"], {"device.sanitized", "device.released"}),
        (["case.opened", "audit-pack.*"], {"case.opened", "audit-pack.exported"}),
        ([], set()),
    ],
)
def test_a_subscription_takes_what_its_patterns_name(patterns: list[str], taken: set[str]) -> None:
    assert {tag for tag in TAGS if takes(patterns, tag)} == taken


@pytest.mark.parametrize(
    "patterns", [[], ["device"], ["device.gone"], ["dev*"], ["*.sanitized"], ["device.*", "nothing.*"]]
)
def test_a_pattern_nothing_fits_is_refused(patterns: list[str]) -> None:
    assert patterns_objection(patterns, TAGS)


def test_patterns_that_fit_are_welcome() -> None:
    assert patterns_objection(["device.*", "case.opened", "*"], TAGS) is None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/x", "file:///etc/passwd", "https://", "https:///x", "//a.example/x", "a.example/x",
        "https://user@a.example/", "https://user:secret@a.example/", "https://a.example/#x", "https://a.example:0/",
        "https://a.example:99999/", "https://a..example/", "https://a.example./", "https://a example/", "https://ä.example/",
        "https://a.example\\@b.example/", "https://a.example/\r\nX: y", "https://[::1", "https://" + "a" * 600,
    ],
)  # fmt: skip
def test_what_is_no_address_is_none_whatever_the_settings_say(url: str) -> None:
    assert target_of(url) is None


def test_an_address_is_taken_apart_as_it_is_connected_to() -> None:
    target = target_of("https://Desk.Example.org:8443/a/b?c=d")
    assert target is not None
    assert (target.scheme, target.host, target.port, target.path) == ("https", "desk.example.org", 8443, "/a/b?c=d")


@pytest.mark.parametrize(
    ("url", "allowed", "may"),
    [
        ("https://desk.example.org/", (), False),
        ("https://desk.example.org/", ("desk.example.org",), True),
        ("https://desk.example.org/", ("*.example.org",), True),
        ("https://example.org/", ("*.example.org",), False),
        ("https://evilexample.org/", ("*.example.org",), False),
        ("https://desk.example.org.evil.net/", ("*.example.org", "desk.example.org"), False),
        ("https://desk.example.org:8443/", ("desk.example.org",), False),
        ("https://desk.example.org:8443/", ("desk.example.org:8443",), True),
        ("https://desk.example.org/", ("desk.example.org:8443",), False),
        ("http://[::1]:9000/", ("[::1]:9000",), True),
    ],
)
def test_only_listed_targets_are_sent_to(url: str, allowed: tuple[str, ...], may: bool) -> None:
    target = target_of(url)
    assert target is not None
    assert (target_objection(target, allowed) is None) is may


NOT_PUBLIC = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "255.255.255.255",
    "224.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1",
    "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_connection_is_made_to_what_is_not_public(address: str) -> None:
    assert address_objection(ipaddress.ip_address(address), "https", ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_public_addresses_are_reached_over_tls_only(address: str) -> None:
    assert address_objection(ipaddress.ip_address(address), "https", ()) is None
    assert address_objection(ipaddress.ip_address(address), "http", ())


def test_a_network_of_the_settings_may_be_reached_also_in_clear() -> None:
    inside = [ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00::/8")]
    assert address_objection(ipaddress.ip_address("10.20.3.4"), "http", inside) is None
    assert address_objection(ipaddress.ip_address("fd00::1"), "http", inside) is None
    assert address_objection(ipaddress.ip_address("10.21.3.4"), "http", inside)
    assert address_objection(ipaddress.ip_address("::ffff:10.20.3.4"), "https", inside), (
        "written otherwise, it is not listed"
    )


@given(st.integers(0, 2**32 - 1))
def test_nothing_that_embeds_a_private_address_is_public(number: int) -> None:
    inner = ipaddress.IPv4Address(number)
    for outer in (
        f"::ffff:{inner}",
        f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::",
    ):
        if address_objection(inner, "https", ()):
            assert address_objection(ipaddress.ip_address(outer), "https", ())


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_success(status: int) -> None:
    assert verdict(1, status).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_everything_else_is_tried_again_later_and_later_and_given_up_in_the_end(status: int | None) -> None:
    pauses = [verdict(attempts, status).pause for attempts in range(1, len(PAUSES) + 1)]
    assert all(pauses)
    assert pauses == sorted(pauses, key=lambda pause: pause or timedelta())
    assert verdict(len(PAUSES) + 1, status).state is DeliveryState.DEAD


def test_a_receiver_that_is_gone_is_believed() -> None:
    found = verdict(1, 410)
    assert (found.state, found.gone) == (DeliveryState.DEAD, True)


@given(st.integers(1, len(PAUSES)), st.integers(0, 10**9), st.floats(0, 1))
def test_a_receiver_may_ask_for_more_time_and_not_for_ever(attempts: int, seconds: int, share: float) -> None:
    asked = verdict(attempts, 503, retry_after=seconds, share=share).pause
    plain = verdict(attempts, 503, share=share).pause
    assert asked is not None
    assert plain is not None
    assert plain <= asked <= max(plain, LONGEST_WAIT)
    assert verdict(attempts, 500, retry_after=seconds, share=share).pause == plain, "only 429 and 503 may ask"
