"""Passwords at the hand's reach: written to a file before a drive gets one, read from it to take the password away again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sanitizer.errors import EscrowNotConfirmed
from sanitizer.techniques.base import Escrow

LONGEST = 4096
"""Bytes read of a file with a secret: any fits many times over."""
PSID_LENGTH = 32
"""Characters of a PSID (TCG Opal SSC, PSID feature set)."""


class SecretUnusable(ValueError):
    """A file with a password or PSID that cannot be used; the text says why."""


def into_file(path: Path, device: str, fingerprint: str) -> Callable[[Escrow], None]:
    """Where `api.sanitize` hands a password to: returns once the file and its name are durable.

    The file is made anew and readable by its owner only. One that exists already may hold another drive's password, so it is
    never written over.
    """

    def keep(escrow: Escrow) -> None:
        text = json.dumps(
            {
                "kind": escrow.kind,
                "device": device,
                "fingerprint": fingerprint,
                "secret_hex": escrow.secret.hex(),
                "written": datetime.now(UTC).isoformat(timespec="seconds"),
                "recovery": escrow.recovery,
            },
            indent=2,
        )
        try:
            _durable(path, text.encode() + b"\n")
        except FileExistsError:
            reason = f"{path} exists already and may hold the password of another drive"
            raise EscrowNotConfirmed(kind=escrow.kind, reason=reason) from None
        except OSError as error:
            raise EscrowNotConfirmed(kind=escrow.kind, reason=f"{path}: {error.strerror or error}") from error

    return keep


def _durable(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # the name, too, survives a power cut
    finally:
        os.close(folder)
    if path.read_bytes() != data:
        raise OSError(0, "what was written does not read back")


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(LONGEST + 1)
    except OSError as error:
        raise SecretUnusable(f"{path}: {error.strerror or error}") from error
    if not data or len(data) > LONGEST:
        raise SecretUnusable(f"{path}: it is empty, or longer than any password")
    return data


def from_file(path: Path, fingerprint: str | None) -> bytes:
    """The password in a file that `into_file` wrote, or the bytes of any other file without a line break at the end.

    Args:
        path: The file.
        fingerprint: Of the device it is for, None where it is unreadable; a file that names another device is refused.

    Raises:
        SecretUnusable: it cannot be read, or is another device's.
    """
    data = _read(path)
    if not data.lstrip().startswith(b"{"):
        return data.rstrip(b"\r\n")
    try:
        document = json.loads(data)
        secret, named = bytes.fromhex(document["secret_hex"]), document["fingerprint"]
    except (ValueError, KeyError, TypeError) as error:
        raise SecretUnusable(f"{path}: it is no escrow file") from error
    if fingerprint is not None and named != fingerprint:
        raise SecretUnusable(f"{path}: it holds the password of another device (fingerprint {named})")
    return secret


def psid_from(path: Path) -> bytes:
    """A PSID as it stands on a drive's label; dashes and white space are passed over, capitals and small letters count.

    Raises:
        SecretUnusable: it cannot be read, or is no PSID.
    """
    psid = b"".join(_read(path).replace(b"-", b"").split())
    if len(psid) != PSID_LENGTH or not psid.isalnum():
        raise SecretUnusable(f"{path}: a PSID has {PSID_LENGTH} letters and digits")
    return psid
