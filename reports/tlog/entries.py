"""What a leaf of the log holds: the kind and digest of an envelope (or of a time-stamp), nothing else.

Digests only: tiles can be public without telling serial numbers, and an envelope with personal data can be erased
later while every proof of the others still holds. A digest cannot be guessed, because the envelope it covers contains
a signature.
"""

from __future__ import annotations

from typing import Literal, get_args

from reports.canonical import canonical, is_sha256

EnvelopeKind = Literal[
    "trust-root",
    "key-event",
    "roster",
    "acceptance",
    "validation",
    "certificate",
    "statement",
    "custody",
    "correction",
]
"""Kinds of envelopes that are logged; index 0 is the first `trust-root`."""

LogKind = Literal[EnvelopeKind, "time-stamp"]
"""Everything that is logged: an envelope's digest, or that of a time-stamp token (RFC 3161), which is signed by somebody else."""

LOG_KINDS: frozenset[str] = frozenset(get_args(LogKind))


def log_entry(kind: LogKind, envelope_digest: str) -> bytes:
    """The bytes of a leaf: canonical `{"kind", "sha256", "v": 1}`."""
    if kind not in LOG_KINDS or not is_sha256(envelope_digest):
        raise ValueError(f"not a log entry: {kind!r}, {envelope_digest!r}")
    return canonical({"kind": kind, "sha256": envelope_digest, "v": 1})
