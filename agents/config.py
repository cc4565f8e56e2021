"""The agent's settings: one TOML file, overridden by `SANITRAIL_AGENT_<SETTING>` in the environment.

Unknown settings are errors, in the file and in the environment alike: a misspelt safety setting must not be silently ignored.
What may be *done* on this host is not here but in the root-owned local rules (`local_rules.py`).
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from .errors import ConfigInvalid

DEFAULT_FILE = Path("/etc/sanitrail/agent.toml")
PREFIX = "SANITRAIL_AGENT_"
_CONFIG_VARIABLE = f"{PREFIX}CONFIG"
"""Names another settings file; read by the command line, so it is no setting itself."""

Seconds = Annotated[float, Field(gt=0, le=86_400)]

MIB_OF_A_RUN = 16
"""Memory one run may take: the buffers of two threads that read back, their stacks, and what they keep."""


class Settings(BaseModel):
    """Everything the agent can be told. Durations in seconds, sizes in bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: Annotated[str, Field(max_length=500)] = ""
    """Base address of the service, such as https://sanitrail.example.org. Plain http only to this machine itself."""
    ca_file: Path | None = None
    """Certificate authorities to trust instead of the system's, PEM."""
    state_dir: Path = Path("/var/lib/sanitrail-agent")
    """Keys, pins, outbox, journals; 0700."""
    key_uri: Annotated[str, Field(max_length=1000, pattern=r"^(pkcs11:.+)?$")] = ""
    """Where a new key is, if it lives in a token such as a TPM 2.0 (`pkcs11:`); empty makes one in a file. Used by `enrol`."""
    local_rules: Path = Path("/etc/sanitrail/local-rules.toml")
    """Root-owned file with the last word; absent or not root's alone means that everything is refused."""
    carrier_socket: Path = Path("/run/sanitrail/carrier.sock")
    """Where `sanitrail-helper` listens for the carrier."""
    carrier_user: Annotated[str, Field(min_length=1, max_length=32)] = "sanitrail-carrier"
    """The one user the carrier runs as, and the only one that may connect to that socket."""
    max_parallel_runs: Annotated[int, Field(ge=1, le=64)] = 4
    """Media sanitized at once."""
    memory_ceiling_mib: Annotated[int, Field(ge=32, le=65_536)] = 1024
    """Fewer runs are begun at once where all of them together would need more memory than this."""
    give_up_below: Annotated[int, Field(ge=0, le=10**12)] = 1_000_000
    """Bytes a second; a medium that is slower than that for `give_up_slow_seconds` is given up. 0: never."""
    give_up_slow_seconds: Seconds = 3600.0
    give_up_errors: Annotated[int, Field(ge=0, le=10**9)] = 0
    """A medium with more failed blocks than this is given up. 0: the sanitizer's own budget alone decides."""
    give_up_celsius: Annotated[int, Field(ge=0, le=250)] = 70
    """A medium that says it is hotter than this for `give_up_hot_seconds` is given up. 0: never."""
    give_up_hot_seconds: Seconds = 600.0
    connect_timeout: Seconds = 5.0
    reply_timeout: Seconds = 20.0
    """For a whole exchange, from the first byte sent to the last byte read."""
    hold_limit: Seconds = 15.0
    """How long the answer to the hold question may take before the order is refused."""
    oldest_hold_answer: Annotated[float, Field(gt=0, le=2_592_000)] = 259_200.0
    """On a host without a network: an answer about holds that was carried there counts no longer than this, whatever it says."""
    clock_tolerance: Annotated[float, Field(ge=1, le=3600)] = 120.0
    """How far this clock and the service's may differ before orders are refused."""
    rescan_interval: Seconds = 600.0
    """Devices are looked at again at least this often, whatever the kernel reported meanwhile."""
    survey: bool = True
    """Whether swap areas, memory dumps and running databases are looked for and told to the service."""
    progress_interval: Seconds = 2.0
    outbox_retry_limit: Seconds = 300.0
    """Longest pause between two attempts to deliver a record."""
    sync_clock_marker: Path = Path("/run/systemd/timesync/synchronized")

    @property
    def parallel(self) -> int:
        """Media sanitized at once, as far as the memory goes."""
        return max(1, min(self.max_parallel_runs, self.memory_ceiling_mib // MIB_OF_A_RUN))

    @field_validator("server")
    @classmethod
    def _address(cls, value: str) -> str:
        return check_server(value) if value else value

    @field_validator("state_dir", "local_rules", "ca_file", "sync_clock_marker", "carrier_socket")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            raise ValueError("must be an absolute path")
        return value

    @model_validator(mode="after")
    def _hold_limit_covers_one_exchange(self) -> Self:
        if self.hold_limit < self.connect_timeout:
            raise ValueError("hold_limit must not be shorter than connect_timeout")
        return self


def check_server(address: str) -> str:
    """The base address without a trailing slash.

    Raises:
        ValueError: Not an http(s) address with nothing but host and port, or plain http to another machine: the
        requests are signed, but
            what they say about disks and people is for the service alone.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address like https://sanitrail.example.org")
    if parts.username or parts.password or parts.query or parts.fragment or parts.path not in {"", "/"}:
        raise ValueError("must hold scheme, host and port only")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("plain http is accepted to this machine only; use https")
    return f"{parts.scheme}://{parts.netloc}".lower()


def _is_loopback(host: str) -> bool:
    """Literal loopback addresses, and `localhost`, which RFC 6761 (6.3) reserves for them."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def settings_file(environ: Mapping[str, str]) -> Path:
    """The settings file in use: the environment's, or the default."""
    return Path(environ.get(_CONFIG_VARIABLE, str(DEFAULT_FILE)))


def load(file: Path | None, environ: Mapping[str, str], **overrides: object) -> Settings:
    """Read the settings.

    Args:
        file: The TOML file. None reads the environment's file, or the default one if it exists.
        environ: The environment; `SANITRAIL_AGENT_SERVER` overrides `server`, and so on.
        overrides: Settings given on the command line; None means not given.

    Raises:
        ConfigInvalid: Unreadable, not TOML, an unknown setting, or a value that is not allowed.
    """
    path = file or settings_file(environ)
    explicit = file is not None or _CONFIG_VARIABLE in environ
    values = _read(path, explicit=explicit)
    for name, value in environ.items():
        if name.startswith(PREFIX) and name != _CONFIG_VARIABLE:
            values[name.removeprefix(PREFIX).lower()] = value
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise ConfigInvalid(f"{path}, {where}", first["msg"]) from error


def _read(path: Path, *, explicit: bool) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if not explicit:
            return {}
        raise ConfigInvalid(str(path), "there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(str(path), str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(str(path), f"not TOML: {error}") from error
