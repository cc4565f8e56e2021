"""Version 1 of the interface, a noun a file."""

from __future__ import annotations

from inventory.api.endpoint import Noun

from . import (
    agents,
    balances,
    batches,
    cases,
    corrections,
    custody,
    devices,
    evidence,
    holdings,
    hosts,
    leaving,
    log,
    orders,
    organisation,
    overview,
    packs,
    papers,
    people,
    places,
    readings,
    service,
    session,
    verification,
)

NOUNS: tuple[Noun, ...] = (
    session.noun,
    overview.noun,
    devices.noun,
    custody.noun,
    orders.noun,
    readings.noun,
    balances.noun,
    evidence.noun,
    batches.noun,
    evidence.certificate_noun,
    corrections.noun,
    holdings.noun,
    holdings.holdings,
    holdings.hold_noun,
    cases.noun,
    cases.statements,
    papers.noun,
    hosts.noun,
    places.noun,
    places.parties,
    leaving.destructions,
    leaving.noun,
    organisation.noun,
    people.noun,
    people.keys,
    people.rosters,
    overview.policy_noun,
    overview.exception_noun,
    overview.events,
    log.noun,
    log.root_noun,
    verification.noun,
    packs.noun,
    agents.noun,
    readings.agent_noun,
    service.noun,
)
"""In the order of the reference page."""

__all__ = ["NOUNS"]
