"""Where the messages go: the addresses agents use, written once for both sides.

A contract test walks this list against the service's routing table and against the agent's client.
"""

from __future__ import annotations

PREFIX = "/api/v1"

ENROLMENTS = f"{PREFIX}/enrolments"
"""POST EnrolmentRequest -> EnrolmentReply. The same key with the same token may ask again."""
AGENT_ENROLMENT = f"{PREFIX}/agent/enrolment"
"""GET -> EnrolmentReply."""
AGENT_HEARTBEAT = f"{PREFIX}/agent/heartbeat"
"""POST Heartbeat -> HeartbeatReply."""
AGENT_OBSERVATION = f"{PREFIX}/agent/observation"
"""PUT Observation -> ObservationAccepted."""
AGENT_LEASES = f"{PREFIX}/agent/leases"
"""POST (empty object) -> LeaseReply."""
AGENT_HOLDS = f"{PREFIX}/agent/leases/{{lease}}/holds"
"""POST HoldQuestion -> HoldAnswer."""
AGENT_PROGRESS = f"{PREFIX}/agent/leases/{{lease}}/progress"
"""POST Progress -> ProgressReply."""
AGENT_RECORDS = f"{PREFIX}/agent/records"
"""POST RecordSubmission -> RecordAccepted."""
AGENT_ESCROWS = f"{PREFIX}/agent/escrows"
"""POST EscrowDeposit -> EscrowHeld. Before a drive is given a password; the same deposit again changes nothing."""
AGENT_ESCROW_RELEASE = f"{PREFIX}/agent/escrows/{{escrow}}/release"
"""POST EscrowRelease -> EscrowHeld."""
AGENT_ROSTER = f"{PREFIX}/agent/roster"
"""GET ?version=N -> RosterChain: every roster after version N, oldest first."""
LOG_CHECKPOINT = f"{PREFIX}/log/checkpoint"
"""GET -> text/plain, the newest checkpoint (C2SP tlog-checkpoint)."""
LOG_CONSISTENCY = f"{PREFIX}/log/consistency"
"""GET ?old=&new= -> ConsistencyProof."""
LOG_TRUST_ROOTS = f"{PREFIX}/log/trust-roots"
"""GET -> Envelope: the trust root whose envelope digest is the pin. Public."""
