"""The station's image, as it is built: a computer without a system starts from it, and does a whole job with two sticks.

Started by UEFI: introduced, enrolled, a job bundle in, the disk wiped, a return bundle out and taken in by the service, whose
record verifies. Started by BIOS: until the menu. What is done there is the same program.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inventory.domain.vocabulary import OrderState
from tools import build_image

from .office import Office
from .office import office as at_the_office
from .station import MIB, CarryingStick, Station, own_stick

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

SERIAL = "STATION-DISK-1"
SECRET = b"SECRET-CRM-ROW42"
CHOICE = "Your choice:"


@dataclass
class Job:
    """What became of it."""

    office: Office
    disk: Path
    screen: str = ""
    outcomes: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture(scope="module")
def image(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this checkout."""
    return build_image.build(tmp_path_factory.mktemp("image"))


def _disk(folder: Path) -> Path:
    file = folder / "disk.img"
    file.write_bytes(SECRET * (16 * MIB // len(SECRET)))
    return file


@pytest.fixture(scope="module")
def job(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """The whole of it."""
    folder = tmp_path_factory.mktemp("station")
    with at_the_office(folder / "service") as office:
        done = Job(office, _disk(folder))
        token = office.token("station")
        own = own_stick(folder, {"trust-root": office.trust_root, "roster": office.roster})
        carry = CarryingStick(folder / "carry.img")
        with Station(image, "uefi", done.disk, SERIAL) as station:
            station.shows("YYYY-MM-DD HH:MM:")
            station.enter("")
            station.shows(CHOICE)
            station.plug(own)
            _introduced(station, office, carry, token)
            _enrolled(station, office, carry)
            _worked(station, office, carry)
            done.screen = station.screen()
        names = [name for name in carry.names() if name.startswith("return-bundle-2")]
        done.outcomes = [
            (part.what, part.outcome) for name in names for part in office.receive(json.loads(carry.get(name))).parts
        ]
        office.conclude()
        yield done


def _step(station: Station, carry: CarryingStick, *typed: tuple[str, str]) -> None:
    """The carrying stick is put in, Enter does what comes next, and the stick is pulled."""
    station.plug(carry.file)
    station.enter("")
    for asked, answer in typed:
        station.shows(asked)
        station.enter(answer)
    station.shows(CHOICE)
    station.pull(carry.file)


def _introduced(station: Station, office: Office, carry: CarryingStick, token: str) -> None:
    _step(station, carry, ("One-time token", token))
    answer = office.introduced(json.loads(carry.get("introduction.json")))
    carry.put("introduced.json", answer.model_dump_json(by_alias=True))
    office.host = office.confirm(answer)


def _enrolled(station: Station, office: Office, carry: CarryingStick) -> None:
    _step(station, carry)
    office.receive(json.loads(carry.get("return-bundle-first.json")))


def _worked(station: Station, office: Office, carry: CarryingStick) -> None:
    office.holds_data(SERIAL)
    office.have_wiped(SERIAL)
    carry.put("job-bundle-1.json", json.dumps(office.job_bundle()))
    _step(station, carry)


def test_the_disk_holds_nothing_of_what_was_on_it(job: Job) -> None:
    assert job.disk.read_bytes() == bytes(16 * MIB)


def test_the_record_is_taken_in_and_verifies(job: Job) -> None:
    assert ("record", "taken-in") in job.outcomes
    assert job.office.now().state is OrderState.VALIDATED
    assert job.office.verified


def test_the_station_says_what_it_did(job: Job) -> None:
    assert "done" in job.screen


def test_it_starts_by_bios_too(image: Path, tmp_path: Path) -> None:
    with Station(image, "bios", _disk(tmp_path), SERIAL) as station:
        station.shows("YYYY-MM-DD HH:MM:")
        station.enter("")
        station.shows(CHOICE)
