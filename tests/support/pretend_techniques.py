"""Techniques that only decide, for planning without commands: each needs capabilities to be YES and reaches what a table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sanitizer.capability import Capabilities, SanitizePhase, SanitizeStanding, Tri
from sanitizer.techniques.base import Aftermath, Hands, Level, Parameters, Reach, Sent, Technique
from sanitizer.transport.commands import Ports


@dataclass(eq=False, kw_only=True)
class Pretended:
    """Implements `Technique` without a device."""

    name: str
    title: str = ""
    needs: Callable[[Capabilities], tuple[Tri, ...]]
    purge_on: tuple[str, ...] = ()
    setting: str | None = None
    destroys_neighbours: bool = False
    seconds: int | None = None
    clause: str = "a clause"
    blocking: bool = False
    resumes: bool = True

    def __post_init__(self) -> None:
        self.title = self.name.replace("-", " ")

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """Everything needed is YES, and the standing of a SANITIZE command can be read."""
        standing = capabilities.standing
        known = standing is not None and standing.phase not in {SanitizePhase.UNKNOWN, SanitizePhase.FROZEN}
        sanitize = "-sanitize-" in self.name
        missing = any(tri is not Tri.YES for tri in self.needs(capabilities))
        reasons = ["The drive does not have it."] if missing else []
        return (*reasons, *(["Its standing is unknown."] if sanitize and not known else []))

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        """By the table."""
        level: Level = "purge" if media in self.purge_on else "clear"
        if self.setting in parameters.settings and media != "virtual":
            return Reach(level="purge", reason="It was decided so.", clause=self.clause, setting=self.setting)
        return Reach(level=level, reason="That is how far it gets.", clause=self.clause)

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        """Anything."""
        return "undefined"

    def estimate_seconds(self, capabilities: Capabilities, capacity_bytes: int) -> int | None:  # noqa: ARG002 - protocol
        """As given."""
        return self.seconds

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """Nothing here is ever started."""
        raise NotImplementedError

    def standing(self, ports: Ports) -> SanitizeStanding:
        """As `start`."""
        raise NotImplementedError

    def recover(self, hands: Hands) -> tuple[Sent, ...]:
        """As `start`."""
        raise NotImplementedError


def _of(family: str, *fields: str) -> Callable[[Capabilities], tuple[Tri, ...]]:
    def needs(capabilities: Capabilities) -> tuple[Tri, ...]:
        found = getattr(capabilities, family)
        return tuple(getattr(found, field) for field in fields) if found is not None else (Tri.UNKNOWN,)

    return needs


_REAL = ("magnetic", "flash", "unknown")

PRETENDED: dict[str, Technique] = {
    each.name: each
    for each in (
        Pretended(name="ata-sanitize-block-erase", needs=_of("ata", "sanitize", "block_erase"), purge_on=_REAL),
        Pretended(name="ata-sanitize-crypto-scramble", needs=_of("ata", "sanitize", "crypto_scramble"), purge_on=_REAL),
        Pretended(name="ata-sanitize-overwrite", needs=_of("ata", "sanitize", "overwrite"), purge_on=_REAL),
        Pretended(name="ata-security-erase", needs=_of("ata", "security"), seconds=3600),
        Pretended(
            name="ata-security-erase-enhanced",
            needs=_of("ata", "security", "enhanced_erase"),
            purge_on=("magnetic",),
            setting="enhanced-erase-is-purge-on-flash",
            seconds=5400,
        ),
        Pretended(name="scsi-sanitize-block-erase", needs=_of("scsi", "sanitize_block"), purge_on=_REAL),
        Pretended(name="scsi-sanitize-crypto-erase", needs=_of("scsi", "sanitize_crypto"), purge_on=_REAL),
        Pretended(name="scsi-sanitize-overwrite", needs=_of("scsi", "sanitize_overwrite"), purge_on=_REAL),
        Pretended(name="scsi-format-unit", needs=_of("scsi", "format_unit")),
        Pretended(
            name="nvme-sanitize-crypto-erase",
            needs=_of("nvme", "crypto_erase"),
            purge_on=_REAL,
            destroys_neighbours=True,
            seconds=30,
        ),
        Pretended(
            name="nvme-sanitize-block-erase",
            needs=_of("nvme", "block_erase"),
            purge_on=_REAL,
            destroys_neighbours=True,
            seconds=120,
        ),
        Pretended(
            name="nvme-sanitize-overwrite", needs=_of("nvme", "overwrite"), purge_on=_REAL, destroys_neighbours=True
        ),
        Pretended(name="nvme-format-user-data", needs=_of("nvme", "format"), setting="nvme-format-user-data-is-purge"),
        Pretended(name="nvme-format-crypto", needs=_of("nvme", "format_crypto"), setting="nvme-format-crypto-is-purge"),
        Pretended(name="mmc-sanitize", needs=_of("mmc", "sanitize"), purge_on=_REAL, destroys_neighbours=True),
        Pretended(name="mmc-secure-trim", needs=_of("mmc", "secure_trim")),
        Pretended(name="opal-psid-revert", needs=_of("opal", "media_encryption"), setting="opal-revert-is-purge"),
        Pretended(name="opal-revert", needs=_of("opal", "media_encryption"), setting="opal-revert-is-purge"),
        Pretended(name="luks-crypto-erase", needs=lambda _capabilities: (), setting="luks-crypto-erase-is-purge"),
    )
}
"""By name; enough of the vocabulary for every family."""
