"""What an order form offers for one device: its techniques with the level each would reach, and why not the others."""

from __future__ import annotations

from typing import Final

from inventory.console.forms import Option
from inventory.console.language.speaking import duration, finished, words
from inventory.domain.techniques import ANSWERS, AUTO, KEYS_FIRST, OWN_OVERWRITES, SCOPES
from inventory.services.views import DeviceDetail, TechniqueView
from reports.drive_words import technique_words
from reports.findings.techniques import HOST, KEYS

_NVME: Final = ("other-namespaces", "other-controllers", "unallocated")
_MMC: Final = ("boot-areas",)


def techniques_of(device: DeviceDetail) -> tuple[Option, ...]:
    """Overwriting, the best there is, and each of the drive's own techniques; those it cannot do are shown with the reason."""
    usable = [one for one in device.drive.techniques if one.usable] if device.drive else []
    best = words("The agent takes the one that reaches the method when it runs, and refuses where there is none.")
    if usable:
        best += f" {words('{count} of its own can be used now.', count=len(usable))}"
    found = [
        Option(
            HOST,
            f"{words(technique_words(HOST))}: {words('clear')}",
            "Every block the host can address is written. Works on any drive.",
        ),
        Option(AUTO, "The best technique the drive has", best),
    ]
    found += [_option(one) for one in (device.drive.techniques if device.drive else ())]
    return tuple(found)


def _option(one: TechniqueView) -> Option:
    if not one.usable:
        return Option(
            one.name,
            words("{technique}: not possible", technique=words(one.label)),
            " ".join(finished(why) for why in one.reasons),
            disabled=True,
        )
    about = f"About {duration(one.estimate_seconds)}, the drive says." if one.estimate_seconds else ""
    told = " ".join(words(part) for part in (one.does, about) if part)
    return Option(one.name, f"{words(one.label)}: {words(one.method)}", told)


def asked_words(device: DeviceDetail) -> str:
    """Whether anybody knows what the drive can do itself."""
    if device.drive is not None:
        return "Levels are those of the policy in force, on this kind of medium; the agent asks the drive again right before."
    return "The agent has not reported what this drive can do itself, so only these can be chosen here."


def scopes_of(device: DeviceDetail) -> tuple[Option, ...]:
    """What a command of this kind of drive can destroy beside the device."""
    kind = device.observed.kind if device.observed else None
    return tuple(Option(word, SCOPES[word]) for word in {"nvme": _NVME, "mmc": _MMC}.get(kind or "", ()))


def firsts_of(device: DeviceDetail) -> tuple[Option, ...]:
    """What may come before one of the drive's own techniques; nothing where it has none."""
    names = _usable(device)
    if not names:
        return ()
    keys = [one for one in KEYS_FIRST if one in names and not names.isdisjoint(KEYS_FIRST[one])]
    return (
        Option("", "Nothing"),
        Option(HOST, "Overwriting by the host"),
        *(Option(one, technique_words(one)) for one in keys),
    )


def takes_pattern(device: DeviceDetail) -> bool:
    """Whether the drive overwrites by itself."""
    return not _usable(device).isdisjoint(OWN_OVERWRITES)


def leaves_allocated(device: DeviceDetail) -> bool:
    """Whether the drive has NVMe Sanitize, which alone can be told to leave blocks allocated."""
    return any(name.startswith("nvme-sanitize-") for name in _usable(device))


def _usable(device: DeviceDetail) -> set[str]:
    techniques = device.drive.techniques if device.drive else ()
    return {one.name for one in techniques if one.usable and one.name != KEYS}


def answers_of(device: DeviceDetail) -> tuple[Option, ...]:
    """What a person must vouch for where only a key is destroyed."""
    names = {one.name for one in device.drive.techniques if one.usable} if device.drive else set()
    return tuple(Option(word, words) for word, words in ANSWERS.items()) if "luks-crypto-erase" in names else ()
