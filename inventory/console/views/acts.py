"""Kinds of acts in words, with the roles that grant them: for who asks what somebody is trusted with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from inventory.console.language.speaking import say
from inventory.domain.roles import EXCLUSIVE, Permission, Role
from inventory.services.views import KindOfActView

WORDS: Final[Mapping[Permission, str]] = {
    Permission.READ: "see devices, hosts, orders and their states",
    Permission.READ_EVIDENCE: "read records, certificates, statements and the log",
    Permission.READ_EVENTS: "read the whole history with who did what",
    Permission.READ_DIRECTORY: "read people's names and contacts",
    Permission.DEVICE_DECLARE: "declare devices",
    Permission.TABLE_IMPORT: "read tables in",
    Permission.DEVICE_MOVE: "move, retire and quarantine devices, and report them missing or found",
    Permission.DEVICE_RELEASE: "release devices through the gate",
    Permission.EVIDENCE_KEEP: "add photographs, films and papers about a device",
    Permission.DESTRUCTION_RECORD: "record a physical destruction",
    Permission.DESTRUCTION_WITNESS: "witness a physical destruction",
    Permission.WAIVER: "open and countersign waivers",
    Permission.LOCATION_MANAGE: "manage places",
    Permission.PARTY_MANAGE: "manage parties and their undertakings",
    Permission.LOT_MANAGE: "open, fill and close lots and containers",
    Permission.HANDOVER: "offer, accept and dispute hand-overs",
    Permission.DATA_SET_MANAGE: "manage data sets, their paths and where they lie",
    Permission.CASE_MANAGE: "open, attest and close erasure cases",
    Permission.HOLD_MANAGE: "place and lift holds",
    Permission.EXCEPTION_RESOLVE: "resolve exceptions",
    Permission.ORDER_REQUEST: "ask for orders",
    Permission.READING_REQUEST: "have a sanitized medium read again, and examine samples",
    Permission.SAMPLE_DRAW: "draw independent samples and assign them",
    Permission.ORDER_CANCEL: "cancel orders",
    Permission.ORDER_STOP: "stop runs and halt hosts",
    Permission.ORDER_APPROVE: "approve orders",
    Permission.ESCROW_REVEAL: "see a drive's password that is in custody",
    Permission.RECORD_VALIDATE: "validate records",
    Permission.CERTIFICATE_ISSUE: "issue certificates",
    Permission.FACTS_SIGN: "sign facts with a key of one's own",
    Permission.BALANCE_CLOSE: "draw up and close balances",
    Permission.DOCUMENT_CORRECT: "void and supersede documents",
    Permission.APPROVER_KEY_REGISTER: "register a key of one's own to approve with",
    Permission.APPROVER_KEY_CONFIRM: "confirm approvers' keys",
    Permission.ROSTER_PROPOSE: "propose a roster",
    Permission.ROSTER_SIGN: "sign a roster",
    Permission.AUDIT_EXPORT: "take audit packs away",
    Permission.PEOPLE_MANAGE: "manage people, their roles and how far they see",
    Permission.HOST_MANAGE: "enrol and manage hosts",
    Permission.POLICY_MANAGE: "put policies in force",
    Permission.WEBHOOK_MANAGE: "manage webhooks",
}
"""Each kind of act, after "who may"."""


@dataclass(frozen=True)
class Act:
    """One kind of act."""

    code: str
    title: str
    """In the reader's language, by itself."""
    roles: tuple[Role, ...]
    people: int
    """How many may, who are let in."""


def said(permission: str) -> str:
    """A kind of act in the reader's language, by itself; the code where nobody gave it words."""
    found = {str(one): text for one, text in WORDS.items()}.get(permission)
    text = str(say(found)) if found else permission
    return text[:1].upper() + text[1:] if found else text


def acts(kinds: Iterable[KindOfActView]) -> tuple[Act, ...]:
    """Every kind of act, by what it is called."""
    found = [Act(code=one.permission, title=said(one.permission), roles=one.roles, people=one.people) for one in kinds]
    return tuple(sorted(found, key=lambda act: act.title.casefold()))


def apart() -> tuple[tuple[Role, tuple[Role, ...]], ...]:
    """Roles that no one person holds together, the one that stands in most pairs first."""
    return tuple(
        (first, tuple(other for one, other in EXCLUSIVE if one is first))
        for first in dict.fromkeys(one for one, _ in EXCLUSIVE)
    )
