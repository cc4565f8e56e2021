"""What an operator may set: a TOML file, then `SANITRAIL_*` environment variables over it, then defaults.

Secrets never stand here; they live in the data directory (`secrets_store`).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from inventory.branding import Documents, brand_of
from inventory.errors import SetupError
from reports.brand import Brand

PREFIX = "SANITRAIL_"
FILE_VARIABLE = "SANITRAIL_CONFIG"
_OTHERS = ("SANITRAIL_AGENT_", "SANITRAIL_CLIENT_")
"""The agent's settings and those of our own command line as a client, which may stand in the same environment."""

_ADDRESS = r"^https?://[A-Za-z0-9.:\[\]-]+$"

_TARGET = r"^(?:\*\.[A-Za-z0-9.-]+|[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$"
"""A host, every host of a domain, or an address; with a port or without."""

Seconds = Annotated[int, Field(ge=1, le=366 * 86_400)]


class Organisation(BaseModel):
    """Who issues certificates: printed on every one of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "Example Organisation"
    address: str = ""
    contact: str = ""


class Witness(BaseModel):
    """Somebody who cosigns the log's checkpoints (c2sp.org/tlog-witness); counts only while the trust root names its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[^\s+]{1,255}$")]
    """As in its verifier keys."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$", max_length=300)]
    """Its submission prefix; `/add-checkpoint` is appended. The answers are signed: http is enough within one network."""


class TimeAuthority(BaseModel):
    """Who stamps the log's checkpoints with the time (RFC 3161); asked only while the trust root names it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """As in the trust root, which holds its certificates and policy."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s#]+$", max_length=300)]
    """Where it answers (RFC 3161, 3.4). The answers are signed: http is enough."""


class SingleSignOn(BaseModel):
    """An OpenID Connect provider whose word counts as a whole sign-in; in the settings file, `[sso]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=60)] = "single sign-on"
    """What the sign-in page calls it."""
    issuer: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$", max_length=300)]
    """Exactly as its tokens name it; https, except on loopback."""
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    client_secret_file: Path | None = None
    """Mode 0600; none where the provider knows us as a public client. The code is bound by PKCE in either case."""
    algorithms: Annotated[tuple[Literal["RS256", "PS256", "ES256", "EdDSA"], ...], Field(min_length=1)] = ("RS256",)
    """Signatures that are believed; never the token's own choice."""
    login_claim: Annotated[str, Field(pattern=r"^[a-z_]{0,60}$")] = ""
    """Claim that equals our login name, for people who have linked nothing; empty: everybody links their account themselves."""
    acr: tuple[Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$")], ...] = ()
    """Authentication contexts of which the provider must have reached one; none: whatever it asks of people suffices."""

    @field_validator("issuer")
    @classmethod
    def _over_tls(cls, value: str) -> str:
        host = (urlsplit(value).hostname or "").lower()
        if not value.startswith("https://") and host not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("must be https")
        return value

    def client_secret(self) -> str:
        """The secret shared with the provider; empty where there is none. Raises `SetupError`."""
        if self.client_secret_file is None:
            return ""
        try:
            if self.client_secret_file.stat().st_mode & 0o077:
                raise SetupError(f"Others may read {self.client_secret_file}; make it 0600 (chmod 0600).")
            return self.client_secret_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SetupError(f"The file {self.client_secret_file} cannot be read: {error.strerror}.") from error


class Settings(BaseModel):
    """The service's settings. Durations are in seconds where the name says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Path
    """Database (SQLite), keys, the log's guard file. Mode 0700."""
    database_url: str = ""
    """Empty: SQLite in the data directory. PostgreSQL: `postgresql://user@host/name`."""
    external_url: Annotated[str, Field(pattern=_ADDRESS, max_length=300)] = "http://127.0.0.1:8443"
    """The address people and agents know the service by."""
    also_known_as: tuple[Annotated[str, Field(pattern=_ADDRESS, max_length=300)], ...] = ()
    """Further addresses it answers to, as whole URLs; any other name in a request is refused (421)."""
    listen: str = "127.0.0.1"
    """IP address to listen on; anything but loopback needs TLS."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 8443
    tls_certificate: Path | None = None
    """PEM chain, the service's own certificate first."""
    tls_key: Path | None = None
    """PEM, PKCS#8, mode 0600."""
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    """How many proxies in front may be believed about a client's address (X-Forwarded-For); for the rate limit only."""
    threads: Annotated[int, Field(ge=2, le=256)] = 32
    """Requests worked on at once."""
    connections: Annotated[int, Field(ge=64, le=100_000)] = 8192
    """Connections held at once; an agent's is held for ten seconds after its last word."""
    upkeep_seconds: Annotated[int, Field(ge=1, le=3600)] = 15
    """Pause between two rounds of due dates, expiry and unfinished seals."""
    log_origin: Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:\d+)?(/[A-Za-z0-9._-]+)*$", max_length=200)] = (
        "sanitrail.localhost/log"
    )
    """Name of the log in every checkpoint; never changed once the log has entries."""
    witnesses: tuple[Witness, ...] = ()
    """In the settings file, one `[[witnesses]]` each."""
    time_authorities: tuple[TimeAuthority, ...] = ()
    """In the settings file, one `[[time_authorities]]` each; none where there is no network."""
    time_stamp_every_seconds: Annotated[int, Field(ge=60, le=366 * 86_400)] = 86_400
    """The newest checkpoint is stamped at least this often, so that an order names a recent time; and when documents wait."""
    restamp_days: Annotated[int, Field(ge=1, le=3660)] = 365
    """The log must be stamped anew after this; a reminder comes 30 days before."""
    webhook_targets: tuple[Annotated[str, Field(pattern=_TARGET, max_length=260)], ...] = ()
    """Where webhooks may send: `host`, `host:port` or `*.domain`. None: nowhere."""
    webhook_private_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that are not public and that webhooks may reach all the same, also in clear, such as `10.20.0.0/16`."""
    webhook_authorities: Path | None = None
    """PEM of further certificate authorities that receivers of webhooks may have; beside those of the system."""
    sso: SingleSignOn | None = None
    organisation: Organisation = Organisation()
    documents: Documents = Documents()

    key_sources: dict[str, Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*:.+", max_length=1000)]] = {}
    """Keys that live elsewhere than in the data directory: the key file's name without `.pem`, and a URI (`key_sources.py`)."""

    heartbeat_seconds: Annotated[int, Field(ge=1, le=86_400)] = 30
    silent_after_seconds: Seconds = 7 * 86_400
    """An agent silent for longer raises a question."""
    lease_seconds: Annotated[int, Field(ge=5, le=3600)] = 120
    """A lease without a report runs out after this."""
    session_idle_seconds: Seconds = 30 * 60
    session_absolute_seconds: Seconds = 12 * 3600
    link_seconds: Seconds = 24 * 3600
    """A one-time link is good for this long."""
    erasure_days: Annotated[int, Field(ge=1, le=366)] = 30
    """Due date of an erasure case after the withdrawal (GDPR, Article 12 (3): one month)."""
    erasure_remind_days: Annotated[int, Field(ge=0, le=366)] = 7
    """So many days before the due date an erasure case becomes an exception that reminds people of it."""
    erasure_escalate_days: Annotated[int, Field(ge=0, le=366)] = 7
    """So many days after it the case is escalated."""
    sign_in_attempts: Annotated[int, Field(ge=1, le=1000)] = 10
    """Per login name and per address within five minutes."""
    second_factor: Literal["required", "offered"] = "required"
    """Whether a password alone opens anything; whoever has set up a second factor must show it in either case."""
    confirm_seconds: Seconds = 15 * 60
    """For this long after showing who one is, dangerous acts ask no more."""
    passkey_domain: Annotated[str, Field(pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)*)?$", max_length=253)] = ""
    """Domain that passkeys are bound to, never changed afterwards; empty: the host of `external_url`."""
    verification_bytes: Annotated[int, Field(ge=1024, le=64 << 20)] = 32 << 20
    """Largest file the public verification page takes."""
    verification_seconds: Annotated[int, Field(ge=1, le=300)] = 20
    """Processor time one check of an uploaded file may take; three times that by the clock."""
    verifications_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 20
    """Uploads one address may send to be checked."""
    evidence_patience_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = 900
    """How long the files of a new document wait for witnesses and time-stamps that the trust root names."""
    clock_tolerance_seconds: Seconds = 300
    """A host clock further off than this raises an exception."""

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:")):
            raise ValueError("neither sqlite: nor postgresql:")
        return value

    @field_validator("witnesses")
    @classmethod
    def _each_once(cls, value: tuple[Witness, ...]) -> tuple[Witness, ...]:
        if len({witness.name for witness in value}) != len(value):
            raise ValueError("the same witness twice")
        return value

    @field_validator("time_authorities")
    @classmethod
    def _each_authority_once(cls, value: tuple[TimeAuthority, ...]) -> tuple[TimeAuthority, ...]:
        if len({authority.name for authority in value}) != len(value):
            raise ValueError("the same time authority twice")
        return value

    @field_validator("also_known_as", "webhook_targets", "webhook_private_networks", mode="before")
    @classmethod
    def _from_one_line(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'inventory.db'}"

    @property
    def is_tls(self) -> bool:
        """Whether people and agents reach the service over TLS."""
        return self.external_url.startswith("https://")

    @property
    def brand(self) -> Brand:
        """What documents are printed with. Raises `SetupError` for a logo, colour or text that they cannot carry."""
        return brand_of(self.documents, self.external_url)

    @property
    def session_idle(self) -> timedelta:
        """How long an unused session lives."""
        return timedelta(seconds=self.session_idle_seconds)

    @property
    def session_absolute(self) -> timedelta:
        """How long any session lives."""
        return timedelta(seconds=self.session_absolute_seconds)

    @property
    def confirm_window(self) -> timedelta:
        """How long showing who one is counts for dangerous acts."""
        return timedelta(seconds=self.confirm_seconds)

    @property
    def lease(self) -> timedelta:
        """How long a lease lives without a report."""
        return timedelta(seconds=self.lease_seconds)

    @classmethod
    def load(cls, file: Path | None = None, environment: Mapping[str, str] | None = None) -> Self:
        """Read the file (or the one `SANITRAIL_CONFIG` names), then the environment over it.

        `SANITRAIL_DATA_DIR`, `SANITRAIL_ORGANISATION__NAME` and so on: a double underscore goes one level down.

        Raises:
            SetupError: unreadable, unknown or impossible settings, each named.
        """
        environment = os.environ if environment is None else environment
        named = environment.get(FILE_VARIABLE)
        source = file or (Path(named) if named else None)
        values: dict[str, Any] = {}
        if source is not None:
            try:
                values = tomllib.loads(source.read_text(encoding="utf-8"))
            except (OSError, tomllib.TOMLDecodeError) as error:
                raise SetupError(f"The settings file {source} cannot be read: {error}.") from error
        for name, text in environment.items():
            if name.startswith(PREFIX) and name != FILE_VARIABLE and not name.startswith(_OTHERS):
                _place(values, name.removeprefix(PREFIX).lower().split("__"), text)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
            raise SetupError(f"The settings do not make sense: {problems}.") from error


def _place(values: dict[str, Any], path: list[str], text: str) -> None:
    for part in path[:-1]:
        inner = values.setdefault(part, {})
        if not isinstance(inner, dict):
            raise SetupError(f"The setting {part!r} is not a group.")
        values = inner
    values[path[-1]] = text
