"""The group of commands."""

from __future__ import annotations

import click

from . import approvers, log, people, service
from .common import EXIT_CODES

_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code}  {meaning}" for code, meaning in EXIT_CODES.items())


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sanitrail", message="%(version)s")
def cli() -> None:
    """Sanitrail's inventory service: run it, administer it, approve orders with your own key.

    \b
    On the server:   init, serve, check, config, migrate, openapi, admin-link, log
    From anywhere:   people, token, enrol-token, approver-key, approve, roster

    Commands that talk to a service take --server and a token; see `sanitrail token create --help`.
    """  # noqa: D301 - click reads the control character \\b as: do not rewrap


for command in (*service.COMMANDS, *people.COMMANDS, *approvers.COMMANDS, *log.COMMANDS):
    cli.add_command(command)


def main() -> None:
    """Entry point of the console script."""
    cli()
