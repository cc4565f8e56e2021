"""Fill an empty inventory with an invented organisation."""

from __future__ import annotations

from pathlib import Path

import click

from .common import config_option, json_option, opened, plainly, show


@click.command()
@config_option
@click.option("--devices", type=click.IntRange(0, 5_000_000), default=1000, show_default=True)
@click.option("--years", type=click.IntRange(1, 30), default=4, show_default=True, help="How long ago it began.")
@click.option(
    "--steps", type=click.IntRange(3, 200), default=10, show_default=True, help="Entries of history a device, about."
)
@click.option(
    "--stories",
    type=click.IntRange(0, 2000),
    default=20,
    show_default=True,
    help="Devices that were ordered, approved, wiped and validated.",
)
@click.option(
    "--signed",
    type=click.IntRange(min=0),
    help="Devices whose custody is signed and logged event by event; all, at most 20,000.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same number, the same organisation.")
@click.option(
    "--keys",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the invented private keys of approvers and agents in this folder.",
)
@json_option
@plainly
def seed(config: Path | None, *, keys: Path | None, as_json: bool, **numbers: int) -> None:
    """Fill an EMPTY inventory with an invented organisation: for a look around, for training, for measuring.

    Run `sanitrail init` in a data directory of its own first; an inventory with anything in it is refused. Sites, teams, people,
    hosts, devices with years of history, holdings, an erasure case, orders and their signed records. The history says that it is
    invented. Without --keys the invented keys are forgotten. Cut off, it leaves a part: begin again with an empty one.
    `sanitrail admin-link --login administrator` lets you in.
    """
    from inventory.services import seeding  # noqa: PLC0415 - brings the database along

    context = opened(config)
    try:
        done = seeding.fill(
            context,
            seeding.Seed(**numbers),
            keys=keys,
            say=None if as_json else lambda words: click.echo(words, err=True),
        )
    finally:
        context.database.close()
    lines = [f"{value:>10,}  {name.replace('_', ' ')}" for name, value in vars(done).items()]
    show(vars(done), as_json=as_json, lines=lambda: lines)


COMMANDS = (seed,)
