"""What an NVMe controller can do and what its subsystem holds, out of raw replies. Pure."""

from __future__ import annotations

from sanitizer import probing
from sanitizer.capability import NvmeCapabilities, NvmeNamespaceFacts, Tri
from sanitizer.probing import Answers
from sanitizer.wire.capacity import decode_namespace_list
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.nvme_controller import IdentifyController, decode_identify_controller
from sanitizer.wire.nvme_namespace import IdentifyNamespace, decode_identify_namespace
from sanitizer.wire.nvme_sanitize import decode_sanitize_log


def nvme_capabilities(answers: Answers) -> NvmeCapabilities | None:
    """None where the controller did not identify itself: nothing else can be read without it."""
    try:
        controller = decode_identify_controller(answers.data(probing.CONTROLLER) or b"")
    except MalformedReply:
        return None
    own = _namespace(answers, probing.NAMESPACE)
    sanitize, format_ = controller.sanitize, controller.format
    has_format = controller.admin.format_nvm
    return NvmeCapabilities(
        controller=controller.raw,
        namespace=own.raw if own is not None else b"",
        namespace_id=answers.namespace_id,
        crypto_erase=Tri.of(sanitize.crypto_erase),
        block_erase=Tri.of(sanitize.block_erase),
        overwrite=Tri.of(sanitize.overwrite),
        verification=Tri.of(sanitize.verification),
        no_deallocate_inhibited=Tri.of(sanitize.no_deallocate_inhibited),
        format=Tri.of(has_format),
        format_all_namespaces=Tri.of(format_.format_all_namespaces),
        erase_all_namespaces=Tri.of(format_.erase_all_namespaces),
        format_crypto=Tri.of(has_format and format_.crypto_erase),
        format_index=own.format_index if own is not None and own.block_format is not None else None,
        namespaces=_namespaces(answers, controller),
        unallocated_bytes=_unallocated(controller),
        multi_controller=Tri.of(controller.multi_controller),
        estimates=_estimates(answers),
    )


def _namespace(answers: Answers, key: str) -> IdentifyNamespace | None:
    try:
        found = decode_identify_namespace(answers.data(key) or b"")
    except MalformedReply:
        return None
    return found if found.exists else None


def _unallocated(controller: IdentifyController) -> int | None:
    """UNVMCAP. A controller without namespace management cannot leave any capacity unallocated."""
    if controller.unallocated_bytes is None and not controller.admin.namespace_management:
        return 0
    return controller.unallocated_bytes


def _namespaces(answers: Answers, controller: IdentifyController) -> tuple[NvmeNamespaceFacts, ...] | None:
    """All allocated namespaces (CNS 10h); without namespace management the active ones (CNS 02h) are all there are."""
    try:
        listed = decode_namespace_list(answers.data(probing.NAMESPACES) or b"")
    except MalformedReply:
        return None
    if listed.full or len(listed.identifiers) > probing.MOST_NAMESPACES:
        return None
    managed = controller.admin.namespace_management
    return tuple(_facts(answers, nsid, attached=None if managed else True) for nsid in listed.identifiers)


def _facts(answers: Answers, nsid: int, *, attached: bool | None) -> NvmeNamespaceFacts:
    told = _namespace(answers, probing.namespace_key(nsid))
    if nsid == answers.namespace_id:
        attached = True
    return NvmeNamespaceFacts(
        nsid=nsid,
        attached=Tri.of(attached),
        shared=Tri.of(told.shared if told is not None else None),
        capacity_bytes=told.size_bytes if told is not None else None,
        write_protected=Tri.of(told.write_protected if told is not None else None),
    )


def _estimates(answers: Answers) -> tuple[tuple[str, int], ...]:
    """Seconds by action, out of the sanitize log that the standing was read from."""
    if answers.standing is None:
        return ()
    try:
        told = decode_sanitize_log(answers.standing.raw).estimates
    except MalformedReply:
        return ()
    named = {
        "overwrite": told.overwrite,
        "block": told.block_erase,
        "crypto": told.crypto_erase,
        "overwrite-no-deallocate": told.overwrite_no_deallocate,
        "block-no-deallocate": told.block_erase_no_deallocate,
        "crypto-no-deallocate": told.crypto_erase_no_deallocate,
    }
    return tuple((name, seconds) for name, seconds in named.items() if seconds is not None)
