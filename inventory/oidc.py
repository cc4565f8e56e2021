"""OpenID Connect as a relying party: authorization code with PKCE, and an id token that is believed only if everything fits.

The signature algorithms are those of the settings, never the token's own choice. The issuer is compared letter by letter, in the
provider's description, in the answer (RFC 9207) and in the token; audience, nonce, times and the access token's digest likewise.
Needs `joserfc` (extra `sso`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from inventory import outward
from inventory.auth.addresses import is_loopback
from inventory.errors import SetupError, Unavailable
from inventory.settings import SingleSignOn
from reports.canonical import parse_strict
from reports.errors import MalformedDocument

_DESCRIPTION_SECONDS: Final = 600
_LEAST_REFETCH_SECONDS: Final = 60
_SKEW: Final = timedelta(seconds=60)
_OLDEST: Final = timedelta(minutes=10)
_LONGEST_SUBJECT: Final = 255
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_HASHES: Final = {"256": "sha256", "384": "sha384", "512": "sha512"}


class TokenRefused(Exception):
    """The provider's answer is not to be believed; the text says why, for the log and for tests."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What an id token must say."""

    nonce: str
    now: datetime
    shown_since: datetime | None = None
    """The person must have shown themselves to the provider since then."""


@dataclass(frozen=True)
class Description:
    """The provider's own description (OpenID Connect Discovery, 4)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    says_issuer: bool
    """Whether its answers name it (RFC 9207, 3): then one that does not is not its."""


@dataclass
class Provider:
    """One provider: its description and keys, fetched when needed and kept for a while. Thread-safe."""

    settings: SingleSignOn
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _described: tuple[float, Description] | None = None
    _keys: tuple[float, dict[str, Any]] | None = None

    def describe(self) -> Description:
        """The provider's description. Raises `Unavailable`."""
        with self._lock:
            if self._described is None or time.monotonic() - self._described[0] >= _DESCRIPTION_SECONDS:
                self._described = (time.monotonic(), self._fetch_description())
            return self._described[1]

    def ask(self, redirect: str, state: str, nonce: str, verifier: str, *, anew: bool) -> str:
        """Where to send the browser (RFC 6749, 4.1.1; RFC 7636, 4.3). `anew`: the person must show themselves to the provider."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.settings.client_id, "redirect_uri": redirect,
            "scope": "openid profile email", "state": state, "nonce": nonce,
            "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        if anew:
            asked |= {"prompt": "login", "max_age": "0"}
        if self.settings.acr:
            asked["acr_values"] = " ".join(self.settings.acr)
        address = self.describe().authorization_endpoint
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked, quote_via=quote)}"

    def redeem(self, code: str, redirect: str, verifier: str, issuer: str | None, expected: Expected) -> dict[str, Any]:
        """Exchange the code, and read the claims of the id token.

        Args:
            code: as the browser brought it.
            redirect: exactly the one that was asked with.
            verifier: of the PKCE challenge.
            issuer: who the answer says it is from (RFC 9207); None where it does not say.
            expected: what the token must say.

        Raises:
            TokenRefused: something does not fit.
            Unavailable: the provider did not answer.
        """
        description = self.describe()
        if (issuer is not None and issuer != self.settings.issuer) or (issuer is None and description.says_issuer):
            raise TokenRefused("the answer comes from another issuer, or does not say from whom")
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect,
            "client_id": self.settings.client_id, "code_verifier": verifier,
        }  # fmt: skip
        secret = self.settings.client_secret()
        headers = {"Accept": "application/json"}
        if secret:
            pair = f"{quote(self.settings.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            del form["client_id"]
        try:
            reply = outward.post(
                description.token_endpoint,
                urlencode(form).encode(),
                "application/x-www-form-urlencoded",
                headers=headers,
            )
        except outward.Unreached as error:
            raise Unavailable(f"The single sign-on provider did not answer: {error}") from error
        answer = _object(reply.body) if reply.status == 200 else None
        if answer is None or not isinstance(answer.get("id_token"), str):
            raise TokenRefused(f"the token endpoint answered {reply.status} without an id token")
        return self.read(answer["id_token"], answer.get("access_token"), expected)

    def read(self, token: str, access_token: object, expected: Expected) -> dict[str, Any]:
        """The claims of an id token (OpenID Connect Core, 3.1.3.7). Raises `TokenRefused`."""
        header, claims = self._verified(token)
        _check_claims(claims, self.settings, expected)
        _check_access_token(header, claims, access_token)
        return claims

    def _verified(self, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        from joserfc import jwt  # noqa: PLC0415 - of an extra
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import KeySet  # noqa: PLC0415

        if token.count(".") != 2 or len(token) > 32_768:
            raise TokenRefused("it is no signed token")
        for fresh in (False, True):  # a key we do not know yet may have come since
            try:
                keys = KeySet.import_key_set(self._fetch_keys(fresh=fresh))  # type: ignore[arg-type]  # plain JSON
                found = jwt.decode(token, keys, algorithms=list(self.settings.algorithms))
            except (JoseError, ValueError, TypeError, KeyError) as error:
                refused = TokenRefused(f"its signature does not count: {type(error).__name__}")
                refused.__cause__ = error
                continue
            return dict(found.header), dict(found.claims)
        raise refused

    def _fetch_description(self) -> Description:
        issuer = self.settings.issuer
        found = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise Unavailable("The single sign-on provider describes another issuer than the one in the settings.")
        for name in _ENDPOINTS:
            if not _safe(found.get(name)):
                raise Unavailable(f"The single sign-on provider's {name} is no https address.")
        says = found.get("authorization_response_iss_parameter_supported") is True
        authorization, token, keys = (str(found[name]) for name in _ENDPOINTS)
        return Description(authorization, token, keys, says)

    def _fetch_keys(self, *, fresh: bool) -> dict[str, Any]:
        description = self.describe()
        with self._lock:
            age = None if self._keys is None else time.monotonic() - self._keys[0]
            if self._keys is None or age is None or age >= (_LEAST_REFETCH_SECONDS if fresh else _DESCRIPTION_SECONDS):
                self._keys = (time.monotonic(), self._get(description.jwks_uri))
            return self._keys[1]

    def _get(self, url: str) -> dict[str, Any]:
        try:
            reply = outward.get(url)
        except outward.Unreached as error:
            raise Unavailable(f"The single sign-on provider did not answer: {error}") from error
        found = _object(reply.body) if reply.status == 200 else None
        if found is None:
            raise Unavailable(f"The single sign-on provider answered {reply.status} where its description should be.")
        return found


def require_library() -> None:
    """Raise `SetupError` where the extra is not installed."""
    try:
        import joserfc  # noqa: F401, PLC0415 - of an extra
    except ImportError as error:
        raise SetupError(
            "Single sign-on is set up, but its library is not installed: pip install 'sanitrail[sso]'."
        ) from error


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = parse_strict(body, "answer", max_bytes=1 << 20)
    except MalformedDocument:
        return None
    return found if isinstance(found, dict) else None


def _safe(url: object) -> bool:
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    if parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TokenRefused(f"{name} is no time")
    return float(value)


def _check_claims(claims: Mapping[str, Any], settings: SingleSignOn, expected: Expected) -> None:
    audience = claims.get("aud")
    now = expected.now.timestamp()
    expires, issued, since = (_moment(claims, name) for name in ("exp", "iat", "nbf"))
    subject = claims.get("sub")
    problems = (
        (claims.get("iss") != settings.issuer, "it names another issuer"),
        (audience not in (settings.client_id, [settings.client_id]), "it is for somebody else, or for others as well"),
        (claims.get("azp") not in (None, settings.client_id), "it was given to somebody else"),
        (expires is None or expires <= now - _SKEW.total_seconds(), "it has expired"),
        (
            issued is None or not -_OLDEST.total_seconds() <= issued - now <= _SKEW.total_seconds(),
            "it was not made just now",
        ),
        (since is not None and since > now + _SKEW.total_seconds(), "it does not count yet"),
        (
            not hmac.compare_digest(str(claims.get("nonce", "")).encode(), expected.nonce.encode()),
            "it answers another question",
        ),
        (not isinstance(subject, str) or not 1 <= len(subject) <= _LONGEST_SUBJECT, "it names nobody"),
        (bool(settings.acr) and claims.get("acr") not in settings.acr, "the provider did not ask for enough"),
    )
    for wrong, why in problems:
        if wrong:
            raise TokenRefused(why)
    if expected.shown_since is not None:
        shown = _moment(claims, "auth_time")
        if shown is None or shown < (expected.shown_since - _SKEW).timestamp():
            raise TokenRefused("the person has not shown themselves to the provider just now")


def _check_access_token(header: Mapping[str, Any], claims: Mapping[str, Any], access_token: object) -> None:
    """The access token's digest, where the token names one (OpenID Connect Core, 3.1.3.6)."""
    named = claims.get("at_hash")
    if named is None:
        return
    name = _HASHES.get(str(header.get("alg", ""))[-3:], "sha512")  # EdDSA: SHA-512, as Ed25519 itself
    digest = hashlib.new(name, str(access_token).encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    if not isinstance(access_token, str) or not hmac.compare_digest(half.encode(), str(named).encode()):
        raise TokenRefused("it belongs to another access token")
