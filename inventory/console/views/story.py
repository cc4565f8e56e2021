"""Events as sentences on a timeline, newest first, grouped by day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from inventory.console.formatting import sentence_case
from inventory.console.language.speaking import day
from inventory.events import Tag
from inventory.services.views import EventView

from .chips import Tone
from .signed import in_own_language
from .telling import Names, told


@dataclass(frozen=True)
class Link:
    """A word that leads somewhere; no address where the reader may not go."""

    label: str
    url: str = ""


@dataclass(frozen=True)
class StoryEvent:
    """One entry as the reader sees it."""

    time: datetime
    title: str
    text: str
    actor: str
    icon: str
    tone: Tone
    subject: Link | None
    proofs: tuple[Link, ...]
    signed: str = ""
    """The English sentence that was signed, where `text` says it in another language."""


@dataclass(frozen=True)
class Day:
    """What happened on one day."""

    label: str
    events: tuple[StoryEvent, ...]


_TOLD: Final[dict[Tag, tuple[str, str, Tone]]] = {
    Tag.SERVICE_INITIALISED: ("The service was set up", "play", "accent"),
    Tag.SERVICE_SEEDED: ("Filled with an invented organisation: nothing here is evidence", "alert", "warn"),
    Tag.TRUST_ROOT_PUBLISHED: ("A new trust root came into force", "key", "accent"),
    Tag.ROOT_KEY_RETIRED: ("The service's own root key was deleted", "key", "ok"),
    Tag.SEAL_ROTATED: ("A new sealing certificate was made", "certificate", "accent"),
    Tag.LOG_DISAGREEMENT: ("Somebody holds a checkpoint that is not ours", "alert", "bad"),
    Tag.LOG_RESTORED: ("The log was brought up to date from an export", "log", "bad"),
    Tag.PERSON_CREATED: ("A person was added", "user", "quiet"),
    Tag.PERSON_ROLES_SET: ("Roles were set", "people", "quiet"),
    Tag.PERSON_PASSWORD_SET: ("A password was set", "key", "quiet"),
    Tag.PERSON_DISABLED: ("A person was disabled", "ban", "warn"),
    Tag.PERSON_ENABLED: ("A person was enabled again", "user", "quiet"),
    Tag.PERSON_DIRECTORY_ERASED: ("A person's directory entry was erased", "user", "quiet"),
    Tag.PERSON_SIGNED_IN: ("Signed in", "enter", "quiet"),
    Tag.PERSON_SIGN_IN_REFUSED: ("A sign-in was refused", "ban", "warn"),
    Tag.PERSON_SIGNED_OUT: ("Signed out", "sign-out", "quiet"),
    Tag.PERSON_CONFIRMED: ("Showed again who they are", "fingerprint", "quiet"),
    Tag.PERSON_CODE_REFUSED: ("A code of a second factor was refused", "ban", "warn"),
    Tag.PERSON_FACTORS_RESET: ("Every way of signing in was removed, to begin anew", "refresh", "warn"),
    Tag.PASSKEY_REGISTERED: ("A passkey was registered", "fingerprint", "quiet"),
    Tag.PASSKEY_REMOVED: ("A passkey was removed", "fingerprint", "quiet"),
    Tag.PASSKEY_COUNTER_BACK: ("A passkey was refused that counts like a copy", "alert", "bad"),
    Tag.AUTHENTICATOR_CONFIRMED: ("An authenticator app was set up", "key", "quiet"),
    Tag.AUTHENTICATOR_REMOVED: ("An authenticator app was removed", "key", "quiet"),
    Tag.RECOVERY_CODES_MADE: ("Recovery codes were made", "key", "quiet"),
    Tag.RECOVERY_CODE_USED: ("A recovery code was used", "key", "warn"),
    Tag.IDENTITY_LINKED: ("A person of the sign-on provider was linked", "link", "quiet"),
    Tag.IDENTITY_REMOVED: ("A link to the sign-on provider was removed", "link", "quiet"),
    Tag.PERSON_SCOPE_SET: ("It was said how far somebody sees", "people", "accent"),
    Tag.SITE_CREATED: ("A site was added", "place", "quiet"),
    Tag.SITE_CHANGED: ("A site was changed", "place", "quiet"),
    Tag.TEAM_CREATED: ("A team was added", "people", "quiet"),
    Tag.TEAM_CHANGED: ("A team was changed", "people", "quiet"),
    Tag.LOCATION_ASSIGNED: ("It was said at which site a place is", "place", "accent"),
    Tag.HOST_ASSIGNED: ("It was said to which site and team a host belongs", "host", "accent"),
    Tag.DATA_SET_ASSIGNED: ("It was said which team's a data set is", "data", "accent"),
    Tag.LINK_CREATED: ("A one-time link was made", "link", "quiet"),
    Tag.LINK_USED: ("A one-time link was used", "link", "quiet"),
    Tag.TOKEN_CREATED: ("A token for scripts was made", "key", "quiet"),
    Tag.TOKEN_REVOKED: ("A token for scripts was revoked", "ban", "quiet"),
    Tag.APPROVER_KEY_REGISTERED: ("An approver's key was registered", "key", "quiet"),
    Tag.APPROVER_KEY_CONFIRMED: ("An approver's key was confirmed", "key", "ok"),
    Tag.APPROVER_KEY_REVOKED: ("An approver's key was revoked", "ban", "warn"),
    Tag.KEY_REPLACED: ("A key was replaced by a new one", "key", "accent"),
    Tag.KEY_EXPIRES: ("A key was given an end", "key", "warn"),
    Tag.ROSTER_PROPOSED: ("A roster was proposed", "roster", "quiet"),
    Tag.ROSTER_SIGNED: ("A roster was signed", "sign", "accent"),
    Tag.ROSTER_PUBLISHED: ("A roster was published", "roster", "ok"),
    Tag.ROSTER_WITHDRAWN: ("A proposed roster was withdrawn", "ban", "quiet"),
    Tag.HOST_TOKEN_CREATED: ("An enrolment token was made", "key", "quiet"),
    Tag.HOST_ENROLLED: ("A host asked to enrol", "host", "accent"),
    Tag.HOST_CONFIRMED: ("A host's fingerprint was confirmed", "host", "ok"),
    Tag.HOST_REJECTED: ("A host was rejected", "ban", "warn"),
    Tag.HOST_REVOKED: ("A host's key was revoked", "ban", "bad"),
    Tag.HOST_HALTED: ("Work on a host was halted", "ban", "bad"),
    Tag.HOST_HALT_LIFTED: ("The halt of a host was lifted", "host", "ok"),
    Tag.JOB_BUNDLE_MADE: ("Work was made to be carried to a host", "exit", "accent"),
    Tag.RETURN_BUNDLE_RECEIVED: ("What a host had carried back was taken in", "check", "ok"),
    Tag.HOST_CHANGED: ("A host's agent or kernel changed", "host", "quiet"),
    Tag.HOST_SILENT: ("A host has gone silent", "alert", "warn"),
    Tag.HOST_SEEN_AGAIN: ("A silent host is back", "host", "ok"),
    Tag.LOCATION_CREATED: ("A place was added", "place", "quiet"),
    Tag.LOCATION_CHANGED: ("A place was changed", "place", "quiet"),
    Tag.PARTY_CREATED: ("A party was added", "party", "quiet"),
    Tag.PARTY_UNDERTAKING_FILED: ("A signed undertaking was filed", "file", "ok"),
    Tag.LOT_OPENED: ("A lot was opened", "box", "quiet"),
    Tag.LOT_CHANGED: ("A lot was changed", "box", "quiet"),
    Tag.LOT_DEVICE_ADDED: ("Put into a lot", "box", "accent"),
    Tag.LOT_DEVICE_REMOVED: ("Taken from a lot", "box", "quiet"),
    Tag.LOT_CLOSING: ("A lot was frozen to be closed", "hold", "accent"),
    Tag.LOT_RESUMED: ("Closing a lot was broken off", "box", "quiet"),
    Tag.LOT_CLOSED: ("A lot was closed: each device is accounted for", "check", "ok"),
    Tag.LOT_REOPENED: ("A closed lot was opened again", "alert", "warn"),
    Tag.CONTAINER_CREATED: ("A container was added", "archive", "quiet"),
    Tag.CONTAINER_CHANGED: ("A container's seals, place or lot changed", "archive", "quiet"),
    Tag.CONTAINER_DEVICE_ADDED: ("Put into a container", "archive", "accent"),
    Tag.CONTAINER_DEVICE_REMOVED: ("Taken from a container", "archive", "quiet"),
    Tag.CONTAINER_ENDED: ("A container was put out of use", "archive", "quiet"),
    Tag.HANDOVER_OFFERED: ("Offered to the other side", "exit", "accent"),
    Tag.HANDOVER_ACCEPTED: ("A hand-over was accepted: both counts agree", "check", "ok"),
    Tag.HANDOVER_DISPUTED: ("A hand-over was disputed: nothing changed hands", "alert", "bad"),
    Tag.HANDOVER_REFUSED: ("The gate closed during a hand-over", "shield-x", "bad"),
    Tag.HANDOVER_WITHDRAWN: ("A hand-over was taken back", "ban", "quiet"),
    Tag.HANDOVER_LINK_CREATED: ("A link for the receiver was made", "link", "quiet"),
    Tag.HANDOVER_LINK_REVOKED: ("A receiver's link was revoked", "ban", "quiet"),
    Tag.DATA_SET_CREATED: ("A data set was added", "data", "quiet"),
    Tag.DATA_SET_CHANGED: ("A data set was changed", "data", "quiet"),
    Tag.PATH_DECLARED: ("A path was declared to hold data", "branch", "accent"),
    Tag.PATH_WITHDRAWN: ("A declared path was withdrawn", "branch", "quiet"),
    Tag.PATH_DATED: ("It is known since when data lay at a path", "branch", "accent"),
    Tag.DEVICE_DECLARED: ("Declared", "file", "quiet"),
    Tag.DEVICE_OBSERVED: ("First seen by an agent", "eye", "accent"),
    Tag.DEVICE_BOUND: ("What was declared and what was seen are one device", "link", "ok"),
    Tag.DEVICE_CHANGED: ("Its facts changed", "drive", "quiet"),
    Tag.DEVICE_ATTACHED: ("Attached to a host", "enter", "quiet"),
    Tag.DEVICE_DETACHED: ("No longer attached", "exit", "warn"),
    Tag.DEVICE_PLACED: ("Put into service", "place", "quiet"),
    Tag.DEVICE_RELOCATED: ("Moved", "place", "quiet"),
    Tag.DEVICE_RETIRED: ("Retired", "archive", "warn"),
    Tag.DEVICE_QUARANTINED: ("Put under quarantine", "hold", "warn"),
    Tag.DEVICE_RETURNED_TO_SERVICE: ("Returned to service", "refresh", "accent"),
    Tag.DEVICE_SANITIZING: ("Sanitization began", "spin", "busy"),
    Tag.DEVICE_SANITIZED: ("Sanitized: a validated record covers it", "shield-check", "ok"),
    Tag.DEVICE_SANITIZATION_FAILED: ("Sanitization failed", "cross", "bad"),
    Tag.DEVICE_UNTOUCHED: ("The run ended before anything was written", "ring", "quiet"),
    Tag.DEVICE_RELEASED: ("Released through the gate", "exit", "ok"),
    Tag.DEVICE_RELEASE_REFUSED: ("The gate refused to release it", "shield-x", "bad"),
    Tag.DEVICE_DESTROYED: ("Physically destroyed", "flame", "ok"),
    Tag.DEVICE_REPORTED_MISSING: ("Reported missing", "question", "bad"),
    Tag.DEVICE_FOUND: ("Found again", "search", "ok"),
    Tag.DEVICE_WAIVED: ("Returned unsanitized under a waiver", "exit", "bad"),
    Tag.DESTRUCTION_RECORDED: ("A destruction was recorded", "flame", "accent"),
    Tag.DESTRUCTION_WITNESSED: ("A destruction was witnessed", "eye", "accent"),
    Tag.DESTRUCTION_REJECTED: ("A destruction was rejected", "cross", "bad"),
    Tag.DESTRUCTION_WITHDRAWN: ("A recorded destruction was withdrawn", "ban", "warn"),
    Tag.WAIVER_OPENED: ("A waiver was opened", "alert", "warn"),
    Tag.WAIVER_COUNTERSIGNED: ("A waiver was countersigned", "sign", "warn"),
    Tag.HOLDING_BEGUN: ("It began to hold data", "data", "residue"),
    Tag.HOLDING_ENDED: ("Data was removed: it is residue now", "half", "residue"),
    Tag.HOLDING_COVERED: ("What it held is covered by a validated record", "shield-check", "ok"),
    Tag.CASE_OPENED: ("An erasure case was opened", "case", "warn"),
    Tag.CASE_OBLIGATION_ADDED: ("An erasure case now concerns this medium", "case", "warn"),
    Tag.CASE_OBLIGATION_CLOSED: ("An obligation was closed by evidence", "check", "ok"),
    Tag.CASE_FULFILLED: ("Every obligation of a case is closed", "case", "ok"),
    Tag.CASE_CLOSED: ("An erasure case was closed", "case", "quiet"),
    Tag.CASE_REMINDED: ("An erasure case is due soon", "clock", "warn"),
    Tag.CASE_OVERDUE: ("An erasure case is overdue", "alert", "bad"),
    Tag.CASE_ESCALATED: ("An erasure case has been overdue for too long", "alert", "bad"),
    Tag.CASE_DUE_MOVED: ("An erasure case's due date was moved", "clock", "warn"),
    Tag.CASE_INTAKE: ("Withdrawals were taken in from a list", "case", "accent"),
    Tag.STATEMENT_ISSUED: ("A customer's statement was issued", "file", "ok"),
    Tag.HOLD_PLACED: ("A hold was placed", "hold", "warn"),
    Tag.HOLD_LIFTED: ("A hold was lifted", "hold", "ok"),
    Tag.QUESTION_RAISED: ("It was asked whether the medium may become less secure", "alert", "warn"),
    Tag.QUESTION_ANSWERED: ("The question was answered by facts", "check", "ok"),
    Tag.QUESTION_WITHDRAWN: ("What was announced does not happen", "ban", "quiet"),
    Tag.EXCEPTION_RAISED: ("An exception was raised", "alert", "warn"),
    Tag.EXCEPTION_RESOLVED: ("An exception was resolved", "check", "ok"),
    Tag.EXCEPTION_ASSIGNED: ("An exception was assigned", "user", "quiet"),
    Tag.ORDER_REQUESTED: ("Sanitization was ordered", "order", "accent"),
    Tag.ORDER_APPROVAL_GIVEN: ("An approver signed", "sign", "accent"),
    Tag.ORDER_APPROVED: ("The order has all its approvals", "check", "ok"),
    Tag.ORDER_CANCELLED: ("The order was cancelled", "ban", "quiet"),
    Tag.ORDER_EXPIRED: ("The order expired", "clock", "quiet"),
    Tag.ORDER_LEASED: ("The agent took the order", "host", "busy"),
    Tag.ORDER_LEASED_AGAIN: ("The agent took the order again", "refresh", "busy"),
    Tag.ORDER_STARTED: ("The first write was allowed", "play", "busy"),
    Tag.ORDER_START_REFUSED: ("The first write was refused", "shield-x", "warn"),
    Tag.ORDER_PROGRESSED: ("The run moved on", "spin", "busy"),
    Tag.ORDER_STOP_REQUESTED: ("A stop was asked for", "stop", "warn"),
    Tag.ORDER_REFUSED: ("The agent refused the order", "ban", "bad"),
    Tag.ORDER_ABANDONED: ("The order was given up: its agent will never report", "half", "bad"),
    Tag.RECORD_DISOWNED: ("A record was disowned: its agent's key does not count for it", "ban", "bad"),
    Tag.ESCROW_DEPOSITED: ("The password it was about to be given was taken into custody", "key", "warn"),
    Tag.ESCROW_RELEASED: ("Its password is gone; the custody is released", "key", "ok"),
    Tag.ESCROW_REVEALED: ("Its password in custody was shown to a person", "eye", "warn"),
    Tag.RECORD_ACCEPTED: ("The signed record was accepted and logged", "file", "accent"),
    Tag.RECORD_KEPT_AS_EVIDENCE: ("A record was kept as evidence only", "archive", "warn"),
    Tag.RECORD_VALIDATED: ("A validator approved the record", "shield-check", "ok"),
    Tag.RECORD_REJECTED: ("A validator rejected the record", "cross", "bad"),
    Tag.READING_REQUESTED: ("It is to be read again", "eye", "quiet"),
    Tag.READING_LEASED: ("An agent reads it again", "eye", "busy"),
    Tag.READING_CONFIRMED: ("Read again: it holds what its record claims", "shield-check", "ok"),
    Tag.READING_CONTRADICTED: ("Read again: other content was found, and its record counts no more", "cross", "bad"),
    Tag.READING_INCONCLUSIVE: ("Read again: it shows neither one nor the other", "question", "warn"),
    Tag.READING_KEPT_AS_EVIDENCE: ("A reading was kept as evidence only", "archive", "warn"),
    Tag.READING_CANCELLED: ("Reading it again was cancelled", "ban", "quiet"),
    Tag.READING_EXPIRED: ("Nobody read it again in time", "clock", "warn"),
    Tag.SAMPLE_DRAWN: ("A sample was drawn from the log", "eye", "accent"),
    Tag.SAMPLE_ASSIGNED: ("It is to be examined by somebody else", "eye", "quiet"),
    Tag.SAMPLE_EXAMINED: ("It was examined for a sample", "eye", "accent"),
    Tag.SAMPLE_PASSED: ("A sample has passed", "shield-check", "ok"),
    Tag.SAMPLE_FAILED: ("A sample has failed; its lot is open again", "cross", "bad"),
    Tag.EVIDENCE_KEPT: ("A photograph, film or paper was kept", "archive", "quiet"),
    Tag.CERTIFICATE_ISSUED: ("A certificate was issued", "certificate", "ok"),
    Tag.PAPER_PREPARED: ("A statement waits for a signature", "sign", "quiet"),
    Tag.PAPER_SIGNED: ("Somebody signed the facts with their own key", "sign", "ok"),
    Tag.PAPER_ISSUED: ("A document was issued", "certificate", "ok"),
    Tag.CERTIFICATE_SEALED: ("The certificate was sealed", "certificate", "ok"),
    Tag.DOCUMENT_CORRECTED: ("A document counts no more", "shield-x", "bad"),
    Tag.DOCUMENT_TRANSLATED: ("The document was sealed in a further language", "file", "quiet"),
    Tag.AUDIT_PACK_REQUESTED: ("An audit pack was asked for", "archive", "quiet"),
    Tag.AUDIT_PACK_BEGUN: ("Somebody began to fetch an audit pack", "download", "quiet"),
    Tag.AUDIT_PACK_EXPORTED: ("An audit pack was taken away", "download", "accent"),
    Tag.AUDIT_PACK_BROKEN_OFF: ("Fetching an audit pack was broken off", "download", "quiet"),
    Tag.WEBHOOK_CREATED: ("A webhook was added", "link", "quiet"),
    Tag.WEBHOOK_CHANGED: ("A webhook was changed", "link", "quiet"),
    Tag.WEBHOOK_TESTED: ("A webhook was tested", "link", "quiet"),
    Tag.WEBHOOK_REPLAYED: ("A webhook's messages were sent again", "refresh", "quiet"),
    Tag.BALANCE_DRAWN: ("A balance was drawn up", "half", "quiet"),
    Tag.BALANCE_CLOSED: ("A balance was closed", "check", "ok"),
    Tag.IMPORT_RECEIVED: ("A table was read in", "upload", "quiet"),
    Tag.IMPORT_MAPPED: ("What an import's columns mean was said", "branch", "quiet"),
    Tag.IMPORT_CHECKED: ("An import was tried without effect", "eye", "quiet"),
    Tag.IMPORT_BEGUN: ("An import began", "upload", "accent"),
    Tag.IMPORT_FINISHED: ("An import was finished", "check", "ok"),
    Tag.IMPORT_ABANDONED: ("An import was given up", "ban", "warn"),
    Tag.EXPORT_TAKEN: ("A table was taken away", "download", "quiet"),
    Tag.POLICY_IN_FORCE: ("A policy came into force", "policy", "accent"),
}
"""Title, icon and tone of each tag; a test compares the keys with the vocabulary."""

SubjectLink = Callable[[EventView], Link | None]
ProofLink = Callable[[str], Link]


def _told(tag: str) -> tuple[str, str, Tone]:
    try:
        return _TOLD[Tag(tag)]
    except (ValueError, KeyError):
        return (
            sentence_case(tag),
            "dot",
            "quiet",
        )  # an event of a newer release: shown under its own name, never left out


def tell(event: EventView, subject: SubjectLink, proof: ProofLink, names: Names) -> StoryEvent:
    """One event in the reader's words."""
    title, icon, tone = _told(event.tag)
    return StoryEvent(
        time=event.at,
        title=title,
        text=told(event, names),
        signed=event.reason if event.tag == Tag.PAPER_SIGNED and in_own_language(event.reason) else "",
        actor=names(event.actor),
        icon=icon,
        tone=tone,
        subject=subject(event),
        proofs=tuple(proof(digest) for digest in event.evidence),
    )


def _together(entries: Iterable[StoryEvent]) -> Iterator[StoryEvent]:
    """Events that say the same of the same moment become one entry with all their texts and proofs."""
    for _, group in groupby(
        entries, key=lambda event: (event.title, event.actor, event.subject, event.time.replace(microsecond=0))
    ):
        same = list(group)
        texts = dict.fromkeys(event.text for event in same if event.text)
        signed = dict.fromkeys(event.signed for event in same if event.signed)
        proofs = dict.fromkeys(proof for event in same for proof in event.proofs)
        yield replace(same[0], text="\n".join(texts), signed="\n".join(signed), proofs=tuple(proofs))


def days(events: Iterable[EventView], subject: SubjectLink, proof: ProofLink, names: Names) -> tuple[Day, ...]:
    """Events as they come (newest first), grouped by their UTC day."""
    entries = _together(tell(event, subject, proof, names) for event in events)
    return tuple(Day(label, tuple(group)) for label, group in groupby(entries, key=lambda entry: day(entry.time)))
