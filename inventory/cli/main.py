"""The group of commands."""

from __future__ import annotations

import importlib
from typing import Final

import click

from .common import EXIT_CODES

_ROOMS: Final = {
    "service": ("init", "serve", "check", "config", "migrate", "openapi", "admin-link"),
    "backups": ("backup", "restore"),
    "seeding": ("seed",),
    "people": ("people", "token", "enrol-token"),
    "approvers": ("approver-key", "approve", "roster"),
    "signing": ("sign-facts",),
    "keys": ("keys",),
    "packs": ("audit-pack",),
    "imports": ("import",),
    "exports": ("export",),
    "log": ("log",),
    "policy": ("policy",),
}
"""Which module holds which commands."""

_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code}  {meaning}" for code, meaning in EXIT_CODES.items())


class _Rooms(click.Group):
    """Loads a command's module when it is called: a client of a service waits for no database."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command, for help and completion."""
        return sorted(name for names in _ROOMS.values() for name in names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name."""
        for room, names in _ROOMS.items():
            if cmd_name in names:
                commands: tuple[click.Command, ...] = importlib.import_module(f"inventory.cli.{room}").COMMANDS
                return next(command for command in commands if command.name == cmd_name)
        return None


@click.group(
    cls=_Rooms, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="sanitrail", message="%(version)s")
def cli() -> None:
    """Sanitrail's inventory service: run it, administer it, approve orders with your own key.

    \b
    On the server:   init, serve, check, config, migrate, backup, restore, seed, openapi, admin-link, log, keys
    From anywhere:   people, token, enrol-token, approver-key, approve, roster, sign-facts, audit-pack,
                     import, export, policy

    Commands that talk to a service take --server and a token; see `sanitrail token create --help`.
    """  # noqa: D301 - click reads the control character \\b as: do not rewrap


def main() -> None:
    """Entry point of the console script."""
    cli()
