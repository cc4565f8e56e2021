"""Records: checked, judged, accepted, logged. An authentic record is kept whatever else is wrong with it."""

from __future__ import annotations

from inventory.contract.v1.agents import RecordAccepted, RecordSubmission

from .context import Actor, Context


def ingest(context: Context, actor: Actor, message: RecordSubmission) -> RecordAccepted:
    """Take in a signed record; the same envelope again gets the same acceptance with `new` false.

    Order, nonce, device, plan, policy, approvals, lease and token must all match for the record to become the order's record.
    A record that is authentic but fails one of these checks is stored, accepted with the failed check on it, logged, raises an
    exception, and changes nothing else.

    Raises:
        EvidenceRefused: not signed by this agent's key, or not a record.
        AgentNotTrusted: pending or revoked.
        Conflict: another envelope bears the same record id.
    """
    raise NotImplementedError
