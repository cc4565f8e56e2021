"""Writes docs/errors.md: every error with its stable code, taken from the classes themselves."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = {
    "sanitizer": "On the device. `touched` says what is now true of the medium: *no* means that nothing was written.",
    "agents": "In the host daemon: what it refuses, and what it tries again.",
    "inventory": "In the service. On the API they arrive as `application/problem+json` with the same code.",
    "reports": "In evidence: why something was not signed, issued or believed.",
}
HEAD = """# Errors

Each error has a code that is never reused. A message says who is at fault, what is now true, and what to do.
Written from the code; a test keeps both equal.
"""


def errors(package: str) -> Iterator[type[BaseException]]:
    """Every error class of a package that bears a code of its own, in the order of modules and definitions."""
    root = importlib.import_module(package)
    names = sorted(found.name for found in pkgutil.walk_packages(root.__path__, f"{package}."))
    for name in [package, *(name for name in names if ".migrations" not in name and "__main__" not in name)]:
        for value in vars(importlib.import_module(name)).values():
            own = inspect.isclass(value) and issubclass(value, BaseException) and value.__module__ == name
            if own and value.__dict__.get("code"):
                yield value


def row(error: type[BaseException]) -> str:
    """One line of the table."""
    said = inspect.getdoc(error) or ""
    meaning = " ".join(said.split("\n\n")[0].split()).replace("|", "\\|")
    touched = getattr(error, "touched", None)
    marks = [f"touched {touched}"] if isinstance(touched, str) else []
    status = getattr(error, "status", None)
    marks += [f"HTTP {status}"] if isinstance(status, int) else []
    return f"| `{error.__dict__['code']}` | {error.__name__} | {meaning} | {', '.join(marks)} |"


def main() -> None:
    """Write the page."""
    parts = [HEAD]
    for package, words in SECTIONS.items():
        found = list(dict.fromkeys(errors(package)))
        parts.append(f"## {package}\n\n{words}\n\n| code | error | meaning | |\n|---|---|---|---|")
        parts[-1] += "\n" + "\n".join(row(error) for error in found) + "\n"
    (ROOT / "docs" / "errors.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
