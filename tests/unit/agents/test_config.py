"""Settings: one file, the environment above it, and nothing silently ignored."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents import config
from agents.errors import ConfigInvalid


def write(folder: Path, text: str) -> Path:
    file = folder / "agent.toml"
    file.write_text(text)
    return file


def test_without_any_file_the_defaults_hold() -> None:
    found = config.load(None, {})
    assert found.state_dir == Path("/var/lib/sanitrail-agent")
    assert found.local_rules == Path("/etc/sanitrail/local-rules.toml")


def test_the_environment_overrides_the_file_and_the_command_line_both(tmp_path: Path) -> None:
    file = write(tmp_path, 'server = "https://one.example"\nmax_parallel_runs = 2\n')
    environ = {"SANITRAIL_AGENT_SERVER": "https://two.example"}
    assert config.load(file, environ).server == "https://two.example"
    assert config.load(file, environ, server="https://three.example").server == "https://three.example"
    assert config.load(file, environ, server=None).max_parallel_runs == 2


def test_the_environment_can_name_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "max_parallel_runs = 3\n")
    assert config.load(None, {"SANITRAIL_AGENT_CONFIG": str(file)}).max_parallel_runs == 3


def test_other_variables_are_none_of_our_business() -> None:
    assert config.load(None, {"SANITRAIL_DATABASE_URL": "x", "PATH": "/bin"}).server == ""


@pytest.mark.parametrize(
    "text",
    [
        'sever = "https://one.example"',
        "max_parallel_runs = 0",
        'state_dir = "relative"',
        "hold_limit = 1.0\nconnect_timeout = 5.0",
        "not toml",
        'server = "https://one.example/path"',
        'server = "https://user:secret@one.example"',
        'server = "ftp://one.example"',
        'server = "one.example"',
    ],
)
def test_what_is_not_understood_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigInvalid):
        config.load(write(tmp_path, text), {})


def test_a_misspelt_variable_is_an_error() -> None:
    with pytest.raises(ConfigInvalid, match="sevrer"):
        config.load(None, {"SANITRAIL_AGENT_SEVRER": "https://one.example"})


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="no such file"):
        config.load(tmp_path / "none.toml", {})


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080", "https://one.example", "https://10.0.0.1"],
)
def test_https_anywhere_and_http_to_this_machine(address: str) -> None:
    assert config.check_server(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://one.example",
        "http://10.0.0.1",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://0.0.0.0",
    ],
)
def test_plain_http_to_another_machine_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="https"):
        config.check_server(address)


def test_a_trailing_slash_is_the_same_address() -> None:
    assert config.check_server("https://One.example/") == "https://one.example"
