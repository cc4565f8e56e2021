"""Work that was carried to the second host of the story, and what came back from there."""

from __future__ import annotations

from inventory.contract.v1.by_hand import ReturnBundle
from inventory.contract.v1.common import LogPosition
from inventory.services import job_bundles, return_bundles
from reports.canonical import to_base64
from reports.envelope import sign
from tests.support.console_agent import ConsoleAgent
from tests.support.console_world import ConsoleWorld


def carried(world: ConsoleWorld, agent: ConsoleAgent) -> str:
    """A bundle without orders for the host, and its return, which says nothing; the return's digest."""
    context = world.context
    job_bundles.issue(context, world.actor("omar"), job_bundles.IssueJobBundle(host=agent.host))
    with context.reading() as session:
        seen, _, _ = context.ledger.checkpoint(session)
    body = ReturnBundle(
        number=1,
        agent_key=agent.signer.key_id,
        agent_version="0.1.0",
        boot_id=agent.boot_id,
        made=context.now(),
        job_bundle=1,
        checkpoint=LogPosition(origin=seen.origin, size=seen.size, root=to_base64(seen.root)),
        running=(),
        records=(),
        told=(),
        observation=None,
        left_out=0,
    )
    envelope = sign("return-bundle", body.model_dump(mode="json", by_alias=True), agent.signer)
    command = return_bundles.ReceiveReturnBundle(envelope=envelope)
    return return_bundles.receive(context, world.actor("carla"), command).sha256
