"""The structure holds: who may import what without which library, and how large a room may grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

_BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {blocked!r}:
            raise ModuleNotFoundError(f'{{name}} is not part of this installation', name=name)
sys.meta_path.insert(0, Blocker())
import {module}
"""
_SERVER = {"flask", "sqlalchemy", "alembic", "weasyprint", "granian", "argon2", "pyhanko", "segno", "psycopg"}
_NETWORK = {"httpx2", "httpcore2", "ssl"}
_AGENT = {"pyudev", "psutil", "httpx2", "http_message_signatures", "pydantic", "rich"}


@pytest.mark.parametrize(
    ("module", "blocked"),
    [
        ("reports.cli", _SERVER | _AGENT),
        ("reports.verify", _SERVER | _AGENT),
        ("sanitizer", _SERVER | _AGENT),
        ("agents.cli", _SERVER),
        ("agents.daemon", _SERVER),
        ("agents.helper", _SERVER | _NETWORK),
        ("agents.cli.enrolling", _SERVER | _NETWORK),
        ("inventory.contract.v1.agents", _SERVER),
        ("client", _SERVER | (_AGENT - {"pydantic"}) | {"cryptography"}),
        ("inventory.cli", {"pyudev", "psutil"}),
    ],
)
def test_an_installation_without_the_other_extras_imports(module: str, blocked: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKED.format(blocked=blocked, module=module)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-800:]


def test_import_directions_are_kept() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "package", ["sanitizer", "agents", "inventory", "reports", "client", "demo", "benchmarks", "tools"]
)
def test_no_room_grows_beyond_reading(package: str) -> None:
    too_large = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / package).rglob("*.py")
        if "versions" not in path.parts and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert not too_large


def test_nothing_committed_names_a_machine_or_a_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("capability missing: a git checkout")
    words = ["/" + "work/", "files.pythonhosted" + ".org", "pypi" + ".org", "registry.npmjs" + ".org"]
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if (
            name
            and path.is_file()
            and path.suffix in {".py", ".md", ".toml", ".lock", ".txt", ".html", ".js", ".css", ""}
        ):
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [word for word in words if word in text], name
