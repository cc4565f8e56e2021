"""Known traits of single models and firmware: facts somebody else found out, with where they stand. Pure.

A quirk never makes a technique acceptable; it is a reason to refuse one, to distrust one, or to wait longer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Effect = Literal[
    "crypto-not-trusted", "sanitize-stalls", "format-unusable", "sanitize-blocked", "pass-through-unreliable"
]
"""crypto-not-trusted: cryptographic erase proves nothing here. sanitize-stalls: sanitize was seen never to end.
format-unusable: Format NVM was seen to leave the drive unusable. sanitize-blocked: the bridge does not pass it.
pass-through-unreliable: the bridge drops or garbles commands of the drive behind it."""


@dataclass(frozen=True, kw_only=True)
class Quirk:
    """One trait."""

    name: str
    """As in `Capabilities.quirks`."""
    effect: Effect
    model: str
    """Regular expression that the whole model name matches, vendor and model joined by a space."""
    firmware: str = ".*"
    """Likewise for the firmware revision."""
    sentence: str
    """For people."""
    source: str
    """Where it is written."""


_MEIJER = "C. Meijer, B. van Gastel: Self-encrypting deception, IEEE S&P 2019 (10.1109/SP.2019.00088)"

QUIRKS: tuple[Quirk, ...] = (
    Quirk(
        name="intel-660p-sanitize-stalls",
        effect="sanitize-stalls",
        model=r"(INTEL )?SSDPEKNW.*",
        sentence="on Intel 660p drives a sanitize operation was seen to stand still for a week, and it cannot be stopped",
        source="nvme-cli issues 752, 1784 and 3027",
    ),
    Quirk(
        name="intel-ssdpekkf-format-unusable",
        effect="format-unusable",
        model=r"(INTEL )?SSDPEKKF.*",
        sentence="drives of this model were seen to be unusable after Format NVM",
        source="nvme-cli issue 2677",
    ),
    Quirk(
        name="samsung-evo-crypto-not-trusted",
        effect="crypto-not-trusted",
        model=r"(ATA )?Samsung SSD 8[45]0 EVO.*|(Samsung )?Portable SSD T[35]",
        sentence="on this model data keys were not bound to passwords, and old copies of keys could remain in flash",
        source=_MEIJER,
    ),
    Quirk(
        name="crucial-mx-crypto-not-trusted",
        effect="crypto-not-trusted",
        model=r"(ATA )?(Crucial[_ ])?CT\d+MX[123]00SSD\d",
        sentence="on this model the drive's password check could be bypassed and data keys were not bound to it",
        source=_MEIJER,
    ),
    Quirk(
        name="jmicron-bridge-pass-through",
        effect="pass-through-unreliable",
        model=r"JMicron .*",
        sentence="JMicron bridges need commands of their own to reach the drive, and drop or cut off the standard ones",
        source="openSeaChest, opensea-transport: JMicron NVMe and SAT pass-through helpers",
    ),
    Quirk(
        name="lacie-rugged-ssd4-sanitize-blocked",
        effect="sanitize-blocked",
        model=r"(LaCie )?Rugged SSD4.*",
        sentence="the bridge in this enclosure does not pass sanitize to the drive",
        source="openSeaChest, opensea-transport: quirks of USB bridges",
    ),
)


def quirks_of(vendor: str | None, model: str | None, firmware: str | None) -> tuple[Quirk, ...]:
    """The traits known of this model and firmware; a device that does not say what it is has none."""
    named = " ".join(part for part in (vendor, model) if part)
    plain = model or ""
    return tuple(
        quirk
        for quirk in QUIRKS
        if (re.fullmatch(quirk.model, named) or re.fullmatch(quirk.model, plain))
        and re.fullmatch(quirk.firmware, firmware or "")
    )


def quirk(name: str) -> Quirk:
    """The trait of this name.

    Raises:
        KeyError: there is none.
    """
    return {each.name: each for each in QUIRKS}[name]
