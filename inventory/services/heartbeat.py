"""An agent is alive, and what it should know."""

from __future__ import annotations

from inventory.contract.v1.agents import Heartbeat, HeartbeatReply

from .context import Actor, Context


def beat(context: Context, actor: Actor, message: Heartbeat) -> HeartbeatReply:
    """Note the contact; answer with interval, paths to resolve, whether work waits, and the newest checkpoint with its proof.

    A checkpoint of the agent that is not ours raises a critical exception: somebody shows different logs to different people.

    Raises:
        AgentNotTrusted.
    """
    raise NotImplementedError
