"""What every command is given, and how every command fails."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import click

from agents import config
from agents.config import Settings
from agents.errors import AgentError

from .output import fail

_P = ParamSpec("_P")


@dataclass(frozen=True)
class Common:
    """The options before the command."""

    file: Path | None
    state_dir: Path | None
    as_json: bool

    def settings(self, **overrides: object) -> Settings:
        """The settings, with the command line having the last word. Raises `ConfigInvalid`."""
        return config.load(self.file, os.environ, state_dir=self.state_dir, **overrides)


def explained(command: Callable[Concatenate[Common, _P], None]) -> Callable[_P, Any]:
    """An `AgentError` ends a command with its explanation and exit code; anything else is a defect and shows its trace."""

    @click.option("--json", "json_here", is_flag=True, help="One JSON object on standard output, for programs.")
    @functools.wraps(command)
    @click.pass_context
    def run(context: click.Context, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        as_json = bool(kwargs.pop("json_here")) or context.obj.as_json
        common = dataclasses.replace(context.obj, as_json=as_json)
        try:
            command(common, *args, **kwargs)
        except AgentError as error:
            fail(as_json, error)
        except OSError as error:
            click.echo(str(error), err=True)
            sys.exit(6)

    return run
