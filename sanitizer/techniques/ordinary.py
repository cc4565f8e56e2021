"""What most techniques share: a background operation of one drive, without an estimate and with nothing to tidy up."""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.capability import Capabilities
from sanitizer.techniques.base import Hands, Sent


@dataclass(eq=False, kw_only=True)
class Ordinary:
    """The fields and answers of the common case; see `Technique` for their meaning."""

    name: str
    title: str
    clause: str
    blocking: bool = False
    resumes: bool = True
    destroys_neighbours: bool = False

    def estimate_seconds(self, capabilities: Capabilities, capacity_bytes: int) -> int | None:  # noqa: ARG002 - protocol
        """None: the drive makes no estimate."""
        return None

    def recover(self, hands: Hands) -> tuple[Sent, ...]:  # noqa: ARG002 - protocol
        """Nothing: there is nothing to tidy up, and a failure mode is never left but by another sanitize."""
        return ()
