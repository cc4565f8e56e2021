"""A host with an emulated SATA or SAS drive, or one behind a USB bridge, for the real engine in this process."""

from __future__ import annotations

from .clock import ManualClock
from .ports import ScsiBlocks
from .sat import SataDisk
from .scsi import ScsiDisk
from .usb_bridge import UsbBridge
from .world import World


def scsi_world(target: SataDisk | ScsiDisk | UsbBridge) -> World[ScsiBlocks]:
    """A host that has found this drive, and heard its unit attention as the kernel does."""
    bare = target.target if isinstance(target, UsbBridge) else target
    assert isinstance(bare, (SataDisk, ScsiDisk))
    clock = bare.medium.clock
    assert isinstance(clock, ManualClock)
    bare.attention = None
    bridged = isinstance(target, UsbBridge)
    kind = "ata" if isinstance(bare, SataDisk) else "scsi"
    return World(
        ScsiBlocks(target, clock),
        clock,
        lambda: (kind, bare.model.product, target.serial),
        "usb" if bridged else "sata" if kind == "ata" else "sas",
        path="usb-bridge" if bridged else "direct",
        media="magnetic" if bare.model.rotation > 1 else "flash",
    )


def power_lost(world: World[ScsiBlocks], target: SataDisk | ScsiDisk, seconds_off: float = 3600.0) -> None:
    """Process, host and drive lose power together, and come back; the host finds the drive again."""
    target.power_cut()
    world.clock.sleep(seconds_off)
    target.power_on()
    target.attention = None
    world.claimed, world.boot, world.sequence = False, f"{world.boot}+", world.sequence + 1
