"""SQLAlchemy models, one aggregate a file. Unique constraints, checks and version columns are the last line of defence."""

from . import answering as _answering  # noqa: F401 - listens to what is flushed
from .balances import Balance, BalanceLine, BalanceSheet
from .base import Base, Counter, UtcTime
from .by_hand import JobBundle, JobBundleOrder, ReturnBundle
from .custody import Escrow
from .data import (
    CaseDataSet,
    DataSet,
    DataSetCopy,
    DeclaredPath,
    ErasureCase,
    Hold,
    Holding,
    Obligation,
    Statement,
)
from .devices import Attachment, Destruction, Device, Waiver
from .evidence import Certificate, Record, Seal, SealedTranslation, StoredEnvelope, Validation
from .evidence_files import EvidenceFile
from .halts import HostHalt
from .handovers import Handover, HandoverDevice, HandoverLink
from .history import Event, ExceptionItem, PolicyVersion
from .host_places import HostPlace
from .hosts import EnrolmentToken, Host, HostContact, IdempotencyKey, Nonce
from .imports import Import, ImportLine, ImportPart, ImportState
from .log import Correction, LogCheckpoint, LogCosignature, LogEntry, LogHead, LogTile, LogWitness
from .lots import Container, ContainerDevice, Lot, LotDevice
from .orders import Approval, Lease, Order, RunProgress
from .organisation import Site, Team
from .packs import AuditPack
from .papers import Paper, PersonalSignature
from .people import ApiToken, DirectoryRow, OneTimeLink, Person, SignInAttempt, WebSession
from .places import Location, Party, Undertaking
from .questions import Question
from .readings import Reading
from .samples import Sample, SampleDevice
from .saved_views import SavedView
from .signin import Authenticator, Identity, Passkey, RecoveryCode
from .time import TimeAuthorityState, TimeStamp
from .trust import ApproverKey, Roster
from .webhooks import Webhook, WebhookCursor, WebhookDelivery

__all__ = [
    "ApiToken",
    "Approval",
    "ApproverKey",
    "Attachment",
    "AuditPack",
    "Authenticator",
    "Balance",
    "BalanceLine",
    "BalanceSheet",
    "Base",
    "CaseDataSet",
    "Certificate",
    "Container",
    "ContainerDevice",
    "Correction",
    "Counter",
    "DataSet",
    "DataSetCopy",
    "DeclaredPath",
    "Destruction",
    "Device",
    "DirectoryRow",
    "EnrolmentToken",
    "ErasureCase",
    "Escrow",
    "Event",
    "EvidenceFile",
    "ExceptionItem",
    "Handover",
    "HandoverDevice",
    "HandoverLink",
    "Hold",
    "Holding",
    "Host",
    "HostContact",
    "HostHalt",
    "HostPlace",
    "IdempotencyKey",
    "Identity",
    "Import",
    "ImportLine",
    "ImportPart",
    "ImportState",
    "JobBundle",
    "JobBundleOrder",
    "Lease",
    "Location",
    "LogCheckpoint",
    "LogCosignature",
    "LogEntry",
    "LogHead",
    "LogTile",
    "LogWitness",
    "Lot",
    "LotDevice",
    "Nonce",
    "Obligation",
    "OneTimeLink",
    "Order",
    "Paper",
    "Party",
    "Passkey",
    "Person",
    "PersonalSignature",
    "PolicyVersion",
    "Question",
    "Reading",
    "Record",
    "RecoveryCode",
    "ReturnBundle",
    "Roster",
    "RunProgress",
    "Sample",
    "SampleDevice",
    "SavedView",
    "Seal",
    "SealedTranslation",
    "SignInAttempt",
    "Site",
    "Statement",
    "StoredEnvelope",
    "Team",
    "TimeAuthorityState",
    "TimeStamp",
    "Undertaking",
    "UtcTime",
    "Validation",
    "Waiver",
    "WebSession",
    "Webhook",
    "WebhookCursor",
    "WebhookDelivery",
]
