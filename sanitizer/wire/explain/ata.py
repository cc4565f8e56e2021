"""IDENTIFY DEVICE in keys and in words."""

from __future__ import annotations

from sanitizer.wire.ata_identify import IdentifyDevice, Integrity, decode_identify_device
from sanitizer.wire.ata_words import EraseTime, SecurityLevel
from sanitizer.wire.explain.model import Explanation, Group, Keys, or_nothing, size, tell_rotation, word, yes_no
from sanitizer.wire.fields import Buffer

_STANDARDS = {
    4: "ATA-4",
    5: "ATA-5",
    6: "ATA-6",
    7: "ATA-7",
    8: "ATA8-ACS",
    9: "ACS-2",
    10: "ACS-3",
    11: "ACS-4",
    12: "ACS-5",
}
_INTEGRITY = {
    Integrity.VALID: "checksum right (word 255)",
    Integrity.WRONG: "checksum WRONG (word 255)",
    Integrity.ABSENT: "the drive gives no checksum (word 255)",
}
_LEVELS = {
    SecurityLevel.HIGH: "high: the master password unlocks and erases",
    SecurityLevel.MAXIMUM: "maximum: the master password only erases",
}


def _erase_time(time: EraseTime | None) -> Keys | None:
    return None if time is None else {"minutes": time.minutes, "at_least": time.at_least}


def _security_keys(drive: IdentifyDevice) -> Keys:
    security = drive.security
    return {
        "supported": security.supported,
        "supported_w82_bit1": security.supported_word_82,
        "enabled": security.enabled,
        "locked": security.locked,
        "frozen": security.frozen,
        "count_expired": security.attempts_exhausted,
        "enhanced_erase_supported": security.enhanced_erase,
        "level": security.level,
        "erase_time": _erase_time(security.erase_time),
        "enhanced_erase_time": _erase_time(security.enhanced_erase_time),
        "master_password_id": drive.word(92),
        "w89": word(drive.word(89)),
        "w90": word(drive.word(90)),
        "w92": word(drive.word(92)),
        "w128": word(drive.word(128)),
    }


def _feature_keys(drive: IdentifyDevice) -> Keys:
    sanitize, hidden, trim = drive.sanitize, drive.hidden, drive.trim
    return {
        "sanitize": {
            "supported": sanitize.supported,
            "crypto_scramble_ext": sanitize.crypto_scramble,
            "overwrite_ext": sanitize.overwrite,
            "block_erase_ext": sanitize.block_erase,
            "antifreeze_lock_ext": sanitize.antifreeze_lock,
            "acs3_allowed_commands": sanitize.acs3_commands,
            "w59": word(drive.word(59)),
        },
        "hpa": {
            "supported_w82_bit10": hidden.hpa_supported,
            "enabled_w85_bit10": hidden.hpa_enabled,
            "set_max_security_w83_bit8": hidden.set_max_security,
        },
        "dco": {"supported_w83_bit11": hidden.dco_supported, "enabled_w86_bit11": hidden.dco_enabled},
        "amac": {"supported_w119_bit8": hidden.amax_supported, "w119": word(drive.word(119))},
        "trim": {
            "supported_w169_bit0": trim.supported,
            "deterministic_w69_bit14": trim.deterministic,
            "zeroes_w69_bit5": trim.zeroes,
        },
        "trusted_computing_w48_bit0": drive.trusted_computing,
        "encrypts_all_user_data_w69_bit4": drive.encrypts_all_user_data,
    }


def keys(drive: IdentifyDevice) -> Keys:
    """The adopted keys; null is unknown, also for the single bits that their names point at."""
    capacity = drive.capacity
    return {
        "model": drive.model,
        "serial": drive.serial,
        "firmware": drive.firmware,
        "model_raw40": drive.model_padded,
        "serial_raw20": drive.serial_padded,
        "is_ata": drive.is_ata,
        "general_config_w0": word(drive.general_configuration),
        "lba28_sectors": capacity.lba28_sectors,
        "lba48_supported": capacity.lba48_supported,
        "lba48_sectors": capacity.lba48_sectors,
        "extended_user_addressable_sectors_w230": capacity.extended_sectors,
        "capacity_sectors": capacity.sectors,
        "logical_sector_bytes": capacity.logical_sector_bytes,
        "physical_sector_bytes": capacity.physical_sector_bytes,
        "capacity_bytes": capacity.bytes,
        "wwn": drive.world_wide_name,
        "wwn_words_108_111": drive.world_wide_name_words,
        "rotation_word_217": word(drive.rotation),
        "rotational": drive.rotational,
        "rotation_rpm": drive.rotation_rpm,
        "security": _security_keys(drive),
        **_feature_keys(drive),
        "major_version_w80": word(drive.major_versions),
        "sata_w76": word(drive.sata_capabilities),
        "checksum": {
            "signature_a5": drive.integrity is not Integrity.ABSENT,
            "valid": None if drive.integrity is Integrity.ABSENT else drive.integrity is Integrity.VALID,
        },
    }


def _standard(versions: int) -> str:
    if versions in {0, 0xFFFF}:
        return "not reported"
    newest = versions.bit_length() - 1
    return f"up to {_STANDARDS.get(newest, f'bit {newest} of word 80')}"


def _identity(drive: IdentifyDevice) -> Group:
    link = {0: "not reported: parallel ATA, or an old drive", 0xFFFF: "not reported"}
    return Group(
        "Identity",
        (
            ("Kind", "ATA drive" if drive.is_ata else "not an ATA drive (packet device, such as an optical drive)"),
            ("Model", or_nothing(drive.model)),
            ("Serial number", or_nothing(drive.serial)),
            ("Firmware", or_nothing(drive.firmware)),
            ("World-wide name", or_nothing(drive.world_wide_name)),
            ("Standard", _standard(drive.major_versions)),
            ("Serial ATA", link.get(drive.sata_capabilities, "yes")),
            ("Medium", tell_rotation(drive.rotation, drive.rotational)),
            ("Reply", _INTEGRITY[drive.integrity]),
        ),
    )


def _capacity(drive: IdentifyDevice) -> Group:
    capacity = drive.capacity
    counted = "unknown" if capacity.sectors is None else f"{capacity.sectors}, by {capacity.source}"
    logical, physical = capacity.logical_sector_bytes, capacity.physical_sector_bytes
    return Group(
        "Capacity that can be addressed now",
        (
            ("Size", size(capacity.bytes)),
            ("Sectors", counted),
            ("Sector size", "unknown" if logical is None else f"{logical} bytes, physically {physical}"),
            ("48-bit addresses", yes_no(capacity.lba48_supported)),
        ),
    )


def _hidden(drive: IdentifyDevice) -> Group:
    hidden = drive.hidden
    return Group(
        "Ways to hide capacity",
        (
            ("Host protected area (HPA)", _feature(hidden.hpa_supported, hidden.hpa_enabled)),
            (
                "Locking of the HPA (SET MAX security)",
                _feature(hidden.set_max_security, hidden.set_max_security_enabled),
            ),
            ("Configuration overlay (DCO)", _feature(hidden.dco_supported, hidden.dco_enabled)),
            ("Accessible max address (AMAX)", f"supported: {yes_no(hidden.amax_supported)}"),
        ),
    )


def _feature(supported: bool | None, enabled: bool | None) -> str:
    return (
        f"supported: {yes_no(supported)}"
        if supported is False
        else f"supported: {yes_no(supported)}, on: {yes_no(enabled)}"
    )


def _minutes(time: EraseTime | None) -> str:
    if time is None:
        return "no estimate"
    return f"more than {time.minutes} minutes" if time.at_least else f"about {time.minutes} minutes"


def _security(drive: IdentifyDevice) -> Group:
    security = drive.security
    enhanced = yes_no(security.enhanced_erase)
    if security.enhanced_erase:
        enhanced += f", {_minutes(security.enhanced_erase_time)}"
    master = security.master_password_id
    return Group(
        "Security (drive passwords, SECURITY ERASE UNIT)",
        (
            ("Supported", yes_no(security.supported)),
            ("Enabled (a password is set)", yes_no(security.enabled)),
            ("Locked", yes_no(security.locked)),
            ("Frozen until the next power cycle", yes_no(security.frozen)),
            ("Password attempts exhausted", yes_no(security.attempts_exhausted)),
            ("Level", "not in force" if security.level is None else _LEVELS[security.level]),
            ("Normal erase", _minutes(security.erase_time)),
            ("Enhanced erase", enhanced),
            ("Master password identifier", "not reported" if master is None else f"{master:04x}h"),
        ),
    )


def _sanitize(drive: IdentifyDevice) -> Group:
    sanitize = drive.sanitize
    rows = [("Supported", yes_no(sanitize.supported))]
    if sanitize.supported is not False:
        rows += [
            ("Cryptographic scramble", yes_no(sanitize.crypto_scramble)),
            ("Block erase", yes_no(sanitize.block_erase)),
            ("Overwrite", yes_no(sanitize.overwrite)),
            ("Antifreeze lock", yes_no(sanitize.antifreeze_lock)),
        ]
    return Group("Sanitize commands (SANITIZE DEVICE)", tuple(rows))


def _contents(drive: IdentifyDevice) -> Group:
    trim = drive.trim
    reads = "not defined"
    if trim.deterministic:
        reads = "always zeros" if trim.zeroes else "always the same"
    return Group(
        "Encryption and trim",
        (
            ("Encrypts all user data", yes_no(drive.encrypts_all_user_data)),
            ("Trusted computing (TCG, Opal)", yes_no(drive.trusted_computing)),
            ("Trim", yes_no(trim.supported)),
            ("Trimmed sectors read as", "unknown" if trim.deterministic is None else reads),
        ),
    )


def _attention(drive: IdentifyDevice) -> tuple[str, ...]:
    security, hidden = drive.security, drive.hidden
    found = {
        "This is not the reply of an ATA drive: nothing below holds for it.": not drive.is_ata,
        "The drive says its reply is incomplete: it must spin up first.": drive.incomplete,
        "The reply was altered on its way (checksum): prove every fact in another way.": drive.integrity
        is Integrity.WRONG,
        "The drive is locked: what is read from it says nothing of its contents.": security.locked,
        "A password is set: an erase was cut off, or an owner set it.": security.enabled,
        "Security is frozen: SECURITY ERASE UNIT is refused until the drive loses power.": security.frozen,
        "Words that must agree on security do not: treat it as unknown.": security.supported is None,
        "A hidden area cannot be ruled out from this reply: only READ NATIVE MAX ADDRESS and the overlay's own "
        "identify data tell.": bool(hidden.hpa_supported is not False or hidden.dco_supported is not False),
    }
    return tuple(sentence for sentence, holds in found.items() if holds)


def explain_ata(data: Buffer) -> Explanation:
    """Explain the 512 bytes of IDENTIFY DEVICE. Raises `MalformedReply` as the decoder does."""
    drive = decode_identify_device(data)
    return Explanation(
        title="ATA IDENTIFY DEVICE",
        groups=(
            _identity(drive),
            _capacity(drive),
            _hidden(drive),
            _security(drive),
            _sanitize(drive),
            _contents(drive),
        ),
        attention=_attention(drive),
        keys=keys(drive),
    )
