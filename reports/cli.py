"""`sanitrail-verify`: check certificates, reports and statements offline."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import click

from .beside import beside
from .canonical import MAX_BYTES
from .errors import ReportError
from .exported_log import ExportedLog, open_exported_log
from .pack.archive import LOCAL_SIGNATURE
from .pack.verify import looks_like_pack, verify_pack
from .renewals import Renewals, read_renewals
from .sealcheck import MAX_PDF
from .verify import verify
from .verify_log import ask_log
from .verify_steps import KIND_WORDS, Check, Verification

EXIT_CODES = {
    0: "every file is genuine and says a full yes",
    1: "this program has a fault",
    2: "wrong usage",
    3: "genuine, but not a yes: an unsuccessful run, open obligations, or a pack with exceptions",
    4: "a check failed: do not rely on the file",
    5: "a file could not be read, or is no document of ours",
}
_EPILOG = "\b\nExit codes (with several files, the highest that applies):\n" + "\n".join(
    f"  {code}  {meaning}" for code, meaning in EXIT_CODES.items()
)
INTERNAL_ERROR = "internal-error"
DOCUMENTS = ("*.pdf", "*.json", "*.zip")
_COUNTED = {
    0: "genuine, a full yes",
    1: "not checked: this program has a fault",
    3: "genuine, but not a yes",
    4: "failed: do not rely on them",
    5: "unreadable, or no documents of ours",
}
_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "not-reached": ("·", "bright_black")}
_PLAIN_MARKS = {"passed": "[ok]", "failed": "[FAILED]", "not-reached": "[-]"}


@click.command(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.argument("files", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "--pin",
    required=True,
    metavar="DIGEST",
    help="SHA-256 of the trust root, 64 hexadecimal digits, from your contract or the issuer's web site. "
    "Not from the document itself: whoever forges one forges the other.",
)
@click.option(
    "--only",
    "patterns",
    multiple=True,
    default=DOCUMENTS,
    show_default=True,
    metavar="PATTERN",
    help="Which files of a folder are checked, by name; may be repeated. One that is no document of ours counts as unreadable.",
)
@click.option(
    "--log",
    "log_folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="An exported copy of the issuer's log. It is checked as a whole, and then asked what a file cannot know: whether it was "
    "voided or superseded, or a key it rests on revoked, since it was made.",
)
@click.option(
    "--renewals",
    "renewals_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The issuer's newest time-stamp (`sanitrail log renewals`), for old documents: the log that it stamps must contain "
    "each.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each file, in a list.")
@click.version_option(package_name="sanitrail")
def main(
    files: tuple[Path, ...],
    pin: str,
    patterns: tuple[str, ...],
    log_folder: Path | None,
    renewals_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Check certificates of sanitization, reports, statements and audit packs, offline.

    FILE is a PDF, its attachment (JSON), or an audit pack (ZIP). Each is checked against one pinned digest; any altered byte
    fails. What is proven is printed, and what is not. Of a FOLDER every document in it and beneath it is checked, one line for
    each that says yes.
    """
    brief = any(path.is_dir() for path in files)
    codes: Counter[int] = Counter()
    log = None if log_folder is None else _open_log(log_folder, pin)
    renewals = None if renewals_file is None else _open_renewals(renewals_file, pin)
    for number, (path, alone) in enumerate(_checked(files, patterns, pin, renewals)):
        result = alone if log is None else _asked(path, alone, log)
        code = exit_code(result)
        codes[code] += 1
        if as_json:
            text = json.dumps({"file": str(path), **result.to_dict()}, indent=2, ensure_ascii=True)
            click.echo(("," if number else "[") + "\n" + text, nl=False)
        elif brief and code == 0:
            click.secho(f"yes  {_printable(str(path))}  {_printable(_name(result))}", fg="green")
        else:
            _show(path, result)
    if as_json:
        click.echo("\n]")
    elif brief:
        click.echo()
        for code, count in sorted(codes.items()):
            click.echo(f"{count:>8,}  {_COUNTED[code]}")
    sys.exit(max(codes))


def _checked(
    paths: Sequence[Path], patterns: Sequence[str], pin: str, renewals: Renewals | None
) -> Iterator[tuple[Path, Verification]]:
    """Every file in its order, one at a time: a folder may hold more than fits in memory."""
    for path in paths:
        if not path.is_dir():
            yield path, _check_file(path, pin, renewals)
            continue
        empty = True
        closed: list[OSError] = []
        for folder, folders, names in os.walk(path, onerror=closed.append):
            folders.sort()
            for name in sorted(each for each in names if any(fnmatch(each.lower(), p.lower()) for p in patterns)):
                empty = False
                yield Path(folder, name), _check_file(Path(folder, name), pin, renewals)
        for error in closed:
            reason = error.strerror or type(error).__name__
            yield Path(error.filename or path), _failed("unreadable", "The folder can be listed", reason)
        if empty and not closed:
            yield path, _failed("unreadable", "The folder holds documents", f"None of {', '.join(patterns)} is in it.")


class _NoLog(click.ClickException):
    exit_code = 5


def _open_renewals(path: Path, pin: str) -> Renewals:
    """The newer state of the log, checked; without one that holds, nothing is checked against it."""
    try:
        with path.open("rb") as file:
            return read_renewals(file.read(MAX_BYTES + 1), "".join(pin.split()).lower())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _NoLog(f"{_printable(str(path))} cannot be read: {reason}.") from error
    except ReportError as error:
        raise _NoLog(f"{_printable(str(path))} renews nothing. {_printable(error.summarize())}") from error


def _open_log(folder: Path, pin: str) -> ExportedLog:
    """The exported log, checked as a whole; without one that holds, nothing is asked and nothing is answered."""
    try:
        return open_exported_log(folder, "".join(pin.split()).lower())
    except ReportError as error:
        raise _NoLog(f"{_printable(str(folder))} is no log that holds. {_printable(error.summarize())}") from error


def _asked(path: Path, result: Verification, log: ExportedLog) -> Verification:
    """What the log adds to a file's own verification."""
    if not result.genuine:
        return result
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PDF + 1)
        if hashlib.sha256(data).hexdigest() != result.sha256:
            return _failed(
                "unreadable", "The log can be asked about the file", "Only one document at a time can be asked about."
            )
        return ask_log(result, data, log)
    except OSError as error:
        return _failed("unreadable", "The file can be read", error.strerror or type(error).__name__)
    except Exception as error:  # noqa: BLE001 - our own fault; the other files are still checked, and this one is no yes
        return _failed(INTERNAL_ERROR, "This program has no fault", f"{type(error).__name__}: {error}"[:200])


def _name(result: Verification) -> str:
    """What the document calls itself: the first of its facts."""
    return result.facts[0].value if result.facts else ""


def exit_code(result: Verification) -> int:
    """The exit code that one file's verification leads to."""
    if result.yes:
        return 0
    if result.genuine:
        return 3
    if INTERNAL_ERROR in result.codes:
        return 1
    return 5 if result.kind == "unreadable" else 4


def _check_file(path: Path, pin: str, renewals: Renewals | None = None) -> Verification:
    try:
        with path.open("rb") as file:
            data = file.read(len(LOCAL_SIGNATURE))
            if looks_like_pack(data):
                file.seek(0)
                if renewals is not None:
                    return _failed(
                        "unreadable", "Renewals are for documents", "Check what an audit pack contains file by file."
                    )
                return _guarded(lambda: verify_pack(file, pin))
            data += file.read(MAX_PDF + 1 - len(data))
    except OSError as error:
        return _failed("unreadable", "The file can be read", error.strerror or type(error).__name__)
    return _guarded(lambda: verify(data, pin, beside(path.parent), renewals=renewals))


def _guarded(check: Callable[[], Verification]) -> Verification:
    try:
        return check()
    except OSError as error:
        return _failed("unreadable", "The file can be read", error.strerror or type(error).__name__)
    except Exception as error:  # noqa: BLE001 - our own fault; the other files are still checked, and this one is no yes
        return _failed(INTERNAL_ERROR, "This program has no fault", f"{type(error).__name__}: {error}"[:200])


def _failed(code: str, title: str, detail: str) -> Verification:
    check = Check(code, title, "failed", detail)
    conclusion = f"NO: do not rely on this file. {title}: this failed. {detail}"
    return Verification("unreadable", genuine=False, yes=False, conclusion=conclusion, checks=(check,), codes=(code,))


def _show(path: Path, result: Verification) -> None:
    fancy = _can_print("✓✗·")
    click.echo()
    click.secho(str(path), bold=True)
    click.echo(f"{KIND_WORDS[result.kind]}, SHA-256 {result.sha256 or 'not computed'}")
    click.echo()
    for check in result.checks:
        mark, color = _MARKS[check.state]
        text = mark if fancy else _PLAIN_MARKS[check.state]
        detail = f"  {check.detail}" if check.detail else ""
        click.echo(
            f"  {click.style(text, fg=color)} {_printable(check.title)}" + click.style(_printable(detail), dim=True)
        )
    if result.facts:
        click.echo("\nCompare with the document and the label on the medium:")
        width = max(len(fact.label) for fact in result.facts)
        for fact in result.facts:
            click.echo(f"  {fact.label:<{width}}  {_printable(fact.value)}")
    for title, lines in (("Proven:", result.proven), ("Not proven:", result.not_proven)):
        if lines:
            click.echo(f"\n{title}")
            for line in lines:
                click.echo(f"  - {_printable(line)}")
    click.echo()
    click.secho(
        _printable(result.conclusion), bold=True, fg="green" if result.yes else "yellow" if result.genuine else "red"
    )


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _printable(text: str) -> str:
    """Text from a file must not steer a terminal: control characters become question marks, as does what it cannot show."""
    encoding = sys.stdout.encoding or "ascii"
    safe = "".join(char if char.isprintable() else "?" for char in text)
    return safe.encode(encoding, "replace").decode(encoding)


if __name__ == "__main__":
    main()
