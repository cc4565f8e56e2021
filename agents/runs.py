"""One leased order from lease to safe record: states, events, one table, and what a restart finds in each state.

    state      on disk means                                          a restart
    -------    ---------------------------------------------------    ------------------------------------------------------------
    leased     an order was leased; no run was begun                  checks everything again, or drops it when the
    lease has ended started    the order is spent and the sanitizer may have begun    asks the sanitizer's journal:
    resume, take its result, or (no
                                                                      journal: not one byte was written) begin under
                                                                      the same run id
    ended      the sanitizer's result                                 makes the record again: same id, same sequence number
    recorded   the signed record is in the outbox                     discards the journal and forgets the run
    refused    it was refused before a run; the service may not       tells the service again, then forgets it
               know yet

The sanitizer's own table (`sanitizer.run`) lies inside `started`. Files are written before the step they announce, so
that a crash finds at worst a step announced and not done; every step can be done again.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from pydantic import ValidationError

from inventory.contract.v1.orders import Lease
from reports.envelope import payload_digest
from reports.errors import ReportError
from sanitizer.selftest import SelfTest

from .errors import StateDamaged
from .refusals import OrderAlreadyExecuted, OrderMalformed
from .state import StateDirectory

SCHEMA = "sanitrail-agent/run/1"
SPENT_SCHEMA = "sanitrail-agent/spent/1"
_MOST_BUILDS = 15
"""Self-tests kept of a run beside the newest: nobody upgrades more often in one run."""


class State(StrEnum):
    """Where a leased order stands on this host."""

    LEASED = "leased"
    STARTED = "started"
    ENDED = "ended"
    RECORDED = "recorded"
    REFUSED = "refused"
    GONE = "gone"
    """No file any more."""


class Event(StrEnum):
    """What moves it."""

    START = "start"
    END = "end"
    STORE = "store"
    """The signed record is in the outbox."""
    REFUSE = "refuse"
    LAPSE = "lapse"
    """The lease ended before anything was begun: the service leases the order again."""
    FORGET = "forget"


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.LEASED, Event.START): State.STARTED,
    (State.LEASED, Event.REFUSE): State.REFUSED,
    (State.LEASED, Event.LAPSE): State.GONE,
    (State.STARTED, Event.END): State.ENDED,
    (State.STARTED, Event.REFUSE): State.REFUSED,  # the journal is lost: nothing can be recorded, and people must know
    (State.ENDED, Event.STORE): State.RECORDED,
    (State.ENDED, Event.REFUSE): State.REFUSED,  # likewise
    (State.RECORDED, Event.FORGET): State.GONE,
    (State.REFUSED, Event.FORGET): State.GONE,
}


def advance(state: State, event: Event) -> State:
    """The state after `event`. Raises `RuntimeError` for a pair that is not in the table: a bug."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise RuntimeError(f"no way from {state} by {event}") from None


@dataclass(frozen=True)
class Run:
    """One leased order and where it stands."""

    order_sha256: str
    """Payload digest of the order: one run an order, whoever signed it beside."""
    run_id: str
    """Names the run, its journal and its record."""
    state: State
    lease: Lease
    order_id: str = ""
    """The order's number, once it was read."""
    label: str = ""
    device: str = ""
    """Fingerprint, once the order was read."""
    reason_code: str = ""
    reason: str = ""
    """Why it was refused."""
    result: dict[str, Any] | None = None
    """The sanitizer's result of an ended run, until its record is safe."""
    custodies: tuple[str, ...] = ()
    """The service's numbers of passwords it keeps for this run."""
    self_tests: tuple[dict[str, Any], ...] = ()
    """One self-test of each build that took part (`sanitizer.selftest.SelfTest`)."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        plain = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        told = {
            "state": str(self.state),
            "lease": self.lease.model_dump(mode="json"),
            "custodies": list(self.custodies),
            "self_tests": list(self.self_tests),
        }
        return {**plain, **told}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises `KeyError`, `ValueError` (pydantic's included) or `TypeError`."""
        texts = {name: document[name] for name in _TEXTS}
        if not all(isinstance(text, str) for text in texts.values()):
            raise TypeError("a text is none")
        lease, result = Lease.model_validate(document["lease"]), document["result"]
        if result is not None and not isinstance(result, dict):
            raise TypeError("a result is none")
        custodies = document.get("custodies", [])  # files written before there were any
        if not isinstance(custodies, list) or not all(isinstance(one, str) for one in custodies):
            raise TypeError("custodies are none")
        tests = tuple(SelfTest.from_dict(one).to_dict() for one in document.get("self_tests", []))  # likewise
        state = State(document["state"])
        return cls(**texts, state=state, lease=lease, result=result, custodies=tuple(custodies), self_tests=tests)


_TEXTS = ("order_sha256", "run_id", "order_id", "label", "device", "reason_code", "reason")


class RunStore:
    """The runs on disk. Thread-safe; a run is changed by whoever works on it, a lease by the leasing loop."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._lock = threading.RLock()

    def take(self, lease: Lease, new_run_id: str) -> Run:
        """Keep a lease the service handed out: a new run, or a new token for the run this host has already.

        Raises:
            OrderMalformed: The order's envelope cannot even be named.
            OSError: The disk does not take it; nothing was begun.
        """
        try:
            digest = payload_digest(lease.order.model_dump())
        except ReportError as error:
            raise OrderMalformed(error.summarize()) from error
        with self._lock:
            known = self.get(digest)
            run = Run(digest, new_run_id, State.LEASED, lease) if known is None else _renewed(known, lease)
            self._save(run)
            return run

    def get(self, order_sha256: str) -> Run | None:
        """The run of an order. Raises `StateDamaged`."""
        name = _name(order_sha256)
        document = self._state.read(name, SCHEMA)
        if document is None:
            return None
        try:
            return Run.from_dict(document)
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            raise StateDamaged(str(self._state.path(name)), str(error)) from error

    def all(self) -> list[Run]:
        """Every run, by order digest. Raises `StateDamaged`."""
        names = sorted(path.stem for path in self._state.path("runs").glob("*.json"))
        return [run for name in names if (run := self.get(name)) is not None]

    def move(self, run: Run, event: Event, **changes: Any) -> Run:  # noqa: ANN401 - fields of `Run` by name
        """Do one step of the table, durably; a newer lease that came meanwhile is kept.

        Raises:
            OSError: The disk does not take it; the run stands where it stood.
        """
        with self._lock:
            known = self.get(run.order_sha256) or run
            kept: dict[str, Any] = {
                "lease": known.lease,
                "custodies": known.custodies,
                "self_tests": known.self_tests,
            }
            moved = dataclasses.replace(run, **{**kept, "state": advance(run.state, event), **changes})
            if moved.state is State.GONE:
                self._state.disk.remove(self._state.path(_name(run.order_sha256)))
            else:
                self._save(moved)
            return moved

    def drop(self, run: Run) -> None:
        """Forget a lease that needs no run."""
        with self._lock:
            self._state.disk.remove(self._state.path(_name(run.order_sha256)))

    def current(self, run: Run) -> Run:
        """The same run with the newest lease."""
        with self._lock:
            known = self.get(run.order_sha256)
            if known is None:
                return run
            kept: dict[str, Any] = {
                "lease": known.lease,
                "custodies": known.custodies,
                "self_tests": known.self_tests,
            }
            return dataclasses.replace(run, **kept)

    def note_custody(self, run: Run, custody: str) -> None:
        """Keep the service's number of a password it holds for this run.

        Raises:
            OSError: The disk does not take it.
        """
        with self._lock:
            known = self.get(run.order_sha256)
            if known is not None and custody not in known.custodies:
                self._save(dataclasses.replace(known, custodies=(*known.custodies, custody)))

    def note_self_test(self, run: Run, test: SelfTest) -> None:
        """Keep the self-test of a build that goes to work on this run; one of each build is enough.

        Raises:
            OSError: The disk does not take it.
        """
        with self._lock:
            known = self.get(run.order_sha256)
            if known is None or any(one["build_sha256"] == test.build_sha256 for one in known.self_tests):
                return
            self._save(dataclasses.replace(known, self_tests=(*known.self_tests[-_MOST_BUILDS:], test.to_dict())))

    @contextmanager
    def newest_lease(self, run: Run) -> Iterator[Lease]:
        """The run's newest lease, which stays the newest inside the block: no other can be taken meanwhile."""
        with self._lock:
            yield self.current(run).lease

    def spend(self, run: Run, now: dt.datetime) -> None:
        """Mark the order as begun, for ever: approvals count once.

        Raises:
            OrderAlreadyExecuted: It was begun by another run.
            OSError: The disk does not take it.
        """
        name = f"spent/{run.order_sha256}.json"
        with self._lock:
            known = self._state.read(name, SPENT_SCHEMA)
            if known is None:
                self._state.write(name, SPENT_SCHEMA, {"run_id": run.run_id, "started": now.isoformat()})
            elif known.get("run_id") != run.run_id:
                raise OrderAlreadyExecuted(f"Run {known.get('run_id')}, begun {known.get('started')}.")

    def spent(self, run: Run) -> bool:
        """Whether this very run has spent its order."""
        known = self._state.read(f"spent/{run.order_sha256}.json", SPENT_SCHEMA)
        return known is not None and known.get("run_id") == run.run_id

    def starts_of_others(self, run: Run | None = None) -> list[dt.datetime]:
        """When runs were begun on this host, `run` left out. Raises `StateDamaged`."""
        found = []
        for path in self._state.path("spent").glob("*.json"):
            if run is not None and path.stem == run.order_sha256:
                continue
            document = self._state.read(f"spent/{path.name}", SPENT_SCHEMA)
            try:
                found.append(dt.datetime.fromisoformat((document or {})["started"]))
            except (KeyError, TypeError, ValueError) as error:
                raise StateDamaged(str(path), "no time") from error
        return found

    def _save(self, run: Run) -> None:
        self._state.write(_name(run.order_sha256), SCHEMA, run.to_dict())


def _renewed(run: Run, lease: Lease) -> Run:
    """The run under a newer lease. Order and approvals stay the ones that were checked, whatever comes with the lease."""
    renewed = {"id": lease.id, "token": lease.token, "expires": lease.expires, "path_hint": lease.path_hint}
    return dataclasses.replace(run, lease=run.lease.model_copy(update=renewed))


def _name(order_sha256: str) -> str:
    return f"runs/{order_sha256}.json"
