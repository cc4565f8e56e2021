"""Start-up checks: each refuses what it is for, and nothing else."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat

from inventory import checks
from inventory.checks import CHECKS, Finding
from inventory.settings import Settings
from tests.support.tls import tls_files

NAME = "https://sanitrail.example.org"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
    return free


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def settings(data: Path, port: int, **changes: object) -> Settings:
    base = {
        "data_dir": data,
        "port": port,
        "external_url": f"http://127.0.0.1:{port}",
        "organisation": {"name": "ACME"},
    }
    return Settings.model_validate({**base, **changes})


def found(number: str, given: Settings) -> list[Finding]:
    (check,) = [check for check in CHECKS if check.number == number]
    return check.findings(given)


def refused(number: str, given: Settings) -> bool:
    return any(finding.severity == "refuse" for finding in found(number, given))


def public(data: Path, port: int, folder: Path, **changes: object) -> Settings:
    """A safe installation others can reach."""
    safe = {"listen": "0.0.0.0", "external_url": NAME, "log_origin": "records.example.org/log", **tls_files(folder)}  # noqa: S104 - never bound
    return settings(data, port, **{**safe, **changes})


def test_a_loopback_installation_passes(data: Path, port: int) -> None:
    assert checks.run(settings(data, port)) == []


def test_a_public_installation_passes_with_warnings_only(data: Path, port: int, tmp_path: Path) -> None:
    assert not [one for one in checks.run(public(data, port, tmp_path)) if one.severity == "refuse"]


def test_numbers_are_unique_and_every_finding_has_a_hint(data: Path, port: int) -> None:
    assert len({check.number for check in CHECKS}) == len(CHECKS)
    assert all(re.fullmatch(r"S\d\d", check.number) for check in CHECKS)
    bad = settings(data / "missing", port, listen="0.0.0.0", external_url="http://a.example")  # noqa: S104 - never bound
    findings = checks.run(bad, without=frozenset({"S06"}))
    assert len({finding.number for finding in findings}) >= 5
    assert all(len(finding.problem) > 10 and len(finding.hint) > 3 for finding in findings)


def test_it_refuses_a_data_directory_others_may_enter(data: Path, port: int) -> None:
    data.chmod(0o750)
    assert refused("S01", settings(data, port))


def test_it_refuses_a_missing_data_directory(data: Path, port: int) -> None:
    assert refused("S01", settings(data / "missing", port))


def test_it_refuses_somebody_elses_data_directory(data: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: data.stat().st_uid + 1)
    assert refused("S01", settings(data, port))


@pytest.mark.parametrize("listen", ["0.0.0.0", "::", "10.0.0.5"])  # noqa: S104 - never bound
def test_it_refuses_plain_http_beyond_this_machine(data: Path, port: int, listen: str) -> None:
    assert refused("S02", settings(data, port, listen=listen))


def test_it_allows_plain_http_on_loopback(data: Path, port: int) -> None:
    assert not found("S02", settings(data, port, listen="::1"))


def test_it_refuses_a_plain_address_others_would_use(data: Path, port: int) -> None:
    assert refused("S03", settings(data, port, external_url="http://sanitrail.example.org"))
    assert refused("S03", settings(data, port, also_known_as=["http://10.0.0.5:80"]))
    assert not found("S03", settings(data, port, external_url=NAME))


def test_it_refuses_an_address_that_does_not_fit_where_it_listens(data: Path, port: int, tmp_path: Path) -> None:
    assert refused("S04", settings(data, port, listen="0.0.0.0"))  # noqa: S104 - never bound
    assert refused("S04", settings(data, port, **tls_files(tmp_path)))


def test_it_refuses_half_of_tls(data: Path, port: int, tmp_path: Path) -> None:
    files = tls_files(tmp_path)
    assert refused("S05", settings(data, port, tls_certificate=files["tls_certificate"]))
    assert refused("S05", settings(data, port, tls_key=files["tls_key"]))


def test_it_refuses_a_missing_tls_file(data: Path, port: int, tmp_path: Path) -> None:
    files = tls_files(tmp_path)
    files["tls_certificate"].unlink()
    assert refused("S05", settings(data, port, **files))


def test_it_refuses_a_tls_key_others_may_read(data: Path, port: int, tmp_path: Path) -> None:
    files = tls_files(tmp_path)
    files["tls_key"].chmod(0o640)
    assert refused("S05", settings(data, port, **files))


@pytest.mark.parametrize("trouble", [{"other_key": True}, {"form": PrivateFormat.TraditionalOpenSSL}, {"days": -1}])
def test_it_refuses_tls_files_that_cannot_work(
    data: Path, port: int, tmp_path: Path, trouble: dict[str, object]
) -> None:
    assert refused("S05", settings(data, port, **tls_files(tmp_path, **trouble)))  # type: ignore[arg-type]  # by name


def test_it_refuses_tls_files_that_are_none(data: Path, port: int, tmp_path: Path) -> None:
    files = tls_files(tmp_path)
    files["tls_certificate"].write_text("nothing")
    assert refused("S05", settings(data, port, **files))


def test_it_warns_before_a_certificate_expires(data: Path, port: int, tmp_path: Path) -> None:
    assert [one.severity for one in found("S05", settings(data, port, **tls_files(tmp_path, days=5)))] == ["warn"]


def test_it_refuses_a_port_in_use(data: Path, taken_port: int) -> None:
    assert refused("S06", settings(data, taken_port))
    assert not checks.run(settings(data, taken_port), without=frozenset({"S06"}))


def test_it_refuses_without_room_for_evidence(data: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 10 << 20

    monkeypatch.setattr("inventory.checks.shutil.disk_usage", lambda _: Usage)
    assert refused("S07", settings(data, port))


def test_it_warns_that_certificates_carry_no_name(data: Path, port: int) -> None:
    assert [one.severity for one in found("S08", settings(data, port, organisation={}))] == ["warn"]


def test_it_refuses_a_public_log_without_a_name_of_its_own(data: Path, port: int, tmp_path: Path) -> None:
    default = Settings.model_fields["log_origin"].default
    assert refused("S09", public(data, port, tmp_path, log_origin=default))
    assert not found("S09", public(data, port, tmp_path))
