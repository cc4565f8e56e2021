"""Gathers facts about this host's storage from /proc and /sys. Decides nothing, and says `None` where it could not look.

The three roots are parameters, so that a recorded tree of another host can be read with the same code.
"""

from __future__ import annotations

import dataclasses
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path

from .facts import HostFacts, Mount, Node, Opener, Pool, SwapArea
from .journals import Journals
from .mounts import parse_mountinfo, parse_swaps


def read_text(path: Path) -> str | None:
    """A small file's text without its trailing newline, None when it cannot be read."""
    return _read(str(path))


def _read(path: str) -> str | None:
    """`read_text` without building a `Path`: one look at a host reads hundreds of small files, several times in a run."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        parts = []
        while part := os.read(descriptor, 1 << 16):
            parts.append(part)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return b"".join(parts).decode("utf-8", "surrogateescape").rstrip("\n")


def _names(folder: Path) -> tuple[str, ...] | None:
    try:
        return tuple(sorted(entry.name.replace("!", "/") for entry in os.scandir(folder)))
    except OSError:
        return None


def _flag(text: str | None) -> bool | None:
    return None if text is None else text.strip() not in {"0", ""}


_FABRICS = {"tcp": "NVMe over TCP", "rdma": "NVMe over RDMA", "fc": "NVMe over Fibre Channel"}


def _written_back(text: str | None) -> str | None:
    """The device zram writes back to; `none` where it has none."""
    return None if text in {None, "", "none"} else text


def _elsewhere(folder: str, transport: str | None) -> str | None:
    """How a disk of another machine is reached, by its place in sysfs; None for one of this host."""
    if transport in _FABRICS:
        return _FABRICS[transport]
    place = os.path.realpath(folder)
    if "/nvme-fabrics/" in place:
        return "NVMe over a network"
    if re.search(r"/session\d+/target", place):
        return "iSCSI"
    return "Fibre Channel" if "/rport-" in place else None


DEFAULT_STATE = Path("/var/lib/sanitizer/capacity")
STATE_VARIABLE = "SANITIZER_STATE_DIR"
_LOOKS_AT_OPENERS = 4
_BETWEEN_LOOKS_SECONDS = 0.1


def _sectors(text: str | None) -> int | None:
    """Sysfs counts in sectors of 512 bytes, whatever the device's own block size."""
    return int(text) * 512 if text is not None and text.isdigit() else None


class Host:
    """One host's /proc, /sys and /dev."""

    def __init__(
        self,
        proc: Path = Path("/proc"),
        sys: Path = Path("/sys"),
        dev: Path = Path("/dev"),
        run: Path = Path("/run"),
        pause: Callable[[float], None] = time.sleep,
        state: Path | None = None,
    ) -> None:
        """Nothing is read yet.

        Args:
            proc: Root of procfs; likewise `sys`, `dev` and `run`.
            sys: See above.
            dev: See above.
            run: See above.
            pause: Waits this many seconds.
            state: Folder of the notes of drives' capacities; None for the usual one.
        """
        self.proc = proc
        self.sys = sys
        self.dev = dev
        self.run = run
        self._pause = pause
        self._state = state

    @property
    def state(self) -> Path:
        """Folder of the notes of drives' capacities: what was given, what the environment names, else the usual one."""
        return self._state or Path(os.environ.get(STATE_VARIABLE) or DEFAULT_STATE)

    def gather(self) -> HostFacts:
        """One look at everything; the order does not matter, nothing is atomic, and the open claim is what binds."""
        nodes = self.nodes()
        return HostFacts(
            nodes=nodes,
            mounts=self.mounts(),
            swaps=self.swaps(),
            pools=self.pools(),
            openers=self.lasting_openers(),
            boot_id=self.boot_id(),
            journals=self.journals(),
        )

    def boot_id(self) -> str | None:
        """The kernel's random name of this boot."""
        return read_text(self.proc / "sys/kernel/random/boot_id")

    def mounts(self) -> tuple[Mount, ...] | None:
        """The mounts of this process's namespace."""
        text = read_text(self.proc / "self/mountinfo")
        try:
            return parse_mountinfo(text) if text is not None else None
        except ValueError:
            return None

    def swaps(self) -> tuple[SwapArea, ...] | None:
        """The active swap areas; a kernel without swap has no such file, and then there are none."""
        path = self.proc / "swaps"
        text = read_text(path)
        if text is None:
            return () if not path.exists() and self.proc.is_dir() and (self.proc / "self").exists() else None
        try:
            areas = parse_swaps(text)
        except ValueError:
            return None
        return tuple(dataclasses.replace(area, device_number=self._number_of(area)) for area in areas)

    def _number_of(self, area: SwapArea) -> str | None:
        if area.kind == "file":
            return None
        name = Path(area.path).name
        number = read_text(self.sys / "class/block" / name / "dev")
        if number is not None:
            return number
        try:
            status = Path(area.path).stat()
        except OSError:
            return None
        return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}" if stat.S_ISBLK(status.st_mode) else None

    def nodes(self) -> dict[str, Node] | None:
        """Every block device the kernel knows, partitions included."""
        names = _names(self.sys / "block")
        if names is None:
            return None
        nodes: dict[str, Node] = {}
        for name in names:
            folder = self.folder(name)
            nodes[name] = self._node(name, folder, None)
            try:
                with os.scandir(folder) as entries:
                    folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
                children = [entry for entry in folders if os.path.exists(f"{entry.path}/partition")]  # noqa: PTH110 - as `_read`
            except OSError:
                # A disk whose partitions cannot be listed has unknown holders: `_node` of it says so too.
                nodes[name] = dataclasses.replace(nodes[name], holders=None)
                continue
            for child in sorted(children, key=lambda entry: entry.name):
                part = child.name.replace("!", "/")
                nodes[part] = self._node(part, Path(child.path), name)
        return nodes

    def folder(self, name: str) -> Path:
        """The sysfs folder of a whole device."""
        return self.sys / "block" / name.replace("/", "!")

    def _node(self, name: str, folder: Path, whole: str | None) -> Node:
        base = str(folder)
        text: Callable[[str], str | None] = lambda attribute: _read(f"{base}/{attribute}")  # noqa: E731 - read often
        mapped = (folder / "dm").is_dir()
        number = text("dev") or ""
        return Node(
            name=name,
            path=str(self.dev / name),
            device_number=number,
            whole=whole,
            start_bytes=0 if whole is None else _sectors(text("start")),
            size_bytes=_sectors(text("size")),
            read_only=_flag(text("ro")),
            removable=bool(_flag(text("removable"))),
            hidden=bool(_flag(text("hidden"))),
            holders=_names(folder / "holders"),
            slaves=() if whole is not None else _names(folder / "slaves"),
            device_mapper=(text("dm/uuid") or "") if mapped else None,
            label=(text("dm/name") if mapped else None) or text("md/level"),
            backing_file=text("loop/backing_file") or _written_back(text("backing_dev")),
            zoned=None if whole is not None else text("queue/zoned"),
            multipath_path=self._udev_says_multipath(number),
            subsystem=text("device/subsysnqn") if whole is None and name.startswith("nvme") else None,
            elsewhere=None if whole is not None else _elsewhere(base, text("device/transport")),
        )

    def _udev_says_multipath(self, number: str) -> bool:
        known = _read(f"{self.run}/udev/data/b{number}")
        return known is not None and bool(
            re.search(r"^E:(DM_MULTIPATH_DEVICE_PATH=1|ID_FS_TYPE=mpath_member)$", known, re.MULTILINE)
        )

    def pools(self) -> tuple[Pool, ...] | None:
        """Mounted filesystems over several devices. A kernel without them has no folder, and then there are none."""
        pools: list[Pool] = []
        for filesystem, members in (("btrfs", self._btrfs_members), ("bcachefs", self._bcachefs_members)):
            folder = self.sys / "fs" / filesystem
            names = _names(folder)
            if names is None:
                if folder.exists():
                    return None
                continue
            for name in names:
                if name == "features" or not (folder / name).is_dir():
                    continue
                found = members(folder / name)
                if found is not None:
                    pools.append(Pool(filesystem=filesystem, identifier=name, members=found[0], missing=found[1]))
        return tuple(pools)

    @staticmethod
    def _btrfs_members(folder: Path) -> tuple[tuple[str, ...], bool] | None:
        devices = _names(folder / "devices")
        if devices is None:
            return None
        info = _names(folder / "devinfo") or ()
        missing = any(_flag(read_text(folder / "devinfo" / each / "missing")) for each in info)
        return devices, missing

    @staticmethod
    def _bcachefs_members(folder: Path) -> tuple[tuple[str, ...], bool] | None:
        slots = [name for name in _names(folder) or () if name.startswith("dev-")]
        members: list[str] = []
        missing = False
        for slot in slots:
            try:
                members.append((folder / slot / "block").resolve(strict=True).name)
            except OSError:
                missing = True
        return (tuple(members), missing) if slots else None

    def journals(self) -> Journals | None:
        """The journals the kernel writes for ext filesystems. One that writes none has no folder for them."""
        folder = self.proc / "fs/jbd2"
        names = _names(folder)
        filesystems = _names(self.sys / "fs/ext4")
        if names is None or filesystems is None:
            return None if folder.exists() else Journals()
        threads: dict[str, str] = {}
        for filesystem in filesystems:
            number = read_text(self.sys / "fs/ext4" / filesystem.replace("/", "!") / "journal_task")
            thread = "" if number == "<none>" else read_text(self.proc / (number or "none") / "comm")
            if thread is not None:
                threads[filesystem] = thread
        return Journals(names=names, threads=threads)

    def lasting_openers(self) -> tuple[Opener, ...] | None:
        """Those openers that are still there after a moment.

        udev, losetup and partitioning tools open devices for an instant; who uses a device keeps it open.
        """
        seen = self.openers()
        for _ in range(_LOOKS_AT_OPENERS - 1):
            if not seen:
                break
            self._pause(_BETWEEN_LOOKS_SECONDS)
            again = self.openers()
            seen = None if again is None else tuple(opener for opener in seen if opener in again)
        return seen

    def openers(self) -> tuple[Opener, ...] | None:
        """Processes other than this one that have a block device open for writing.

        A raw device under a virtual machine or a database has neither mount nor holder: its open descriptor is the only
        trace. Readers are left out: udev and monitors look at every device all the time.
        """
        try:
            processes = [entry.name for entry in os.scandir(self.proc) if entry.name.isdigit()]
        except OSError:
            return None
        found: list[Opener] = []
        for process in processes:
            if int(process) == os.getpid():
                continue
            numbers = self._written_devices(self.proc / process)
            if numbers is None:
                return None
            name = read_text(self.proc / process / "comm") or "?"
            found.extend(Opener(process=f"{name} ({process})", device_number=number) for number in numbers)
        return tuple(found)

    def _written_devices(self, process: Path) -> set[str] | None:
        numbers: set[str] = set()
        try:
            descriptors = os.listdir(process / "fd")  # noqa: PTH208 - as `_read`
        except (FileNotFoundError, ProcessLookupError):
            return numbers  # it ended while we looked
        except OSError:
            return None
        folder = f"{process}/fd"
        for descriptor in descriptors:
            try:
                if not os.readlink(f"{folder}/{descriptor}").startswith("/"):  # noqa: PTH115 - as `_read`
                    continue  # sockets, pipes, anonymous inodes
                status = os.stat(f"{folder}/{descriptor}")  # noqa: PTH116 - as `_read`
            except OSError:
                continue  # closed, or its file lies where this process cannot look; a device node can be looked at
            if stat.S_ISBLK(status.st_mode) and self._writes(process / "fdinfo" / descriptor):
                numbers.add(f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}")
        return numbers

    @staticmethod
    def _writes(fdinfo: Path) -> bool:
        text = read_text(fdinfo)
        match = re.search(r"^flags:\s*([0-7]+)$", text or "", re.MULTILINE)
        # Closed in the meantime: no longer a writer. Present without flags: take it for one.
        return text is not None and (match is None or int(match[1], 8) & os.O_ACCMODE != os.O_RDONLY)
