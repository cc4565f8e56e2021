"""Numbered start-up checks: what would make this installation unsafe, said before it serves anybody.

A number is never reused. `refuse` stops the service; `warn` is printed and stands in `sanitrail check`. Each finding says
what is wrong and what to do.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from inventory.auth.addresses import is_loopback
from inventory.errors import SetupError
from inventory.settings import Settings

Severity = Literal["refuse", "warn"]
_REFUSE_FREE_BYTES: Final = 64 << 20
_WARN_FREE_BYTES: Final = 1 << 30
_EXPIRY_WARNING_DAYS: Final = 14


@dataclass(frozen=True)
class Finding:
    """Something a check does not accept.

    Attributes:
        number: Stable, such as `S02`.
        severity: Whether the service refuses to start.
        problem: What is wrong.
        hint: What to do.
    """

    number: str
    severity: Severity
    problem: str
    hint: str


@dataclass(frozen=True)
class Check:
    """One numbered question about the installation."""

    number: str
    title: str
    ask: Callable[[Settings], Iterable[tuple[Severity, str, str]]]

    def findings(self, settings: Settings) -> list[Finding]:
        """What it does not accept; empty where all is well."""
        return [Finding(self.number, *said) for said in self.ask(settings)]


Said = Iterable[tuple[Severity, str, str]]


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _data_directory(settings: Settings) -> Said:
    path = settings.data_dir
    if not path.is_dir():
        yield "refuse", f"The data directory {path} does not exist.", "Run `sanitrail init`."
        return
    facts = path.stat()
    if stat.S_IMODE(facts.st_mode) & 0o077:
        yield "refuse", f"Others may enter the data directory {path}, where keys lie.", f"chmod 0700 {path}"
    if facts.st_uid != os.geteuid():
        yield (
            "refuse",
            f"The data directory {path} belongs to user {facts.st_uid}, the service runs as {os.geteuid()}.",
            "Run the service as the user who owns it.",
        )


def _plain_http(settings: Settings) -> Said:
    if not is_loopback(settings.listen) and settings.tls_certificate is None:
        yield (
            "refuse",
            f"It would listen on {settings.listen} without TLS: passwords and evidence would cross the network in clear.",
            "Set tls_certificate and tls_key, or listen on 127.0.0.1 behind a TLS proxy on this machine.",
        )


def _plain_address(settings: Settings) -> Said:
    for url in (settings.external_url, *settings.also_known_as):
        if url.startswith("http:") and not is_loopback(_host(url)):
            yield (
                "refuse",
                f"The service is announced as {url}: browsers and agents would use it without TLS.",
                "Set external_url (and also_known_as) to https addresses.",
            )


def _reachable_name(settings: Settings) -> Said:
    if is_loopback(_host(settings.external_url)) and not is_loopback(settings.listen):
        yield (
            "refuse",
            f"It listens on {settings.listen} but is known only as {settings.external_url}: others could not use it.",
            "Set external_url to the name they use.",
        )
    if settings.tls_certificate is not None and settings.external_url.startswith("http:"):
        yield (
            "refuse",
            f"TLS is on, but the service is announced as {settings.external_url}.",
            "Set external_url to the https address.",
        )


def _tls_files(settings: Settings) -> Said:
    certificate, key = settings.tls_certificate, settings.tls_key
    if (certificate is None) != (key is None):
        yield "refuse", "Only one of tls_certificate and tls_key is set.", "Set both, or neither."
        return
    if certificate is None or key is None:
        return
    for path in (certificate, key):
        if not path.is_file() or not os.access(path, os.R_OK):
            yield "refuse", f"{path} is missing or cannot be read.", "Correct the path or its owner."
            return
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield "refuse", f"Others may read the TLS key {key}.", f"chmod 0600 {key}"
    yield from _tls_contents(certificate, key)


def _tls_contents(certificate: Path, key: Path) -> Said:
    text = key.read_bytes()
    if b"BEGIN PRIVATE KEY" not in text:
        yield (
            "refuse",
            f"The TLS key {key} is not an unencrypted PKCS#8 PEM file.",
            f"openssl pkcs8 -topk8 -nocrypt -in {key} -out key.pem",
        )
        return
    try:
        private = load_pem_private_key(text, None)
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (ValueError, TypeError, IndexError, ssl.SSLError) as error:
        yield (
            "refuse",
            f"The TLS files cannot be used together ({type(error).__name__}).",
            "Check that they belong together.",
        )
        return
    spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*spki) != leaf.public_key().public_bytes(*spki):
        yield (
            "refuse",
            "The TLS certificate is not for this key.",
            "Put the service's own certificate first in the chain.",
        )
    left = leaf.not_valid_after_utc - datetime.now(tz=UTC)
    if left.total_seconds() <= 0:
        yield "refuse", "The TLS certificate has expired.", "Renew it."
    elif left.days < _EXPIRY_WARNING_DAYS:
        yield "warn", f"The TLS certificate expires in {left.days} days.", "Renew it."


def _port(settings: Settings) -> Said:
    family = socket.AF_INET6 if ":" in settings.listen else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.listen, settings.port))
        except OSError as error:
            yield (
                "refuse",
                f"{settings.listen} port {settings.port} cannot be used ({error.strerror}).",
                "Another server may hold it; two services on one port would share requests at random.",
            )


def _space(settings: Settings) -> Said:
    if not settings.data_dir.is_dir():
        return
    free = shutil.disk_usage(settings.data_dir).free
    if free < _REFUSE_FREE_BYTES:
        yield (
            "refuse",
            f"Only {free >> 20} MiB are free in {settings.data_dir}.",
            "Make room: evidence is never deleted.",
        )
    elif free < _WARN_FREE_BYTES:
        yield "warn", f"Only {free >> 20} MiB are free in {settings.data_dir}.", "Make room before it runs out."


def _organisation(settings: Settings) -> Said:
    if settings.organisation.name == type(settings.organisation)().name:
        yield (
            "warn",
            f"Certificates would be issued in the name of {settings.organisation.name!r}.",
            "Set organisation.name, organisation.address and organisation.contact.",
        )


def _log_origin(settings: Settings) -> Said:
    default = type(settings).model_fields["log_origin"].default
    if settings.log_origin == default and not is_loopback(_host(settings.external_url)):
        yield (
            "refuse",
            f"The log is still called {default!r}, and its name can never change once it has entries.",
            "Set log_origin to a name of your own before `sanitrail init`, such as records.example.org/log.",
        )


def _root(settings: Settings) -> Said:
    if os.geteuid() == 0 and not is_loopback(settings.listen):
        yield "warn", "The service runs as root.", "Give it a user of its own: it needs no privilege."


def _witness(settings: Settings) -> Said:
    if not settings.witnesses and not is_loopback(_host(settings.external_url)):
        yield (
            "warn",
            "No witness under other administration cosigns the log: whoever runs this service could rebuild it.",
            "Ask another organisation to run `sanitrail-witness`, and name it in the trust root and in witnesses (log.md).",
        )


def _printing(settings: Settings) -> Said:
    del settings
    try:
        import weasyprint  # noqa: F401, PLC0415 - slow, and broken system libraries show only here
    except (ImportError, OSError) as error:
        yield (
            "refuse",
            f"Certificates cannot be printed ({type(error).__name__}).",
            "Install Pango: apt install libpango-1.0-0 libpangoft2-1.0-0.",
        )


def _brand(settings: Settings) -> Said:
    try:
        _ = settings.brand
    except SetupError as error:
        yield "refuse", str(error), "Correct the settings of `documents` or the file they name."


CHECKS: Final[tuple[Check, ...]] = (
    Check("S01", "the data directory is the service's alone", _data_directory),
    Check("S02", "nothing is served in clear beyond this machine", _plain_http),
    Check("S03", "the announced addresses use TLS", _plain_address),
    Check("S04", "the announced address fits where it listens", _reachable_name),
    Check("S05", "certificate and key can be used", _tls_files),
    Check("S06", "the port is free", _port),
    Check("S07", "there is room for evidence", _space),
    Check("S08", "certificates carry the organisation's name", _organisation),
    Check("S09", "the log has its own name", _log_origin),
    Check("S10", "the service has a user of its own", _root),
    Check("S11", "somebody else watches the log", _witness),
    Check("S12", "certificates can be printed", _printing),
    Check("S13", "documents can carry the logo, colour and texts set for them", _brand),
)


def run(settings: Settings, *, without: frozenset[str] = frozenset()) -> list[Finding]:
    """Asks every check.

    Args:
        settings: The installation.
        without: Numbers to leave out, where the question makes no sense (the port while the service is running).
    """
    return [found for check in CHECKS if check.number not in without for found in check.findings(settings)]
