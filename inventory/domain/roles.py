"""Who may do what: roles x permissions, deny by default; and which roles exclude each other (governance, section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person is trusted with; several at once, where they do not exclude each other."""

    VIEWER = "viewer"
    CUSTODIAN = "custodian"
    OPERATOR = "operator"
    APPROVER = "approver"
    VALIDATOR = "validator"
    PRIVACY_OFFICER = "privacy_officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """One kind of act. A service asks for exactly one of these before it does anything."""

    READ = "inventory.read"
    """Devices, hosts, locations, data sets, orders and their states."""
    READ_EVIDENCE = "evidence.read"
    """Records, approvals, certificates, statements, the log."""
    READ_EVENTS = "events.read"
    """The whole event history with its actors."""
    READ_DIRECTORY = "directory.read"
    """Names and contacts behind the pseudonyms."""
    DEVICE_DECLARE = "device.declare"
    TABLE_IMPORT = "table.import"
    """Send tables from elsewhere, about what one may say one by one."""
    DEVICE_MOVE = "device.move"
    """Place, relocate, retire, quarantine, return to service, report missing or found."""
    DEVICE_RELEASE = "device.release"
    """Through the gate only."""
    EVIDENCE_KEEP = "evidence.keep"
    """Add photographs, films and papers about a device."""
    DESTRUCTION_RECORD = "destruction.record"
    DESTRUCTION_WITNESS = "destruction.witness"
    WAIVER = "waiver.sign"
    LOCATION_MANAGE = "location.manage"
    PARTY_MANAGE = "party.manage"
    LOT_MANAGE = "lot.manage"
    """Lots and containers: open, fill, close."""
    HANDOVER = "handover.take_part"
    """Offer, accept, dispute; out of the company only with `device.release`, too."""
    DATA_SET_MANAGE = "data_set.manage"
    """Data sets, declared paths, declared holdings."""
    CASE_MANAGE = "case.manage"
    """Erasure cases: open, attest, close, issue the statement."""
    HOLD_MANAGE = "hold.manage"
    EXCEPTION_RESOLVE = "exception.resolve"
    ORDER_REQUEST = "order.request"
    READING_REQUEST = "reading.request"
    """Have a sanitized medium read again, where nothing is written to it; examine a drawn sample."""
    SAMPLE_DRAW = "sample.draw"
    """Draw the independent sample of a closed lot, and assign it."""
    ORDER_CANCEL = "order.cancel"
    ORDER_STOP = "order.stop"
    ORDER_APPROVE = "order.approve"
    ESCROW_REVEAL = "escrow.reveal"
    """See a drive's password that is in custody, to unlock it."""
    RECORD_VALIDATE = "record.validate"
    CERTIFICATE_ISSUE = "certificate.issue"
    FACTS_SIGN = "facts.sign"
    """With one's own key: as witness of a destruction, as second person, or responsible for a statement."""
    BALANCE_CLOSE = "balance.close"
    """Draw up balances, and close them once every difference has its answer."""
    DOCUMENT_CORRECT = "document.correct"
    """Void or supersede a certificate or statement."""
    APPROVER_KEY_REGISTER = "approver_key.register"
    """One's own."""
    APPROVER_KEY_CONFIRM = "approver_key.confirm"
    ROSTER_PROPOSE = "roster.propose"
    ROSTER_SIGN = "roster.sign"
    AUDIT_EXPORT = "audit.export"
    """Take an audit pack away; beyond one case only with `events.read`, with people's names only with `directory.read`."""
    PEOPLE_MANAGE = "people.manage"
    HOST_MANAGE = "host.manage"
    POLICY_MANAGE = "policy.manage"
    WEBHOOK_MANAGE = "webhook.manage"
    """Add, pause, test and end webhooks, and send their messages again."""


_READER: Final = frozenset({Permission.READ})
_INFORMED: Final = _READER | {Permission.READ_EVIDENCE}

GRANTS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.VIEWER: _READER,
    Role.CUSTODIAN: _INFORMED
    | {
        Permission.DEVICE_DECLARE,
        Permission.TABLE_IMPORT,
        Permission.DEVICE_MOVE,
        Permission.DEVICE_RELEASE,
        Permission.LOT_MANAGE,
        Permission.HANDOVER,
        Permission.READING_REQUEST,
        Permission.EVIDENCE_KEEP,
        Permission.DESTRUCTION_RECORD,
        Permission.DESTRUCTION_WITNESS,
        Permission.WAIVER,
        Permission.LOCATION_MANAGE,
        Permission.EXCEPTION_RESOLVE,
        Permission.BALANCE_CLOSE,
        Permission.CERTIFICATE_ISSUE,
    },
    Role.OPERATOR: _INFORMED
    | {
        Permission.DEVICE_DECLARE,
        Permission.TABLE_IMPORT,
        Permission.DEVICE_MOVE,
        Permission.LOT_MANAGE,
        Permission.ORDER_REQUEST,
        Permission.READING_REQUEST,
        Permission.EVIDENCE_KEEP,
        Permission.ORDER_CANCEL,
        Permission.ORDER_STOP,
        Permission.ESCROW_REVEAL,
        Permission.DESTRUCTION_RECORD,
        Permission.DESTRUCTION_WITNESS,
        Permission.EXCEPTION_RESOLVE,
        Permission.BALANCE_CLOSE,
        Permission.CERTIFICATE_ISSUE,
    },
    Role.APPROVER: _INFORMED
    | {
        Permission.ORDER_APPROVE,
        Permission.ORDER_CANCEL,
        Permission.ORDER_STOP,
        Permission.APPROVER_KEY_REGISTER,
        Permission.FACTS_SIGN,
        Permission.ROSTER_PROPOSE,
        Permission.ROSTER_SIGN,
    },
    Role.VALIDATOR: _INFORMED
    | {
        Permission.RECORD_VALIDATE,
        Permission.READING_REQUEST,
        Permission.EVIDENCE_KEEP,
        Permission.SAMPLE_DRAW,
        Permission.CERTIFICATE_ISSUE,
        Permission.DOCUMENT_CORRECT,
        Permission.DESTRUCTION_WITNESS,
    },
    Role.PRIVACY_OFFICER: _INFORMED
    | {
        Permission.DATA_SET_MANAGE,
        Permission.TABLE_IMPORT,
        Permission.CASE_MANAGE,
        Permission.HOLD_MANAGE,
        Permission.AUDIT_EXPORT,
        Permission.PARTY_MANAGE,
        Permission.WAIVER,
        Permission.ORDER_CANCEL,
        Permission.ORDER_STOP,
        Permission.EXCEPTION_RESOLVE,
        Permission.BALANCE_CLOSE,
        Permission.CERTIFICATE_ISSUE,
        Permission.DOCUMENT_CORRECT,
    },
    Role.AUDITOR: _INFORMED | {Permission.READ_EVENTS, Permission.READ_DIRECTORY, Permission.AUDIT_EXPORT},
    Role.ADMINISTRATOR: _INFORMED
    | {
        Permission.READ_EVENTS,
        Permission.READ_DIRECTORY,
        Permission.PEOPLE_MANAGE,
        Permission.TABLE_IMPORT,
        Permission.HOST_MANAGE,
        Permission.POLICY_MANAGE,
        Permission.WEBHOOK_MANAGE,
        Permission.LOCATION_MANAGE,
        Permission.PARTY_MANAGE,
        Permission.APPROVER_KEY_CONFIRM,
        Permission.ROSTER_PROPOSE,
        Permission.ORDER_STOP,
        Permission.EXCEPTION_RESOLVE,
    },
}
"""What each role may do. A permission that stands nowhere here is granted to nobody."""

EXCLUSIVE: Final[tuple[tuple[Role, Role], ...]] = (
    (Role.ADMINISTRATOR, Role.APPROVER),
    (Role.ADMINISTRATOR, Role.VALIDATOR),
    (Role.AUDITOR, Role.CUSTODIAN),
    (Role.AUDITOR, Role.OPERATOR),
    (Role.AUDITOR, Role.APPROVER),
    (Role.AUDITOR, Role.VALIDATOR),
    (Role.AUDITOR, Role.PRIVACY_OFFICER),
    (Role.AUDITOR, Role.ADMINISTRATOR),
)
"""Roles no one person may hold together: whoever runs the service decides nothing in it, whoever audits changes nothing."""


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """Everything these roles may do together."""
    return frozenset(permission for role in roles for permission in GRANTS.get(role, frozenset()))


def may(roles: Iterable[Role], permission: Permission) -> bool:
    """Whether any of these roles grants the permission."""
    return any(permission in GRANTS.get(role, frozenset()) for role in roles)


def roles_with(permission: Permission) -> frozenset[Role]:
    """Who may do this; for the sentence that refuses."""
    return frozenset(role for role, granted in GRANTS.items() if permission in granted)


def incompatible(roles: Iterable[Role]) -> tuple[tuple[Role, Role], ...]:
    """The pairs among these roles that exclude each other; empty where one person may hold them all."""
    held = frozenset(roles)
    return tuple(pair for pair in EXCLUSIVE if held.issuperset(pair))
