"""The closed words of the messages. A contract test keeps them equal to `inventory.domain`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

RoleName = Literal[
    "viewer", "custodian", "operator", "approver", "validator", "privacy_officer", "auditor", "administrator"
]
ZoneName = Literal["secure", "controlled", "open"]
PartyKindName = Literal["own", "vendor"]
HoldingKindName = Literal["primary", "replica", "backup", "cache", "swap"]
DecisionName = Literal["approve", "reject", "escalate"]
LifecycleEvent = Literal[
    "place_in_service", "retire", "quarantine", "return_to_service", "report_missing", "report_found"
]
"""Changes of state that need no further facts; leaving has its own messages."""
EncryptionName = Literal["none", "software", "self-encrypting", "unknown"]
HoldKindName = Literal["legal", "investigation"]
MediaName = Literal["magnetic", "flash", "virtual", "pmem", "unknown"]
DestructionMethodName = Literal["disintegrate", "incinerate", "melt", "pulverize", "shred", "degauss-then-destroy"]

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
"""A name or heading: one line, never empty."""
OptionalLine = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
"""A reason or description a person writes for another."""
OptionalProse = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""What names an object in an address: its number, or one of its names."""
Secret = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Seconds = Annotated[int, Field(ge=1, le=366 * 86_400)]
