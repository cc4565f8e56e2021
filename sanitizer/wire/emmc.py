"""eMMC EXT_CSD register (CMD8), 512 bytes; numbers in the names' order, lowest byte first (JESD84-B51, EXT_CSD)."""

from __future__ import annotations

from dataclasses import dataclass

from sanitizer.wire.fields import Buffer, exactly

REPLY = "eMMC EXT_CSD"
LENGTH = 512
SIZE_UNIT = 128 * 1024
"""Bytes that BOOT_SIZE_MULT and RPMB_SIZE_MULT count."""
ERASE_UNIT = 512 * 1024
"""Bytes that HC_ERASE_GRP_SIZE counts."""
TIMEOUT_UNIT_MS = 300
VERSIONS = {0: "4.0", 1: "4.1", 2: "4.2", 3: "4.3", 5: "4.41", 6: "4.5/4.51", 7: "5.0/5.01", 8: "5.1"}
"""EXT_CSD_REV to the standard's version."""
REVISION_4_5 = 6
REVISION_5_0 = 7


@dataclass(frozen=True, kw_only=True)
class SecureFeatures:
    """SEC_FEATURE_SUPPORT, byte 231; since 4.4."""

    raw: int
    secure_erase: bool
    """Bit 0 (SECURE_ER_EN): secure erase and secure trim; not recommended since 5.1."""
    bad_blocks: bool
    """Bit 2 (SEC_BD_BLK_EN): automatic secure purge of retired blocks."""
    trim: bool
    """Bit 4 (SEC_GB_CL_EN): trim, and secure trim with bit 0."""
    sanitize: bool
    """Bit 6 (SEC_SANITIZE): since 4.5. It reaches unmapped space only: erase or trim every block first."""


@dataclass(frozen=True, kw_only=True)
class ExtCsd:
    """What an eMMC device says of itself."""

    raw: bytes
    """All 512 bytes, as evidence."""
    revision: int
    """Byte 192 (EXT_CSD_REV)."""
    sectors: int
    """Bytes 212 to 215 (SEC_COUNT), of 512 bytes; 0 on devices of up to 2 GiB, which count in the CSD."""
    data_sector_size: int
    """Byte 61: 0 is 512 bytes, 1 is 4 KiB."""
    secure: SecureFeatures
    boot_size_mult: int
    """Byte 226: size of each of the two boot areas in 128 KiB."""
    rpmb_size_mult: int
    """Byte 168: size of the replay-protected area in 128 KiB."""
    general_purpose_mult: tuple[int, int, int, int]
    """Bytes 143 to 154 (GP_SIZE_MULT), in write-protect groups."""
    enhanced_size_mult: int
    """Bytes 140 to 142 (ENH_SIZE_MULT)."""
    partition_setting_completed: int
    """Byte 155."""
    partitions_attribute: int
    """Byte 156."""
    partitioning_support: int
    """Byte 160."""
    partition_config: int
    """Byte 179: bits 2:0 the area now reached, bits 5:3 the boot area enabled."""
    erase_group_def: int
    """Byte 175: 1 = high-capacity erase groups are in use; forgotten at power-off."""
    erase_group_mult: int
    """Byte 224 (HC_ERASE_GRP_SIZE), in 512 KiB."""
    write_protect_mult: int
    """Byte 221 (HC_WP_GRP_SIZE), in erase groups."""
    erase_timeout_mult: int
    """Byte 223, in 300 ms for each erase group."""
    trim_mult: int
    """Byte 232, in 300 ms for each erase group."""
    secure_trim_mult: int
    """Byte 229."""
    secure_erase_mult: int
    """Byte 230."""
    erased_content: int
    """Byte 181 (ERASED_MEM_CONT): erased memory reads as 0 bits or as 1 bits."""
    user_write_protect: int
    """Byte 171 (USER_WP)."""
    boot_write_protect: int
    """Byte 173 (BOOT_WP)."""
    boot_write_protect_status: int
    """Byte 174 (BOOT_WP_STATUS)."""
    secure_removal_type: int
    """Byte 16: bits 3:0 supported, bits 5:4 configured (0 erase, 1 overwrite with character, 2 and its complement and
    random, 3 the vendor's own)."""
    pre_end_of_life: int
    """Byte 267: 1 normal, 2 warning, 3 urgent; 0 not defined; since 5.0."""
    life_time_a: int
    """Byte 268: 1 to 10 are tenths used, 11 exceeded; 0 not defined; since 5.0."""
    life_time_b: int
    """Byte 269, likewise."""
    firmware: bytes
    """Bytes 254 to 261; since 5.0."""
    cache_kibit: int
    """Bytes 249 to 252 (CACHE_SIZE), in units of 1 Kib = 128 bytes."""
    device_type: int
    """Byte 196 (bus speeds)."""
    command_queue: int
    """Byte 308 (CMDQ_SUPPORT)."""
    background_operations: int
    """Byte 502 (BKOPS_SUPPORT)."""
    high_priority_interrupt: int
    """Byte 503 (HPI_FEATURES)."""

    @property
    def version(self) -> str | None:
        """Version of the standard; None for a revision we do not know."""
        return VERSIONS.get(self.revision)

    @property
    def user_bytes(self) -> int | None:
        """Size of the user area; None where only the CSD says it."""
        return self.sectors * 512 or None

    @property
    def boot_bytes(self) -> int:
        """Size of each of the two boot areas."""
        return self.boot_size_mult * SIZE_UNIT

    @property
    def rpmb_bytes(self) -> int:
        """Size of the replay-protected area."""
        return self.rpmb_size_mult * SIZE_UNIT

    @property
    def erase_group_bytes(self) -> int:
        """Size of a high-capacity erase group."""
        return self.erase_group_mult * ERASE_UNIT

    @property
    def write_protect_group_bytes(self) -> int:
        """Size of a high-capacity write-protect group."""
        return self.write_protect_mult * self.erase_group_bytes

    @property
    def general_purpose_bytes(self) -> tuple[int, ...]:
        """Size of each of the four general purpose areas."""
        return tuple(mult * self.write_protect_group_bytes for mult in self.general_purpose_mult)

    @property
    def sanitize_supported(self) -> bool | None:
        """Bit 6 of byte 231; unknown where the revision is older than the bit and the bit is set nevertheless."""
        if self.secure.sanitize:
            return True if self.revision >= REVISION_4_5 else None
        return False


def decode_ext_csd(data: Buffer) -> ExtCsd:
    """Read EXT_CSD.

    Args:
        data: Exactly 512 bytes.

    Raises:
        MalformedReply: other than 512 bytes.
    """
    raw = exactly(REPLY, data, LENGTH)

    def number(start: int, size: int) -> int:
        return int.from_bytes(raw[start : start + size], "little")

    secure = raw[231]
    return ExtCsd(
        raw=raw,
        revision=raw[192],
        sectors=number(212, 4),
        data_sector_size=raw[61],
        secure=SecureFeatures(
            raw=secure,
            secure_erase=bool(secure & 0x01),
            bad_blocks=bool(secure & 0x04),
            trim=bool(secure & 0x10),
            sanitize=bool(secure & 0x40),
        ),
        boot_size_mult=raw[226],
        rpmb_size_mult=raw[168],
        general_purpose_mult=(number(143, 3), number(146, 3), number(149, 3), number(152, 3)),
        enhanced_size_mult=number(140, 3),
        partition_setting_completed=raw[155],
        partitions_attribute=raw[156],
        partitioning_support=raw[160],
        partition_config=raw[179],
        erase_group_def=raw[175],
        erase_group_mult=raw[224],
        write_protect_mult=raw[221],
        erase_timeout_mult=raw[223],
        trim_mult=raw[232],
        secure_trim_mult=raw[229],
        secure_erase_mult=raw[230],
        erased_content=raw[181],
        user_write_protect=raw[171],
        boot_write_protect=raw[173],
        boot_write_protect_status=raw[174],
        secure_removal_type=raw[16],
        pre_end_of_life=raw[267],
        life_time_a=raw[268],
        life_time_b=raw[269],
        firmware=raw[254:262],
        cache_kibit=number(249, 4),
        device_type=raw[196],
        command_queue=raw[308],
        background_operations=raw[502],
        high_priority_interrupt=raw[503],
    )
