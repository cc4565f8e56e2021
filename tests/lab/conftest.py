"""What the lab's own tests share: the machine is only asked for where a test boots one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .emulated import Emulated
from .kernel import Kernel, KernelMissing
from .rig import Rig

Plug = Callable[[Emulated], Emulated]

TOOLS = (
    *("qemu-system-x86_64", "nvme", "hdparm", "sg_inq", "smartctl", "depmod", "setpriv"),
    *("dpkg-deb", "grub-mkrescue", "mksquashfs", "mformat"),
)


def missing() -> list[str]:
    """What this machine lacks to be a lab."""
    found = [name for name in TOOLS if shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None]
    found += [] if Path("/bin/busybox").exists() else ["busybox"]
    found += [] if os.geteuid() == 0 else ["root (the guest reads this machine's own files)"]
    try:
        Kernel.find()
    except KernelMissing as error:
        found.append(str(error))
    return found


@pytest.fixture(scope="session")
def lab() -> None:
    """Asked for by everything that boots a machine."""
    if lacking := missing():
        reason = f"capability missing: the lab ({', '.join(lacking)})"
        if os.environ.get("REQUIRE_ALL_CAPABILITIES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def rig(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A running machine with three empty bays, one for all tests of a module."""
    with Rig(tmp_path_factory.mktemp("rig")) as rig:
        rig.boot()
        yield rig


@pytest.fixture
def plug(rig: Rig) -> Iterator[Plug]:
    """Plugs a drive in for one test, and out again however the test ends: the next one must not meet it."""
    plugged: list[Emulated] = []

    def into(drive: Emulated) -> Emulated:
        plugged.append(drive)
        drive.plug(rig)
        return drive

    yield into
    for drive in plugged:
        drive.unplug(rig)
