"""Files of evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class EvidenceFileView:
    """A kept file, but for its bytes."""

    id: str
    device: str
    sha256: str
    media_type: str
    note: str
    size: int
    kept: datetime
    kept_by: str
