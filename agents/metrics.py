"""Figures of the agent in the text format of Prometheus, from what the state directory holds; the daemon is not asked."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping

from . import doctor, host, self_tests, status
from .doctor import Place
from .errors import AgentError
from .runs import RunStore, State

_HELP: Mapping[str, str] = {
    "sanitrail_agent_info": "Version of the agent.",
    "sanitrail_agent_runs": "Orders on this host by state.",
    "sanitrail_agent_outbox": "Signed records the service has not accepted yet.",
    "sanitrail_agent_outbox_damaged": "Records that cannot be read back.",
    "sanitrail_agent_halted": "1 while the big red stop stands.",
    "sanitrail_agent_self_test_missed": "Planted faults that the newest self-test did not find; nothing is begun unless 0.",
    "sanitrail_agent_self_test_age_seconds": "Seconds since the newest self-test.",
    "sanitrail_agent_findings": "What `sanitrail-agent doctor` finds, by weight.",
    "sanitrail_agent_state_free_bytes": "Room beneath the state directory.",
    "sanitrail_agent_status_age_seconds": "Seconds since the agent last wrote down how it stands.",
    "sanitrail_agent_exchange_failures": "Failures in a row of one exchange with the service.",
}


class _Page:
    """Lines, each name announced once."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._announced: set[str] = set()

    def put(self, name: str, value: float, **labels: str) -> None:
        """One figure."""
        if name not in self._announced:
            self._announced.add(name)
            self.lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} gauge"]
        inner = ",".join(f'{key}="{_escaped(word)}"' for key, word in labels.items())
        self.lines.append(f"{name}{{{inner}}} {value:g}" if inner else f"{name} {value:g}")


def text(place: Place) -> str:
    """All figures. What cannot be read is left out, and counts as a finding."""
    page = _Page()
    page.put("sanitrail_agent_info", 1, version=host.agent_version())
    findings = doctor.looks(place)
    for weight in ("stops", "mind"):
        page.put("sanitrail_agent_findings", sum(one.weight == weight for one in findings), weight=weight)
    page.put("sanitrail_agent_halted", any(one.code == "host-halted" for one in findings))
    if place.state.root.exists():
        page.put("sanitrail_agent_outbox", len(list(place.state.path("outbox").glob("*.json"))))
        page.put("sanitrail_agent_outbox_damaged", len(list(place.state.path("outbox/damaged").glob("*"))))
        page.put("sanitrail_agent_state_free_bytes", shutil.disk_usage(place.state.root).free)
    _put_self_test(place, page)
    _put_runs(place, page)
    _put_exchanges(place, page)
    return "\n".join(page.lines) + "\n"


def _put_self_test(place: Place, page: _Page) -> None:
    found = self_tests.shown(place.state)
    if found is None:
        return
    page.put("sanitrail_agent_self_test_missed", len(found.missed))
    taken = dt.datetime.fromisoformat(found.taken)
    page.put("sanitrail_agent_self_test_age_seconds", max(0.0, (place.now() - taken).total_seconds()))


def _put_runs(place: Place, page: _Page) -> None:
    try:
        states = [run.state for run in RunStore(place.state).all()]
    except (AgentError, OSError):
        return
    for state in State:
        if state is not State.GONE:
            page.put("sanitrail_agent_runs", states.count(state), state=str(state))


def _put_exchanges(place: Place, page: _Page) -> None:
    shown = status.read(place.state)
    if shown is None:
        return
    written = dt.datetime.fromisoformat(str(shown["written"]))
    page.put("sanitrail_agent_status_age_seconds", max(0.0, (place.now() - written).total_seconds()))
    for name, one in shown.get("exchanges", {}).items():
        page.put("sanitrail_agent_exchange_failures", int(one["failures"]), exchange=name)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
