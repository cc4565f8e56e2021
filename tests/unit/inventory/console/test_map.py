"""The map of where data lies: every thing and every way is drawn once, nothing overlaps, and nothing is drawn that is not."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from inventory.clock import rfc3339
from inventory.console.views.map import HEIGHT, WIDTH, picture
from inventory.contract.v1.devices import Observation, PathMapping, PathStep
from inventory.domain.vocabulary import Category, HoldingKind, HoldingState
from inventory.services import data, observation, queries
from inventory.services.views.maps import MapEdge, MapNode, MapView, NodeKind
from tests.support.console_agent import Disk

from .conftest import Site


def node(kind: NodeKind, number: str) -> MapNode:
    return MapNode(key=f"{kind}:{number}", kind=kind, number=number, label=number * 9, text="", state="")


@st.composite
def maps(draw: st.DrawFn) -> MapView:
    cases = [node("case", f"C-{n}") for n in range(draw(st.integers(0, 4)))]
    sets = [node("data_set", f"S-{n}") for n in range(draw(st.integers(1, 3)))]
    paths = [node("path", f"P-{n}") for n in range(draw(st.integers(0, 5)))]
    disks = [node("device", f"D-{n}") for n in range(draw(st.integers(1, 9)))]
    gaps = [node("gap", f"G-{n}") for n in range(draw(st.integers(0, 2)))] if paths else []

    def some(sources: list[MapNode], targets: list[MapNode]) -> list[tuple[MapNode, MapNode]]:
        return [(draw(st.sampled_from(sources)), target) for target in targets] if sources else []

    ways = some(cases, sets) + some(sets, paths) + some(paths or sets, disks) + some(paths, gaps)
    ways += [way for way in some(sets, disks) if draw(st.booleans())]
    state = st.sampled_from([None, *HoldingState])
    edges = {(a.key, b.key): MapEdge(source=a.key, target=b.key, words="seen", state=draw(state)) for a, b in ways}
    return MapView(nodes=(*cases, *sets, *paths, *disks, *gaps), edges=tuple(edges.values()), lines=(), left_out=0)


@given(maps())
def test_each_thing_has_a_place_of_its_own_inside_the_picture(view: MapView) -> None:
    drawn = picture(view)
    assert drawn is not None
    assert sorted(box.node.key for box in drawn.boxes) == sorted(one.key for one in view.nodes)
    for box in drawn.boxes:
        assert 0 <= box.left <= drawn.width - WIDTH
        assert 0 <= box.top <= drawn.height - HEIGHT
        for other in drawn.boxes:
            if other is not box and other.left == box.left:
                assert abs(other.top - box.top) >= HEIGHT


@given(maps())
def test_each_way_is_one_line_from_left_to_right(view: MapView) -> None:
    drawn = picture(view)
    assert drawn is not None
    assert len(drawn.lines) == len(view.edges)
    for line in drawn.lines:
        begin, end = re.match(r"M(\d+) \d+C.* (\d+) \d+$", line.path).groups()  # type: ignore[union-attr]
        assert int(begin) < int(end)


@given(maps())
def test_no_line_runs_beneath_a_box(view: MapView) -> None:
    drawn = picture(view)
    assert drawn is not None
    for line in drawn.lines:
        at = int(re.match(r"M(\d+)", line.path).group(1))  # type: ignore[union-attr]
        for end, y, along in re.findall(r"C\d+ \d+ \d+ \d+ (\d+) (\d+)(?:H(\d+))?", line.path):
            assert not [box for box in drawn.boxes if at < box.left + WIDTH and box.left < int(end)]
            assert not along or not [
                box for box in drawn.boxes if box.left == int(end) and box.top <= int(y) <= box.top + HEIGHT
            ]
            at = int(along or end)


@given(maps())
def test_the_same_facts_give_the_same_picture(view: MapView) -> None:
    backwards = MapView(nodes=view.nodes[::-1], edges=view.edges, lines=(), left_out=0)
    one, other = picture(view), picture(backwards)
    assert one is not None
    assert other is not None
    assert {box.node.key: box.left for box in one.boxes} == {box.node.key: box.left for box in other.boxes}


def test_nothing_that_hangs_together_is_no_picture() -> None:
    assert picture(MapView(nodes=(node("data_set", "S-1"),), edges=(), lines=(), left_out=0)) is None


def test_a_case_is_drawn_down_to_each_disk_it_is_owed_on(site: Site) -> None:
    page = site.get("petra", f"/cases/{site.story.numbers['case']}").text
    drawing = page.partition('<svg class="map"')[2].partition("</svg>")[0]
    for words in ("CUST-88213", "CRM production", "/srv/crm", "AT-004712"):
        assert words in drawing
    assert f"/console/devices/{site.story.device('database')}" in drawing
    table = page.partition("The same as a table")[2]
    assert "followed by the agent" in table


def test_a_device_is_drawn_with_the_customers_whose_data_it_holds(site: Site) -> None:
    page = site.get("vic", f"/devices/{site.story.device('older')}").text
    drawing = page.partition('<svg class="map"')[2].partition("</svg>")[0]
    assert "CUST-88213" in drawing
    assert "map-residue" in drawing


def test_a_data_set_is_drawn_with_its_open_cases(site: Site) -> None:
    page = site.get("vic", f"/data/{site.story.numbers['data_set']}").text
    assert "CUST-40177" in page.partition('<svg class="map"')[2].partition("</svg>")[0]


def test_what_lies_between_a_path_and_its_disk_is_drawn_as_a_volume(site: Site) -> None:
    world = site.world
    disk = Disk("Seagate", "ST1000", "S-MAP-1", 10**12, path="/dev/sdq")
    agent = world.enrol("map-01", [disk])
    petra = world.actor("petra")
    command = data.CreateDataSet(
        name="Drawn on a map", category=Category.LOW, owner="Sales", retention_days=1, encryption="none"
    )
    drawn = data.create_data_set(world.context, petra, command).id
    path = data.DeclarePath(host=agent.host, data_set=drawn, path="/srv/drawn", kind=HoldingKind.PRIMARY)
    data.declare_path(world.context, petra, path)
    steps = (
        PathStep(above="/srv", below="dm-3", how="the device number in the mount table"),
        PathStep(above="dm-3", below="md0", how="slaves in sysfs"),
        PathStep(above="md0", below="sdq1", how="slaves in sysfs"),
    )
    mapping = PathMapping(
        data_set="Drawn on a map",
        path="/srv/drawn",
        mount_point="/srv",
        devices=(disk.facts.fingerprint,),
        unresolved=(),
        steps=steps,
    )
    seen = Observation(taken=rfc3339(world.clock.now()), devices=(disk.observed,), paths=(mapping,))
    observation.observe(world.context, agent.actor, seen)
    view = queries.data_set_map(world.context, petra, drawn)
    volume = next(node for node in view.nodes if node.kind == "volume")
    assert (volume.label, volume.text, volume.number) == ("dm-3", "on md0", "")
    assert [edge.words for edge in view.edges if volume.key in {edge.source, edge.target}] == [
        "the device number in the mount table",
        "slaves in sysfs",
    ]
    assert view.lines[0].volume == "dm-3, on md0"
