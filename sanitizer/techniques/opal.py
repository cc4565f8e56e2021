"""TCG Opal: revert as the owner (SID), and with the number printed on the label (PSID) (TCG Opal SSC 2.30, Revert).

A revert makes the media keys anew, so that nothing stored before can be read; it reaches all namespaces of the device.
Where locking was never activated it leaves the data alone, and is refused. A drive may go on removing data after it has
answered; its discovery tells. The session is held by this program, over the security protocol commands of NVMe and SCSI.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sanitizer.capability import Capabilities, OpalCapabilities, SanitizePhase, SanitizeStanding, Tri
from sanitizer.errors import NoTechnique, TransportError
from sanitizer.transport.commands import Ports
from sanitizer.wire.opal_discovery import COM_ID, decode_opal_discovery

from . import needs, tcg
from .base import Aftermath, Hands, Parameters, Reach, Sent
from .ordinary import Ordinary
from .patience import QUICK_MS
from .reaching import KEYS_CLAUSE, OPAL_REVERT, clear, disputed
from .sending import announce
from .tcg_line import Line

DISCOVERY = "TCG Level 0 discovery"
_CLASSES = frozenset({"opal-2", "opal-1", "opalite", "ruby"})
"""Security subsystem classes with media encryption and this Revert."""
_PSID_BYTES = 32
REVERT_MS = 600_000
"""For the one method that works on the medium."""


@dataclass(eq=False, kw_only=True)
class OpalRevert(Ordinary):
    """Revert of the Admin SP under one authority."""

    clause: str = "TCG Opal SSC 2.30, Revert"
    resumes: bool = False
    destroys_neighbours: bool = True
    authority: bytes
    credential: str
    """What a person must give, in words."""
    length: int | None
    """Bytes of it, where that is fixed: a wrong one costs one of few tries."""
    pause: Callable[[float], None] = time.sleep

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """See `Technique`."""
        opal = capabilities.opal
        if opal is None:
            return (needs.no_interface(DISCOVERY),)
        return needs.reasons(
            (
                _known_class(opal),
                needs.must(opal.media_encryption, "media encryption"),
                None if opal.removal_interrupted is Tri.YES else _activated(opal.locking_enabled),
                "a data removal is under way on the drive; let it end first"
                if opal.removal_running is Tri.YES
                else None,
                needs.not_sanitizing(capabilities),
            )
        )

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        """See `Technique`."""
        why = "reverting replaces the media keys; how keys are made and where copies are, the drive does not tell"
        return disputed(media, parameters, OPAL_REVERT, clear(media, why, KEYS_CLAUSE))

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        """Undefined: what was stored, read with another key."""
        return "undefined"

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """See `Technique`. Only the revert itself changes the drive; a session that was not opened is told in its place.

        Raises also:
            NoTechnique: the credential is missing, or cannot be one; nothing was sent.
        """
        facts = hands.capabilities.opal
        com_id = tcg.base_com_id(facts.discovery) if facts is not None else None
        if com_id is None:
            raise NoTechnique(reasons=(f"{self.name}: the drive names no way to open a session",))
        if not hands.secret or self.length not in {None, len(hands.secret)}:
            raise NoTechnique(reasons=(f"{self.name}: it needs {self.credential}",))
        line = Line(hands.ports, self.name, com_id, self.pause)
        opened = line.call(tcg.start_session(com_id, self.authority, hands.secret), "StartSession", QUICK_MS)
        session = tcg.session_of(opened.answer) if opened.answer is not None else None
        if session is None:
            return (replace(opened.sent, accepted="no"),)
        message = tcg.revert(com_id, session)
        announce(hands, self.name, "Revert", line.raw(message))
        reverted = line.call(message, "Revert", REVERT_MS)
        if reverted.sent.accepted == "no":
            line.tell(tcg.end_session(com_id, session), QUICK_MS)
        return (reverted.sent,)

    def standing(self, ports: Ports) -> SanitizeStanding:
        """By a fresh discovery: removing, cut off, back in the factory state (success), or idle."""
        return revert_standing(Line(ports, self.name, COM_ID, self.pause).receive(QUICK_MS))


def revert_standing(discovery: bytes) -> SanitizeStanding:
    """What Level 0 discovery says of a revert: locking inactive is its end, active says nothing."""
    phase = SanitizePhase.UNKNOWN
    try:
        found = decode_opal_discovery(discovery)
    except TransportError:
        return SanitizeStanding(phase=phase, progress=None, raw=discovery)
    if found.removal is not None and found.removal.processing:
        phase = SanitizePhase.IN_PROGRESS
    elif found.removal is not None and found.removal.interrupted:
        phase = SanitizePhase.FAILED
    elif found.locking is not None and found.locking.enabled is not None:
        phase = SanitizePhase.IDLE if found.locking.enabled else SanitizePhase.SUCCEEDED
    return SanitizeStanding(phase=phase, progress=None, raw=discovery.rstrip(b"\0"))


def _known_class(opal: OpalCapabilities) -> str | None:
    if opal.ssc is None:
        return "which security subsystem class the drive has is unknown"
    if opal.ssc not in _CLASSES:
        return f"the drive's security subsystem class {opal.ssc} is not one whose revert is known to destroy media keys"
    return None if tcg.base_com_id(opal.discovery) else "the drive names no way to open a session"


def _activated(locking_enabled: Tri) -> str | None:
    """Opal SSC, Revert: with the Locking SP in its factory state the user data stay, but for a removal that was cut off.

    That one goes on with the next revert (Opal SSC, supported data removal mechanism feature descriptor).
    """
    if locking_enabled is Tri.NO:
        return "locking was never activated on the drive, and then a revert leaves the data alone"
    return needs.must(locking_enabled, "locking activated")


REVERT = OpalRevert(
    name="opal-revert",
    title="TCG Opal revert by the owner",
    authority=tcg.SID,
    credential="the owner's password (SID)",
    length=None,
)
PSID_REVERT = OpalRevert(
    name="opal-psid-revert",
    title="TCG Opal revert with the PSID",
    authority=tcg.PSID,
    credential="the PSID, 32 characters printed on the drive's label",
    length=_PSID_BYTES,
)
