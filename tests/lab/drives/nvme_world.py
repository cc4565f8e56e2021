"""A host with an emulated NVMe or eMMC drive, for the real engine in this process."""

from __future__ import annotations

from .clock import ManualClock
from .emmc import EmmcDevice
from .nvme import NvmeController
from .nvme_ports import MmcBlocks, NvmeBlocks
from .world import World


def nvme_world(controller: NvmeController, nsid: int = 1) -> World[NvmeBlocks]:
    """A host with this controller, and one of its namespaces."""
    traits, clock = controller.subsystem.traits, controller.subsystem.medium.clock
    assert isinstance(clock, ManualClock)
    return World(NvmeBlocks(controller, nsid), clock, lambda: ("nvme", traits.model, traits.serial), "nvme-pcie")


def mmc_world(device: EmmcDevice) -> World[MmcBlocks]:
    """A host with this eMMC device."""
    clock = device.medium.clock
    assert isinstance(clock, ManualClock)
    return World(MmcBlocks(device), clock, lambda: ("mmc", device.model.name, f"{device.model.serial:08x}"), "mmc")
