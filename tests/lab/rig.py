"""A rig: drives as objects of this process, and a machine they are plugged into.

SCSI and SATA drives go into bays, each an adapter of its own on a port that can be pulled; NVMe drives are connected over TCP.
A drive is found by the place it was plugged into, or by its serial number; never by a guess at its node.

    with Rig(folder) as rig:
        rig.boot()
        disk = rig.insert(sat_drive)
        rig.vm.product("plan", disk.node)
        rig.eject(disk)
"""

from __future__ import annotations

import shlex
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from .drives.nvme import NvmeController
from .drives.scsi_base import ScsiTarget
from .nvme_tcp import NvmeTcp
from .vhost_scsi import VhostScsi
from .vm import VM, LabError

FIRST_SLOT = 0x10
"""The bays' slots on the machine's root bus."""


SWITCH_SECONDS = 0.0005
"""Drives answer from threads of this process; with Python's usual 5 ms between them each request would wait for its turn."""


@dataclass(frozen=True)
class Bay:
    """One adapter, and where the guest sees it."""

    number: int
    adapter: VhostScsi

    @property
    def place(self) -> str:
        """The adapter's SCSI host in the guest, as a shell pattern."""
        return f"/sys/devices/pci0000:00/0000:00:{FIRST_SLOT + self.number:02x}.0/*/virtio*/host*"

    @property
    def port(self) -> str:
        """The machine's port it is plugged into."""
        return f"port-{self.number}"


@dataclass(frozen=True)
class Plugged:
    """A drive that the guest sees."""

    node: str
    """/dev/sda, /dev/nvme0n1."""
    bay: Bay | None = None
    port: NvmeTcp | None = None

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.node.removeprefix("/dev/")

    @property
    def character(self) -> str:
        """The node for commands without blocks: the controller of an NVMe drive, else the drive itself."""
        return self.node.rpartition("n")[0] if self.port else self.node


class Rig:
    """Bays, ports and at most one running machine."""

    def __init__(self, folder: Path, bays: int = 3, root: Path = Path("/"), first: str = "init.sh") -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.share = folder / "share"
        """Outlives a machine: journals that a power cut must not take are kept here."""
        self._system = (root, first)
        self._vm: VM | None = None
        self._sockets = VM.new_folder()
        self.bays = [Bay(number, VhostScsi(f"bay{number}", self._sockets)) for number in range(bays)]
        self._ports: list[NvmeTcp] = []
        self._lock = threading.Lock()

    @property
    def vm(self) -> VM:
        """The machine that runs."""
        if self._vm is None:
            raise LabError("the machine is off")
        return self._vm

    def boot(self, *, absent: tuple[int, ...] = ()) -> VM:
        """Switch on.

        Args:
            absent: Numbers of bays that are not plugged in yet.
        """
        arguments: list[str] = []
        for bay in self.bays:
            place = f"bus=pcie.0,addr={FIRST_SLOT + bay.number:#x},chassis={bay.number + 1}"
            arguments += ["-device", f"pcie-root-port,id={bay.port},{place}", *bay.adapter.chardev]
            if bay.number not in absent:
                device = {**bay.adapter.device, "bus": bay.port}
                arguments += [
                    "-device",
                    ",".join([str(device.pop("driver")), *(f"{k}={v}" for k, v in device.items())]),
                ]
        for port in self._ports:
            port.controller.power_on()
        root, first = self._system
        self._vm = VM(share=self.share, devices=arguments, root=root, first=first)
        self._vm.start()
        self._vm.run("modprobe -a sd_mod sg nvme-tcp").checked()
        return self._vm

    def power_cut(self) -> None:
        """The plug is pulled: machine and drives lose power at once."""
        self.vm.close()
        self._vm = None
        for port in self._ports:
            port.hang_up()
            port.controller.power_cut()
        for bay in self.bays:
            if not bay.adapter.off.wait(10):
                raise LabError(f"{bay.adapter.name} still has power")

    def close(self) -> None:
        """End everything."""
        if self._vm is not None:
            self._vm.close()
        for port in self._ports:
            port.close()
        for bay in self.bays:
            bay.adapter.close()
        VM.remove_folder(self._sockets)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # SCSI and SATA

    def load(self, drive: ScsiTarget, bay: int | None = None) -> Bay:
        """Put a drive into a free bay without telling the guest: before a boot, or for a guest that must look itself."""
        with self._lock:
            free = [each for each in self.bays if not each.adapter.targets and bay in {None, each.number}]
            if not free:
                raise LabError("no free bay")
            free[0].adapter.insert(0, drive)
        return free[0]

    def insert(self, drive: ScsiTarget, bay: int | None = None) -> Plugged:
        """Put a drive into a free bay, and wait until the guest has its node."""
        chosen = self.load(drive, bay)
        self.vm.run(f"for host in {chosen.place}; do echo '0 0 0' > $host/scsi_host/${{host##*/}}/scan; done").checked()
        return self.found(chosen)

    def found(self, bay: Bay) -> Plugged:
        """The drive in this bay, as the guest sees it."""
        return Plugged(f"/dev/{self._awaited(f'{bay.place}/target*/*/block/*')}", bay=bay)

    def pull(self, bay: Bay) -> None:
        """Pull the whole adapter (PCI hot-plug); the guest takes seconds to let go."""
        self.vm.qmp("device_del", id=bay.adapter.name)

    def push(self, bay: Bay) -> Plugged:
        """Put a pulled adapter back."""
        self.vm.qmp("device_add", bus=bay.port, **bay.adapter.device)
        return self.found(bay)

    # NVMe

    def connect(self, controller: NvmeController, busy: threading.RLock | None = None, nsid: int = 1) -> Plugged:
        """Connect a controller; the guest's driver makes its namespaces devices."""
        port = NvmeTcp(controller, busy)
        self._ports.append(port)
        controller.power_on()
        return self.reconnect(port, nsid)

    def reconnect(self, port: NvmeTcp, nsid: int = 1) -> Plugged:
        """Connect a port the machine does not know (any more)."""
        words = f"nqn={port.nqn},transport=tcp,traddr=10.0.2.2,trsvcid={port.port},reconnect_delay=1,ctrl_loss_tmo=4"
        self.vm.run(f"echo {shlex.quote(words)} > /dev/nvme-fabrics").checked()
        node = self._awaited(
            f"$(dirname $(grep -l 'trsvcid={port.port}\\b' /sys/class/nvme/nvme*/address))/nvme*n{nsid}"
        )
        # The path of one controller of several (nvme0c1n1) is hidden; the device is the one without it (nvme0n1).
        head, _, namespace = node.rpartition("n")
        return Plugged(f"/dev/{head.partition('c')[0]}n{namespace}", port=port)

    # Both

    def eject(self, plugged: Plugged) -> None:
        """Tell the guest to let go, then take the drive out."""
        if plugged.bay is not None:
            # In the background: the guest may want to flush, and a drive need not answer.
            self.vm.run(f'd=/sys/block/{plugged.name}/device/delete; [ ! -e $d ] || timeout 60 sh -c "echo 1 > $d"', 70)
            plugged.bay.adapter.remove(0)
        if plugged.port is not None:
            self.vm.run(
                f"for a in $(grep -l 'trsvcid={plugged.port.port}\\b' /sys/class/nvme/nvme*/address); do"
                ' timeout 60 sh -c "echo 1 > ${a%/address}/delete_controller"; done',
                70,
            )
            plugged.port.close()
            self._ports.remove(plugged.port)

    def node(self, serial: str) -> str:
        """The device with this serial number, as the guest's udev read it."""
        for line in self.vm.run("lsblk -dnro PATH,SERIAL").out.splitlines():
            node, _, value = line.partition(" ")
            if value == serial:
                return node
        raise LabError(f"no device with serial {serial}")

    def _awaited(self, pattern: str) -> str:
        """The name of what this pattern of sysfs comes to match, once its node is there and udev has seen it."""
        waiting = (
            f'for i in $(seq 150); do for n in {pattern}; do [ -e "$n" ] || continue; n="${{n##*/}}";'
            ' udevadm settle -t 10; echo "$n"; exit 0; done; sleep 0.1; done 2>/dev/null; exit 1'
        )
        result = self.vm.run(waiting, 40)
        if result.status:
            raise LabError(f"the guest did not find the drive; its kernel said:\n{self.vm.run('dmesg | tail -30').out}")
        return result.out.strip()
