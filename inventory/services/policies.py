"""The policy in force: a table as data, with version and digest; never edited, only superseded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain import policy_file
from inventory.domain.policy import (
    Policy,
    PolicyInput,
    as_second,
    decide,
    differences,
    parse,
    technique_objections,
    verdict_objections,
)
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CATEGORY_ORDER, Category, DeviceState
from inventory.errors import Duplicate, Invalid, NotFound
from inventory.events import Tag
from inventory.models import DataSet, Device, Holding, Order, PolicyVersion, Record
from inventory.models.orders import OPEN_STATES

from ._gate import policy_in_force, technique_of
from .context import Actor, Context, authorize
from .kernel import note, required
from .views import PolicyView

LISTED: Final = 200
"""So many devices a preview names; it counts all of them."""


@dataclass(frozen=True, kw_only=True)
class ImportPolicy:
    """A new version of the table (schema: `inventory.domain.policy_document`)."""

    document: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class PolicyPreview:
    """What would change."""

    sha256: str
    differences: tuple[str, ...]
    """Row by row, in words."""
    devices_no_longer_sufficient: tuple[str, ...]
    """Sanitized devices whose standing record suffices for some way now and would not any more; the first of them."""
    devices_count: int = 0
    """How many there are in all."""
    open_orders: int = 0
    """Orders under way: they keep the decision they were sealed with."""


def current_policy(context: Context, actor: Actor) -> PolicyView:
    """The policy in force. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        return _view(session.scalars(sa.select(PolicyVersion).where(PolicyVersion.in_force)).one())


def list_policies(context: Context, actor: Actor) -> tuple[PolicyView, ...]:
    """Every version, newest first. Permission `inventory.read`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        rows = session.scalars(sa.select(PolicyVersion).order_by(PolicyVersion.since.desc(), PolicyVersion.id.desc()))
        return tuple(_view(row) for row in rows)


def policy_as_file(context: Context, actor: Actor, *, sha256: str | None = None, following: bool = False) -> str:
    """A version as TOML: the one in force, or the one of a digest. Permission `inventory.read`. Raises `NotFound`.

    Args:
        context: the open inventory.
        actor: who asks.
        sha256: digest of the version; None: the one in force.
        following: in the newest schema, with the next version's number: where a new version begins.
    """
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        wanted = PolicyVersion.in_force if sha256 is None else PolicyVersion.sha256 == sha256
        row = session.scalar(sa.select(PolicyVersion).where(wanted))
        if row is None:
            raise NotFound("policy", sha256 or "in force")
        if not following:
            return policy_file.write(row.document)
        known = parse(row.document)
        numbers = [parse(one.document).version for one in session.scalars(sa.select(PolicyVersion))]
        return policy_file.write(as_second(known, version=max(numbers) + 1))


def preview_policy(context: Context, actor: Actor, document: dict[str, Any]) -> PolicyPreview:
    """What a document would change, without taking it. Permission `inventory.read`. Raises `Invalid`."""
    authorize(actor, Permission.READ)
    proposed = parse(document)
    with context.reading(actor) as session:
        current = policy_in_force(session)
        named: list[str] = []
        count = 0
        for device in _no_longer_sufficient(session, current, proposed):
            count += 1
            if len(named) < LISTED:
                named.append(device)
        open_orders = sa.select(sa.func.count()).select_from(Order).where(sa.text(OPEN_STATES))
        return PolicyPreview(
            sha256=proposed.sha256,
            differences=differences(current, proposed),
            devices_no_longer_sufficient=tuple(named),
            devices_count=count,
            open_orders=session.scalar(open_orders) or 0,
        )


def _no_longer_sufficient(session: Session, current: Policy, proposed: Policy) -> Iterator[str]:
    """Sanitized devices whose standing record suffices for some way now, and would not suffice for it any more.

    Read as a stream, one statement for all. The policies are asked once for each kind of case, not once for each device.
    """
    rank = sa.case(*((DataSet.category == word, number) for number, word in enumerate(CATEGORY_ORDER)))
    worst = (
        sa.select(Holding.device_id, sa.func.max(rank).label("rank"))
        .join(DataSet, DataSet.id == Holding.data_set_id)
        .group_by(Holding.device_id)
        .subquery()
    )
    statement = (
        sa.select(
            Device.id,
            Device.media,
            Device.declared_media,
            worst.c.rank,
            Record.sha256,
            Record.outcome,
            Record.method,
            Record.coverage,
        )
        .join(Record, Record.sha256 == Device.standing_record)
        .outerjoin(worst, worst.c.device_id == Device.id)
        .where(Device.state == DeviceState.SANITIZED)
        .order_by(Device.id)
    )

    @cache
    def restricted(category: Category | None, media: str | None) -> bool:
        """Whether a technique matters at all: only then its record is read."""
        return any(
            decide(policy, PolicyInput(category=category, reuse=reuse, leaves_control=leaves, media=media)).restricted
            for policy in (current, proposed)
            for reuse, leaves in product((True, False), repeat=2)
        )

    @cache
    def loses(
        category: Category | None, media: str | None, outcome: str, method: str, coverage: str, technique: str | None
    ) -> bool:
        def suffices(policy: Policy, *, reuse: bool, leaves: bool) -> bool:
            question = PolicyInput(category=category, reuse=reuse, leaves_control=leaves, media=media)
            demanded = decide(policy, question)
            return not (
                verdict_objections(demanded.method, demanded.verification, outcome, method, coverage)
                or technique_objections(demanded, technique)
            )

        return any(
            suffices(current, reuse=reuse, leaves=leaves) and not suffices(proposed, reuse=reuse, leaves=leaves)
            for reuse, leaves in product((True, False), repeat=2)
        )

    for device, observed, declared, number, record, *verdict in session.execute(
        statement.execution_options(yield_per=1000)
    ):
        category = None if number is None else CATEGORY_ORDER[number]
        media = observed or declared
        technique = technique_of(session, record) if restricted(category, media) else None
        if loses(category, media, *verdict, technique):
            yield device


def import_policy(context: Context, actor: Actor, command: ImportPolicy) -> PolicyView:
    """Put a new version in force; open orders keep the decision they were sealed with. Permission `policy.manage`.

    Raises:
        Invalid: not a policy, or one that asks for less than SP 800-88's decision flow.
        Duplicate: the same table is in force.
    """
    authorize(actor, Permission.POLICY_MANAGE)
    proposed = parse(command.document)
    reason = required("reason", command.reason, least=3)
    with context.writing(actor) as session:
        current = session.scalars(sa.select(PolicyVersion).where(PolicyVersion.in_force)).one()
        if proposed.sha256 == current.sha256:
            raise Duplicate("policy", "content", current.id)
        existing = session.scalar(
            sa.select(PolicyVersion).where(
                sa.or_(PolicyVersion.id == proposed.id, PolicyVersion.sha256 == proposed.sha256)
            )
        )
        if existing is not None:
            raise Invalid("version", f"{existing.id} was in force before; a new version has a new number.")
        current.in_force = False
        current.until = context.now()
        session.flush()
        row = PolicyVersion(
            sha256=proposed.sha256,
            id=proposed.id,
            document=proposed.document,
            since=context.now(),
            in_force=True,
            by=actor.ref,
            reason=reason,
        )
        session.add(row)
        session.flush()
        changed = list(differences(parse(current.document), proposed))
        note(
            session, context, actor, Tag.POLICY_IN_FORCE, "policy", row.id,
            reason=reason, details={"supersedes": current.id, "changed": changed}, evidence=[row.sha256],
        )  # fmt: skip
        return _view(row)


def _view(row: PolicyVersion) -> PolicyView:
    return PolicyView(
        id=row.id,
        sha256=row.sha256,
        version=parse(row.document).version,
        in_force=row.in_force,
        from_time=row.since,
        until=row.until,
        by=row.by,
        reason=row.reason,
        document=row.document,
    )
