"""How far a technique gets: the conservative reading, and the settings that decide a dispute otherwise. Pure.

Purge needs a dedicated, standardized device command (SP 800-88 Rev. 2, 3.1.2). Of a virtual medium a guest reaches what it
sees and nothing beneath, whatever command it sends (Rev. 2, 3.1.1). What each dispute is about stands in `planning.disputes`.
"""

from __future__ import annotations

from sanitizer.techniques.base import Parameters, Reach

FORMAT_USER_DATA = "nvme-format-user-data-is-purge"
FORMAT_CRYPTO = "nvme-format-crypto-is-purge"
ENHANCED_ON_FLASH = "enhanced-erase-is-purge-on-flash"
OPAL_REVERT = "opal-revert-is-purge"
LUKS_ERASE = "luks-crypto-erase-is-purge"

PURGE_CLAUSE = "NIST SP 800-88 Rev. 2, 3.1.2"
CLEAR_CLAUSE = "NIST SP 800-88 Rev. 2, 3.1.1"
KEYS_CLAUSE = "NIST SP 800-88 Rev. 2, 3.2"


def purge(media: str, reason: str, clause: str = PURGE_CLAUSE) -> Reach:
    """Purge, unless the medium is virtual."""
    return _virtual() if media == "virtual" else Reach(level="purge", reason=reason, clause=clause)


def clear(media: str, reason: str, clause: str = CLEAR_CLAUSE) -> Reach:
    """Clear."""
    return _virtual() if media == "virtual" else Reach(level="clear", reason=reason, clause=clause)


def disputed(media: str, parameters: Parameters, setting: str, conservative: Reach) -> Reach:
    """The conservative reading, or Purge where this setting says so and the medium is not virtual."""
    if media == "virtual" or setting not in parameters.settings:
        return conservative
    return Reach(
        level="purge",
        reason=f"counted as purge by the setting {setting}; without it it is clear: {conservative.reason}",
        clause=conservative.clause,
        setting=setting,
    )


def _virtual() -> Reach:
    return Reach(
        level="clear",
        reason="the medium is virtual: copies in the layers beneath it are out of the reach of any command",
        clause=CLEAR_CLAUSE,
    )
