"""Builds the Debian package of the agent: `make deb`, or `python -m tools.package_deb FOLDER`.

It holds the agent with every library it needs, as locked and checked by hash and compiled, beneath /usr/lib/sanitrail; around it
commands, units, man pages and shell completion. Nothing is downloaded when it is installed, and nothing of the system's own
Python is changed.
"""

from __future__ import annotations

import argparse
import compileall
import gzip
import importlib
import inspect
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from agents.state import FORMAT

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGING: Final = ROOT / "packaging"
NAME: Final = "sanitrail-agent"
LIBRARY: Final = Path("usr/lib/sanitrail")
OURS: Final = ("sanitizer", "agents", "reports", "inventory/contract")
PROGRAMS: Final = {
    "sanitrail-agent": "agents.cli:main",
    "sanitrail-helper": "agents.helper:main",
    "sanitizer": "sanitizer.cli:main",
    "sanitrail-verify": "reports.cli:main",
}
_COMPLETIONS: Final = {
    "usr/share/bash-completion/completions/{}": BashComplete,
    "usr/share/zsh/vendor-completions/_{}": ZshComplete,
    "usr/share/fish/vendor_completions.d/{}.fish": FishComplete,
}
_STAYS: Final = ("sanitrail-helper",)
"""Programs that stay in memory: without docstrings. What a person calls explains itself and keeps them."""
_READS_SETTINGS: Final = ("sanitrail-agent", "sanitrail-helper")
_FILES: Final = {
    "/etc/sanitrail/agent.toml": "Settings. Unknown ones are errors.",
    "/etc/sanitrail/local-rules.toml": "What may be done on this host; where it is missing, or open to others, nothing may.",
    "/var/lib/sanitrail-agent": "Keys, pins, journals, and records not yet handed over. No upgrade and no purge removes it.",
    "/run/sanitrail/carrier.sock": "Where the two halves meet.",
}
_SETTINGS: Final = "# Settings of the agent; the handbook names them. Without any, the defaults hold.\n"
_LAUNCHER: Final = """#!/usr/bin/python3 {flags}
import sys
sys.path.insert(0, "/{library}")
sys.dont_write_bytecode = True
from {module} import {function}
sys.exit({function}())
"""


def version() -> str:
    """The project's."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def stage(target: Path, *, libraries: bool) -> None:
    """Lay the package's files out.

    Args:
        target: An empty folder: the package's root.
        libraries: Whether the libraries are put in, too (takes a network or a filled cache).
    """
    library = target / LIBRARY
    for name in OURS:
        shutil.copytree(ROOT / name, library / name, ignore=shutil.ignore_patterns("__pycache__"))
    (library / "inventory" / "__init__.py").write_text('"""Only the messages; the service is another package."""\n')
    if libraries:
        _install_libraries(library)
    metadata = f"Metadata-Version: 2.1\nName: sanitrail\nVersion: {version()}\n"
    _file(library / f"sanitrail-{version()}.dist-info" / "METADATA", metadata)  # the version stands in every record
    compiled(library)
    for program, entry in PROGRAMS.items():
        _executable(target / "usr/bin" / program, _launcher(entry, "-IOO" if program in _STAYS else "-I"))
        _man_pages(target / "usr/share/man/man8", program, entry)
        if isinstance(command := _command(entry), click.Command):
            _completions(target, program, command)
    for unit in sorted((PACKAGING / "systemd").glob("sanitrail-*.service")):
        _file(target / "lib/systemd/system" / unit.name, unit.read_text("utf-8"))
    _file(
        target / "usr/lib/sysusers.d/sanitrail-agent.conf",
        (PACKAGING / "systemd/sanitrail.sysusers").read_text("utf-8"),
    )
    _file(target / "etc/sanitrail/local-rules.toml", _example_rules())
    _file(
        target / "etc/sanitrail/agent.toml",
        _SETTINGS,
    )
    _file(target / "usr/share/doc" / NAME / "copyright", (ROOT / "LICENSE").read_text("utf-8"))


def build(out: Path, *, libraries: bool = True) -> Path:
    """The package. Raises `subprocess.CalledProcessError` where dpkg-deb or the installer refuses."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sanitrail-deb-") as folder:
        root = Path(folder, "root")
        root.mkdir(mode=0o755)
        stage(root, libraries=libraries)
        size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) >> 10
        architecture = _architecture() if libraries else "all"
        control = root / "DEBIAN"
        _file(control / "control", _control(architecture, size))
        _file(control / "conffiles", "/etc/sanitrail/agent.toml\n/etc/sanitrail/local-rules.toml\n")
        for script in ("preinst", "postinst", "prerm", "postrm"):
            text = (PACKAGING / "debian" / script).read_text("utf-8")
            _executable(control / script, text.replace("@FORMAT@", str(FORMAT)))
        package = out / f"{NAME}_{version()}_{architecture}.deb"
        line = ["/usr/bin/dpkg-deb", "--root-owner-group", "--build", "-Zxz", str(root), str(package)]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    return package


def man_page(program: str, words: tuple[str, ...], command: click.Command, context: click.Context) -> str:
    """One page, from what the command says of itself."""
    title = "-".join((program, *words))
    help_text = inspect.cleandoc(command.help or "").replace("\b\n", "").strip()
    first = help_text.split("\n")[0].rstrip(".")
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [
        f'.TH "{title.upper()}" "8" "" "Sanitrail {version()}"',
        ".SH NAME",
        _roff(f"{title} - {first}"),
        ".SH SYNOPSIS",
        f".B {_roff(' '.join((program, *words)))}",
        _roff(usage),
        ".SH DESCRIPTION",
        *_paragraphs(help_text),
        ".SH OPTIONS",
    ]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            lines += [".TP", f".B {_roff(record[0])}", _roff(" ".join(record[1].split()))]
    if isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                lines += [".TP", f".BR {_roff(f'{title}-{name}')} (8)", _roff(child.get_short_help_str(200))]
    if not words and program in _READS_SETTINGS:
        lines.append(".SH FILES")
        for path, meaning in _FILES.items():
            lines += [".TP", f".I {_roff(path)}", _roff(meaning)]
    also = [program] if len(words) == 1 else [program, "-".join((program, *words[:-1]))] if words else _READS_SETTINGS
    others = [f".BR {_roff(one)} (8)" for one in also if one != title]
    lines += [".SH SEE ALSO", *(f"{one} ," for one in others[:-1]), *others[-1:]] if others else []
    return "\n".join(line for line in lines if line) + "\n"


def pages(program: str, command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Name and text of the page of a command and of everything beneath it."""
    context = click.Context(command, info_name=" ".join((program, *words)), terminal_width=100)
    yield "-".join((program, *words)), man_page(program, words, command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from pages(program, child, (*words, name))


def _paragraphs(text: str) -> Iterator[str]:
    for part in text.split("\n\n"):
        lines = part.split("\n")
        yield ".PP"
        if any(line.startswith("  ") for line in lines):  # a table: as it is
            yield from (".nf", *(_roff(line) for line in lines), ".fi")
        else:
            yield _roff(" ".join(line.strip() for line in lines))


def _roff(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _command(entry: str) -> object:
    module, _, name = entry.partition(":")
    return getattr(importlib.import_module(module), name)


def compiled(library: Path) -> None:
    """Compile everything for this Python, both ways it is started: a program is ready in a second, and not after ten.

    Each is held against its source by digest when it is loaded: the code that runs is the code whose digest the self-test tells.
    """
    for optimization in (0, 2):
        done = compileall.compile_dir(
            library,
            quiet=2,
            stripdir=str(library),
            prependdir=f"/{LIBRARY}",
            optimize=optimization,
            invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
        )
        if not done:
            raise RuntimeError("not everything could be compiled")


def _launcher(entry: str, flags: str) -> str:
    module, _, function = entry.partition(":")
    return _LAUNCHER.format(library=LIBRARY, module=module, function=function, flags=flags)


def _man_pages(folder: Path, program: str, entry: str) -> None:
    command = _command(entry)
    if not isinstance(command, click.Command):
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(program, command):
        (folder / f"{name}.8.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def _completions(target: Path, program: str, command: click.Command) -> None:
    variable = f"_{program}_COMPLETE".replace("-", "_").upper()
    for place, shell in _COMPLETIONS.items():
        _file(target / place.format(program), shell(command, {}, program, variable).source())


def _install_libraries(library: Path) -> None:
    """The agent's libraries from the lock file: each as it was locked, checked by hash; nothing else of the lock."""
    uv = [sys.executable, "-m", "uv", "pip"]
    with tempfile.TemporaryDirectory() as folder:
        chosen = Path(folder, "agent.lock")
        line = [*uv, "compile", "-q", "--universal", "--generate-hashes", "--extra", "agent", "--no-emit-index-url"]
        lock, project = str(ROOT / "requirements.lock"), str(ROOT / "pyproject.toml")
        subprocess.run([*line, "--constraint", lock, project, "-o", str(chosen)], check=True, cwd=ROOT)
        install = [*uv, "install", "-q", "--require-hashes", "--target", str(library), "-r", str(chosen)]
        subprocess.run(install, check=True, cwd=ROOT)
    shutil.rmtree(library / "bin", ignore_errors=True)
    for cache in library.rglob("__pycache__"):
        shutil.rmtree(cache)


def _control(architecture: str, kilobytes: int) -> str:
    minor = sys.version_info.minor
    python = f"python3 (>= 3.{minor}), python3 (<< 3.{minor + 1})" if architecture != "all" else "python3 (>= 3.11)"
    return (
        (PACKAGING / "debian/control")
        .read_text("utf-8")
        .format(name=NAME, version=version(), architecture=architecture, size=kilobytes, python=python)
    )


def _architecture() -> str:
    done = subprocess.run(["/usr/bin/dpkg", "--print-architecture"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _example_rules() -> str:
    return str(importlib.import_module("agents.local_rules").EXAMPLE)


def _file(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _executable(path: Path, text: str) -> None:
    _file(path, text, 0o755)


def main() -> None:
    """Build it and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m tools.package_deb", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the package is put")
    os.umask(0o022)
    sys.stdout.write(f"{build(parser.parse_args().folder)}\n")


if __name__ == "__main__":
    main()
