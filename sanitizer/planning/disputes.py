"""Classifications that readers of the standards do not agree on. Pure; a table.

Each is a setting by name. Not set means the conservative answer; set, it is sealed with the order and stands in the record and on
the certificate, so that whoever relies on the result sees on whose reading it rests.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """One open question and what its answer changes."""

    name: str
    techniques: tuple[str, ...]
    """The techniques whose level it decides."""
    question: str
    conservative: str
    """The answer while nobody decides otherwise."""
    clause: str
    """What can be read either way."""
    consequence: str
    """What changes when it is set."""


_ALL = (
    Dispute(
        name="nvme-format-user-data-is-purge",
        techniques=("nvme-format-user-data",),
        question="Does NVMe Format with user data erase (SES 1) purge a drive?",
        conservative="No, it clears it.",
        clause="SP 800-88 Rev. 1, table A-8, counted it as purge, before NVMe Sanitize existed. Rev. 2, 3.1.2, asks for a "
        "dedicated sanitize command, and NVMe Base, Format NVM, leaves open how the data is erased and whether "
        "unallocated capacity is reached.",
        consequence="Format with user data erase then satisfies a purge order. What deleted namespaces left behind is "
        "still not reached.",
    ),
    Dispute(
        name="nvme-format-crypto-is-purge",
        techniques=("nvme-format-crypto",),
        question="Does NVMe Format with cryptographic erase (SES 2) purge a drive?",
        conservative="No, it clears it.",
        clause="SP 800-88 Rev. 1, table A-8, counted it as purge. Rev. 2, 3.2, wants to know strength, quality and place of "
        "the keys, which the command does not tell.",
        consequence="Format with cryptographic erase then satisfies a purge order. It rests on the drive having encrypted "
        "everything from the first day, which nothing here can see.",
    ),
    Dispute(
        name="enhanced-erase-is-purge-on-flash",
        techniques=("ata-security-erase-enhanced",),
        question="Does ATA enhanced security erase purge a flash drive?",
        conservative="No: purge on magnetic disks, clear on flash.",
        clause="SP 800-88 Rev. 1, table A-5, counts it as purge for hard disks; table A-8, for flash, does not. ACS says that "
        "reallocated sectors are included and leaves the pattern to the maker. Published measurements found flash drives that "
        "reported success and kept the data.",
        consequence="Enhanced erase then satisfies a purge order on flash drives.",
    ),
    Dispute(
        name="opal-revert-is-purge",
        techniques=("opal-revert", "opal-psid-revert"),
        question="Does reverting a TCG Opal drive to its factory state purge it?",
        conservative="No, it clears it.",
        clause="SP 800-88 Rev. 1, appendix A, names TCG cryptographic erase among the ways to purge. Rev. 2, 3.2.2, excludes "
        "media that held data before encryption was in force and keys that were ever kept elsewhere; and in a drive whose "
        "locking was never activated, revert leaves the data alone (TCG Opal SSC, Revert).",
        consequence="An Opal revert then satisfies a purge order.",
    ),
    Dispute(
        name="luks-crypto-erase-is-purge",
        techniques=("luks-crypto-erase",),
        question="Does destroying the key slots of a LUKS volume purge the medium?",
        conservative="No, it clears it.",
        clause="SP 800-88 Rev. 2, 3.2: keys may be erased in software, but copies of the header may exist elsewhere, and nobody "
        "can see that nothing was stored before it was encrypted. Flash keeps older copies of what is overwritten where no host "
        "can reach them.",
        consequence="On magnetic disks it then satisfies a purge order, with both conditions vouched for by name "
        "(encrypted-before-first-use, no-key-outside). On flash it stays clear.",
    ),
)

DISPUTES: dict[str, Dispute] = {each.name: each for each in _ALL}
"""By the name of the setting."""
