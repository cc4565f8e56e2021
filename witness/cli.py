"""`sanitrail-witness`: be a witness of somebody else's log."""

from __future__ import annotations

import functools
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import click

from reports.errors import ReportError

from .memory import Memory, WitnessError, origin_hash
from .server import Server

EXIT_CODES: Final = {0: "done", 1: "a fault of this program", 2: "wrong usage", 3: "refused: the message says why"}
_EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code}  {meaning}" for code, meaning in EXIT_CODES.items())
P = ParamSpec("P")
R = TypeVar("R")


class _Refused(click.ClickException):
    exit_code = 3


def _plainly(command: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except WitnessError as error:
            raise _Refused(str(error)) from error
        except ReportError as error:
            raise _Refused(f"{error.explain()} [{error.code}]") from error
        except OSError as error:
            raise _Refused(f"{error.filename or 'The disk'}: {error.strerror}") from error

    return run


_DIRECTORY = click.argument("directory", type=click.Path(path_type=Path, file_okay=False))


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sanitrail", message="%(version)s")
def main() -> None:
    """Be a witness: sign each state of somebody else's log only if it extends the one you signed before.

    A witness is worth something because another organisation runs it, on its own machine, with its own keys. It learns digests
    only. Its DIRECTORY holds keys and memory: back it up, and never run a copy of it beside the first.

    \b
    sanitrail-witness init DIRECTORY --name witness.example.org
    sanitrail-witness add-log DIRECTORY VKEY...      keys from the log's operator: `sanitrail log vkeys`
    sanitrail-witness vkey DIRECTORY                 what the operator puts into the trust root
    sanitrail-witness serve DIRECTORY                answers at /add-checkpoint

    Any log that speaks C2SP tlog-witness can be witnessed.
    """  # noqa: D301 - click reads the control character \\b as: do not rewrap


@main.command()
@_DIRECTORY
@click.option("--name", required=True, help="The witness's name for ever, such as witness.example.org.")
@_plainly
def init(directory: Path, name: str) -> None:
    """Make keys (Ed25519 and ML-DSA-44) in DIRECTORY, and print them for the log's operator."""
    for signer in Memory.create(directory, name).signers():
        click.echo(signer.vkey)


@main.command()
@_DIRECTORY
@_plainly
def vkey(directory: Path) -> None:
    """Print the witness's verifier keys, one a line."""
    for signer in Memory(directory).signers():
        click.echo(signer.vkey)


@main.command("add-log")
@_DIRECTORY
@click.argument("vkeys", nargs=-1, required=True, metavar="VKEY...")
@_plainly
def add_log(directory: Path, vkeys: tuple[str, ...]) -> None:
    """Know a log by its verifier keys. Compare them with its operator first: on the telephone, not by mail alone."""
    origin = Memory(directory).add_log(vkeys)
    click.echo(f"{origin} is known; a running witness knows it at once.")


@main.command()
@_DIRECTORY
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@_plainly
def status(directory: Path, *, as_json: bool) -> None:
    """Print each log's last cosigned state."""
    memory = Memory(directory)
    found = []
    for origin in sorted(memory.logs()):
        last = memory.last(origin)
        at = None if last is None else datetime.fromtimestamp(last.time, UTC).isoformat().replace("+00:00", "Z")
        size = 0 if last is None else last.checkpoint.size
        found.append({"origin": origin, "size": size, "time": at, "path": f"/{origin_hash(origin)}/checkpoint"})
    if as_json:
        click.echo(json.dumps({"name": memory.name, "logs": found}, indent=2))
        return
    for one in found:
        click.echo(f"{one['origin']}  {one['size']} entries, {one['time'] or 'never cosigned'}")
    if not found:
        click.echo("No log is known; see `sanitrail-witness add-log`.")


@main.command()
@_DIRECTORY
@click.option("--listen", default="127.0.0.1", show_default=True, help="IP address to listen on.")
@click.option("--port", default=8450, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@_plainly
def serve(directory: Path, listen: str, port: int) -> None:
    """Answer logs until SIGTERM or Ctrl-C. The address is printed first.

    The answers are signed and tell no secret, so plain HTTP is enough; use a proxy for TLS where the network demands it.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    memory = Memory(directory)
    memory.check()
    with memory.owned():
        server = Server((listen, port), memory)

        def stop(*_: object) -> None:
            threading.Thread(target=server.shutdown).start()  # it waits for the loop, which this handler interrupts

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        host = f"[{listen}]" if ":" in listen else listen
        click.echo(f"{memory.name} answers at http://{host}:{server.server_port}/")
        try:
            server.serve_forever()
        finally:
            server.server_close()


if __name__ == "__main__":
    main()
