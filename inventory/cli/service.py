"""Commands for the machine the service runs on."""

from __future__ import annotations

import json
from pathlib import Path

import click

from inventory import checks
from inventory.clock import SystemClock
from inventory.services import setup, witnesses
from inventory.settings import Settings
from reports import ceremony, root_keys

from .common import Found, Refused, config_option, json_option, opened, plainly, settings_of, show

_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@config_option
@click.option(
    "--root-key",
    "root_key_files",
    multiple=True,
    type=_THERE,
    help="Begin with an offline root: a .pub file of each root key (`sanitrail keys new-root-key`).",
)
@click.option("--threshold", type=click.IntRange(1, 16), help="With --root-key: how many of them must sign.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="With --root-key: the file that they sign."
)
@click.option(
    "--trust-root", "signed", type=_THERE, help="Finish with that file, once enough root keys have signed it."
)
@json_option
@plainly
def init(
    config: Path | None,
    root_key_files: tuple[Path, ...],
    threshold: int | None,
    out: Path | None,
    signed: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make data directory, keys, database, log and default policy.

    Safe to repeat: what exists is kept. Prints the pin (SHA-256 of the trust root): write it down, auditors need it.

    Without --root-key the service makes the one root key itself: whoever takes over the service can then replace every other
    key. With --root-key it writes a trust root for offline keys to sign, and --trust-root finishes. docs/keys.md tells how to
    get from the first to the second later.
    """
    settings = settings_of(config)
    if root_key_files:
        if threshold is None or out is None or signed is not None:
            raise click.UsageError("--root-key goes with --threshold and --out; --trust-root comes after that, alone.")
        _propose_first(settings, root_key_files, threshold, out)
        return
    if threshold is not None or out is not None:
        raise click.UsageError("--threshold and --out go with --root-key.")
    context = setup.initialise(settings, SystemClock(), signed=None if signed is None else signed.read_bytes())
    trust = setup.trust(context)
    context.database.close()
    show(
        {
            "data_dir": str(settings.data_dir),
            "pin": trust.pin,
            "origin": trust.origin,
            "vkeys": list(trust.vkeys),
            "root_keys": trust.root_keys,
            "threshold": trust.threshold,
            "version": trust.version,
        },
        as_json=as_json,
        lines=lambda: [
            f"data directory  {settings.data_dir}",
            f"log             {trust.origin}",
            f"pin             {trust.pin}",
            f"trust root      version {trust.version}; {_root_words(trust.threshold, trust.root_keys)}",
        ],
    )


def _root_words(threshold: int, keys: int) -> str:
    if keys == 1:
        return "one root key, held by this service (docs/keys.md: an offline root)"
    return f"{threshold} of {keys} root keys must sign the next one"


def _propose_first(settings: Settings, files: tuple[Path, ...], threshold: int, out: Path) -> None:
    proposed = setup.propose_first(
        settings, SystemClock(), [root_keys.read_public(file.read_bytes()) for file in files], threshold
    )
    out.write_bytes(proposed)
    proposal = ceremony.read_proposal(proposed)
    for line in (*ceremony.words(proposal), "", *ceremony.progress(proposal).words(), "", f"Written to {out}"):
        click.echo(line)
    click.echo(f"Next: sanitrail keys sign {out} --key KEY, then sanitrail init --trust-root {out}")


@click.command()
@config_option
@click.option("--listen", help="IP address; overrides the settings.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port; overrides the settings.")
@click.option("--tls-certificate", type=click.Path(path_type=Path), help="PEM chain; overrides the settings.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="PKCS#8 PEM key; overrides the settings.")
@click.option("--external-url", help="The address people and agents know; overrides the settings.")
@click.option("--quiet", is_flag=True, help="Do not print address and first administrator's link.")
@plainly
def serve(config: Path | None, *, quiet: bool, **overrides: object) -> None:
    """Run the service until SIGTERM or Ctrl-C.

    Refuses to start where a numbered check says the installation is unsafe (`sanitrail check`). While nobody
    administers the service yet, prints the one-time link that lets the first administrator in.
    """
    settings = settings_of(config)
    given = {name: value for name, value in overrides.items() if value is not None}
    settings = Settings.model_validate({**settings.model_dump(), **given})
    from inventory.serving import configure_logging, server  # noqa: PLC0415 - loads the server only where it is needed

    configure_logging()
    findings = checks.run(settings)
    _print_findings(findings)
    if any(finding.severity == "refuse" for finding in findings):
        raise Refused("The service does not start like this.")
    _greet(settings, quiet=quiet)
    server(settings)()


def _greet(settings: Settings, *, quiet: bool) -> None:
    """Opens and closes the inventory once, so that what is wrong with it is said here and not by a dying worker."""
    context = setup.open_inventory(settings, SystemClock())
    try:
        witnesses.refuse_if_behind(context)
        link = setup.first_administrator_link(context)
    finally:
        context.database.close()
    if not quiet:
        click.echo(f"Sanitrail listens at {settings.external_url}")
        if link is not None:
            click.echo(f"First administrator, once, until {link.expires:%Y-%m-%d %H:%M} UTC:")
            click.echo(f"  {settings.external_url}{link.path}")


def _print_findings(findings: list[checks.Finding]) -> None:
    for finding in findings:
        word = "REFUSED" if finding.severity == "refuse" else "warning"
        click.echo(f"{finding.number} {word}: {finding.problem}\n    {finding.hint}", err=True)


@click.command()
@config_option
@click.option("--running", is_flag=True, help="The service is running: do not ask whether its port is free.")
@json_option
@plainly
def check(config: Path | None, *, running: bool, as_json: bool) -> None:
    """Ask every numbered start-up check, and open the inventory.

    Exit code 4 where one of them would keep the service from starting.
    """
    settings = settings_of(config)
    findings = checks.run(settings, without=frozenset({"S06"}) if running else frozenset())
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        found = {finding.number for finding in findings}
        for one in checks.CHECKS:
            if one.number not in found:
                click.echo(f"{one.number} ok: {one.title}")
        _print_findings(findings)
    if any(finding.severity == "refuse" for finding in findings):
        raise Found("The service would refuse to start.")
    setup.open_inventory(settings, SystemClock()).database.close()


@click.command("config")
@config_option
@json_option
@plainly
def show_config(config: Path | None, *, as_json: bool) -> None:
    """Print the settings in force. Secrets never stand among them."""
    settings = settings_of(config)
    values = settings.model_dump(mode="json")
    show(values, as_json=as_json, lines=lambda: [f"{name} = {value!r}" for name, value in values.items()])


@click.command()
@config_option
@plainly
def migrate(config: Path | None) -> None:
    """Bring the database's schema up to date. Make a backup first."""
    context = setup.initialise(settings_of(config), SystemClock())
    context.database.close()
    click.echo("The schema is up to date.")


@click.command("openapi")
@click.option(
    "--url", default="http://127.0.0.1:8443", show_default=True, help="The service's address in the document."
)
def print_openapi(url: str) -> None:
    """Print the interface's OpenAPI 3.1 document. Needs no installation."""
    from inventory.api.install import document  # noqa: PLC0415 - loads Flask and every endpoint

    click.echo(json.dumps(document(url), indent=1))


@click.command("admin-link")
@config_option
@click.option("--login", help="An existing administrator who is locked out.")
@plainly
def admin_link(config: Path | None, login: str | None) -> None:
    """Print the one-time link for the first administrator, or for one who is locked out.

    Only whoever has this machine's terminal can do this; it stands in the history.
    """
    context = opened(config)
    try:
        link = (
            setup.recover_administrator_link(context, login)
            if login is not None
            else setup.first_administrator_link(context)
        )
        if link is None:
            raise Refused("There is an administrator already; name one with --login to let them in again.")
        click.echo(f"{context.settings.external_url}{link.path}")
    finally:
        context.database.close()


COMMANDS = (init, serve, check, show_config, migrate, print_openapi, admin_link)
