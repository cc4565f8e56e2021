"""Rows of carried bundles, for everything that makes, takes in, shows or reminds of them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.clock import rfc3339
from inventory.domain.exceptions import ExceptionCode
from inventory.domain.orders import OPEN
from inventory.domain.vocabulary import OrderState
from inventory.models import Host, JobBundle, JobBundleOrder, Order, ReturnBundle

from .context import Context
from .kernel import raise_exception, settle_exception
from .views.by_hand import JobBundleView, LeftOutView, MergedPartView, ReturnBundleView

_AWAITED = tuple(sorted(OPEN - {OrderState.RECORDED}))


def newest_bundle(session: Session, host: str) -> JobBundle | None:
    """The host's newest job bundle: the only one that counts there."""
    statement = sa.select(JobBundle).where(JobBundle.host_id == host).order_by(JobBundle.number.desc()).limit(1)
    return session.scalar(statement)


def still_out(session: Session, bundle: JobBundle) -> tuple[str, ...]:
    """Orders of a bundle whose record is awaited."""
    statement = (
        sa.select(Order.id)
        .join(JobBundleOrder, JobBundleOrder.order_id == Order.id)
        .where(
            JobBundleOrder.host_id == bundle.host_id,
            JobBundleOrder.number == bundle.number,
            Order.state.in_(_AWAITED),
        )
    )
    return tuple(session.scalars(statement.order_by(Order.id)))


def on_the_way(session: Session, now: datetime) -> frozenset[str]:
    """Hosts that nobody expects to hear of: a bundle that may be begun is out with them."""
    return frozenset(session.scalars(sa.select(JobBundle.host_id).where(JobBundle.until > now).distinct()))


def remind(session: Session, context: Context, now: datetime) -> None:
    """Ask where a bundle is that has ended, while records are awaited: its media may have been written to."""
    newest = (
        sa.select(JobBundle.host_id, sa.func.max(JobBundle.number).label("number"))
        .group_by(JobBundle.host_id)
        .subquery()
    )
    statement = (
        sa.select(JobBundle, Host)
        .join(newest, sa.and_(newest.c.host_id == JobBundle.host_id, newest.c.number == JobBundle.number))
        .join(Host, Host.id == JobBundle.host_id)
        .where(JobBundle.until <= now)
        .order_by(JobBundle.host_id)
    )
    for bundle, host in session.execute(statement):
        awaited = still_out(session, bundle)
        if awaited:
            sentence = (
                f"Job bundle {bundle.number} for {host.name} ended {rfc3339(bundle.until)}, and nothing came back about "
                f"{', '.join(awaited[:8])}. It was carried by {bundle.courier}. These media may have been written to."
            )
            raise_exception(session, context, ExceptionCode.JOB_BUNDLE_OVERDUE, host.id, sentence[:1000], host=host.id)
        else:
            settle_overdue(session, context, host.id)


def settle_overdue(session: Session, context: Context, host: str) -> None:
    """What was awaited of this host has come, or is over."""
    settle_exception(session, context, ExceptionCode.JOB_BUNDLE_OVERDUE, host, "Nothing is awaited any more.")


def job_bundle_view(session: Session, row: JobBundle, host: Host) -> JobBundleView:
    """A job bundle."""
    orders = sa.select(JobBundleOrder.order_id).where(
        JobBundleOrder.host_id == row.host_id, JobBundleOrder.number == row.number
    )
    newest = newest_bundle(session, row.host_id)
    return JobBundleView(
        host=host.id,
        host_name=host.name,
        number=row.number,
        made=row.made,
        made_by=row.made_by,
        courier=row.courier,
        until=row.until,
        orders=tuple(session.scalars(orders.order_by(JobBundleOrder.order_id))),
        open_orders=still_out(session, row),
        left_out=tuple(LeftOutView(one["order"], one["reason"]) for one in row.left_out),
        newest=newest is not None and newest.number == row.number,
        sha256=row.envelope_sha256,
    )


def return_bundle_view(row: ReturnBundle, host: Host, *, new: bool) -> ReturnBundleView:
    """A return bundle."""
    return ReturnBundleView(
        sha256=row.sha256,
        host=host.id,
        host_name=host.name,
        number=row.number,
        made=row.made,
        job_bundle=row.job_bundle,
        received=row.received,
        received_by=row.received_by,
        courier=row.courier,
        parts=tuple(MergedPartView(**one) for one in row.parts),
        new=new,
    )
