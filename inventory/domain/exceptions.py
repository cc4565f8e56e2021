"""Anything unaccounted: closed vocabulary, how grave, and what a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class ExceptionCode(StrEnum):
    """What does not add up."""

    UNDECLARED_DEVICE = "undeclared-device"
    UNIDENTIFIED_DEVICE = "unidentified-device"
    AMBIGUOUS_DEVICE = "ambiguous-device"
    FACTS_DIFFER = "facts-differ"
    NOT_OBSERVED = "declared-not-observed"
    NOWHERE = "whereabouts-unknown"
    DISPOSED_WITHOUT_PROOF = "disposed-without-proof"
    BALANCE_BROKEN = "balance-broken"
    DEVICE_GONE = "device-gone"
    DEVICE_MISSING = "device-missing"
    DISPOSED_DEVICE_SEEN = "disposed-device-seen"
    DATA_ON_SANITIZED_DEVICE = "data-on-sanitized-device"
    PATH_UNRESOLVED = "path-unresolved"
    PATH_UNREPORTED = "path-unreported"
    DATABASE_UNDECLARED = "database-undeclared"
    MEDIA_UNTRACED = "media-untraced"
    HOST_SILENT = "host-silent"
    HOST_CLOCK_OFF = "host-clock-off"
    LOG_DISAGREEMENT = "log-disagreement"
    LOG_RESTORED = "log-restored"
    WITNESS_REFUSED = "witness-refused"
    WITNESS_AHEAD = "witness-ahead"
    WITNESS_SILENT = "witness-silent"
    TIME_AUTHORITY_WRONG = "time-authority-wrong"
    TIME_AUTHORITY_SILENT = "time-authority-silent"
    TIME_STAMPS_DUE = "time-stamps-due"
    SEAL_CERTIFICATE_DUE = "seal-certificate-due"
    RECORD_WITHOUT_EFFECT = "record-without-effect"
    RECORD_SEQUENCE_GAP = "record-sequence-gap"
    RECORD_HISTORY_BROKEN = "record-history-broken"
    RECORD_DISOWNED = "record-disowned"
    SANITIZATION_FAILED = "sanitization-failed"
    DRIVE_WORSE = "drive-worse"
    ESCALATION = "escalation"
    READING_INCONCLUSIVE = "reading-inconclusive"
    SAMPLE_OVERDUE = "sample-overdue"
    CASE_DUE = "case-due"
    CASE_OVERDUE = "case-overdue"
    CASE_ESCALATED = "case-escalated"
    WEBHOOK_UNDELIVERED = "webhook-undelivered"
    WAIVER_USED = "waiver-used"
    STATUS_CHANGE = "status-change"
    STATUS_CHANGE_OVERDUE = "status-change-overdue"
    UNDERTAKING_DUE = "undertaking-due"
    UNDERTAKING_LAPSED = "undertaking-lapsed"
    HANDOVER_OVERDUE = "handover-overdue"
    HANDOVER_DISPUTED = "handover-disputed"
    HANDOVER_BLOCKED = "handover-blocked"
    LOT_REOPENED = "lot-reopened"
    RUN_DISK_MOVED = "run-disk-moved"
    JOB_BUNDLE_OVERDUE = "job-bundle-overdue"
    CARRIED_PAST_A_HOLD = "carried-past-a-hold"


CRITICAL: Final = frozenset(
    {
        ExceptionCode.DISPOSED_WITHOUT_PROOF,
        ExceptionCode.BALANCE_BROKEN,
        ExceptionCode.DEVICE_GONE,
        ExceptionCode.DEVICE_MISSING,
        ExceptionCode.DISPOSED_DEVICE_SEEN,
        ExceptionCode.DATA_ON_SANITIZED_DEVICE,
        ExceptionCode.LOG_DISAGREEMENT,
        ExceptionCode.LOG_RESTORED,
        ExceptionCode.WITNESS_REFUSED,
        ExceptionCode.WITNESS_AHEAD,
        ExceptionCode.RECORD_WITHOUT_EFFECT,
        ExceptionCode.RECORD_SEQUENCE_GAP,
        ExceptionCode.RECORD_HISTORY_BROKEN,
        ExceptionCode.RECORD_DISOWNED,
        ExceptionCode.CASE_OVERDUE,
        ExceptionCode.STATUS_CHANGE_OVERDUE,
        ExceptionCode.CASE_ESCALATED,
        ExceptionCode.HANDOVER_DISPUTED,
        ExceptionCode.HANDOVER_BLOCKED,
        ExceptionCode.CARRIED_PAST_A_HOLD,
        ExceptionCode.RUN_DISK_MOVED,
    }
)

TITLES: Final[Mapping[ExceptionCode, str]] = {
    ExceptionCode.UNDECLARED_DEVICE: "A device nobody declared",
    ExceptionCode.UNIDENTIFIED_DEVICE: "A device that cannot be identified",
    ExceptionCode.AMBIGUOUS_DEVICE: "More than one declared device fits",
    ExceptionCode.FACTS_DIFFER: "Declared and observed facts differ",
    ExceptionCode.NOT_OBSERVED: "A declared device that no agent has seen",
    ExceptionCode.NOWHERE: "Nobody said where a device is",
    ExceptionCode.DISPOSED_WITHOUT_PROOF: "A device is gone by our books, and nothing proves how",
    ExceptionCode.BALANCE_BROKEN: "A balance does not begin where the one before ended",
    ExceptionCode.DEVICE_GONE: "A device in use is no longer attached: where is it?",
    ExceptionCode.DEVICE_MISSING: "A device is missing",
    ExceptionCode.DISPOSED_DEVICE_SEEN: "A device that left us or was lost is attached again",
    ExceptionCode.DATA_ON_SANITIZED_DEVICE: "Data lies on a sanitized device",
    ExceptionCode.PATH_UNRESOLVED: "A path could not be followed to its media",
    ExceptionCode.PATH_UNREPORTED: "An agent does not report a declared path",
    ExceptionCode.DATABASE_UNDECLARED: "A database runs where no path is declared",
    ExceptionCode.MEDIA_UNTRACED: "Media left a host before a path was followed: did they hold the data?",
    ExceptionCode.HOST_SILENT: "An agent is silent",
    ExceptionCode.HOST_CLOCK_OFF: "A host's clock is off",
    ExceptionCode.LOG_DISAGREEMENT: "An agent has seen another log than ours",
    ExceptionCode.LOG_RESTORED: "The log was brought up to date after a restore",
    ExceptionCode.WITNESS_REFUSED: "A witness refuses to sign our log: is it still one history?",
    ExceptionCode.WITNESS_AHEAD: "A witness has seen more of our log than we hold",
    ExceptionCode.WITNESS_SILENT: "A witness does not sign",
    ExceptionCode.TIME_AUTHORITY_WRONG: "A time-stamp authority answers with something that is no stamp",
    ExceptionCode.TIME_AUTHORITY_SILENT: "A time-stamp authority does not answer",
    ExceptionCode.TIME_STAMPS_DUE: "The log must be stamped with the time again",
    ExceptionCode.SEAL_CERTIFICATE_DUE: "The certificate that seals documents ends",
    ExceptionCode.RECORD_WITHOUT_EFFECT: "A record arrived that fits no current order",
    ExceptionCode.RECORD_SEQUENCE_GAP: "An agent withholds records",
    ExceptionCode.RECORD_HISTORY_BROKEN: "A record does not continue its device's history",
    ExceptionCode.RECORD_DISOWNED: "A record stopped counting",
    ExceptionCode.SANITIZATION_FAILED: "A sanitization did not succeed",
    ExceptionCode.DRIVE_WORSE: "A drive got worse, or predicts its own failure",
    ExceptionCode.SAMPLE_OVERDUE: "A drawn sample was not examined in time",
    ExceptionCode.ESCALATION: "A stronger method is needed",
    ExceptionCode.CASE_DUE: "An erasure case is due soon",
    ExceptionCode.CASE_OVERDUE: "An erasure case is overdue",
    ExceptionCode.CASE_ESCALATED: "An erasure case has been overdue for too long",
    ExceptionCode.WEBHOOK_UNDELIVERED: "A webhook's messages could not be delivered",
    ExceptionCode.STATUS_CHANGE: "A medium becomes less secure: may it go as it is?",
    ExceptionCode.STATUS_CHANGE_OVERDUE: "Nobody has answered for a medium that becomes less secure",
    ExceptionCode.WAIVER_USED: "A device left unsanitized under a waiver",
    ExceptionCode.UNDERTAKING_DUE: "A party's undertaking ends soon",
    ExceptionCode.UNDERTAKING_LAPSED: "A party's undertaking has ended",
    ExceptionCode.HANDOVER_OVERDUE: "Nobody has answered a hand-over",
    ExceptionCode.READING_INCONCLUSIVE: "A medium was read again, and it shows nothing",
    ExceptionCode.HANDOVER_DISPUTED: "Two sides of a hand-over counted differently",
    ExceptionCode.HANDOVER_BLOCKED: "The gate closed during a hand-over: who has the devices?",
    ExceptionCode.LOT_REOPENED: "A lot was re-opened after it was closed",
    ExceptionCode.RUN_DISK_MOVED: "A disk was moved to another host in the middle of its run",
    ExceptionCode.JOB_BUNDLE_OVERDUE: "Work was carried to a host, and nothing came back",
    ExceptionCode.CARRIED_PAST_A_HOLD: "A medium was sanitized by a carried order after a hold was placed on it",
}


def severity(code: ExceptionCode) -> str:
    """Critical or warning."""
    return "critical" if code in CRITICAL else "warning"
