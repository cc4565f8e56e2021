"""Makes a return bundle: what became of the work, signed by this host, for whoever carries it back."""

from __future__ import annotations

import datetime as dt
from typing import Any

from agents import discovery, host
from agents.assembly import Agent
from agents.log_watch import position_of
from agents.runs import State
from inventory.contract.v1.agents import RecordSubmission
from inventory.contract.v1.by_hand import MOST_RECORDS, Introduction, ReturnBundle
from inventory.contract.v1.common import Envelope
from inventory.contract.v1.devices import Observation
from reports.envelope import sign

from .service import HandService


def make(agent: Agent, service: HandService, *, devices: bool) -> tuple[ReturnBundle, dict[str, Any]]:
    """The bundle and its envelope. Making one sends nothing and forgets nothing: records wait until their acceptance comes.

    Args:
        agent: Built with `service`.
        service: Says which bundle is the newest.
        devices: Whether what is attached goes along; codes to scan are fewer without.
    """
    waiting = agent.outbox.waiting()
    items = [agent.outbox.read(record_id) for record_id in waiting[:MOST_RECORDS]]
    seen = _seen(agent, service) if devices else None
    body = ReturnBundle(
        number=service.store.next_return(),
        agent_key=agent.judge.agent_key,
        agent_version=host.agent_version(),
        boot_id=host.boot_id(),
        made=agent.watch.clock.now().astimezone(dt.UTC),
        job_bundle=0 if service.job is None else service.job.body.number,
        checkpoint=position_of(agent.pins.require().checkpoint),
        running=tuple(run.order_id for run in agent.runs.all() if run.state is State.STARTED),
        records=tuple(
            RecordSubmission(lease=item.lease, token=item.token, record=Envelope.model_validate(item.envelope))
            for item in items
        ),
        told=service.store.told(),
        observation=seen,
        left_out=len(waiting) - len(items),
    )
    service.store.went_out(body.number, [one.lease for one in body.told])
    document = body.model_dump(mode="json", by_alias=True)
    return body, sign("return-bundle", document, agent.runner.signer)


def _seen(agent: Agent, service: HandService) -> Observation:
    paths = () if service.job is None else service.job.body.paths
    return discovery.observe(agent.engine, paths, agent.watch.clock, beyond=agent.settings.survey)


def introduce(introduction: Introduction, signer: Any) -> dict[str, Any]:  # noqa: ANN401 - a `reports.envelope.Signer`
    """The envelope of a host that nobody knows yet."""
    return sign("return-bundle", introduction.model_dump(mode="json", by_alias=True), signer)
