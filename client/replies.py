"""What the service answers, as far as scripts need it.

These read what they know and ignore what is new, so that an older script goes on working; what is missing is an error.
A test compares them with the service's own document.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from inventory.contract.v1.common import Instant

Item = TypeVar("Item", bound=BaseModel)


class Answer(BaseModel):
    """An answer: immutable, tolerant of new fields."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Page(Answer, Generic[Item]):
    """A page of a list, and the key of the next one."""

    items: tuple[Item, ...]
    next: str | None


class DeviceSummary(Answer):
    """A device in a list."""

    id: str
    state: str
    asset_tag: str | None
    label: str
    version: int


class Device(DeviceSummary):
    """One device."""

    location: str | None
    fingerprint: str | None


class OrderSummary(Answer):
    """An order in a list."""

    id: str
    state: str
    device: str
    host: str
    method: str
    technique: str
    requested_by: str
    expires: Instant
    approvals_given: int
    approvals_required: int
    record: str | None
    certificate: str | None
    version: int


class Order(OrderSummary):
    """One order."""

    reason: str
    sha256: str
    """What approvers sign."""
    outcome_reason: str | None


class Case(Answer):
    """An erasure case."""

    id: str
    reference: str
    state: str
    due: Instant
    overdue: bool
    obligations_open: int
    obligations_total: int
    version: int


class ExceptionEntry(Answer):
    """Something unaccounted."""

    id: str
    code: str
    sentence: str
    severity: str
    device: str | None
    host: str | None
    owner: str | None


class Location(Answer):
    """A place."""

    id: str
    name: str
    zone: str
    site: str | None
    version: int


class Site(Answer):
    """A site."""

    id: str
    name: str
    version: int


class Team(Answer):
    """A team."""

    id: str
    name: str
    version: int


class BatchLine(Answer):
    """What became of one device of many."""

    device: str
    done: bool
    state: str | None
    code: str | None
    sentence: str
