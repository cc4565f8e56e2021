"""Reads one whole device: its sysfs folder, and the open descriptor for everything that must belong to the very device held open.

Gathers only; `obstacles.identity_of` says what it amounts to.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from . import persistent
from .capability import Capabilities, HiddenCapacity, Tri
from .capacity_notes import note_name, proven_maximum
from .container import Container, container_on
from .deriving import capabilities_of, path_of
from .drive_obstacles import medium_answers
from .errors import Refused, SanitizerError
from .facts import HostFacts, Node, Reading
from .host import Host, read_text
from .inspection import PERSISTENT
from .probing import Answers, probe
from .signatures import UNREADABLE, find
from .transport.base import Geometry, LoopStatus, OpenDevice, RequestFailed
from .transport.memory import AlignedBuffer
from .wire.luks2 import COPY_SIZES

_VIRTUAL = re.compile(r"QEMU|VMware|VBOX|Virtual|Msft|Xen|Google PersistentDisk|Amazon Elastic", re.IGNORECASE)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _ata_string(identify: bytes, word: int, words: int) -> str:
    """ATA strings hold two characters a word, swapped (ACS, IDENTIFY DEVICE)."""
    raw = identify[word * 2 : (word + words) * 2]
    return b"".join(raw[i + 1 : i + 2] + raw[i : i + 1] for i in range(0, len(raw), 2)).decode("ascii", "replace")


class SysfsNames:
    """What sysfs says a device is called, by kind of driver."""

    def __init__(self, host: Host, name: str) -> None:
        self.folder = host.folder(name)
        self.name = name
        self.vendor: str | None = None
        self.model: str | None = None
        self.serial: str | None = None
        self.firmware: str | None = None
        self.wwn: str | None = None
        self.eui64: str | None = None
        self.nguid: str | None = None
        self.hidden: str | None = None
        """yes, no, unknown, for a device of which sysfs tells; None for one that must be asked."""
        self._media: str | None = None
        self.kind = self._kind()
        getattr(self, f"_read_{self.kind}", lambda: None)()

    def text(self, attribute: str) -> str | None:
        """One attribute of the device's folder."""
        return read_text(self.folder / attribute)

    def _kind(self) -> str:
        for prefix, kind in (("nvme", "nvme"), ("mmcblk", "mmc"), ("vd", "virtio"), ("loop", "loop"), ("zram", "zram")):
            if self.name.startswith(prefix):
                return kind
        if self.name.startswith(("sd", "dasd")) and self.text("device/vendor") is not None:
            return "ata" if (self.text("device/vendor") or "").strip() == "ATA" else "scsi"
        return "other"

    def _worldwide(self, wwid: str | None) -> None:
        """`naa.`, `eui.` and the like, as the kernel chose the best designator of VPD page 83h (SPC, 7.8.6)."""
        kind, _, value = (wwid or "").partition(".")
        if kind == "naa":
            self.wwn = f"naa.{value}"
        elif kind == "eui" and len(value) == 32:
            self.nguid = self.nguid or value
        elif kind == "eui":
            self.eui64 = self.eui64 or value

    def _read_scsi(self) -> None:
        self.vendor = self.text("device/vendor")
        self.model = self.text("device/model")
        self.firmware = self.text("device/rev")
        page = _bytes(self.folder / "device/vpd_pg80")  # SPC, unit serial number: length at 2, text from 4
        if page is not None and len(page) > 4 and page[1] == 0x80:
            self.serial = page[4 : 4 + int.from_bytes(page[2:4], "big")].decode("ascii", "replace")
        self._worldwide(self.text("device/wwid"))

    def _read_ata(self) -> None:
        self._read_scsi()
        self.vendor = None  # "ATA" names the translation, not a maker
        page = _bytes(self.folder / "device/vpd_pg89")  # SAT, ATA information: IDENTIFY data at 60
        if page is not None and len(page) >= 572:
            identify = page[60:572]
            self.model = _ata_string(identify, 27, 20)
            self.firmware = _ata_string(identify, 23, 4)
            self.serial = _ata_string(identify, 10, 10)

    def _read_nvme(self) -> None:
        self.model = self.text("device/model")
        self.serial = self.text("device/serial")
        self.firmware = self.text("device/firmware_rev")
        self.nguid = (self.text("nguid") or "").replace("-", "") or None
        self.eui64 = (self.text("eui") or "").replace(" ", "") or None
        self._worldwide(self.text("wwid"))

    def _read_mmc(self) -> None:
        self.vendor = self.text("device/manfid")
        self.model = self.text("device/name")
        self.serial = self.text("device/cid")
        self.firmware = self.text("device/fwrev")

    def _read_virtio(self) -> None:
        self.serial = self.text("serial")

    def _read_other(self) -> None:
        if not self.name.startswith(persistent.NODE):
            return
        found = persistent.persistent(self.folder)
        self.vendor, self.model, self.firmware = found.vendor, found.model, found.firmware
        self.serial, self.hidden = found.serial, found.hidden
        self._media = "virtual" if found.virtual else PERSISTENT

    def transport(self) -> str:
        """How it is attached, by the device's place in the tree."""
        if self._media is not None:
            return "virtio-pmem" if self._media == "virtual" else "nvdimm"
        if self.kind == "nvme":
            return f"nvme-{self.text('device/transport') or 'unknown'}"
        if self.kind in {"mmc", "virtio", "loop", "zram"}:
            return self.kind
        try:
            place = str(self.folder.resolve(strict=True))
        except OSError:
            return "unknown"
        marks = (
            ("/usb", "usb"),
            ("/session", "iscsi"),
            ("/rport-", "fc"),
            ("/end_device-", "sas"),
            ("/ata", "sata"),
            ("/virtio", "virtio-scsi"),
        )
        return next((transport for mark, transport in marks if mark in place), "unknown")

    def driver(self) -> str | None:
        """Driver of the SCSI host adapter a disk hangs on; None for other devices."""
        try:
            place = (self.folder / "device").resolve(strict=True)
        except OSError:
            return None
        host = next((part for part in place.parts if re.fullmatch(r"host\d+", part)), None)
        return read_text(self.folder.parent.parent / "class/scsi_host" / host / "proc_name") if host else None

    def media(self) -> str:
        """What holds the bits, as far as the kernel knows; a USB bridge's claim to rotate is not believed."""
        if self._media is not None:
            return self._media
        if self.kind in {"loop", "virtio", "zram"} or _VIRTUAL.search(f"{self.vendor} {self.model}"):
            return "virtual"
        if self.kind in {"nvme", "mmc"}:
            return "flash"
        rotational = self.text("queue/rotational")
        if rotational == "0":
            return "flash"
        return "magnetic" if rotational == "1" and self.transport() != "usb" else "unknown"


def _slot(host: Host, name: str) -> str | None:
    """The enclosure's slot or udev's by-path name."""
    try:
        for enclosure in (host.folder(name) / "device").glob("enclosure_device:*"):
            return enclosure.name.partition(":")[2]
        links = sorted((host.dev / "disk/by-path").iterdir())
    except OSError:
        return None
    return next((link.name for link in links if link.is_symlink() and link.readlink().name == name), None)


def _loop_serial(status: LoopStatus | None) -> str | None:
    """A loop device is its backing file: device, inode, birth time, and where in the file it begins."""
    if status is None:
        return None
    born = f"-{status.born_ns:x}" if status.born_ns is not None else ""
    part = f"@{status.offset}+{status.size_limit}" if status.offset or status.size_limit else ""
    return f"backing-{status.device:x}-{status.inode}{born}{part}"


def _hidden(names: SysfsNames, status: LoopStatus | None) -> str:
    """For a loop device the file's remainder is known; what a drive hides it says only when asked by commands."""
    if names.kind != "loop" or status is None:
        return names.hidden or "unknown"
    return "yes" if status.offset or status.size_limit else "no"


def signatures_of(device: OpenDevice, family: tuple[Node, ...], geometry: Geometry) -> tuple[str, ...]:
    """Membership signatures on a whole device and on each of its partitions, read past the page cache."""
    found: dict[str, None] = {}
    buffer = AlignedBuffer(512 << 10)
    block = geometry.logical_block_bytes
    for node in family:
        start, size = node.start_bytes, node.size_bytes
        if node.whole is None:
            start, size = 0, geometry.size_bytes
        if start is None or size is None:
            found[UNREADABLE] = None
            continue

        def read(offset: int, length: int, start: int = start) -> bytes | None:
            first = (start + offset) // block * block
            until = min(-(-(start + offset + length) // block) * block, geometry.size_bytes)
            try:
                given = device.read(buffer.view[: until - first], first)
            except RequestFailed:
                return None
            skip = start + offset - first
            return bytes(buffer.view[skip : min(given, skip + length)])

        found.update(dict.fromkeys(find(size, read)))
    return tuple(found)


def read_device(
    host: Host,
    facts: HostFacts,
    node: Node,
    device: OpenDevice | Refused,
    *,
    claimed: bool | None,
    content: bool = True,
) -> Reading:
    """Everything about one whole device.

    Args:
        host: Where to look.
        facts: The host's nodes, for the partitions.
        node: The device.
        device: It, held open; or why it could not be opened, and then nothing that needs it is known.
        claimed: Whether an exclusive claim stands or succeeded; None where it was not tried.
        content: Whether to read the medium for signatures. An identity needs none of it, and on a shelf of equal disks
            every look at one of them would else read all the others, in the midst of their own runs.
    """
    names = SysfsNames(host, node.name)
    unreadable: list[str] = []
    geometry: Geometry | None = None
    loop: LoopStatus | None = None
    signatures: tuple[str, ...] | None = None
    capabilities: Capabilities | None = None
    if isinstance(device, Refused):
        unreadable.append(device.summarize())
    else:
        try:
            geometry = device.geometry()
            loop = device.loop_status()
            if content:
                # First what the drive says: a medium behind a lock or a running sanitize must not even be read.
                capabilities = _capabilities(names, device, host.state)
                readable = medium_answers(capabilities)
                family = facts.family(node.name)
                signatures = signatures_of(device, family, geometry) if readable else (UNREADABLE,)
                container = container_in(device, geometry) if readable else None
                capabilities = with_container(capabilities, container, names.transport(), _hidden(names, loop))
        except SanitizerError as error:
            unreadable.append(error.summarize())
        unreadable += _disagreements(host, node, geometry)
    if names.kind == "loop":
        names.serial = _loop_serial(loop)
    return Reading(
        name=node.name,
        path=node.path,
        kind=names.kind,
        vendor=names.vendor,
        model=names.model,
        serial=names.serial,
        wwn=names.wwn,
        eui64=names.eui64,
        nguid=names.nguid,
        firmware=names.firmware,
        media=names.media(),
        transport=names.transport(),
        slot=_slot(host, node.name),
        removable=node.removable,
        hidden_capacity=capabilities.hidden.present.value if capabilities else _hidden(names, loop),
        capacity_bytes=geometry.size_bytes if geometry else node.size_bytes,
        logical_block_bytes=geometry.logical_block_bytes if geometry else None,
        physical_block_bytes=geometry.physical_block_bytes if geometry else None,
        read_only=geometry.read_only if geometry else node.read_only,
        disk_sequence=geometry.disk_sequence if geometry else None,
        signatures=signatures,
        unreadable=tuple(unreadable),
        claim_free=claimed,
        capabilities=capabilities,
    )


def _capabilities(names: SysfsNames, device: OpenDevice, state: Path) -> Capabilities | None:
    """What the drive behind the descriptor says it can do. Raises `DeviceGone`."""
    ports = device.ports()
    if ports.scsi is None and ports.nvme is None and ports.mmc is None:
        return None
    transport = names.transport()
    answers = probe(ports, transport=transport)
    path = path_of(transport=transport, driver=names.driver(), vendor=names.vendor, model=names.model, answers=answers)
    told = {name: getattr(names, name) for name in ("kind", "model", "serial", "wwn", "eui64", "nguid")}
    proven = proven_maximum(state, note_name(told)) if names.kind == "scsi" else None
    return capabilities_of(
        answers, path=path, vendor=names.vendor, model=names.model, firmware=names.firmware, proven=proven
    )


def container_in(device: OpenDevice, geometry: Geometry) -> Container | None:
    """An encrypted container that begins where the device begins, read past the page cache."""
    buffer = AlignedBuffer(COPY_SIZES[-1])

    def read(offset: int, length: int) -> bytes | None:
        try:
            given = device.read(buffer.view[:length], offset)
        except RequestFailed:
            return None
        return bytes(buffer.view[:length]) if given == length else None

    return container_on(geometry.size_bytes, geometry.logical_block_bytes, read)


def with_container(
    capabilities: Capabilities | None, container: Container | None, transport: str, hidden: str
) -> Capabilities | None:
    """A device without commands of its own can still hold a container whose keys are in reach."""
    if container is None:
        return capabilities
    if capabilities is None:
        unasked = HiddenCapacity(native_bytes=None, present=Tri(hidden), by=())
        path = path_of(transport=transport, driver=None, vendor=None, model=None, answers=Answers(interface="none"))
        capabilities = Capabilities(path=path, standing=None, hidden=unasked)
    return replace(capabilities, container=container)


def _disagreements(host: Host, node: Node, geometry: Geometry | None) -> list[str]:
    """Whether the names in sysfs belong to the device held open: both must count the same attachment."""
    if geometry is None or geometry.disk_sequence is None:
        return []
    told = read_text(host.folder(node.name) / "diskseq")
    if told is not None and told != str(geometry.disk_sequence):
        return [f"{node.name} was attached anew while it was being read"]
    return []
