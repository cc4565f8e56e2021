"""What this host relies on, fixed at enrolment and changed only by its own rules: trust root, roster, newest checkpoint.

    trust root      by its digest; its keys verify the log, orders and acceptances; a later version follows only when enough
                    root keys of the one before signed it
    roster          follows only by a quorum of the one before (rosters.py)
    checkpoint      follows only with proof that the log was extended (log_watch.py); anything else is an alarm, kept as evidence

A daemon and a command (`pin-roster`) may change pins at once: each change reads, decides and writes under a lock on the file.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from inventory.contract.v1.common import LogPosition
from reports.canonical import canonical
from reports.errors import ReportError
from reports.keys import VerifyingKey
from reports.tlog import Checkpoint
from reports.trust import TrustRoot, open_chain

from . import log_watch, rosters
from .errors import (
    AgentError,
    CheckpointRefused,
    EvidenceRefused,
    LogForked,
    Rejected,
    Retry,
    StateDamaged,
    TrustRootRefused,
)
from .log_watch import Prove
from .roster_refusals import RosterOutOfOrder
from .rosters import PinnedRoster
from .state import StateDirectory, locked

FILE = "pins.json"
SCHEMA = "sanitrail-agent/pins/2"
SCHEMA_1 = "sanitrail-agent/pins/1"
"""With one trust root; read, and written anew with the next change."""


@dataclass(frozen=True)
class Pins:
    """Whom and what this host believes."""

    roots: tuple[TrustRoot, ...]
    """Every version of the trust root this host has followed, from the first on."""
    roster: PinnedRoster | None
    note: str
    """The newest verified checkpoint, as signed."""
    checkpoint: Checkpoint

    @property
    def trust(self) -> TrustRoot:
        """The newest version of the trust root."""
        return self.roots[-1]

    @property
    def pin(self) -> str:
        """Digest of the first version: what a person compared, or what that follows from."""
        return self.roots[0].pin

    def acceptance_keys(self, index: int) -> Mapping[str, VerifyingKey]:
        """The service's keys that count at a log index, by key id."""
        return self.trust.keys("acceptance", index)


def make(trust_roots: Sequence[Mapping[str, Any]], pin: str, roster: PinnedRoster | None, note: str) -> Pins:
    """Pins from their parts, each checked against the others.

    Args:
        trust_roots: Every version, oldest first.
        pin: Digest of any one of them.
        roster: The pinned one.
        note: A checkpoint, signed by the log's keys of any version: it may have been taken in before they were replaced.

    Raises:
        TrustRootRefused: The trust root is not the pinned one, or does not hold together.
        CheckpointRefused: The checkpoint is not signed by the trust root's log.
    """
    try:
        roots = open_chain(trust_roots, pin)
    except ReportError as error:
        raise TrustRootRefused(error.summarize()) from error
    return Pins(roots, roster, note, _read_checkpoint(note, roots))


def _read_checkpoint(note: str, roots: Sequence[TrustRoot]) -> Checkpoint:
    for root in reversed(roots[1:]):
        try:
            return log_watch.read_checkpoint(note, root.log_keys)
        except CheckpointRefused:
            continue
    return log_watch.read_checkpoint(note, roots[0].log_keys)


class PinStore:
    """The pins on disk. Thread-safe."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._threads = threading.RLock()

    def load(self) -> Pins | None:
        """The pins, or None before enrolment.

        Raises:
            StateDamaged: They cannot be read back, or do not hold together any more.
        """
        document = self._state.read(FILE, SCHEMA, SCHEMA_1)
        if document is None:
            return None
        try:
            stored = document["roster"]
            roster = None if stored is None else rosters.read(stored)
            versions = [document["trust_root"]] if document["schema"] == SCHEMA_1 else document["trust_roots"]
            return make(versions, document["pin"], roster, document["checkpoint"])
        except (AgentError, KeyError, TypeError) as error:
            raise StateDamaged(str(self._state.path(FILE)), str(error)) from error

    def require(self) -> Pins:
        """The pins. Raises `StateDamaged`, also where there are none."""
        pins = self.load()
        if pins is None:
            raise StateDamaged(str(self._state.path(FILE)), "there are no pins: this host is not enrolled")
        return pins

    def replace(self, pins: Pins) -> None:
        """Enrolment: the beginning of a new trust. Settles every alarm, which stays on disk."""
        with self._changing():
            self._save(pins)
            self._settle("forked-*.json")
            self._settle("unproven-*.json")

    def advance(self, note: str, prove: Prove) -> Checkpoint:
        """Take in a checkpoint the service handed out.

        Returns:
            The newest checkpoint now known.

        Raises:
            CheckpointRefused: Not the pinned log's.
            LogForked: It contradicts the pinned one, or the service gives no proof; an alarm was stored.
            Retry, Rejected: The service could not be asked; nothing is concluded.
        """
        with self._changing():
            pins = self.require()
            offered = log_watch.read_checkpoint(note, pins.trust.log_keys)
            try:
                newest = log_watch.newer(pins.checkpoint, offered, prove)
            except LogForked as error:
                self._raise_alarm(error, pins.note, note)
                raise
            if newest is not pins.checkpoint:
                self._save(replace(pins, note=note, checkpoint=offered))
            self._settle_proven(newest, prove)
            return newest

    def follow_trust(self, trust_roots: Sequence[Mapping[str, Any]]) -> TrustRoot:
        """Follow the trust root from the version this host has to the newest one offered.

        A shorter chain, from a replica that is behind, changes nothing.

        Args:
            trust_roots: Every version, oldest first.

        Returns:
            The newest version known.

        Raises:
            TrustRootRefused: A version does not follow from the pinned one; nothing is changed.
            LogForked: Two different versions follow from the same one, both well signed: an alarm was stored.
        """
        with self._changing():
            pins = self.require()
            try:
                offered = open_chain(trust_roots, pins.pin)
            except ReportError as error:
                raise TrustRootRefused(error.summarize()) from error
            for known, other in zip(pins.roots, offered, strict=False):
                if known.pin != other.pin:
                    forked = LogForked(f"Two trust roots of version {known.body.version} are signed.", proven=True)
                    self._raise_alarm(forked, known.pin, other.pin)
                    raise forked
            if len(offered) > len(pins.roots):
                self._save(replace(pins, roots=offered))
                return offered[-1]
            return pins.trust

    def require_contains(self, position: LogPosition, prove: Prove) -> None:
        """As `log_watch.require_contains`, and an alarm is stored where it fails."""
        with self._changing():
            pins = self.require()
            try:
                log_watch.require_contains(pins.checkpoint, position, prove)
            except LogForked as error:
                self._raise_alarm(error, pins.note, position.model_dump_json())
                raise

    def follow_rosters(self, chain: Sequence[Mapping[str, Any]]) -> PinnedRoster:
        """Follow the rosters after the pinned one.

        Raises:
            RosterRefused: A step does not hold; the steps before it are kept.
            StateDamaged: No roster was ever pinned: then a person has to (`pin_roster`).
        """
        return self._with_roster(lambda pinned: _follow_as_far_as_possible(pinned, chain))

    def pin_roster(self, chain: Sequence[Mapping[str, Any]], digest: str) -> PinnedRoster:
        """Pin the roster whose digest a person compared, at the end of a chain from version 1.

        Raises:
            RosterRefused: It is another, the chain does not hold, or a roster is pinned already (later ones must follow from it).
        """
        with self._changing():
            pins = self.require()
            found = rosters.confirmed(chain, digest)
            if pins.roster is not None and pins.roster.sha256 != found.sha256:
                raise RosterOutOfOrder(f"Version {pins.roster.roster.version} is pinned; others must follow from it.")
            self._save(replace(pins, roster=found))
            return found

    def alarms(self) -> tuple[str, ...]:
        """What is not settled, in a line each; the files beside them are the evidence."""
        directory = self._state.path("alarms")
        found = sorted((*directory.glob("forked-*.json"), *directory.glob("unproven-*.json")))
        return tuple(f"{path.name}: {self._alarm_sentence(path.name)}" for path in found)

    def _alarm_sentence(self, name: str) -> str:
        document = self._state.read(f"alarms/{name}", "sanitrail-agent/alarm/1")
        return "" if document is None else str(document.get("problem", ""))

    def _raise_alarm(self, error: LogForked, known: str, offered: str) -> None:
        evidence = {"problem": error.detail, "known": known, "offered": offered}
        digest = hashlib.sha256(canonical(evidence)).hexdigest()[:16]
        name = f"alarms/{'forked' if error.proven else 'unproven'}-{digest}.json"
        if not self._state.path(name).exists():
            self._state.write(name, "sanitrail-agent/alarm/1", evidence)

    def _settle_proven(self, newest: Checkpoint, prove: Prove) -> None:
        """Settle what could not be proven before and can be now; a checkpoint that fits nowhere stays an alarm."""
        for path in sorted(self._state.path("alarms").glob("unproven-*.json")):
            document = self._state.read(f"alarms/{path.name}", "sanitrail-agent/alarm/1") or {}
            offered = str(document.get("offered", ""))
            if not offered.startswith("{"):  # else an order's position: the order itself names it again
                try:
                    log_watch.newer(newest, _read_checkpoint(offered, self.require().roots), prove)
                except (EvidenceRefused, Retry, Rejected):
                    continue
            self._state.disk.move(path, path.with_name(f"settled-{path.name}"))

    def _settle(self, pattern: str) -> None:
        for path in self._state.path("alarms").glob(pattern):
            self._state.disk.move(path, path.with_name(f"settled-{path.name}"))

    def _with_roster(self, change: Callable[[PinnedRoster], Iterator[PinnedRoster]]) -> PinnedRoster:
        with self._changing():
            pins = self.require()
            if pins.roster is None:
                raise StateDamaged(str(self._state.path(FILE)), "no roster is pinned")
            newest = pins.roster
            for newest in change(pins.roster):
                self._save(replace(pins, roster=newest))
            return newest

    def _save(self, pins: Pins) -> None:
        document = {
            "trust_roots": [root.envelope for root in pins.roots],
            "pin": pins.pin,
            "roster": None if pins.roster is None else pins.roster.envelope,
            "checkpoint": pins.note,
        }
        self._state.write(FILE, SCHEMA, document)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._threads, locked(self._state.path("pins.lock"), wait=True):
            yield


def _follow_as_far_as_possible(pinned: PinnedRoster, chain: Sequence[Mapping[str, Any]]) -> Iterator[PinnedRoster]:
    for envelope in chain:
        pinned = rosters.follow(pinned, envelope)
        yield pinned
