"""The keys of a LUKS2 container destroyed on every kind of emulated disk, by the real engine in this process.

As with the drives' own commands, two things are looked at: what the product said, and what the medium holds. A success over a key
that is still there is the one thing that may never be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import shake_256
from pathlib import Path
from typing import Any

import pytest

from sanitizer.planning import ANSWERS, PlanRequest
from tests.support.luks_made import COPY, Change, changed, header

from .drives.ata import AtaDrive
from .drives.ata_identify import AtaModel
from .drives.clock import ManualClock
from .drives.faults import Faults
from .drives.medium import Medium
from .drives.ports import ScsiBlocks
from .drives.sat import SataDisk
from .drives.scsi_world import power_lost, scsi_world
from .drives.world import World
from .verdicts import verdict_of

TECHNIQUE = "luks-crypto-erase"
SETTING = "luks-crypto-erase-is-purge"
BLOCK = 512
BLOCKS = 8192
AREA = 2 << 20
"""Where the ciphertext begins; more than a megabyte, so that a disk can lie about the rest."""
UNWRITTEN = AREA + (1 << 19)
"""Where a megabyte lies to which nothing was ever written."""
KEY_BLOCKS = AREA // BLOCK
GOOD, RESIDUAL, NO = "succeeded", "failed: residual", "refused: no-technique"
PLAIN = b"an old letter, never encrypted. " * 16


def noise(name: str, length: int) -> bytes:
    """What ciphertext looks like; the same again for the same name."""
    return shake_256(name.encode()).digest(length)


def _placed(metadata: dict[str, Any]) -> None:
    metadata["segments"]["0"]["offset"] = str(AREA)
    metadata["config"]["keyslots_size"] = str(AREA - 2 * COPY)


PLACED = changed(_placed)


def content(*, first: bytes | None = None, second: bytes | None = None) -> bytes:
    """A medium with a container on it: both headers, one key slot, and ciphertext to the end."""
    made = bytearray(BLOCKS * BLOCK)
    one = header(PLACED) if first is None else first
    other = header(PLACED, second=True) if second is None else second
    made[:COPY] = one.ljust(COPY, b"\0")[:COPY]
    made[COPY : 2 * COPY] = other.ljust(COPY, b"\0")[:COPY]
    made[2 * COPY : AREA] = noise("key slots", AREA - 2 * COPY)
    made[AREA:] = noise("ciphertext", BLOCKS * BLOCK - AREA)
    made[UNWRITTEN : UNWRITTEN + (1 << 20)] = bytes(1 << 20)
    return bytes(made)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A disk and what must come of it."""

    expected: str = GOOD
    faults: Mapping[str, object] = field(default_factory=dict)
    made: Callable[[], bytes] = content
    model: Callable[[], AtaModel] = AtaModel.magnetic
    changes: Mapping[str, object] = field(default_factory=dict)
    """Of the request."""
    plain_at: int | None = None
    """Where something lies that was never encrypted."""

    def build(self) -> SataDisk:
        """A fresh one."""
        medium = Medium(BLOCKS, faults=Faults(**self.faults), clock=ManualClock())  # type: ignore[arg-type]
        whole = bytearray(self.made())
        if self.plain_at is not None:
            whole[self.plain_at : self.plain_at + len(PLAIN)] = PLAIN
        takes, medium.faults.takes = medium.faults.takes, "everything"
        bad, medium.faults.bad_writes = medium.faults.bad_writes, ()
        medium.write(0, bytes(whole))
        medium.flush()
        medium.spare.clear()
        medium.faults.takes, medium.faults.bad_writes = takes, bad
        return SataDisk(AtaDrive(medium, model=self.model()))

    @property
    def request(self) -> PlanRequest:
        """What is asked of it."""
        words: dict[str, object] = {
            "technique": TECHNIQUE,
            "pattern_set": "keyed-stream-then-zeros",
            "answers": tuple(ANSWERS),
            **self.changes,
        }
        return PlanRequest(**words)  # type: ignore[arg-type]  # fields by name


def saying(change: Change) -> Callable[[], bytes]:
    """A container both of whose headers say something else than usual."""
    told = changed(_placed)
    change(told)
    return lambda: content(first=header(told), second=header(told, second=True))


def keys_left(disk: SataDisk) -> int:
    """Blocks of the key slots and of the headers' metadata that are what they were."""
    before, now = content(), disk.ata.medium.durable(0, KEY_BLOCKS)
    blocks = range(0, AREA, BLOCK)
    return sum(any(before[at : at + BLOCK]) and before[at : at + BLOCK] == now[at : at + BLOCK] for at in blocks)


PURGE = {"method": "purge", "settings": (SETTING,)}
KINDS: Mapping[str, Kind] = {
    "good": Kind(),
    "good, by samples": Kind(changes={"verification": "representative"}),
    "good, purge by the setting": Kind(changes=PURGE),
    "good, purge without the setting": Kind(changes={"method": "purge"}, expected=NO),
    "flash": Kind(model=AtaModel),
    "flash, purge by the setting": Kind(model=AtaModel, changes=PURGE, expected=NO),
    "lies: drops every write": Kind(faults={"takes": "nothing"}, expected=RESIDUAL),
    "lies: first megabyte": Kind(faults={"takes": "first-megabyte"}, expected=RESIDUAL),
    "lies: all but one block": Kind(faults={"takes": "all-but-one-block"}, expected=RESIDUAL),
    "lies: writes elsewhere": Kind(faults={"takes": "elsewhere"}, expected=RESIDUAL),
    "lies: writes to a second place as well": Kind(faults={"takes": "twice"}, expected=RESIDUAL),
    "lies: drops zeros": Kind(faults={"takes": "no-zeros"}, expected=RESIDUAL),
    "lies: reads as zeros what it did not write": Kind(
        faults={"takes": "answers-zeros"}, expected="failed: inconclusive"
    ),
    "a block of the keys refuses to be written": Kind(
        faults={"bad_writes": ((300, 1),)}, expected="failed: unwritable-region"
    ),
    "a block of the keys cannot be read": Kind(faults={"bad_reads": ((1400, 1),)}, expected=NO),
    "a block of the ciphertext cannot be read": Kind(faults={"bad_reads": ((7000, 1),)}, expected=NO),
    "something in plain at the end": Kind(plain_at=BLOCKS * BLOCK - BLOCK, expected=NO),
    "something in plain in the middle": Kind(plain_at=UNWRITTEN + 4096, expected=NO),
    "write-protected": Kind(faults={"write_protected": True}, expected="refused: read-only-device"),
    "no container": Kind(made=lambda: noise("nothing", BLOCKS * BLOCK), expected=NO),
    "LUKS1": Kind(made=lambda: content(first=header(PLACED, version=1)), expected=NO),
    "one header stale": Kind(made=lambda: content(second=header(PLACED, second=True, sequence=2)), expected=NO),
    "one header damaged": Kind(made=lambda: content(second=header(PLACED, second=True)[:4100]), expected=NO),
    "reencryption under way": Kind(
        made=saying(lambda m: m["config"].update(requirements={"mandatory": ["online-reencrypt-v2"]})), expected=NO
    ),
    "another cipher": Kind(made=saying(lambda m: m["segments"]["0"].update(encryption="aes-cbc-plain64")), expected=NO),
    "header apart from its data": Kind(made=saying(lambda m: m["segments"]["0"].update(offset="0")), expected=NO),
    "data that ends early": Kind(made=saying(lambda m: m["segments"]["0"].update(size="1048576")), expected=NO),
    "nobody vouched": Kind(changes={"answers": ()}, expected=NO),
    "half vouched": Kind(changes={"answers": ("no-key-outside",)}, expected=NO),
}
"""What cannot be found out by reading is not among them: a drive that keeps all it is told in memory and loses it later."""


@pytest.mark.parametrize("name", KINDS)
def test_what_comes_of_it(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    disk = kind.build()
    before = disk.ata.medium.durable(0, BLOCKS)
    world = scsi_world(disk)
    assert world.outcome(kind.request, tmp_path) == kind.expected
    if kind.expected == GOOD:
        assert keys_left(disk) == 0
        assert not any(disk.ata.medium.durable(0, KEY_BLOCKS))
        assert disk.ata.medium.durable(KEY_BLOCKS, BLOCKS - KEY_BLOCKS) == before[AREA:]
    if kind.expected.startswith("refused"):
        assert disk.ata.medium.durable(0, BLOCKS) == before
    if world.result is not None and kind.expected != GOOD:
        assert verdict_of(world.result).outcome != "sanitized"


@pytest.mark.parametrize(
    ("name", "level"), [("good", "clear"), ("good, purge by the setting", "purge"), ("flash", "clear")]
)
def test_the_verdict_is_what_the_plan_promised(name: str, level: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    world = scsi_world(kind.build())
    assert world.cleared(kind.request).plan.level == level
    assert world.outcome(kind.request, tmp_path) == GOOD
    assert world.result is not None
    verdict = verdict_of(world.result)
    assert (verdict.outcome, verdict.method, verdict.coverage) == ("sanitized", level, "full")


def test_what_flash_keeps_of_the_keys_is_why_it_is_never_purge_there(tmp_path: Path) -> None:
    disk = KINDS["flash"].build()
    slots = content()[2 * COPY : 2 * COPY + 512]
    assert scsi_world(disk).outcome(KINDS["flash"].request, tmp_path) == GOOD
    header_block = content()[:512]
    assert any(old in {slots, header_block} for _, old in disk.ata.medium.spare)


def cut_off(world: World[ScsiBlocks], disk: SataDisk, at: int, journals: Path) -> bool:
    """A run that loses its power at this write; whether it came that far."""
    count = 0
    before = world.blocks.write

    def write(lba: int, data: bytes) -> None:
        nonlocal count
        if count == at:
            raise PowerLoss
        count += 1
        before(lba, data)

    world.blocks.write = write  # type: ignore[method-assign]  # for one run
    try:
        world.wipe(KINDS["good"].request, journals)
    except PowerLoss:
        return True
    finally:
        world.blocks.write = before  # type: ignore[method-assign]
        power_lost(world, disk)
    return False


class PowerLoss(BaseException):
    """Process, host and drive stop at once; nothing of ours may catch it."""


def test_power_lost_at_any_write_is_gone_on_from(tmp_path: Path) -> None:
    for at in range(64):
        disk = KINDS["good"].build()
        world, journals = scsi_world(disk), tmp_path / f"{at}"
        journals.mkdir()
        if not cut_off(world, disk, at, journals):
            assert at > 6
            return
        outcome = world.go_on(KINDS["good"].request, journals)
        assert outcome.state == GOOD, (at, outcome.run.error)
        assert keys_left(disk) == 0
        assert verdict_of(outcome).outcome == "sanitized"
    pytest.fail("a run has fewer writes than that")
