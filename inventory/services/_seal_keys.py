"""The keys that seal PDFs: an authority that the trust root pins, and the certificates it issues, each for at most two years.

A new sealing certificate needs no new trust root. Key and certificate are two files; the certificate is written last, so that a
key without one is merely unfinished. The newest pair whose certificate is in its time and was not revoked seals.
"""

from __future__ import annotations

import os
import secrets as randomness
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from inventory.errors import SetupError
from inventory.secrets_store import SecretStore
from reports.canonical import canonical, parse_strict
from reports.errors import ReportError
from reports.keys import FileSigner, write_private_file
from reports.sealkey import LIST_DAYS, SealKey, issue_certificate, load, load_list, make_authority, make_list
from reports.trust import TrustRoot

AUTHORITY: Final = "pdf-authority"
SEAL: Final = "seal"
OLD: Final = "pdf"
"""Key and certificate of an inventory whose trust root is of the first schema."""
_BEFORE: Final = timedelta(days=1)
"""A certificate is valid from a little before it is made: clocks differ."""


def create_authority(secrets: SecretStore, name: str, organization: str, now: datetime) -> bytes:
    """Key and certificate of an authority, made as far as they are missing. Returns the certificate, DER."""
    key = secrets.create_signer(name, "p256")
    path = secrets.folder / f"{name}.crt"
    if not path.exists():
        write_private_file(path, make_authority(_file_signer(key, name), organization, now - _BEFORE))
    return path.read_bytes()


def finished(secrets: SecretStore) -> list[str]:
    """Names of the sealing keys that have a certificate; a key without one was cut off."""
    return [name for name in secrets.names(SEAL) if _certificate(secrets, name).exists()]


def issue(secrets: SecretStore, authority: bytes, organization: str, now: datetime) -> str:
    """A new sealing key and its certificate, finishing one that was begun. Returns its name."""
    number = 1 + max((_number(name) for name in finished(secrets)), default=0)
    name = SEAL if number == 1 else f"{SEAL}-v{number}"
    key = secrets.create_signer(name, "p256")
    issuer = _authority_key(secrets, authority)
    certificate = issue_certificate(issuer, authority, key.public_key_der, organization, now - _BEFORE)
    write_private_file(_certificate(secrets, name), certificate)
    return name


def revoke(secrets: SecretStore, authority: bytes, name: str, now: datetime) -> None:
    """Put a sealing certificate on the authority's list. Raises `SetupError` where there is none of that name."""
    path = _certificate(secrets, name)
    if name not in secrets.names(SEAL) or not path.exists():
        raise SetupError(f"There is no sealing certificate {name}.")
    state = _state(secrets, authority)
    state["revoked"].setdefault(str(load(path.read_bytes()).serial_number), int(now.timestamp()))
    _write_list(secrets, authority, state, now)


def seal_key(secrets: SecretStore, trust: TrustRoot, now: datetime) -> SealKey:
    """The newest key that may seal under a trust root. Raises `SetupError`."""
    if not trust.seal_authority:
        return _old(secrets, trust)
    crl = _current_list(secrets, trust.pdf_certificate, now)
    for name in reversed(secrets.names(SEAL)):
        path = _certificate(secrets, name)
        if not path.exists():
            continue
        try:
            found = SealKey.check(secrets.named(name), path.read_bytes(), trust.pdf_certificate, crl)
        except ReportError:
            continue  # of another authority, or revoked
        parsed = load(found.certificate)
        if parsed.not_valid_before_utc <= now < parsed.not_valid_after_utc:
            return found
    raise SetupError("No sealing certificate counts now; make one with `sanitrail keys rotate seal`.")


def _old(secrets: SecretStore, trust: TrustRoot) -> SealKey:
    path = _certificate(secrets, OLD)
    if not path.exists():
        raise SetupError(f"The certificate {path} is missing. Restore it from the backup: the trust root pins it.")
    if path.read_bytes() != trust.pdf_certificate:
        raise SetupError(
            "The certificate that seals PDFs is not the one the trust root pins; restore it from the backup."
        )
    return SealKey.check(secrets.named(OLD), path.read_bytes())


def _authority_key(secrets: SecretStore, authority: bytes) -> FileSigner:
    return _file_signer(secrets.named(_authority_name(secrets, authority)), AUTHORITY)


def _authority_name(secrets: SecretStore, authority: bytes) -> str:
    for name in secrets.names(AUTHORITY):
        path = _certificate(secrets, name)
        if path.exists() and path.read_bytes() == authority:
            return name
    raise SetupError(
        f"The authority of the seals that the trust root pins is not in {secrets.folder}; restore it from the backup."
    )


def _file_signer(key: object, name: str) -> FileSigner:
    if not isinstance(key, FileSigner):
        raise SetupError(f"The key {name} must be in a file: it signs certificates.")
    return key


def _current_list(secrets: SecretStore, authority: bytes, now: datetime) -> bytes:
    """The authority's list, made anew from half of its life on."""
    path = secrets.folder / f"{_authority_name(secrets, authority)}.crl"
    if path.exists():
        content = path.read_bytes()
        due = load_list(content).last_update_utc + timedelta(days=LIST_DAYS) / 2
        if now < due:
            return content
    return _write_list(secrets, authority, _state(secrets, authority), now)


def _state(secrets: SecretStore, authority: bytes) -> dict[str, Any]:
    """Number of the last list, and every certificate ever revoked: serial number to Unix seconds, both as text and number."""
    path = secrets.folder / f"{_authority_name(secrets, authority)}.json"
    if not path.exists():
        return {"number": 0, "revoked": {}}
    found: dict[str, Any] = parse_strict(path.read_bytes(), path.name)
    return found


def _write_list(secrets: SecretStore, authority: bytes, state: dict[str, Any], now: datetime) -> bytes:
    name = _authority_name(secrets, authority)
    following = {**state, "number": state["number"] + 1}
    revoked = {
        int(serial): datetime.fromtimestamp(at, tz=now.tzinfo) for serial, at in sorted(following["revoked"].items())
    }
    content = make_list(_authority_key(secrets, authority), authority, revoked, following["number"], now)
    _replace(secrets.folder / f"{name}.json", canonical(following))  # first: no number is ever used twice
    _replace(secrets.folder / f"{name}.crl", content)
    return content


def _certificate(secrets: SecretStore, name: str) -> Path:
    return secrets.folder / f"{name}.crt"


def _number(name: str) -> int:
    return int(name.rpartition("-v")[2]) if "-v" in name else 1


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, over the one that is there."""
    draft = path.with_name(f".{path.name}.{randomness.token_hex(8)}")
    write_private_file(draft, content)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
