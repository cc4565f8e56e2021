"""A sealing authority with a key under it, and time-stamps without a network, for tests."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass, field

from reports.keys import FileSigner
from reports.seal import StampMaterial
from reports.sealkey import SealKey, issue_certificate, make_authority, make_list
from reports.timestamp_request import StampRequest, read_response
from reports.timestamps import path_of
from tests.support.time_authority import LocalAuthority

ORGANISATION = "Example CRM Ltd"


@dataclass
class SealingOffice:
    """The pinned authority and one sealing key."""

    moment: dt.datetime
    issuer: FileSigner = field(default_factory=lambda: FileSigner.generate("p256"))
    signer: FileSigner = field(default_factory=lambda: FileSigner.generate("p256"))
    days: int = 730

    def __post_init__(self) -> None:
        start = self.moment - dt.timedelta(days=1)
        self.authority = make_authority(self.issuer, ORGANISATION, start)
        self.certificate = issue_certificate(
            self.issuer, self.authority, self.signer.public_key_der, ORGANISATION, start, days=self.days
        )
        self.crl = make_list(self.issuer, self.authority, {}, 1, self.moment - dt.timedelta(hours=1))

    @property
    def key(self) -> SealKey:
        """Ready to seal."""
        return SealKey.check(self.signer, self.certificate, self.authority, self.crl)


class LocalStamper:
    """`Stamper` without a network."""

    def __init__(self, authority: LocalAuthority, lists: tuple[bytes, ...] = ()) -> None:
        self.authority = authority
        self.lists = lists

    def material(self) -> StampMaterial:
        entry = self.authority.entry()
        return StampMaterial(path_of(self.authority.token(b"which certificates?"), entry), self.lists)

    def stamp(self, message: bytes) -> bytes:
        request = StampRequest(message, secrets.randbits(64))
        return read_response(self.authority.reply(request.to_der()), request, self.authority.entry())
