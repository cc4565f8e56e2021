"""Records of runs with the drives' own commands, as an honest agent would write them; tests cheat with them."""

from __future__ import annotations

import dataclasses
from typing import Any

from reports.record import CommandFacts, SanitizationRecord
from tests.support.evidence import CAPACITY, NONCE, device_facts, one_pass, record_shell, with_part

KEY_SHA256 = "7" * 64
NVME_BLOCK_ERASE = "84000000" + "00000000" + "02000000" + "00000000" * 5
NVME_CRYPTO_ERASE = "84000000" + "00000000" + "04000000" + "00000000" * 5
NVME_FORMAT = "80000000" + "01000000" + "00020000" + "00000000" * 5


def nvme_status(action: int, sstat: int = 0x0101) -> str:
    """A Sanitize Status log page about one operation."""
    page = b"\xff\xff" + sstat.to_bytes(2, "little") + action.to_bytes(4, "little") + b"\xff" * 24
    return page.ljust(512, b"\0").hex()


def command(number: int = 1, **changes: Any) -> CommandFacts:  # noqa: ANN401 - any field
    """A block erase that an NVMe drive accepted and finished."""
    minute = 5 + 2 * number
    fields: dict[str, Any] = {
        "number": number,
        "technique": "nvme-sanitize-block-erase",
        "command": "Sanitize, Block Erase",
        "opcode": "84",
        "sent": NVME_BLOCK_ERASE,
        "sent_at": f"2026-11-22T09:{minute:02}:00Z",
        "answered_at": f"2026-11-22T09:{minute:02}:01Z",
        "answer": "0000",
        "accepted": "yes",
        "before": nvme_status(0, 0x0000),
        "after": nvme_status(2),
        "reported": "success",
        "setting": None,
        **changes,
    }
    return CommandFacts(**fields)


def purge_record(*commands: CommandFacts, technique: str = "", **device: Any) -> SanitizationRecord:  # noqa: ANN401 - facts of the device
    """A solid state drive, its canaries, its own command, and the whole of it read back."""
    shell = record_shell()
    listed = commands or (command(),)
    facts = device_facts(
        **{
            "kind": "nvme",
            "media": "flash",
            "transport": "pcie",
            "model": "EX-500-NVME",
            "wwn": None,
            "nguid": "0025385b71b0a3f2",
            **device,
        }
    )
    canaries = one_pass(pattern="keyed-stream", key_sha256=KEY_SHA256)
    record = dataclasses.replace(
        shell, device=facts, run=dataclasses.replace(shell.run, identity_fingerprint_after=facts.fingerprint)
    )
    steps = technique or "+".join(dict.fromkeys(one.technique for one in listed))
    record = with_part(
        record,
        "method",
        requested="purge",
        technique=steps,
        pattern_set="canaries",
        passes=(canaries,),
        commands=listed,
    )
    record = with_part(record, "policy", required_method="purge")
    return with_part(record, "verification", expected="no-canary+zeros")


def sampled_purge(*commands: CommandFacts, **device: Any) -> SanitizationRecord:  # noqa: ANN401 - facts of the device
    """The same with a representative sample, canaries on exactly that."""
    size = CAPACITY // 10 + 512
    record = purge_record(*commands, **device)
    record = with_part(record, "policy", required_verification="representative")
    passes = (dataclasses.replace(record.method.passes[0], bytes_written=size),)
    record = with_part(record, "method", passes=passes)
    sample = {"kind": "representative", "seed": NONCE, "regions": 2002, "bytes_read": size, "regions_sha256": "a" * 64}
    return with_part(record, "verification", **sample)


def crypto_erase(number: int = 1, **changes: Any) -> CommandFacts:  # noqa: ANN401 - any field
    """An NVMe cryptographic erase."""
    fields: dict[str, Any] = {
        "technique": "nvme-sanitize-crypto-erase",
        "command": "Sanitize, Crypto Erase",
        "sent": NVME_CRYPTO_ERASE,
        "after": nvme_status(4),
        **changes,
    }
    return command(number, **fields)


def nvme_format(number: int = 1, **changes: Any) -> CommandFacts:  # noqa: ANN401 - any field
    """Format NVM with user data erase: over with its answer."""
    fields: dict[str, Any] = {
        "technique": "nvme-format-user-data",
        "command": "Format NVM, user data erase",
        "opcode": "80",
        "sent": NVME_FORMAT,
        "before": "",
        "after": "",
        **changes,
    }
    return command(number, **fields)


def ata_command(opcode: int, feature: int = 0) -> str:
    """ATA PASS-THROUGH (16), without data."""
    return (bytes((0x85, 0x06, 0x20, 0, feature)) + bytes(9) + bytes((opcode, 0))).hex()


def ata_status(count: int = 0x8000, error: int = 0, status: int = 0x50) -> str:
    """Sense data with the registers of SANITIZE STATUS EXT."""
    head = bytes((0x72, 0x01, 0x00, 0x1D, 0, 0, 0, 14))
    registers = bytes((9, 12, 1, error, count >> 8, count & 0xFF, 0, 0, 0, 0, 0, 0, 0x40, status))
    return (head + registers).hex()


def identify(word_128: int = 0x21) -> str:
    """IDENTIFY DEVICE data: security supported, and enhanced erase."""
    data = bytearray(512)
    data[256:258] = word_128.to_bytes(2, "little")
    return data.hex()


def enhanced_erase(**changes: Any) -> tuple[CommandFacts, ...]:  # noqa: ANN401 - any field of the erase itself
    """The three commands of an enhanced security erase."""
    shared: dict[str, Any] = {
        "technique": "ata-security-erase-enhanced",
        "sent": ata_command(0xF1),
        "before": "",
        "after": "",
        "answer": "50" * 8,
    }
    last = {**shared, "sent": ata_command(0xF4), "after": identify(), **changes}
    return (
        command(1, command="SECURITY SET PASSWORD", opcode="f1", **shared),
        command(2, command="SECURITY ERASE PREPARE", opcode="f3", **shared),
        command(3, **{"command": "SECURITY ERASE UNIT", "opcode": "f4", **last}),
    )


def purged(record: SanitizationRecord, **changes: Any) -> SanitizationRecord:  # noqa: ANN401 - fields of the command
    """The same run, had the drive done it by itself."""
    fields: dict[str, Any] = {
        "technique": "ata-sanitize-overwrite",
        "command": "SANITIZE DEVICE / OVERWRITE EXT",
        "opcode": "b4",
        "sent": ata_command(0xB4, 0x14),
        "sent_at": record.run.started,
        "answered_at": record.run.started,
        "answer": ata_status(0x4000),
        "before": ata_status(0),
        "after": ata_status(),
        **changes,
    }
    (one,) = record.method.passes
    canaries = dataclasses.replace(one, pattern="keyed-stream", key_sha256=KEY_SHA256)
    method = dataclasses.replace(
        record.method, technique="ata-sanitize-overwrite", passes=(canaries,), commands=(command(**fields),)
    )
    verification = dataclasses.replace(record.verification, expected="no-canary+pattern:00000000")
    return dataclasses.replace(record, method=method, verification=verification)
