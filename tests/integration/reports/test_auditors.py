"""The commands of docs/auditors.md, run as they stand, say yes to an honest file and no to an altered one."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reports.canonical import canonical, to_base64
from reports.cli import EXIT_CODES
from reports.publish import publish
from tests.support.capabilities import requires_tool
from tests.support.dated import NOW, DatedWorld
from tests.support.evidence import World, certified

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "auditors.md"
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
SHELL = "\n".join(body for language, body in BLOCKS if language == "sh")
PYTHON = "\n".join(body for language, body in BLOCKS if language == "python")
MOMENT = dt.datetime(2026, 11, 22, 14, 7, tzinfo=dt.UTC)

pytestmark = [
    pytest.mark.reference_tool,
    requires_tool("pdfsig", "pdfdetach", "certutil", "qpdf", "jq", "openssl", "bash", "sha256sum"),
]


def _shell(folder: Path, pin: str, script: str = SHELL) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PIN": pin, "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def _python(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", "-c", PYTHON], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=["first", "stamped"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A trust root of the first schema, and one with a sealing authority and time-stamps."""
    if request.param == "first":
        return World()
    made = DatedWorld(tmp_path_factory.mktemp("tsa"), ("Example Time", "Other Time"))
    made.log_stamp()
    return made


@pytest.fixture(scope="module")
def sealed(world: World) -> bytes:
    for filler in range(5):
        certified(world, number=f"C-{filler}")
    if isinstance(world, DatedWorld):
        return publish(certified(world).bundle(), world.seal, NOW, stamper=world.stamper)
    return publish(certified(world).bundle(), world.seal, MOMENT)


def test_every_command_of_the_page_says_yes(tmp_path: Path, world: World, sealed: bytes) -> None:
    (tmp_path / "certificate.pdf").write_bytes(sealed)
    done = _shell(tmp_path, world.pin)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Signature Verified Successfully") + done.stdout.count("Verified OK") == 12
    walked = _python(tmp_path)
    assert walked.returncode == 0, walked.stderr
    assert "the log only grew" in walked.stdout
    stamps = 2 if isinstance(world, DatedWorld) else 0
    assert done.stdout.count("Verification: OK") == stamps
    assert done.stdout.count("Time stamp:") == stamps
    assert walked.stdout.count("time-stamp: entry") == stamps // 2


def test_another_pin_says_no(tmp_path: Path, sealed: bytes) -> None:
    (tmp_path / "certificate.pdf").write_bytes(sealed)
    assert _shell(tmp_path, "0" * 64).returncode != 0


@pytest.mark.parametrize("world", ["stamped"], indirect=True)
def test_a_stamp_of_another_state_says_no(tmp_path: Path, world: World) -> None:
    assert isinstance(world, DatedWorld)
    body = json.loads(certified(world).bundle().to_bytes())
    body["anchor"]["stamps"][0]["token"] = to_base64(world.token())
    (tmp_path / "destruction-bundle.json").write_bytes(canonical(body))
    (tmp_path / "checkpoint.txt").write_text(body["anchor"]["checkpoint"], encoding="utf-8")
    begin = "jq -r '.anchor.trust_roots[0].payload' destruction-bundle.json | base64 -d > trust-root.json"
    (block,) = [text for language, text in BLOCKS if "openssl ts -verify" in text]
    done = _shell(tmp_path, world.pin, f"{begin}\n{block}")
    assert done.returncode != 0
    assert "Verification: FAILED" in done.stdout + done.stderr


def test_an_altered_pdf_says_no(tmp_path: Path, world: World, sealed: bytes) -> None:
    altered = bytearray(sealed)
    altered[len(altered) // 3] ^= 1
    (tmp_path / "certificate.pdf").write_bytes(altered)
    assert _shell(tmp_path, world.pin).returncode != 0


def test_a_pdf_with_something_appended_is_not_totally_signed(tmp_path: Path, world: World, sealed: bytes) -> None:
    (tmp_path / "certificate.pdf").write_bytes(sealed + b"\n% appended\n")
    assert _shell(tmp_path, world.pin).returncode != 0


@pytest.mark.parametrize("part", ["order", "record", "acceptance", "validation", "certificate"])
def test_an_altered_statement_says_no(tmp_path: Path, world: World, part: str) -> None:
    body = json.loads(certified(world).bundle().to_bytes())
    envelope = body[part] if part in {"order", "record"} else body[part]["envelope"]
    envelope["payload"] = to_base64(canonical({"schema": "something else"}))
    (tmp_path / "destruction-bundle.json").write_bytes(canonical(body))
    only_statements = "\n".join(
        [
            "last=0; jq -r '.anchor.trust_roots[0].payload' destruction-bundle.json | base64 -d > trust-root.json",
            "cp trust-root.json version-0.json",
            _block("check_envelope()"),
        ]
    )
    done = _shell(tmp_path, world.pin, only_statements)
    assert done.returncode != 0
    assert part in (done.stdout + done.stderr) or "Verif" in done.stdout + done.stderr


def _block(having: str) -> str:
    found = [str(body) for _, body in BLOCKS if having in body and "check_envelope order" in body]
    assert len(found) == 1
    return found[0]


def test_an_entry_that_is_not_in_the_log_says_no(tmp_path: Path, world: World) -> None:
    body = json.loads(certified(world).bundle().to_bytes())
    body["acceptance"]["index"] -= 1
    (tmp_path / "destruction-bundle.json").write_bytes(canonical(body))
    walked = _python(tmp_path)
    assert walked.returncode != 0
    assert "is not in the log" in walked.stderr


def test_the_page_lists_the_exit_codes_of_the_program() -> None:
    rows = dict(re.findall(r"^\| (\d) \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    assert rows == {str(code): meaning for code, meaning in EXIT_CODES.items()}
