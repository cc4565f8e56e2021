"""Documentation is tested: what it names exists, what exists is named."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("sanitizer", "agents", "inventory", "reports", "witness")
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


def _modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        root = importlib.import_module(package)
        yield root
        for found in pkgutil.walk_packages(root.__path__, f"{package}."):
            if ".migrations" not in found.name and not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def _errors() -> Iterator[tuple[str, type[BaseException], str]]:
    for module in _modules():
        for name, value in vars(module).items():
            if (
                inspect.isclass(value)
                and issubclass(value, BaseException)
                and value.__module__ == module.__name__
                and isinstance(code := value.__dict__.get("code"), str)
                and code
            ):
                yield name, value, code


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) + re.findall(r'src="([^"]+)"', text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (document.parent / target).exists(), f"{document.name} points at {target}"


def test_every_error_code_is_documented() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    missing = sorted({code for _, _, code in _errors() if f"`{code}`" not in page})
    assert not missing, f"docs/errors.md does not know: {missing}"


def test_every_documented_error_code_exists() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE))
    assert documented <= {code for _, _, code in _errors()} | {""}, documented - {code for _, _, code in _errors()}


def test_no_error_code_means_two_things() -> None:
    by_code: dict[str, set[type[BaseException]]] = {}
    for _, error, code in _errors():
        by_code.setdefault(code, set()).add(error)
    shared = {code: sorted(e.__qualname__ for e in errors) for code, errors in by_code.items() if len(errors) > 1}
    assert not shared


def test_every_decision_is_listed() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")}
    assert set(re.findall(r"\(([0-9][^)]+\.md)\)", index)) == files


def test_make_help_lists_what_the_readme_promises() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("run", "check", "test", "bench", "docs"):
        assert re.search(rf"make {target}\b", listed)


@pytest.mark.parametrize(
    "command", ["sanitizer", "sanitrail-agent", "sanitrail", "sanitrail-verify", "sanitrail-witness"]
)
def test_the_commands_explain_themselves_and_docs_show_it(command: str) -> None:
    shown = subprocess.run(
        [str(Path(sys.executable).parent / command), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "100", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
    ).stdout.strip()
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert shown in page, f"docs/commands.md shows another `{command} --help`; run: python -m tools.write_command_docs"


def test_public_names_exist_once() -> None:
    for package in PACKAGES:
        module = importlib.import_module(package)
        names = list(getattr(module, "__all__", []))
        assert len(names) == len(set(names)), package  # their order is the linter's (RUF022)
        assert all(hasattr(module, name) for name in names)
