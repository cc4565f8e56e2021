"""An id token is believed only if signature, issuer, audience, nonce and times all fit; the settings choose the algorithms."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inventory.oidc import Description, Expected, Provider, TokenRefused
from inventory.settings import SingleSignOn

jwt = pytest.importorskip("joserfc.jwt")
jwk = pytest.importorskip("joserfc.jwk")

ISSUER = "https://id.example.org"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RSA = jwk.RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = jwk.ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
STRANGE = jwk.RSAKey.generate_key(2048, {"kid": "rsa"})
ENCRYPTING = jwk.RSAKey.generate_key(2048, {"kid": "enc", "use": "enc"})


def _provider(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Provider:  # noqa: ANN401 - SingleSignOn's fields
    made = Provider(SingleSignOn(**{"issuer": ISSUER, "client_id": "sanitrail", **settings}))
    keys = {"keys": [key.as_dict(private=False) for key in (RSA, EC, ENCRYPTING)]}
    monkeypatch.setattr(Provider, "_fetch_keys", lambda self, *, fresh: keys)  # noqa: ARG005 - stands in
    return made


def _claims(**changes: object) -> dict[str, Any]:
    stamp = int(NOW.timestamp())
    said = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": "sanitrail",
        "nonce": "n-1",
        "iat": stamp,
        "exp": stamp + 300,
        **changes,
    }
    return {name: value for name, value in said.items() if value is not None}


def _token(key: Any = RSA, alg: str = "RS256", header: dict[str, Any] | None = None, **changes: object) -> str:  # noqa: ANN401
    given = {"alg": alg, "kid": key.kid, **(header or {})}
    made: str = jwt.encode(given, _claims(**changes), key, algorithms=[alg])
    return made


EXPECTED = Expected(nonce="n-1", now=NOW)


def test_a_token_that_fits_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = _provider(monkeypatch)
    assert provider.read(_token(), None, EXPECTED)["sub"] == "alice"
    assert provider.read(_token(aud=["sanitrail"], azp="sanitrail"), None, EXPECTED)["sub"] == "alice"
    assert _provider(monkeypatch, algorithms=("ES256",)).read(_token(EC, "ES256"), None, EXPECTED)["sub"] == "alice"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": ["sanitrail", "somebody-else"]},
        {"aud": None},
        {"azp": "somebody-else"},
        {"nonce": "n-2"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"exp": int((NOW - timedelta(minutes=2)).timestamp())},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"iat": int((NOW + timedelta(minutes=2)).timestamp())},
        {"iat": int((NOW - timedelta(minutes=11)).timestamp())},
        {"iat": None},
        {"nbf": int((NOW + timedelta(minutes=5)).timestamp())},
        {"at_hash": "AAAA"},
    ],
    ids=repr,
)
def test_one_claim_wrong_and_it_is_refused(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        _provider(monkeypatch).read(_token(**changes), "an access token", EXPECTED)


def _none() -> str:
    parts = _token().split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{header}.{parts[1]}."


def _public_key_as_secret() -> str:
    body = _token().split(".")[1]
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"rsa"}').rstrip(b"=").decode()
    mac = hmac.new(RSA.as_pem(private=False), f"{header}.{body}".encode(), hashlib.sha256).digest()
    return f"{header}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _by_a_key_for_something_else() -> str:
    plain = {name: value for name, value in ENCRYPTING.as_dict(private=True).items() if name != "use"}
    return _token(jwk.RSAKey.import_key(plain))


def _key_in_the_header() -> str:
    return _token(STRANGE, header={"jwk": STRANGE.as_dict(private=False)})


def _altered() -> str:
    head, body, signature = _token().split(".")
    other = _token(sub="mallory").split(".")[1]
    assert other != body
    return f"{head}.{other}.{signature}"


@pytest.mark.parametrize(
    "forge",
    [
        _none,
        _public_key_as_secret,
        _key_in_the_header,
        _altered,
        lambda: _token(STRANGE),
        lambda: _token(EC, "ES256"),
        lambda: _token(jwk.RSAKey.generate_key(2048, {"kid": "unknown"})),
        _by_a_key_for_something_else,
        lambda: "",
        lambda: "a.b.c",
        lambda: "a.b.c.d.e",
        lambda: _token() + "." + _token(),
        lambda: "x" * 40_000,
    ],
)
def test_a_forged_signature_is_refused(monkeypatch: pytest.MonkeyPatch, forge: Callable[[], str]) -> None:
    with pytest.raises(TokenRefused):
        _provider(monkeypatch).read(forge(), None, EXPECTED)


def test_the_access_token_must_be_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = _provider(monkeypatch)
    half = base64.urlsafe_b64encode(hashlib.sha256(b"an access token").digest()[:16]).rstrip(b"=").decode()
    assert provider.read(_token(at_hash=half), "an access token", EXPECTED)
    for other in ("another", None, 7):
        with pytest.raises(TokenRefused):
            provider.read(_token(at_hash=half), other, EXPECTED)


def test_showing_oneself_again_wants_the_time_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = _provider(monkeypatch)
    lately = Expected(nonce="n-1", now=NOW, shown_since=NOW - timedelta(minutes=1))
    assert provider.read(_token(auth_time=int(NOW.timestamp())), None, lately)
    for moment in (None, int((NOW - timedelta(minutes=5)).timestamp()), "now"):
        with pytest.raises(TokenRefused):
            provider.read(_token(auth_time=moment), None, lately)


def test_a_context_that_is_demanded_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = _provider(monkeypatch, acr=("strong",))
    assert provider.read(_token(acr="strong"), None, EXPECTED)
    for acr in (None, "weak", ["strong"]):
        with pytest.raises(TokenRefused):
            provider.read(_token(acr=acr), None, EXPECTED)


def test_an_answer_from_another_issuer_is_not_even_redeemed(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = _provider(monkeypatch)
    described = Description(f"{ISSUER}/auth", f"{ISSUER}/token", f"{ISSUER}/keys", says_issuer=True)
    monkeypatch.setattr(Provider, "describe", lambda _: described)
    for issuer in ("https://evil.example", None):
        with pytest.raises(TokenRefused):
            provider.redeem("code", "https://sanitrail.example.org/back", "verifier", issuer, EXPECTED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example.org"},
        {"issuer": "id.example.org"},
        {"algorithms": ("none",)},
        {"algorithms": ("HS256",)},
        {"algorithms": ()},
        {"client_id": ""},
    ],
    ids=repr,
)
def test_settings_that_would_believe_anybody_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        SingleSignOn(**{"issuer": ISSUER, "client_id": "sanitrail", **wrong})
