"""ATA SECURITY ERASE UNIT (F4h), normal and enhanced (ACS-3, Security feature set).

The drive must be given a password first, and until the erase has succeeded that password locks it at the next power-on.
So it is in the journal and in escrow before the drive sees it, the level is High, so that the master password stays a way
out, and the erase follows ERASE PREPARE with no other command between. Success is an answered command, no reset on the way,
and fresh identify data that show security neither enabled nor locked.

Way out of a drive left locked: `recover`, with the password as `Hands.secret`, unlocks it and takes the password away.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from sanitizer.capability import AtaCapabilities, Capabilities, SanitizePhase, SanitizeStanding
from sanitizer.errors import LockedByUs, NoTechnique, TransportError
from sanitizer.standings import past_attentions
from sanitizer.transport.commands import Ports, ScsiPort
from sanitizer.wire import ata_commands
from sanitizer.wire.ata_identify import decode_identify_device
from sanitizer.wire.ata_words import EraseTime
from sanitizer.wire.scsi_answers import ata_outcome

from . import needs
from .ata_sanitize import IDENTIFY
from .base import Aftermath, Escrow, Hands, Parameters, Reach, Sent
from .ordinary import Ordinary
from .patience import MINUTE, QUICK_MS, by_estimate_ms
from .reaching import ENHANCED_ON_FLASH, clear, disputed, purge
from .sending import announce, scsi_port, send_ata, write_down

ESCROW_KIND = "ata-user-password"
PASSWORD_NOTE = "ata-password"  # noqa: S105 - the journal entry's name
"""The journal entry that keeps the password for `recover` while the run lasts: technique, password. It never enters a record."""
RECOVERY = (
    "Attach the drive directly (no USB bridge), run `sanitizer unlock` on it and give this password: the drive is "
    "unlocked and the password taken away. For other tools: user password, level High, these 32 ASCII characters."
)


@dataclass(eq=False, kw_only=True)
class SecurityErase(Ordinary):
    """SECURITY ERASE UNIT in one of its two modes."""

    enhanced: bool
    clause: str = "ACS-3, SECURITY ERASE UNIT"
    blocking: bool = True
    resumes: bool = False

    def refusals(self, capabilities: Capabilities, parameters: Parameters) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """See `Technique`."""
        ata = capabilities.ata
        if ata is None:
            return (needs.no_interface(IDENTIFY),)
        return needs.reasons(
            (
                None
                if capabilities.path == "direct"
                else f"a password is given to a drive on a direct path only; what stands between is: {capabilities.path}",
                needs.must(ata.security, "the Security feature set"),
                needs.must(ata.enhanced_erase, "the enhanced erase mode") if self.enhanced else None,
                *_state(ata),
                _no_opal(capabilities),
                needs.not_sanitizing(capabilities),
            )
        )

    def reach(self, capabilities: Capabilities, media: str, parameters: Parameters) -> Reach:  # noqa: ARG002 - protocol
        """See `Technique`."""
        if not self.enhanced:
            return clear(
                media, "the drive overwrites what can be addressed; replaced sectors and spare areas need not be"
            )
        if media == "magnetic":
            return purge(
                media,
                "the drive overwrites all of its user data areas with a pattern of its own, replaced sectors included",
                "NIST SP 800-88 Rev. 1, table A-5",
            )
        conservative = clear(
            media,
            "on flash, and where the medium is unknown, an enhanced erase need not reach spare areas",
            "NIST SP 800-88 Rev. 1, table A-8",
        )
        return disputed(media, parameters, ENHANCED_ON_FLASH, conservative) if media == "flash" else conservative

    def aftermath(self, capabilities: Capabilities, parameters: Parameters) -> Aftermath:  # noqa: ARG002 - protocol
        """Normal: zeros or ones. Enhanced: a pattern of the vendor's."""
        return "undefined" if self.enhanced else "uniform"

    def estimate_seconds(self, capabilities: Capabilities, capacity_bytes: int) -> int | None:  # noqa: ARG002 - protocol
        """Words 89 and 90; None where they name only a lower bound."""
        estimate = self._estimate(capabilities)
        return None if estimate is None or estimate.at_least else MINUTE * estimate.minutes

    def start(self, hands: Hands) -> tuple[Sent, ...]:
        """See `Technique`. The password is in journal and escrow before the first command; SECURITY ERASE UNIT comes last.

        Whatever ends it but success, `recover` is what takes the password away again.
        """
        port = scsi_port(hands.ports, self.name)
        # Also tells of an earlier reset now, so that it is not taken for one during the erase.
        if security_standing(_ask(port)).phase is not SanitizePhase.SUCCEEDED:
            raise NoTechnique(reasons=(f"{self.name}: a password is set on the drive, or it does not say",))
        timeout_ms = by_estimate_ms(self._estimate(hands.capabilities), hands.capacity_bytes)
        password = secrets.token_hex(ata_commands.PASSWORD_BYTES // 2).encode("ascii")
        hands.note(PASSWORD_NOTE, {"technique": self.name, "password": password.decode("ascii")})
        hands.escrow(Escrow(kind=ESCROW_KIND, secret=password, recovery=RECOVERY))
        command = ata_commands.security_set_password(password)
        announce(hands, self.name, command.name, command.cdb)
        given = send_ata(port, command)
        if given.accepted != "yes" or not decode_identify_device(_ask(port)).security.enabled:
            return (replace(given, accepted="no"),)
        prepare = ata_commands.security_erase_prepare()
        erase = ata_commands.security_erase_unit(password, enhanced=self.enhanced)
        announce(hands, self.name, erase.name, erase.cdb)
        prepared = send_ata(port, prepare)
        if prepared.accepted != "yes":
            return (given, prepared)
        erased = send_ata(port, erase, timeout_ms=timeout_ms)  # right after: anything between undoes the preparation
        return (given, prepared, _confirmed(port, erased))

    def standing(self, ports: Ports) -> SanitizeStanding:
        """By fresh identify data: a password still set is failure, none success, anything else unknown."""
        return security_standing(_ask(scsi_port(ports, self.name)))

    def recover(self, hands: Hands) -> tuple[Sent, ...]:
        """Unlock the drive and take away the password this run has set; nothing where none is set.

        Raises:
            LockedByUs: a password is set, and none was given.
            TransportError: no answer.
        """
        port = scsi_port(hands.ports, self.name)
        if security_standing(_ask(port)).phase is SanitizePhase.SUCCEEDED:
            return ()
        if not hands.secret:
            raise LockedByUs(password_id=ESCROW_KIND)
        sent: list[Sent] = []
        commands = [ata_commands.security_disable_password(hands.secret)]
        if decode_identify_device(_ask(port)).security.locked is not False:
            commands.insert(0, ata_commands.security_unlock(hands.secret))
        for command in commands:
            # Neither changes the medium, so no clearance is proven: one that has run out must not keep a drive locked.
            write_down(hands, self.name, command.name, command.cdb)
            sent.append(send_ata(port, command))
            if sent[-1].accepted == "no":
                return tuple(sent)
        if security_standing(_ask(port)).phase is not SanitizePhase.SUCCEEDED:
            sent[-1] = replace(sent[-1], accepted="no")
        return tuple(sent)

    def _estimate(self, capabilities: Capabilities) -> EraseTime | None:
        try:
            security = decode_identify_device(capabilities.ata.identify if capabilities.ata else b"").security
        except TransportError:
            return None
        return security.enhanced_erase_time if self.enhanced else security.erase_time


def security_standing(identify: bytes) -> SanitizeStanding:
    """What IDENTIFY DEVICE says of a password: enabled is failure (or not yet), neither enabled nor locked success."""
    phase = SanitizePhase.UNKNOWN
    try:
        security = decode_identify_device(identify).security
    except TransportError:
        return SanitizeStanding(phase=phase, progress=None, raw=identify)
    if security.enabled:
        phase = SanitizePhase.FAILED
    elif security.enabled is False and security.locked is False:
        phase = SanitizePhase.SUCCEEDED
    return SanitizeStanding(phase=phase, progress=None, raw=identify)


def _ask(port: ScsiPort) -> bytes:
    """Fresh identify data, empty where none came. Raises `TransportError`."""
    command = ata_commands.identify_device()
    return past_attentions(port, command.cdb, read=command.read).data


def _confirmed(port: ScsiPort, erased: Sent) -> Sent:
    """An accepted erase stays accepted only if no reset came in between and no password is left."""
    if erased.accepted != "yes":
        return erased
    command = ata_commands.identify_device()
    first = port.scsi(command.cdb, timeout_ms=QUICK_MS, read=command.read)
    if ata_outcome(first, registers_wanted=False).host_reset:
        return replace(erased, accepted="no", answer=first.sense)
    done = security_standing(_ask(port)).phase is SanitizePhase.SUCCEEDED
    return erased if done else replace(erased, accepted="no")


def _state(ata: AtaCapabilities) -> tuple[str | None, ...]:
    return (
        needs.must_not(
            ata.security_enabled,
            "a password is set on the drive already; it must be taken away first by whoever knows it",
            "a password is set on the drive already",
        ),
        needs.must_not(ata.security_locked, "the drive is locked by an ATA password", "the drive is locked"),
        needs.must_not(
            ata.security_frozen,
            "the drive's security commands are frozen until it is powered off and on",
            "the drive's security commands are frozen",
        ),
        needs.must_not(
            ata.attempts_exhausted,
            "too many wrong passwords were tried; the drive takes no more until it is powered off and on",
            "the drive takes another password",
        ),
    )


def _no_opal(capabilities: Capabilities) -> str | None:
    """With Opal locking active a drive does not offer ATA security (TCG Storage Interface Interactions Specification)."""
    opal = capabilities.opal
    if opal is None:
        return None
    return needs.must_not(
        opal.locking_enabled,
        "Opal locking is active on the drive, which shuts ATA security off",
        "Opal locking is active on the drive",
    )


NORMAL = SecurityErase(name="ata-security-erase", title="ATA Security Erase", enhanced=False)
ENHANCED = SecurityErase(name="ata-security-erase-enhanced", title="ATA Security Erase, enhanced", enhanced=True)
