"""Read models: frozen dataclasses that services hand out. Nothing here is bound to a session; all times are UTC.

Every field is a plain value, an enumeration of `inventory.domain.vocabulary`, a tuple of such, or another view, so that
`pydantic.TypeAdapter(View)` serializes each of them.
"""

from .data import (
    CaseDetail,
    CaseRow,
    DataSetView,
    DeclaredPathView,
    HoldingView,
    HoldView,
    ObligationView,
    StatementView,
)
from .devices import (
    AttachmentView,
    DestructionView,
    DeviceDetail,
    DeviceFactsView,
    DeviceRow,
    DriveView,
    EscrowSecretView,
    EscrowView,
    GateView,
    ReasonView,
    TechniqueView,
    WaiverView,
)
from .evidence import CertificateView, CheckpointView, LogEntryView, RecordView, TrustView, ValidationView
from .hosts import AgentKeyView, EnrolmentTokenView, HostDetail, HostRow
from .orders import ApprovalView, LeaseView, OrderDetail, OrderRow, PolicyDecisionView, ProgressView, ReadyOrder
from .overview import Dashboard, EventView, ExceptionView, LocationView, Page, PartyView, PolicyView, UndertakingView
from .people import (
    ApiTokenView,
    ApproverKeyView,
    OneTimeLinkView,
    PersonView,
    RosterPersonView,
    RosterView,
    SessionView,
)

__all__ = [
    "AgentKeyView",
    "ApiTokenView",
    "ApprovalView",
    "ApproverKeyView",
    "AttachmentView",
    "CaseDetail",
    "CaseRow",
    "CertificateView",
    "CheckpointView",
    "Dashboard",
    "DataSetView",
    "DeclaredPathView",
    "DestructionView",
    "DeviceDetail",
    "DeviceFactsView",
    "DeviceRow",
    "DriveView",
    "EnrolmentTokenView",
    "EscrowSecretView",
    "EscrowView",
    "EventView",
    "ExceptionView",
    "GateView",
    "HoldView",
    "HoldingView",
    "HostDetail",
    "HostRow",
    "LeaseView",
    "LocationView",
    "LogEntryView",
    "ObligationView",
    "OneTimeLinkView",
    "OrderDetail",
    "OrderRow",
    "Page",
    "PartyView",
    "PersonView",
    "PolicyDecisionView",
    "PolicyView",
    "ProgressView",
    "ReadyOrder",
    "ReasonView",
    "RecordView",
    "RosterPersonView",
    "RosterView",
    "SessionView",
    "StatementView",
    "TechniqueView",
    "TrustView",
    "UndertakingView",
    "ValidationView",
    "WaiverView",
]
