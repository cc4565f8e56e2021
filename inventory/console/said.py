"""What a page may say about the deed that led to it: a closed list, named by one word in the address.

Nothing is stored and nothing of the address is repeated, so such an address can say nothing but these sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class Said:
    """One sentence and its tone."""

    tone: Literal["ok", "warn"]
    sentence: str
    onward: tuple[str, str] | None = None
    """Page and label of what comes next in a day's work, for who may open it."""


_SIGN: Final = ("orders_to_approve", "What else waits for your signature")
_DECIDE: Final = ("orders_to_validate", "What else waits for a decision")
_KEEP: Final = ("custody_queue", "What else waits for you")
_BEGIN: Final = ("first_steps", "Go on with the first steps")

SAID: Final = {
    "signed-out": Said("ok", "You are signed out."),
    "session-over": Said("warn", "Your session has ended. Sign in, and you are back where you were."),
    "nothing-done": Said(
        "warn", "Your session has ended, and nothing was done. Sign in, and you are back at the page."
    ),
    "words-kept": Said(
        "warn",
        "Your session has ended, and nothing was done. Sign in: what you wrote is kept for a quarter of an hour.",
    ),
    "password-changed": Said("ok", "Your password is changed. Every other session of yours has ended."),
    "set-up-factor": Said("warn", "Set up a passkey or an authenticator app: until then this account opens nothing."),
    "passkey-registered": Said("ok", "The passkey is registered. Sign in with it from now on."),
    "passkey-removed": Said("ok", "That passkey lets nobody in any more."),
    "authenticator-removed": Said("ok", "The authenticator app counts no more."),
    "sso-refused": Said("warn", "Single sign-on let nobody in: that account is nobody's here, or it took too long."),
    "identity-removed": Said("ok", "That account lets you in no more."),
    "sign-in-reset": Said("ok", "Removed. Make a new one-time link and hand it over."),
    "session-ended": Said("ok", "That session has ended."),
    "token-revoked": Said("ok", "The token is revoked."),
    "job-bundle-made": Said("ok", "The bundle is made and signed. Carry it to the host: as a file, or as codes."),
    "return-bundle-taken": Said(
        "ok", "Taken in. What became of each part stands below.", ("by_hand", "What is still out")
    ),
    "return-bundle-known": Said("ok", "This bundle had been handed in before; nothing changed."),
    "device-declared": Said("ok", "The device is declared.", ("declare_device", "Declare another")),
    "device-adopted": Said("ok", "What was declared and what was seen are now one device."),
    "device-changed": Said("ok", "Done. The history has a new entry."),
    "device-moved": Said("ok", "The device has a new place."),
    "device-released": Said("ok", "The gate let it pass: the device is released.", _KEEP),
    "holding-declared": Said("ok", "The inventory knows now what this device holds."),
    "holding-ended": Said(
        "ok", "The data is no longer live there. What remains is residue until a validated record covers it."
    ),
    "destruction-recorded": Said("ok", "Recorded. Somebody who saw it must now witness it."),
    "destruction-withdrawn": Said("ok", "Withdrawn. The device stays what it is."),
    "destruction-witnessed": Said("ok", "Witnessed. A validator decides next."),
    "destruction-decided": Said("ok", "Your decision is signed and logged.", _DECIDE),
    "waiver-opened": Said("warn", "The waiver is open. A second person in another role must countersign it."),
    "waiver-countersigned": Said(
        "warn", "The waiver is countersigned. It will stand on every report about this device."
    ),
    "waiver-used": Said("warn", "The device left unsanitized under a waiver."),
    "site-saved": Said("ok", "The site is saved."),
    "team-saved": Said("ok", "The team is saved."),
    "belonging-saved": Said("ok", "Saved. Whoever is limited sees it from their next request on."),
    "host-confirmed": Said(
        "ok", "The fingerprint is confirmed. Its key is in the log, and its agent may work.", _BEGIN
    ),
    "host-rejected": Said("ok", "The host is turned away."),
    "host-revoked": Said("ok", "The host's key counts no more."),
    "host-halted": Said("warn", "Halted. Nothing is begun there; what can be stopped stops at its next block."),
    "host-halt-lifted": Said("ok", "The halt is lifted. Its agent goes on with its next heartbeat."),
    "data-set-created": Said("ok", "The data set is known. Next: say where it lives."),
    "data-set-changed": Said("ok", "The data set is changed."),
    "path-declared": Said("ok", "Declared. The host's agent follows it to the disks with its next report."),
    "path-withdrawn": Said("ok", "Withdrawn. What the disks still carry is residue."),
    "case-opened": Said("ok", "The case is open; its obligations are derived from what every medium held."),
    "obligations-attested": Said("ok", "Attested in your name, and kept as evidence."),
    "cases-taken-in": Said("ok", "The list is taken in: each of its withdrawals has a case."),
    "case-due-moved": Said("ok", "The due date is moved. Tell the customer why."),
    "path-dated": Said(
        "ok", "It is known now since when the data has lain there; what follows from it is written down."
    ),
    "webhook-changed": Said("ok", "The webhook is changed."),
    "webhook-tested": Said("ok", "A test message is queued; it goes out with the next round, within a minute."),
    "webhook-replayed": Said("ok", "The messages wait to be sent again, with the same ids."),
    "case-closed": Said("ok", "The case is closed.", ("privacy_queue", "What else waits for you")),
    "statement-issued": Said("ok", "The statement is signed and logged."),
    "hold-placed": Said("ok", "The hold is in force. Runs under way have been asked to stop."),
    "hold-lifted": Said("ok", "The hold is lifted."),
    "exception-assigned": Said("ok", "It has an owner now."),
    "exception-resolved": Said("ok", "Resolved. It will be raised again if its cause is seen again."),
    "question-raised": Said("ok", "Announced. The questions stand below; facts answer them."),
    "question-withdrawn": Said("ok", "Withdrawn. The device stays what it is."),
    "order-requested": Said("ok", "The order is sealed and waits for its approvers."),
    "order-cancelled": Said("ok", "The order is cancelled."),
    "batch-ordered": Said("ok", "The orders are sealed and wait for their approvers, each by itself."),
    "decided-together": Said("ok", "Your decisions are signed and logged, one for each record."),
    "evidence-kept": Said("ok", "The file is kept, and its digest stands in the history."),
    "sample-drawn": Said("ok", "The sample is drawn, signed and logged. Say who examines each device."),
    "sample-assigned": Said("ok", "It is assigned."),
    "sample-examined": Said("ok", "Your finding is in the history."),
    "reading-requested": Said("ok", "The reading is ordered; the host's agent takes it up with its next report."),
    "reading-cancelled": Said("ok", "The reading is cancelled."),
    "stop-requested": Said("warn", "The agent is asked to stop. Its record will say interrupted."),
    "approved": Said("ok", "Your signature is accepted.", _SIGN),
    "decided": Said("ok", "Your decision is signed and logged.", _DECIDE),
    "document-issued": Said("ok", "The document is signed, logged and sealed."),
    "document-report": Said("warn", "Something is missing: what was issued is a report, and certifies nothing."),
    "statement-prepared": Said("ok", "Prepared. The responsible person signs it with their own key."),
    "facts-signed": Said("ok", "Your signature is accepted."),
    "certificate-issued": Said("ok", "The certificate is signed, logged and sealed.", _DECIDE),
    "document-corrected": Said("warn", "Signed and logged: whoever asks the log is told from now on."),
    "key-registered": Said("ok", "Your key is registered. An administrator compares its fingerprint with you next."),
    "key-confirmed": Said("ok", "The key is confirmed and in the log. It counts once a roster holds it."),
    "key-revoked": Said("ok", "The key counts no more. The roster must be renewed without it."),
    "roster-proposed": Said("ok", "Proposed. The members of the roster in force must sign it."),
    "roster-signed": Said("ok", "Your signature is accepted.", _BEGIN),
    "person-changed": Said("ok", "Done."),
    "location-saved": Said("ok", "The place is saved."),
    "party-saved": Said("ok", "The party is saved."),
    "undertaking-filed": Said("ok", "The undertaking is filed."),
    "import-received": Said("ok", "Read in. Compare how it is understood, then try it."),
    "import-mapped": Said("ok", "This is what the columns mean now. Try it next."),
    "import-tried": Said("ok", "Tried without effect: nothing was changed."),
    "import-begun": Said("ok", "It is being taken over."),
    "import-abandoned": Said("warn", "Given up. The file is gone; what was taken over before stays."),
    "lot-opened": Said("ok", "The lot is open."),
    "lot-changed": Said("ok", "Done. The lot's history has a new entry."),
    "container-saved": Said("ok", "Done. The container's history has a new entry."),
    "handover-offered": Said("ok", "Offered. Nothing has changed hands before the other side has counted the same."),
    "handover-accepted": Said("ok", "Both counts agree: the devices are at the receiving side now.", _KEEP),
    "handover-disputed": Said(
        "warn",
        "The two sides differ. Nothing changed hands; each difference is an exception.",
        ("exceptions", "See the differences"),
    ),
    "handover-withdrawn": Said("ok", "The offer is taken back."),
    "handover-link-revoked": Said("ok", "The link opens nothing any more."),
    "balance-drawn": Said("ok", "Counted. Whatever does not agree has its exception and its owner."),
    "balance-closed": Said("ok", "The balance is signed, logged and closed."),
    "policy-imported": Said("ok", "The new policy is in force. Open orders keep the decision they were sealed with."),
    "view-saved": Said("ok", "The view is kept. You find it above the list."),
    "view-changed": Said("ok", "The view is changed."),
    "view-removed": Said("ok", "The view is removed."),
    "many-changed": Said("ok", "Done to each of them. Their histories have a new entry."),
    "many-changed-some": Said("warn", "Done, but not to all: some refused in the last moment. Look at each."),
}
"""Word -> sentence; a test looks for every `said=` of the pages here."""
