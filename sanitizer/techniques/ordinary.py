"""What most techniques share: a background operation of one drive, without an estimate and with nothing to tidy up."""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.capability import Capabilities
from sanitizer.techniques.base import Aftermath, Hands, Parameters, Reach, Sent
from sanitizer.techniques.reaching import purge


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


@dataclass(eq=False, kw_only=True)
class Sanitize(Ordinary):
    """A sanitize command of ATA, SCSI or NVMe: what it is, what it does, and that it reaches purge wherever it is honest."""

    what: str
    """The command a drive must have, for a person."""
    why: str
    """What it does to the medium, for a person."""
    after: Aftermath

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return purge(media, self.why)

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        """See `Technique`."""
        return self.after
