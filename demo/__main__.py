"""`python -m demo`: tell the whole story live, or unattended with `--once --out DIR`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from . import closing, opening, preflight, wiping
from .stage import Stage
from .world import World

MEBIBYTE = 1 << 20


def main() -> int:
    """Exit code 0 only if every step truly happened."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="unattended: end when the story is told")
    parser.add_argument("--out", type=Path, default=Path("out"), help="where the evidence is left")
    parser.add_argument("--size", type=int, default=0, help="size of the scratch disk in MiB")
    options = parser.parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    lacks = preflight.missing()
    if lacks:
        console.print("[bold red]The demonstration cannot run here.[/] Missing:")
        for lack in lacks:
            console.print(f"  - {lack}", markup=False)
        return 3
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
    size = (options.size or (256 if options.once else 1024)) * MEBIBYTE
    return _run(console, options.out, size, stay=not options.once)


def _run(console: Console, out: Path, size: int, *, stay: bool) -> int:
    out.mkdir(parents=True, exist_ok=True)
    stage = Stage(console)
    world = World.make()
    facts: dict[str, object] = {"sanitrail": version("sanitrail"), "ok": False}
    try:
        stage.title(
            "Sanitrail", "From a disk that holds CRM data to a certificate an auditor can check. All of it real."
        )
        _tell(world, stage, out, size, facts)
        facts["ok"] = True
        console.print(f"\n[bold green]All {len(stage.steps)} steps happened.[/] The evidence is in [bold]{out}[/].")
        if stay:
            _stay(world, console)
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
        return 0 if facts["ok"] else 5
    except Exception as error:  # noqa: BLE001 - the story's end, told to a person, with the daemons' last words
        console.print(f"\n[bold red]The story ends here:[/] {type(error).__name__}: {error}", markup=True)
        _last_words(world, console)
        return 1
    finally:
        stage.write_summary(out / "summary.json", **facts)
        world.take_down()
    return 0


def _tell(world: World, stage: Stage, out: Path, size: int, facts: dict[str, object]) -> None:
    opening.start_service(world, stage)
    facts["pin"] = world.pin
    opening.bring_people(world, stage)
    customer = opening.make_disk(world, stage, size)
    opening.enrol_agent(world, stage)
    device = opening.register_disk(world, stage)
    facts["device_fingerprint"] = device["fingerprint"]
    opening.map_data(world, stage, device["id"])
    case = wiping.withdraw(world, stage, customer)
    wiping.delete_rows(world, stage, customer, case)
    wiping.retire(world, stage, device["id"])
    wiping.ask_gate(world, stage, device["id"])
    order = wiping.make_order(world, stage, device["id"])
    wiping.approve(world, stage, order)
    record = wiping.sanitize(world, stage, order)
    facts["record_digest"] = record["sha256"]
    closing.validate(world, stage, order)
    laboratory = next(step for step in stage.steps if step.name == "gate-refuses").facts["location"]
    closing.release(world, stage, device["id"], str(laboratory))
    facts["certificate"] = closing.certify(world, stage, order, out)
    closing.answer_customer(world, stage, case, out)
    facts["verified"] = closing.verify(world, stage, out)
    closing.look_again(world, stage, customer)


def _stay(world: World, console: Console) -> None:
    """Let the newcomer click through until Ctrl-C."""
    console.print(f"\nThe console is open at [bold]{world.service.address}[/]. Sign in as:")
    console.print(f"  administrator   {world.administrator_password}   [dim]administrator[/]")
    for person in world.people.values():
        console.print(f"  {person.login:<14}  {person.password}   [dim]{person.role.replace('_', ' ')}[/]")
    console.print(
        f"\nApprovers sign in the browser with their own key file: [dim]{world.folder}/ana.pem[/], [dim]ben.pem[/]."
    )
    console.print("Ctrl-C ends it and removes everything this run made, except the evidence.")
    while True:
        time.sleep(3600)


def _last_words(world: World, console: Console) -> None:
    for name in world.programs.running:
        said = world.programs.said(name).strip().splitlines()[-12:]
        console.print(f"[dim]last words of the {name}:[/]")
        for line in said:
            console.print(f"  {line}", markup=False, style="dim")


if __name__ == "__main__":
    sys.exit(main())
