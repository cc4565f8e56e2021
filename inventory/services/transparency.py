"""The log, as anybody may ask it. Digests only: nothing here tells a serial number."""

from __future__ import annotations

from typing import Any

from inventory.contract.v1.log import ConsistencyProof

from .context import Actor, Context
from .views import CheckpointView, LogEntryView, Page, TrustView


def checkpoint(context: Context) -> CheckpointView:
    """The newest signed checkpoint. Public."""
    raise NotImplementedError


def consistency(context: Context, old: int, new: int) -> ConsistencyProof:
    """Proof that the tree of `new` entries extends that of `old`. Public. Raises `Invalid` outside 0 <= old <= new <= size."""
    raise NotImplementedError


def inclusion(context: Context, index: int, size: int) -> tuple[str, ...]:
    """Base64 hashes that prove entry `index` in the tree of `size`. Public. Raises `Invalid`."""
    raise NotImplementedError


def tile(context: Context, level: int, number: int, width: int) -> bytes:
    """A C2SP hash tile of `width` hashes (1 to 256). Public. Raises `NotFound` where it is not complete to that width."""
    raise NotImplementedError


def entries(context: Context, start: int, limit: int) -> tuple[bytes, ...]:
    """The leaves themselves (canonical JSON of kind and digest). Public; at most 256 at once."""
    raise NotImplementedError


def trust(context: Context) -> TrustView:
    """Trust root, pin and verifier keys. Public."""
    raise NotImplementedError


def list_entries(context: Context, actor: Actor, *, after: str | None = None, limit: int = 50) -> Page[LogEntryView]:
    """The log with subjects, newest first. Permission `evidence.read`."""
    raise NotImplementedError


def envelope(context: Context, actor: Actor, sha256: str) -> dict[str, Any]:
    """A logged or stored envelope by its digest. Permission `evidence.read`. Raises `NotFound`."""
    raise NotImplementedError
