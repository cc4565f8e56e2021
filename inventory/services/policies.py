"""The policy in force: a table as data, with version and digest; never edited, only superseded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.policy import Policy, differences, parse
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import DeviceState
from inventory.errors import Duplicate, Invalid
from inventory.events import Tag
from inventory.models import Device, PolicyVersion

from ._gate import LEAVE, REUSE_INSIDE, gate_view, policy_in_force
from .context import Actor, Context, authorize
from .kernel import note, required
from .views import PolicyView


@dataclass(frozen=True, kw_only=True)
class ImportPolicy:
    """A new version of the table (schema: `inventory.domain.policy`)."""

    document: dict[str, Any]
    reason: str


@dataclass(frozen=True)
class PolicyPreview:
    """What would change."""

    sha256: str
    differences: tuple[str, ...]
    """Row by row, in words."""
    devices_no_longer_sufficient: tuple[str, ...]
    """Sanitized devices whose standing record would not open the gate any more, for reuse inside or for leaving."""


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


def preview_policy(context: Context, actor: Actor, document: dict[str, Any]) -> PolicyPreview:
    """What a document would change, without taking it. Permission `inventory.read`. Raises `Invalid`."""
    authorize(actor, Permission.READ)
    proposed = parse(document)
    with context.reading(actor) as session:
        current = policy_in_force(session)
        return PolicyPreview(
            sha256=proposed.sha256,
            differences=differences(current, proposed),
            devices_no_longer_sufficient=_no_longer_sufficient(session, current, proposed),
        )


def _no_longer_sufficient(session: Session, current: Policy, proposed: Policy) -> tuple[str, ...]:
    """Sanitized devices for which a way that is open now would be closed."""
    sanitized = sa.select(Device).where(Device.state == DeviceState.SANITIZED).order_by(Device.id)
    return tuple(
        device.id
        for device in session.scalars(sanitized)
        if any(
            gate_view(session, current, device, way).open and not gate_view(session, proposed, device, way).open
            for way in (REUSE_INSIDE, LEAVE)
        )
    )


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
        note(
            session, context, actor, Tag.POLICY_IN_FORCE, "policy", row.id,
            reason=reason, details={"supersedes": current.id}, evidence=[row.sha256],
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
