"""Identify Controller and Identify Namespace in keys and in words."""

from __future__ import annotations

from enum import StrEnum

from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.explain.model import Explanation, Group, Keys, named, or_nothing, or_unknown, size, yes_no
from sanitizer.wire.fields import Buffer, counted, exactly
from sanitizer.wire.nvme_controller import LENGTH, IdentifyController, decode_identify_controller
from sanitizer.wire.nvme_namespace import IdentifyNamespace, decode_identify_namespace

_AFTERWARDS = {0: "not defined", 1: "left as they are", 2: "modified once more", 3: "reserved value 3"}
_DEALLOCATED = {0: "not reported", 1: "zeros", 2: "FFh bytes"}
_TEXT = frozenset({0, *range(0x20, 0x7F)})


class NvmeForm(StrEnum):
    """Which of the two replies of 4,096 bytes it is."""

    AUTO = "auto"
    CONTROLLER = "controller"
    NAMESPACE = "namespace"


def controller_keys(controller: IdentifyController) -> Keys:
    """The adopted keys."""
    admin, sanitize, form = controller.admin, controller.sanitize, controller.format
    return {
        "vid": f"0x{controller.vendor_id:04x}",
        "ssvid": f"0x{controller.subsystem_vendor_id:04x}",
        "serial": controller.serial,
        "serial_raw20": controller.serial_padded,
        "model": controller.model,
        "firmware": controller.firmware,
        "ieee_oui": controller.ieee_oui,
        "cntlid": controller.controller_id,
        "version_raw": hex(controller.version),
        "version": controller.version_name,
        "oacs": {
            "raw": hex(admin.raw),
            "security_send_receive": admin.security,
            "format_nvm": admin.format_nvm,
            "firmware": admin.firmware,
            "ns_management": admin.namespace_management,
            "self_test": admin.self_test,
            "directives": admin.directives,
            "nvme_mi": admin.nvme_mi,
            "virtualization": admin.virtualization,
        },
        "sanicap": {
            "raw": hex(sanitize.raw),
            "crypto_erase": sanitize.crypto_erase,
            "block_erase": sanitize.block_erase,
            "overwrite": sanitize.overwrite,
            "no_deallocate_inhibited": sanitize.no_deallocate_inhibited,
            "no_deallocate_modifies_media": sanitize.no_deallocate_modifies,
            "any_sanitize": sanitize.any,
        },
        "fna": {
            "raw": hex(form.raw),
            "format_applies_to_all_namespaces": form.format_all_namespaces,
            "secure_erase_applies_to_all_namespaces": form.erase_all_namespaces,
            "crypto_erase_in_format": form.crypto_erase,
            "broadcast_nsid_not_supported": form.no_broadcast,
        },
        "nn": controller.namespaces,
        "tnvmcap_bytes": controller.total_bytes or 0,
        "unvmcap_bytes": controller.unallocated_raw,
        "capacity_bytes_from_controller": controller.total_bytes,
        "cmic_multi_port": controller.multi_port,
        "cmic_multi_controller": controller.multi_controller,
        "volatile_write_cache": controller.volatile_write_cache,
        "hmpre_4k_units": controller.host_memory_preferred,
        "rpmb_units": controller.rpmb_units,
        "subnqn": controller.qualified_name or "",
    }


def _controller_groups(controller: IdentifyController) -> tuple[Group, ...]:
    sanitize, form = controller.sanitize, controller.format
    return (
        Group(
            "Identity",
            (
                ("Model", or_nothing(controller.model)),
                ("Serial number", or_nothing(controller.serial)),
                ("Firmware", or_nothing(controller.firmware)),
                ("Maker (PCI, IEEE)", f"{controller.vendor_id:04x}h, {controller.ieee_oui}"),
                ("Controller", str(controller.controller_id)),
                ("NVMe version", controller.version_name or "not reported: older than 1.2"),
                ("Subsystem name", or_nothing(controller.qualified_name)),
            ),
        ),
        Group(
            "Capacity and sharing",
            (
                ("Size of the subsystem", size(controller.total_bytes) if controller.total_bytes else "not reported"),
                ("Of that in no namespace", size(controller.unallocated_bytes)),
                ("Highest namespace number", str(controller.namespaces)),
                ("Namespace management", yes_no(controller.admin.namespace_management)),
                ("More than one port", yes_no(controller.multi_port)),
                ("More than one controller", yes_no(controller.multi_controller)),
                ("Volatile write cache", yes_no(controller.volatile_write_cache)),
                ("Replay-protected blocks (RPMB)", str(controller.rpmb_units) if controller.rpmb_units else "none"),
            ),
        ),
        Group(
            "Sanitize",
            (
                ("Cryptographic erase", yes_no(sanitize.crypto_erase)),
                ("Block erase", yes_no(sanitize.block_erase)),
                ("Overwrite", yes_no(sanitize.overwrite)),
                ("Media verification afterwards", yes_no(sanitize.verification)),
                ("Always deallocates", yes_no(sanitize.no_deallocate_inhibited)),
                ("Media, if not deallocated, are", named(sanitize.no_deallocate_modifies, _AFTERWARDS)),
            ),
        ),
        Group(
            "Format and security",
            (
                ("Format", yes_no(controller.admin.format_nvm)),
                ("Format with cryptographic erase", yes_no(form.crypto_erase)),
                ("Format takes every namespace", yes_no(form.format_all_namespaces)),
                ("Its secure erase takes every namespace", yes_no(form.erase_all_namespaces)),
                ("Security Send and Receive (Opal)", yes_no(controller.admin.security)),
            ),
        ),
    )


def _explain_controller(raw: bytes) -> Explanation:
    controller = decode_identify_controller(raw)
    attention = {
        "The reply holds no serial number: this controller cannot be told from another.": controller.serial is None,
        "Capacity lies in no namespace and may hold what deleted namespaces held: only Sanitize reaches it.": bool(
            controller.unallocated_bytes
        ),
        "Other controllers, perhaps of another host, may share the medium.": controller.multi_controller,
        "Sanitize does not touch replay-protected blocks and boot partitions.": controller.rpmb_units > 0,
    }
    return Explanation(
        title="NVMe Identify Controller",
        groups=_controller_groups(controller),
        attention=tuple(sentence for sentence, holds in attention.items() if holds),
        keys=controller_keys(controller),
    )


def namespace_keys(namespace: IdentifyNamespace) -> Keys:
    """Keys in the manner of the adopted ones; no independent reading came with our recordings."""
    used = namespace.block_format
    return {
        "nsze_blocks": namespace.size_blocks,
        "ncap_blocks": namespace.capacity_blocks,
        "nuse_blocks": namespace.used_blocks,
        "capacity_bytes": namespace.size_bytes,
        "nvmcap_bytes": namespace.capacity_bytes or 0,
        "logical_block_bytes": None if used is None else used.block_bytes,
        "metadata_bytes": None if used is None else used.metadata_bytes,
        "flbas_index": namespace.format_index,
        "nlbaf": namespace.format_count,
        "formats": [
            {
                "index": each.index,
                "block_bytes": each.block_bytes,
                "metadata_bytes": each.metadata_bytes,
                "relative_performance": each.relative_performance,
            }
            for each in namespace.formats
        ],
        "nsfeat_thin": namespace.thin,
        "nmic_shared": namespace.shared,
        "fpi_percent_left": namespace.format_percent_left,
        "dlfeat_reads": namespace.deallocated_reads,
        "nsattr_write_protected": namespace.write_protected,
        "nguid": namespace.nguid,
        "eui64": namespace.eui64,
        "exists": namespace.exists,
    }


def _explain_namespace(raw: bytes) -> Explanation:
    namespace = decode_identify_namespace(raw)
    used = namespace.block_format
    blocks = "unknown"
    if used is not None and used.block_bytes is not None:
        blocks = f"{used.block_bytes} bytes and {used.metadata_bytes} of metadata (format {used.index})"
    left = namespace.format_percent_left
    attention = {
        "The reply is all zero: there is no such namespace.": not namespace.exists,
        "The namespace is write-protected: Sanitize and Format are refused.": namespace.write_protected,
        "Other controllers may reach this namespace at the same time.": namespace.shared,
        "A format is running.": bool(left),
    }
    groups = (
        Group("Names", (("EUI-64", or_nothing(namespace.eui64)), ("NGUID", or_nothing(namespace.nguid)))),
        Group(
            "Capacity",
            (
                ("Size", size(namespace.size_bytes)),
                ("Blocks", f"{namespace.size_blocks}, of these allocated {namespace.used_blocks}"),
                ("Block", blocks),
                ("Thinly provisioned", yes_no(namespace.thin)),
            ),
        ),
        Group(
            "State",
            (
                ("Write-protected", yes_no(namespace.write_protected)),
                ("Shared with other controllers", yes_no(namespace.shared)),
                ("Deallocated blocks read as", named(namespace.deallocated_reads, _DEALLOCATED)),
                ("Of a running format is left", "not reported" if left is None else f"{or_unknown(left)} %"),
            ),
        ),
    )
    return Explanation(
        title="NVMe Identify Namespace",
        groups=groups,
        attention=tuple(sentence for sentence, holds in attention.items() if holds),
        keys=namespace_keys(namespace),
    )


def _like_controller(raw: bytes) -> bool:
    names = raw[4:72]
    return set(names) <= _TEXT and bool(names.strip(b" \0"))


def _like_namespace(raw: bytes) -> bool:
    namespace = decode_identify_namespace(raw)
    used = namespace.block_format
    sizes = namespace.used_blocks <= namespace.capacity_blocks <= namespace.size_blocks
    return sizes and namespace.size_blocks > 0 and used is not None and used.block_bytes is not None


def explain_nvme(data: Buffer, form: NvmeForm = NvmeForm.AUTO) -> Explanation:
    """Explain the 4,096 bytes of Identify Controller or Identify Namespace.

    Raises:
        MalformedReply: other than 4,096 bytes; or, with `AUTO`, the bytes look like neither or like both.
    """
    raw = exactly("NVMe Identify", data, LENGTH)
    if form is NvmeForm.AUTO:
        likely = {NvmeForm.CONTROLLER: _like_controller(raw), NvmeForm.NAMESPACE: _like_namespace(raw)}
        found = [name for name, likes in likely.items() if likes]
        if len(found) != 1:
            got = f"{counted(len(raw))} that could be both" if found else f"{counted(len(raw))} that look like neither"
            raise MalformedReply(
                reply="NVMe Identify",
                expected="Identify Controller or Identify Namespace; name it with --form controller or --form namespace",
                got=got,
            )
        form = found[0]
    return _explain_controller(raw) if form is NvmeForm.CONTROLLER else _explain_namespace(raw)
