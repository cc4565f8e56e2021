"""Everything that can go wrong, by fault, each with a fixed sentence, typed fields and a stable code.

    SanitizerError
    ├─ Refused              nothing was written; the operator can act
    │   ├─ use of the device   SystemDevice · MountedFilesystem · ActiveSwap · HeldByDevice · RaidMember · LvmMember ·
    │   │                      MultipathMember · CryptMember · HeldByProcess · DeviceBusy · DormantMember · NeighbourInUse
    │   ├─ kind of device      NotBlockDevice · NotWholeDevice · AssembledDevice · ZonedDevice · ReadOnlyDevice · NoMedium ·
    │   │                      DirectIoUnavailable · DeviceMissing
    │   ├─ identity            IdentityUnreadable · AmbiguousIdentity · IdentityMismatch · DeviceChanged
    │   ├─ permission          ConfirmationMissing · ClearanceSpent · ClearanceExpired · PermissionWithheld · PrivilegeMissing
    │   ├─ knowledge           FactsUnknown
    │   ├─ state of the drive  SanitizeInProgress · InFailureMode · SecurityLocked · SecurityFrozen · OpalLocked ·
    │   │                      CapacityHidden · CapacityUnrestorable · PowerCycleNeeded · OddBlockSize
    │   ├─ escrow              EscrowNotConfirmed
    │   └─ plan and journal    NoTechnique · PlanMismatch · RunExists · RunLocked · RunUnknown · JournalUnusable
    ├─ TransportError       the host could not deliver, the device did not answer, or its answer was a no
    │   DeviceGone · HostRejected · HostReset · CommandTimeout · AtaAborted · ScsiCheckCondition · NvmeStatus · MalformedReply
    ├─ Incomplete           the run began and did not do all of its work
    │   UnwritableRegion · ErrorBudgetSpent · FlushFailed · CapacityChanged · AddressingFault · JournalFailed · JournalDamaged ·
    │   Interrupted · TechniqueFailed · TechniqueStalled · LockedByUs · CapacityNotRestored · UnansweredDestructiveCommand
    ├─ VerificationError    the work was done and is not proven: never a success
    │   Residual · Unreadable · IdentityChanged · Inconclusive · StaleSuccess
    ├─ SelfTestFailed       our own cipher does not give the known answer
    └─ CaptureUnusable      a file with a captured reply, for offline decoding, cannot be read

A person can act on `explain()`; a program on `code` and `details()`. Codes are never reused. Misuse of this package's
own functions is a `RuntimeError` or `TypeError` and is not caught anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from .base import ByteRange, Fault, Refused, SanitizerError, Touched
from .commands import (
    AtaAborted,
    CaptureUnusable,
    CommandTimeout,
    HostReset,
    MalformedReply,
    NvmeStatus,
    ScsiCheckCondition,
    UnansweredDestructiveCommand,
)
from .drives import (
    CapacityHidden,
    CapacityNotRestored,
    CapacityUnrestorable,
    EscrowNotConfirmed,
    InFailureMode,
    LockedByUs,
    NeighbourInUse,
    OddBlockSize,
    OpalLocked,
    PowerCycleNeeded,
    SanitizeInProgress,
    SecurityFrozen,
    SecurityLocked,
    StaleSuccess,
    TechniqueFailed,
    TechniqueStalled,
)
from .failures import (
    AddressingFault,
    CapacityChanged,
    DeviceGone,
    ErrorBudgetSpent,
    FlushFailed,
    HostRejected,
    IdentityChanged,
    Incomplete,
    Inconclusive,
    Interrupted,
    JournalDamaged,
    JournalFailed,
    Residual,
    SelfTestFailed,
    TransportError,
    Unreadable,
    UnwritableRegion,
    VerificationError,
)
from .refusals import (
    ActiveSwap,
    AmbiguousIdentity,
    AssembledDevice,
    ClearanceExpired,
    ClearanceSpent,
    ConfirmationMissing,
    CryptMember,
    DeviceBusy,
    DeviceChanged,
    DeviceMissing,
    DirectIoUnavailable,
    DormantMember,
    FactsUnknown,
    HeldByDevice,
    HeldByProcess,
    IdentityMismatch,
    IdentityUnreadable,
    JournalUnusable,
    LvmMember,
    MountedFilesystem,
    MultipathMember,
    NoMedium,
    NotBlockDevice,
    NoTechnique,
    NotWholeDevice,
    PermissionWithheld,
    PlanMismatch,
    PrivilegeMissing,
    RaidMember,
    ReadOnlyDevice,
    RunExists,
    RunLocked,
    RunUnknown,
    SystemDevice,
    ZonedDevice,
)

__all__ = [
    "ERRORS",
    "ActiveSwap",
    "AddressingFault",
    "AmbiguousIdentity",
    "AssembledDevice",
    "AtaAborted",
    "ByteRange",
    "CapacityChanged",
    "CapacityHidden",
    "CapacityNotRestored",
    "CapacityUnrestorable",
    "CaptureUnusable",
    "ClearanceExpired",
    "ClearanceSpent",
    "CommandTimeout",
    "ConfirmationMissing",
    "CryptMember",
    "DeviceBusy",
    "DeviceChanged",
    "DeviceGone",
    "DeviceMissing",
    "DirectIoUnavailable",
    "DormantMember",
    "ErrorBudgetSpent",
    "EscrowNotConfirmed",
    "FactsUnknown",
    "Fault",
    "FlushFailed",
    "HeldByDevice",
    "HeldByProcess",
    "HostRejected",
    "HostReset",
    "IdentityChanged",
    "IdentityMismatch",
    "IdentityUnreadable",
    "InFailureMode",
    "Incomplete",
    "Inconclusive",
    "Interrupted",
    "JournalDamaged",
    "JournalFailed",
    "JournalUnusable",
    "LockedByUs",
    "LvmMember",
    "MalformedReply",
    "MountedFilesystem",
    "MultipathMember",
    "NeighbourInUse",
    "NoMedium",
    "NoTechnique",
    "NotBlockDevice",
    "NotWholeDevice",
    "NvmeStatus",
    "OddBlockSize",
    "OpalLocked",
    "PermissionWithheld",
    "PlanMismatch",
    "PowerCycleNeeded",
    "PrivilegeMissing",
    "RaidMember",
    "ReadOnlyDevice",
    "Refused",
    "Residual",
    "RunExists",
    "RunLocked",
    "RunUnknown",
    "SanitizeInProgress",
    "SanitizerError",
    "ScsiCheckCondition",
    "SecurityFrozen",
    "SecurityLocked",
    "SelfTestFailed",
    "StaleSuccess",
    "SystemDevice",
    "TechniqueFailed",
    "TechniqueStalled",
    "Touched",
    "TransportError",
    "UnansweredDestructiveCommand",
    "Unreadable",
    "UnwritableRegion",
    "VerificationError",
    "ZonedDevice",
]


def _concrete(family: type[SanitizerError]) -> Iterator[type[SanitizerError]]:
    for child in family.__subclasses__():
        if child.code:
            yield child
        yield from _concrete(child)


ERRORS: dict[str, type[SanitizerError]] = {kind.code: kind for kind in _concrete(SanitizerError)}
"""Every concrete class by its stable code; `docs/errors.md` must name each."""
