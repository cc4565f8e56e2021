"""The map of where data lies, for one case, one data set or one device."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.holdings import state_of
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import CaseState, HoldingSource, HoldingState
from inventory.domain.ways import Way, way_to
from inventory.models.data import CaseDataSet, DataSet, DeclaredPath, ErasureCase, Holding, Obligation
from inventory.models.devices import Attachment, Device
from inventory.models.host_places import HostPlace
from inventory.models.hosts import Host
from inventory.services._among import of_numbers
from inventory.services._mapping import device_label, held_of
from inventory.services._scope import only
from inventory.services.context import Actor, Context, authorize
from inventory.services.kernel import find
from inventory.services.views.maps import MapEdge, MapLine, MapNode, MapView, NodeKind

from .devices import find_device

MOST: Final = 60
"""Holdings that are drawn: more than this nobody reads in a picture."""
MOST_CASES: Final = 12
_WORDS: Final = {
    HoldingSource.RESOLVED: "followed by the agent",
    HoldingSource.DECLARED: "stated by a person",
    HoldingSource.INHERITED: "concluded from where the medium was",
}


def case_map(context: Context, actor: Actor, case_id: str) -> MapView:
    """What one customer's case concerns. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        case = find(session, ErasureCase, case_id, "erasure case")
        concerned = sa.select(Obligation.holding_id).where(Obligation.case_id == case.id)
        sets = session.scalars(sa.select(CaseDataSet.data_set_id).where(CaseDataSet.case_id == case.id)).all()
        return _map(session, actor, Holding.id.in_(concerned), sets, {case.id: case})


def data_set_map(context: Context, actor: Actor, data_set_id: str) -> MapView:
    """Where one data set lies, and whose open cases concern it. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        found = find(session, DataSet, data_set_id, "data set")
        about = sa.select(CaseDataSet.case_id).where(CaseDataSet.data_set_id == found.id)
        return _map(session, actor, Holding.data_set_id == found.id, [found.id], _cases(session, actor, about))


def device_map(context: Context, actor: Actor, device_id: str) -> MapView:
    """What one device holds or held, and whose open cases that concerns. Permission `inventory.read`. Raises `NotFound`."""
    authorize(actor, Permission.READ)
    with context.reading(actor) as session:
        known = find_device(session, device_id)
        here = sa.select(Holding.id).where(Holding.device_id == known.id)
        about = sa.select(Obligation.case_id).where(Obligation.holding_id.in_(here))
        return _map(session, actor, Holding.device_id == known.id, [], _cases(session, actor, about))


def _cases(session: Session, actor: Actor, about: sa.Select[str]) -> dict[str, ErasureCase]:
    statement = (
        sa.select(ErasureCase)
        .where(ErasureCase.id.in_(about), ErasureCase.state != CaseState.CLOSED, *only(actor, ErasureCase))
        .order_by(ErasureCase.due, ErasureCase.id)
        .limit(MOST_CASES)
    )
    return {case.id: case for case in session.scalars(statement)}


@dataclass
class _Drawing:
    """Nodes and edges, each once."""

    ways: dict[tuple[str, str], Way]
    """Path and device -> what lies between them, where the agent has told."""
    nodes: dict[str, MapNode] = field(default_factory=dict)
    edges: dict[tuple[str, str], MapEdge] = field(default_factory=dict)
    lines: list[MapLine] = field(default_factory=list)

    def node(self, kind: NodeKind, number: str, label: str, text: str = "", state: str = "") -> str:
        key = f"{kind}:{number or label}"
        shown = "" if kind in {"volume", "gap"} else number
        self.nodes.setdefault(key, MapNode(key=key, kind=kind, number=shown, label=label, text=text, state=state))
        return key

    def edge(self, source: str, target: str, words: str, state: HoldingState | None) -> None:
        known = self.edges.get((source, target))
        if known is None or _worse(state, known.state):
            self.edges[source, target] = MapEdge(source=source, target=target, words=words, state=state)


_GRAVITY: Final = (HoldingState.COVERED, HoldingState.LIVE, HoldingState.RESIDUE)


def _worse(new: HoldingState | None, old: HoldingState | None) -> bool:
    """Two holdings between the same two things show the one that asks for more."""
    return old is not None and (new is None or _GRAVITY.index(new) > _GRAVITY.index(old))


def _map(
    session: Session,
    actor: Actor,
    which: sa.ColumnElement[bool],
    data_sets: Sequence[str],
    cases: dict[str, ErasureCase],
) -> MapView:
    seen = (which, *only(actor, Holding))
    holdings = session.scalars(
        sa.select(Holding).where(*seen).order_by(Holding.covered_at.is_not(None), Holding.id).limit(MOST)
    ).all()
    total = len(holdings)
    if total == MOST:
        total = session.scalar(sa.select(sa.func.count()).select_from(Holding).where(*seen)) or 0
    sets = of_numbers(session, DataSet, {*data_sets, *(holding.data_set_id for holding in holdings)})
    paths = _paths(session, actor, data_sets, holdings)
    on = {path.host_id for path in paths.values()}
    named = sa.select(Host.id, Host.name).where(Host.id.in_(on))
    hosts = dict(session.execute(named).all()) if on else {}
    numbers = {holding.device_id for holding in holdings}
    devices = of_numbers(session, Device, numbers)
    drawing = _Drawing(ways=_ways(session, paths.values(), numbers))
    concerned = _concerned(session, cases, [holding.id for holding in holdings])
    for number in sorted(sets):
        drawing.node("data_set", number, sets[number].name, sets[number].owner, str(sets[number].category))
    for path in paths.values():
        _draw_path(drawing, path, sets[path.data_set_id], hosts[path.host_id])
    for holding in holdings:
        beneath = paths.get(holding.path_id) if holding.path_id else None
        host = hosts[beneath.host_id] if beneath is not None else ""
        _draw(drawing, holding, sets[holding.data_set_id], beneath, host, devices[holding.device_id])
        for case in concerned.get(holding.id, [None]):
            way = drawing.ways.get((holding.path_id or "", holding.device_id)) if holding.until is None else None
            drawing.lines.append(_line(holding, case, sets, beneath, host, devices[holding.device_id], way))
    _draw_cases(session, drawing, cases, sets)
    drawn = {holding.path_id for holding in holdings}
    for path in paths.values():
        if path.id not in drawn:
            drawing.lines.append(_bare(path, sets[path.data_set_id], hosts[path.host_id]))
    return MapView(
        nodes=tuple(drawing.nodes.values()),
        edges=tuple(drawing.edges.values()),
        lines=tuple(drawing.lines),
        left_out=total - len(holdings),
    )


def _paths(
    session: Session, actor: Actor, data_sets: Sequence[str], holdings: Iterable[Holding]
) -> dict[str, DeclaredPath]:
    """Those beneath which the holdings lie, and those that are declared and not followed yet."""
    beneath = {holding.path_id for holding in holdings if holding.path_id is not None}
    if not beneath and not data_sets:
        return {}
    declared = sa.and_(DeclaredPath.data_set_id.in_(data_sets), DeclaredPath.withdrawn.is_(None))
    statement = (
        sa.select(DeclaredPath)
        .where(sa.or_(DeclaredPath.id.in_(beneath), declared), *only(actor, DeclaredPath))
        .order_by(DeclaredPath.id)
        .limit(2 * MOST)
    )
    return {path.id: path for path in session.scalars(statement)}


def _ways(session: Session, paths: Iterable[DeclaredPath], devices: Collection[str]) -> dict[tuple[str, str], Way]:
    """What lies between each path and each device that is attached to its host now."""
    known = {(path.host_id, path.path): path.id for path in paths if path.withdrawn is None}
    if not known:
        return {}
    places = session.scalars(
        sa.select(HostPlace).where(
            HostPlace.kind == "declared",
            HostPlace.gone.is_(None),
            HostPlace.host_id.in_({host for host, _ in known}),
            HostPlace.path.in_({path for _, path in known}),
        )
    ).all()
    attached = session.execute(
        sa.select(Attachment.host_id, Attachment.device_id, Attachment.path).where(
            Attachment.device_id.in_(devices), Attachment.until.is_(None)
        )
    ).all()
    found: dict[tuple[str, str], Way] = {}
    for place in places:
        for host, device, node in attached:
            way = way_to(node.rpartition("/")[2], place.steps) if host == place.host_id else None
            if way is not None and (place.host_id, place.path) in known:
                found[known[place.host_id, place.path], device] = way
    return found


def _concerned(
    session: Session, cases: dict[str, ErasureCase], holdings: Sequence[str]
) -> dict[str, list[ErasureCase | None]]:
    found: dict[str, list[ErasureCase | None]] = {}
    if not cases or not holdings:
        return found
    rows = session.execute(
        sa.select(Obligation.holding_id, Obligation.case_id)
        .where(Obligation.holding_id.in_(holdings), Obligation.case_id.in_(cases))
        .distinct()
        .order_by(Obligation.case_id)
    )
    for holding, case in rows:
        found.setdefault(holding, []).append(cases[case])
    return found


def _draw_cases(session: Session, drawing: _Drawing, cases: dict[str, ErasureCase], sets: dict[str, DataSet]) -> None:
    if not cases or not sets:
        return
    about = session.execute(
        sa.select(CaseDataSet.case_id, CaseDataSet.data_set_id).where(
            CaseDataSet.case_id.in_(cases), CaseDataSet.data_set_id.in_(sets)
        )
    )
    for case_id, data_set in about.all():
        case = cases[case_id]
        key = drawing.node("case", case.id, case.reference, "", str(case.state))
        drawing.edge(key, f"data_set:{data_set}", "the customer withdrew from it", None)


def _draw_path(drawing: _Drawing, path: DeclaredPath, data_set: DataSet, host: str) -> str:
    state = "withdrawn" if path.withdrawn else "unresolved" if path.unresolved else ""
    state = state or ("waiting" if path.resolved is None else "")
    key = drawing.node("path", path.id, path.path, host, state)
    drawing.edge(f"data_set:{data_set.id}", key, "declared by a person", None)
    for gap in path.unresolved if path.withdrawn is None else ():
        drawing.edge(key, drawing.node("gap", f"{path.id} {gap}", gap), "nobody could follow it", None)
    return key


def _draw(
    drawing: _Drawing, holding: Holding, data_set: DataSet, path: DeclaredPath | None, host: str, device: Device
) -> None:
    state = state_of(held_of(holding, data_set))
    source = _draw_path(drawing, path, data_set, host) if path is not None else f"data_set:{data_set.id}"
    tag = device.asset_tag or device.id
    target = drawing.node("device", device.id, tag, device_label(device), str(device.state))
    way = drawing.ways.get((path.id, device.id)) if path is not None else None
    if way is not None and way.between and holding.until is None:
        number = f"{path.host_id if path else ''} {' '.join(way.between)}"
        beneath = f"on {', on '.join(way.between[1:])}" if way.between[1:] else host
        volume = drawing.node("volume", number, way.between[0], beneath)
        drawing.edge(source, volume, way.known[0], state)
        drawing.edge(volume, target, way.known[-1], state)
    else:
        drawing.edge(source, target, _WORDS[holding.source], state)


def _line(
    holding: Holding,
    case: ErasureCase | None,
    sets: dict[str, DataSet],
    path: DeclaredPath | None,
    host: str,
    device: Device,
    way: Way | None,
) -> MapLine:
    return MapLine(
        case=case.id if case else None,
        case_reference=case.reference if case else "",
        data_set=holding.data_set_id,
        data_set_name=sets[holding.data_set_id].name,
        host_name=host,
        path=path.path if path else "",
        volume=", on ".join(way.between) if way is not None else "",
        device=device.id,
        device_label=f"{device.asset_tag}: {device_label(device)}" if device.asset_tag else device_label(device),
        source=holding.source,
        state=state_of(held_of(holding, sets[holding.data_set_id])),
        gaps=tuple(path.unresolved) if path and path.withdrawn is None else (),
    )


def _bare(path: DeclaredPath, data_set: DataSet, host: str) -> MapLine:
    """A declared path beneath which nothing is drawn."""
    return MapLine(
        case=None,
        case_reference="",
        data_set=data_set.id,
        data_set_name=data_set.name,
        host_name=host,
        path=path.path,
        volume="",
        device=None,
        device_label="",
        source=None,
        state=None,
        gaps=tuple(path.unresolved),
    )
