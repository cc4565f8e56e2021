"""The drives' own techniques and commands in words for people. Pure; decides nothing."""

from __future__ import annotations

from .findings import content_expected, deciding
from .findings.techniques import DRIVE, HOST, steps_of
from .record import CommandFacts, SanitizationRecord

TECHNIQUE_WORDS = {
    HOST: "Overwrite through the host interface",
    "ata-sanitize-crypto-scramble": "ATA Sanitize, crypto scramble",
    "ata-sanitize-block-erase": "ATA Sanitize, block erase",
    "ata-sanitize-overwrite": "ATA Sanitize, overwrite",
    "ata-security-erase": "ATA security erase, normal mode",
    "ata-security-erase-enhanced": "ATA security erase, enhanced mode",
    "scsi-sanitize-overwrite": "SCSI Sanitize, overwrite",
    "scsi-sanitize-block-erase": "SCSI Sanitize, block erase",
    "scsi-sanitize-crypto-erase": "SCSI Sanitize, cryptographic erase",
    "scsi-format-unit": "SCSI format unit",
    "nvme-sanitize-crypto-erase": "NVMe Sanitize, crypto erase",
    "nvme-sanitize-block-erase": "NVMe Sanitize, block erase",
    "nvme-sanitize-overwrite": "NVMe Sanitize, overwrite",
    "nvme-format-user-data": "NVMe Format, user data erase",
    "nvme-format-crypto": "NVMe Format, cryptographic erase",
    "mmc-sanitize": "eMMC erase and sanitize",
    "mmc-secure-trim": "eMMC secure trim",
    "opal-revert": "TCG Opal revert",
    "opal-psid-revert": "TCG Opal revert by the drive's printed identifier (PSID)",
    "luks-crypto-erase": "LUKS2 cryptographic erase",
    "nvdimm-overwrite": "NVDIMM security overwrite",
    "nvdimm-secure-erase": "NVDIMM secure erase",
}
TECHNIQUE_DOES = {
    HOST: "the host writes every block it can address",
    "ata-sanitize-crypto-scramble": "the drive replaces the key with which it encrypts everything it stores",
    "ata-sanitize-block-erase": "the drive erases all of its memory blocks",
    "ata-sanitize-overwrite": "the drive overwrites all of its user data areas",
    "ata-security-erase": "the drive writes zeros to its user data area",
    "ata-security-erase-enhanced": "the drive writes a pattern of its own to all user data, replaced sectors included",
    "scsi-sanitize-overwrite": "the drive overwrites all of its user data areas",
    "scsi-sanitize-block-erase": "the drive erases all of its memory blocks",
    "scsi-sanitize-crypto-erase": "the drive replaces the key with which it encrypts everything it stores",
    "scsi-format-unit": "the drive formats itself anew; that data goes is a side effect",
    "nvme-sanitize-crypto-erase": "the drive replaces the keys with which it encrypts all namespaces",
    "nvme-sanitize-block-erase": "the drive erases all memory blocks of the whole subsystem",
    "nvme-sanitize-overwrite": "the drive overwrites all memory of the whole subsystem",
    "nvme-format-user-data": "the drive erases the user data of the namespace",
    "nvme-format-crypto": "the drive replaces the key with which it encrypts the namespace",
    "mmc-sanitize": "every area is erased, then the device purges what is no longer mapped",
    "mmc-secure-trim": "the device erases the blocks and their copies",
    "opal-revert": "the drive returns to its factory state and replaces its media key",
    "opal-psid-revert": "the drive returns to its factory state and replaces its media key",
    "luks-crypto-erase": "every stored copy of the volume's key is destroyed",
    "nvdimm-overwrite": "the module overwrites all of its persistent memory",
    "nvdimm-secure-erase": "the module destroys the key of its persistent memory",
}
"""What the drive does by the definition of its command; that it did so is the drive's report."""

_SHOWN_BYTES = 32
"""More raw bytes than this are cut short on paper; all of them are in the attached evidence."""


def technique_words(technique: str) -> str:
    """What a technique is called, its steps in order."""
    steps = steps_of(technique)
    return technique if steps is None else ", then ".join(TECHNIQUE_WORDS[step] for step in steps)


def technique_does(technique: str) -> str:
    """One sentence: what the steps do by definition. Empty for overwriting alone, which needs none."""
    steps = steps_of(technique) or ()
    if not any(step in DRIVE for step in steps):
        return ""
    told = "; then ".join(TECHNIQUE_DOES[step] for step in steps)
    return f"{told[0].upper()}{told[1:]}."


def bytes_words(text: str) -> str:
    """Hexadecimal in groups of four bytes, cut short where it is long."""
    if not text:
        return "none"
    shown = text[: 2 * _SHOWN_BYTES]
    grouped = " ".join(shown[at : at + 8] for at in range(0, len(shown), 8))
    more = len(text) // 2 - _SHOWN_BYTES
    return grouped if more <= 0 else f"{grouped} and {more} more bytes"


def command_words(one: CommandFacts) -> str:
    """One command in a line: name, opcode, what the drive answered and reported."""
    accepted = {"yes": "accepted", "no": "refused"}.get(one.accepted, "no answer")
    reported = {"success": "reported success", "failed": "reported failure", "in-progress": "still at work"}
    return f"{one.command}, opcode {one.opcode}h, {accepted}, {reported.get(one.reported, 'end not known')}"


def deciding_words(record: SanitizationRecord) -> str:
    """The commands that did the work, by the standard's names."""
    steps = [step for step in steps_of(record.method.technique) or () if step in DRIVE]
    last = [deciding(record, step)[-1:] for step in steps]
    return "; ".join(f"{one.command} (opcode {one.opcode}h)" for found in last for one in found)


def content_words(label: str) -> str:
    """What the read-back had to find beside that no canary was left."""
    tail = label.rpartition(":")[2]
    content = content_expected(label)
    if content == "zeros":
        return "zeros everywhere"
    if content == "uniform":
        return f"the byte 0x{tail.upper()} everywhere"
    return f"the pattern 0x{tail.upper()} everywhere" if content == "pattern" else ""


def not_reached(record: SanitizationRecord) -> tuple[str, ...]:
    """Areas the steps leave alone by definition, and what a key erase rests on."""
    steps = [step for step in steps_of(record.method.technique) or () if step in DRIVE]
    if not steps:
        return (
            (
                "Areas that a host cannot address (spare, replaced and over-provisioned blocks, memory of the controller) are "
                "outside Clear and were not read."
            ),
        )
    found = [
        (
            "Areas that a host cannot address were not read: that the commands reached them, as far as they are defined to, "
            "is what the drive reported."
        )
    ]
    if any(step.startswith("nvme-") for step in steps):
        found.append(
            "Replay protected memory, boot partitions, logs and firmware of the drive are not reached by these commands "
            "(NVMe Base, Sanitize operations)."
        )
    elif any(step.startswith("mmc-") for step in steps):
        found.append(
            "Replay protected memory is not reached; boot areas and general purpose areas only where a command listed here "
            "names them (JESD84)."
        )
    else:
        found.append("The drive's logs, configuration and firmware are not user data and are not covered.")
    if any(DRIVE[step].rests_on_encryption for step in steps):
        found.append(
            "A key erase rests on the drive's encryption: its strength, its random numbers, that nothing was ever stored in "
            "plain, and that no copy of the key exists elsewhere (SP 800-88 Rev. 2, 3.2). The drive was not examined for it."
        )
    return tuple(found)
