"""docs/api.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import click

from inventory.api.bodies import MAX_AGENT_BODY, MAX_PERSON_BODY
from inventory.api.install import endpoints
from inventory.api.problems import CATALOGUE, domain_codes
from inventory.auth.signatures import SKEW, TAG
from inventory.checks import CHECKS
from inventory.cli import cli
from reports.canonical import MAX_DEPTH

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_table_of_start_up_checks_is_the_codes() -> None:
    rows = re.findall(r"^\| (S\d\d) \| (.+?)(?: \(warning\))? \|$", PAGE, re.MULTILINE)
    assert rows == [(check.number, check.title) for check in CHECKS]


def test_addresses_on_the_page_exist() -> None:
    known = {endpoint.path for endpoint in endpoints()}
    for path in re.findall(r"`(?:GET |POST )?(/[a-z0-9/._-]+)`", PAGE):
        assert path in known or any(one.startswith(path) for one in known), path


def test_codes_on_the_page_exist() -> None:
    known = set(CATALOGUE) | set(domain_codes())
    for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)` \(\d{3}\)", PAGE):
        assert code in known


def test_numbers_on_the_page_are_the_codes() -> None:
    assert f"{MAX_PERSON_BODY >> 10} KiB" in PAGE
    assert f"{MAX_AGENT_BODY >> 20} MiB" in PAGE
    assert f"{MAX_DEPTH} levels" in PAGE
    assert f"{int(SKEW.total_seconds())} seconds" in PAGE
    assert TAG in PAGE


def test_commands_on_the_page_exist() -> None:
    for line in re.findall(r"^sanitrail ([a-z-]+)", PAGE, re.MULTILINE):
        assert cli.get_command(click.Context(cli), line) is not None, line
