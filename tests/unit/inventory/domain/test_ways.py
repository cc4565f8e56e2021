"""What lies between a path and a disk: only what the agent's steps say."""

from __future__ import annotations

from inventory.domain.ways import Way, way_to


def steps(*known: tuple[str, str]) -> list[dict[str, str]]:
    return [{"above": above, "below": below, "how": f"{above}>{below}"} for above, below in known]


STACK = steps(("/srv", "dm-3"), ("dm-3", "dm-0"), ("dm-0", "md0"), ("md0", "sdb1"), ("md0", "nvme0n1p2"))


def test_everything_between_a_path_and_a_disk_is_told_from_above_to_below() -> None:
    assert way_to("sdb", STACK) == Way(("dm-3", "dm-0", "md0"), ("/srv>dm-3", "dm-3>dm-0", "dm-0>md0", "md0>sdb1"))
    found = way_to("nvme0n1", STACK)
    assert found is not None
    assert found.between == ("dm-3", "dm-0", "md0")


def test_a_path_on_the_disk_itself_has_nothing_between() -> None:
    assert way_to("sdb", steps(("/srv", "sdb"))) == Way((), ("/srv>sdb",))
    assert way_to("sdb", steps(("/srv", "sdb1"))) == Way((), ("/srv>sdb1",))


def test_a_disk_that_no_step_leads_to_has_no_way() -> None:
    assert way_to("sdc", STACK) is None
    assert way_to("sd", STACK) is None
    assert way_to("nvme0n", STACK) is None
    assert way_to("sdb", ()) is None


def test_steps_in_a_circle_end() -> None:
    assert way_to("sdb", steps(("dm-1", "dm-2"), ("dm-2", "dm-1"), ("dm-1", "sdb"))) is None
