"""EXT_CSD in keys and in words."""

from __future__ import annotations

from sanitizer.wire.emmc import REVISION_5_0, TIMEOUT_UNIT_MS, ExtCsd, decode_ext_csd
from sanitizer.wire.explain.model import Explanation, Group, Keys, named, octet, or_unknown, size, yes_no
from sanitizer.wire.fields import Buffer

_LIFE = {
    0: "not defined",
    11: "estimated life exceeded",
    **{n: f"{10 * n - 10} to {10 * n} % used" for n in range(1, 11)},
}
_END_OF_LIFE = {0: "not defined", 1: "normal", 2: "warning: 80 % of reserved blocks used", 3: "urgent"}
_REMOVAL = {0: "erase", 1: "overwrite with a character", 2: "overwrite, complement, random", 3: "the vendor's own way"}
_CONTENT = {0: "0 bits", 1: "1 bits"}


def keys(device: ExtCsd) -> Keys:
    """The adopted keys. Bytes newer than the device's revision are shown as they stand, which is 0."""
    return {
        "ext_csd_rev": device.revision,
        "emmc_version": device.version,
        "sec_count": device.sectors,
        "user_capacity_bytes": device.user_bytes,
        "data_sector_size_61": device.data_sector_size,
        "sec_feature_support": {
            "raw": octet(device.secure.raw),
            "secure_erase_SECURE_ER_EN_bit0": device.secure.secure_erase,
            "bad_block_SEC_BD_BLK_EN_bit2": device.secure.bad_blocks,
            "trim_SEC_GB_CL_EN_bit4": device.secure.trim,
            "sanitize_SEC_SANITIZE_bit6": device.secure.sanitize,
        },
        "boot_partition_bytes_each": device.boot_bytes,
        "rpmb_bytes": device.rpmb_bytes,
        "gp_size_mult_raw": list(device.general_purpose_mult),
        "gp_partition_bytes": list(device.general_purpose_bytes),
        "enh_size_mult": device.enhanced_size_mult,
        "partition_setting_completed": device.partition_setting_completed,
        "partitions_attribute": device.partitions_attribute,
        "partitioning_support": device.partitioning_support,
        "partition_config_179": octet(device.partition_config),
        "erase_group_def_175": device.erase_group_def,
        "hc_erase_grp_bytes": device.erase_group_bytes,
        "hc_wp_grp_bytes": device.write_protect_group_bytes,
        "erase_timeout_mult_223": device.erase_timeout_mult,
        "trim_mult_232": device.trim_mult,
        "sec_trim_mult_229": device.secure_trim_mult,
        "sec_erase_mult_230": device.secure_erase_mult,
        "trim_timeout_ms": device.trim_mult * TIMEOUT_UNIT_MS,
        "erase_timeout_ms_per_group": device.erase_timeout_mult * TIMEOUT_UNIT_MS,
        "erased_mem_cont_181": device.erased_content,
        "user_wp_171": octet(device.user_write_protect),
        "boot_wp_173": octet(device.boot_write_protect),
        "boot_wp_status_174": octet(device.boot_write_protect_status),
        "secure_removal_type_16": octet(device.secure_removal_type),
        "pre_eol_info_267": device.pre_end_of_life,
        "life_time_est_a_268": device.life_time_a,
        "life_time_est_b_269": device.life_time_b,
        "fw_version_254_hex": device.firmware.hex(),
        "cache_size_kbit_249": device.cache_kibit,
        "device_type_196": octet(device.device_type),
        "cmdq_support_308": device.command_queue,
        "bkops_support_502": device.background_operations,
        "hpi_503": device.high_priority_interrupt,
        "rpmb_present": device.rpmb_bytes > 0,
    }


def _areas(device: ExtCsd) -> Group:
    general = [
        (f"General purpose {at}", size(count)) for at, count in enumerate(device.general_purpose_bytes, 1) if count
    ]
    return Group(
        "Areas (each is erased on its own)",
        (
            ("User area", size(device.user_bytes)),
            ("Boot areas", f"two of {size(device.boot_bytes)}" if device.boot_bytes else "none"),
            ("Replay-protected area (RPMB)", size(device.rpmb_bytes) if device.rpmb_bytes else "none"),
            *(general or [("General purpose areas", "none")]),
            ("Partitioning completed", yes_no(bool(device.partition_setting_completed & 1))),
        ),
    )


def _erasing(device: ExtCsd) -> Group:
    removal = device.secure_removal_type
    group = f"{size(device.erase_group_bytes)}, at most {device.erase_timeout_mult * TIMEOUT_UNIT_MS} ms each"
    return Group(
        "Erasing",
        (
            ("Sanitize", yes_no(device.sanitize_supported)),
            ("Trim", yes_no(device.secure.trim)),
            ("Secure erase and secure trim", yes_no(device.secure.secure_erase)),
            ("Purge of retired blocks", yes_no(device.secure.bad_blocks)),
            ("Erase group", group if device.erase_group_bytes else "not reported"),
            ("Erased memory reads as", named(device.erased_content, _CONTENT)),
            ("Removal of erased data is by", named(removal >> 4 & 3, _REMOVAL) if removal & 0xF else "not reported"),
        ),
    )


def _state(device: ExtCsd) -> Group:
    since = device.revision >= REVISION_5_0
    return Group(
        "State",
        (
            ("End of life", named(device.pre_end_of_life, _END_OF_LIFE) if since else "not reported before 5.0"),
            ("Wear, type A", named(device.life_time_a, _LIFE) if since else "not reported before 5.0"),
            ("Wear, type B", named(device.life_time_b, _LIFE) if since else "not reported before 5.0"),
            ("Write protection of the user area", octet(device.user_write_protect)),
            ("Write protection of the boot areas", octet(device.boot_write_protect)),
        ),
    )


def explain_emmc(data: Buffer) -> Explanation:
    """Explain the 512 bytes of EXT_CSD. Raises `MalformedReply` as the decoder does."""
    device = decode_ext_csd(data)
    attention = {
        "Sanitize reaches unmapped space only: erase or trim every area first.": device.secure.sanitize,
        "The revision of EXT_CSD is none we know: treat every field as unknown.": device.version is None,
        "This device counts its sectors in the CSD register: its size is unknown here.": device.user_bytes is None,
        "The boot areas are not part of the user area: sanitizing that alone leaves them.": device.boot_bytes > 0,
        "The replay-protected area cannot be erased by anyone without its key.": device.rpmb_bytes > 0,
    }
    identity = Group(
        "Device",
        (
            ("Standard", f"eMMC {or_unknown(device.version)} (revision {device.revision})"),
            ("Firmware", device.firmware.hex()),
            ("Sector size", named(device.data_sector_size, {0: "512 bytes", 1: "4096 bytes"})),
            ("Cache", size(device.cache_kibit * 128) if device.cache_kibit else "none"),
        ),
    )
    return Explanation(
        title="eMMC EXT_CSD",
        groups=(identity, _areas(device), _erasing(device), _state(device)),
        attention=tuple(sentence for sentence, holds in attention.items() if holds),
        keys=keys(device),
    )
