"""A company as it is now: a trust root of the second schema, a sealing authority, and checkpoints with time-stamps."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

from reports.anchor import Anchor, LoggedStamp, Stamp
from reports.canonical import sha256_hex, to_base64
from reports.timestamps import normal_form
from reports.tlog import log_entry
from reports.trust_body import AnyTrustRootBody, LogIdentity, TrustRootBody, Witnesses, pinned_certificate, role_key
from tests.support.evidence import ORIGIN, World
from tests.support.sealing import LocalStamper, SealingOffice
from tests.support.time_authority import LocalAuthority

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


class DatedWorld(World):
    """`World` with authorities of time; every file made is stamped by all of them."""

    def __init__(self, folder: Path, names: tuple[str, ...] = ("Example Time",)) -> None:
        self.clocks = tuple(LocalAuthority(folder / f"tsa{number}", name=name) for number, name in enumerate(names))
        self.office = SealingOffice(NOW)
        self.logged_stamps: list[LoggedStamp] = []
        super().__init__()

    def trust_body(self) -> AnyTrustRootBody:
        self.seal = self.office.key
        return TrustRootBody(
            version=1,
            previous=None,
            threshold=1,
            root_keys=(to_base64(self.root.public_key_der),),
            log=LogIdentity(origin=ORIGIN, vkeys=tuple(signer.vkey for signer in self.log.signers)),
            witnesses=Witnesses(),
            time_authorities=tuple(clock.entry() for clock in self.clocks),
            keys=(
                role_key("acceptance", self.acceptance, "acceptance 2026"),
                role_key("enrolment", self.enrolment, "enrolment 2026"),
            ),
            pdf_authority=pinned_certificate(self.office.authority),
            issued="2026-11-01T00:00:00Z",
        )

    @property
    def stamper(self) -> LocalStamper:
        """For seals."""
        return LocalStamper(self.clocks[0])

    def token(self, number: int = 0, note: str = "") -> bytes:
        """A stamp on a note, or on the present checkpoint."""
        clock = self.clocks[number]
        return normal_form(clock.token((note or self.log.note()).encode()), clock.entry())

    def log_stamp(self, number: int = 0) -> int:
        """Have the present checkpoint stamped and log that; files made later carry it. Returns its index."""
        token = self.token(number)
        index = self.log.append_entry(log_entry("time-stamp", sha256_hex(token)))
        found = LoggedStamp(authority=self.clocks[number].name, token=to_base64(token), index=index, proof=())
        self.logged_stamps = [one for one in self.logged_stamps if one.authority != found.authority] + [found]
        return index

    def anchor(self) -> Anchor:
        base = super().anchor()
        return dataclasses.replace(
            base,
            stamps=tuple(
                Stamp(authority=clock.name, token=to_base64(self.token(number, base.checkpoint)))
                for number, clock in enumerate(self.clocks)
            ),
            since=tuple(
                dataclasses.replace(one, proof=tuple(to_base64(node) for node in self.log.inclusion(one.index)))
                for one in self.logged_stamps
            ),
        )
