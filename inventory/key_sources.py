"""Keys that live elsewhere than in the data directory, named by a URI in the settings (`key_sources`).

    [key_sources]
    acceptance = "file:/run/keys/acceptance.pem"
    enrolment = "pkcs11:token=sanitrail;object=enrolment?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/pin"

The name is that of the key's file without `.pem`; `sanitrail keys list` shows which names are in use. What a scheme means is
said by one entry here: a function that is given the URI and returns something that signs. Its module is loaded only when needed.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from inventory.errors import SetupError
from reports.envelope import Signer
from reports.keys import FileSigner, load_note_signer
from reports.tlog import NoteSigner

SIGNERS: Final[Mapping[str, str]] = {
    "file": "inventory.key_sources:file_signer",
    "pkcs11": "reports.token:TokenSigner",
}
"""Scheme to `module:function`, which takes a URI and returns a `reports.envelope.Signer`."""
NOTE_SIGNERS: Final[Mapping[str, str]] = {
    "file": "inventory.key_sources:file_note_signer",
    "pkcs11": "reports.token:token_note_signer",
}
"""Scheme to `module:function`, which takes a URI and the log's name and returns a `reports.tlog.NoteSigner`."""


def open_signer(uri: str) -> Signer:
    """The key a URI names. Raises `SetupError` for a scheme this installation does not know."""
    found: Signer = _opener(SIGNERS, uri)(uri)
    return found


def open_note_signer(uri: str, name: str) -> NoteSigner:
    """The log key a URI names, signing under the log's name. Raises `SetupError`."""
    found: NoteSigner = _opener(NOTE_SIGNERS, uri)(uri, name)
    return found


def file_signer(uri: str) -> Signer:
    """`file:/path/to/key.pem`. Raises `SetupError`, `UnsafeKeyFile`."""
    return FileSigner.load(_path(uri))


def file_note_signer(uri: str, name: str) -> NoteSigner:
    """As `file_signer`, for a key of the log."""
    return load_note_signer(_path(uri), name)


def _path(uri: str) -> Path:
    path = Path(unquote(urlsplit(uri).path))
    if not path.is_absolute() or not path.exists():
        raise SetupError(f"The key {uri} is missing: a file: URI names the absolute path of a PEM file.")
    return path


def _opener(known: Mapping[str, str], uri: str) -> Any:  # noqa: ANN401 - the table says what each takes and returns
    scheme = urlsplit(uri).scheme
    place = known.get(scheme)
    if place is None:
        raise SetupError(f"This installation has no keys of the kind {scheme or uri!r}; it knows {', '.join(known)}.")
    module, _, function = place.partition(":")
    return getattr(importlib.import_module(module), function)
