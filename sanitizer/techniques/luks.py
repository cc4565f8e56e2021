"""Cryptographic erase of a LUKS2 container that lies on the whole device (SP 800-88 Rev. 2, 3.2).

No command of the drive does it: the host overwrites every byte before the ciphertext, where both copies of the header and all
key slots lie, and reads it back (`key_erasing.py`). Here stands when that may be done and how far it gets. On flash a slot that
was overwritten may live on where no address leads, so that only on magnetic disks anybody may count it as purge.
"""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.capability import Capabilities, SanitizeStanding
from sanitizer.errors import NoTechnique
from sanitizer.standings import UNREAD
from sanitizer.transport.commands import Ports

from . import needs
from .base import Aftermath, Hands, Parameters, Reach, Sent
from .ordinary import Ordinary
from .reaching import KEYS_CLAUSE, LUKS_ERASE, clear, disputed

NAME = "luks-crypto-erase"
ABSENT = (
    "no LUKS container begins where this device begins; one in a partition, or with its header elsewhere, cannot be taken for "
    "the whole device"
)


@dataclass(eq=False, kw_only=True)
class LuksCryptoErase(Ordinary):
    """Overwriting of everything that holds the volume's key."""

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """See `Technique`. What can be read of the conditions of SP 800-88 Rev. 2, 3.2; the rest somebody must vouch for."""
        if capabilities.container is None:
            return (ABSENT,)
        return needs.reasons((*capabilities.container.faults, needs.not_sanitizing(capabilities)))

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        """See `Technique`."""
        if media == "flash":
            return clear(media, "flash keeps older copies of overwritten key slots where no address leads", KEYS_CLAUSE)
        why = (
            "every stored copy of the key is overwritten; that nothing was stored in plain before, a person vouches for"
        )
        conservative = clear(media, why, KEYS_CLAUSE)
        return disputed(media, parameters, LUKS_ERASE, conservative) if media == "magnetic" else conservative

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        """Undefined: zeros where the keys were, and ciphertext behind."""
        return "undefined"

    def start(self, hands: Hands) -> tuple[Sent, ...]:  # noqa: ARG002 - protocol
        """Never: there is no command to send."""
        raise NoTechnique(reasons=(f"{self.name}: the host does this by writing, not the drive by a command",))

    def standing(self, ports: Ports) -> SanitizeStanding:  # noqa: ARG002 - protocol
        """Unknown: no drive keeps a status of it."""
        return UNREAD


CRYPTO_ERASE = LuksCryptoErase(
    name=NAME,
    title="LUKS2 cryptographic erase",
    clause="LUKS2 On-Disk Format 1.1, 3; done by the host",
    resumes=False,
)
