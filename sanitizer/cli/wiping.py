"""Commands that write: wipe and resume."""

from __future__ import annotations

import functools
import secrets
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sanitizer import api
from sanitizer.clearance import Clearance, Confirmation, clear, standing_against
from sanitizer.errors import DeviceMissing, EscrowNotConfirmed, RunUnknown, SanitizerError
from sanitizer.inspection import Inspection
from sanitizer.planning import HOST, PASSWORD, Plan, PlanRequest, plan, plan_again
from sanitizer.run import Progress, RunResult
from sanitizer.techniques.base import Escrow

from . import escrow
from .confirming import confirmed
from .exit_codes import ExitCode, gravest, of_error, of_result
from .explaining import told_shortly
from .looking import stop_on_signals
from .options import Command, as_json_option, journal_option, plan_options, reported
from .output import as_json, complain, complaint, tell_result
from .planning import planned_or_obstacle
from .progress import Display


@dataclass(frozen=True)
class Prepared:
    """A device that was looked at, planned for and confirmed, or the error that stands against it."""

    path: str
    clearance: Clearance | None
    error: SanitizerError | None


@dataclass(frozen=True)
class ByHand:
    """What a person has at hand for one device."""

    escrow_file: Path | None
    psid_file: Path | None
    owner_password_file: Path | None

    def suffice(self, planned: Plan) -> None:
        """Whether it is enough for the plan.

        Raises:
            EscrowNotConfirmed: the drive would get a password that nobody keeps.
            click.UsageError: a PSID or a password is needed.
        """
        if self.escrow_file is None and any(step in PASSWORD for step in planned.steps):
            reason = "no --escrow-file was named to write it to first"
            raise EscrowNotConfirmed(kind="ata-user-password", reason=reason)
        if self.psid_file is None and "opal-psid-revert" in planned.steps:
            raise click.UsageError("opal-psid-revert needs the PSID printed on the drive's label: --psid-file FILE")
        if self.owner_password_file is None and "opal-revert" in planned.steps:
            raise click.UsageError("opal-revert needs the password of the drive's owner: --owner-password-file FILE")

    def keeper(self, clearance: Clearance) -> Callable[[Escrow], None] | None:
        """Where the drive's password goes first."""
        if self.escrow_file is None:
            return None
        return escrow.into_file(self.escrow_file, clearance.path, clearance.identity.fingerprint)

    @property
    def for_one_device(self) -> bool:
        """Whether something was given that belongs to one device."""
        return any((self.escrow_file, self.psid_file, self.owner_password_file))

    def secret(self, planned: Plan) -> bytes:
        """What the plan's technique asks a person for; empty where it asks for nothing."""
        try:
            if self.psid_file is not None and "opal-psid-revert" in planned.steps:
                return escrow.psid_from(self.psid_file)
            if self.owner_password_file is not None and "opal-revert" in planned.steps:
                return escrow.from_file(self.owner_password_file, None)
        except escrow.SecretUnusable as unusable:
            raise click.UsageError(str(unusable)) from None
        return b""


def hand_options(command: Command) -> Command:
    """`--escrow-file`, `--psid-file` and `--owner-password-file`, handed on as `hands`."""

    @click.option(
        "--escrow-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Write the password a drive is given for a security erase here before the drive gets it: a new file, on "
        "storage that survives a power cut. Without it no drive is given a password.",
    )
    @click.option(
        "--psid-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File with the PSID printed on the drive's label, for opal-psid-revert.",
    )
    @click.option(
        "--owner-password-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File with the password of the drive's TCG owner (SID), for opal-revert.",
    )
    @functools.wraps(command)
    def with_hands(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - hands on whatever the command takes
        files = {name: kwargs.pop(name) for name in ("escrow_file", "psid_file", "owner_password_file")}
        command(*args, hands=ByHand(**files), **kwargs)

    return with_hands


@click.command("wipe")
@click.argument("devices", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="DEVICE...")
@plan_options
@click.option(
    "--confirm",
    multiple=True,
    metavar="FINGERPRINT",
    help="Fingerprint of a device, for use without a keyboard; once for each device.",
)
@click.option("--seed", help="Seed of the sample; a fresh one is drawn when left out.")
@hand_options
@journal_option
@as_json_option
@reported
def wipe_command(
    devices: tuple[Path, ...],
    request: PlanRequest,
    confirm: tuple[str, ...],
    seed: str | None,
    journal_dir: Path,
    *,
    hands: ByHand,
    json_output: bool,
) -> None:
    """Overwrite whole devices, or have them sanitize themselves, and read them back. What was on them is gone afterwards.

    See first what `plan` says with the same options.

    Each device must be confirmed by its fingerprint, typed when asked for or given with --confirm. There is no option
    that turns a refusal into a yes: remove what stands against it. Several devices are worked on at the same time.

    SIGTERM and Ctrl-C end a run cleanly; `resume` goes on with it, also after a crash or a reboot.
    """
    if len(devices) > 1 and hands.for_one_device:
        raise click.UsageError("a password or a PSID belongs to one device: name one DEVICE")
    prepared = [_prepared(path, request, confirm, hands, ask=not json_output) for path in devices]
    _same_device_twice(prepared)
    stop = stop_on_signals()

    def start(clearance: Clearance, progress: Callable[[Progress], None]) -> RunResult:
        return api.sanitize(
            clearance,
            f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
            journal_dir,
            sample_seed=seed or secrets.token_hex(16),
            progress=progress,
            stop=stop,
            escrow=hands.keeper(clearance),
            secret=hands.secret(clearance.plan),
        )

    _finish(_all_at_once(prepared, start, quiet=json_output), json_output=json_output)


def _prepared(
    path: Path,
    request: PlanRequest,
    given: tuple[str, ...],
    hands: ByHand,
    *,
    ask: bool,
    pending: api.PendingRun | None = None,
) -> Prepared:
    """Look, plan, have it confirmed, look again and clear; `pending` is the run that goes on."""
    try:
        inspection = api.inspect(path)
        planned = _planned(request, inspection, pending)
        if pending is None:
            hands.suffice(planned)
        hands.secret(planned)  # a file that cannot be used is told now
        settling = pending is not None and pending.own_work
        for obstacle in standing_against(inspection, planned.steps, request.acknowledged_signatures, settling=settling):
            raise obstacle
        told = [*told_shortly(planned), "Everything on this device will be gone. Type its fingerprint to go on:"]
        fingerprint = confirmed(inspection, given, told, ask=ask)
        confirmation = Confirmation(fingerprint=fingerprint, acknowledged_signatures=request.acknowledged_signatures)
        fresh = api.inspect(path)  # typing takes time; a clearance rests on facts of now
        if pending is not None:
            return Prepared(str(path), api.clear_again(pending, fresh, confirmation, datetime.now(UTC)), None)
        return Prepared(str(path), clear(fresh, planned, confirmation, datetime.now(UTC)), None)
    except SanitizerError as error:
        return Prepared(str(path), None, error)


def _planned(request: PlanRequest, inspection: Inspection, pending: api.PendingRun | None) -> Plan:
    if pending is not None and pending.steps != (HOST,):
        return plan_again(request, inspection, pending.steps)
    planned = planned_or_obstacle(request, inspection)
    return plan(planned.explicit, inspection)  # what auto chose is what is confirmed and sealed


def _same_device_twice(prepared: list[Prepared]) -> None:
    seen: set[str] = set()
    for each in prepared:
        if each.clearance is None:
            continue
        fingerprint = each.clearance.identity.fingerprint
        if fingerprint in seen:
            raise click.UsageError(f"{each.path} is the same device as another one named")
        seen.add(fingerprint)


@click.command("resume")
@click.argument("run", metavar="RUN")
@click.option(
    "--device", type=click.Path(path_type=Path), help="Where the device is now; found by fingerprint when left out."
)
@click.option("--confirm", metavar="FINGERPRINT", help="Fingerprint of the device, for use without a keyboard.")
@click.option("--give-up", is_flag=True, help="End the run for good without its device.")
@hand_options
@journal_option
@as_json_option
@reported
def resume_command(
    run: str,
    device: Path | None,
    confirm: str | None,
    journal_dir: Path,
    *,
    give_up: bool,
    hands: ByHand,
    json_output: bool,
) -> None:
    """Go on with an interrupted run on the same medium, from the last position known to be on it.

    RUN is an identifier `status` shows. The device is confirmed again, as for `wipe`. What a drive has gone on with by
    itself meanwhile is waited for, not begun again.
    """
    pending = next((each for each in api.pending_runs(journal_dir) if each.run_id == run), None)
    if pending is None or pending.plan_request is None:
        raise RunUnknown(run_id=run)
    if give_up:
        outcome = api.abandon(pending, "given up by the operator")
        _finish([outcome], json_output=json_output)
        return
    if pending.result is not None:
        _finish([pending.result], json_output=json_output)
        return
    path = device or _path_of(pending)
    given = (confirm,) if confirm else ()
    ready = _prepared(path, pending.plan_request, given, hands, ask=not json_output, pending=pending)
    stop = stop_on_signals()
    found = pending

    def go_on(clearance: Clearance, progress: Callable[[Progress], None]) -> RunResult:
        return api.resume(
            found,
            clearance,
            progress=progress,
            stop=stop,
            escrow=hands.keeper(clearance),
            secret=hands.secret(clearance.plan),
        )

    _finish(_all_at_once([ready], go_on, quiet=json_output), json_output=json_output)


def _path_of(pending: api.PendingRun) -> Path:
    """Where the run's medium is now: by fingerprint, because paths change."""
    for inspection in api.list_devices():
        if inspection.fingerprint is not None and inspection.fingerprint == pending.fingerprint:
            return Path(inspection.path)
    raise DeviceMissing(fingerprint=pending.fingerprint, path=f"the device of run {pending.run_id}")


Outcome = RunResult | Prepared


def _all_at_once(
    prepared: list[Prepared], start: Callable[[Clearance, Callable[[Progress], None]], RunResult], *, quiet: bool
) -> list[Outcome]:
    """Every cleared device in a thread of its own, so that a slow or hung one keeps no other waiting."""
    outcomes: dict[int, Outcome] = {n: each for n, each in enumerate(prepared) if each.error is not None}
    bugs: list[BaseException] = []

    def work(number: int, each: Prepared, clearance: Clearance, display: Display) -> None:
        try:
            outcomes[number] = start(clearance, display.listener(each.path))
        except SanitizerError as error:
            outcomes[number] = Prepared(each.path, None, error)
        except BaseException as bug:  # noqa: BLE001 - carried to the main thread, which shows its trace
            bugs.append(bug)

    with Display(quiet=quiet) as display:
        threads = [
            threading.Thread(target=work, args=(number, each, each.clearance, display), name=f"wipe-{each.path}")
            for number, each in enumerate(prepared)
            if each.clearance is not None
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                # With a limit: a signal that another thread received is handled only when this one wakes.
                thread.join(0.2)
    if bugs:
        raise bugs[0]
    return [outcomes[number] for number in range(len(prepared))]


def _finish(outcomes: list[Outcome] | list[RunResult], *, json_output: bool) -> None:
    """Tell how each ended and leave with the gravest status."""
    codes: list[ExitCode] = []
    documents: list[dict[str, object]] = []
    for outcome in outcomes:
        if isinstance(outcome, RunResult):
            codes.append(of_result(outcome))
            documents.append(outcome.to_dict())
            if not json_output:
                tell_result(outcome)
        elif outcome.error is not None:
            codes.append(of_error(outcome.error))
            documents.append({"path": outcome.path, "error": complaint(outcome.error)})
            if not json_output:
                click.echo(f"{outcome.path}:", err=True)
                complain(outcome.error)
    if json_output:
        as_json(documents)
    sys.exit(gravest(codes))
