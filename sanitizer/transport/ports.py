"""Which command interfaces a block device has, by the kernel's own name for it."""

from __future__ import annotations

import re
from pathlib import Path

from sanitizer.errors import HostRejected

from .block_ranges import BlockRanges
from .commands import Ports
from .ioctl import Descriptor
from .mmc_ioctl import MmcIoctl
from .nvme_ioctl import NvmeAdmin
from .opal_ioctl import OpalIoctl
from .sg_io import SgIo

_SCSI = re.compile(r"sd[a-z]+")
_NVME = re.compile(r"nvme\d+n\d+")
_MMC = re.compile(r"mmcblk\d+")
"""Whole devices only: a partition's node or a boot area's would reach the same medium under another name."""


def kernel_name(device_number: str) -> str:
    """The kernel's name of a device by `major:minor`, empty where it has none. Node names are an administrator's choice."""
    try:
        return (Path("/sys/dev/block") / device_number).readlink().name
    except OSError:
        return ""


def ports_of(name: str, descriptor: Descriptor) -> Ports:
    """The interfaces of the device with this kernel name, all on the one descriptor.

    Raises:
        DeviceGone: nothing is there any more.
    """
    ranges = BlockRanges(descriptor)
    if _SCSI.fullmatch(name):
        return Ports(scsi=SgIo(descriptor), opal=OpalIoctl(descriptor), ranges=ranges)
    if _NVME.fullmatch(name):
        try:
            return Ports(nvme=NvmeAdmin(descriptor), opal=OpalIoctl(descriptor), ranges=ranges)
        except HostRejected:
            return Ports(ranges=ranges)
    if _MMC.fullmatch(name):
        return Ports(mmc=MmcIoctl(descriptor), ranges=ranges)
    return Ports(ranges=ranges)
