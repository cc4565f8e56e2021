"""The bootable image from `make image`: a computer without a network does a whole job with it, whichever firmware it has.

Everything between the computer and the service is on a stick that is pulled, carried and put in again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inventory.domain.vocabulary import DeviceState, OrderState
from inventory.services import certificates, devices, hosts, job_bundles, orders, queries, return_bundles
from inventory.services.queries.devices import DeviceFilter
from inventory.services.setup import trust
from inventory.services.views.by_hand import ReturnBundleView
from reports.envelope import payload_digest
from reports.verify import verify
from tests.support import inventory_world
from tests.support.capabilities import requires_tool
from tests.support.inventory_world import INSIDE, PLAN, World, make_world
from tools import build_image

from .booted import FIRMWARE, Booted, carrying_stick, files_on, own_stick, read_from, write_on

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(1200),
    requires_tool("mksquashfs", "xorriso", "grub-mkrescue", "mformat", "mkfs.ext4"),
]

MIB = 16
SECRET = b"a customer's name "
MENU = "Your choice:"


class Now:
    """The real time: the computer's clock shows it too."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def forward(self, **_: float) -> None:
        """It passes by itself."""


@dataclass
class Story:
    """What was seen on the way."""

    world: World
    disk: Path
    carry: Path
    host: str = ""
    order: str = ""
    shown: dict[str, str] = field(default_factory=dict)
    taken: list[ReturnBundleView] = field(default_factory=list)
    off: bool = False

    def introduce(self) -> tuple[str, str]:
        """The office answers the computer's introduction; the digests that it publishes."""
        context, admin = self.world.context, self.world.actor("admin")
        letter = json.loads(read_from(self.carry, "introduction.json"))
        answer = return_bundles.introduce(context, admin, letter)
        assert answer.reply.roster is not None
        self.host = answer.reply.host
        write_on(self.carry, f"introduced-{self.host}.json", answer.model_dump_json(by_alias=True).encode())
        hosts.confirm(context, admin, self.host, answer.reply.fingerprint)
        return trust(context).pin, payload_digest(answer.reply.roster.model_dump())

    def receive(self) -> None:
        """Whatever return bundles lie on the stick are handed in."""
        for name in files_on(self.carry):
            if name.startswith("return-bundle"):
                envelope = json.loads(read_from(self.carry, name))
                command = return_bundles.ReceiveReturnBundle(envelope=envelope)
                taken = return_bundles.receive(self.world.context, self.world.actor("custodian"), command)
                if taken.new:
                    self.taken.append(taken)

    def send(self) -> None:
        """An order, approved by two, on the stick."""
        context = self.world.context
        rows = queries.list_devices(context, self.world.actor("auditor"), DeviceFilter(), limit=200).items
        device = next(row for row in rows if row.serial == "LABBOOT-DISK")
        if device.state is DeviceState.IN_SERVICE:
            retired = devices.ChangeState(device=device.id, reason="replaced")
            devices.retire(context, self.world.actor("custodian"), retired)
        command = orders.CreateOrder(device=device.id, plan=PLAN, purpose=INSIDE, reason="replaced")
        self.order = orders.create_order(context, self.world.actor("operator"), command).id
        self.world.approve(self.order)
        operator = self.world.actor("operator")
        view = job_bundles.issue(context, operator, job_bundles.IssueJobBundle(host=self.host))
        envelope = job_bundles.envelope_of(context, operator, self.host, view.number)
        write_on(self.carry, f"job-bundle-{self.host}-{view.number}.json", json.dumps(envelope).encode())


@pytest.fixture(scope="module")
def image(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_image.build(tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("disk") / "disk"
    file.write_bytes((SECRET * ((MIB << 20) // len(SECRET) + 1))[: MIB << 20])
    return file


@pytest.fixture(scope="module")
def story(image: Path, disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """From a computer that nobody knows to a record that the service has."""
    folder = tmp_path_factory.mktemp("carried")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inventory_world, "FixedClock", Now)
        found = Story(make_world(folder / "service"), disk, carrying_stick(folder / "carry.img"))
    try:
        with Booted(image, disk, uefi=False) as computer:
            _carried_and_done(found, computer, own_stick(folder / "own.img"))
        yield found
    finally:
        found.world.close()


def _carried_and_done(story: Story, computer: Booted, own: Path) -> None:
    computer.expect("YYYY-MM-DD HH:MM:")
    computer.pull("image")
    computer.type("")
    computer.expect(MENU)
    computer.type("2")
    story.shown["without sticks"] = computer.expect(MENU)
    computer.put_in(own)
    context, admin = story.world.context, story.world.actor("admin")
    token = hosts.create_enrolment_token(context, admin, hosts.CreateEnrolmentToken(note="station"))
    _next(computer, story.carry, "One-time token", token.secret)
    trust_root, roster = story.introduce()
    _next(computer, story.carry, "trust root:", trust_root, "of the roster:", roster)
    story.receive()
    story.send()
    story.shown["work"] = _next(computer, story.carry)
    story.receive()
    computer.type("9")
    story.off = computer.off


def _next(computer: Booted, stick: Path, *talk: str) -> str:
    """The stick is put in, the next step done, and the stick pulled; what the console showed."""
    computer.put_in(stick)
    computer.type("")
    shown = ""
    for question, answer in zip(talk[::2], talk[1::2], strict=True):
        shown += computer.expect(question, unless=MENU)
        computer.type(answer)
    shown += computer.expect(MENU)
    computer.pull("carry")
    return shown


def test_a_disk_is_wiped_by_a_computer_that_has_nothing_but_the_image_and_two_sticks(story: Story) -> None:
    assert "done" in story.shown["work"], story.shown["work"]
    assert not any(story.disk.read_bytes())


def test_without_its_own_stick_the_station_does_nothing_and_says_so(story: Story) -> None:
    assert "There is no USB or SD stick labelled SANITRAIL." in story.shown["without sticks"]


def test_what_came_back_is_taken_in_and_verifies(story: Story) -> None:
    assert [[(part.what, part.outcome) for part in taken.parts] for taken in story.taken] == [
        [("observation", "taken-in")],
        [("observation", "taken-in"), ("record", "taken-in")],
    ]
    assert story.world.validate(story.order).state is OrderState.VALIDATED
    context = story.world.context
    view = certificates.issue(context, story.world.actor("validator"), story.order)
    bundle = certificates.bundle(context, story.world.actor("auditor"), view.number)
    assert verify(bundle, trust(context).pin).genuine


def test_the_computer_switches_itself_off(story: Story) -> None:
    assert story.off


@pytest.mark.skipif(not FIRMWARE.is_dir(), reason="capability missing: UEFI firmware for the emulator (ovmf)")
def test_a_computer_with_uefi_boots_it_too_and_has_no_way_to_a_network(image: Path, disk: Path) -> None:
    with Booted(image, disk, uefi=True) as computer:
        computer.expect("YYYY-MM-DD HH:MM:")
        computer.type("")
        computer.expect(MENU)
        computer.type("8")
        computer.type(
            "echo $(ls /sys/class/net) $(busybox find /lib/modules/*/kernel/drivers/net -name '*.ko*' 2> /dev/null | wc -l)."
        )
        assert "lo 0." in computer.expect("lo 0.")
