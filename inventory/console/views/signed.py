"""What somebody signed is an English sentence for good; a reader in another language is told what it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from inventory.console.language.speaking import sentence_case, tongue, utc, words

_DESTROYED: Final = re.compile(
    r"(?P<id>\S+): (?P<role>I witnessed|As second person I confirm) that (?P<name>.+?)(?:, asset tag (?P<tag>.+?))?,"
    r" serial number read as (?P<serial>.+?), was destroyed \((?P<technique>[a-z-]+)\) at (?P<place>.+)"
    r" on (?P<performed>\d{4}-\d\d-\d\d \d\d:\d\d) UTC by (?P<operator>.+)\."
)
"""As `destruction_papers` writes it."""
_STATED: Final = re.compile(
    r"(?P<number>\S+): (?P<name>.+?) states to (?P<name_2>.+?) under (?P<reference>.+?) \(Article 28\(3\)\(g\) GDPR\)"
    r" what became of (?P<data_sets>.+) on (?P<total>\d+) media: (?P<state>[^:]+)\."
)
"""As `processors` writes it."""


def in_own_language(shown: str) -> str:
    """What the signed sentence says, in the reader's language; empty where that is English, or nothing recognises it."""
    if tongue() == "en":
        return ""
    for pattern, tell in ((_DESTROYED, _destroyed), (_STATED, _stated)):
        found = pattern.fullmatch(shown)
        if found is not None:
            return tell(found)
    return ""


def _stated(found: re.Match[str]) -> str:
    return words(
        "{number}: {name} states to {name_2} under {reference} (Article 28(3)(g) GDPR) what became of {data_sets}"
        " on {total} media: {state}.",
        **found.groupdict() | {"state": words(f"{found['state']}.").removesuffix(".")},
    )


def _destroyed(found: re.Match[str]) -> str:
    name = words("{name}, asset tag {tag}", name=found["name"], tag=found["tag"]) if found["tag"] else found["name"]
    values = {
        "id": found["id"],
        "name": name,
        "serial": words("nothing") if found["serial"] == "nothing" else found["serial"],
        "technique": sentence_case(found["technique"]),
        "place": found["place"],
        "performed": utc(datetime.fromisoformat(found["performed"]).replace(tzinfo=UTC)),
        "operator": found["operator"],
    }
    if found["role"] == "I witnessed":
        return words(
            "{id}: I witnessed that {name}, serial number read as {serial}, was destroyed ({technique}) at {place}"
            " on {performed} UTC by {operator}.",
            **values,
        )
    return words(
        "{id}: as second person I confirm that {name}, serial number read as {serial}, was destroyed ({technique})"
        " at {place} on {performed} UTC by {operator}.",
        **values,
    )
