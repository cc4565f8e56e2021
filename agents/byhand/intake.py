"""Takes in a job bundle: what it says counts by signatures alone, whoever carried it. Doing it twice is once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from agents import following, leasing
from agents.assembly import Agent
from agents.clock import rfc3339
from agents.errors import AgentError, BundleRefused, Retry
from agents.log_watch import decode_hashes
from inventory.contract.v1.by_hand import JobBundle
from inventory.contract.v1.orders import Lease
from reports.envelope import envelope_digest, open_envelope, payload_bytes
from reports.errors import ReportError

from .service import HandService, Job


@dataclass(frozen=True)
class TakenIn:
    """What a bundle brought."""

    number: int
    jobs: int
    accepted: int
    """Records of this host that the service has."""
    until: str
    new: bool
    """False: this very bundle was taken in before."""


def read(envelope: Mapping[str, Any]) -> Job:
    """A bundle's content, before anybody asked who signed it. Raises `BundleRefused`."""
    try:
        body = JobBundle.model_validate_json(payload_bytes(envelope, "job-bundle"))
        return Job(body, envelope_digest(envelope))
    except ReportError as error:
        raise BundleRefused(error.summarize()) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BundleRefused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def kept(service: HandService) -> Job | None:
    """The newest bundle this host has taken in."""
    envelope = service.store.job_envelope()
    return None if envelope is None else read(envelope)


def take_in(agent: Agent, service: HandService, envelope: Mapping[str, Any]) -> TakenIn:
    """Check a bundle, keep it, and take in its orders.

    Args:
        agent: Built with `service`.
        service: Answers out of the new bundle from now on.
        envelope: As carried.

    Raises:
        BundleRefused: Not signed by the service, for another host, or older than what this host has.
        EvidenceRefused, RosterRefused: What it brings of log, trust root or roster does not follow from what is pinned.
    """
    before = kept(service)
    job = read(envelope)
    _require_ours(agent, job, before)
    service.job = job
    try:
        _follow(agent, service)
        _require_signed(agent, envelope)
    except BaseException:
        service.job = before
        raise
    service.store.keep_job(dict(envelope))
    service.store.note_time(job.body.made)
    _follow_rosters(agent, job)
    taken = sum(_take(agent, lease) for lease in job.body.jobs)
    accepted = _forget_accepted(agent)
    service.store.heard_of(job.body.returned)
    new = before is None or before.sha256 != job.sha256
    return TakenIn(job.body.number, taken, accepted, rfc3339(job.body.until), new)


def _require_ours(agent: Agent, job: Job, before: Job | None) -> None:
    if job.body.agent_key != agent.judge.agent_key:
        raise BundleRefused(
            f"It is for {job.body.host}, key {job.body.agent_key[:16]}…; this host's is {agent.judge.agent_key[:16]}…."
        )
    if before is None or before.sha256 == job.sha256:
        return
    if job.body.number < before.body.number:
        raise BundleRefused(f"It is number {job.body.number}; this host has number {before.body.number} already.")
    if job.body.number == before.body.number:
        raise BundleRefused(f"Another bundle with number {job.body.number} was taken in before: two are signed.")


def _follow(agent: Agent, service: HandService) -> None:
    """The log and the trust root, as far as the bundle leads."""

    def prove(old: int, new: int) -> tuple[bytes, ...]:
        return decode_hashes(service.consistency(old, new).hashes)

    try:
        following.follow(agent.pins, service)
        following.advance(agent.pins, service, service.checkpoint(), prove)
    except Retry as error:
        raise BundleRefused(
            "It does not prove that its log continues the one this host knows. Carry a return bundle to the service "
            "first: it says what this host knows."
        ) from error


def _require_signed(agent: Agent, envelope: Mapping[str, Any]) -> None:
    try:
        open_envelope(envelope, agent.judge.service_keys(), "job-bundle", exact=True)
    except ReportError as error:
        raise BundleRefused(f"The service this host is enrolled with did not sign it: {error.summarize()}") from error


def _follow_rosters(agent: Agent, job: Job) -> None:
    pinned = agent.pins.require().roster
    if pinned is None:
        return
    newer = job.body.rosters[pinned.roster.version :]
    if newer:
        agent.pins.follow_rosters([one.model_dump() for one in newer])


def _take(agent: Agent, lease: Lease) -> int:
    known = [run for run in agent.runs.all() if run.lease.id == lease.id]
    if known and known[0].lease.token > lease.token:
        return 0
    return 0 if leasing.take_in(agent.runs, agent.outbox, lease) is None else 1


def _forget_accepted(agent: Agent) -> int:
    """Records whose acceptance came along are proven, kept with it, and wait no more."""
    count = 0
    for record_id in agent.outbox.waiting():
        try:
            agent.outbox.deliver(record_id)
        except Retry:
            continue
        except AgentError as error:
            raise BundleRefused(
                f"What it brings about record {record_id} does not hold: {error.summarize()}"
            ) from error
        count += 1
    return count
