"""The big red stop: while a halt stands, nothing is begun and nothing goes on that can be stopped.

    halt-local.json     halted by a person at this host (`sanitrail-agent stop-all`); only that person's host lifts it
    halt-service.json   the newest signed word of the service: halted, or lifted again; numbers only grow

Either suffices. A file that cannot be read back counts as a halt: nobody knows that it was lifted. What a halt cannot do is
said, not hidden: a drive that carries out its own command goes on, whatever anybody wishes.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reports.agent_words import Halt
from reports.envelope import PublicKey, open_envelope
from reports.errors import ReportError
from sanitizer import PendingRun

from .clock import rfc3339
from .engine import Engine
from .errors import HaltRefused, StateDamaged
from .runs import RunStore, State
from .state import StateDirectory

log = logging.getLogger("agents.halts")

LOCAL = "halt-local.json"
SERVICE = "halt-service.json"
FILES = frozenset({LOCAL, SERVICE})
LOCAL_SCHEMA = "sanitrail-agent/halt-local/1"
SERVICE_SCHEMA = "sanitrail-agent/halt-service/1"

Progress = Literal["halting", "halted", "goes-on"]


@dataclass(frozen=True)
class HaltedRun:
    """What became of one run that was under way."""

    run_id: str
    order: str
    device: str
    progress: Progress

    def describe(self) -> str:
        """In one line."""
        return f"order {self.order}, {self.device}: {_WORDS[self.progress]}"


_WORDS: Mapping[Progress, str] = {
    "halting": "ends at its next block",
    "halted": "halted; it goes on from there once the halt is lifted",
    "goes-on": "CANNOT be halted: the drive carries out its own command by itself; leave its power on",
}


class Halts:
    """The halts that stand on this host."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self._heard: Halt | None = None
        """The service's newest word in this process: a disk that cannot keep it does not undo it."""

    def traces(self) -> tuple[tuple[int, int] | None, ...]:
        """What changes whenever a halt comes or goes, without reading it: it may be looked at every second, for years."""
        heard = None if self._heard is None else (self._heard.number, 0)
        return (*(self._trace(name) for name in (LOCAL, SERVICE)), heard)

    def _trace(self, name: str) -> tuple[int, int] | None:
        try:
            facts = self._state.path(name).stat()
        except OSError:
            return None
        return facts.st_ino, facts.st_mtime_ns

    def standing(self) -> str | None:
        """Why this host is halted, in a sentence; None where it is not."""
        found = []
        try:
            local = self._state.read(LOCAL, LOCAL_SCHEMA)
            if local is not None:
                found.append(f"Halted at the host since {local.get('time')}: {local.get('reason')}")
            said = self._newest()
            if said is not None and said.action == "halt":
                found.append(f"Halted by {said.by} since {said.time}: {said.reason}")
        except StateDamaged as error:
            found.append(f"Whether a halt stands cannot be read: {error.summarize()}")
        return " ".join(found)[:500] or None

    def halt_here(self, reason: str, now: dt.datetime) -> bool:
        """Halt from now on. Returns whether it did not stand already. Raises `OSError`."""
        try:
            known = self._state.read(LOCAL, LOCAL_SCHEMA)
        except StateDamaged:
            known = None  # written anew: it halts either way
        if known is None:
            self._state.write(LOCAL, LOCAL_SCHEMA, {"reason": reason[:300], "time": rfc3339(now)})
        return known is None

    def lift_here(self) -> bool:
        """Lift the halt of this host's own people. Returns whether there was one. The service's stays."""
        there = self._state.path(LOCAL).exists()
        self._state.disk.remove(self._state.path(LOCAL))
        return there

    @property
    def by_service(self) -> bool:
        """Whether the service's word halts this host. Raises `StateDamaged`."""
        said = self._newest()
        return said is not None and said.action == "halt"

    def follow(self, envelope: Mapping[str, Any], agent_key: str, service_keys: Mapping[str, PublicKey]) -> Halt:
        """Take in the service's newest word. Older words, and the same again, change nothing.

        Raises:
            HaltRefused: The service did not sign it, or it is for another agent. What stood before stands.
            OSError: It cannot be kept; it stands as long as this process does, and with its next word is kept again.
        """
        said = _read(envelope, service_keys)
        if said.agent_key != agent_key:
            raise HaltRefused("It is for another agent.")
        try:
            known = self._kept()
        except StateDamaged:
            known = None
        if known is None or said.number > known.number:
            if self._heard is None or said.number > self._heard.number:
                self._heard = said
            self._state.write(SERVICE, SERVICE_SCHEMA, {"halt": said.to_dict()})
            log.warning("%s by %s: %s", "halted" if said.action == "halt" else "halt lifted", said.by, said.reason)
        return said

    def _newest(self) -> Halt | None:
        """Of what is kept and what was heard. Raises `StateDamaged`."""
        said = [one for one in (self._kept(), self._heard) if one is not None]
        return max(said, key=lambda one: one.number, default=None)

    def _kept(self) -> Halt | None:
        document = self._state.read(SERVICE, SERVICE_SCHEMA)
        if document is None:
            return None
        try:
            return Halt.from_dict(document.get("halt"), "halt")
        except ReportError as error:
            raise StateDamaged(str(self._state.path(SERVICE)), error.summarize()) from error


def _read(envelope: Mapping[str, Any], service_keys: Mapping[str, PublicKey]) -> Halt:
    try:
        body, _ = open_envelope(envelope, service_keys, "halt", exact=True)
        return Halt.from_dict(body, "halt")
    except ReportError as error:
        raise HaltRefused(error.summarize()) from error


def what_became(runs: RunStore, engine: Engine, journals: Path) -> tuple[HaltedRun, ...]:
    """Each run that was begun, and whether it stands still: in the words of the sanitizer's own journals."""
    known = {pending.run_id: pending for pending in engine.pending_runs(journals)}
    begun = [run for run in runs.all() if run.state is State.STARTED]
    return tuple(HaltedRun(run.run_id, run.order_id, run.label, _progress(known.get(run.run_id))) for run in begun)


def _progress(pending: PendingRun | None) -> Progress:
    if pending is None:
        return "halted"  # no journal: not one byte was written
    if pending.own_work:
        return "goes-on"
    return "halting" if pending.state == "running" else "halted"
