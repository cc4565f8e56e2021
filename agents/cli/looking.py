"""Commands that look and change nothing: `status`, `devices`, `paths`, `outbox`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from agents import assembly, discovery, enrolment, keys, status
from agents.clock import SystemClock
from agents.daemon import PATHS, PATHS_SCHEMA
from agents.engine import HERE
from agents.errors import AgentError, EnrolmentRefused
from agents.pins import PinStore
from agents.runs import RunStore
from inventory.contract.v1.agents import DeclaredPath
from inventory.contract.v1.devices import ObservedDevice, PathMapping

from .common import Common, explained
from .output import answer, fail


@click.command("status")
@explained
def status_command(common: Common) -> None:
    """How this host stands: enrolment, pins, clocks, runs, outbox, alarms."""
    state = assembly.open_state(common.settings())
    enrolled, own = enrolment.load(state), keys.load(state)
    if enrolled is None or own is None:
        raise EnrolmentRefused("This host is not enrolled: run `sanitrail-agent enrol` first.")
    store = PinStore(state)
    pins = store.require()
    document: dict[str, Any] = {
        "host": enrolled.host,
        "server": enrolled.server,
        "enrolment": enrolled.status,
        "fingerprint": own.fingerprint,
        "trust_root": pins.pin,
        "trust_root_version": pins.trust.body.version,
        "roster": None
        if pins.roster is None
        else {"version": pins.roster.roster.version, "sha256": pins.roster.sha256},
        "log": {"origin": pins.checkpoint.origin, "size": pins.checkpoint.size},
        "runs": [
            {"order": run.order_id, "state": str(run.state), "device": run.label, "run": run.run_id}
            for run in RunStore(state).all()
        ],
        "outbox": len(list(state.path("outbox").glob("*.json"))),
        "damaged": sorted(path.name for path in state.path("outbox/damaged").iterdir()),
        "alarms": list(store.alarms()),
        "daemon": status.read(state),
    }
    answer(common.as_json, document, _status_text(document))
    sys.exit(0 if enrolled.status == "confirmed" else 5)


def _status_text(found: Mapping[str, Any]) -> str:
    roster, damaged = found["roster"], found["damaged"]
    lines = [
        f"Host         {found['host']} at {found['server']}: {found['enrolment']}",
        f"Fingerprint  {found['fingerprint']}",
        f"Trust root   {found['trust_root']}, followed to version {found['trust_root_version']}",
        f"Roster       {'none pinned: no order is taken' if roster is None else 'version ' + str(roster['version'])}",
        f"Log          {found['log']['origin']}, {found['log']['size']} entries seen",
        f"Outbox       {found['outbox']} waiting{f', {len(damaged)} DAMAGED' if damaged else ''}",
    ]
    lines += [
        f"Run          {run['order'] or '(not read yet)'}: {run['state']}  {run['device']}" for run in found["runs"]
    ]
    lines += [f"ALARM        {alarm}" for alarm in found["alarms"]]
    return "\n".join([*lines, *_daemon_lines(found["daemon"])])


def _daemon_lines(daemon: Mapping[str, Any] | None) -> Sequence[str]:
    if daemon is None:
        return ["Daemon       has not run yet"]
    lines = [f"Daemon       as of {daemon['written']}"]
    lines += [f"  stands by  {reason}" for reason in daemon.get("standing_by", [])]
    lines += [f"  waits      {why}" for why in daemon.get("waiting", {}).values()]
    lines += [f"  {name:<10} {one['problem']}" for name, one in daemon.get("exchanges", {}).items() if one["problem"]]
    return lines


@click.command("devices")
@explained
def devices_command(common: Common) -> None:
    """Every disk of this host: its fingerprint, and each reason why it may not be touched."""
    seen = discovery.observe(HERE, (), SystemClock())
    text = "\n".join(line for device in seen.devices for line in _device_lines(device))
    answer(common.as_json, seen.model_dump(mode="json"), text or "No disks.")


def _device_lines(device: ObservedDevice) -> Sequence[str]:
    identity = device.identity
    if identity is None:
        lines = [f"{device.path}  identity not readable ({device.media}, {device.transport})", "  fingerprint  none"]
    else:
        name = " ".join(text for text in (identity.vendor, identity.model or identity.kind, identity.serial) if text)
        size = f"{identity.capacity_bytes / 1e9:.1f} GB"
        lines = [
            f"{device.path}  {name}, {size} ({device.media}, {device.transport})",
            f"  fingerprint  {identity.fingerprint}",
        ]
    return [*lines, *(f"  not now      {obstacle.summary} [{obstacle.code}]" for obstacle in device.obstacles)]


@click.command("paths")
@click.argument("paths", nargs=-1)
@explained
def paths_command(common: Common, paths: tuple[str, ...]) -> None:
    """The physical disks beneath PATHS, or beneath the paths the inventory declared for this host."""
    # abspath keeps symbolic links: following them is the sanitizer's part of the answer
    declared = [DeclaredPath(data_set="", path=os.path.abspath(path)) for path in paths]  # noqa: PTH100
    if not declared:
        document = assembly.open_state(common.settings()).read(PATHS, PATHS_SCHEMA)
        declared = [] if document is None else [DeclaredPath.model_validate(path) for path in document["paths"]]
    seen = discovery.observe(HERE, declared, SystemClock())
    places = {device.identity.fingerprint: device.path for device in seen.devices if device.identity is not None}
    text = "\n".join(line for mapping in seen.paths for line in _path_lines(mapping, places))
    document = {"paths": [mapping.model_dump(mode="json") for mapping in seen.paths]}
    answer(common.as_json, document, text or "The inventory has declared no paths for this host.")


def _path_lines(mapping: PathMapping, places: Mapping[str, str]) -> Sequence[str]:
    head = " ".join(text for text in (mapping.path, mapping.data_set) if text)
    return [
        f"{head}  (mounted at {mapping.mount_point or 'unknown'})",
        *(f"  {places.get(fingerprint, 'not attached')}  {fingerprint}" for fingerprint in mapping.devices),
        *(f"  unknown: {text}" for text in mapping.unresolved),
    ]


@click.command("outbox")
@explained
def outbox_command(common: Common) -> None:
    """Records that wait for the service, and files that could not be read back."""
    settings = common.settings()
    agent = assembly.build(settings, state=assembly.open_state(settings))
    waiting: list[dict[str, Any]] = []
    problem: AgentError | None = None
    for record_id in agent.outbox.waiting():
        try:
            item = agent.outbox.read(record_id)
        except FileNotFoundError:
            continue  # the daemon delivered it meanwhile
        except AgentError as error:
            problem = error
            continue
        record = item.record
        facts = {"record": record_id, "order": record.order.id, "state": record.run.state, "sha256": item.sha256}
        waiting.append({**facts, "number": record.host.sequence})
    damaged = agent.outbox.damaged()
    lines = [f"{one['number']:>6}  {one['record']}  order {one['order']}: {one['state']}" for one in waiting]
    lines += [f"DAMAGED  {name}" for name in damaged]
    answer(common.as_json, {"waiting": waiting, "damaged": damaged}, "\n".join(lines) or "Nothing waits.")
    if problem is not None:
        fail(common.as_json, problem)
