"""`airgap`: work on a host without a network. Bundles come and go by file or as codes to scan."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from agents import assembly, enrolment, host, keys
from agents.assembly import Agent
from agents.byhand import building, codes, intake, introducing, returning
from agents.byhand.service import HandService
from agents.byhand.working import Outcome, Shift
from agents.clock import rfc3339
from agents.ending import on_signals
from agents.errors import BundleRefused
from agents.pins import PinStore
from inventory.contract.v1.agents import EnrolmentRequest
from inventory.contract.v1.by_hand import Introduction
from reports.canonical import to_base64

from .common import Common, explained
from .output import answer, grouped

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True))
_SIGNS = {"recorded": "done", "refused": "refused", "waits": "waits", "lapsed": "not begun"}


@click.group("airgap")
def airgap_group() -> None:
    """Work on a host without a network.

    A job bundle, signed by the service for this very host, is carried here; what became of the work is carried back, signed by
    this host. Whoever carries them can neither read a secret in them nor change a word. The agent must not run beside: these
    commands are the agent.
    """


@airgap_group.command("in")
@_FILES
@explained
def in_command(common: Common, files: tuple[Path, ...]) -> None:
    """Take in a job bundle: one FILE, or all the parts of one in any order (lists of texts, or pictures of codes).

    Checked are the service's signature, that it is for this host, and that its log continues the one this host knows. Taking
    the same one in twice changes nothing; an older one than this host has is turned away.
    """
    envelope = codes.read_files(files)
    with _at_work(common) as (agent, service):
        found = intake.take_in(agent, service, envelope)
        waiting = len(agent.outbox.waiting())
    lines = [
        f"Job bundle {found.number}{'' if found.new else ' (taken in before)'}: {found.jobs} orders, until {found.until}.",
        f"{found.accepted} records of this host have arrived at the service; {waiting} wait.",
    ]
    if found.jobs:
        lines.append("Next: compare this host's clock with your own, then sanitrail-agent airgap work")
        lines.append(f"This host's clock: {rfc3339(agent.watch.clock.now())}")
    answer(common.as_json, {**vars(found), "waiting": waiting}, "\n".join(lines))


@airgap_group.command("work")
@explained
def work_command(common: Common) -> None:
    """Carry out the orders of the newest job bundle.

    Everything an agent checks is checked here: approvals, roster, local rules, the medium itself. In place of the question about
    holds stands the service's answer in the bundle; its age stands in each record. Stopped with Ctrl-C, runs end at their next
    block and go on when this is run again.
    """
    with _at_work(common) as (agent, service):
        shift = Shift(agent, service)
        on_signals(shift.stop)
        found = shift.work(lambda one: None if common.as_json else click.echo(_line(one)))
        waiting = len(agent.outbox.waiting()) + len(service.store.told())
    document = {"orders": [vars(one) for one in found], "to_carry": waiting}
    lines = ["There is nothing to do."] if not found else []
    if waiting:
        lines.append("Next: sanitrail-agent airgap out --to FILE (or --codes), and have it carried to the service.")
    answer(common.as_json, document, "\n".join(lines))
    ends = {one.end for one in found}
    sys.exit(3 if "refused" in ends else 4 if ends & {"waits", "lapsed"} else 0)


@airgap_group.command("out")
@click.option("--to", "target", type=click.Path(path_type=Path, dir_okay=False), help="Write the bundle to this file.")
@click.option("--codes", "on_screen", is_flag=True, help="Show it as codes on this terminal, one after another.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write it as pictures of codes into this folder.",
)
@click.option("--devices/--no-devices", default=True, show_default=True, help="Also say what is attached.")
@explained
def out_command(common: Common, target: Path | None, on_screen: bool, pictures: Path | None, devices: bool) -> None:
    """Make a return bundle: records, refusals and what is attached, signed by this host.

    Records stay here until a later job bundle brings their acceptance. Carrying a bundle twice, late, or in another order
    than they were made does no harm.
    """
    if target is None and pictures is None and not on_screen:
        raise click.UsageError("Say how it goes out: --to FILE, --pictures FOLDER or --codes.")
    with _at_work(common) as (agent, service):
        body, envelope = returning.make(agent, service, devices=devices)
    if target is not None:
        codes.write_file(target, envelope)
    made = _write_pictures(pictures, envelope) if pictures is not None else 0
    lines = [f"Return bundle {body.number}: {len(body.records)} records, {len(body.told)} refusals."]
    if body.left_out:
        lines.append(f"{body.left_out} records did not fit; they go with the next one.")
    if made:
        lines.append(f"{made} pictures in {pictures}.")
    document = {"number": body.number, "records": len(body.records), "told": len(body.told), "left_out": body.left_out}
    answer(common.as_json, document, "\n".join(lines))
    if on_screen:
        _show(envelope)


@airgap_group.command("show")
@explained
def show_command(common: Common) -> None:
    """What this host was brought, and what waits to be carried back."""
    with _at_work(common) as (agent, service):
        job = service.job
        reading = agent.watch.reading()
        runs = [f"{run.order_id or run.order_sha256[:16]}: {run.state}" for run in agent.runs.all()]
        document = {
            "job_bundle": None if job is None else job.body.number,
            "until": None if job is None else rfc3339(job.body.until),
            "holds_asked": None if job is None else rfc3339(job.body.made),
            "clock": rfc3339(reading.now),
            "clock_problem": reading.problem,
            "runs": runs,
            "records": len(agent.outbox.waiting()),
            "told": len(service.store.told()),
        }
    first = "No job bundle was taken in."
    if job is not None:
        first = (
            f"Job bundle {job.body.number} for {job.body.host}, until {rfc3339(job.body.until)}; "
            f"holds were asked for {rfc3339(job.body.made)}."
        )
    lines = [first, f"Clock {document['clock']}. {reading.problem or ''}".strip(), *runs]
    lines.append(f"To carry back: {document['records']} records, {document['told']} refusals.")
    answer(common.as_json, document, "\n".join(lines))


@airgap_group.command("introduce")
@click.option("--token", required=True, help="The one-time token an administrator of the service made.")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to carry.")
@explained
def introduce_command(common: Common, token: str, target: Path) -> None:
    """Make this host's introduction, to be carried to the service: its public key, signed by that key."""
    settings = common.settings()
    state = assembly.open_state(settings)
    with state.owned():
        own = keys.load_or_create(state, uri=settings.key_uri or None)
        facts = host.describe(state, own.signer.key_id)
        request = EnrolmentRequest(
            token=token.strip(),
            public_key=to_base64(own.signer.public_key_der),
            host_name=facts.name,
            machine_id_sha256=facts.machine_id_sha256,
            agent_version=facts.agent_version,
            kernel=facts.kernel,
        )
        codes.write_file(target, returning.introduce(Introduction(request=request), own.signer))
    document = {"key_id": own.signer.key_id, "fingerprint": own.fingerprint}
    text = f"{target}\nFingerprint\n{own.fingerprint}\nNote it: an administrator compares it in the console."
    answer(common.as_json, document, text)


@airgap_group.command("enrol")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--trust-root", metavar="DIGEST", required=True, help="The one your organisation publishes.")
@click.option("--roster", metavar="DIGEST", help="The one the approvers agreed on.")
@explained
def enrol_command(common: Common, file: Path, trust_root: str, roster: str | None) -> None:
    """Take in the service's answer to this host's introduction, and pin whom it believes.

    The digests come from elsewhere: from what your organisation publishes and the approvers agreed on. A host that pins a
    stranger's trust root obeys the stranger.
    """
    settings = common.settings()
    state = assembly.open_state(settings)
    with state.owned():
        own = keys.load(state)
        if own is None:
            raise BundleRefused("This host has no key yet: run `sanitrail-agent airgap introduce` first.")
        proposal = introducing.read(file, settings.server, own)
        pins = enrolment.compare(proposal, trust_root, roster)
        found = enrolment.accept(state, PinStore(state), proposal, pins)
    document = {
        "host": found.host,
        "trust_root": pins.pin,
        "roster": None if pins.roster is None else pins.roster.sha256,
    }
    text = (
        f"Host {found.host}. Trust root pinned:\n{grouped(pins.pin)}\nFingerprint\n{own.fingerprint}\n"
        "Next: an administrator confirms this fingerprint in the console, and has a job bundle made for this host."
    )
    answer(common.as_json, document, text)


@contextmanager
def _at_work(common: Common) -> Iterator[tuple[Agent, HandService]]:
    """The agent, alone on its state."""
    settings = common.settings()
    state = assembly.open_state(settings)
    with state.owned():
        yield building.build(settings, state)


def _line(outcome: Outcome) -> str:
    return f"{outcome.order:16} {_SIGNS[outcome.end]:9} {outcome.medium}\n{'':17}{outcome.said}"


def _write_pictures(folder: Path, envelope: dict[str, object]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    found = codes.pictures(envelope)
    for number, data in enumerate(found, 1):
        (folder / f"part-{number:03d}-of-{len(found):03d}.png").write_bytes(data)
    return len(found)


def _show(envelope: dict[str, object]) -> None:
    columns, rows = shutil.get_terminal_size()
    drawn = codes.on_terminal(envelope, columns, rows)
    for number, code in enumerate(drawn, 1):
        click.clear()
        click.echo(code)
        click.pause(f"Part {number} of {len(drawn)}. Scan it, then press a key.")
