"""Identify, plan, sanitize and verify Linux block devices. No network, no database, no certificate.

The way through: `inspect` a device, `plan` what shall be done, `clear` it with a confirmation, `sanitize` under the
clearance. What comes back is a `RunResult`: facts, never a claim.
"""

from .api import (
    PendingRun,
    abandon,
    clear_again,
    discard_journal,
    find_devices,
    health_of,
    inspect,
    list_devices,
    memory_areas,
    pending_runs,
    resolve_path,
    resolve_path_of,
    resume,
    sanitize,
    settle,
    unlock,
    verify,
)
from .clearance import Clearance, Confirmation, clear, obstacles_to
from .errors import (
    ERRORS,
    EscrowNotConfirmed,
    Incomplete,
    NoTechnique,
    PermissionWithheld,
    Refused,
    SanitizeInProgress,
    SanitizerError,
    TransportError,
    VerificationError,
)
from .identity import DeviceIdentity, same_device
from .inspection import Inspection
from .lineage import PathResolution, Step
from .patterns import PATTERN_SETS, PatternSet, pattern_set
from .planning import Plan, PlanRequest, plan
from .resolving import MemoryArea
from .run import (
    DeviceFacts,
    HealthReading,
    MethodFacts,
    PassFacts,
    Progress,
    RunFacts,
    RunResult,
    RunState,
    Segment,
    VerificationFacts,
    failed_verification,
)
from .techniques.base import CommandFacts, Escrow

__all__ = [
    "ERRORS",
    "PATTERN_SETS",
    "Clearance",
    "CommandFacts",
    "Confirmation",
    "DeviceFacts",
    "DeviceIdentity",
    "Escrow",
    "EscrowNotConfirmed",
    "HealthReading",
    "Incomplete",
    "Inspection",
    "MemoryArea",
    "MethodFacts",
    "NoTechnique",
    "PassFacts",
    "PathResolution",
    "PatternSet",
    "PendingRun",
    "PermissionWithheld",
    "Plan",
    "PlanRequest",
    "Progress",
    "Refused",
    "RunFacts",
    "RunResult",
    "RunState",
    "SanitizeInProgress",
    "SanitizerError",
    "Segment",
    "Step",
    "TransportError",
    "VerificationError",
    "VerificationFacts",
    "abandon",
    "clear",
    "clear_again",
    "discard_journal",
    "failed_verification",
    "find_devices",
    "health_of",
    "inspect",
    "list_devices",
    "memory_areas",
    "obstacles_to",
    "pattern_set",
    "pending_runs",
    "plan",
    "resolve_path",
    "resolve_path_of",
    "resume",
    "same_device",
    "sanitize",
    "settle",
    "unlock",
    "verify",
]
