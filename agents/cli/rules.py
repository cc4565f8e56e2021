"""`rules`: the root-owned local rules, as the agent understands them."""

from __future__ import annotations

import click

from agents import local_rules, rules_file

from .common import Common, explained
from .output import answer


@click.group("rules")
def rules_group() -> None:
    """The root-owned local rules: this host's last word."""


@rules_group.command("check")
@explained
def check_command(common: Common) -> None:
    """Read the local rules as the agent does, and say what they allow."""
    path = common.settings().local_rules
    rules = rules_file.load(path)
    lines = [
        f"{path}: in force",
        f"methods      {', '.join(rules.allowed_methods) or 'none'}",
        f"techniques   {_techniques(rules)}",
        f"per hour     {rules.max_devices_per_hour} media",
        f"approvals    at least {rules.minimum_approvals}{_among(rules)}",
        *(
            ["DRY RUN      orders are answered with what would be done; nothing is ever written"]
            if rules.dry_run
            else []
        ),
        *(f"never        {entry.describe()}" for entry in rules.never_touch),
        *(f"only         {window.describe()}" for window in rules.maintenance_window),
    ]
    document = {"path": str(path), "rules": rules.model_dump(mode="json", by_alias=True)}
    answer(common.as_json, document, "\n".join(lines))


def _among(rules: local_rules.LocalRules) -> str:
    return f"; among them {', '.join(rules.approver_roles)}" if rules.approver_roles else ""


def _techniques(rules: local_rules.LocalRules) -> str:
    allowed, forbidden = rules.allowed_techniques, rules.forbidden_techniques
    words = "all" if allowed is None else ", ".join(allowed) or "none"
    return f"{words}; never {', '.join(forbidden)}" if forbidden else words


@rules_group.command("example")
def example_command() -> None:
    """Print a commented rules file to start from."""
    click.echo(local_rules.EXAMPLE, nl=False)
