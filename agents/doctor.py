"""What is wrong with this host's agent, and how to set it right. Each look is a function of facts; `looks` gathers them.

A finding has a code that is never reused, what is true, and the one thing to do. `stops` means that no order is carried out
until it is set right; `mind` that somebody should look. What cannot be looked at is a finding itself, never a success.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sanitizer.selftest import build_digest

from . import enrolment, keys, rules_file, self_tests, status
from .config import Settings
from .errors import AgentError, StateBusy, StateUnwritable
from .halts import Halts
from .pins import PinStore
from .readiness import storage_problem
from .runs import RunStore
from .state import StateDirectory

Weight = Literal["stops", "mind"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    code: str
    weight: Weight
    sentence: str
    fix: str

    def describe(self) -> str:
        """In two lines."""
        return f"{'STOPS' if self.weight == 'stops' else 'mind'}  {self.sentence} [{self.code}]\n       {self.fix}"


@dataclass(frozen=True)
class Place:
    """What is looked at; a test gives its own."""

    settings: Settings
    state: StateDirectory
    now: Callable[[], dt.datetime]
    uid: int


def looks(place: Place) -> tuple[Finding, ...]:
    """Everything that is wrong, what stops work first."""
    found: list[Finding] = []
    for look in _LOOKS:
        try:
            found.extend(look(place))
        except AgentError as error:
            found.append(Finding(error.code, "stops", error.summarize(), error.advice))
        except OSError as error:
            found.append(_unseen(error))
    unique = {finding.code + finding.sentence: finding for finding in found}
    return tuple(sorted(unique.values(), key=lambda finding: (finding.weight != "stops", finding.code)))


def _unseen(error: OSError) -> Finding:
    """Newer kernels say so of ext4 only when something is written: a lock here."""
    if error.errno == errno.EROFS:
        return Finding(StateUnwritable.code, "stops", StateUnwritable(str(error)).summarize(), StateUnwritable.advice)
    return Finding("cannot-look", "stops", f"It could not be looked at: {error}", "Run this as root; check the disk.")


def _root(place: Place) -> Iterator[Finding]:
    if place.uid != 0:
        yield Finding(
            "not-root", "stops", "This was not run as root, so not everything could be looked at.", "Run it with sudo."
        )


def _state(place: Place) -> Iterator[Finding]:
    root = place.state.root
    try:
        facts = root.stat()
    except FileNotFoundError:
        yield Finding("no-state", "stops", f"There is no {root}.", "Run `sanitrail-agent enrol`; it makes it.")
        return
    if facts.st_uid != place.uid or stat.S_IMODE(facts.st_mode) & 0o077:
        yield Finding(
            "state-open",
            "stops",
            f"{root} is open to others, or not this user's: what the agent believes could be changed.",
            f"See who did that; then: chown root {root}; chmod 0700 {root}",
        )
    place.state.require_known_format()
    if (problem := storage_problem(root)) is not None:
        yield Finding(problem.code, "stops", f"{root}: {problem.summarize()}", problem.advice)


def _enrolled(place: Place) -> Iterator[Finding]:
    own, enrolled = keys.load(place.state), enrolment.load(place.state)
    if own is None or enrolled is None or own.signer.key_id != enrolled.key_id:
        yield Finding(
            "not-enrolled",
            "stops",
            "This host is not enrolled with a service.",
            "Make a token in the console (Hosts, Enrol a host), then `sanitrail-agent enrol --server ADDRESS`.",
        )
        return
    if enrolled.status != "confirmed":
        yield Finding(
            "not-confirmed",
            "stops",
            f"The service knows this host as {enrolled.host}, and it is {enrolled.status}.",
            f"Have an administrator compare this fingerprint in the console: {own.fingerprint}",
        )
    pins = PinStore(place.state).require()
    if pins.roster is None:
        yield Finding(
            "no-roster",
            "stops",
            "No roster of approvers is pinned, so no approval counts here.",
            "Run `sanitrail-agent pin-roster DIGEST` with the digest the approvers agree on.",
        )
    for alarm in PinStore(place.state).alarms():
        yield Finding(
            "log-in-alarm",
            "stops",
            f"The log contradicted itself: {alarm}",
            f"Give the files under {place.state.root}/alarms to the auditor; enrol again once it is settled.",
        )


def _rules(place: Place) -> Iterator[Finding]:
    rules = rules_file.load(place.settings.local_rules)
    if not rules.allowed_methods:
        yield Finding(
            "nothing-allowed",
            "mind",
            "The local rules allow no method, so that every order is refused.",
            f"If that is not what you want, set allowed_methods in {place.settings.local_rules}.",
        )
    if rules.dry_run:
        yield Finding(
            "dry-run",
            "mind",
            "The local rules have this host rehearse only: orders are answered with what would be done, nothing is written.",
            f"If that is not what you want, take dry_run out of {place.settings.local_rules}.",
        )
    if rules.max_devices_per_hour == 0:
        yield Finding(
            "dry",
            "mind",
            "The local rules allow no medium an hour: this host works dry, and writes to none.",
            f"If that is not what you want, set max_devices_per_hour in {place.settings.local_rules}.",
        )


def _halted(place: Place) -> Iterator[Finding]:
    why = Halts(place.state).standing()
    if why is not None:
        yield Finding(
            "host-halted",
            "stops",
            f"This host is halted. {why}",
            "Lift it where it was made: `sanitrail-agent go-on`, or the host's page in the console.",
        )


def _daemon(place: Place) -> Iterator[Finding]:
    """In the daemon's own words: the clocks as it last compared them, and whether the service answers it."""
    shown = status.read(place.state) or {}
    problem = shown.get("clock", {}).get("problem")
    if problem and shown["clock"].get("skew_seconds") is not None:
        yield Finding(
            "clock-untrusted",
            "stops",
            str(problem),
            "Set the wrong clock right: chrony or systemd-timesyncd, here or there.",
        )
    heartbeat = shown.get("exchanges", {}).get("heartbeat", {})
    if heartbeat.get("failures"):
        yield Finding(
            "service-not-heard",
            "mind",
            f"The last {heartbeat['failures']} heartbeats failed: {heartbeat.get('problem')}",
            "systemctl status sanitrail-carrier; see that the service's address, its certificate and the way there are right.",
        )


def _tested(place: Place) -> Iterator[Finding]:
    """In the words of the agent's newest self-test: whether it found everything, and whether it was of what is installed."""
    if status.read(place.state) is None:
        return  # it has not run yet
    found = self_tests.shown(place.state)
    if found is None:
        yield Finding(
            "self-test-missing",
            "stops",
            "The agent has left no self-test that can be read.",
            "systemctl restart sanitrail-helper; then look again. `sanitrail-agent self-test` makes one by hand.",
        )
        return
    if found.missed:
        yield Finding(
            "self-test-missed",
            "stops",
            f"The agent's self-test did not find {', '.join(found.missed)}.",
            "Install the package anew; keep the output of `sanitrail-agent self-test` for the maker.",
        )
    if found.build_sha256 != build_digest():
        yield Finding(
            "another-build-runs",
            "mind",
            "The agent that runs is another build than the one that is installed.",
            "systemctl restart sanitrail-helper sanitrail-carrier; runs under way go on afterwards.",
        )


def _records(place: Place) -> Iterator[Finding]:
    damaged = sorted(path.name for path in place.state.path("outbox/damaged").glob("*"))
    if damaged:
        yield Finding(
            "outbox-damaged",
            "mind",
            f"{len(damaged)} records cannot be read back: {', '.join(damaged[:3])}.",
            "Check the disk; keep the files: the gap in the sequence of records is explained by them.",
        )
    RunStore(place.state).all()  # raises where one cannot be read back


def _works(place: Place) -> Iterator[Finding]:
    if not place.state.root.exists():
        return  # said already
    try:
        with place.state.owned():
            yield Finding(
                "not-running",
                "stops",
                "The agent does not run.",
                "systemctl enable --now sanitrail-helper sanitrail-carrier; journalctl -u sanitrail-helper says why it ended.",
            )
    except StateBusy:
        return


def _carrier(place: Place) -> Iterator[Finding]:
    user, socket = place.settings.carrier_user, place.settings.carrier_socket
    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError:
        yield Finding(
            "no-carrier-user",
            "mind",
            f"There is no user {user}, so that the agent cannot run in two halves.",
            "systemd-sysusers makes it (the package does so); or name another in carrier_user.",
        )
        return
    if uid == 0:
        yield Finding("carrier-is-root", "stops", f"{user} is root.", "Name a user of its own in carrier_user.")
    if not socket.is_socket():
        yield Finding(
            "no-carrier-socket",
            "mind",
            f"Nobody listens at {socket}: the helper does not run, or the agent runs in one process.",
            "systemctl start sanitrail-helper sanitrail-carrier",
        )


_LOOKS: tuple[Callable[[Place], Iterator[Finding]], ...] = (
    _root, _state, _enrolled, _rules, _halted, _daemon, _tested, _records, _works, _carrier,
)  # fmt: skip


def here(settings: Settings, now: Callable[[], dt.datetime]) -> Place:
    """This host. Nothing is created but a lock file, so that looking changes nothing."""
    return Place(settings, StateDirectory(Path(settings.state_dir)), now, os.geteuid())
