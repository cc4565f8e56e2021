"""Tokens to keep keys in, made for a test run: SoftHSM for a hardware security module, swtpm for a TPM 2.0 behind tpm2-pkcs11.

Both libraries read their environment once a process, so each is one for the whole session.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")
TPM_MODULE = Path("/usr/lib/x86_64-linux-gnu/libtpm2_pkcs11.so.1")
PIN = "correct horse battery"


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    """A tool of the token's, which must succeed."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Token:
    """One token, open to whoever knows its PIN."""

    module: Path
    label: str
    pin_file: Path

    def uri(self, key: str, pin_file: Path | None = None) -> str:
        """Where a key of it is."""
        query = f"module-path={self.module}&pin-source=file:{pin_file or self.pin_file}"
        return f"pkcs11:token={self.label};object={key}?{query}"

    def make(self, key: str, kind: str = "EC:prime256v1", *more: str) -> str:
        """A key pair, made in the token by OpenSC's tool; returns its URI."""
        words = ("--module", str(self.module), "--token-label", self.label, "--login", "--pin", PIN)
        run("pkcs11-tool", *words, "--keypairgen", "--key-type", kind, "--label", key, *more)
        return self.uri(key)


def _pin_file(folder: Path) -> Path:
    path = folder / "pin"
    path.touch(mode=0o600)
    path.write_text(f"{PIN}\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def softhsm() -> Iterator[Token]:
    """A token in software that keeps to the same interface as one in hardware."""
    with tempfile.TemporaryDirectory(prefix="sanitrail-hsm-") as name:
        folder = Path(name)
        (folder / "tokens").mkdir()
        (folder / "softhsm2.conf").write_text(
            f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n"
        )
        os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")
        run(
            "softhsm2-util", "--init-token", "--free", "--label", "sanitrail", "--so-pin", "the officer's", "--pin", PIN
        )
        yield Token(SOFTHSM, "sanitrail", _pin_file(folder))


@pytest.fixture(scope="session")
def tpm() -> Iterator[Token]:
    """A TPM 2.0 in software, its resource manager on a bus of its own, and a token in it with the P-256 key `agent`."""
    with tempfile.TemporaryDirectory(prefix="sanitrail-tpm-") as name, ExitStack() as ending:
        folder = Path(name)
        for part in ("state", "store"):
            (folder / part).mkdir()
        run("swtpm_setup", "--tpm2", "--tpmstate", str(folder / "state"))
        socket = f"swtpm:path={folder / 'tpm.sock'}"
        _start(
            ending,
            folder,
            "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder / 'state'}",
            "--server", f"type=unixio,path={folder / 'tpm.sock'}", "--ctrl", f"type=unixio,path={folder / 'tpm.sock.ctrl'}",
            "--flags", "not-need-init,startup-clear",
        )  # fmt: skip
        _until(folder / "tpm.sock")
        bus = f"unix:path={folder / 'bus'}"
        _start(ending, folder, "dbus-daemon", "--session", "--nofork", f"--address={bus}")
        _until(folder / "bus")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus
        _start(ending, folder, "tpm2-abrmd", "--session", "--allow-root", f"--tcti={socket}")
        os.environ |= {
            "TPM2_PKCS11_STORE": str(folder / "store"),
            "TPM2_PKCS11_TCTI": "tabrmd:bus_type=session",
            "TPM2TOOLS_TCTI": "tabrmd:bus_type=session",
        }
        _managed()
        run("tpm2_ptool", "init")
        run("tpm2_ptool", "addtoken", "--pid=1", "--sopin=officer", f"--userpin={PIN}", "--label=sanitrail-tpm")
        run(
            "tpm2_ptool",
            "addkey",
            "--label=sanitrail-tpm",
            f"--userpin={PIN}",
            "--algorithm=ecc256",
            "--key-label=agent",
        )
        yield Token(TPM_MODULE, "sanitrail-tpm", _pin_file(folder))


def _start(ending: ExitStack, folder: Path, *command: str) -> None:
    log = ending.enter_context((folder / f"{command[0]}.log").open("wb"))
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ))
    ending.callback(process.wait, 10)
    ending.callback(process.terminate)


def _until(path: Path) -> None:
    for _ in range(200):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path.name} did not come")


def _managed() -> None:
    """Wait until the resource manager answers."""
    for _ in range(100):
        if subprocess.run(["tpm2_getcap", "properties-fixed"], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise AssertionError("the TPM's resource manager does not answer")
