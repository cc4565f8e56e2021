"""Every technique from question to end against emulated drives: asked, started, waited for; then the medium is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sanitizer.capability import Capabilities, SanitizePhase
from sanitizer.deriving import capabilities_of
from sanitizer.probing import probe
from sanitizer.techniques import TECHNIQUES, technique
from sanitizer.techniques.base import Parameters
from sanitizer.transport.commands import Ports
from tests.lab.drives.ata import AtaDrive
from tests.lab.drives.ata_identify import AtaModel
from tests.lab.drives.emmc import EmmcDevice, EmmcModel
from tests.lab.drives.faults import Faults
from tests.lab.drives.medium import Medium
from tests.lab.drives.nvme import NvmeController
from tests.lab.drives.nvme_identify import NvmeTraits
from tests.lab.drives.nvme_ports import EmulatedMmcPort, EmulatedNvmePort
from tests.lab.drives.nvme_subsystem import NvmeSubsystem
from tests.lab.drives.ports import TargetPort
from tests.lab.drives.sat import SataDisk
from tests.lab.drives.scsi import ScsiDisk
from tests.lab.drives.scsi_pages import ScsiModel
from tests.lab.drives.sense import Layout

from .doubles import Log, hands

SECRET = b"SECRET-CRM-ROW42"
PATTERN = bytes.fromhex("11223344")
BLOCKS = 4096
SSD, DISK = AtaModel(), AtaModel(rotation=7200, sanitize=frozenset({"overwrite"}), trim=False)
MAGNETIC, FLASH = ScsiModel(rotation=10000, unmap=False), ScsiModel(rotation=1)
ENDS = frozenset(SanitizePhase) - {SanitizePhase.IN_PROGRESS, SanitizePhase.UNKNOWN}


@dataclass
class World:
    medium: Medium
    ports: Ports
    transport: str = "unknown"
    target: SataDisk | None = None

    def capabilities(self) -> Capabilities:
        found = capabilities_of(probe(self.ports, transport=self.transport), path="direct")
        assert found is not None
        return found

    def end(self, name: str) -> SanitizePhase:
        """Where the drive stands once it has an end to tell."""
        for _ in range(200):
            phase = technique(name).standing(self.ports).phase
            if phase in ENDS:
                return phase
            self.medium.clock.sleep(1)
        raise AssertionError("no end")


def _medium(faults: Faults | None) -> Medium:
    made = Medium(BLOCKS, faults=faults or Faults(seconds=20))
    made.fill(SECRET)
    return made


def sata(model: AtaModel, faults: Faults | None = None, layout: Layout = "descriptor") -> World:
    medium = _medium(faults)
    target = SataDisk(AtaDrive(medium, model=model), layout=layout)
    return World(medium, Ports(scsi=TargetPort(target, medium.clock)), "sata", target)


def sas(model: ScsiModel, faults: Faults | None = None) -> World:
    medium = _medium(faults)
    return World(medium, Ports(scsi=TargetPort(ScsiDisk(medium, model=model), medium.clock)), "sas")


def nvme(traits: NvmeTraits | None = None, faults: Faults | None = None) -> World:
    medium = _medium(faults)
    controller = NvmeController(NvmeSubsystem(medium, traits=traits))
    return World(medium, Ports(nvme=EmulatedNvmePort(controller)), "nvme-pcie")


def emmc(model: EmmcModel | None = None, faults: Faults | None = None) -> World:
    medium = _medium(faults)
    device = EmmcDevice(medium, model or EmmcModel(secure_erase=True))
    return World(medium, Ports(mmc=EmulatedMmcPort(device)), "mmc")


MADE: dict[str, Callable[[Faults | None], World]] = {
    "ata-sanitize-crypto-scramble": lambda faults: sata(SSD, faults),
    "ata-sanitize-block-erase": lambda faults: sata(SSD, faults),
    "ata-sanitize-overwrite": lambda faults: sata(DISK, faults),
    "ata-security-erase": lambda faults: sata(DISK, faults),
    "ata-security-erase-enhanced": lambda faults: sata(DISK, faults),
    "scsi-sanitize-overwrite": lambda faults: sas(MAGNETIC, faults),
    "scsi-sanitize-block-erase": lambda faults: sas(FLASH, faults),
    "scsi-sanitize-crypto-erase": lambda faults: sas(FLASH, faults),
    "scsi-format-unit": lambda faults: sas(MAGNETIC, faults),
    "nvme-sanitize-crypto-erase": lambda faults: nvme(faults=faults),
    "nvme-sanitize-block-erase": lambda faults: nvme(faults=faults),
    "nvme-sanitize-overwrite": lambda faults: nvme(faults=faults),
    "nvme-format-user-data": lambda faults: nvme(faults=faults),
    "nvme-format-crypto": lambda faults: nvme(faults=faults),
    "mmc-sanitize": lambda faults: emmc(faults=faults),
    "mmc-secure-trim": lambda faults: emmc(faults=faults),
}


def test_every_technique_meets_a_drive() -> None:
    assert {name for name in TECHNIQUES if not name.startswith(("opal", "luks"))} == set(MADE)


def _expected(aftermath: str, content: bytes) -> bool:
    if aftermath == "zeros":
        return not any(content)
    if aftermath == "uniform":
        return content == content[:1] * len(content)
    return aftermath == "undefined" or content == PATTERN * (len(content) // 4)


@pytest.mark.parametrize("name", MADE)
def test_nothing_is_left_and_the_blocks_hold_what_was_foretold(name: str) -> None:
    there, parameters, log = MADE[name](None), Parameters(pattern=PATTERN), Log()
    known = there.capabilities()
    each = technique(name)
    assert each.refusals(known, parameters) == ()
    sent = each.start(hands(log, there.ports, known, parameters=parameters))
    assert sent[-1].accepted == "yes"
    if not each.blocking:
        assert each.standing(there.ports).phase is SanitizePhase.IN_PROGRESS
        there.medium.clock.sleep(30)
    assert there.end(name) in {SanitizePhase.SUCCEEDED, SanitizePhase.IDLE}
    assert there.medium.remains(SECRET)[0] == []
    assert _expected(each.aftermath(known, parameters), there.medium.read(0, BLOCKS))


@pytest.mark.parametrize("layout", ["descriptor", "fixed", "fixed-old", "libata", "libata-old"])
def test_acceptance_and_end_are_understood_in_every_layout_of_an_answer(layout: Layout) -> None:
    there = sata(SSD, layout=layout)
    of = hands(Log(), there.ports, there.capabilities())
    each = technique("ata-sanitize-block-erase")
    assert each.start(of)[-1].accepted == "yes"
    found = each.standing(there.ports)
    assert (found.phase, bool(found.progress is not None)) == (SanitizePhase.IN_PROGRESS, True)
    assert there.end(each.name) is SanitizePhase.SUCCEEDED


def test_after_a_power_cut_the_end_is_understood_all_the_same() -> None:
    there = sata(SSD, layout="fixed")
    each = technique("ata-sanitize-block-erase")
    each.start(hands(Log(), there.ports, there.capabilities()))
    assert there.target is not None
    there.target.power_cut()
    there.target.power_on()
    there.medium.clock.sleep(60)
    assert there.end(each.name) is SanitizePhase.SUCCEEDED


REFUSED = {
    "ata-sanitize-block-erase": "sanitize",
    "ata-security-erase": "erase-unit",
    "scsi-sanitize-block-erase": "sanitize",
    "scsi-format-unit": "format",
    "nvme-sanitize-block-erase": "sanitize",
    "nvme-format-crypto": "format",
    "mmc-sanitize": "erase",
}


@pytest.mark.parametrize(("name", "group"), REFUSED.items())
def test_a_refusal_is_told_as_one(name: str, group: str) -> None:
    there = MADE[name](Faults(refuses=frozenset({group})))
    sent = technique(name).start(hands(Log(), there.ports, there.capabilities()))
    assert sent[-1].accepted == "no"


HALF_WAY = [name for name in MADE if "-sanitize-" in name and name != "mmc-sanitize"]


@pytest.mark.parametrize("name", HALF_WAY)
def test_half_way_is_a_failure_and_another_sanitize_is_the_way_out(name: str) -> None:
    there = MADE[name](Faults(seconds=20, fail_at=0.5))
    each = technique(name)
    each.start(hands(Log(), there.ports, there.capabilities()))
    there.medium.clock.sleep(60)
    assert there.end(name).value.startswith("failed")
    assert each.recover(hands(Log(), there.ports, there.capabilities())) == ()
    there.medium.faults.fail_at = None
    assert each.refusals(there.capabilities(), Parameters()) == ()
    each.start(hands(Log(), there.ports, there.capabilities()))
    there.medium.clock.sleep(60)
    assert there.end(name) in {SanitizePhase.SUCCEEDED, SanitizePhase.IDLE}
    assert there.medium.remains(SECRET)[0] == []


@pytest.mark.parametrize("name", HALF_WAY)
def test_while_it_works_every_technique_is_refused(name: str) -> None:
    there = MADE[name](None)
    technique(name).start(hands(Log(), there.ports, there.capabilities()))
    known = there.capabilities()
    for each in TECHNIQUES.values():
        assert each.refusals(known, Parameters())


def test_a_skipped_write_protected_group_is_no_erase() -> None:
    there = emmc(faults=Faults(write_protected=True))
    sent = technique("mmc-sanitize").start(hands(Log(), there.ports, there.capabilities()))
    assert [one.accepted for one in sent] == ["no"]
    assert len(there.medium.remains(SECRET)[0]) == BLOCKS


@pytest.mark.parametrize("kept", [False, True])
def test_with_and_without_deallocation(kept: bool) -> None:
    there, parameters = nvme(), Parameters(pattern=PATTERN, no_deallocate=kept)
    each = technique("nvme-sanitize-overwrite")
    known = there.capabilities()
    assert each.refusals(known, parameters) == ()
    each.start(hands(Log(), there.ports, known, parameters=parameters))
    there.medium.clock.sleep(60)
    assert there.end(each.name) is SanitizePhase.SUCCEEDED
    assert each.aftermath(known, parameters) == ("pattern" if kept else "undefined")
    assert _expected(each.aftermath(known, parameters), there.medium.read(0, BLOCKS))
