"""Reads tables in through a service: dry run first, then line by line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from inventory.domain.import_fields import Subject
from inventory.domain.import_mapping import mapping_from_text

from .client import Client, client_options
from .common import Found, json_option, plainly, show

_SHOWN: Final = 20


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping",
    default="",
    metavar="NAME|FILE",
    help="A ready-made one (netbox, snipe-it, servicenow, generic, places, data-sets, holdings, people, hosts), or a TOML file;"
    " proposed from the titles by default.",
)
@click.option(
    "--subject",
    type=click.Choice([str(one) for one in Subject]),
    help="What the rows are about; by default what the mapping says, else devices.",
)
@click.option("--dry-run", is_flag=True, help="Try every line without effect, and give the import up again.")
@click.option("--abandon-refused", is_flag=True, help="Take nothing over where a line is refused.")
@json_option
@client_options
@plainly
def import_table(
    client: Client, file: Path, mapping: str, subject: str | None, dry_run: bool, abandon_refused: bool, as_json: bool
) -> None:
    """Read a CSV file or an XLSX workbook in: devices, places, data sets, holdings, people, or where hosts belong.

    Every line is tried first. A line adds what nobody knew, declares a device that an agent has seen, agrees with what is known,
    or is refused with every reason; nothing is ever overwritten. Given again, the same file changes nothing. Ends with exit
    code 4 where a line was refused.
    """
    own = Path(mapping).is_file() if mapping else False
    read = mapping_from_text(Path(mapping).read_text(encoding="utf-8")) if own else None
    document = None if read is None else read.to_document()
    named = "" if own else mapping
    about = subject or (str(read.subject) if read is not None else "")
    asked = f"/imports?name={quote(file.name)}&mapping={quote(named)}" + (f"&subject={about}" if about else "")
    view = client.upload(asked, file)
    if document is not None:
        view = client.of_version(view["version"]).put(f"/imports/{view['id']}/mapping", {"document": document})
    view = _until(client, client.of_version(view["version"]).post(f"/imports/{view['id']}/check", None), "checking")
    refused = int(view["counts"].get("refused", 0))
    problems = client.get(f"/imports/{view['id']}/lines?outcome=refused&limit={_SHOWN}")["items"] if refused else []
    if dry_run or (refused and abandon_refused):
        view = client.of_version(view["version"]).post(f"/imports/{view['id']}/abandonment", None)
    else:
        view = _until(client, client.of_version(view["version"]).post(f"/imports/{view['id']}/run", None), "running")
    show({**view, "refused": problems}, as_json=as_json, lines=lambda: _told(view, problems, refused, dry_run=dry_run))
    if refused:
        raise Found(f"{refused} lines were refused.")


def _until(client: Client, view: Any, state: str) -> Any:  # noqa: ANN401 - JSON of the service
    while view["state"] == state:
        left = view["remaining_seconds"]
        time = "" if left is None else f", about {left // 60} min {left % 60:02d} s left"
        click.echo(f"\r{view['worked']:,} of {view['rows']:,} lines{time}\033[K", nl=False, err=True)
        view = client.post(f"/imports/{view['id']}/steps", None)
    if sys.stderr.isatty():
        click.echo("", err=True)
    return view


def _told(view: Any, problems: list[Any], refused: int, *, dry_run: bool) -> list[str]:  # noqa: ANN401 - as above
    lines = [f"Line {one['line']}: {why['sentence']} [{why['code']}]" for one in problems for why in one["problems"]]
    if refused > len(problems):
        lines.append(f"... and {refused - len(problems)} more.")
    words = ", ".join(f"{number} {outcome}" for outcome, number in view["counts"].items()) or "nothing"
    done = "tried without effect" if dry_run else view["state"]
    return [*lines, f"{view['id']}  {view['rows']} lines: {words}; {done}"]


COMMANDS: tuple[click.Command, ...] = (import_table,)
