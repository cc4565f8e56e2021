"""Leases: leave to execute one order until a time, under a fencing token. Compare-and-swap, so that one of two claimers wins."""

from __future__ import annotations

from inventory.contract.v1.orders import HoldAnswer, HoldQuestion, LeaseReply, Progress, ProgressReply

from .context import Actor, Context


def acquire(context: Context, actor: Actor) -> LeaseReply:
    """Lease the oldest executable order of this agent, or the run it left unfinished; an empty reply when there is none.

    Approvals are checked again against the published roster, holds and expiry are asked, the device must be attached to this host.

    Raises:
        AgentNotTrusted.
    """
    raise NotImplementedError


def answer_hold(context: Context, actor: Actor, lease: str, question: HoldQuestion) -> HoldAnswer:
    """Asked right before the first write (and before going on after a restart). `clear` commits order and device as under way.

    Raises:
        NotFound: not this agent's lease.
    """
    raise NotImplementedError


def report_progress(context: Context, actor: Actor, lease: str, progress: Progress) -> ProgressReply:
    """Take in progress and prolong the lease; an old token is told that it is not current, and changes nothing.

    `refused` before the first write ends the order with the agent's reason. Other end states wait for the record.

    Raises:
        NotFound: not this agent's lease.
    """
    raise NotImplementedError
