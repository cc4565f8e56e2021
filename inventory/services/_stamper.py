"""Time-stamps over the signatures of seals, and what a reader in ten years needs to believe them (PAdES B-LT)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from inventory import outward
from inventory.outward import Reply, Unreached
from reports.errors import BadStamp, ReportError
from reports.seal import StampMaterial
from reports.sealkey import load, load_list
from reports.timestamps import path_of
from reports.trust_body import TimeAuthority

from .context import Context
from .time_stamps import Post, ask, newest

log = logging.getLogger("inventory.time")

Get = Callable[[str], Reply]
_KEPT: Final = timedelta(days=1)
"""How long a fetched revocation list serves before it is fetched again."""
_PROBE: Final = b"sanitrail: which certificates?"


class SealStamper:
    """`reports.seal.Stamper`: asks one authority. Kept by the process; thread-safe."""

    def __init__(
        self, context: Context, authority: TimeAuthority, url: str, post: Post = outward.post, get: Get = outward.get
    ) -> None:
        self._context = context
        self.authority = authority
        self._url = url
        self._post = post
        self._get = get
        self._lock = threading.Lock()
        self._known: tuple[datetime, StampMaterial] | None = None

    def material(self) -> StampMaterial:
        """The certificates under which the authority stamps, and their revocation lists as far as they can be had.

        Raises:
            Unreached, BadStamp: the authority has never stamped for us, and does not now.
        """
        now = self._context.now()
        with self._lock:
            if self._known is None or now - self._known[0] >= _KEPT:
                path = path_of(self._a_token(), self.authority)
                self._known = (now, StampMaterial(path, self._lists(path, now)))
            return self._known[1]

    def stamp(self, message: bytes) -> bytes:
        """A token over the message. Raises `Unreached`, `BadStamp`."""
        token = ask(self.authority, self._url, message, self._post)
        path = path_of(token, self.authority)
        with self._lock:
            if self._known is not None and path == self._known[1].certificates:
                return token
            self._known = (self._context.now(), StampMaterial(path, self._lists(path, self._context.now())))
        raise BadStamp("the authority stamps under a new certificate since now; the next attempt knows it.")

    def _a_token(self) -> bytes:
        with self._context.reading() as session:
            row = newest(session, self.authority.name)
            if row is not None:
                return row.token
        return ask(self.authority, self._url, _PROBE, self._post)

    def _lists(self, path: tuple[bytes, ...], now: datetime) -> tuple[bytes, ...]:
        """The lists that the certificates themselves point to, each checked; one that cannot be had is left out."""
        found: dict[bytes, None] = {}
        for der, above in pairwise(path):
            for url in _points(load(der)):
                content = self._fetch(url)
                if content is not None and _counts(content, load(above), now):
                    found[content] = None
                    break
        return tuple(found)

    def _fetch(self, url: str) -> bytes | None:
        try:
            reply = self._get(url)
        except Unreached as error:
            log.warning("revocation list of a time authority: %s", error)
            return None
        return reply.body if reply.status == 200 else None


def stamper_for(context: Context, authorities: tuple[TimeAuthority, ...]) -> SealStamper | None:
    """The first authority of the trust root that the settings have an address for; None where there is none."""
    urls = {one.name: one.url for one in context.settings.time_authorities}
    for authority in authorities:
        if authority.name in urls:
            key = (id(context), authority.name, authority.certificates, urls[authority.name])
            with _LOCK:
                if key not in _STAMPERS:
                    _STAMPERS[key] = SealStamper(context, authority, urls[authority.name])
                return _STAMPERS[key]
    return None


_STAMPERS: Final[dict[tuple[int, str, tuple[str, ...], str], SealStamper]] = {}
_LOCK: Final = threading.Lock()


def _points(certificate: x509.Certificate) -> list[str]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    names = [name.value for point in points for name in point.full_name or ()]
    return [name for name in names if isinstance(name, str) and name.startswith(("http://", "https://"))][:3]


def _counts(content: bytes, above: x509.Certificate, now: datetime) -> bool:
    try:
        crl = load_list(content)
        key = above.public_key()
        signed = isinstance(key, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey)) and crl.is_signature_valid(key)
    except (ReportError, ValueError, TypeError):
        return False
    end = crl.next_update_utc
    return signed and crl.issuer == above.subject and end is not None and crl.last_update_utc <= now < end
