"""What a person sees, as conditions for the database: sites and teams (governance, section 5).

Lists add `only(actor, Model)` to what they ask for; counts do, too. Whoever names one object gets it from `kernel.find`,
which answers `NotFound` where it is outside, in the very words it has for what does not exist. A model that stands in
neither of the two tables below is seen by nobody who is limited.

What is outside may still be named inside: a device's page says which host it was in, and opening that host is another matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from inventory import models as m
from inventory.domain.roles import Permission, may, roles_with
from inventory.domain.scopes import Scope
from inventory.errors import Forbidden, Invalid, NotFound
from inventory.models import Base

from ._reach import REACH, reach_of
from .context import Actor

Model = TypeVar("Model", bound=Base)
Condition = sa.ColumnElement[bool]
Column = InstrumentedAttribute[Any]

_NEVER: Final[Condition] = sa.false()


def only(actor: Actor, model: type[Base]) -> tuple[Condition, ...]:
    """Conditions that leave what the actor sees; none where nothing is hidden from them."""
    if not limited(actor) or model in ORGANISATION:
        return ()
    rule = RULES.get(model)
    return (_NEVER,) if rule is None else (rule(actor),)


def within(session: Session, model: type[Base]) -> tuple[Condition, ...]:
    """As `only`, for the one for whom the session was opened."""
    actor: Actor | None = session.info.get("actor")
    return () if actor is None else only(actor, model)


def limited(actor: Actor) -> bool:
    """Whether anything is hidden from the actor. Agents and the service itself are bound by other rules."""
    return actor.kind == "person" and not actor.scope.everything


def require_unlimited(actor: Actor, act: str) -> None:
    """For acts that decide who sees what: whoever is limited could widen their own limit. Raises `Forbidden`."""
    if limited(actor):
        raise Forbidden("scope", f"To {act} takes somebody who sees everything; you see only some sites or teams.")


def claim(actor: Actor, device: m.Device, place: m.Location | None) -> None:
    """Whoever is limited goes on seeing what they declare: it is at their site and of their team from the beginning.

    Raises:
        Invalid: they have several, and did not say which.
    """
    if not limited(actor):
        return
    sites, teams = actor.scope.sites, actor.scope.teams
    if sites is not None and (place is None or place.site_id is None):
        if len(sites) != 1:
            raise Invalid(
                "location", "Say where it is: you see several sites, or none, and one of them must answer for it."
            )
        (device.site_id,) = sites
    if teams is not None:
        if len(teams) != 1:
            raise Invalid(
                "team", "You see several teams, or none: declare it as one of a single team, with a narrowed token."
            )
        (device.team_id,) = teams


def seen(session: Session, actor: Actor, model: type[Model], key: object, kind: str) -> Model:
    """The row, where the actor sees it. Raises `NotFound`."""
    found = session.get(model, key)
    if found is None or not sees(session, actor, found):
        raise NotFound(kind, str(key))
    return found


def sees(session: Session, actor: Actor, row: Base) -> bool:
    """Whether the actor sees this row."""
    conditions = only(actor, type(row))
    if not conditions:
        return True
    with session.no_autoflush:
        mapper = sa.inspect(type(row))
        key = zip(mapper.primary_key, mapper.primary_key_from_instance(row), strict=True)
        statement = sa.select(sa.literal(1)).select_from(type(row)).where(*(column == value for column, value in key))
        return session.scalar(statement.where(*conditions)) is not None


def admit(session: Session, row: Base) -> bool:
    """Whether the one for whom this session was opened sees the row (`Context.reading`, `Context.writing`)."""
    actor = session.info.get("actor")
    return actor is None or sees(session, actor, row)


def device_seen(actor: Actor, column: Column | sa.ColumnElement[Any]) -> Condition:
    """That the device of this number is seen; for tables of other parts."""
    device = aliased(m.Device)
    return sa.exists().where(device.id == column, *_device(actor.scope, device)).correlate_except(device)


def able_for(session: Session, permission: Permission, devices: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Device -> everybody whose role lets them do this, and who sees the device, by pseudonym."""
    found: dict[str, list[str]] = {device: [] for device in devices}
    if not devices:
        return {}
    whose = _sites_and_teams(session, devices)
    # Only those in whose roles one of these stands are read; whether they may is decided below.
    named = sa.or_(*(sa.cast(m.Person.roles, sa.Text).contains(f'"{role}"') for role in sorted(roles_with(permission))))
    for ref, *said in session.execute(
        sa.select(m.Person.ref, *REACH).where(m.Person.enabled, named).order_by(m.Person.ref)
    ):
        reach = reach_of(*said)
        if not may(reach.roles, permission):
            continue
        for device, (site, theirs) in whose.items():
            if reach.scope.covers(site, theirs):
                found[device].append(ref)
    return {device: tuple(people) for device, people in found.items()}


def _sites_and_teams(session: Session, devices: Sequence[str]) -> dict[str, tuple[str | None, frozenset[str]]]:
    """Of each device what `_device` asks: the site that answers for it; the teams of its host and of the data it ever held."""
    own = {
        device: (site, team)
        for device, site, team in session.execute(
            sa.select(m.Device.id, m.Device.site_id, m.Device.team_id).where(m.Device.id.in_(devices))
        )
    }
    teams: dict[str, set[str]] = {device: {team} if team is not None else set() for device, (_, team) in own.items()}
    held = sa.select(m.Holding.device_id, m.DataSet.team_id).join(m.DataSet, m.DataSet.id == m.Holding.data_set_id)
    for device, team in session.execute(
        held.where(m.Holding.device_id.in_(devices), m.DataSet.team_id.is_not(None)).distinct()
    ):
        teams[device].add(str(team))
    return {device: (site, frozenset(teams[device])) for device, (site, _) in own.items()}


def _among(column: Column, wanted: frozenset[str]) -> Condition:
    return column.in_(sorted(wanted))


def _team_of(data_set: Column, teams: frozenset[str]) -> Condition:
    """That the data set of this number is of one of the teams."""
    one = aliased(m.DataSet)
    return sa.exists().where(one.id == data_set, _among(one.team_id, teams)).correlate_except(one)


def _device(scope: Scope, device: Any) -> list[Condition]:  # noqa: ANN401 - the model or an alias of it
    found: list[Condition] = []
    if scope.sites is not None:
        found.append(_among(device.site_id, scope.sites))
    if scope.teams is not None:
        holding = aliased(m.Holding)
        theirs = sa.exists().where(holding.device_id == device.id, _team_of(holding.data_set_id, scope.teams))
        found.append(sa.or_(_among(device.team_id, scope.teams), theirs.correlate_except(holding)))
    return found


def _host(scope: Scope, host: Any) -> list[Condition]:  # noqa: ANN401 - the model or an alias of it
    found: list[Condition] = []
    if scope.sites is not None:
        found.append(_among(host.site_id, scope.sites))
    if scope.teams is not None:
        path = aliased(m.DeclaredPath)
        theirs = sa.exists().where(path.host_id == host.id, _team_of(path.data_set_id, scope.teams))
        found.append(sa.or_(_among(host.team_id, scope.teams), theirs.correlate_except(path)))
    return found


def _host_seen(actor: Actor, column: Column) -> Condition:
    host = aliased(m.Host)
    return sa.exists().where(host.id == column, *_host(actor.scope, host)).correlate_except(host)


def _data_set(scope: Scope, data_set: Any) -> list[Condition]:  # noqa: ANN401 - the model or an alias of it
    """Of one of the teams; and on a device, or declared on a host, at one of the sites."""
    found: list[Condition] = []
    if scope.sites is not None:
        holding, device = aliased(m.Holding), aliased(m.Device)
        path, host = aliased(m.DeclaredPath), aliased(m.Host)
        lies = sa.exists().where(
            holding.data_set_id == data_set.id, device.id == holding.device_id, _among(device.site_id, scope.sites)
        )
        declared = sa.exists().where(
            path.data_set_id == data_set.id, host.id == path.host_id, _among(host.site_id, scope.sites)
        )
        found.append(sa.or_(lies.correlate_except(holding, device), declared.correlate_except(path, host)))
    if scope.teams is not None:
        found.append(_among(data_set.team_id, scope.teams))
    return found


def data_set_seen(actor: Actor, column: Column | sa.ColumnElement[Any]) -> Condition:
    """That the data set of this number is seen."""
    data_set = aliased(m.DataSet)
    return sa.exists().where(data_set.id == column, *_data_set(actor.scope, data_set)).correlate_except(data_set)


def _case(scope: Scope, case: Any) -> list[Condition]:  # noqa: ANN401 - the model or an alias of it
    """A case concerns data sets wherever they are: whoever is limited to sites would see half of it, so sees none."""
    if scope.sites is not None:
        return [_NEVER]
    concerned = aliased(m.CaseDataSet)
    theirs = _team_of(concerned.data_set_id, scope.teams or frozenset())
    return [~sa.exists().where(concerned.case_id == case.id, ~theirs).correlate_except(concerned)]


def case_seen(actor: Actor, column: Column | sa.ColumnElement[Any]) -> Condition:
    """That the erasure case of this number is seen."""
    case = aliased(m.ErasureCase)
    return sa.exists().where(case.id == column, *_case(actor.scope, case)).correlate_except(case)


def _order_seen(actor: Actor, column: Column) -> Condition:
    order = aliased(m.Order)
    return sa.exists().where(order.id == column, device_seen(actor, order.device_id)).correlate_except(order)


def _either(actor: Actor, device: Column, host: Column) -> Condition:
    """Of a device that is seen; or of no device, and of a host that is seen."""
    return sa.or_(device_seen(actor, device), sa.and_(device.is_(None), _host_seen(actor, host)))


def _lot(actor: Actor, lot: Any) -> Condition:  # noqa: ANN401 - the model or an alias of it
    """One's own; or of one of the sites, with nothing of another team's in it; or with nothing but what one sees in it."""
    inside, outside = aliased(m.LotDevice), aliased(m.LotDevice)
    filled = sa.exists().where(inside.lot_id == lot.id).correlate_except(inside)
    strange = sa.exists().where(outside.lot_id == lot.id, ~device_seen(actor, outside.device_id))
    here = _NEVER if actor.scope.sites is None else _among(lot.site_id, actor.scope.sites)
    if actor.scope.teams is not None:
        here = _NEVER
    return sa.or_(lot.opened_by == actor.ref, here, sa.and_(filled, ~strange.correlate_except(outside)))


def _lot_seen(actor: Actor, column: Column) -> Condition:
    lot = aliased(m.Lot)
    return sa.exists().where(lot.id == column, _lot(actor, lot)).correlate_except(lot)


def _container(actor: Actor) -> Condition:
    place = aliased(m.Location)
    scope = actor.scope
    here = _NEVER
    if scope.sites is not None and scope.teams is None:
        here = sa.exists().where(place.id == m.Container.location_id, _among(place.site_id, scope.sites))
        here = here.correlate_except(place)
    return sa.or_(m.Container.created_by == actor.ref, here, _lot_seen(actor, m.Container.lot_id))


def _handover(actor: Actor, handover: Any) -> Condition:  # noqa: ANN401 - the model or an alias of it
    """One's own; or from or to one of the sites: whoever receives must see what comes. Of teams: with nothing strange in it."""
    place, outside = aliased(m.Location), aliased(m.HandoverDevice)
    found: list[Condition] = []
    if actor.scope.sites is not None:
        ends = sa.or_(place.id == handover.from_location, place.id == handover.to_location)
        here = sa.exists().where(ends, _among(place.site_id, actor.scope.sites))
        found.append(here.correlate_except(place))
    if actor.scope.teams is not None:
        strange = sa.exists().where(outside.handover_id == handover.id, ~device_seen(actor, outside.device_id))
        found.append(~strange.correlate_except(outside))
    return sa.or_(handover.offered_by == actor.ref, sa.and_(*found))


def _handover_seen(actor: Actor, column: Column) -> Condition:
    one = aliased(m.Handover)
    return sa.exists().where(one.id == column, _handover(actor, one)).correlate_except(one)


def _destruction_seen(actor: Actor, column: Column) -> Condition:
    one = aliased(m.Destruction)
    return sa.exists().where(one.id == column, device_seen(actor, one.device_id)).correlate_except(one)


def _paper(actor: Actor) -> Condition:
    """Lists of many media are whole documents: seen by who prepared or answers for them; others only of what they see."""
    own = sa.or_(m.Paper.prepared_by == actor.ref, m.Paper.responsible == actor.ref)
    return sa.or_(own, sa.and_(m.Paper.kind == "destruction", _destruction_seen(actor, m.Paper.subject)))


def _event(actor: Actor) -> Condition:
    return sa.or_(m.Event.actor == actor.ref, _either(actor, m.Event.device_id, m.Event.host_id))


def _location(actor: Actor) -> Condition:
    sites = actor.scope.sites
    return sa.true() if sites is None else _among(m.Location.site_id, sites)


RULES: Final[dict[type[Base], Callable[[Actor], Condition]]] = {
    m.Device: lambda actor: sa.and_(*_device(actor.scope, m.Device)),
    m.Host: lambda actor: sa.and_(*_host(actor.scope, m.Host)),
    m.DataSet: lambda actor: sa.and_(*_data_set(actor.scope, m.DataSet)),
    m.ErasureCase: lambda actor: sa.and_(*_case(actor.scope, m.ErasureCase)),
    m.Location: _location,
    m.Site: lambda actor: sa.true() if actor.scope.sites is None else _among(m.Site.id, actor.scope.sites),
    m.Team: lambda actor: sa.true() if actor.scope.teams is None else _among(m.Team.id, actor.scope.teams),
    m.Lot: lambda actor: _lot(actor, m.Lot),
    m.LotDevice: lambda actor: sa.and_(_lot_seen(actor, m.LotDevice.lot_id), device_seen(actor, m.LotDevice.device_id)),
    m.Container: _container,
    m.ContainerDevice: lambda actor: device_seen(actor, m.ContainerDevice.device_id),
    m.Handover: lambda actor: _handover(actor, m.Handover),
    m.HandoverDevice: lambda actor: _handover_seen(actor, m.HandoverDevice.handover_id),
    m.HandoverLink: lambda actor: _handover_seen(actor, m.HandoverLink.handover_id),
    m.Attachment: lambda actor: device_seen(actor, m.Attachment.device_id),
    m.Holding: lambda actor: device_seen(actor, m.Holding.device_id),
    m.DeclaredPath: lambda actor: _host_seen(actor, m.DeclaredPath.host_id),
    m.HostHalt: lambda actor: _host_seen(actor, m.HostHalt.host_id),
    m.JobBundle: lambda actor: _host_seen(actor, m.JobBundle.host_id),
    m.JobBundleOrder: lambda actor: _host_seen(actor, m.JobBundleOrder.host_id),
    m.ReturnBundle: lambda actor: _host_seen(actor, m.ReturnBundle.host_id),
    m.HostPlace: lambda actor: _host_seen(actor, m.HostPlace.host_id),
    m.Hold: lambda actor: sa.or_(
        device_seen(actor, m.Hold.device_id),
        data_set_seen(actor, m.Hold.data_set_id),
        _lot_seen(actor, m.Hold.lot_id),
    ),
    m.CaseDataSet: lambda actor: case_seen(actor, m.CaseDataSet.case_id),
    m.Obligation: lambda actor: case_seen(actor, m.Obligation.case_id),
    m.Statement: lambda actor: case_seen(actor, m.Statement.case_id),
    m.Order: lambda actor: device_seen(actor, m.Order.device_id),
    m.Approval: lambda actor: _order_seen(actor, m.Approval.order_id),
    m.Lease: lambda actor: _order_seen(actor, m.Lease.order_id),
    m.RunProgress: lambda actor: _order_seen(actor, m.RunProgress.order_id),
    m.Question: lambda actor: device_seen(actor, m.Question.device_id),
    m.Reading: lambda actor: device_seen(actor, m.Reading.device_id),
    m.EvidenceFile: lambda actor: device_seen(actor, m.EvidenceFile.device_id),
    m.Sample: lambda actor: _lot_seen(actor, m.Sample.lot_id),
    m.SampleDevice: lambda actor: device_seen(actor, m.SampleDevice.device_id),
    m.Record: lambda actor: _either(actor, m.Record.device_id, m.Record.host_id),
    m.Certificate: lambda actor: device_seen(actor, m.Certificate.device_id),
    m.Destruction: lambda actor: device_seen(actor, m.Destruction.device_id),
    m.Waiver: lambda actor: device_seen(actor, m.Waiver.device_id),
    m.Escrow: lambda actor: device_seen(actor, m.Escrow.device_id),
    m.ExceptionItem: lambda actor: sa.or_(
        m.ExceptionItem.owner == actor.ref, _either(actor, m.ExceptionItem.device_id, m.ExceptionItem.host_id)
    ),
    m.Event: _event,
    m.Paper: _paper,
    m.AuditPack: lambda actor: m.AuditPack.requested_by == actor.ref,
    m.Import: lambda actor: m.Import.received_by == actor.ref,
    m.Balance: lambda actor: sa.or_(m.Balance.drawn_by == actor.ref, m.Balance.owner == actor.ref),
    m.BalanceSheet: lambda actor: sa.exists().where(
        m.Balance.id == m.BalanceSheet.balance_id,
        sa.or_(m.Balance.drawn_by == actor.ref, m.Balance.owner == actor.ref),
    ),
    m.SavedView: lambda actor: sa.or_(m.SavedView.person == actor.ref, m.SavedView.shared),
    m.Passkey: lambda actor: m.Passkey.person == actor.ref,
    m.Identity: lambda actor: m.Identity.person == actor.ref,
    m.Authenticator: lambda actor: m.Authenticator.person == actor.ref,
    m.WebSession: lambda actor: m.WebSession.person == actor.ref,
    m.ApiToken: lambda actor: m.ApiToken.person == actor.ref,
}
"""Model -> what of it somebody who is limited sees."""

ORGANISATION: Final[frozenset[type[Base]]] = frozenset(
    {
        m.Party,
        m.Undertaking,
        m.Person,
        m.PolicyVersion,
        m.ApproverKey,
        m.Roster,
        m.LogEntry,
        m.LogTile,
        m.LogHead,
        m.LogCheckpoint,
        m.LogCosignature,
        m.LogWitness,
        m.TimeStamp,
        m.TimeAuthorityState,
    }
)
"""What belongs to the whole organisation: parties and their undertakings, people by pseudonym, policy, the roster, the log
(digests only). Everybody with the permission sees it."""
