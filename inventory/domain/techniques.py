"""Techniques as orders see them: how far each gets, what is disputed, what a plan says in plain words. Pure.

How far a technique gets is decided in one place for all (`reports.findings.techniques`); here it only gets words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.drive_words import technique_does, technique_words
from reports.findings.techniques import DRIVE, HOST, KEYS, SETTINGS, highest, level_of, steps_of

from .vocabulary import Method

AUTO: Final = "auto"
"""The plan's word for: the best technique that reaches the method on this drive, never one below it."""
CANARIES: Final = "canaries"
"""The pattern set of a drive's own technique: marks that must be gone afterwards."""
KEY_PATTERN: Final = "keyed-stream-then-zeros"
"""The pattern set of a container's key area."""
DISPUTES: Final[Mapping[str, str]] = {
    "enhanced-erase-is-purge-on-flash": (
        "The ATA enhanced security erase counts as Purge on flash, too. SP 800-88 Rev. 1 counted it so on hard disks only."
    ),
    "luks-crypto-erase-is-purge": (
        "Destroying every copy of a LUKS2 volume's key counts as Purge on magnetic disks; never on flash, where older copies "
        "of it may stay out of reach."
    ),
    "nvme-format-crypto-is-purge": (
        "NVMe Format with cryptographic erase counts as Purge. Rev. 1 counted it so; since Sanitize exists, others do not."
    ),
    "nvme-format-user-data-is-purge": (
        "NVMe Format with user data erase counts as Purge. Rev. 1 counted it so; it need not reach what no namespace holds."
    ),
    "opal-revert-is-purge": (
        "A revert of a TCG Opal drive counts as Purge. It destroys the media key, and the drive says nothing of its quality."
    ),
}
"""Classifications that readers of the standard dispute, each a setting of the policy; without it the level is Clear."""
SCOPES: Final[Mapping[str, str]] = {
    "other-namespaces": "Other namespaces of the same NVMe drive",
    "other-controllers": "What other controllers, perhaps other hosts, have on the same drive",
    "unallocated": "Capacity that belongs to no namespace now, with what deleted ones left there",
    "boot-areas": "The boot and general purpose areas beside the user area (eMMC)",
}
"""What a drive's command can destroy beside the device named; the agent refuses what was not accepted."""
ANSWERS: Final[Mapping[str, str]] = {
    "encrypted-before-first-use": "Nothing was ever stored on this medium before it was encrypted",
    "no-key-outside": "No copy of the key, or of a header that holds it, exists anywhere else",
}
"""Conditions of cryptographic erase that only a person can vouch for (SP 800-88 Rev. 2, 3.2.2)."""


KEYS_FIRST: Final[Mapping[str, tuple[str, ...]]] = {
    "ata-sanitize-crypto-scramble": ("ata-sanitize-block-erase", "ata-sanitize-overwrite"),
    "scsi-sanitize-crypto-erase": ("scsi-sanitize-block-erase", "scsi-sanitize-overwrite"),
    "nvme-sanitize-crypto-erase": ("nvme-sanitize-block-erase", "nvme-sanitize-overwrite"),
}
"""What may follow the end of the drive's own keys in one run; overwriting by the host may come before any one technique."""
OWN_OVERWRITES: Final = ("ata-sanitize-overwrite", "scsi-sanitize-overwrite", "nvme-sanitize-overwrite")
"""The techniques a pattern for the drive means something to."""


def follows(first: str, technique: str) -> bool:
    """Whether these two may stand in one plan, in this order."""
    if first == HOST:
        return technique in DRIVE and technique != KEYS
    return technique in KEYS_FIRST.get(first, ())


def drive_word_faults(technique: str, *, firmware_pattern: str, no_deallocate: bool) -> dict[str, str]:
    """Words for the drive that mean nothing to this technique, by the field; `auto` takes what fits."""
    steps = technique.split("+")
    found: dict[str, str] = {}
    if technique == AUTO:
        return found
    if firmware_pattern and not any(step in OWN_OVERWRITES for step in steps):
        found["firmware_pattern"] = "Only a drive that overwrites by itself takes a pattern."
    if no_deallocate and not any(step.startswith("nvme-sanitize-") for step in steps):
        found["no_deallocate"] = "Only NVMe Sanitize can be told to leave blocks allocated."
    return found


def reach_of(technique: str, media: str | None, settings: Collection[str] = ()) -> Method | None:
    """How far a technique gets on this kind of medium by these settings; None where the technique is not known.

    `auto` reaches up to Purge: the agent takes what the drive has, and refuses where that is not enough.
    """
    if technique == AUTO:
        return Method.PURGE
    steps = steps_of(technique)
    if steps is None:
        return None
    return Method(highest([level_of(step, media or "unknown", settings) for step in steps]))


def plan_faults(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """What in a plan cannot mean anything, whatever the device; sentences."""
    found = [
        f"{word} is nothing that could be destroyed as well."
        for word in plan["acknowledged_scope"]
        if word not in SCOPES
    ]
    found += [f"{word} is no condition a person could vouch for." for word in plan["answers"] if word not in ANSWERS]
    steps = steps_of(str(plan["technique"])) or ()
    if steps == (KEYS,):
        if plan["pattern_set"] != KEY_PATTERN:
            found.append(f"Where keys are destroyed the pattern set is {KEY_PATTERN!r}.")
    elif any(step in DRIVE for step in steps) and plan["pattern_set"] != CANARIES:
        found.append(f"With one of the drive's own techniques the pattern set is {CANARIES!r}.")
    if len(steps) > 1 and (len(steps) > 2 or not follows(*steps)):
        found.append(f"{plan['technique']}: these techniques do not follow one another in one run.")
    pattern, kept = str(plan.get("firmware_pattern") or ""), bool(plan.get("no_deallocate"))
    found += drive_word_faults(str(plan["technique"]), firmware_pattern=pattern, no_deallocate=kept).values()
    if steps == (HOST,) and plan["pattern_set"] == CANARIES:
        found.append(f"{CANARIES!r} is no pattern to overwrite with.")
    return tuple(found)


def settings_for(technique: str, settings: Sequence[str]) -> tuple[str, ...]:
    """The decided disputes that can matter to a technique: what an order under it seals."""
    if technique == AUTO:
        return tuple(settings)
    own = {DRIVE[step].setting for step in steps_of(technique) or () if step in DRIVE}
    return tuple(setting for setting in settings if setting in own)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One technique for one drive: how far it would get, and why it cannot be used."""

    name: str
    label: str
    does: str
    method: Method
    """The level it would reach."""
    reasons: tuple[str, ...]
    """Why this drive cannot do it; empty: it can."""
    seconds: int | None
    """The drive's own estimate."""

    @property
    def usable(self) -> bool:
        """Whether the drive can do it, as the agent last saw it."""
        return not self.reasons


def offers(
    capabilities: Mapping[str, Any] | None, media: str | None, settings: Collection[str] = ()
) -> tuple[Offer, ...]:
    """What the agent reported of a drive's own techniques, usable ones first, the furthest reaching before others."""
    if capabilities is None:
        return ()
    found = [
        Offer(
            name=told["name"],
            label=technique_words(told["name"]),
            does=technique_does(told["name"]),
            method=reach_of(told["name"], media, settings) or Method.CLEAR,
            reasons=tuple(told["reasons"]) if not told["usable"] else (),
            seconds=told["estimate_seconds"],
        )
        for told in capabilities["techniques"]
        if told["name"] in DRIVE
    ]
    return tuple(sorted(found, key=lambda offer: (not offer.usable, offer.method is not Method.PURGE)))


def plan_words(plan: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """A plan in plain words, label and sentence: what approvers read."""
    technique = str(plan["technique"])
    if technique == AUTO:
        how = f"The best technique the drive has that reaches {plan['method']}; none below it"
    else:
        how = technique_words(technique)
    rows = [("Method", str(plan["method"]).capitalize()), ("How", how)]
    if technique != AUTO and (does := technique_does(technique)):
        rows.append(("What happens", does))
    if technique in {HOST, AUTO}:
        rows.append(("Written by the host", str(plan["pattern_set"])))
    if plan.get("firmware_pattern"):
        rows.append(("Pattern for the drive", f"0x{str(plan['firmware_pattern']).upper()}"))
    if plan.get("no_deallocate"):
        rows.append(("Blocks", "Stay allocated afterwards, so that reading back sees the medium"))
    rows += [("Destroys also", SCOPES.get(word, word)) for word in plan.get("acknowledged_scope", ())]
    rows += [("Destroys also", f"Dormant signature {word}") for word in plan.get("acknowledged_signatures", ())]
    rows += [("Decided by policy", DISPUTES.get(word, word)) for word in plan.get("settings", ())]
    rows += [("Vouched for", ANSWERS.get(word, word)) for word in plan.get("answers", ())]
    return tuple(rows)


def scope_words(scope: Sequence[str]) -> str:
    """What else is destroyed, in one sentence's words."""
    words = [SCOPES.get(word, word) for word in scope]
    return "; ".join(f"{text[0].lower()}{text[1:]}" for text in words)


def plan_line(plan: Mapping[str, Any]) -> str:
    """A plan in a few words, for the one line an approver signs."""
    technique = str(plan["technique"])
    how = "the best technique of the drive" if technique == AUTO else technique
    also = [*plan.get("acknowledged_scope", ()), *plan.get("settings", ())]
    extra = f"; {', '.join(also)}" if also else ""
    return f"{how} ({plan['pattern_set']}, {plan['verification']} verification{extra})"


KNOWN_SETTINGS: Final = tuple(sorted(SETTINGS))
"""The disputes a policy may decide, in the order in which documents list them."""
