"""Forged requests."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from inventory.api.problems import ApiError
from inventory.auth import csrf

OURS = "https://sanitrail.example.org"
SECRET = b"k" * 32
TOKEN = csrf.token_of(SECRET, "session")


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": OURS}])
def test_a_request_from_our_own_page_with_its_token_passes(headers: dict[str, str]) -> None:
    csrf.check(Headers({**headers, csrf.HEADER: TOKEN}), None, OURS, TOKEN)
    csrf.check(Headers(headers), TOKEN, OURS, TOKEN)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": OURS},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://sanitrail.example.org"},
    ],
)
def test_a_request_from_elsewhere_is_refused_even_with_the_token(headers: dict[str, str]) -> None:
    with pytest.raises(ApiError, match="csrf-refused"):
        csrf.check(Headers({**headers, csrf.HEADER: TOKEN}), None, OURS, TOKEN)


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN.upper(), csrf.token_of(SECRET, "another session"), "é"])
def test_a_request_without_this_sessions_token_is_refused(token: str) -> None:
    with pytest.raises(ApiError, match="csrf-refused"):
        csrf.check(Headers({"Sec-Fetch-Site": "same-origin"}), token, OURS, TOKEN)


def test_tokens_depend_on_session_and_service() -> None:
    assert csrf.token_of(SECRET, "session") != csrf.token_of(b"j" * 32, "session")
