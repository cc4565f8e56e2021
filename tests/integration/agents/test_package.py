"""The Debian package: what it puts where, that it runs from there, and how far its units close their processes in."""

from __future__ import annotations

import gzip
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from agents.cli import main as agent
from agents.helper import main as helper
from agents.state import FORMAT
from tests.support.capabilities import requires_tool
from tools import package_deb

pytestmark = requires_tool("dpkg-deb")
UNITS = package_deb.PACKAGING / "systemd"


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package without its libraries, built and unpacked by Debian's own tool."""
    folder = tmp_path_factory.mktemp("deb")
    package = package_deb.build(folder, libraries=False)
    subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "root")], check=True)
    subprocess.run(["dpkg-deb", "-e", str(package), str(folder / "root/DEBIAN")], check=True)
    return folder / "root"


def test_debians_own_tool_reads_it_and_nothing_is_the_builders(unpacked: Path) -> None:
    control = (unpacked / "DEBIAN/control").read_text()
    assert f"Version: {package_deb.version()}" in control
    assert "/etc/sanitrail/local-rules.toml" in (unpacked / "DEBIAN/conffiles").read_text()
    (package,) = unpacked.parent.glob("*.deb")
    listing = subprocess.run(["dpkg-deb", "-c", str(package)], check=True, capture_output=True, text=True).stdout
    assert {line.split()[1] for line in listing.splitlines()} == {"root/root"}
    assert not [line for line in listing.splitlines() if re.match(r".{5}w|.{8}w", line) and "->" not in line], (
        "root's alone"
    )


def test_it_holds_the_agent_and_not_the_service(unpacked: Path) -> None:
    library = unpacked / package_deb.LIBRARY
    assert (library / "agents/daemon.py").exists()
    assert {path.name for path in (library / "inventory").iterdir()} == {"__init__.py", "__pycache__", "contract"}


def test_its_program_runs_from_where_it_lies_and_knows_its_version(unpacked: Path) -> None:
    launcher = (unpacked / "usr/bin/sanitrail-agent").read_text()
    moved = launcher.replace("/usr/lib/sanitrail", str(unpacked / package_deb.LIBRARY))
    script = unpacked / "try"
    script.write_text(moved)
    done = subprocess.run([sys.executable, "-I", str(script), "--version"], capture_output=True, text=True, check=True)
    assert package_deb.version() in done.stdout
    found = list(importlib.metadata.distributions(path=[str(unpacked / package_deb.LIBRARY)]))
    assert [(one.metadata["Name"], one.version) for one in found] == [("sanitrail", package_deb.version())]


def test_it_is_compiled_so_that_it_starts_at_once_and_each_file_is_held_against_its_source(unpacked: Path) -> None:
    library = unpacked / package_deb.LIBRARY
    for source in library.rglob("*.py"):
        for optimization in ("", 2):
            found = Path(importlib.util.cache_from_source(str(source), optimization=optimization))
            flags = int.from_bytes(found.read_bytes()[4:8], "little")
            assert flags == 0b11, f"{source.name}: by digest, and checked"
    assert (unpacked / "usr/bin/sanitrail-helper").read_text().startswith("#!/usr/bin/python3 -IOO\n")


def _names(command: click.Command, name: str) -> set[str]:
    if not isinstance(command, click.Group):
        return {name}
    context = click.Context(command)
    children = [(child, command.get_command(context, child)) for child in command.list_commands(context)]
    return {name}.union(*(_names(found, f"{name}-{child}") for child, found in children if found is not None))


@requires_tool("man")
def test_every_command_has_its_page(unpacked: Path) -> None:
    folder = unpacked / "usr/share/man/man8"
    pages = {path.name.removesuffix(".8.gz") for path in folder.iterdir()}
    assert pages >= _names(agent, "sanitrail-agent") | _names(helper, "sanitrail-helper")
    stop = gzip.decompress((folder / "sanitrail-agent-stop-all.8.gz").read_bytes()).decode()
    assert "\\-\\-reason" in stop
    assert ".BR sanitrail\\-agent (8)" in stop
    assert "/etc/sanitrail/local" in gzip.decompress((folder / "sanitrail-agent.8.gz").read_bytes()).decode()
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(folder / "sanitrail-agent-stop-all.8.gz")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stderr, done.stderr


def test_the_shell_completes_its_commands(unpacked: Path) -> None:
    script = unpacked / "usr/share/bash-completion/completions/sanitrail-agent"
    subprocess.run(["bash", "-n", str(script)], check=True)
    assert "_SANITRAIL_AGENT_COMPLETE" in script.read_text()


@pytest.mark.parametrize("script", ["preinst", "postinst", "prerm", "postrm"])
def test_what_the_package_runs_is_a_shell_script_and_removes_no_evidence(unpacked: Path, script: str) -> None:
    path = unpacked / "DEBIAN" / script
    subprocess.run(["sh", "-n", str(path)], check=True)
    assert not re.search(r"\brm\b", path.read_text())


@pytest.mark.parametrize(
    ("form", "code"),
    [(None, 0), (f'{{"format":{FORMAT},"schema":"x"}}', 0), (f'{{"format":{FORMAT + 1},"schema":"x"}}', 1), ("{", 1)],
    ids=["none", "known", "newer", "unreadable"],
)
def test_going_back_is_refused_before_anything_is_replaced_where_the_state_is_of_a_newer_form(
    unpacked: Path, tmp_path: Path, form: str | None, code: int
) -> None:
    script = (unpacked / "DEBIAN/preinst").read_text().replace("/var/lib/sanitrail-agent", str(tmp_path))
    if form is not None:
        (tmp_path / "format.json").write_text(form)
    for way in ("install", "upgrade"):
        done = subprocess.run(["sh", "-c", script, "preinst", way, "9.9"], capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert ("nothing was changed" in done.stderr) == (code == 1)


# --- units ------------------------------------------------------------------------------------------------------------

EXPOSURE = {"sanitrail-helper.service": 3.2, "sanitrail-carrier.service": 1.4}
"""At most, in the measure of systemd-analyze: 0 is closed in, 10 is open."""


def _unit(name: str) -> str:
    return (UNITS / name).read_text()


@requires_tool("systemd-analyze")
@pytest.mark.parametrize("name", EXPOSURE)
def test_a_unit_closes_its_process_in(name: str) -> None:
    line = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    (score,) = re.findall(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert float(score) <= EXPOSURE[name]


def test_the_half_with_devices_has_no_network_and_the_half_with_the_network_no_device_and_no_right() -> None:
    helper_unit, carrier_unit = _unit("sanitrail-helper.service"), _unit("sanitrail-carrier.service")
    (families,) = re.findall(r"^RestrictAddressFamilies=(.*)$", helper_unit, re.MULTILINE)
    assert set(families.split()) == {"AF_UNIX", "AF_NETLINK"}
    assert "IPAddressDeny=any" in helper_unit
    assert "\nCapabilityBoundingSet=\n" in carrier_unit
    assert "\nUser=sanitrail-carrier\n" in carrier_unit
    assert "\nPrivateDevices=yes\n" in carrier_unit
    for unit in (helper_unit, carrier_unit):
        assert "\nNoNewPrivileges=yes\n" in unit
        assert "\nProtectSystem=strict\n" in unit


@pytest.mark.parametrize("name", EXPOSURE)
def test_systemd_is_told_of_readiness_and_of_life(name: str) -> None:
    unit = _unit(name)
    assert "\nType=notify\n" in unit
    assert re.search(r"^WatchdogSec=\d+$", unit, re.MULTILINE)
