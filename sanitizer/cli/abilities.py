"""What a drive said of itself, for people: what it can do, how it stands, what it hides; what it did not say is said so."""

from __future__ import annotations

from collections.abc import Iterator

from sanitizer.capability import (
    AtaCapabilities,
    Capabilities,
    MmcCapabilities,
    NvmeCapabilities,
    OpalCapabilities,
    SanitizePhase,
    SanitizeStanding,
    ScsiCapabilities,
    Tri,
)
from sanitizer.container import Container
from sanitizer.quirks import QUIRKS

from .output import size

Line = tuple[str, str]

_PATHS = {
    "direct": "direct",
    "usb-bridge": "through a USB bridge: it may drop commands, and no password is given to the drive",
    "raid": "through a RAID controller: its commands do not reach the physical drive",
    "virtual": "a virtual disk: what lies beneath is out of reach",
    "unknown": "unknown: nothing is entrusted to it that needs a direct path",
}
_PHASES = {
    SanitizePhase.NEVER: "never sanitized since it was made",
    SanitizePhase.SUCCEEDED: "the last sanitize succeeded, whenever that was",
    SanitizePhase.IN_PROGRESS: "a sanitize is in progress",
    SanitizePhase.FAILED_RESTRICTED: "the last sanitize failed; only a new one is accepted",
    SanitizePhase.FAILED_UNRESTRICTED: "the last sanitize failed; it could be left without one, and data would come back",
    SanitizePhase.FAILED: "the last sanitize failed",
    SanitizePhase.FROZEN: "sanitize is frozen until the drive is powered off and on",
    SanitizePhase.IDLE: "no sanitize is running",
    SanitizePhase.UNKNOWN: "unknown",
}
_HIDERS = {
    "hpa": "host protected area",
    "dco": "device configuration overlay",
    "amax": "accessible maximum address",
    "block-descriptor": "block descriptor",
    "unallocated": "capacity in no namespace",
}


def tell(capabilities: Capabilities) -> Iterator[Line]:
    """Name and value of each line."""
    yield "reached", _PATHS.get(capabilities.path, capabilities.path)
    if capabilities.ata is not None:
        yield from _ata(capabilities.ata)
    elif capabilities.scsi is not None:
        yield from _scsi(capabilities.scsi)
    if capabilities.nvme is not None:
        yield from _nvme(capabilities.nvme)
    if capabilities.mmc is not None:
        yield from _mmc(capabilities.mmc)
    if capabilities.standing is not None:
        yield "sanitize status", _standing(capabilities.standing)
    if capabilities.opal is not None:
        yield from _opal(capabilities.opal)
    if capabilities.container is not None:
        yield "container", _container(capabilities.container)
    yield "hidden blocks", _hidden(capabilities)
    for name in capabilities.quirks:
        known = next((quirk for quirk in QUIRKS if quirk.name == name), None)
        yield "known trait", f"{known.sentence} ({known.source})" if known else name


def _container(container: Container) -> str:
    if container.faults:
        return f"LUKS{container.version}; no cryptographic erase: {'; '.join(container.faults)}"
    slots = "1 key slot" if container.keyslots == 1 else f"{container.keyslots} key slots"
    return f"LUKS{container.version}, {container.cipher_name}, {slots} in the first {size(container.key_area_bytes)}"


def _listed(abilities: dict[str, Tri]) -> str:
    """What it can do, and after that what it may be able to do."""
    yes = [name for name, value in abilities.items() if value is Tri.YES]
    unknown = [name for name, value in abilities.items() if value is Tri.UNKNOWN]
    parts = [", ".join(yes)] if yes else []
    parts += [f"unknown: {', '.join(unknown)}"] if unknown else []
    return "; ".join(parts) or "none"


def _ata(ata: AtaCapabilities) -> Iterator[Line]:
    yield (
        "can sanitize by",
        _listed({"crypto scramble": ata.crypto_scramble, "block erase": ata.block_erase, "overwrite": ata.overwrite}),
    )
    erase = {"security erase": ata.security, "enhanced security erase": ata.enhanced_erase}
    minutes = [f"{value} min {name}" for name, value in _minutes(ata) if value is not None]
    yield "can erase by", _listed(erase) + (f" (its own estimate: {', '.join(minutes)})" if minutes else "")
    if ata.security is not Tri.NO:
        yield "ATA password", _password(ata)


def _minutes(ata: AtaCapabilities) -> tuple[tuple[str, int | None], ...]:
    return ("normal", ata.erase_minutes), ("enhanced", ata.enhanced_erase_minutes)


def _password(ata: AtaCapabilities) -> str:
    told = {
        "set": ata.security_enabled,
        "LOCKED": ata.security_locked,
        "frozen until powered off and on": ata.security_frozen,
        "attempts used up until powered off and on": ata.attempts_exhausted,
    }
    found = _listed(told)
    return "not set, not locked, not frozen" if found == "none" else found


def _scsi(scsi: ScsiCapabilities) -> Iterator[Line]:
    sanitize = {
        "overwrite": scsi.sanitize_overwrite,
        "block erase": scsi.sanitize_block,
        "cryptographic erase": scsi.sanitize_crypto,
    }
    yield "can sanitize by", _listed(sanitize)
    yield "can erase by", _listed({"FORMAT UNIT": scsi.format_unit})
    if scsi.protection_bytes:
        yield "block size", f"{scsi.block_bytes} bytes, which the kernel does not serve"


def _nvme(nvme: NvmeCapabilities) -> Iterator[Line]:
    sanitize = {"crypto erase": nvme.crypto_erase, "block erase": nvme.block_erase, "overwrite": nvme.overwrite}
    yield "can sanitize by", _listed(sanitize)
    yield "can erase by", _listed({"format (user data)": nvme.format, "format (crypto)": nvme.format_crypto})
    if Tri.YES in {nvme.format_all_namespaces, nvme.erase_all_namespaces}:
        yield "format reaches", "every namespace of the drive"
    yield "namespaces", _namespaces(nvme)
    if nvme.multi_controller is not Tri.NO:
        said = "several" if nvme.multi_controller is Tri.YES else "unknown how many"
        yield "controllers", f"{said}: other hosts may use the same drive"
    if nvme.estimates:
        yield "its estimates", ", ".join(f"{name} {seconds} s" for name, seconds in nvme.estimates)


def _namespaces(nvme: NvmeCapabilities) -> str:
    if nvme.namespaces is None:
        return "unknown: a sanitize destroys them all"
    shown = []
    for each in nvme.namespaces:
        marks = [size(each.capacity_bytes)]
        marks += ["this one"] if each.nsid == nvme.namespace_id else []
        marks += ["shared"] if each.shared is Tri.YES else []
        marks += ["write-protected"] if each.write_protected is Tri.YES else []
        marks += ["not attached here"] if each.attached is Tri.NO else []
        shown.append(f"{each.nsid} ({', '.join(marks)})")
    return ", ".join(shown) or "none"


def _mmc(mmc: MmcCapabilities) -> Iterator[Line]:
    yield "can sanitize by", _listed({"sanitize (after erasing all of it)": mmc.sanitize})
    yield "can erase by", _listed({"secure erase": mmc.secure_erase, "secure trim": mmc.secure_trim})
    yield "other areas", ", ".join(f"{name} {size(count)}" for name, count in mmc.areas) or "none"


def _standing(standing: SanitizeStanding) -> str:
    words = _PHASES[standing.phase]
    if standing.phase is SanitizePhase.IN_PROGRESS and standing.progress is not None:
        words += f", {standing.progress * 100 // 65536} % done"
    if standing.unsanitized_remainder:
        words += "; physical sectors were left unsanitized"
    return words


def _opal(opal: OpalCapabilities) -> Iterator[Line]:
    state = {
        "activated": opal.locking_enabled,
        "LOCKED": opal.locked,
        "SHADOWED (what is read is not the medium)": opal.shadowed,
        "data removal running": opal.removal_running,
        "data removal cut off": opal.removal_interrupted,
    }
    found = _listed(state)
    if set(state.values()) == {Tri.UNKNOWN}:
        yield "TCG locking", "unknown: the drive may have it and does not tell; then what is read may not be the medium"
    else:
        yield "TCG locking", f"{opal.ssc or 'kind unknown'}: " + ("not activated" if found == "none" else found)
    if opal.removal_mechanisms:
        yield "TCG removes by", ", ".join(opal.removal_mechanisms)


def _hidden(capabilities: Capabilities) -> str:
    hidden = capabilities.hidden
    by = ", ".join(_HIDERS.get(name, name) for name in hidden.by)
    if hidden.present is Tri.NO:
        return "none"
    if hidden.present is Tri.UNKNOWN:
        return "unknown" + (f": the drive does not tell of its {by}" if by else "")
    native = f"; the drive has {size(hidden.native_bytes)}" if hidden.native_bytes is not None else ""
    return f"yes, by {by}{native}"
