"""What a host without a network keeps of bundles: the newest job bundle, leaves to write, what was to be told, a counter.

byhand/job.json            the newest job bundle, as signed
byhand/clock.json          the newest time anybody vouched for: this clock is never before it
byhand/permits/ORDER.json  each leave to write that was given under a bundle, for the record
byhand/told/LEASE.json     why an order came to nothing, until the service has it
byhand/out.json            which return bundle told of which lease
byhand/returned.json       number of the newest return bundle
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from agents.clock import rfc3339
from agents.state import StateDirectory
from inventory.contract.v1.by_hand import ToldProgress
from inventory.contract.v1.orders import Progress
from reports.record import HandedPermit

_ONE_LEAVE = 60
"""Seconds within which the question is asked again by the same run."""

_JOB = "sanitrail-agent/job-bundle/1"
_CLOCK = "sanitrail-agent/newest-time/1"
_PERMITS = "sanitrail-agent/permits/1"
_TOLD = "sanitrail-agent/told/1"
_OUT = "sanitrail-agent/told-out/1"
_RETURNED = "sanitrail-agent/returned/1"


class ByHandStore:
    """The files. Each method raises `StateDamaged` where one cannot be read back, `OSError` where the disk does not take it."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        for name in ("byhand", "byhand/permits", "byhand/told"):
            state.disk.make_directory(state.path(name))

    # --- the job bundle -------------------------------------------------------------------------------------------

    def job_envelope(self) -> dict[str, Any] | None:
        """The newest job bundle; None before the first."""
        document = self._state.read("byhand/job.json", _JOB)
        return None if document is None else dict(document["envelope"])

    def keep_job(self, envelope: dict[str, Any]) -> None:
        """Replace the newest job bundle."""
        self._state.write("byhand/job.json", _JOB, {"envelope": envelope})

    # --- the clock ------------------------------------------------------------------------------------------------

    def newest_time(self) -> dt.datetime | None:
        """No honest clock shows less."""
        document = self._state.read("byhand/clock.json", _CLOCK)
        return None if document is None else dt.datetime.fromisoformat(str(document["time"]))

    def note_time(self, moment: dt.datetime) -> None:
        """Keep a time, unless a newer one is known."""
        known = self.newest_time()
        if known is None or moment > known:
            self._state.write("byhand/clock.json", _CLOCK, {"time": rfc3339(moment)})

    # --- leaves to write ------------------------------------------------------------------------------------------

    def permits(self, order_sha256: str) -> tuple[HandedPermit, ...]:
        """Every leave that was given for an order, oldest first."""
        document = self._state.read(f"byhand/permits/{order_sha256}.json", _PERMITS)
        return () if document is None else tuple(HandedPermit.from_dict(one) for one in document["permits"])

    def note_permit(self, order_sha256: str, permit: HandedPermit) -> None:
        """Keep a leave before anything is written under it; asked twice within a minute it is one leave."""
        if any(_same(known, permit) for known in self.permits(order_sha256)):
            return
        found = [one.to_dict() for one in (*self.permits(order_sha256), permit)]
        self._state.write(f"byhand/permits/{order_sha256}.json", _PERMITS, {"permits": found})

    # --- what was to be told --------------------------------------------------------------------------------------

    def tell(self, lease: str, said: Progress) -> None:
        """Keep what the service shall hear of a lease; the newest word counts."""
        self._state.write(f"byhand/told/{lease}.json", _TOLD, {"lease": lease, "said": said.model_dump(mode="json")})

    def told(self) -> tuple[ToldProgress, ...]:
        """Everything that is to be told."""
        found = []
        for path in sorted(self._state.path("byhand/told").glob("*.json")):
            document = self._state.read(f"byhand/told/{path.name}", _TOLD)
            if document is not None:
                found.append(ToldProgress.model_validate({"lease": document["lease"], "said": document["said"]}))
        return tuple(found)

    def forget_told(self, told: Iterable[str]) -> None:
        """The service has these."""
        for lease in told:
            self._state.disk.remove(self._state.path(f"byhand/told/{lease}.json"))

    # --- what went out --------------------------------------------------------------------------------------------

    def went_out(self, number: int, leases: Sequence[str]) -> None:
        """What a return bundle told; kept until the service says that it has that bundle."""
        self._state.write("byhand/out.json", _OUT, {"told": {**self._out(), **dict.fromkeys(leases, number)}})

    def heard_of(self, number: int) -> None:
        """The service has every return bundle up to this number: what they told need not be told again."""
        out = self._out()
        done = [lease for lease, first in out.items() if first <= number]
        self.forget_told(done)
        if done:
            left = {lease: first for lease, first in out.items() if first > number}
            self._state.write("byhand/out.json", _OUT, {"told": left})

    def _out(self) -> dict[str, int]:
        document = self._state.read("byhand/out.json", _OUT)
        return {} if document is None else {str(lease): int(number) for lease, number in document["told"].items()}

    # --- the counter ----------------------------------------------------------------------------------------------

    def next_return(self) -> int:
        """The next return bundle's number, taken for good."""
        document = self._state.read("byhand/returned.json", _RETURNED)
        number = 1 if document is None else int(document["number"]) + 1
        self._state.write("byhand/returned.json", _RETURNED, {"number": number})
        return number


def _same(one: HandedPermit, other: HandedPermit) -> bool:
    apart = dt.datetime.fromisoformat(other.permitted) - dt.datetime.fromisoformat(one.permitted)
    return one.bundle == other.bundle and abs(apart.total_seconds()) < _ONE_LEAVE
